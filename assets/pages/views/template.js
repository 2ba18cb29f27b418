// A template: written on the left, seen on the right as a user gets it.

import { call, get, idOf, list, post, remove } from "../lib/api.js";
import { types } from "../lib/catalog.js";
import { codeField } from "../lib/code.js";
import { h, replace, settle } from "../lib/dom.js";
import { keepFocus } from "../lib/focus.js";
import { FORMATS, formatName, languageName, time } from "../lib/format.js";
import { userPicker } from "../lib/picker.js";
import { message } from "../lib/preview.js";
import { go, guardWith } from "../lib/router.js";
import { session } from "../lib/session.js";
import { button, confirm, copyable, dialog, facts, field, form, heading, input, notice, section, select, toast } from "../lib/ui.js";
import { showVersions } from "../lib/versions.js";
import t from "../lib/words.js";

const [COMBINED, TEXT, SMS] = FORMATS;
const AT = /^(Subject|Body|HTMLBody), line (\d+), column (\d+): ([\s\S]*)$/;

export default async function template({ params, query, signal }) {
  const id = params.id ? Number(params.id) : null;
  const from = params.id ?? query.get("from");
  const [known, source] = await Promise.all([types(), from ? get(`messages/templates/${encodeURIComponent(from)}`, {}, signal) : null]);
  const start = id ? source : { Format: COMBINED, Type: known[0].ID, Sender: "", ...source, Guid: null, ...chosen(query), };
  const typeOf = () => known.find((one) => one.ID === Number(type.value));
  const type = select(known.map((one) => [one.ID, one.Name]), start.Type, { on: { change: reshape } });
  const format = select(FORMATS.map((one) => [one, formatName(one)]), start.Format, { on: { change: reshape } });
  const language = field(t.template.language, input({ value: start.Language ?? (source ? "" : session.DefaultLanguage), autocapitalize: "none", on: { input: changed } }), { hint: t.settings.languageHint });
  const sender = field(t.template.sender, input({ value: start.Sender ?? "", on: { input: changed }, placeholder: "Name <name@example.com>" }));
  const parts = {
    Subject: codeField(t.template.subject, start.Subject, { isLine: true, changed }),
    HTMLBody: codeField(t.template.html, start.HTMLBody, { isHtml: true, changed }),
    Body: codeField(t.template.body, start.Body, { changed }),
  };
  const textHint = h("p.hint", {}, t.template.textHint);
  const palette = h("div.palette", { role: "group", "aria-label": t.template.words });
  const seen = h("div.stack", { "aria-live": "off" });
  const warned = h("div.contents", { role: "status" });
  const whom = h("div.whom", {});
  let target = parts.Body;
  let user = null;
  let kept = "";
  let asked = new AbortController();
  // Where one writes, not what Tab passes on the way to the placeholders.
  for (const part of Object.values(parts)) {
    for (const event of ["pointerdown", "keydown"]) part.area.addEventListener(event, ({ key }) => key !== "Tab" && key !== "Shift" && (target = part));
  }
  const previewSoon = settle(preview, 300);

  const editor = form([
    h("div.form-grid", {}, field(t.template.type, type), field(t.template.format, format), language), sender,
    h("div.field", {}, h("span.label", {}, t.template.words), palette, h("p.hint", {}, t.template.wordsHint)),
    parts.Subject, parts.HTMLBody, parts.Body, textHint,
  ], save, { extra: h("span.muted", { id: "keep" }) });
  reshape();
  drawWhom();
  kept = text();
  guardWith(() => text() !== kept && !signal.aborted);
  return { title: title(), node: node(), shown: () => guardWith(() => !signal.aborted && text() !== kept) };

  function title() {
    return id ? t.template.title(typeOf().Name, formatName(start.Format), languageName(start.Language)) : t.templates.add;
  }

  function node() {
    const actions = id ? [
      button(t.template.test, test, { icon: "send" }),
      button(t.template.history, () => showVersions(id, () => go(`/templates/${id}`, { replace: true })), { icon: "history" }),
      button(t.template.copy, copy, { icon: "copy" }),
      button("", drop, { kind: "quiet", icon: "trash", title: t.template.drop }),
    ] : [];
    const ids = id && section(t.user.ids, {}, h("div.panel-body", {}, facts([[t.templates.id, copyable(String(id))], [t.templates.guid, copyable(source.Guid)], [t.template.typeGuid, copyable(source.TypeGuid)], [t.template.saved, [time(source.LastUpdated, "full"), ` · ${source.LastUpdatedBy}`]]])));
    return h("div.page", {}, heading(title(), { back: ["/templates", t.templates.title], actions }),
      h("div.split.editor", {}, h("div.stack", {}, h("div.panel", {}, h("div.panel-body", {}, editor)), ids),
        h("div.stack.sticky", {}, section(t.template.preview, {}, h("div.panel-body.stack", {}, whom, warned, seen)))));
  }

  /** The fields that this format has, and the words of this type. */
  function reshape() {
    const now = Number(format.value);
    sender.hidden = now > TEXT;
    parts.Subject.hidden = now === SMS;
    parts.HTMLBody.hidden = textHint.hidden = now !== COMBINED;
    target = now === COMBINED ? parts.HTMLBody : parts.Body;
    drawPalette();
    changed();
  }

  function drawPalette() {
    const all = Object.values(parts).map((part) => part.value).join("\n");
    keepFocus(() => replace(palette, typeOf().Placeholders.map(({ Name, Meaning, Required }) => {
      const isUsed = new RegExp(`\\{[{%][^}]*\\b${Name.replaceAll(".", "\\.")}\\b`).test(all);
      return h("button.chip-button", { type: "button", title: `${Meaning}${Required ? ` ${t.template.required}` : ""}`, class: Required && !isUsed ? "missing" : "", data: { word: Name }, on: { mousedown: (event) => event.preventDefault(), click: () => target.insert(`{{ ${Name} }}`) } }, Name, Required && h("span", { "aria-label": t.template.required }, "*"));
    })));
  }

  function body() {
    const now = Number(format.value);
    return {
      ID: id, Type: Number(type.value), Format: now, Language: language.control.value.trim(), Sender: now <= TEXT ? sender.control.value.trim() : null,
      Subject: now === SMS ? null : parts.Subject.value, Body: parts.Body.value, HTMLBody: now === COMBINED ? parts.HTMLBody.value : null,
    };
  }

  function text() {
    return JSON.stringify(body());
  }

  function changed() {
    const isChanged = kept && text() !== kept;
    const note = editor?.querySelector("#keep");
    if (note) replace(note, isChanged ? t.template.unsaved : "");
    previewSoon();
  }

  function drawWhom() {
    const picker = userPicker({ label: t.template.as, placeholder: t.template.as, choose: see });
    replace(whom, user ? h("span.chip", {}, t.template.asUser(user.Name, user.Language), button("", () => see(null), { kind: "quiet small", icon: "cross", title: t.template.asSamples })) : picker);
  }

  /** Shows it as this user gets it, or with samples. */
  function see(found) {
    user = found;
    drawWhom();
    whom.querySelector("input, button").focus();
    return preview();
  }

  async function preview() {
    if (signal.aborted) return;
    drawPalette();
    asked.abort();
    asked = new AbortController();
    signal.addEventListener("abort", () => asked.abort(), { once: true });
    try {
      const shown = await post("messages/templates/preview", { ...body(), UserId: user?.ID }, { signal: asked.signal });
      mark(null);
      replace(warned, shown.Warnings.map((words) => notice("warn", words)));
      replace(seen, message(shown, Number(format.value), { from: body().Sender, app: session.AppName }));
      seen.classList.remove("stale");
    } catch (fault) {
      if (fault.name === "AbortError") return;
      if (fault.name !== "ApiError") throw fault;
      mark(fault);
      seen.classList.add("stale");
      replace(warned, notice("warn", h("p", {}, fault.message)));
    }
  }

  /** Shows an error at its line; says whether it has one. */
  function mark(fault) {
    const [, name, line, column, words] = AT.exec(fault?.message ?? "") ?? [];
    for (const [key, part] of Object.entries(parts)) part.fail(key === name ? { line: Number(line), text: t.template.at(line, column, words) } : null);
    return name ? { part: parts[name], line: Number(line), column: Number(column) } : null;
  }

  async function save() {
    try {
      const { location } = await call("POST", "messages/templates", { body: body() });
      kept = text();
      toast(t.saved);
      await go(`/templates/${id ?? idOf(location)}`, { replace: true });
    } catch (fault) {
      const place = mark(fault);
      place?.part.focusAt(place);
      throw fault;
    }
  }

  async function test() {
    if (text() !== kept) return toast(t.template.saveFirst, "bad");
    const isMail = start.Format <= TEXT;
    const to = field(isMail ? t.users.email : start.Format === SMS ? t.users.mobile : t.users.userName, input({ type: isMail ? "email" : "text", autofocus: true }));
    const result = h("div", { role: "status" });
    const box = dialog(t.template.test, form([h("p.muted", {}, t.template.testText), to, result], async () => {
      const isTaken = await post(`messages/templates/${id}/test`, { Recipient: to.control.value.trim() });
      const { rows } = await list("messages/logs", { pageSize: 1 });
      replace(result, notice(isTaken ? "ok" : "bad", isTaken ? t.template.tested : t.template.testFailed, " ", h("a", { href: `/log/${rows[0].ID}`, on: { click: () => box.close() } }, t.template.testSee)));
    }, { action: t.template.testAction, icon: "send" }));
  }

  async function copy() {
    const to = field(t.template.language, input({ autofocus: true, autocapitalize: "none" }), { hint: t.settings.languageHint });
    const box = dialog(t.template.copy, form([h("p.muted", {}, t.template.copyText), to], async () => {
      box.close();
      await go(`/templates/new?${new URLSearchParams({ from: id, type: start.Type, format: start.Format, language: to.control.value.trim() })}`);
    }, { action: t.template.copyAction }));
  }

  async function drop() {
    if (!(await confirm({ title: t.template.dropTitle, text: t.template.dropText, action: t.template.drop }))) return;
    await remove(`messages/templates/${id}`);
    toast(t.template.dropped);
    await go("/templates", { replace: true });
  }
}

/** What the address of a new template says about it. */
function chosen(query) {
  const found = {};
  if (query.get("type")) found.Type = Number(query.get("type"));
  if (query.get("format")) found.Format = Number(query.get("format"));
  found.Language = query.get("language") ?? undefined;
  return found;
}
