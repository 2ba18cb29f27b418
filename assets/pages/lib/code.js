// A text field that shows what is a placeholder, a tag, a comment or HTML, with numbered lines and room for an error at its
// line. The coloured text lies under a real textarea: typing, undo and screen readers are the browser's own.

import { h, newId, replace } from "./dom.js";

const TOKENS = /(\{\{[\s\S]*?\}\})|(\{%[\s\S]*?%\})|(\{#[\s\S]*?#\})|(<!--[\s\S]*?-->|<\/?[a-zA-Z!][^<>]*>)/g;
const KINDS = ["word", "tag", "comment", "html"];

/** `[kind, text]` pairs that together are the text. */
export function tokens(text, isHtml) {
  const found = [];
  let at = 0;
  for (const match of text.matchAll(TOKENS)) {
    const kind = KINDS[match.slice(1).findIndex((group) => group !== undefined)];
    if (kind === "html" && !isHtml) continue;
    if (match.index > at) found.push(["", text.slice(at, match.index)]);
    if (kind === "html" && /\{[{%#]/.test(match[0])) found.push(...inside(match[0]));
    else found.push([kind, match[0]]);
    at = match.index + match[0].length;
  }
  if (at < text.length) found.push(["", text.slice(at)]);
  return found;
}

/** An HTML tag with placeholders in its attributes. */
const inside = (text) => tokens(text, false).map(([kind, part]) => [kind || "html", part]);

/** The field. `element.value`, `element.fail({ line, text })`, `element.insert(text)`. */
export function codeField(label, value, { isHtml = false, isLine = false, hint, changed } = {}) {
  const id = newId("code");
  const shown = h("pre.code-shown", { "aria-hidden": "true" });
  const error = h("p.field-error", { id: `${id}-error`, role: "alert", hidden: true });
  const area = h("textarea.code-area", { id, value: value ?? "", spellcheck: "false", autocapitalize: "off", rows: "1", "aria-describedby": `${id}-error`, on: { input: typed, keydown } });
  const element = h("div.field", {}, h("label", { for: id }, label), h("div.code", { class: isLine ? "line" : "" }, shown, area), hint && h("p.hint", {}, hint), error);
  let bad = 0;
  draw();

  function typed() {
    bad = 0;
    draw();
    changed?.();
  }

  /** A subject is one line. */
  function keydown(event) {
    if (isLine && event.key === "Enter") event.preventDefault();
  }

  function draw() {
    const lines = [[]];
    for (const [kind, text] of tokens(area.value, isHtml)) {
      text.split("\n").forEach((part, at) => {
        if (at) lines.push([]);
        if (part) lines.at(-1).push(kind ? h(`span.${kind}`, {}, part) : part);
      });
    }
    replace(shown, lines.map((line, at) => h("div", { class: at + 1 === bad ? "bad" : "" }, line.length ? line : "\u200b")));
  }

  Object.defineProperty(element, "value", { get: () => area.value, set: (text) => { area.value = text; typed(); } });
  element.area = area;
  element.fail = (fault) => {
    bad = fault?.line ?? 0;
    error.hidden = !fault;
    replace(error, fault?.text);
    area.setAttribute("aria-invalid", String(Boolean(fault)));
    draw();
  };
  /** Puts the cursor where the error is. */
  element.focusAt = ({ line, column }) => {
    const before = area.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    area.focus();
    area.setSelectionRange(before + column - 1, before + column - 1);
  };
  element.insert = (text) => {
    area.focus();
    // The old command is the only way that the browser's undo knows of.
    if (!document.execCommand("insertText", false, text)) {
      area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
      typed();
    }
  };
  return element;
}
