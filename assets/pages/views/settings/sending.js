// Whether anything is sent, and the limits that were set.

import { call, get, post } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { number, time } from "../../lib/format.js";
import { go } from "../../lib/router.js";
import { refresh } from "../../lib/session.js";
import { badge, button, facts, field, form, input, notice, section, toast } from "../../lib/ui.js";
import t from "../../lib/words.js";

export default async function sending({ signal }) {
  const [outbox, settings] = await Promise.all([get("outbox", {}, signal), get("settings", {}, signal)]);
  const again = async (words) => {
    toast(words);
    await refresh();
    await go("/settings/sending", { replace: true });
  };
  const reason = field(t.sending.reason, input({ placeholder: t.sending.reasonSample }), { optional: true });
  const state = outbox.Paused
    ? [notice("warn", h("b", {}, t.home.paused), " ", outbox.Reason, h("p", {}, t.home.pausedBy(outbox.By), " ", time(outbox.Since))), h("div.row-actions", {}, button(t.sending.resume, () => call("POST", "outbox/resume").then(() => again(t.sending.resumed)), { kind: "primary", icon: "play" }))]
    : form([reason], async () => {
      await post("outbox/pause", { Reason: reason.control.value });
      await again(t.sending.pausedNow);
    }, { action: t.sending.pause, kind: "", icon: "pause" });
  const queues = outbox.Channels.map(({ Channel, Waiting, Scheduled, Sending, OldestDue }) => [t.channels[Channel], [t.sending.queue(number(Waiting), number(Scheduled), number(Sending)), OldestDue && h("span.muted", {}, " · ", time(OldestDue, "ago"))]]);
  const rows = settings.Limits.map(({ Name, Meaning, Value, Default }) => h("tr", {}, h("td", {}, Meaning, h("code.second", {}, Name)), h("td.num", {}, number(Value)), h("td.num.hide-s", {}, number(Default)), h("td.end", {}, Value !== Default && badge(t.sending.changed, "accent"))));
  return h("div.stack", {},
    section(t.settings.sending, { text: t.sending.text }, h("div.panel-body.stack", {}, facts(queues), state)),
    section(t.sending.limits, { text: t.sending.limitsText }, h("div.table-wrap", {}, h("table", {}, h("caption.visually-hidden", {}, t.sending.limits), h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t.sending.limit), h("th.num", { scope: "col" }, t.sending.value), h("th.num.hide-s", { scope: "col" }, t.sending.default), h("th", {}, h("span.visually-hidden", {}, t.sending.changed)))), h("tbody", {}, rows)))));
}
