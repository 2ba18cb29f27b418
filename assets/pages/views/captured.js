// What would have gone out: mail as its reader would see it and as its source, SMS and push beside each other.

import { BASE, get, list, post, remove } from "../lib/api.js";
import { gather, h, replace, settle } from "../lib/dom.js";
import { listen } from "../lib/events.js";
import { keepFocus } from "../lib/focus.js";
import { count, time } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { message } from "../lib/preview.js";
import { go } from "../lib/router.js";
import { session } from "../lib/session.js";
import { button, confirm, dialog, empty, failed, field, form, heading, input, toast } from "../lib/ui.js";
import t from "../lib/words.js";

const PAGE = 30;
/** The channels of each part of the page. Where each is read from is in the address, under its own name. */
const PARTS = { mail: ["email"], short: ["sms", "push"] };
const NEWEST = { email: "", sms: "", push: "" };

export default async function captured({ params, query, signal }) {
  const at = Object.fromEntries(["search", ...Object.keys(NEWEST)].map((word) => [word, query.get(word) ?? ""]));
  at.show = query.get("show") === "short" ? "short" : "mail";
  // Whoever comes for what was captured wants to see that there is something.
  let isFirst = !query.size;
  let open = params.id ? await get(`captured/${encodeURIComponent(params.id)}`, {}, signal) : null;
  if (open && open.Channel !== "email") {
    // It is shown where it stands in its column.
    Object.assign(at, { show: "short", [open.Channel]: at[open.Channel] || String(open.ID + 1) });
  }
  let asked = new AbortController();
  signal.addEventListener("abort", () => asked.abort());
  let reader = null;
  const place = h("div", {});
  const live = h("span.live", {}, t.log.live);
  const search = h("input", { type: "search", value: at.search, placeholder: t.captured.search, "aria-label": t.captured.search, autocomplete: "off", spellcheck: "false", on: { input: settle(() => move({ search: search.value.trim(), ...NEWEST }), 150) } });
  const kinds = h("div.segmented", { role: "group", "aria-label": t.captured.kind }, Object.keys(PARTS).map((kind) => h("button", { type: "button", data: { kind }, on: { click: () => move({ show: kind }) } }, t.captured[kind])));
  await load();
  // What is new belongs to the first page; where somebody reads further back, nothing moves.
  const arrived = gather(() => PARTS[at.show].some((channel) => !at[channel]) && load(true).catch(failed), 1000);
  listen(signal, { entry: arrived, reload: arrived, state: (isOn) => live.classList.toggle("on", isOn) });
  return { title: t.captured.title, node: h("div.page", {}, heading(t.captured.title, { sub: t.captured.sub, actions: [live] }), h("div.tools", {}, h("div.search", {}, icon("search"), search), kinds), place) };

  async function move(change) {
    Object.assign(at, change);
    open = null;
    remember();
    await load().catch(failed);
  }

  /** Writes into the address what is shown. */
  function remember() {
    const shown = { search: at.search, show: at.show === "short" && "short", ...Object.fromEntries(PARTS[at.show].map((channel) => [channel, at[channel]])) };
    const words = new URLSearchParams(Object.entries(shown).filter(([, value]) => value)).toString();
    history.replaceState(null, "", `/captured${open ? `/${open.ID}` : ""}${words ? `?${words}` : ""}`);
  }

  /** With `isNews`, the mail that is being read stays. */
  async function load(isNews) {
    asked.abort();
    asked = new AbortController();
    const of = (channel) => list("captured", { Channel: channel, Recipient: at.search && `*${at.search}*`, after: at[channel], pageSize: PAGE }, asked.signal);
    const channels = PARTS[at.show];
    const found = await Promise.all(channels.map(of));
    const isEmpty = found.every(({ rows }) => !rows.length) && !open && channels.every((channel) => !at[channel]);
    if (isFirst && isEmpty && at.show === "mail") {
      isFirst = false;
      at.show = "short";
      return load();
    }
    isFirst = false;
    for (const item of kinds.children) item.setAttribute("aria-pressed", String(item.dataset.kind === at.show));
    if (!isNews || isEmpty || at.show === "short") reader = null;
    keepFocus(() => {
      if (isEmpty) replace(place, nothing());
      else if (at.show === "short") replace(place, h("div.columns", {}, channels.map((channel, index) => column(channel, found[index]))));
      else mails(found[0]);
    });
  }

  function nothing() {
    return h("div.panel", {}, at.search ? empty("search", t.captured.noneFound, t.captured.noneFoundText) : empty("captured", t.captured.empty, session.Captured.length ? t.captured.emptyText : t.captured.emptyLive));
  }

  /** How many there are, and the ways to older ones and back. */
  function foot(channel, { rows, paging }) {
    const { Next, TotalRecords, TotalCapped } = paging;
    const to = (cursor, label, name) => button(label, () => move({ [channel]: cursor }), { kind: "small", icon: name, data: { key: `page-${channel}-${name}` } });
    return h("p.list-foot", {}, h("span", {}, t.captured.found(count(TotalRecords, TotalCapped))), h("span.row-actions", {},
      at[channel] && to("", t.captured.newest, "up"), Next && (at[channel] || TotalRecords > rows.length) && to(Next, t.captured.older, "down")));
  }

  /** Mail: the list, and the one that is open. */
  function mails(found) {
    if (!reader) {
      const detail = h("div.reader", {});
      const rows = h("div.master-list", {});
      reader = { detail, rows, box: h("div.panel.master", { class: open ? "has-open" : "" }, rows, detail), shown: null };
      replace(place, reader.box);
    }
    const items = found.rows.map((mail) => h("li", {}, h("a.row.captured-row", { href: `/captured/${mail.ID}`, data: { row: "", id: mail.ID, key: `row-${mail.ID}` }, on: { click: (event) => { if (event.ctrlKey || event.metaKey) return; event.preventDefault(); read(mail); } } },
      h("span.main", {}, mail.Recipient), h("span.when", {}, time(mail.CreatedDate)), h("span.second", {}, mail.Subject || t.preview.noSubject))));
    const scrolled = reader.rows.scrollTop;
    replace(reader.rows, items.length ? h("ol.rows", { "aria-label": t.captured.mail }, items) : h("p.muted.list-foot", {}, t.captured.noOlder), foot("email", found));
    reader.rows.scrollTop = scrolled;
    const start = reader.shown ?? open ?? found.rows[0];
    if (reader.shown) mark();
    else if (start) show(start);
  }

  function mark() {
    for (const link of reader.rows.querySelectorAll(".captured-row")) link.ariaCurrent = Number(link.dataset.id) === reader.shown.ID ? "true" : null;
  }

  /** Opens a mail, because somebody chose it. */
  function read(mail) {
    open = mail;
    remember();
    reader.box.classList.add("has-open");
    show(mail);
  }

  function show(mail) {
    const { box, detail } = reader;
    reader.shown = mail;
    mark();
    const back = button(t.back, () => { open = null; box.classList.remove("has-open"); remember(); }, { kind: "quiet small only-s", icon: "back" });
    const source = h("div", {});
    replace(detail, h("header.reader-head", {}, back, h("div", {}, h("h2", {}, mail.Subject || t.preview.noSubject), h("p.muted.break", {}, `${mail.Sender ?? ""} → ${mail.Recipient}`), h("p.muted", {}, time(mail.CreatedDate, "full"))),
      h("div.row-actions", {}, release(mail), button(t.captured.source, () => showSource(mail, source), { icon: "reference" }), drop(mail))), source, message(mail, mail.MessageFormat));
  }

  async function showSource({ ID }, source) {
    if (source.firstChild) return replace(source);
    const reply = await fetch(`${BASE}/captured/${ID}/source`, { credentials: "same-origin", signal });
    replace(source, h("pre.mail-text.source", { tabindex: "0", "aria-label": t.captured.source }, await reply.text()));
  }

  /** The column of SMS or of push. */
  function column(channel, found) {
    const name = t.channels[channel];
    return h("section.stack", { "aria-label": name }, h("h2.column-title", {}, icon(channel), name),
      found.rows.length ? found.rows.map((one) => h("article.panel.short", { data: { id: one.ID } }, h("header", {}, h("b.break", {}, one.Recipient), time(one.CreatedDate)), message(one, one.MessageFormat, { app: session.AppName }), h("div.row-actions", {}, release(one), drop(one)))) : h("p.muted", {}, at[channel] ? t.captured.noOlder : t.captured.none),
      (found.rows.length > 0 || at[channel]) && foot(channel, found));
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
    }, { icon: "send", data: { key: `release-${one.ID}` } });
  }

  function drop(one) {
    return button("", async () => {
      if (!(await confirm({ title: t.captured.dropTitle, text: t.captured.dropText, action: t.remove }))) return;
      await remove(`captured/${one.ID}`);
      await move({});
    }, { kind: "quiet", icon: "trash", title: `${t.remove}: ${one.Recipient}`, data: { key: `drop-${one.ID}` } });
  }
}
