// The page of those who are not inside yet.

import { h } from "./dom.js";
import { themeButton } from "./shell.js";

/** A card in the middle with the mark above. */
export const gate = (title, content, { wide = false, above } = {}) => h("div.gate", { class: wide ? "wide" : "" },
  h("div.gate-top", {}, h("span.brand", {}, h("img.logo", { src: new URL("../icon.svg", import.meta.url).href, alt: "", width: "30", height: "30" }), "Herald"), themeButton()),
  above, h("div.gate-card", {}, h("h1", { tabindex: "-1" }, title), content));
