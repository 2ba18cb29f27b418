// One message type and its placeholders.

import { get, post, remove } from "../lib/api.js";
import { forget } from "../lib/catalog.js";
import { h, replace } from "../lib/dom.js";
import { keepFocus } from "../lib/focus.js";
import { go } from "../lib/router.js";
import { isCommon } from "../lib/sendform.js";
import { button, checkbox, confirm, copyable, facts, field, form, heading, input, section, toast } from "../lib/ui.js";
import t from "../lib/words.js";

const HOUR = 3600;
const CHANNELS = ["email", "sms", "push"];

export default async function type({ params, signal }) {
  const found = params.id ? await get(`messages/types/${encodeURIComponent(params.id)}`, {}, signal) : null;
  const name = field(t.types.name, input({ value: found?.Name ?? "", autofocus: !found }));
  const slug = field(t.types.slug, input({ value: found?.Slug ?? "", autocapitalize: "none" }), { hint: t.types.slugHint });
  const expiry = field(t.types.expiryHours, input({ type: "number", min: "0.01", step: "any", value: String((found?.ExpirySeconds ?? 96 * HOUR) / HOUR) }), { hint: t.types.expiryHint });
  const system = checkbox(t.types.system, found?.IsSystem ?? false, { hint: t.types.systemHint });
  const notification = checkbox(t.types.notification, found?.IsNotification ?? true, { hint: t.types.notificationHint });
  const sensitive = checkbox(t.types.sensitive, found?.IsSensitive ?? false, { hint: t.types.sensitiveHint });
  const channels = CHANNELS.map((word) => checkbox(t.channels[word], found ? found.DefaultFormats.includes(word) : word === "email", { name: word }));
  const words = h("div.stack", {});
  const own = (found?.Placeholders ?? []).filter(({ Name }) => !isCommon(Name)).map(wordRow);
  draw();

  const body = form([
    h("div.form-grid", {}, name, slug, expiry),
    h("fieldset", {}, h("legend", {}, t.types.kind), system, notification, sensitive),
    h("fieldset.inline", {}, h("legend", {}, t.types.channelsAsk), channels),
    h("fieldset", {}, h("legend", {}, t.types.words), h("p.hint", {}, t.types.wordsHint), words, h("div", {}, button(t.types.addWord, () => {
      own.push(wordRow({ Name: "", Meaning: "", Sample: "", Required: false }));
      draw();
      own.at(-1).querySelector("input").focus();
    }, { icon: "plus" }))),
  ], async () => {
    const { ID } = await post("messages/types", {
      ID: found?.ID, Name: name.control.value, Slug: slug.control.value.trim(), ExpirySeconds: Math.round(Number(expiry.control.value) * HOUR),
      IsSystem: system.control.checked, IsNotification: notification.control.checked, IsSensitive: sensitive.control.checked,
      DefaultFormats: channels.filter((one) => one.control.checked).map((one) => one.control.name), Placeholders: own.map((row) => row.read()),
    });
    forget();
    toast(t.saved);
    await go(`/types/${ID}`, { replace: true });
  }, { action: found ? t.save : t.types.add });
  const drop = found && !found.IsBuiltIn && button(t.remove, async () => {
    if (!(await confirm({ title: t.types.dropTitle(found.Name), text: t.types.dropText, action: t.remove }))) return;
    await remove(`messages/types/${found.ID}`);
    forget();
    await go("/types", { replace: true });
  }, { kind: "danger", icon: "trash" });
  return {
    title: found?.Name ?? t.types.add,
    node: h("div.page.narrow", {}, heading(found?.Name ?? t.types.add, { back: ["/types", t.types.title], actions: drop ? [drop] : [] }),
      found && section(t.user.ids, { text: t.types.idsText }, h("div.panel-body", {}, facts([[t.templates.id, copyable(String(found.ID))], [t.template.typeGuid, copyable(found.Guid)]]))),
      h("div.panel", {}, h("div.panel-body", {}, body))),
  };

  function draw() {
    keepFocus(() => replace(words, own.length ? own : h("p.muted", {}, t.types.noWords)));
  }

  function wordRow({ Name, Meaning, Sample, Required }) {
    const controls = { Name: field(t.types.wordName, input({ value: Name, autocapitalize: "none" })), Meaning: field(t.types.meaning, input({ value: Meaning })), Sample: field(t.types.sample, h("textarea", { value: Sample, rows: "1" })) };
    const required = checkbox(t.types.required, Required);
    const row = h("div.word-row", {}, Object.values(controls), required, button("", () => {
      own.splice(own.indexOf(row), 1);
      draw();
    }, { kind: "quiet", icon: "trash", title: t.remove }));
    row.read = () => ({ Name: controls.Name.control.value.trim(), Meaning: controls.Meaning.control.value, Sample: controls.Sample.control.value, Required: required.control.checked });
    return row;
  }
}
