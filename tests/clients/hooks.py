"""What schemathesis must not do: revoke the client whose key it uses, after which every answer would be a 401, and make
Herald call an address that it has made up."""

import schemathesis

ITS_OWN = 1
NOBODY = 987654321


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.method.upper() == "DELETE" and case.path.endswith("/clients/{id}"):
        try:
            if int(case.path_parameters["id"]) == ITS_OWN:
                case.path_parameters["id"] = NOBODY
        except (KeyError, TypeError, ValueError):
            pass
    if "/providers" in case.path and isinstance(case.body, dict):
        url = case.body.get("Url")
        if isinstance(url, str) and ":" in url:
            case.body["Url"] = "capture:"
