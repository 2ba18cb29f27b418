// Where the keyboard is, while what it is on is drawn anew.

const CONTROLS = "a[href], button, input, select, textarea, summary, [tabindex]";

/** What a control is called: drawn anew, it is another element with the same name. Of a link only the text may change. */
const nameOf = (control) => control.dataset.key ?? control.getAttribute("href") ?? `${control.localName} ${control.getAttribute("aria-label") ?? control.labels?.[0]?.textContent ?? control.textContent}`;

const named = (name) => [...document.querySelectorAll("main :is(" + CONTROLS + ")")].filter((control) => nameOf(control) === name && !control.disabled);

/** Remembers the control of the page that has the focus; what comes back gives it the focus again, if it is another element by then. Where there is none like it any more, the heading gets it: Tab goes on from there, and not from the beginning. */
export function holdFocus() {
  const focused = document.activeElement;
  if (!focused?.closest("main")) return () => {};
  const name = nameOf(focused);
  const at = named(name).indexOf(focused);
  return () => {
    if (focused.isConnected) return;
    const again = named(name);
    (again[at] ?? again.at(-1) ?? document.querySelector("main h1"))?.focus({ preventScroll: true });
  };
}

/** Calls `draw`, which makes a part of the page anew, and gives the focus back to the control that had it. */
export function keepFocus(draw) {
  const giveBack = holdFocus();
  draw();
  giveBack();
}
