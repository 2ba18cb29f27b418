// What each user would get: type by language and format, coloured by what is found for them.

import { all, get } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { formatName, languageName, number } from "../lib/format.js";
import { badge, copyable, empty, heading, linkButton, section } from "../lib/ui.js";
import t from "../lib/words.js";

const KINDS = { exact: "exact", primary: "fallback", default: "fallback", other: "fallback", nothing: "nothing" };

export default async function templates({ signal }) {
  const [coverage, known] = await Promise.all([get("messages/templates/coverage", {}, signal), all("messages/templates/list", {}, signal)]);
  const guids = new Map();
  return {
    title: t.templates.title,
    node: h("div.page", {},
      heading(t.templates.title, { sub: t.templates.sub, actions: [linkButton(t.templates.types, "/types", { icon: "settings" }), linkButton(t.templates.add, "/templates/new", { kind: "primary", icon: "plus", data: { new: "" } })] }),
      map(coverage), listed(coverage, known, guids)),
  };
}

/** The coverage map. */
function map({ Languages, Types }) {
  if (!Types.length) return empty("templates", t.templates.empty, t.templates.emptyText, linkButton(t.templates.add, "/templates/new", { kind: "primary" }));
  const legend = h("ul.legend", {}, ["exact", "fallback", "nothing"].map((kind) => h("li", {}, h("span.swatch", { class: kind }, MARKS[kind]), t.templates.legend[kind])));
  const heads = Languages.map(({ Language, Users }) => h("th", { scope: "col", title: languageName(Language) }, Language, h("small", {}, t.templates.users(Users))));
  const bodies = Types.map(({ Type, Name, Formats }) => h("tbody", {},
    h("tr.type-row", {}, h("th", { scope: "rowgroup", colspan: String(Languages.length + 1) }, h("a", { href: `/types/${Type}` }, Name), " ", h("span.muted", {}, loss(Formats)))),
    Formats.map((row) => h("tr", {}, h("th", { scope: "row" }, formatName(row.MessageFormat)), row.Cells.map((one) => h("td", {}, cell(Type, row.MessageFormat, one)))))));
  return section(t.templates.map, { text: t.templates.mapText, actions: legend }, h("div.table-wrap", { tabindex: "0", role: "region", "aria-label": t.templates.map }, h("table.coverage", {},
    h("caption.visually-hidden", {}, t.templates.map), h("thead", {}, h("tr", {}, h("th", {}, h("span.visually-hidden", {}, t.templates.format)), heads)), bodies)));
}

const MARKS = { exact: "●", fallback: "◐", nothing: "○" };

/** A cell leads to its template, or to a new one in its place. */
function cell(type, format, { Language, Found, TemplateID, TemplateLanguage, Users }) {
  const kind = KINDS[Found];
  const words = t.templates.cell[kind]({ language: languageName(Language), from: TemplateLanguage && languageName(TemplateLanguage), users: Users });
  const href = kind === "exact" ? `/templates/${TemplateID}` : `/templates/new?${new URLSearchParams({ type, format, language: Language, ...(TemplateID ? { from: TemplateID } : {}) })}`;
  return h("a.cell", { class: `${kind}${Users ? "" : " nobody"}`, href, title: words, "aria-label": words }, h("span", { "aria-hidden": "true" }, MARKS[kind], Users > 0 && ` ${number(Users)}`));
}

/** "37 users fall back to English, 4 get nothing", over the formats that a type has at all. */
function loss(formats) {
  const cells = formats.filter(({ Cells }) => Cells.some(({ Found }) => Found !== "nothing")).flatMap(({ Cells }) => Cells);
  const into = new Map();
  for (const { Found, TemplateLanguage, Users } of cells) {
    if (KINDS[Found] === "fallback" && Users) into.set(TemplateLanguage, Math.max(into.get(TemplateLanguage) ?? 0, 0) + Users);
  }
  return [...into].map(([language, users]) => t.templates.fallBack(users, languageName(language))).join(" · ");
}

/** All templates with their ids. */
function listed({ Types }, known, _guids) {
  const names = new Map(Types.map(({ Type, Name }) => [Type, Name]));
  const rows = known.map((one) => h("tr.linked", {},
    h("td", {}, h("a", { href: `/templates/${one.ID}`, data: { row: "" } }, names.get(one.Type) ?? `#${one.Type}`), h("span.second", {}, one.Subject || (one.Body || "").slice(0, 80))),
    h("td", {}, badge(formatName(one.Format), "plain")), h("td.hide-s", { title: one.Language }, languageName(one.Language)),
    h("td.ids", {}, copyable(String(one.ID), { label: t.templates.id })), h("td.ids.hide-s", {}, one.Guid ? copyable(one.Guid, { label: t.templates.guid }) : null)));
  const heads = [t.templates.type, t.templates.format, t.templates.language, t.templates.id, t.templates.guid];
  return section(t.templates.all, { text: t.templates.allText }, h("div.table-wrap", {}, h("table", {}, h("caption.visually-hidden", {}, t.templates.all),
    h("thead", {}, h("tr", {}, heads.map((text, at) => h("th", { scope: "col", class: at === 2 || at === 4 ? "hide-s" : "" }, text)))), h("tbody", {}, rows))));
}
