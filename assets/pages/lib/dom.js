// Elements from plain data. Text only ever becomes text nodes: nothing here parses markup, so nothing that is stored can
// become an element or a handler.

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "indeterminate", "hidden", "open", "multiple", "required", "readOnly"]);
const FORBIDDEN = /^(on|srcdoc$|style$)/i;

/** An element: `h("p.note", {title}, "text", [more])`. `on` holds listeners; false, null and undefined leave things out. */
export function h(name, props, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  return fill(element, props, children);
}

/** An element of an SVG picture. */
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (FORBIDDEN.test(name)) throw new TypeError(name);
    element.setAttribute(name, value);
  }
  element.append(...children.filter(Boolean));
  return element;
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props || {})) {
    if (value === undefined || value === null) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) if (listener) element.addEventListener(event, listener);
    } else if (name === "class") {
      element.classList.add(...String(value).split(" ").filter(Boolean));
    } else if (name === "data") {
      Object.assign(element.dataset, value);
    } else if (PROPERTIES.has(name)) {
      element[name] = value;
    } else if (FORBIDDEN.test(name)) {
      throw new TypeError(`${name} is no attribute for h()`);
    } else if (value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  append(element, children);
  return element;
}

/** Appends nodes and texts, however nested; false, null and undefined are nothing. */
export function append(parent, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === true) continue;
    parent.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return parent;
}

/** Puts these children in the place of those that were there. */
export function replace(parent, ...children) {
  parent.replaceChildren();
  return append(parent, children);
}

let last = 0;
/** An id that nothing in the document has. */
export const newId = (word = "x") => `${word}-${++last}`;

/** Calls `act` when `wait` milliseconds went by without another call. */
export function settle(act, wait = 200) {
  let timer;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...given), wait);
  };
}

/** Calls `act` `wait` milliseconds after the first of several calls, however many follow; never while it still runs. */
export function gather(act, wait) {
  let isAsked = false;
  let isBusy = false;
  const run = async () => {
    if (isBusy) return;
    isBusy = true;
    while (isAsked) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      isAsked = false;
      await act();
    }
    isBusy = false;
  };
  return () => {
    isAsked = true;
    run();
  };
}

/** Whether a person is typing somewhere, so that letters are text and no commands. */
export function isTyping(target) {
  return target instanceof Element && Boolean(target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]"));
}
