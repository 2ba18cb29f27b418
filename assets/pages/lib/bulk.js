// Many messages at once, in calls of at most a thousand, until none is left.

import { call } from "./api.js";
import { h, replace } from "./dom.js";
import { number } from "./format.js";
import { button, confirm, dialog, toast } from "./ui.js";
import t from "./words.js";

/** Sends again, or cancels, what these filters of the log choose. Says how far it is; may be stopped. Resolves to the count. */
export async function act(verb, filters, expected) {
  const words = t.bulk[verb];
  if (!(await confirm({ title: words.title(expected), text: words.text, action: words.action(expected), keep: words.keep?.(expected), danger: verb === "cancel" }))) return 0;
  const meter = h("progress", { max: "1", value: "0", "aria-label": words.doing });
  const line = h("p", { role: "status" }, words.doing);
  const stopping = new AbortController();
  const box = dialog(words.doing, [meter, line], { actions: [button(t.bulk.stop, () => stopping.abort())] });
  box.addEventListener("close", () => stopping.abort());
  let done = 0;
  let before;
  try {
    for (;;) {
      const { Data } = await call("POST", `messages/logs/${verb}`, { params: { ...filters, before }, signal: stopping.signal });
      done += Data.Changed;
      before = Data.Before;
      meter.max = Math.max(1, done + Data.Left);
      meter.value = done;
      replace(line, t.bulk.progress(done, Data.Left, Data.LeftCapped));
      if (!Data.Left || !Data.Changed) break;
    }
    toast(words.done(number(done), done));
  } catch (fault) {
    if (fault.name !== "AbortError") throw fault;
    toast(words.done(number(done), done));
  } finally {
    box.close();
  }
  return done;
}
