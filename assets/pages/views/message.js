// One message: what became of it and why, step by step.

import { call, get } from "../lib/api.js";
import { typeNames } from "../lib/catalog.js";
import { gather, h, replace } from "../lib/dom.js";
import { listen } from "../lib/events.js";
import { keepFocus } from "../lib/focus.js";
import { channelOf, formatName, milliseconds, time } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { message as preview } from "../lib/preview.js";
import { decisions } from "../lib/trace.js";
import { button, confirm, copyable, facts, failed, heading, kindOf, notice, section, status, toast } from "../lib/ui.js";
import t from "../lib/words.js";

const AGAIN = ["failed", "expired", "cancelled", "undelivered"];
const STOPPABLE = ["queued", "scheduled"];

export default async function message({ params, signal }) {
  const path = `messages/logs/entries/${encodeURIComponent(params.id)}`;
  const typeName = await typeNames();
  const page = h("div.page", {});
  let shown = "";
  let user = null;
  await load();
  const later = gather(() => load().catch(failed), 100);
  listen(signal, { entry: (row) => row.ID === Number(params.id) && later(), reload: later });
  return { title: t.message.title(params.id), node: page };

  async function load() {
    const entry = await get(path, {}, signal);
    // An erased user leaves the message behind.
    if (entry.UserId && user?.ID !== entry.UserId) user = await get(`users/${entry.UserId}`, {}, signal).catch(() => null);
    const text = JSON.stringify(entry);
    if (text === shown) return;
    shown = text;
    draw(entry);
  }

  function draw(entry) {
    const act = (verb, words) => button(words.action, async () => {
      if (words.title && !(await confirm({ ...words, action: words.sure }))) return;
      await call("POST", `${path}/${verb}`);
      toast(words.done);
      await load();
    }, { icon: verb === "retry" ? "retry" : "cross", kind: verb === "retry" ? "primary" : "danger", data: { act: verb } });
    keepFocus(() => replace(page,
      heading(entry.Recipient || t.log.noAddress, {
        back: ["/log", t.log.title],
        sub: [typeName(entry.NotificationType), " · ", formatName(entry.MessageFormat), " · ", time(entry.CreatedDate, "full")],
        actions: [status(entry.Status), AGAIN.includes(entry.Status) && act("retry", t.message.retry), STOPPABLE.includes(entry.Status) && act("cancel", t.message.cancel)],
      }),
      why(entry),
      h("div.split", {},
        section(t.message.timeline, {}, h("div.panel-body", {}, timeline(entry))),
        h("div.stack", {}, section(t.message.content, {}, h("div.panel-body", {}, content(entry))), section(t.message.details, {}, h("div.panel-body", {}, details(entry)))))));
  }

  function details(entry) {
    return facts([
      [t.message.id, copyable(String(entry.ID))],
      [t.message.guid, copyable(entry.Guid)],
      [t.message.user, entry.UserId && h("a", { href: `/users/${entry.UserId}` }, user?.Name || t.log.user(entry.UserId))],
      [t.message.template, entry.TemplateID && h("a", { href: `/templates/${entry.TemplateID}` }, `#${entry.TemplateID}`)],
      [t.message.by, entry.CreatedBy],
      [t.message.sender, entry.Sender],
      [t.message.due, time(entry.DueDate, "full")],
      [t.message.expires, time(entry.ExpiryDate, "full")],
      [t.message.causeName, entry.Cause && h("a", { href: `/log?${new URLSearchParams({ Cause: entry.Cause })}` }, entry.Cause)],
    ]);
  }
}

/** The answer to "why did she not get it?", in a sentence and what to do about it. */
function why(entry) {
  const kind = { ok: "ok", wait: "info", bad: "bad", off: "info" }[kindOf(entry.Status)];
  const last = entry.History.at(-1);
  const words = t.message.why[entry.Status];
  const advice = entry.Status === "failed" ? t.message.advice[last?.Class] || t.message.advice.none : null;
  return notice(kind, h("p", {}, h("b", {}, words)), entry.Error && h("p.break", {}, last?.Answer === entry.Error ? h("q", {}, entry.Error) : entry.Error), advice && h("p", {}, advice));
}

function timeline(entry) {
  const steps = [
    step("send", "accent", entry.CreatedDate, t.message.accepted(entry.CreatedBy)),
    step("info", "off", null, t.message.decided, decisions(entry.Trace)),
    ...entry.History.flatMap((attempt) => attempts(attempt, entry)),
  ];
  if (STOPPABLE.includes(entry.Status)) steps.push(step("clock", "wait", entry.DueDate, entry.History.length ? t.message.nextTry : t.message.waits, h("p.second", {}, t.message.until, " ", time(entry.ExpiryDate, "full"))));
  if (["cancelled", "suppressed", "expired"].includes(entry.Status) || (entry.Status === "failed" && !entry.History.length)) steps.push(step("cross", kindOf(entry.Status), null, t.status[entry.Status], entry.Error && h("p.second", {}, entry.Error)));
  return h("ol.timeline", {}, steps);
}

function attempts(attempt, entry) {
  const { Result, Class, Answer, Code } = attempt;
  const kind = Result === true ? "ok" : Result === false ? "bad" : "wait";
  const title = Result === true ? t.message.took : Result === false ? t.message.refused[Class] || t.message.refused.other : entry.Status === "sending" ? t.message.running : t.message.unknown;
  const words = Answer || (Code ? String(Code) : null);
  const steps = [step(Result === true ? "check" : Result === false ? "warning" : "clock", kind, attempt.Started, title,
    words && h("blockquote", {}, words),
    h("p.second", {}, t.message.attempt(attempt.Number), " · ", h("span.mono.break", {}, attempt.Provider), attempt.DurationMilliseconds !== null && ` · ${milliseconds(attempt.DurationMilliseconds)}`, Code && !words?.includes(Code) && ` · ${Code}`),
    attempt.ProviderMessageID && h("p.second.break", {}, t.message.theirId, " ", h("span.mono", {}, attempt.ProviderMessageID)))];
  if (attempt.Report) steps.push(step(channelOf(entry.MessageFormat), kindOf(entry.Status), attempt.Reported, t.message.reported, h("blockquote", {}, attempt.Report)));
  return steps;
}

const step = (name, kind, at, title, ...rest) => h("li", { class: kind }, h("span.dot", {}, icon(name)),
  h("div.step", {}, h("div.step-head", {}, h("b", {}, title), time(at, "clock")), rest));

function content(entry) {
  if (entry.IsSensitive) return notice("info", t.message.sensitive);
  if (entry.Body === null && entry.HTMLBody === null) return h("p.muted", {}, t.message.noContent);
  return preview(entry, entry.MessageFormat, { from: entry.Sender, to: entry.Recipient });
}
