// A search field for one user among many: a combobox over `GET users?search=`. (WAI-ARIA Authoring Practices, "Combobox")

import { list } from "./api.js";
import { h, newId, replace, settle } from "./dom.js";
import { icon } from "./icons.js";
import { failed } from "./ui.js";
import t from "./words.js";

const SHOWN = 8;

/** The field. `choose(user)` is called with a row of `GET users`; `extra(text)` and `last(text)` may add choices before and after. */
export function userPicker({ label, placeholder, choose, extra = () => [], last = () => [], visible = false, clear = true }) {
  const id = newId("picker");
  const input = h("input", { type: "search", role: "combobox", id, placeholder, autocomplete: "off", spellcheck: "false",
    "aria-expanded": "false", "aria-controls": `${id}-list`, "aria-autocomplete": "list", "aria-label": visible ? null : label,
    on: { input: typed, keydown, blur: close, focus: () => input.value && search() } });
  const options = h("ul.options", { id: `${id}-list`, role: "listbox", "aria-label": label, hidden: true });
  const element = h("div.search.picker", {}, visible && h("label", { for: id }, label), h("div.search", {}, icon("search"), input, options));
  let found = [];
  let foundFor = "";
  // Enter was faster than the answer.
  let isWaiting = false;
  let at = -1;
  let asked = new AbortController();

  const soon = settle(() => input.value.trim() !== foundFor && search(), 120);

  function typed() {
    isWaiting = false;
    soon();
  }

  async function search() {
    asked.abort();
    asked = new AbortController();
    const text = input.value.trim();
    if (!text) {
      foundFor = "";
      return close();
    }
    try {
      const { rows } = await list("users", { search: text, pageSize: SHOWN }, asked.signal);
      found = [...extra(text), ...rows.map((user) => ({ user, text: user.Name, second: [user.UserName, user.Email, user.Mobile].filter(Boolean).join(" · ") })), ...last(text)];
      foundFor = text;
      at = found.length ? 0 : -1;
      // Under whoever has gone on meanwhile lies something else.
      if (document.activeElement === input) open();
      if (isWaiting) take(at);
    } catch (fault) {
      failed(fault);
    }
  }

  function open() {
    const lines = found.map((option, index) => h("li", { role: "option", id: `${id}-${index}`, "aria-selected": index === at, on: { mousedown: (event) => { event.preventDefault(); take(index); } } },
      h("b", {}, option.text), option.second && h("span", {}, option.second)));
    replace(options, lines.length ? lines : h("li.nothing", { role: "option", "aria-disabled": "true" }, t.picker.nothing));
    options.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark();
  }

  function mark() {
    options.querySelectorAll("[role=option]").forEach((option, index) => option.setAttribute("aria-selected", String(index === at)));
    if (at >= 0) input.setAttribute("aria-activedescendant", `${id}-${at}`);
    else input.removeAttribute("aria-activedescendant");
  }

  function close() {
    options.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function take(index) {
    isWaiting = false;
    const option = found[index];
    if (!option) return;
    close();
    input.value = clear ? "" : option.text;
    foundFor = input.value;
    if (option.act) option.act();
    else choose(option.user);
  }

  function keydown(event) {
    if (options.hidden && event.key === "ArrowDown" && input.value) return search();
    if (event.key === "Enter" && input.value.trim() !== foundFor) {
      event.preventDefault();
      isWaiting = true;
      return search();
    }
    if (options.hidden) return;
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (moves[event.key] && found.length) {
      at = (at + moves[event.key] + found.length) % found.length;
      mark();
    } else if (event.key === "Enter") take(at);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  element.control = input;
  return element;
}
