"""A client that nobody wrote by hand: token, user, template, send, log, all through code generated from the document."""

import sys
from http import HTTPStatus

from herald_client import AuthenticatedClient, Client
from herald_client.api.captured import get_admin_v1_captured
from herald_client.api.communication import (
    get_v1_3_communication_templates,
    post_v1_3_communication_messages_user_id_send as send_message,
)
from herald_client.api.logs import get_admin_v1_messages_logs_entries_id, get_admin_v1_messages_logs_user
from herald_client.api.templates import get_admin_v1_messages_templates_id, post_admin_v1_messages_templates
from herald_client.api.token import post_login_oauth_authorize, post_oauth_token
from herald_client.api.types import post_admin_v1_messages_types
from herald_client.api.users import get_admin_v1_users_id, post_admin_v1_users
from herald_client.models import (
    SaveTemplate, SaveType, SaveUser, SaveWord, SendMessage, SendMessagePlaceholdersType0, TokenRequest,
)

url, client_id, client_secret = sys.argv[1:]


def same(found, expected):
    if found != expected:
        sys.exit(f"client.py: {found!r} instead of {expected!r}")


def last(path):
    return int(path.rsplit("/", 1)[1])


form = TokenRequest(grant_type="client_credentials", client_id=client_id, client_secret=client_secret)
with Client(base_url=url) as public:
    same(post_login_oauth_authorize.sync(client=public, body=form).expires_in, "3600")
    token = post_oauth_token.sync(client=public, body=form)
    same((token.expires_in, token.token_type), (3600, "Bearer"))
    form.client_secret = "wrong"
    refused = post_oauth_token.sync_detailed(client=public, body=form)
    same((refused.status_code, refused.parsed.error), (HTTPStatus.UNAUTHORIZED, "invalid_client"))

with AuthenticatedClient(base_url=url, token=token.access_token) as client:
    user = SaveUser(user_name="generated", name="Anna Berg", email="anna@example.com", language="en-GB")
    user = post_admin_v1_users.sync(client=client, body=user).data
    shown = get_admin_v1_users_id.sync(user.id, client=client).data
    same((shown.guid, shown.email, shown.mobile, shown.lcid), (user.guid, "anna@example.com", None, 2057))
    again = post_admin_v1_users.sync_detailed(client=client, body=SaveUser(user_name="generated"))
    same((again.status_code, again.parsed.message), (HTTPStatus.CONFLICT, "err_DuplicateElement"))

    kind = SaveType(slug="generated", name="Generated", is_notification=True,
                    placeholders=[SaveWord(name="number", required=True, sample="1")])
    kind = post_admin_v1_messages_types.sync(client=client, body=kind).data
    template = SaveTemplate(type_=kind.id, format_=1, language="en-GB", sender="Shop <shop@example.com>",
                            subject="Order {{ number }}", body="Dear {{ user.name }}, order {{ number }} is on its way.")
    saved = post_admin_v1_messages_templates.sync_detailed(client=client, body=template)
    same((saved.status_code, saved.parsed.result), (HTTPStatus.OK, "OK"))
    stored = get_admin_v1_messages_templates_id.sync(last(saved.headers["Location"]), client=client).data
    same((stored.type_guid, stored.body, stored.html_body), (kind.guid, template.body, None))
    listed = get_v1_3_communication_templates.sync(client=client, sort="-name").data
    same([t.name for t in listed if t.id == kind.guid], ["Generated"])

    values = SendMessagePlaceholdersType0.from_dict({"number": "4711"})
    order = SendMessage(delivery_method="email", communication_template_id=kind.guid, placeholders=values)
    sent = send_message.sync_detailed(user.guid, client=client, body=order, idempotency_key="generated-1")
    same(sent.status_code, HTTPStatus.ACCEPTED)
    twice = send_message.sync_detailed(user.guid, client=client, body=order, idempotency_key="generated-1")
    same(twice.headers["X-Message-Id"], sent.headers["X-Message-Id"])

    log = get_admin_v1_messages_logs_user.sync(user.id, client=client)
    same([(str(line.guid), line.recipient) for line in log.data], [(sent.headers["X-Message-Id"], "anna@example.com")])
    entry = get_admin_v1_messages_logs_entries_id.sync(last(sent.headers["Location"]), client=client).data
    same((entry.subject, entry.body), ("Order 4711", "Dear Anna Berg, order 4711 is on its way."))
    same(get_admin_v1_captured.sync_detailed(client=client, recipient="nobody@example.com").parsed.data, [])

print("client.py: token, user, template, send and log are as documented")
