// Fields that become a provider's URL, for people who know a host and a password.

import { post } from "./api.js";
import { forget } from "./catalog.js";
import { h, replace } from "./dom.js";
import { button, field, input, notice, select } from "./ui.js";
import t from "./words.js";

const KINDS = {
  smtp: { channel: "email", fields: ["host", "port", "tls", "user", "password", "from"], optional: ["port", "user", "password"] },
  twilio: { channel: "sms", fields: ["user", "password", "from"] },
  vonage: { channel: "sms", fields: ["user", "password", "from"] },
  ntfy: { channel: "push", fields: ["host", "user", "password"], optional: ["user", "password"] },
  gotify: { channel: "push", fields: ["host", "password"] },
  fcm: { channel: "push", fields: ["file"] },
  webhook: { channel: null, fields: ["host", "format", "to", "text", "header", "password"], optional: ["to", "text", "header", "password"] },
  capture: { channel: null, fields: [] },
  url: { channel: null, fields: ["url"] },
};
const enc = encodeURIComponent;

/** Where a gateway is, for people who copy its address from a browser: `+http` if that begins so, and the rest. */
function placeOf(address) {
  const [, scheme, place] = /^(?:(https?):\/\/)?(.*)$/.exec(address.trim());
  return [scheme === "http" ? "+http" : "", place];
}

/** The URL that these values mean. (cli.md, "Provider URLs") */
export function urlOf(kind, { host, port, tls, user, password, from, url, file, format, to, text, header }) {
  if (kind === "url") return url.trim();
  if (kind === "capture") return "capture:";
  const secret = password ? enc(password) : "";
  if (kind === "ntfy" || kind === "gotify") {
    const [plain, place] = placeOf(host);
    const owner = kind === "ntfy" && user ? `${enc(user)}:` : "";
    return `${kind}${plain}://${owner || secret ? `${owner}${secret}@` : ""}${place}`;
  }
  if (kind === "fcm") return `fcm://${file.trim().split("/").map(enc).join("/")}`;
  if (kind === "webhook") {
    const [plain, place] = placeOf(host);
    const pairs = [["format", format === "json" ? "" : format], ["to", to.trim()], ["text", text.trim()], [`header.${header.trim()}`, header && password]];
    const query = pairs.filter(([, value]) => value).map(([name, value]) => `${name}=${enc(value)}`).join("&");
    return `webhook+http${plain ? "" : "s"}://${place}${query && `?${query}`}`;
  }
  const login = user ? `${enc(user)}${secret ? `:${secret}` : ""}@` : "";
  const params = new URLSearchParams();
  if (from) params.set("from", from);
  const ending = () => (params.size ? `?${params.toString().replaceAll("+", "%20")}` : "");
  if (kind === "twilio") return `twilio://${login}api.twilio.com${ending()}`;
  if (kind === "vonage") return `vonage://${login}rest.nexmo.com${ending()}`;
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
    host: input({ inputmode: "url", autocapitalize: "none" }), port: input({ placeholder: "587", inputmode: "numeric" }),
    tls: select(Object.entries(t.providers.tls), "required"), user: input({ autocapitalize: "none" }), password: input({ type: "password", autocomplete: "new-password" }),
    format: select(Object.entries(t.providers.formats), "json"), to: input({ placeholder: "to", autocapitalize: "none" }), text: input({ placeholder: "text", autocapitalize: "none" }), header: input({ autocapitalize: "none" }),
    from: input(), file: input({ autocapitalize: "none" }), url: input({ placeholder: "smtp://user:password@host:587", autocapitalize: "none" }),
  };
  const place = h("div.form-grid", {});
  const verdict = h("div", { role: "status" });
  const element = h("div.form", {}, h("div.form-grid", {}, field(t.providers.kind, kind)), place, verdict);
  draw();

  function draw() {
    const { fields, channel: only, optional } = KINDS[kind.value];
    const words = { ...t.providers.fields, ...t.providers[kind.value] };
    replace(place, !only && channels.length > 1 && field(t.providers.channel, channel), fields.map((name) => {
      const sample = words[`${name}Sample`];
      if (sample) controls[name].placeholder = sample;
      return field(words[name], controls[name], { hint: words[`${name}Hint`], optional: optional?.includes(name) });
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
