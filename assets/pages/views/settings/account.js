// The operator's own password.

import { post } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { go } from "../../lib/router.js";
import { refresh, session } from "../../lib/session.js";
import { field, form, input, section, toast } from "../../lib/ui.js";
import t from "../../lib/words.js";

export default async function account() {
  const password = (label, autocomplete, hint) => field(label, input({ type: "password", autocomplete }), { hint });
  const old = password(t.account.old, "current-password");
  const fresh = password(t.account.new, "new-password", t.setup.operator.passwordHint);
  return section(t.account.title(session.Name), { text: t.account.text }, h("div.panel-body", {}, form([old, fresh], async () => {
    await post("user/password", { OldPassword: old.control.value, NewPassword: fresh.control.value });
    await refresh();
    toast(t.account.done);
    await go("/signin");
  }, { action: t.account.action })));
}
