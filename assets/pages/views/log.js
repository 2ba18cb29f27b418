// The log of everyone, as it happens.

import { list } from "../lib/api.js";
import { act } from "../lib/bulk.js";
import { types } from "../lib/catalog.js";
import { gather, h, replace } from "../lib/dom.js";
import { listen } from "../lib/events.js";
import { keepFocus } from "../lib/focus.js";
import { FORMATS, count, formatName, time } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { userPicker } from "../lib/picker.js";
import { go, remember } from "../lib/router.js";
import { messageRow } from "../lib/rows.js";
import { button, empty, failed, heading, linkButton, select } from "../lib/ui.js";
import t from "../lib/words.js";

const PAGE = 50;
const PAGE_MAX = 500;
const FILTERS = ["Status", "MessageFormat", "NotificationType", "UserId", "Cause", "from", "to"];
/** What the address holds. A text is no filter: nothing is done to all that it finds. */
const WORDS = [...FILTERS, "search"];

export default async function log({ query, signal }) {
  const filters = Object.fromEntries(WORDS.map((name) => [name, query.get(name) ?? ""]));
  const [known, first] = await Promise.all([types(), page()]);
  const names = new Map(known.map((type) => [type.ID, type.Name]));
  const typeName = (id) => names.get(id) ?? `#${id}`;
  let rows = [];
  let paging = {};

  const lines = h("ol.rows.log-rows", { "aria-label": t.log.title });
  const foot = h("div.list-foot", {});
  const nothing = h("div", {});
  const chips = h("div.chips", {});
  const bulk = h("div.bulk", {});
  const live = h("span.live", {}, t.log.live);
  const panel = h("div.panel", {}, lines, nothing, foot);

  const pick = (name, label, pairs) => select([["", label], ...pairs], filters[name], { "aria-label": label, on: { change: (event) => set({ [name]: event.target.value }) } });
  const tools = h("div.tools", {},
    userPicker({ label: t.log.search, placeholder: t.log.search, extra: byId, last: (text) => [{ text: t.log.byText(text), act: () => set({ search: text }) }], choose: (user) => set({ UserId: String(user.ID) }) }),
    pick("Status", t.log.anyStatus, Object.entries(t.status)),
    pick("MessageFormat", t.log.anyFormat, FORMATS.map((format) => [format, formatName(format)])),
    pick("NotificationType", t.log.anyType, known.map((type) => [type.ID, type.Name])));

  show(first);
  const again = gather(() => lookAgain().catch(failed), 300);
  // A search looks at very many messages for each answer.
  const searchAgain = gather(() => lookAgain().catch(failed), 3000);
  listen(signal, { entry: (row) => (filters.search ? searchAgain() : entry(row)), reload: () => (filters.search ? searchAgain() : again()), state: (isOn) => live.classList.toggle("on", isOn) });
  return { title: t.log.title, node: h("div.page", {}, heading(t.log.title, { sub: t.log.sub, actions: [live] }), tools, chips, bulk, panel) };

  function byId(text) {
    return /^\d{1,15}$/.test(text) ? [{ text: t.log.message(text), act: () => go(`/log/${text}`) }] : [];
  }

  async function set(change) {
    Object.assign(filters, change);
    remember(filters);
    await load().catch(failed);
  }

  async function load(after) {
    show(await page(after), after);
  }

  function show(found, after) {
    rows = after ? [...rows, ...found.rows] : found.rows;
    paging = found.paging;
    draw();
  }

  function page(after, pageSize = PAGE) {
    return list("messages/logs", { ...filters, pageSize, after }, signal);
  }

  /** The newest once more, as many as are shown: something came or changed, and only the appliance knows what fits. */
  async function lookAgain() {
    const newest = await page(undefined, Math.min(PAGE_MAX, Math.max(PAGE, rows.length)));
    const reached = ({ Next }) => Number(Next ?? 0);
    rows = [...newest.rows, ...rows.filter(({ ID }) => ID < reached(newest.paging))];
    const isFurther = reached(paging) < reached(newest.paging);
    paging = isFurther ? { ...newest.paging, Next: paging.Next, SearchedTo: paging.SearchedTo } : newest.paging;
    draw();
  }

  function draw() {
    keepFocus(drawAnew);
  }

  function drawAnew() {
    replace(lines, rows.map((row) => line(row)));
    const isFiltered = WORDS.some((name) => filters[name]);
    lines.hidden = !rows.length;
    replace(nothing, rows.length ? null : paging.SearchedTo
      ? empty("search", t.log.noneYet, t.log.noneYetText)
      : isFiltered
      ? empty("search", t.log.noneFound, t.log.noneFoundText, button(t.log.clear, () => go("/log")))
      : empty("log", t.log.empty, t.log.emptyText, linkButton(t.log.emptyAction, "/users", { kind: "primary", icon: "send" })));
    drawFoot();
    drawChips();
    drawBulk();
  }

  function drawFoot() {
    const next = paging.Next;
    foot.hidden = !rows.length && next == null;
    if (filters.search) {
      const to = paging.SearchedTo;
      return replace(foot, h("span", { role: "status" }, t.log.found(rows.length), " · ", to ? [t.log.searchedTo, " ", time(to)] : t.log.searchedAll),
        next != null && button(t.log.further, () => load(next), { kind: "small", icon: "search", data: { further: "" } }));
    }
    replace(foot, h("span", {}, t.log.shown(rows.length, count(Math.max(paging.TotalRecords, rows.length), paging.TotalCapped))),
      next != null && button(t.more, () => more(next), { kind: "small" }));
  }

  async function more(next) {
    const first = rows.length;
    await load(next);
    lines.children[first]?.querySelector("a").focus();
  }

  function drawChips() {
    const shown = { search: (text) => t.log.byText(text), UserId: (id) => t.log.user(id), Cause: (cause) => t.log.cause(cause), from: (at) => t.log.from(new Date(at).toLocaleString()), to: (at) => t.log.to(new Date(at).toLocaleString()) };
    replace(chips, Object.entries(shown).filter(([name]) => filters[name]).map(([name, words]) => {
      const label = words(filters[name]);
      return h("span.chip", {}, label, button("", () => set({ [name]: "" }), { kind: "quiet small", icon: "cross", title: t.log.drop(label) }));
    }));
  }

  function drawBulk() {
    const chosen = Object.fromEntries(FILTERS.filter((name) => filters[name]).map((name) => [name, filters[name]]));
    const amount = count(paging.TotalRecords, paging.TotalCapped);
    const again = filters.Cause || ["failed", "expired", "undelivered", "cancelled"].includes(filters.Status);
    const waits = ["queued", "scheduled"].includes(filters.Status);
    const verb = again ? "retry" : waits ? "cancel" : null;
    replace(bulk, verb && rows.length > 0 && !filters.search && button(t.bulk[verb].action(amount), async () => {
      if (await act(verb, chosen, amount)) await load();
    }, { kind: verb === "cancel" ? "danger" : "", icon: verb === "retry" ? "retry" : "cross", data: { bulk: verb } }));
  }

  function line(row) {
    const element = messageRow(row, typeName);
    element.dataset.id = row.ID;
    return element;
  }

  /** A message that came or changed: in its place when it is shown, at the top when it is new. */
  function entry(row) {
    const at = rows.findIndex((other) => other.ID === row.ID);
    const fits = matches(row);
    const old = lines.querySelector(`[data-id="${Number(row.ID)}"]`);
    if (at >= 0 && fits) {
      rows[at] = row;
      swap(old, line(row));
    } else if (at >= 0) {
      rows.splice(at, 1);
      old?.remove();
    } else if (fits && (!rows.length || row.ID > rows[0].ID)) {
      rows.unshift(row);
      if (rows.length === 1) return draw();
      const fresh = line(row);
      fresh.classList.add("fresh");
      lines.prepend(fresh);
      paging.TotalRecords += paging.TotalCapped ? 0 : 1;
    } else return;
    drawFoot();
  }

  function swap(old, fresh) {
    const hadFocus = old?.contains(document.activeElement);
    old?.replaceWith(fresh);
    if (hadFocus) fresh.querySelector("[data-row]").focus();
  }

  function matches(row) {
    const same = (name, value) => !filters[name] || filters[name] === String(value ?? "");
    return same("Status", row.Status) && same("MessageFormat", row.MessageFormat) && same("NotificationType", row.NotificationType) && same("UserId", row.UserId) && same("Cause", row.Cause)
      && (!filters.from || row.CreatedDate >= filters.from) && (!filters.to || row.CreatedDate < filters.to);
  }
}
