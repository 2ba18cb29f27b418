// The people who may sign in here.

import { all, post, remove } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { time } from "../../lib/format.js";
import { go } from "../../lib/router.js";
import { badge, button, confirm, dialog, field, form, input, section, toast } from "../../lib/ui.js";
import t from "../../lib/words.js";

const again = () => go("/settings/operators", { replace: true });

export default async function operators({ signal }) {
  const found = await all("operators", {}, signal);
  const rows = found.map((one) => h("tr", {}, h("td", {}, one.UserName, " ", one.IsSelf && badge(t.operators.self, "accent")), h("td", {}, time(one.CreatedDate)), h("td.end", {}, !one.IsSelf && button("", async () => {
    if (!(await confirm({ title: t.operators.dropTitle(one.UserName), text: t.operators.dropText, action: t.remove }))) return;
    await remove(`operators/${one.ID}`);
    await again();
  }, { kind: "quiet", icon: "trash", title: `${t.remove} ${one.UserName}` }))));
  return section(t.settings.operators, { text: t.operators.text, actions: button(t.operators.add, add, { kind: "primary", icon: "plus", data: { new: "" } }) },
    h("div.table-wrap", {}, h("table", {}, h("caption.visually-hidden", {}, t.settings.operators), h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t.signin.name), h("th", { scope: "col" }, t.user.created), h("th", {}, h("span.visually-hidden", {}, t.remove)))), h("tbody", {}, rows))));
}

function add() {
  const name = field(t.signin.name, input({ autofocus: true, autocapitalize: "none" }));
  const password = field(t.signin.password, input({ type: "password", autocomplete: "new-password" }), { hint: t.setup.operator.passwordHint });
  const box = dialog(t.operators.add, form([name, password], async () => {
    await post("operators", { UserName: name.control.value.trim(), Password: password.control.value });
    box.close();
    toast(t.operators.added);
    await again();
  }, { action: t.operators.add }));
}
