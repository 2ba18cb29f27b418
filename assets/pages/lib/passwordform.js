// The form that gives the operator another password.

import { post } from "./api.js";
import { field, form, input } from "./ui.js";
import t from "./words.js";

/** The form. `done(password)` is called with the new one: every session has ended with the old one. */
export function passwordForm(done, options) {
  const password = (label, autocomplete, more) => field(label, input({ type: "password", autocomplete, ...more }), { hint: autocomplete === "new-password" ? t.setup.operator.passwordHint : null });
  const old = password(t.account.old, "current-password", { autofocus: true });
  const fresh = password(t.account.new, "new-password");
  return form([old, fresh], async () => {
    await post("user/password", { OldPassword: old.control.value, NewPassword: fresh.control.value });
    await done(fresh.control.value);
  }, { action: t.account.action, ...options });
}
