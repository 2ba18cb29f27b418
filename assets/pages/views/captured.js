// What would have gone out: mail as its reader would see it and as its source, SMS and push beside each other.

import { BASE, get, list, post, remove } from "../lib/api.js";
import { h, replace, settle } from "../lib/dom.js";
import { keepFocus } from "../lib/focus.js";
import { channelOf, count, formatName, time } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { message } from "../lib/preview.js";
import { go, remember } from "../lib/router.js";
import { session } from "../lib/session.js";
import { button, confirm, dialog, empty, failed, field, form, heading, input, toast } from "../lib/ui.js";
import t from "../lib/words.js";

const PAGE = 30;
const [COMBINED, TEXT, SMS, PUSH] = [0, 1, 2, 3];

export default async function captured({ params, query, signal }) {
  const at = { search: query.get("search") ?? "", show: query.get("show") === "short" ? "short" : "mail" };
  // Whoever comes for what was captured wants to see that there is something.
  let isFirst = !query.has("show") && !query.has("search");
  let open = params.id ? Number(params.id) : null;
  const place = h("div", {});
  let asked = new AbortController();
  const search = h("input", { type: "search", value: at.search, placeholder: t.captured.search, "aria-label": t.captured.search, autocomplete: "off", on: { input: settle(() => set({ search: search.value.trim() }), 150) } });
  const kinds = h("div.segmented", { role: "group", "aria-label": t.captured.kind }, ["mail", "short"].map((kind) => h("button", { type: "button", data: { kind }, on: { click: () => set({ show: kind }) } }, t.captured[kind])));
  const first = open ? await get(`captured/${open}`, {}, signal) : null;
  if (first && first.MessageFormat > TEXT) at.show = "short";
  await load(first);
  return { title: t.captured.title, node: h("div.page", {}, heading(t.captured.title, { sub: t.captured.sub }), h("div.tools", {}, h("div.search", {}, icon("search"), search), kinds), place) };

  async function set(change) {
    Object.assign(at, change);
    open = null;
    history.replaceState(null, "", "/captured");
    remember({ search: at.search, show: at.show === "short" ? "short" : "" });
    await load().catch(failed);
  }

  async function load(chosen) {
    asked.abort();
    asked = new AbortController();
    signal.addEventListener("abort", () => asked.abort(), { once: true });
    for (const item of kinds.children) item.setAttribute("aria-pressed", String(item.dataset.kind === at.show));
    const of = (format) => list("captured", { search: at.search, MessageFormat: format, pageSize: PAGE }, asked.signal);
    const found = at.show === "mail" ? await Promise.all([of(COMBINED), of(TEXT)]) : await Promise.all([of(SMS), of(PUSH)]);
    if (isFirst && at.show === "mail" && found.every(({ rows }) => !rows.length)) {
      isFirst = false;
      at.show = "short";
      return load();
    }
    isFirst = false;
    keepFocus(() => replace(place, found.every(({ rows }) => !rows.length) ? nothing() : at.show === "mail" ? mails(found, chosen) : shorts(found)));
  }

  function nothing() {
    return h("div.panel", {}, at.search ? empty("search", t.captured.noneFound, t.captured.noneFoundText) : empty("captured", t.captured.empty, session.Captured.length ? t.captured.emptyText : t.captured.emptyLive));
  }

  /** Mail: the list, and the one that is open. */
  function mails(found, chosen) {
    const rows = found.flatMap((page) => page.rows).sort((a, b) => b.ID - a.ID);
    const total = found.reduce((sum, { paging }) => sum + paging.TotalRecords, 0);
    const detail = h("div.reader", {});
    const items = rows.map((mail) => h("li", {}, h("a.row.captured-row", { href: `/captured/${mail.ID}`, data: { row: "", id: mail.ID }, on: { click: (event) => { if (event.ctrlKey || event.metaKey) return; event.preventDefault(); show(mail); } } },
      h("span.main", {}, mail.Recipient), h("span.when", {}, time(mail.CreatedDate)), h("span.second", {}, mail.Subject || t.preview.noSubject))));
    const box = h("div.panel.master", { class: open ? "has-open" : "" }, h("div.master-list", {}, h("ol.rows", { "aria-label": t.captured.mail }, items), h("p.list-foot", {}, t.log.shown(rows.length, count(total)))), detail);
    const start = chosen ?? rows[0];
    if (start) show(start, true);
    return box;

    function show(mail, isQuiet) {
      if (!isQuiet) {
        open = mail.ID;
        history.replaceState(null, "", `/captured/${mail.ID}${location.search}`);
        box.classList.add("has-open");
      }
      for (const link of box.querySelectorAll(".captured-row")) link.ariaCurrent = Number(link.dataset.id) === mail.ID ? "true" : null;
      const back = button(t.back, () => { box.classList.remove("has-open"); history.replaceState(null, "", `/captured${location.search}`); }, { kind: "quiet small only-s", icon: "back" });
      const source = h("div", {});
      replace(detail, h("header.reader-head", {}, back, h("div", {}, h("h2", {}, mail.Subject || t.preview.noSubject), h("p.muted.break", {}, `${mail.Sender ?? ""} → ${mail.Recipient}`), h("p.muted", {}, time(mail.CreatedDate, "full"))),
        h("div.row-actions", {}, release(mail), button(t.captured.source, () => showSource(mail, source), { icon: "reference" }), drop(mail))), source, message(mail, mail.MessageFormat));
    }
  }

  async function showSource({ ID }, source) {
    if (source.firstChild) return replace(source);
    const reply = await fetch(`${BASE}/captured/${ID}/source`, { credentials: "same-origin", signal });
    replace(source, h("pre.mail-text.source", { tabindex: "0", "aria-label": t.captured.source }, await reply.text()));
  }

  /** SMS and push, a column each. */
  function shorts(found) {
    return h("div.columns", {}, [SMS, PUSH].map((format, index) => h("section.stack", { "aria-label": formatName(format) }, h("h2.column-title", {}, icon(channelOf(format)), formatName(format), h("span.muted", {}, count(found[index].paging.TotalRecords))),
      found[index].rows.length ? found[index].rows.map((one) => h("article.panel.short", { data: { id: one.ID } }, h("header", {}, h("b.break", {}, one.Recipient), time(one.CreatedDate)), message(one, format, { app: session.AppName }), h("div.row-actions", {}, release(one), drop(one)))) : h("p.muted", {}, t.captured.none))));
  }

  function release(one) {
    return button(t.captured.release, () => {
      const to = field(t.captured.releaseTo, input({ value: one.Recipient, autofocus: true }), { hint: t.captured.releaseHint });
      const box = dialog(t.captured.release, form([h("p.muted", {}, t.captured.releaseText), to], async () => {
        const { ID } = await post(`captured/${one.ID}/release`, { Recipient: to.control.value.trim() });
        box.close();
        toast(t.captured.released);
        await go(`/log/${ID}`);
      }, { action: t.captured.releaseAction, icon: "send" }));
    }, { icon: "send", data: { release: one.ID } });
  }

  function drop(one) {
    return button("", async () => {
      if (!(await confirm({ title: t.captured.dropTitle, text: t.captured.dropText, action: t.remove }))) return;
      await remove(`captured/${one.ID}`);
      open = null;
      await load();
    }, { kind: "quiet", icon: "trash", title: `${t.remove}: ${one.Recipient}` });
  }
}
