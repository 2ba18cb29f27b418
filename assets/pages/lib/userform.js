// The fields of a user.

import { post } from "./api.js";
import { h } from "./dom.js";
import { session } from "./session.js";
import { checkbox, field, form, input } from "./ui.js";
import t from "./words.js";

/** A form for a new user or this one; `saved(id)` afterwards. */
export function userForm(user, saved) {
  const attributes = user?.Attributes && Object.keys(user.Attributes).length ? JSON.stringify(user.Attributes, null, 2) : "";
  const fields = {
    UserName: field(t.users.userName, input({ value: user?.UserName ?? "", autofocus: !user, autocapitalize: "none" }), { hint: t.users.userNameHint }),
    Name: field(t.users.name, input({ value: user?.Name ?? "" }), { optional: true }),
    Email: field(t.users.email, input({ value: user?.Email ?? "", type: "email" }), { optional: true }),
    Mobile: field(t.users.mobile, input({ value: user?.Mobile ?? "", type: "tel", placeholder: "+4712345678" }), { optional: true, hint: t.users.mobileHint }),
    Language: field(t.users.language, input({ value: user?.Language ?? session.DefaultLanguage ?? "", autocapitalize: "none" }), { hint: t.settings.languageHint }),
  };
  const more = field(t.users.attributes, h("textarea.mono", { value: attributes, rows: "4", spellcheck: "false" }), { optional: true, hint: t.users.attributesHint });
  const disabled = checkbox(t.users.disable, user?.IsDisabled ?? false, { hint: t.users.disableHint });
  return form([h("div.form-grid", {}, Object.values(fields)), more, disabled], async () => {
    const body = Object.fromEntries(Object.entries(fields).map(([name, { control }]) => [name, control.value.trim() || null]));
    const { ID } = await post("users", { ...body, ID: user?.ID, IsDisabled: disabled.control.checked, Attributes: parse() });
    await saved(ID);
  }, { action: user ? t.save : t.users.add });

  function parse() {
    more.fail("");
    if (!more.control.value.trim()) return {};
    try {
      return JSON.parse(more.control.value);
    } catch (fault) {
      more.fail(t.users.attributesBad(fault.message));
      more.control.focus();
      throw Object.assign(new Error(t.users.attributesBad(fault.message)), { name: "ApiError" });
    }
  }
}
