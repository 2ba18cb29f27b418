// Decisions as sentences.

import { h } from "./dom.js";
import t from "./words.js";

/** A trace of `{ About, Choice, Reason }`. */
export const decisions = (trace) => h("ul.decisions", {}, trace.map(({ About, Choice, Reason }) => {
  const words = t.trace[About];
  const said = words ? words(Choice) : [`${About}: `, Choice];
  return h("li", {}, h("span.choice", {}, said), h("span.reason", {}, Reason));
}));
