// Where the keyboard is, while what it is on is drawn anew.

const CONTROLS = "a[href], button, input, select, textarea, summary, [tabindex]";

/** What a control is called: drawn anew, it is another element with the same name. */
const nameOf = (control) => control.dataset.key ?? [control.localName, control.getAttribute("aria-label") ?? control.labels?.[0]?.textContent ?? control.textContent, control.getAttribute("href")].join("\n");

const named = (name) => [...document.querySelectorAll("main :is(" + CONTROLS + ")")].filter((control) => nameOf(control) === name && !control.disabled);

/** Calls `draw`, which makes a part of the page anew, and gives the focus back to the control that had it. Where there is none like it any more, the heading gets it: Tab goes on from there, and not from the beginning. */
export function keepFocus(draw) {
  const focused = document.activeElement;
  if (!focused?.closest("main")) return draw();
  const name = nameOf(focused);
  const at = named(name).indexOf(focused);
  draw();
  if (focused.isConnected) return;
  const again = named(name);
  (again[at] ?? again.at(-1) ?? document.querySelector("main h1"))?.focus({ preventScroll: true });
}
