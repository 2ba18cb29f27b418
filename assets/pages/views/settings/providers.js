// The providers of each channel, in the order in which they are tried.

import { all, post, remove } from "../../lib/api.js";
import { forget } from "../../lib/catalog.js";
import { h, replace } from "../../lib/dom.js";
import { icon } from "../../lib/icons.js";
import { providerFields, verdictOf } from "../../lib/providers.js";
import { go } from "../../lib/router.js";
import { refresh } from "../../lib/session.js";
import { badge, button, confirm, dialog, field, form, input, section, toast } from "../../lib/ui.js";
import t from "../../lib/words.js";

const CHANNELS = ["email", "sms", "push"];
const again = async () => {
  forget();
  await refresh();
  await go("/settings/providers", { replace: true });
};

export default async function providers({ signal }) {
  const found = await all("providers", {}, signal);
  return h("div.stack", {}, CHANNELS.map((channel) => {
    const mine = found.filter(({ Channel }) => Channel === channel);
    const add = button(t.providers.add, () => addTo(channel), { icon: "plus", title: t.providers.addTo(t.channels[channel]), data: { add: channel } });
    return section([icon(channel), " ", t.channels[channel]], { text: mine.length > 1 ? t.providers.order : null, actions: add },
      mine.length ? h("ol.rows", {}, mine.map((one) => row(one, mine))) : h("div.panel-body", {}, h("p.muted", {}, t.providers.captured)));
  }));
}

function addTo(channel) {
  const fields = providerFields([channel]);
  const box = dialog(t.providers.addTo(t.channels[channel]), form([fields], async () => {
    await fields.save();
    box.close();
    toast(t.providers.added);
    await again();
  }, { action: t.providers.add, extra: fields.checkButton() }));
}

function row(one, mine) {
  const verdict = h("div", { role: "status" });
  const check = button(t.providers.check, async () => {
    replace(verdict, h("p.muted", {}, t.providers.checking));
    const found = one.ID ? await post(`providers/${one.ID}/check`) : await post("providers/check", { Channel: one.Channel, Url: one.Url });
    replace(verdict, verdictOf(found));
  }, { icon: "shield", kind: "small" });
  const place = mine.indexOf(one);
  const move = (by, name, title) => button("", () => save(one, { Position: one.Position + by }).then(again), { icon: name, kind: "quiet small", title, disabled: !mine[place + by] || mine[place + by].IsLocked });
  const actions = one.IsLocked ? [check] : [move(-1, "up", t.providers.up), move(1, "down", t.providers.down), check, button("", () => edit(one), { icon: "edit", kind: "quiet small", title: `${t.edit} ${one.Url}` }), button("", () => drop(one), { icon: "trash", kind: "quiet small", title: `${t.remove} ${one.Url}` })];
  return h("li.provider-row", {}, h("span.dot", {}, one.Position), h("div", {}, h("code.break", {}, one.Url), one.IsLocked && h("p", {}, badge(t.providers.locked, "plain"), " ", h("small", {}, t.providers.lockedText)), verdict), h("div.row-actions", {}, actions));
}

const save = (one, change) => post("providers", { ID: one.ID, Channel: one.Channel, Url: one.Url, Position: one.Position, ...change });

function edit(one) {
  const url = field(t.providers.fields.url, input({ value: one.Url, autocapitalize: "none", autofocus: true }), { hint: t.providers.maskHint });
  const box = dialog(t.edit, form([url], async () => {
    await save(one, { Url: url.control.value.trim() });
    box.close();
    await again();
  }));
}

async function drop(one) {
  if (!(await confirm({ title: t.providers.dropTitle, text: `${one.Url}. ${t.providers.dropText}`, action: t.remove }))) return;
  await remove(`providers/${one.ID}`);
  await again();
}
