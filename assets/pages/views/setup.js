// The first run: from the link that Herald printed to a message that was sent.

import { all, get, list, post } from "../lib/api.js";
import { forget } from "../lib/catalog.js";
import { h } from "../lib/dom.js";
import { gate } from "../lib/gate.js";
import { icon } from "../lib/icons.js";
import { providerFields } from "../lib/providers.js";
import { go } from "../lib/router.js";
import { refresh, session, setUp } from "../lib/session.js";
import { button, field, form, input, linkButton, notice } from "../lib/ui.js";
import t from "../lib/words.js";

const STEPS = ["operator", "app", "provider", "test"];
const HTML_MAIL = 0;

export default async function setup({ query, signal }) {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  const isIn = session.State === "signedIn";
  if (!isIn && (session.State !== "setup" || !token)) {
    return page(null, t.setup.title, notice("warn", { setup: t.signin.firstText, setupOver: t.signin.overText }[session.State] ?? t.setup.done), linkButton(t.signin.title, "/signin"));
  }
  const step = isIn ? (STEPS.slice(1).includes(query.get("step")) ? query.get("step") : "app") : "operator";
  return page(step, t.setup[step].title, h("p.muted", {}, t.setup[step].text), await { operator, app, provider, test }[step]({ token, signal }));
}

const page = (step, title, ...content) => ({ title, full: true, node: gate(title, content, { wide: true, above: step && steps(step) }) });

const steps = (current) => h("ol.steps", { "aria-label": t.setup.steps }, STEPS.map((step, at) => {
  const isDone = at < STEPS.indexOf(current);
  return h("li", { class: isDone ? "done" : "", "aria-current": step === current ? "step" : null }, h("span.dot", {}, isDone ? icon("check") : at + 1), h("span", {}, t.setup[step].name));
}));

const next = (step) => go(`/setup?step=${step}`);

function operator({ token }) {
  const name = field(t.signin.name, input({ autocomplete: "username", autocapitalize: "none", autofocus: true }));
  const password = field(t.signin.password, input({ type: "password", autocomplete: "new-password" }), { hint: t.setup.operator.passwordHint });
  return form([name, password], async () => {
    await setUp(token, name.control.value.trim(), password.control.value);
    await next("app");
  }, { action: t.setup.next });
}

async function app({ signal }) {
  const settings = await get("settings", {}, signal);
  const name = field(t.settings.appName, input({ value: settings.AppName, autofocus: true }), { hint: t.settings.appNameHint });
  const sender = field(t.settings.sender, input({ value: settings.DefaultSender }), { hint: t.settings.senderHint });
  const language = field(t.settings.language, input({ value: settings.DefaultLanguage }), { hint: t.settings.languageHint });
  return form([name, sender, language], async () => {
    await post("settings", { AppName: name.control.value, DefaultSender: sender.control.value, DefaultLanguage: language.control.value });
    await refresh();
    await next("provider");
  }, { action: t.setup.next });
}

async function provider({ signal }) {
  const given = (await all("providers", {}, signal)).filter((one) => one.Channel === "email");
  if (given.length) {
    return [notice("ok", t.setup.provider.given, " ", h("code", {}, given[0].Url)), button(t.setup.next, () => next("test"), { kind: "primary" })];
  }
  const fields = providerFields(["email"]);
  return form([fields], async () => {
    await fields.save();
    await refresh();
    await next("test");
  }, { action: t.setup.provider.action, extra: [fields.checkButton(), button(t.setup.provider.later, () => next("test"), { kind: "quiet" })] });
}

async function test({ signal }) {
  const isCaptured = session.Captured.includes("email");
  const templates = await all("messages/templates/list", { Format: HTML_MAIL, Type: 1 }, signal);
  const to = field(t.setup.test.to, input({ type: "email", autocomplete: "email", autofocus: true, placeholder: "you@example.com" }));
  const skip = linkButton(t.setup.test.skip, "/", { kind: "quiet" });
  return [isCaptured && notice("info", t.setup.test.captured), form([to], async () => {
    const recipient = to.control.value.trim();
    await post(`messages/templates/${templates[0].ID}/test`, { Recipient: recipient });
    forget();
    const { rows } = await list("messages/logs", { pageSize: 1 });
    await go(`/log/${rows[0].ID}`);
  }, { action: t.setup.test.action, icon: "send", extra: skip })];
}
