// The settings: a part a page, loaded when somebody goes there.

import { h } from "../lib/dom.js";
import { heading, tabs } from "../lib/ui.js";
import t from "../lib/words.js";

const SECTIONS = ["general", "providers", "sending", "preferences", "links", "keys", "operators", "data", "account"];

export default async function settings({ params, signal, query }) {
  const section = params.section ?? "general";
  if (!SECTIONS.includes(section)) throw Object.assign(new Error(t.errors[404]), { name: "ApiError", status: 404 });
  const items = SECTIONS.map((name) => [name === "general" ? "/settings" : `/settings/${name}`, t.settings[name], name === section]);
  const module = await import(`./settings/${section}.js`);
  return { title: `${t.settings[section]} · ${t.nav.settings}`, node: h("div.page", {}, heading(t.nav.settings), tabs(t.settings.parts, items), await module.default({ signal, query })) };
}
