// A password of one's own: whoever was given one by somebody else comes here before anything else.

import { h } from "../lib/dom.js";
import { gate } from "../lib/gate.js";
import { passwordForm } from "../lib/passwordform.js";
import { go, onward } from "../lib/router.js";
import { session, signIn, signOut } from "../lib/session.js";
import { button, toast } from "../lib/ui.js";
import t from "../lib/words.js";

export default async function password({ query }) {
  const { Name } = session;
  const leave = button(t.nav.out, async () => {
    await signOut();
    await go("/signin");
  }, { kind: "quiet" });
  const element = passwordForm(async (fresh) => {
    await signIn(Name, fresh);
    toast(t.account.changed);
    await go(onward(query.get("to")), { replace: true });
  }, { extra: leave });
  return { title: t.account.own, full: true, node: gate(t.account.own, [h("p.muted", {}, session.MustChangePassword ? t.account.mustChange : t.account.title(Name)), element]) };
}
