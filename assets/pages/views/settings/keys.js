// The applications that may use the API, and what they may do.

import { all, post, remove } from "../../lib/api.js";
import { h, replace } from "../../lib/dom.js";
import { time } from "../../lib/format.js";
import { go } from "../../lib/router.js";
import { session } from "../../lib/session.js";
import { badge, button, checkbox, confirm, copyable, dialog, empty, field, form, input, notice, section, select } from "../../lib/ui.js";
import t from "../../lib/words.js";

const AREAS = ["users", "notifications", "communication", "logs", "settings"];
const PRESETS = { send: ["relesys.api.users:write"], all: ["relesys.api"], read: ["relesys.api:read"], own: null };

/** What a scope lets its holder do, in a sentence. */
export function sentence(scope) {
  const [, area, mode] = /^relesys\.api(?:\.(\w+))?(?::(\w+))?$/.exec(scope) ?? [];
  const words = t.clients.scopes[area ?? "all"];
  return words ? words[mode ?? "both"] : scope;
}

export default async function keys({ signal }) {
  const found = await all("clients", { sort: "-ID" }, signal);
  const add = button(t.clients.add, create, { kind: "primary", icon: "plus", data: { new: "" } });
  if (!found.length) return h("div.panel", {}, empty("key", t.clients.empty, t.clients.emptyText, add));
  const rows = found.map((one) => {
    const isOver = one.ExpiryDate && new Date(one.ExpiryDate) < new Date();
    return h("tr", {}, h("td", {}, h("b", {}, one.Label), h("span.second", {}, t.clients.made, " ", one.CreatedBy, " · ", time(one.CreatedDate))),
      h("td", {}, h("ul.scopes", {}, one.Scopes.map((scope) => h("li", { title: scope }, sentence(scope))))),
      h("td.hide-s", {}, one.LastUsedDate ? time(one.LastUsedDate) : t.clients.never), h("td.hide-s", {}, isOver ? badge(t.clients.over, "bad") : one.ExpiryDate ? time(one.ExpiryDate) : t.clients.forever),
      h("td.end", {}, button(t.clients.revoke, () => revoke(one), { kind: "small danger", title: `${t.clients.revoke} ${one.Label}` })));
  });
  const heads = [t.clients.label, t.clients.may, t.clients.used, t.clients.ends];
  return section(t.settings.keys, { text: t.clients.text, actions: add }, h("div.table-wrap", {}, h("table", {}, h("caption.visually-hidden", {}, t.settings.keys), h("thead", {}, h("tr", {}, heads.map((text, at) => h("th", { scope: "col", class: at > 1 ? "hide-s" : "" }, text)), h("th", {}, h("span.visually-hidden", {}, t.clients.revoke)))), h("tbody", {}, rows))));
}

async function revoke(one) {
  if (!(await confirm({ title: t.clients.revokeTitle(one.Label), text: t.clients.revokeText, action: t.clients.revoke }))) return;
  await remove(`clients/${one.ID}`);
  await go("/settings/keys", { replace: true });
}

function create() {
  const label = field(t.clients.label, input({ autofocus: true, placeholder: t.clients.sample }));
  const preset = select(Object.keys(PRESETS).map((name) => [name, t.clients.presets[name]]), "send", { on: { change: draw } });
  const boxes = AREAS.flatMap((area) => ["read", "write"].map((mode) => checkbox(t.clients.scopes[area][mode], false, { name: `relesys.api.${area}:${mode}`, hint: `relesys.api.${area}:${mode}` })));
  const own = h("fieldset", { hidden: true }, h("legend", {}, t.clients.own), boxes);
  const ends = field(t.clients.ends, input({ type: "datetime-local" }), { optional: true, hint: t.clients.endsHint });
  const box = dialog(t.clients.add, form([label, field(t.clients.may, preset), own, ends], async () => {
    const scopes = PRESETS[preset.value] ?? boxes.filter(({ control }) => control.checked).map(({ control }) => control.name);
    const made = await post("clients", { Label: label.control.value, Scopes: scopes, ExpiryDate: ends.control.value ? new Date(ends.control.value).toISOString() : undefined });
    box.close();
    secret(made);
  }, { action: t.clients.add }));
  function draw() {
    own.hidden = preset.value !== "own";
  }
}

/** The secrets, once. */
function secret({ Guid, Key, ClientSecret }) {
  const curl = `curl ${session.BaseUrl}/api/admin/v1/users -H 'Authorization: Bearer ${Key}'`;
  const box = dialog(t.clients.secrets, [notice("warn", t.clients.once),
    h("div.field", {}, h("span.label", {}, t.clients.key), copyable(Key, { block: true, label: t.clients.key })),
    h("details", {}, h("summary", {}, t.clients.oauth), h("div.stack", {}, h("div.field", {}, h("span.label", {}, "client_id"), copyable(Guid, { block: true, label: "client_id" })), h("div.field", {}, h("span.label", {}, "client_secret"), copyable(ClientSecret, { block: true, label: "client_secret" })))),
    h("div.field", {}, h("span.label", {}, t.clients.try), copyable(curl, { block: true, label: "curl" }))],
  { actions: [button(t.clients.kept, () => box.close(), { kind: "primary" })] });
  box.addEventListener("close", () => {
    replace(box);
    go("/settings/keys", { replace: true });
  });
}
