// From an address to a view. A view is a module whose default export makes a node from `{ params, query, signal }`;
// it is loaded when somebody first goes there.

const VIEWS = [
  ["/", "home"],
  ["/setup", "setup"], ["/signin", "signin"], ["/password", "password"],
  ["/log", "log"], ["/log/:id", "message"],
  ["/users", "users"], ["/users/import", "import"], ["/users/new", "user-edit"],
  ["/users/:id", "user"], ["/users/:id/:tab", "user"],
  ["/templates", "templates"], ["/templates/new", "template"], ["/templates/:id", "template"],
  ["/types", "types"], ["/types/new", "type"], ["/types/:id", "type"],
  ["/captured", "captured"], ["/captured/:id", "captured"],
  ["/settings", "settings"], ["/settings/:section", "settings"],
  ["/reference", "reference"], ["/reference/:operation", "reference"],
].map(([pattern, view]) => ({ parts: pattern.split("/").slice(1), view }));

/** Every view, once. */
export const views = new Set(VIEWS.map(({ view }) => view));

/** The view of a path and what the path says; null where there is none. */
export function match(path) {
  const parts = path.split("/").slice(1);
  for (const { parts: pattern, view } of VIEWS) {
    if (pattern.length !== parts.length) continue;
    const params = {};
    const fits = pattern.every((part, at) => {
      if (!part.startsWith(":")) return part === parts[at];
      params[part.slice(1)] = decodeURIComponent(parts[at]);
      return parts[at] !== "";
    });
    if (fits) return { view, params };
  }
  return null;
}

let show = async () => {};
let guard = null;

/** Names what shows an address, and starts to follow links and the browser's buttons. */
export function start(showAddress) {
  show = showAddress;
  document.addEventListener("click", follow);
  addEventListener("popstate", () => show());
  addEventListener("beforeunload", (event) => {
    if (guard && guard()) event.preventDefault();
  });
}

/** Until the next page: asks before leaving while `isChanged` says so. */
export function guardWith(isChanged) {
  guard = isChanged;
}

/** Whether the page may be left; asks once if it holds changes. */
export async function mayLeave(ask) {
  if (!guard || !guard()) return true;
  const sure = await ask();
  if (sure) guard = null;
  return sure;
}

/** Where to go on: only addresses of ours, for a link from elsewhere must not lead away. */
export const onward = (to) => (to && /^\/(?![/\\])/.test(to) && !/^\/(signin|password)/.test(to) ? to : "/");

/** Goes to an address of ours. */
export async function go(address, { replace = false } = {}) {
  guard = null;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  await show();
}

/** Writes what a list shows into the address, without a new page. */
export function remember(params) {
  const kept = Object.entries(params).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const text = new URLSearchParams(kept).toString();
  history.replaceState(null, "", location.pathname + (text ? `?${text}` : ""));
}

let asking = async () => true;
/** Names the question that is asked before changes are lost. */
export function askWith(question) {
  asking = question;
}

async function follow(event) {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest?.("a[href]");
  if (!link || link.target || link.hasAttribute("download")) return;
  const to = new URL(link.href);
  if (to.origin !== location.origin || !match(to.pathname)) return;
  if (to.pathname === location.pathname && to.search === location.search && to.hash) return;
  event.preventDefault();
  if (await mayLeave(asking)) await go(to.pathname + to.search);
}
