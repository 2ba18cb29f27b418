// Our own icons: strokes on a 20 by 20 grid, in the colour of the text around them.

import { svg } from "./dom.js";

const PATHS = {
  home: "M3 9.5 10 4l7 5.500M5 8.500V16h10V8.500M8.500 16v-4h3v4",
  log: "M4 5h12M4 10h12M4 15h7",
  users: "M7.500 9.500a2.700 2.700 0 1 0 0-5.400 2.700 2.700 0 0 0 0 5.400ZM2.500 16c.3-2.600 2.300-4 5-4s4.700 1.400 5 4M13 4.500a2.500 2.500 0 0 1 0 4.800M14.500 12.300c1.800.4 2.800 1.700 3 3.700",
  templates: "M4 3.500h12v13H4zM4 7.500h12M8 7.500v9",
  captured: "M3.500 11 5.500 4.500h9L16.500 11v5h-13zM3.500 11h4a2.500 2.500 0 0 0 5 0h4",
  settings: "M4 6h7M15 6h1M4 14h1M9 14h7M13 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM7 16a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
  reference: "M7 6 3 10l4 4M13 6l4 4-4 4M11 4.500l-2 11",
  email: "M3 5h14v10H3zM3 5.500l7 5.500 7-5.500",
  sms: "M3.500 4.500h13v9h-7l-3.500 3v-3h-2.500z",
  push: "M5 13.500c1-1 1-2.500 1-4.500a4 4 0 0 1 8 0c0 2 0 3.500 1 4.500zM8.500 16a1.600 1.600 0 0 0 3 0",
  search: "M9 14.500a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11ZM13.200 13.200 17 17",
  plus: "M10 4v12M4 10h12",
  check: "m4 10.500 4 4 8-9",
  cross: "M5 5l10 10M15 5 5 15",
  warning: "M10 3.500 17.500 16.500h-15zM10 8.500v3.500M10 14.200v.1",
  info: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 9.200V13.500M10 6.500v.1",
  clock: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 6v4.200l2.700 1.800",
  retry: "M16 10a6 6 0 1 1-1.800-4.300M16.500 3v3.500H13",
  send: "M17 3 3 9l5.500 2.500L11 17zM8.500 11.500 17 3",
  copy: "M7 7V3.500h9.500V13H13M3.500 7H13v9.500H3.500z",
  trash: "M4 5.500h12M8 5.500V3.500h4v2M5.500 5.500 6.200 16.500h7.600l.7-11",
  edit: "M4 16l.8-3.200L13.500 4l2.500 2.500-8.800 8.700z",
  back: "M12.500 4.500 7 10l5.500 5.500",
  next: "M7.500 4.500 13 10l-5.500 5.500",
  down: "M5 8l5 5 5-5",
  up: "M5 12l5-5 5 5",
  menu: "M3.500 6h13M3.500 10h13M3.500 14h13",
  sun: "M10 13.200a3.200 3.200 0 1 0 0-6.400 3.200 3.200 0 0 0 0 6.400ZM10 2.500v1.500M10 16v1.500M2.500 10H4M16 10h1.500M4.700 4.700l1 1M14.300 14.300l1 1M4.700 15.300l1-1M14.300 5.700l1-1",
  moon: "M16 11.800A6.500 6.500 0 0 1 8.200 4a6.300 6.300 0 1 0 7.800 7.800Z",
  help: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM8 8a2 2 0 1 1 2.800 1.900c-.6.3-.8.7-.8 1.400M10 13.800v.1",
  out: "M11.500 4H4v12h7.500M8.500 10H17M14 7l3 3-3 3",
  key: "M7 13.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7ZM10.500 10H17.500M15 10v3",
  download: "M10 3.500v9M6 9l4 4 4-4M4 16.500h12",
  upload: "M10 13V4M6 7.500l4-4 4 4M4 16.500h12",
  shield: "M10 3l6 2v4.500c0 3.500-2.300 6.200-6 7.500-3.700-1.300-6-4-6-7.500V5z",
  pause: "M7 4.500v11M13 4.500v11",
  play: "M6 4l10 6-10 6z",
  device: "M6 2.500h8v15H6zM9 15h2",
  history: "M3.500 10a6.500 6.500 0 1 0 2-4.700M3.500 3v3.500H7M10 6.500V10l2.500 1.500",
};

const cache = new Map();

/** An icon. It says nothing to a screen reader: the words beside it, or the control's label, do. */
export function icon(name) {
  if (!cache.has(name)) {
    const path = svg("path", { d: PATHS[name], fill: "none", stroke: "currentColor", "stroke-width": "1.5", "stroke-linecap": "round", "stroke-linejoin": "round" });
    cache.set(name, svg("svg", { viewBox: "0 0 20 20", class: "icon", "aria-hidden": "true", focusable: "false" }, path));
  }
  return cache.get(name).cloneNode(true);
}
