// What is happening now, and what needs a person.

import { get } from "../lib/api.js";
import { act } from "../lib/bulk.js";
import { h, replace, settle, svg } from "../lib/dom.js";
import { listen } from "../lib/events.js";
import { keepFocus } from "../lib/focus.js";
import { ago, bytes, channelOf, count, formatName, number, time } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { badge, button, empty, failed, heading, linkButton, notice, section } from "../lib/ui.js";
import t from "../lib/words.js";

const REFRESH_MS = 10000;

export default async function home({ signal }) {
  const place = h("div.page", {});
  await load();
  const timer = setInterval(() => document.hidden || load().catch(failed), REFRESH_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  const soon = settle(() => load().catch(failed), 1500);
  listen(signal, { entry: soon, reload: soon, missed: () => {} });
  return { title: t.home.title, node: place };

  async function load() {
    const now = await get("overview", {}, signal);
    keepFocus(() => replace(place, heading(t.home.title, { sub: t.home.sub }), trouble(now), h("div.cards", {}, now.Channels.map(channel)), causes(now, load), providers(now), store(now.Store)));
  }
}

/** What stands still until somebody does something. */
function trouble({ Paused, Providers, Store }) {
  const faults = Providers.filter(({ LastError }) => LastError?.Class === "configuration");
  return [
    Paused && notice("warn", h("b", {}, t.home.paused), " ", Paused.Reason || "", h("p", {}, t.home.pausedBy(Paused.By), " ", time(Paused.Since), " · ", h("a", { href: "/settings/sending" }, t.bar.resume))),
    Store.IsBroken && notice("bad", h("b", {}, t.home.broken), " ", Store.Detail),
    Store.IsDiskLow && notice("bad", h("b", {}, t.home.diskLow), " ", Store.DiskFreeBytes !== null && t.home.free(bytes(Store.DiskFreeBytes))),
    ...faults.map(({ Channel, Url, LastError }) => notice("bad", h("b", {}, t.home.fault(t.channels[Channel])), h("p.break", {}, h("q", {}, LastError.Text)),
      h("p", {}, h("code.break", {}, Url), " · ", time(LastError.Date), " · ", h("a", { href: "/settings/providers" }, t.home.mend)))),
  ];
}

function channel({ Channel, Captured, Waiting, WaitingCapped, Scheduled, OldestDue, Sent, Failed, Expired, Hours }) {
  const bad = Failed + Expired;
  const age = OldestDue && new Date(OldestDue) < Date.now() ? t.home.oldest(ago(new Date(OldestDue))) : null;
  return h("section.panel.card", { "aria-label": t.channels[Channel] },
    h("header", {}, icon(Channel), h("h2", {}, t.channels[Channel]), Captured && badge(t.home.captured, "warn")),
    h("dl.numbers", {},
      figure(t.home.sent, number(Sent), `/log?Status=sent`),
      figure(t.home.failed, number(bad), `/log?Status=failed`, bad > 0 && "bad"),
      figure(t.home.waiting, count(Waiting, WaitingCapped), `/log?Status=queued`, age && "wait")),
    chart(Hours, t.channels[Channel]),
    h("p.card-foot", {}, age || (Scheduled > 0 ? t.home.scheduled(number(Scheduled)) : t.home.day)));
}

const figure = (name, value, href, kind) => h("div", {}, h("dt", {}, name), h("dd", { class: kind || "" }, h("a", { href }, value)));

/** The last 24 hours: a bar an hour, what failed on top of what was sent. */
function chart(hours, name) {
  const top = Math.max(1, ...hours.map(({ Sent, Failed }) => Sent + Failed));
  const height = 40;
  const bars = hours.flatMap(({ Hour, Sent, Failed }, at) => {
    const total = Sent + Failed;
    const tall = (amount) => (amount ? Math.max(1.5, (amount / top) * height) : 0);
    const [sent, bad] = [tall(Sent), tall(Failed)];
    const from = new Date(Hour);
    const label = svg("title", {}, document.createTextNode(t.home.hour(from.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }), number(Sent), number(Failed))));
    return [svg("g", {}, label,
      svg("rect", { class: "slot", x: at * 10, y: 0, width: 8, height }),
      svg("rect", { class: total ? "sent" : "none", x: at * 10, y: height - (total ? sent : 1), width: 8, height: total ? sent : 1, rx: 1 }),
      bad ? svg("rect", { class: "failed", x: at * 10, y: height - sent - bad, width: 8, height: bad, rx: 1 }) : null)];
  });
  const sum = (key) => number(hours.reduce((all, hour) => all + hour[key], 0));
  return svg("svg", { class: "chart", viewBox: `0 0 ${hours.length * 10 - 2} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": t.home.chart(name, sum("Sent"), sum("Failed")) }, ...bars);
}

/** What failed, by its cause, with the way to send it again. */
function causes({ Causes, CausesSince, Channels }, reload) {
  if (!Causes.length) {
    const quiet = Channels.every(({ Sent, Waiting }) => !Sent && !Waiting);
    return quiet
      ? section(t.home.begin, {}, empty("send", t.home.beginTitle, t.home.beginText, linkButton(t.home.beginAction, "/users", { kind: "primary" }), linkButton(t.nav.templates, "/templates"), linkButton(t.nav.reference, "/reference")))
      : section(t.home.causes, {}, h("div.panel-body", {}, notice("ok", t.home.noCauses)));
  }
  const rows = Causes.map((cause) => {
    const filters = { Cause: cause.Cause, Status: cause.Status, MessageFormat: cause.MessageFormat, from: CausesSince };
    const amount = count(cause.Count, cause.CountCapped);
    const key = `${cause.Cause}/${cause.Status}/${cause.MessageFormat}`;
    const again = cause.Retryable > 0 && button(t.bulk.retry.action(number(cause.Retryable)), async () => {
      if (await act("retry", filters, number(cause.Retryable))) await reload();
    }, { icon: "retry", data: { key, retry: cause.Cause } });
    return h("li.cause", {}, h("span.cause-count", {}, amount),
      h("div", {}, h("a", { href: `/log?${new URLSearchParams(filters)}`, data: { key: `log ${key}`, row: "" } }, t.causes(cause.Cause)), h("p.second.break", {}, icon(channelOf(cause.MessageFormat)), ` ${formatName(cause.MessageFormat)} · `, cause.Example && h("q", {}, cause.Example), " · ", time(cause.Newest))),
      again);
  });
  return section(t.home.causes, { text: t.home.causesText }, h("ul.rows", {}, rows));
}

function providers({ Providers }) {
  if (!Providers.length) return null;
  const rows = Providers.map(({ Channel, Url, Captures, State, Since, NextTry, LastError }) => {
    const [word, kind] = Captures ? [t.home.captures, "warn"] : { closed: [t.home.well, "ok"], open: [t.home.down, "bad"], "half-open": [t.home.probing, "warn"] }[State];
    return h("li.provider", {}, icon(Channel), h("div", {}, h("code.break", {}, Url),
      LastError && h("p.second.break", {}, h("q", {}, LastError.Text), " · ", time(LastError.Date)),
      State === "open" && h("p.second", {}, t.home.since, " ", time(Since), NextTry && [" · ", t.home.probe, " ", time(NextTry, "ago")])), badge(word, kind));
  });
  return section(t.home.providers, { actions: h("a", { href: "/settings/providers" }, t.edit) }, h("ul.rows", {}, rows));
}

const store = ({ DatabaseBytes, DiskFreeBytes }) => h("p.muted", {}, t.home.store(bytes(DatabaseBytes), DiskFreeBytes === null ? null : bytes(DiskFreeBytes)));
