// The beginning: who is there, which page is wanted, and what happens when one of them fails.

import { onSignedOut } from "./lib/api.js";
import { h } from "./lib/dom.js";
import { keepFocus } from "./lib/focus.js";
import * as keys from "./lib/keys.js";
import { askWith, go, match, start, views } from "./lib/router.js";
import { refresh, session } from "./lib/session.js";
import * as shell from "./lib/shell.js";
import { confirm, empty, linkButton } from "./lib/ui.js";
import t from "./lib/words.js";

const OPEN = new Set(["setup", "signin"]);
let current = new AbortController();
let checked = 0;
let shownAddress = null;
let isFetching = false;

shell.build();
keys.start();
askWith(() => confirm(t.leave));
onSignedOut(() => {
  session.State = "signedOut";
  if (!OPEN.has(match(location.pathname)?.view)) go(`/signin?to=${encodeURIComponent(location.pathname + location.search)}`, { replace: true });
});
start(show);
show(true);

/** Shows the page at the browser's address. */
async function show(isFirst) {
  current.abort();
  const { signal } = (current = new AbortController());
  const late = setTimeout(() => document.body.classList.add("loading"), 120);
  document.querySelector(".sheet")?.remove();
  try {
    await knowSession(signal);
    const found = match(location.pathname);
    if (found && !OPEN.has(found.view) && session.State !== "signedIn") {
      const to = location.pathname + location.search;
      return await go(to === "/" ? "/signin" : `/signin?to=${encodeURIComponent(to)}`, { replace: true });
    }
    // The appliance lets them do nothing else.
    if (found && found.view !== "password" && session.MustChangePassword) {
      return await go(`/password?to=${encodeURIComponent(location.pathname + location.search)}`, { replace: true });
    }
    const page = found ? await open(found, signal) : lost();
    if (signal.aborted) return;
    const address = location.pathname + location.search;
    const isSame = address === shownAddress && document.activeElement.closest("main");
    const present = () => shell.present(page.node, page.title, page.full);
    shell.update(location.pathname);
    if (isSame) keepFocus(present);
    else present();
    if (!isSame && isFirst !== true) settleFocus();
    shownAddress = address;
    page.shown?.();
    document.documentElement.dataset.shown = location.pathname;
    fetchViews();
  } catch (fault) {
    if (fault.name === "AbortError" || signal.aborted) return;
    if (fault.name !== "ApiError") console.error(fault);
    shell.update(location.pathname);
    shell.present(fault.status === 404 ? lost() .node : broken(fault), t.errors.title);
  } finally {
    clearTimeout(late);
    if (!signal.aborted) document.body.classList.remove("loading");
  }
}

/** The session, asked for at first and then now and again: what is captured or paused may have changed. */
async function knowSession(signal) {
  if (session.State === "signedIn" && Date.now() - checked < 15000) return;
  await refresh(signal);
  checked = Date.now();
}

async function open({ view, params }, signal) {
  const module = await import(`./views/${view}.js`).catch((fault) => {
    // The files have another address after an update of the appliance.
    throw Object.assign(new Error(t.errors.updated), { name: "ApiError", cause: fault });
  });
  return module.default({ params, query: new URLSearchParams(location.search), signal });
}

/** Fetches the code of the other pages while there is nothing else to do, so that nobody waits for it. */
async function fetchViews() {
  if (isFetching || session.State !== "signedIn" || navigator.connection?.saveData) return;
  isFetching = true;
  for (const view of views) {
    await new Promise((done) => (globalThis.requestIdleCallback ?? setTimeout)(done));
    // Whoever goes there is told what is wrong.
    await import(`./views/${view}.js`).catch(() => {});
  }
}

function settleFocus() {
  scrollTo(0, 0);
  (document.querySelector("main [autofocus]") ?? document.querySelector("main h1"))?.focus({ preventScroll: true });
}

const lost = () => ({ title: t.errors.lost, node: h("div.page", {}, empty("search", t.errors.lost, t.errors.lostText, linkButton(t.nav.home, "/"))) });

const broken = (fault) => h("div.page", { role: "alert" },
  empty("warning", t.errors.title, fault.message, linkButton(t.errors.again, location.href, { kind: "primary", data: { again: "" } })));
