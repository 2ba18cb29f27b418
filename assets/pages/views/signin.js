// Signing in: with a password, or with the link of the demo. A new appliance says how to begin.

import { append, h } from "../lib/dom.js";
import { go, onward } from "../lib/router.js";
import { session, signIn, signInWith } from "../lib/session.js";
import { field, form, input, notice } from "../lib/ui.js";
import { gate } from "../lib/gate.js";
import t from "../lib/words.js";

export default async function signin({ query }) {
  const to = onward(query.get("to"));
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) {
    // The token is good once, and not for the history of the browser.
    history.replaceState(null, "", location.pathname + location.search);
    const fault = await signInWith(token).then(() => null, (fault) => fault);
    if (!fault) queueMicrotask(() => go(to, { replace: true }));
    return page(fault ? [notice("bad", t.signin.used), passwords(to)] : [h("p", {}, t.signin.byLink)]);
  }
  if (session.State.startsWith("setup")) {
    return page([h("p", {}, session.State === "setup" ? t.signin.firstText : t.signin.overText)], t.signin.first);
  }
  if (session.State === "signedIn") queueMicrotask(() => go(to, { replace: true }));
  return page([passwords(to)]);
}

const page = (content, title = t.signin.title) => ({ title, full: true, node: gate(title, content) });

function passwords(to) {
  const name = field(t.signin.name, input({ autocomplete: "username", autocapitalize: "none", required: true, autofocus: true }));
  const password = field(t.signin.password, input({ type: "password", autocomplete: "current-password", required: true }));
  const element = form([name, password], async () => {
    await signIn(name.control.value.trim(), password.control.value);
    await go(to, { replace: true });
  }, { action: t.signin.action });
  return append(h("div", {}), [element, h("p.hint", {}, t.signin.forgot)]);
}
