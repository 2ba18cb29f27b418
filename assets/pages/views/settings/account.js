// The operator's own password.

import { h } from "../../lib/dom.js";
import { passwordForm } from "../../lib/passwordform.js";
import { go } from "../../lib/router.js";
import { refresh, session } from "../../lib/session.js";
import { section, toast } from "../../lib/ui.js";
import t from "../../lib/words.js";

export default async function account() {
  return section(t.account.title(session.Name), { text: t.account.text }, h("div.panel-body", {}, passwordForm(async () => {
    await refresh();
    toast(t.account.done);
    await go("/signin");
  })));
}
