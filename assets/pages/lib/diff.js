// The difference of two texts, line by line.

import { h } from "./dom.js";

const CELLS_MAX = 4_000_000;

/** `[" ", "-" or "+", line]` by the longest common subsequence; past the limit, everything old is gone and everything new is there. */
export function lines(before, after) {
  const [a, b] = [before.split("\n"), after.split("\n")];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const same = (from, to) => a.slice(from, to).map((line) => [" ", line]);
  return [...same(0, start), ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)), ...same(a.length - end, a.length)];
}

function middle(a, b) {
  if (a.length * b.length > CELLS_MAX) return [...a.map((line) => ["-", line]), ...b.map((line) => ["+", line])];
  const width = b.length + 1;
  const best = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      best[i * width + j] = a[i] === b[j] ? best[(i + 1) * width + j + 1] + 1 : Math.max(best[(i + 1) * width + j], best[i * width + j + 1]);
    }
  }
  const found = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) found.push([" ", a[i++]], ...(j++, []));
    else if (j >= b.length || (i < a.length && best[(i + 1) * width + j] >= best[i * width + j + 1])) found.push(["-", a[i++]]);
    else found.push(["+", b[j++]]);
  }
  return found;
}

const CONTEXT = 3;

/** The difference as a picture: what changed, with a few lines around it. */
export function diff(before, after) {
  const all = lines(before ?? "", after ?? "");
  const near = all.map((_, at) => all.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(([mark]) => mark !== " "));
  const shown = [];
  all.forEach(([mark, text], at) => {
    if (near[at]) shown.push(h("div", { class: { "+": "added", "-": "gone" }[mark] || "" }, `${mark} ${text}`));
    else if (near[at - 1] || (at === 0 && near.includes(true))) shown.push(h("div.gap", {}, "⋯"));
  });
  return near.includes(true) ? h("pre.diff", { tabindex: "0" }, shown) : null;
}
