// The people who get messages.

import { list } from "../lib/api.js";
import { h, replace, settle } from "../lib/dom.js";
import { keepFocus } from "../lib/focus.js";
import { count, languageName } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { go, remember } from "../lib/router.js";
import { badge, button, empty, failed, heading, linkButton } from "../lib/ui.js";
import t from "../lib/words.js";

const PAGE = 50;

export default async function users({ query, signal }) {
  const at = { search: query.get("search") || "", page: Number(query.get("page")) || 1 };
  let asked = new AbortController();
  const body = h("tbody", {});
  const table = h("table", {}, h("caption.visually-hidden", {}, t.users.title), h("thead", {}, h("tr", {},
    [t.users.name, t.users.email, t.users.mobile, t.users.language].map((text, column) => h("th", { scope: "col", class: column ? "hide-s" : "" }, text)), h("th", { scope: "col" }, h("span.visually-hidden", {}, t.users.state)))), body);
  const foot = h("div.list-foot", {});
  const nothing = h("div", {});
  const status = h("p.visually-hidden", { role: "status" });
  const search = h("input", { type: "search", value: at.search, placeholder: t.users.search, "aria-label": t.users.search, autocomplete: "off", spellcheck: "false", on: { input: settle(() => move({ search: search.value.trim(), page: 1 }), 150) } });
  await load();
  return {
    title: t.users.title,
    node: h("div.page", {},
      heading(t.users.title, { sub: t.users.sub, actions: [linkButton(t.users.import, "/users/import", { icon: "upload" }), linkButton(t.users.add, "/users/new", { kind: "primary", icon: "plus", data: { new: "" } })] }),
      h("div.tools", {}, h("div.search", {}, icon("search"), search)), status,
      h("div.panel", {}, h("div.table-wrap", {}, table), nothing, foot)),
  };

  async function move(change) {
    Object.assign(at, change);
    remember({ search: at.search, page: at.page > 1 ? at.page : "" });
    await load().catch(failed);
  }

  async function load() {
    asked.abort();
    asked = new AbortController();
    signal.addEventListener("abort", () => asked.abort(), { once: true });
    const { rows, paging } = await list("users", { ...at, pageSize: PAGE }, asked.signal);
    keepFocus(() => draw(rows, paging));
  }

  function draw(rows, paging) {
    replace(body, rows.map(row));
    table.hidden = !rows.length;
    const total = count(paging.TotalRecords, paging.TotalCapped);
    replace(status, t.users.found(total));
    replace(nothing, rows.length ? null : at.search
      ? empty("search", t.users.noneFound(at.search), t.users.noneFoundText, button(t.log.clear, () => go("/users")))
      : empty("users", t.users.empty, t.users.emptyText, linkButton(t.users.add, "/users/new", { kind: "primary", icon: "plus" }), linkButton(t.users.import, "/users/import", { icon: "upload" })));
    foot.hidden = !rows.length;
    const go = (label, page, name) => button(label, () => move({ page }), { kind: "small", icon: name, disabled: page < 1 || page > paging.TotalPages });
    replace(foot, h("span", {}, t.users.found(total)), paging.TotalPages > 1 && h("span.row-actions", {}, go(t.previous, at.page - 1, "back"), h("span", {}, t.page(paging.Page, count(paging.TotalPages, paging.TotalCapped))), go(t.next, at.page + 1, "next")));
  }

  function row(user) {
    return h("tr.linked", {}, h("td", {}, h("a", { href: `/users/${user.ID}`, data: { row: "" } }, user.Name), h("span.second", {}, user.UserName, h("span.only-narrow", {}, [user.Email, user.Mobile].filter(Boolean).map((text) => ` · ${text}`)))),
      h("td.break.hide-s", {}, user.Email), h("td.nowrap.hide-s", {}, user.Mobile), h("td.hide-s", { title: user.Language }, languageName(user.Language)),
      h("td.end", {}, user.IsDisabled && badge(t.users.disabled)));
  }
}
