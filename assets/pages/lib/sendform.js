// "Send a message", with the decisions before it is sent: the same code as the sending makes them.

import { post } from "./api.js";
import { types } from "./catalog.js";
import { h, replace, settle } from "./dom.js";
import { FORMATS, channelOf, formatName } from "./format.js";
import { icon } from "./icons.js";
import { go } from "./router.js";
import { decisions } from "./trace.js";
import { checkbox, empty, field, form, input, notice, section, select, status } from "./ui.js";
import t from "./words.js";

/** Whether a word is one that every type has: those get their values by themselves. */
export const isCommon = (name) => name === "now" || name.startsWith("user.") || name.startsWith("app.");

export async function sendForm(user, { type, signal }) {
  const known = await types();
  const chosen = select(known.map((one) => [one.ID, one.Name]), type ?? known[0].ID, { on: { change: drawWords } });
  const words = h("div.form", {});
  const asTheyWish = checkbox(t.send.byPreference, true, { hint: t.send.byPreferenceHint, on: { change: () => { formats.hidden = asTheyWish.control.checked; explain(); } } });
  const boxes = FORMATS.map((format) => checkbox(formatName(format), false, { name: String(format), on: { change: explain } }));
  const formats = h("fieldset.inline", { hidden: true }, h("legend", {}, t.send.formats), boxes);
  const at = field(t.send.at, input({ type: "datetime-local", on: { change: explain } }), { optional: true, hint: t.send.atHint });
  const verdict = h("div.stack", { "aria-live": "polite" });
  const result = h("div", {});
  const controls = new Map();
  const soon = settle(explain, 250);
  drawWords();

  const fields = form([field(t.send.type, chosen), words, asTheyWish, formats, at], async () => {
    const queued = await post("messages/send", body());
    if (queued.length === 1) return go(`/log/${queued[0].ID}`);
    replace(result, queued.length
      ? notice("ok", h("p", {}, t.send.done(queued.length)), h("ul", {}, queued.map((one) => h("li", {}, h("a", { href: `/log/${one.ID}` }, `${formatName(one.MessageFormat)}: ${one.Recipient}`)))))
      : notice("info", t.send.nothing, " ", h("a", { href: `/users/${user.ID}/messages` }, t.send.see)));
  }, { action: t.send.action, icon: "send" });
  return h("div.split", {}, section(t.send.title, { text: t.send.text(user.Name) }, h("div.panel-body", {}, fields, result)),
    section(t.send.before, { text: t.send.beforeText }, h("div.panel-body", {}, verdict)));

  function drawWords() {
    const own = known.find((one) => String(one.ID) === chosen.value).Placeholders.filter(({ Name }) => !isCommon(Name));
    controls.clear();
    replace(words, own.map((word) => {
      const isLong = word.Sample.includes("\n");
      const control = isLong ? h("textarea", { rows: "3", on: { input: soon } }) : input({ on: { input: soon } });
      control.placeholder = word.Sample;
      controls.set(word.Name, control);
      return field(word.Name, control, { hint: word.Meaning, optional: !word.Required });
    }));
    explain();
  }

  function body() {
    const Placeholders = Object.fromEntries([...controls].filter(([, control]) => control.value).map(([name, control]) => [name, control.value]));
    return {
      UserId: user.ID, MessageType: Number(chosen.value), Placeholders,
      Formats: asTheyWish.control.checked ? undefined : boxes.filter((box) => box.control.checked).map((box) => Number(box.control.name)),
      SendAt: at.control.value ? new Date(at.control.value).toISOString().replace(/\.\d+Z$/, "Z") : undefined,
    };
  }

  async function explain() {
    const asked = body();
    try {
      const plans = await post("messages/explain", asked, { signal });
      if (JSON.stringify(asked) !== JSON.stringify(body())) return;
      replace(verdict, plans.length ? plans.map(plan) : empty("info", t.send.nobody, ""));
    } catch (fault) {
      if (fault.name === "AbortError") return;
      if (fault.name !== "ApiError") throw fault;
      replace(verdict, notice("warn", h("p", {}, fault.message)));
    }
  }
}

const plan = (one) => h("article.plan", {}, h("header", {}, icon(channelOf(one.MessageFormat)), h("b", {}, formatName(one.MessageFormat)), h("span.muted.break", {}, one.Recipient), status(one.Status)),
  one.Error && h("p.field-error", {}, one.Error), decisions(one.Trace));
