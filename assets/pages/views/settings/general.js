// The application's name, address, sender and language, and what the words of the send API mean.

import { get, post } from "../../lib/api.js";
import { types } from "../../lib/catalog.js";
import { h } from "../../lib/dom.js";
import { refresh } from "../../lib/session.js";
import { update } from "../../lib/shell.js";
import { field, form, input, section, select, toast } from "../../lib/ui.js";
import t from "../../lib/words.js";

const WORDS = ["welcome", "logininfo", "forgottenpassword"];

export default async function general({ signal }) {
  const [now, known] = await Promise.all([get("settings", {}, signal), types()]);
  const fields = {
    AppName: field(t.settings.appName, input({ value: now.AppName }), { hint: t.settings.appNameHint }),
    AppUrl: field(t.settings.appUrl, input({ value: now.AppUrl ?? "", inputmode: "url" }), { hint: t.settings.appUrlHint, optional: true }),
    DefaultSender: field(t.settings.sender, input({ value: now.DefaultSender }), { hint: t.settings.senderHint }),
    DefaultLanguage: field(t.settings.language, input({ value: now.DefaultLanguage, autocapitalize: "none" }), { hint: t.settings.defaultLanguageHint }),
  };
  const pairs = known.map((type) => [type.ID, type.Name]);
  const words = Object.fromEntries(WORDS.map((word) => [word, select(pairs, now.MessageTypes[word])]));
  const save = async (body) => {
    await post("settings", body);
    await refresh();
    update(location.pathname);
    toast(t.saved);
  };
  return h("div.stack", {},
    section(t.settings.general, {}, h("div.panel-body", {}, form([h("div.form-grid", {}, Object.values(fields))], () => save(Object.fromEntries(Object.entries(fields).map(([name, { control }]) => [name, control.value.trim()])))))),
    section(t.settings.words, { text: t.settings.wordsText }, h("div.panel-body", {}, form([h("div.form-grid", {}, WORDS.map((word) => field(word, words[word])))], () => save({ MessageTypes: Object.fromEntries(WORDS.map((word) => [word, Number(words[word].value)])) })))));
}
