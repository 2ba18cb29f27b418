// The API, made from its own document, with a way to try each part of it.

import { h, replace, settle } from "../lib/dom.js";
import { milliseconds } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { fields } from "../lib/schema.js";
import { session } from "../lib/session.js";
import { badge, confirm, copyable, empty, field, form, heading, input, linkButton, section } from "../lib/ui.js";
import t from "../lib/words.js";

let kept = null;

export default async function reference({ params, signal }) {
  const document = (kept ??= await (await fetch("/openapi.json", { signal })).json());
  const operations = Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })));
  const chosen = params.operation && operations.find((one) => one.operationId === params.operation);
  if (params.operation && !chosen) throw Object.assign(new Error(t.errors[404]), { name: "ApiError", status: 404 });
  if (chosen) return { title: chosen.summary, node: h("div.page", {}, heading(chosen.summary, { back: ["/reference", t.reference.title], sub: h("span.path", {}, method(chosen.method), " ", h("code.break", {}, chosen.path)) }), operation(chosen, document)) };
  return { title: t.reference.title, node: overview(operations) };
}

const method = (word) => h("span.method", { class: word.toLowerCase() }, word);

function overview(operations) {
  const place = h("div.stack.operations", {});
  const search = h("input", { type: "search", placeholder: t.reference.search, "aria-label": t.reference.search, on: { input: settle(draw, 100) } });
  draw();
  return h("div.page", {}, heading(t.reference.title, { sub: t.reference.sub, actions: [linkButton("openapi.json", "/openapi.json", { icon: "download", download: "" })] }), h("div.tools", {}, h("div.search", {}, icon("search"), search)), place);

  function draw() {
    const wanted = search.value.trim().toLowerCase();
    const groups = new Map();
    for (const one of operations) {
      if (wanted && !`${one.method} ${one.path} ${one.summary}`.toLowerCase().includes(wanted)) continue;
      const group = groupOf(one.path);
      groups.set(group, [...(groups.get(group) ?? []), one]);
    }
    replace(place, groups.size ? [...groups].map(([group, found]) => section(t.reference.groups[group], {}, h("ul.rows", {}, found.map((one) => h("li", {},
      h("a.row.operation", { href: `/reference/${one.operationId}`, data: { row: "" } }, method(one.method), h("code.break", {}, one.path), h("span.second", {}, one.summary))))))) : h("div.panel", {}, empty("search", t.log.noneFound, "")));
  }
}

function groupOf(path) {
  if (path.startsWith("/api/v1.") || path.includes("oauth")) return "send";
  const [, area, part] = /^\/api\/admin\/v1\/(\w+)(?:\/([\w-]+))?/.exec(path) ?? [];
  if (!area) return "other";
  if (area === "messages") return part === "logs" ? "logs" : part?.includes("preferences") ? "preferences" : ["send", "explain"].includes(part) ? "sending" : "templates";
  return { users: "users", user: "access", session: "access", operators: "access", clients: "access" }[area] ?? "running";
}

function operation(one, document) {
  const [type, media] = Object.entries(one.requestBody?.content ?? {})[0] ?? [];
  const words = (one.parameters ?? []).map((word) => h("li", {}, h("code", {}, word.name), word.required && h("span.required", {}, "*"), " ", h("span.muted", {}, word.in), word.description && h("p", {}, word.description)));
  const answers = Object.entries(one.responses).map(([code, answer]) => {
    const schema = Object.values(answer.content ?? {})[0]?.schema;
    const inside = code.startsWith("2") && schema && fields(schema, document);
    return h("li", {}, badge(code, code.startsWith("2") ? "ok" : "off"), " ", answer.description, inside && h("details", {}, h("summary", {}, t.reference.fields), inside));
  });
  return h("div.split", {},
    h("div.stack", {},
      one.description && h("p", {}, one.description),
      words.length > 0 && section(t.reference.words, {}, h("div.panel-body", {}, h("ul.fields", {}, words))),
      media && section(t.reference.body, { text: type }, h("div.panel-body", {}, fields(media.schema, document) ?? h("p.muted", {}, t.reference.any))),
      section(t.reference.answers, {}, h("div.panel-body", {}, h("ul.fields", {}, answers)))),
    tryIt(one, type, media));
}

/** A request with the operator's own session, and the same as a line for a shell. */
function tryIt(one, type, media) {
  const controls = (one.parameters ?? []).filter((word) => word.in !== "header" || !/authorization/i.test(word.name)).map((word) => ({ word, field: field(`${word.name}${word.required ? " *" : ""}`, input({ placeholder: word.schema?.default !== undefined ? String(word.schema.default) : "", on: { input: draw } })) }));
  const needed = controls.filter(({ word }) => word.required);
  const others = controls.filter(({ word }) => !word.required);
  const body = media && h("textarea.mono", { value: media.example ? JSON.stringify(media.example, null, 2) : type === "application/json" ? "{}" : "", rows: "10", spellcheck: "false", on: { input: draw } });
  const line = h("div", {});
  const answer = h("div", { role: "status" });
  draw();
  return section(t.reference.try, { text: t.reference.tryText }, h("div.panel-body.stack", {}, form([
    needed.map((one) => one.field), others.length > 0 && h("details", {}, h("summary", {}, t.reference.more(others.length)), h("div.form-grid.inside", {}, others.map((one) => one.field))), body && field(t.reference.body, body),
  ], send, { action: t.reference.action, icon: "play" }), h("div.field", {}, h("span.label", {}, t.reference.line), line), answer));

  function request() {
    let path = one.path;
    const query = new URLSearchParams();
    const headers = {};
    for (const { word, field: { control } } of controls) {
      const value = control.value;
      if (word.in === "path") path = path.replace(`{${word.name}}`, value ? encodeURIComponent(value) : `{${word.name}}`);
      else if (value && word.in === "query") query.set(word.name, value);
      else if (value) headers[word.name] = value;
    }
    if (body) headers["Content-Type"] = type;
    return { url: path + (query.size ? `?${query}` : ""), headers, body: body?.value };
  }

  function draw() {
    const { url, headers, body } = request();
    const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
    const isOpen = one.security?.length === 0;
    const parts = [`curl${one.method === "GET" ? "" : ` -X ${one.method}`} ${quote(session.BaseUrl + url)}`, !isOpen && `-H "Authorization: Bearer $HERALD_KEY"`, ...Object.entries(headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`), body && `-d ${quote(body)}`];
    replace(line, copyable(parts.filter(Boolean).join(" \\\n  "), { block: true, label: "curl" }));
  }

  async function send() {
    if (one.method === "DELETE" && !(await confirm({ title: t.reference.deleteTitle, text: request().url, action: t.remove }))) return;
    const { url, headers, body } = request();
    const start = performance.now();
    const reply = await fetch(url, { method: one.method, headers, body, credentials: "same-origin" });
    const text = await reply.text();
    const took = Math.round(performance.now() - start);
    replace(answer, h("div.answer", {}, h("header", {}, badge(`${reply.status} ${reply.statusText}`, reply.ok ? "ok" : "bad"), h("span.muted", {}, milliseconds(took)), reply.headers.get("Location") && h("code.break", {}, reply.headers.get("Location"))),
      h("pre.mail-text", { tabindex: "0", "aria-label": t.reference.answer }, pretty(text))));
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
