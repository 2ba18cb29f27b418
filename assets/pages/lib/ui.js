// The parts that every view is made of.

import { append, h, newId, replace } from "./dom.js";
import { holdFocus } from "./focus.js";
import { icon } from "./icons.js";
import t from "./words.js";

/** A button. `kind`: `primary`, `danger`, `quiet` or none. `act` may be slow: until it ends, the button waits. */
export function button(label, act, { kind = "", icon: name, title, data, type = "button", disabled } = {}) {
  const element = h("button.button", { type, class: kind, title, data, disabled, on: { click: act && run } },
    name && icon(name), label && h("span", {}, label));
  if (!label || title?.includes(label)) element.setAttribute("aria-label", title);
  async function run(event) {
    if (element.getAttribute("aria-busy") === "true") return;
    element.setAttribute("aria-busy", "true");
    try {
      await act(event);
    } catch (fault) {
      failed(fault);
    } finally {
      element.removeAttribute("aria-busy");
    }
  }
  return element;
}

/** A link that looks like a button. */
export const linkButton = (label, href, { kind = "", icon: name, data, download } = {}) =>
  h("a.button", { class: kind, href, data, download }, name && icon(name), h("span", {}, label));

/** Says something for a few seconds, to eyes and to screen readers. */
export function toast(text, kind = "ok") {
  const place = document.getElementById("toasts");
  const note = h("div.toast", { class: kind }, icon(kind === "bad" ? "warning" : "check"), h("span", {}, text));
  place.append(note);
  setTimeout(() => note.remove(), kind === "bad" ? 9000 : 4500);
}

/** What went wrong, in a toast; what was given up on purpose says nothing. */
export function failed(fault) {
  if (fault?.name === "AbortError") return;
  if (fault?.name !== "ApiError") console.error(fault);
  toast(fault.message, "bad");
}

/** A dialog with a heading. Closes with Escape, with its button, and with `close()`. */
export function dialog(title, content, { actions = [], wide = false } = {}) {
  const id = newId("dialog");
  const element = h("dialog.dialog", { "aria-labelledby": id, class: wide ? "wide" : "" },
    h("header", {}, h("h2", { id }, title), button("", () => element.close(), { kind: "quiet", icon: "cross", title: t.close })),
    h("div.dialog-body", {}, content),
    actions.length ? h("footer", {}, actions) : null);
  const giveBack = holdFocus();
  element.addEventListener("close", () => {
    element.remove();
    giveBack();
  });
  document.body.append(element);
  element.showModal();
  return element;
}

/** Asks before something that cannot be taken back. `keep` is what the harmless answer is called. */
export function confirm({ title, text, action, keep = t.cancel, danger = true }) {
  return new Promise((resolve) => {
    let answer = false;
    const yes = button(action, () => { answer = true; element.close(); }, { kind: danger ? "danger" : "primary" });
    const no = button(keep, () => element.close());
    const element = dialog(title, h("p", {}, text), { actions: [no, yes] });
    element.addEventListener("close", () => resolve(answer));
    (danger ? no : yes).focus();
  });
}

/** A labelled control with a hint and a place for its error. `field.fail(text)` fills that. */
export function field(label, control, { hint, optional } = {}) {
  control.id ||= newId("field");
  const hintId = hint && `${control.id}-hint`;
  const error = h("p.field-error", { id: `${control.id}-error`, hidden: true });
  if (hint) control.setAttribute("aria-describedby", hintId);
  const element = h("div.field", {},
    h("label", { for: control.id }, label, optional && h("span.optional", {}, t.optional)),
    control, hint && h("p.hint", { id: hintId }, hint), error);
  element.control = control;
  element.fail = (text) => {
    error.hidden = !text;
    replace(error, text);
    control.toggleAttribute("aria-invalid", Boolean(text));
    if (text) control.setAttribute("aria-invalid", "true");
    control.setAttribute("aria-describedby", [hintId, text && error.id].filter(Boolean).join(" "));
  };
  return element;
}

export const input = (props = {}) => h("input", { type: "text", autocomplete: "off", spellcheck: "false", ...props });

/** A choice: `[value, text]` pairs. */
export const select = (pairs, value, props = {}) => h("select", props,
  pairs.map(([key, text]) => h("option", { value: key, selected: String(key) === String(value ?? "") }, text)));

/** A box to tick, with its label. */
export function checkbox(label, checked, { hint, on, name } = {}) {
  const box = h("input", { type: "checkbox", checked, on, name });
  // A label knows its control by itself.
  return h("label.check", {}, box, h("span", {}, label, hint && h("small", {}, hint)));
}

/** A form that says what went wrong where the person looks. `submit` may throw; its words are shown above the button. */
export function form(children, submit, { action = t.save, kind = "primary", icon: name, extra, class: classes = "" } = {}) {
  const trouble = h("div.notice.bad", { role: "alert", hidden: true });
  const send = button(action, null, { kind, type: "submit", icon: name });
  const element = h("form.form", { class: classes, novalidate: true, on: { submit: run } }, children, trouble, h("div.form-actions", {}, send, extra));
  async function run(event) {
    event.preventDefault();
    if (send.getAttribute("aria-busy") === "true") return;
    send.setAttribute("aria-busy", "true");
    trouble.hidden = true;
    try {
      await submit(element);
    } catch (fault) {
      if (fault.name !== "ApiError" && fault.name !== "AbortError") console.error(fault);
      replace(trouble, icon("warning"), h("p", {}, fault.message));
      trouble.hidden = false;
    } finally {
      send.removeAttribute("aria-busy");
    }
  }
  return element;
}

/** Words that matter on a coloured ground: `info`, `warn`, `bad` or `ok`. */
export const notice = (kind, ...children) =>
  h("div.notice", { class: kind }, icon(kind === "ok" ? "check" : kind === "info" ? "info" : "warning"), h("div", {}, children));

/** What to do where there is nothing yet. */
export const empty = (name, title, text, ...actions) =>
  h("div.empty", {}, icon(name), h("h2", {}, title), h("p", {}, text), actions.length ? h("div.empty-actions", {}, actions) : null);

const STATES = { delivered: "ok", sent: "ok", queued: "wait", scheduled: "wait", sending: "wait", failed: "bad", undelivered: "bad", expired: "bad", cancelled: "off", suppressed: "off" };
/** The colour of a message's state: `ok`, `wait`, `bad` or `off`. */
export const kindOf = (status) => STATES[status] || "off";

export const badge = (text, kind = "off") => h("span.badge", { class: kind }, text);
export const status = (word) => badge(t.status[word] || word, kindOf(word));

/** Text that is to be copied, with the button that does it. */
export function copyable(text, { label, block } = {}) {
  const copy = button("", async () => {
    await navigator.clipboard.writeText(text);
    toast(t.copied);
  }, { kind: "quiet small", icon: "copy", title: t.copy(label || text) });
  return h(block ? "div.copyable.block" : "span.copyable", {}, h("code", {}, text), copy);
}

/** Tabs that are links: each has its own address. `items`: `[href, text, isCurrent]`. */
export function tabs(label, items) {
  const links = items.map(([href, text, isCurrent]) => h("a", { href, "aria-current": isCurrent ? "page" : null }, text));
  const element = h("nav.tabs", { "aria-label": label }, links);
  // On a phone the current one may be out of sight.
  const watcher = new ResizeObserver(() => {
    const current = links.find((link) => link.ariaCurrent);
    element.scrollLeft = current.offsetLeft - element.offsetLeft - (element.clientWidth - current.offsetWidth) / 2;
  });
  watcher.observe(element);
  return element;
}

/** The top of a page. */
export function heading(title, { back, sub, actions = [] } = {}) {
  const offered = actions.filter(Boolean);
  return h("header.page-head", {},
    h("div.page-title", {},
      back && h("a.back", { href: back[0] }, icon("back"), back[1]),
      h("h1", { tabindex: "-1" }, title), sub && h("p.sub", {}, sub)),
    offered.length ? h("div.page-actions", {}, offered) : null);
}

/** Name and value, one under the other or beside each other. */
export const facts = (pairs) => h("dl.facts", {}, pairs.filter(([, value]) => value !== null && value !== undefined && value !== false)
  .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));

/** A part of a page with a heading. */
export function section(title, { text, actions } = {}, ...children) {
  const id = newId("section");
  return append(h("section.panel", { "aria-labelledby": id },
    h("header.panel-head", {}, h("div", {}, h("h2", { id }, title), text && h("p", {}, text)), actions && h("div.panel-actions", {}, actions))), children);
}
