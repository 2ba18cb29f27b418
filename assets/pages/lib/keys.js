// The keyboard: one table of keys, which is also what `?` shows.

import { h, isTyping } from "./dom.js";
import { go, mayLeave } from "./router.js";
import { confirm, dialog } from "./ui.js";
import t from "./words.js";

const PLACES = { h: "/", l: "/log", u: "/users", t: "/templates", c: "/captured", s: "/settings", a: "/reference" };
let pending = 0;

/** Starts to listen. */
export function start() {
  document.addEventListener("keydown", pressed);
}

async function pressed(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && isTyping(event.target) && !document.querySelector("dialog[open]")) return event.target.blur();
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const isSecond = Date.now() - pending < 1500;
  pending = 0;
  if (isSecond && PLACES[event.key]) {
    event.preventDefault();
    if (await mayLeave(() => confirm(t.leave))) await go(PLACES[event.key]);
  } else if (event.key === "g") {
    pending = Date.now();
  } else if (event.key === "/") {
    const search = document.querySelector("main input[type=search]");
    if (search) event.preventDefault();
    search?.focus();
  } else if (event.key === "?") {
    help();
  } else if (event.key === "n") {
    const maker = document.querySelector("main [data-new]");
    // Or the letter would be typed into the field that gets the focus.
    if (maker) event.preventDefault();
    maker?.click();
  } else if (["ArrowDown", "ArrowUp", "j", "k", "Home", "End"].includes(event.key)) {
    move(event);
  }
}

/** Moves from row to row of the list that is there. */
function move(event) {
  const rows = [...document.querySelectorAll("main [data-row]")].filter((row) => row.offsetParent);
  if (!rows.length || event.target.closest("[role=tablist], [role=radiogroup], select")) return;
  const at = rows.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, j: at + 1, ArrowUp: at - 1, k: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (at < 0 && (event.key === "Home" || event.key === "End")) return;
  event.preventDefault();
  rows[Math.max(0, Math.min(rows.length - 1, to))].focus();
}

/** Shows what the keys do. */
export function help() {
  const lines = t.keys.lines.map(([keys, meaning]) => h("div.key-line", {},
    h("dt", {}, keys.map((key) => h("kbd", {}, key))), h("dd", {}, meaning)));
  dialog(t.keys.title, h("dl.key-list", {}, lines));
}
