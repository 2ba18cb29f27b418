// Links that let people in.

import { get, post } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { field, form, input, section, toast } from "../../lib/ui.js";
import t from "../../lib/words.js";

export default async function links({ signal }) {
  const now = await get("settings", {}, signal);
  const login = field(t.links.login, input({ value: now.LoginUrl, class: "mono" }), { hint: t.links.hint });
  const reset = field(t.links.reset, input({ value: now.ResetUrl, class: "mono" }), { hint: t.links.hint });
  const secret = field(t.links.secret, input({ type: "password", autocomplete: "new-password" }), { hint: t.links.secretHint, optional: true });
  return section(t.settings.links, { text: t.links.text }, h("div.panel-body", {}, form([login, reset, secret], async () => {
    await post("settings", { LoginUrl: login.control.value, ResetUrl: reset.control.value, LinkSecret: secret.control.value || undefined });
    secret.control.value = "";
    toast(t.saved);
  })));
}
