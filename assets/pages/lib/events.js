// The log as it happens: server-sent events, for as long as a page is open.

import { BASE } from "./api.js";

const POLL_MS = 5000;
const RETRY_MS = 30000;

/** Listens until `signal` says stop. `entry(row)`; `missed()` once, when the stream begins; `reload()` when rows were missed, or now and then while no stream is to be had; `state(isOn)`. */
export function listen(signal, { entry, reload, missed = reload, state }) {
  let source;
  let poll;
  let isFirst = true;
  open();
  signal.addEventListener("abort", close);

  function open() {
    if (signal.aborted) return;
    source = new EventSource(`${BASE}/messages/logs/events`);
    source.addEventListener("open", () => {
      clearInterval(poll);
      state?.(true);
      // A stream tells of what changes from now on; what changed since the page looked is on nobody's lips.
      if (isFirst) missed();
      isFirst = false;
    });
    source.addEventListener("error", lost);
    source.addEventListener("entry", (event) => entry(JSON.parse(event.data)));
    source.addEventListener("many", () => reload());
    source.addEventListener("reset", () => reload());
  }

  /** The browser comes back by itself, unless it was refused: too many listen, or the session is over. */
  function lost() {
    state?.(false);
    if (source.readyState !== EventSource.CLOSED || signal.aborted) return;
    clearInterval(poll);
    poll = setInterval(() => document.hidden || reload(), POLL_MS);
    setTimeout(() => {
      clearInterval(poll);
      open();
    }, RETRY_MS);
  }

  function close() {
    clearInterval(poll);
    source?.close();
  }
}
