// Message types: what messages are about.

import { types as all } from "../lib/catalog.js";
import { h } from "../lib/dom.js";
import { duration } from "../lib/format.js";
import { badge, copyable, heading, linkButton } from "../lib/ui.js";
import t from "../lib/words.js";

export default async function types() {
  const rows = (await all()).map((type) => h("tr.linked", {},
    h("td", {}, h("a", { href: `/types/${type.ID}`, data: { row: "" } }, type.Name), h("span.second", {}, type.Slug)),
    h("td", {}, h("span.badges", {}, type.IsSystem && badge(t.types.system, "plain"), type.IsNotification && badge(t.types.notification, "plain"), type.IsSensitive && badge(t.types.sensitive, "warn"))),
    h("td.hide-s", {}, type.DefaultFormats.map((word) => t.channels[word]).join(", ")), h("td.hide-s", {}, duration(type.ExpirySeconds)),
    h("td.ids", {}, copyable(String(type.ID), { label: t.templates.id })), h("td.ids.hide-s", {}, copyable(type.Guid, { label: t.templates.guid }))));
  const heads = [t.types.name, t.types.kind, t.types.channels, t.types.expiry, t.templates.id, t.templates.guid];
  return {
    title: t.types.title,
    node: h("div.page", {},
      heading(t.types.title, { back: ["/templates", t.templates.title], sub: t.types.sub, actions: [linkButton(t.types.add, "/types/new", { kind: "primary", icon: "plus", data: { new: "" } })] }),
      h("div.panel", {}, h("div.table-wrap", {}, h("table", {}, h("caption.visually-hidden", {}, t.types.title), h("thead", {}, h("tr", {}, heads.map((text, at) => h("th", { scope: "col", class: [2, 3, 5].includes(at) ? "hide-s" : "" }, text)))), h("tbody", {}, rows))))),
  };
}
