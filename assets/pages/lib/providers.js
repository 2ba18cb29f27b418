// Fields that become a provider's URL, for people who know a host and a password.

import { post } from "./api.js";
import { forget } from "./catalog.js";
import { h, replace } from "./dom.js";
import { button, field, input, notice, select } from "./ui.js";
import t from "./words.js";

const KINDS = {
  smtp: { channel: "email", fields: ["host", "port", "tls", "user", "password", "from"] },
  twilio: { channel: "sms", fields: ["user", "password", "from"] },
  capture: { channel: null, fields: [] },
  url: { channel: null, fields: ["url"] },
};

/** The URL that these values mean. (cli.md, "Provider URLs") */
export function urlOf(kind, { host, port, tls, user, password, from, url }) {
  if (kind === "url") return url.trim();
  if (kind === "capture") return "capture:";
  const enc = encodeURIComponent;
  const login = user ? `${enc(user)}${password ? `:${enc(password)}` : ""}@` : "";
  const params = new URLSearchParams();
  if (from) params.set("from", from);
  const ending = () => (params.size ? `?${params.toString().replaceAll("+", "%20")}` : "");
  if (kind === "twilio") return `twilio://${login}api.twilio.com${ending()}`;
  if (tls && tls !== "implicit") params.set("tls", tls);
  const place = host.trim() + (port ? `:${port.trim()}` : "");
  return `${tls === "implicit" ? "smtps" : "smtp"}://${login}${place}${ending()}`;
}

/** Fields for a new provider of any of these channels. `element.draft()` is what the API takes; `check()` asks the provider. */
export function providerFields(channels) {
  const kinds = Object.keys(KINDS).filter((kind) => !KINDS[kind].channel || channels.includes(KINDS[kind].channel));
  const kind = select(kinds.map((key) => [key, t.providers.kinds[key]]), kinds[0], { on: { change: draw } });
  const channel = select(channels.map((word) => [word, t.channels[word]]), channels[0]);
  const controls = {
    host: input({ placeholder: "mail.example.com", inputmode: "url", autocapitalize: "none" }), port: input({ placeholder: "587", inputmode: "numeric" }),
    tls: select(Object.entries(t.providers.tls), "required"), user: input({ autocapitalize: "none" }), password: input({ type: "password", autocomplete: "new-password" }),
    from: input(), url: input({ placeholder: "smtp://user:password@host:587", autocapitalize: "none" }),
  };
  const place = h("div.form-grid", {});
  const verdict = h("div", { role: "status" });
  const element = h("div.form", {}, h("div.form-grid", {}, field(t.providers.kind, kind)), place, verdict);
  draw();

  function draw() {
    const { fields, channel: only } = KINDS[kind.value];
    const words = { ...t.providers.fields, ...t.providers[kind.value] };
    replace(place, !only && channels.length > 1 && field(t.providers.channel, channel), fields.map((name) => {
      if (name === "from") controls.from.placeholder = words.fromSample || "";
      return field(words[name], controls[name], { hint: words[`${name}Hint`], optional: ["port", "user", "password"].includes(name) && kind.value === "smtp" });
    }));
    replace(verdict);
  }

  element.draft = () => ({
    Channel: KINDS[kind.value].channel || channel.value,
    Url: urlOf(kind.value, Object.fromEntries(Object.entries(controls).map(([name, control]) => [name, control.value]))),
  });
  element.check = async () => {
    replace(verdict, h("p.muted", {}, t.providers.checking));
    try {
      replace(verdict, verdictOf(await post("providers/check", element.draft())));
    } catch (fault) {
      if (fault.name !== "ApiError") throw fault;
      replace(verdict, notice("bad", fault.message));
    }
  };
  element.save = async () => {
    await post("providers", element.draft());
    forget();
  };
  element.checkButton = () => button(t.providers.check, element.check, { icon: "shield" });
  return element;
}

/** What a check found. */
export const verdictOf = ({ Ok, Detail }) => notice(Ok ? "ok" : "bad", h("b", {}, Ok ? t.providers.good : t.providers.bad), " ", Detail);
