// The log as it happens: server-sent events, for as long as a page is open.

import { BASE } from "./api.js";

/** Listens until `signal` says stop. `entry(row)`, `reload()` when rows were missed, `state(isOn)`. */
export function listen(signal, { entry, reload, state }) {
  if (signal.aborted) return;
  const source = new EventSource(`${BASE}/messages/logs/events`);
  source.addEventListener("open", () => state?.(true));
  source.addEventListener("error", () => state?.(false));
  source.addEventListener("entry", (event) => entry(JSON.parse(event.data)));
  source.addEventListener("many", () => reload());
  source.addEventListener("reset", () => reload());
  signal.addEventListener("abort", () => source.close());
}
