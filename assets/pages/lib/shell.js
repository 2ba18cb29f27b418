// What is around every page: navigation, the bar of capture mode, the place for messages.

import { append, h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { help } from "./keys.js";
import { go } from "./router.js";
import { session, signOut } from "./session.js";
import { button } from "./ui.js";
import t from "./words.js";

const MAIN = [["/", "home"], ["/log", "log"], ["/users", "users"], ["/templates", "templates"]];
const MORE = [["/captured", "captured"], ["/settings", "settings"], ["/reference", "reference"]];

const bar = h("div.modebar", { id: "modebar", role: "status", hidden: true });
const main = h("main", { id: "main", tabindex: "-1" });
const toasts = h("div.toasts", { id: "toasts", role: "status", "aria-live": "polite" });
const side = h("aside.side", {});
const foot = h("nav.foot", { "aria-label": t.nav.short });
const announcer = h("p.visually-hidden", { role: "status", "aria-live": "polite" });

/** Puts the shell into the empty page. */
export function build() {
  const skip = h("a.skip", { href: "#main" }, t.nav.skip);
  append(document.body, [skip, side, h("div.body", {}, bar, main), foot, toasts, announcer]);
}

/** Shows a view; `title` goes into the window's title and to screen readers. */
export function present(node, title, isFull) {
  document.body.classList.toggle("bare", Boolean(isFull));
  replace(main, node);
  document.title = title ? `${title} · ${session.AppName || "Herald"}` : "Herald";
  replace(announcer, title);
}

/** Navigation and bar as the session is now. */
export function update(path) {
  const isIn = session.State === "signedIn";
  side.hidden = foot.hidden = !isIn;
  if (isIn) {
    replace(side, h("div.side-inner", {}, sidebar(path)));
    replace(foot, [...MAIN, ["more", "more"]].map(([href, name]) => (href === "more" ? moreButton() : link(href, name, path))));
  }
  updateBar();
}

function updateBar() {
  const { State, MustChangePassword, Captured, Paused, PauseReason } = session;
  const isIn = State === "signedIn" && !MustChangePassword;
  const captured = isIn ? Captured || [] : [];
  const parts = [];
  if (captured.length === 3) parts.push([h("span", {}, h("b", {}, t.bar.capture), " ", t.bar.nothing), " ", h("a", { href: "/captured" }, t.bar.look)]);
  else if (captured.length) parts.push([h("span", {}, t.bar.some(captured.map((channel) => t.channels[channel]))), " ", h("a", { href: "/captured" }, t.bar.look)]);
  if (isIn && Paused) parts.unshift([h("span", {}, h("b", {}, t.bar.paused), " ", PauseReason || t.bar.waits), " ", h("a", { href: "/settings/sending" }, t.bar.resume)]);
  bar.hidden = !parts.length;
  bar.classList.toggle("paused", Boolean(Paused));
  replace(bar, icon(Paused ? "pause" : "captured"), h("div", {}, parts.map((part) => h("p", {}, part))));
}

const isOn = (href, path) => (href === "/" ? path === "/" : path === href || path.startsWith(`${href}/`) || (href === "/templates" && path.startsWith("/types")));

const link = (href, name, path) => h("a.nav-link", { href, "aria-current": isOn(href, path) ? "page" : null }, icon(name), h("span", {}, t.nav[name]));

function sidebar(path) {
  return [
    h("a.brand", { href: "/" }, logo(), h("span", {}, session.AppName || "Herald")),
    h("nav", { "aria-label": t.nav.main }, MAIN.map(([href, name]) => link(href, name, path)),
      h("hr"), MORE.map(([href, name]) => link(href, name, path))),
    h("div.side-foot", {}, person(), h("div.side-tools", {}, themeButton(), button("", help, { kind: "quiet", icon: "help", title: t.keys.title }), leaveButton())),
  ];
}

const logo = () => h("img.logo", { src: new URL("../icon.svg", import.meta.url).href, alt: "", width: "26", height: "26" });

const person = () => h("a.person", { href: "/settings/account" },
  h("span.avatar", { "aria-hidden": "true" }, (session.Name || "?").slice(0, 1).toUpperCase()), h("span", {}, session.Name));

const leaveButton = () => button("", async () => {
  await signOut();
  await go("/signin");
}, { kind: "quiet", icon: "out", title: t.nav.out });

/** Light, dark, or what the system says: each click takes the other one of what is seen. */
export function themeButton() {
  const root = document.documentElement;
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const element = button("", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem("herald-theme", root.dataset.theme);
    } catch {
      // It lasts until the page is loaded again.
    }
    replace(element, icon(isDark() ? "sun" : "moon"));
  }, { kind: "quiet", icon: isDark() ? "sun" : "moon", title: t.nav.theme });
  return element;
}

/** On a phone: what has no place at the bottom. */
function moreButton() {
  const path = location.pathname;
  const isHere = MORE.some(([href]) => isOn(href, path));
  const element = h("button.nav-link", { type: "button", "aria-expanded": "false", class: isHere ? "here" : "", on: { click: toggle } }, icon("menu"), h("span", {}, t.nav.more));
  function toggle() {
    const open = document.querySelector(".sheet");
    if (open) return open.dispatchEvent(new Event("click"));
    const sheet = h("div.sheet", { on: { click: close, keydown: (event) => event.key === "Escape" && close() } },
      h("nav", { "aria-label": t.nav.more }, MORE.map(([href, name]) => link(href, name, path))),
      h("div.side-foot", {}, person(), h("div.side-tools", {}, themeButton(), leaveButton())));
    function close(event) {
      if (event?.target.closest(".side-tools")) return;
      if (sheet.contains(document.activeElement)) element.focus();
      sheet.remove();
      element.setAttribute("aria-expanded", "false");
    }
    document.body.insertBefore(sheet, foot);
    element.setAttribute("aria-expanded", "true");
    sheet.querySelector("a").focus();
  }
  return element;
}
