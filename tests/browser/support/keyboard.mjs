// Hands that know only the keyboard.

import assert from "node:assert/strict";
import { until } from "./appliance.mjs";

const STOPS_MAX = 400;
/** How often the browser may keep the focus to itself: without a window it takes a while to give it back. */
const OUTSIDE_MAX = 50;

/** The keyboard of a page. Whatever is pressed with a mouse from now on is a problem of the page's test. */
export async function keyboard(page) {
  // From now on, because asking for it takes a while, and a chooser that nobody waits for is lost.
  page.on("filechooser", () => {});
  await page.addInitScript(noMouse);
  await page.evaluate(noMouse);
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  const has = (locator) => locator.evaluate((element) => element === document.activeElement);

  /** Goes from stop to stop until this has the focus, the shorter way. */
  async function to(locator) {
    await locator.waitFor();
    for (let stop = 0; stop < STOPS_MAX; stop++) {
      const way = await locator.evaluate((element) => {
        const focused = document.activeElement;
        return element === focused ? null : focused.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_PRECEDING ? "Shift+Tab" : "Tab";
      });
      if (!way) return;
      await press(way);
    }
    throw new Error(`Tab does not lead to ${locator}`);
  }

  return {
    press, to, has,
    type: (text) => page.keyboard.type(text),
    /** Waits until the field in which a page that was just loaded begins has the focus: it gets it with the first frame. */
    begins: (locator) => until("the focus", () => has(locator)),
    /** Follows a link, presses a button. */
    async choose(locator) {
      await to(locator);
      await press("Enter");
    },
    async fill(locator, text) {
      await to(locator);
      await press("Control+a");
      await page.keyboard.type(text);
    },
    async tick(locator) {
      await to(locator);
      await press("Space");
    },
    /** Chooses an entry of a select by its text. */
    async pick(locator, text) {
      await to(locator);
      await press("Home");
      for (let step = 0; step < STOPS_MAX; step++) {
        if ((await locator.evaluate((select) => select.selectedOptions[0].text)) === text) return;
        await press("ArrowDown");
      }
      throw new Error(`no ${text} in ${locator}`);
    },
    /** Gives a file to a field of files. */
    async offer(locator, path) {
      await to(locator);
      const [chooser] = await Promise.all([page.waitForEvent("filechooser"), press("Enter")]);
      await chooser.setFiles(path);
    },
  };
}

/** A click that a mouse made has a count of its presses. */
function noMouse() {
  if (globalThis.isWatched) return;
  globalThis.isWatched = true;
  addEventListener("click", (event) => event.isTrusted && event.detail > 0 && console.error("a mouse was used"), true);
}

/** Goes through the whole page, or the dialog that is open, with Tab: everything that can be used is reached, is marked and in sight while it has the focus, and the way ends. */
export async function isReachable(page, where) {
  await page.evaluate(() => {
    scrollTo(0, 0);
    document.activeElement.blur();
    getSelection().removeAllRanges();
  });
  await page.evaluate(prepare);
  const expected = await page.evaluate(() => globalThis.stops.expected());
  const seen = new Map();
  const faults = [];
  let first = null;
  let ended = false;
  let outside = 0;
  // It begins anywhere, and ends where it began: behind the last stop comes the browser itself, and then the first one.
  for (let stop = 0; stop < STOPS_MAX && outside < OUTSIDE_MAX && !ended; stop++) {
    await page.keyboard.press("Tab");
    const { passed, fault } = await page.evaluate(() => globalThis.stops.since());
    if (!passed.length) outside += 1;
    for (const { id, name } of passed) {
      ended ||= id === first;
      first ??= id;
      seen.set(name, (seen.get(name) ?? new Set()).add(id));
    }
    if (fault) faults.push(`${passed.at(-1).name} ${fault}`);
  }
  assert.ok(ended, `${where}: Tab does not get out of ${[...seen.keys()].slice(-3).join(" | ")}`);
  for (const [name, count] of Object.entries(expected)) {
    const reached = seen.get(name)?.size ?? 0;
    if (reached < count) faults.push(`${name} is reached ${reached} times of ${count}`);
  }
  assert.deepEqual([...new Set(faults)], [], where);
}

function prepare() {
  const CONTROLS = "a[href], button, input, select, textarea, summary, [tabindex]";
  const nameOf = (element) => element.dataset.key ?? [element.localName, (element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent ?? "").trim().slice(0, 60), element.getAttribute("href") ?? element.name ?? ""].join(" ").trim();
  /** What is drawn anew meanwhile is still the same stop. */
  const idOf = (element) => `${nameOf(element)}#${[...document.querySelectorAll(CONTROLS)].filter((one) => nameOf(one) === nameOf(element)).indexOf(element)}`;
  /** Of a group of radio buttons Tab reaches one. */
  const isOther = (element) => element.type === "radio" && (() => {
    const group = [...document.getElementsByName(element.name)];
    return element !== (group.find((one) => one.checked) ?? group[0]);
  })();
  const isStop = (element) => element.tabIndex >= 0 && !element.disabled && element.checkVisibility({ visibilityProperty: true }) && !element.closest("[inert]") && !isOther(element);
  /** An outline of its own, or of what is drawn around it. */
  const isMarked = (element) => [element, element.parentElement].some((one) => {
    const style = getComputedStyle(one);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && !/, 0\)$|transparent/.test(style.outlineColor);
  });
  /** Something of it is not under anything else. */
  const isInSight = (element) => {
    const boxes = [...element.getClientRects()].filter(({ width, height }) => width && height);
    return boxes.some((box) => [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5], [0.5, 0.15], [0.5, 0.85]].some(([x, y]) => {
      const top = document.elementFromPoint(box.left + box.width * x, box.top + box.height * y);
      return top && (element.contains(top) || top.contains(element) && top !== document.documentElement && top !== document.body || [...element.labels ?? []].some((label) => label.contains(top)));
    }));
  };
  const stopOf = (element) => ({ id: idOf(element), name: nameOf(element) });
  // The browser gives the focus back when it likes: between a question and the next key it would be missed.
  const trail = [];
  globalThis.stops?.end();
  const note = ({ target }) => trail.push(stopOf(target));
  addEventListener("focusin", note, true);
  globalThis.stops = {
    end: () => removeEventListener("focusin", note, true),
    expected() {
      const counts = {};
      for (const element of (document.querySelector("dialog[open]") ?? document).querySelectorAll(CONTROLS)) if (isStop(element)) counts[nameOf(element)] = (counts[nameOf(element)] ?? 0) + 1;
      return counts;
    },
    /** What had the focus since the last question, and what is wrong with what has it now. */
    since() {
      const passed = trail.splice(0);
      const element = document.activeElement;
      if (!element || element === document.body || element === document.documentElement) return { passed };
      const now = stopOf(element);
      // The frame of a mail gets the focus without an event; what is inside it is the mail's.
      if (passed.at(-1)?.id !== now.id) passed.push(now);
      const fault = element.localName === "iframe" ? null : !isMarked(element) ? "has no mark while it has the focus" : !isInSight(element) ? "is covered or out of sight while it has the focus" : null;
      return { passed, fault };
    },
  };
}
