// A new user.

import { h } from "../lib/dom.js";
import { go } from "../lib/router.js";
import { heading, toast } from "../lib/ui.js";
import { userForm } from "../lib/userform.js";
import t from "../lib/words.js";

export default async function add() {
  const form = userForm(null, async (id) => {
    toast(t.users.added);
    await go(`/users/${id}`, { replace: true });
  });
  return { title: t.users.add, node: h("div.page.narrow", {}, heading(t.users.add, { back: ["/users", t.users.title] }), h("div.panel", {}, h("div.panel-body", {}, form))) };
}
