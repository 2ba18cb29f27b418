// What each user would get: type by language and format, coloured by what is found for them.

import { all, get } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { formatName, languageName, number } from "../lib/format.js";
import { badge, copyable, empty, heading, linkButton, section } from "../lib/ui.js";
import t from "../lib/words.js";

const KINDS = { exact: "exact", primary: "close", default: "fallback", other: "fallback", nothing: "nothing" };
const [COMBINED, TEXT] = [0, 1];

export default async function templates({ signal }) {
  const [coverage, known] = await Promise.all([get("messages/templates/coverage", {}, signal), all("messages/templates/list", {}, signal)]);
  return {
    title: t.templates.title,
    node: h("div.page", {},
      heading(t.templates.title, { sub: t.templates.sub, actions: [linkButton(t.templates.types, "/types", { icon: "settings" }), linkButton(t.templates.add, "/templates/new", { kind: "primary", icon: "plus", data: { new: "" } })] }),
      map(coverage), listed(coverage, known)),
  };
}

/** The coverage map. */
function map({ Languages, Types }) {
  if (!Types.length) return empty("templates", t.templates.empty, t.templates.emptyText, linkButton(t.templates.add, "/templates/new", { kind: "primary" }));
  const legend = h("ul.legend", {}, ["exact", "close", "fallback", "nothing"].map((kind) => h("li", {}, h("span.swatch", { class: kind }, MARKS[kind]), t.templates.legend[kind])));
  const heads = Languages.map(({ Language, Users }) => h("th", { scope: "col", title: languageName(Language) }, Language, h("small", {}, t.templates.users(Users))));
  const bodies = Types.map(({ Type, Name, Formats, Channels }) => h("tbody", {},
    h("tr.type-row", {}, h("th", { scope: "rowgroup", colspan: String(Languages.length + 1) }, h("a", { href: `/types/${Type}` }, Name), " ", h("span.muted", {}, loss(Channels)))),
    Formats.map((row) => h("tr", {}, h("th", { scope: "row" }, formatName(row.MessageFormat)), row.Cells.map((one, at) => h("td", {}, cell(Type, row.MessageFormat, one, isSpare(Formats, row.MessageFormat, at))))))));
  return section(t.templates.map, { text: t.templates.mapText, actions: legend }, h("div.table-wrap", { tabindex: "0", role: "region", "aria-label": t.templates.map }, h("table.coverage", {},
    h("caption.visually-hidden", {}, t.templates.map), h("thead", {}, h("tr", {}, h("th", {}, h("span.visually-hidden", {}, t.templates.format)), heads)), bodies)));
}

const MARKS = { exact: "●", close: "◕", fallback: "◐", nothing: "○", spare: "+" };

/** Whether the other kind of e-mail reaches these users, so that this one is not missed. */
function isSpare(formats, format, at) {
  if (format !== COMBINED && format !== TEXT) return false;
  const other = formats.find(({ MessageFormat }) => MessageFormat === (format === COMBINED ? TEXT : COMBINED));
  return formats.find(({ MessageFormat }) => MessageFormat === format).Cells[at].Found === "nothing" && other.Cells[at].Found !== "nothing";
}

/** A cell leads to its template, or to a new one in its place. */
function cell(type, format, { Language, Found, TemplateID, TemplateLanguage, Users }, isSpared) {
  const kind = isSpared ? "spare" : KINDS[Found];
  const words = t.templates.cell[kind]({ language: languageName(Language), from: TemplateLanguage && languageName(TemplateLanguage), users: Users });
  const href = kind === "exact" ? `/templates/${TemplateID}` : `/templates/new?${new URLSearchParams({ type, format, language: Language, ...(TemplateID ? { from: TemplateID } : {}) })}`;
  const isQuiet = kind === "spare" || !Users;
  return h("a.cell", { class: `${kind}${isQuiet ? " nobody" : ""}`, href, title: words, "aria-label": words }, h("span", { "aria-hidden": "true" }, MARKS[kind], !isQuiet && ` ${number(Users)}`));
}

/** "37 users fall back to English": in each language as many as the channel with the most of them. */
function loss(channels) {
  const most = new Map();
  for (const { Found, TemplateLanguage, Language, Users } of channels.flatMap(({ Cells }) => Cells)) {
    if (KINDS[Found] !== "fallback") continue;
    const key = `${TemplateLanguage}\n${Language}`;
    most.set(key, Math.max(most.get(key) ?? 0, Users));
  }
  const into = new Map();
  for (const [key, users] of most) into.set(key.split("\n")[0], (into.get(key.split("\n")[0]) ?? 0) + users);
  return [...into].filter(([, users]) => users).map(([language, users]) => t.templates.fallBack(users, languageName(language))).join(" · ");
}

/** All templates with their ids. */
function listed({ Types }, known) {
  const names = new Map(Types.map(({ Type, Name }) => [Type, Name]));
  // A list of the API has no GUIDs; each template is in the cell of its own language.
  const cells = Types.flatMap(({ Formats }) => Formats.flatMap(({ Cells }) => Cells));
  const guids = new Map(cells.map(({ TemplateID, Guid }) => [TemplateID, Guid]));
  const rows = known.map((one) => h("tr.linked", {},
    h("td", {}, h("a", { href: `/templates/${one.ID}`, data: { row: "" } }, names.get(one.Type) ?? `#${one.Type}`), h("span.second", {}, one.Subject || (one.Body || "").slice(0, 80))),
    h("td", {}, badge(formatName(one.Format), "plain")), h("td.hide-s", { title: one.Language }, languageName(one.Language)),
    h("td.ids", {}, copyable(String(one.ID), { label: t.templates.id })),
    h("td.ids.hide-s", {}, guids.has(one.ID) && copyable(guids.get(one.ID), { label: t.templates.guid }))));
  const heads = [t.templates.type, t.templates.format, t.templates.language, t.templates.id, t.templates.guid];
  return section(t.templates.all, { text: t.templates.allText }, h("div.table-wrap", {}, h("table", {}, h("caption.visually-hidden", {}, t.templates.all),
    h("thead", {}, h("tr", {}, heads.map((text, at) => h("th", { scope: "col", class: at === 2 || at === 4 ? "hide-s" : "" }, text)))), h("tbody", {}, rows))));
}
