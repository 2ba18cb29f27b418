// What is stored is text, whatever it looks like; what is shown in a frame stays there; other sites change nothing.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { PASSWORD, until } from "../support/appliance.mjs";
import { pageTest, shown, signIn, visit } from "../support/browser.mjs";
import { PAGES, fill } from "../support/world.mjs";

const HIT = "window.hit=1";
const STRINGS = [
  `<script>${HIT}</script>`, `<img src=x onerror=${HIT}>`, `<svg onload=${HIT}>`, `"><script>${HIT}</script>`, `'><img src=x onerror=${HIT}>`, `</textarea><script>${HIT}</script>`, `</title><svg/onload=${HIT}>`,
  `<iframe srcdoc="<script>parent.hit=1</script>">`, `<a href="javascript:${HIT}">x</a>`, `javascript:${HIT}`, `<body onload=${HIT}>`, `<details open ontoggle=${HIT}>`, `<input autofocus onfocus=${HIT}>`, `<video><source onerror=${HIT}></video>`,
  `<math><mtext></table><mglyph><style><img src=x onerror=${HIT}>`, `<template><script>${HIT}</script></template>`, `<base href="https://evil.example/">`, `<link rel=stylesheet href="https://evil.example/x.css">`, `<style>*{display:none}</style>`,
  `<meta http-equiv=refresh content="0;url=https://evil.example/">`, `<form action="https://evil.example/"><button>x`, `\${${HIT}}`, `{{constructor.constructor('${HIT}')()}}`, `<!--><img src=x onerror=${HIT}>-->`, `<object data="javascript:${HIT}">`, `<embed src="javascript:${HIT}">`,
  `" onmouseover="${HIT}" x="`, `' onfocus='${HIT}' autofocus='`, `\u202e<script>${HIT}</script>`, `<noscript><p title="</noscript><img src=x onerror=${HIT}>">`,
];

/** Fills every field that takes text, with as many rows as there are strings. */
async function store(app, word) {
  await fill(app, word);
  for (let n = 0; n < STRINGS.length; n++) {
    await app.post("users", { UserName: `${n} ${word(n)}`, Name: word(n), Attributes: { [`key ${word(n)}`]: word(n + 1) } });
    if (n < 15) await app.post("users/1/devices", { Label: word(n), Token: `token-of-${n}` });
    await app.post("clients", { Label: word(n), Scopes: ["relesys.api.logs:read"] });
    await app.post("messages/types", { Slug: `type-${n}`, Name: word(n), IsNotification: true, IsSystem: true, Placeholders: [{ Name: "w", Meaning: word(n), Sample: word(n + 1) }] });
    await app.post("messages/send", { UserId: 1, MessageType: 0, Formats: [[0, 2, 3][n % 3]], Placeholders: { title: word(n), text: word(n + 1) } });
  }
  await app.post("settings", { AppName: word(0) });
  await app.post("outbox/pause", { Reason: word(3) });
  await until("all of them", async () => (await app.get("messages/logs")).every(({ Status }) => !["sending"].includes(Status)));
}

/** How many elements of each kind a page has, and every attribute that could be a handler. */
const shape = (page) => page.evaluate(() => {
  const counts = {};
  const handlers = [];
  for (const element of document.querySelectorAll("*")) {
    counts[element.localName] = (counts[element.localName] ?? 0) + 1;
    for (const { name, value } of element.attributes) if (/^on|^srcdoc$/.test(name) || /^\s*javascript:/i.test(value) && ["href", "src", "action"].includes(name)) handlers.push(`${name}=${value}`);
  }
  // How often a mark of text is split depends on the text itself: placeholders in the editor, dear characters in an SMS.
  return { counts, handlers, hit: window.hit };
});

pageTest("30 hostile strings in every stored field add no node and no handler", { sends: true }, async (page, app) => {
  page.refused(400);
  await store(app, (n) => STRINGS[n % STRINGS.length]);
  await signIn(page);
  const places = [...PAGES, "/types/100", "/users/5", "/users/5/send?type=100", "/log/6", "/log/7", "/log/8"];
  for (const to of places) {
    await visit(page, to);
    await page.waitForTimeout(0);
    const { counts, handlers, hit } = await shape(page);
    assert.equal(hit, undefined, to);
    assert.deepEqual(handlers, [], to);
    for (const word of ["base", "object", "embed", "video", "math", "template", "meta"]) assert.equal(counts[word] ?? 0, { meta: 3 }[word] ?? 0, `${to}: ${word}`);
    assert.deepEqual([counts.script, counts.style ?? 0, counts.body], [2, 0, 1], to);
    assert.ok(await page.evaluate(() => [...document.images].every((image) => image.src.endsWith("/icon.svg")) && [...document.querySelectorAll("iframe")].every((frame) => frame.sandbox.length === 0 && frame.hasAttribute("sandbox"))), to);
  }
  await visit(page, "/users?search=script");
  await page.getByRole("link", { name: STRINGS[0], exact: true }).first().waitFor();
});

/** A mail that tries to get out, to a place that listens. */
const prisoner = (evil) => `<p id="here">I am here</p><script>parent.hit=1;top.hit=1</script><img src="${evil}/pixel.png"><img src="/users"><link rel="stylesheet" href="${evil}/a.css"><style>p{background:url(${evil}/b.png);color:red}@import "${evil}/c.css";</style>
<iframe src="/users"></iframe><form action="${evil}/" method="post"><button id="send">Send</button></form><a id="out" href="${evil}/" target="_top">Out</a><a id="in" href="/users">In</a><svg onload="top.hit=1"></svg><meta http-equiv="refresh" content="0;url=${evil}/"><object data="${evil}/o"></object>`;

/** A server of somebody else's, and what it was asked for. */
async function stranger(html = "") {
  const asked = [];
  const server = createServer((request, reply) => {
    asked.push(`${request.method} ${request.url}`);
    reply.writeHead(200, { "Content-Type": "text/html" }).end(html);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, asked, close: () => server.close() };
}

pageTest("a previewed mail cannot reach the page around it, nor anything else", {}, async (page, app) => {
  page.mayLog = /127\.0\.0\.1|Blocked|sandbox|Content Security Policy|violates|frame/i;
  const evil = await stranger();
  await signIn(page, "/templates/new?type=1&format=0&language=en-GB");
  await page.getByLabel("Sender").fill("a@example.com");
  await page.getByLabel("Subject").fill("x");
  const lines = () => app.log().split("\n").filter((line) => / GET \/users /.test(line)).length;
  const before = lines();
  await page.getByLabel("HTML").fill(prisoner(evil.url));
  const frame = page.frameLocator("iframe");
  await frame.getByText("I am here").waitFor();
  assert.equal(await frame.locator("#here").evaluate((here) => getComputedStyle(here).color), "rgb(255, 0, 0)", "a mail keeps its styles");
  for (const place of ["#send", "#out"]) await frame.locator(place).click();
  await page.getByLabel("Subject").fill("y");
  await page.locator(".mail-head b").getByText("y", { exact: true }).waitFor();
  assert.equal(await page.evaluate(() => window.hit), undefined);
  assert.equal(new URL(page.url()).pathname, "/templates/new");
  assert.equal(page.context().pages().length, 1);
  assert.deepEqual([evil.asked, lines()], [[], before], "neither another host nor the appliance was asked for anything");
  // A link to a page of ours may be followed inside the frame, and shows nothing there.
  await frame.locator("#in").click();
  await until("the refusal", () => page.frames().some((frame) => frame.url().startsWith("chrome-error:")));
  assert.equal(new URL(page.url()).pathname, "/templates/new");
  evil.close();
});

pageTest("other sites cannot change anything with the operator's session", {}, async (page, app) => {
  page.refused(401, 403, 404, 405, 415);
  page.mayLog = /CORS|Cross-Origin|blocked/i;
  await signIn(page);
  // Another port of the same machine is the same site: the cookie goes along, and only the origin tells them apart.
  const html = `<!doctype html><form id="form" method="post" enctype="text/plain" action="${app.url}/api/admin/v1/users"><input name='{"UserName":"forged","x":"' value='"}'></form>`;
  const site = await stranger(html);
  const other = await page.context().newPage();
  try {
    await other.goto(`${site.url}/`);
    const outcomes = await other.evaluate(async (url) => {
      const send = (path, body, type) => fetch(`${url}${path}`, { method: "POST", mode: "no-cors", credentials: "include", headers: { "Content-Type": type }, body }).then((reply) => reply.type, (fault) => fault.name);
      const form = "application/x-www-form-urlencoded";
      return [await send("/api/admin/v1/users", '{"UserName":"forged"}', "text/plain"), await send("/preview", "html=forged", form), await send("/api/admin/v1/outbox/pause", "{}", "text/plain"), await send("/api/admin/v1/user/logoff", "", form)];
    }, app.url);
    assert.deepEqual(outcomes, ["opaque", "opaque", "opaque", "opaque"], "they were sent, and nothing of the answers is seen");
    const [reply] = await Promise.all([other.waitForNavigation(), other.evaluate(() => document.getElementById("form").submit())]);
    assert.equal(reply.status(), 403);
    // A page of ours in another's frame stays empty.
    await other.goto(`${site.url}/`);
    await other.evaluate((url) => document.body.append(Object.assign(document.createElement("iframe"), { src: `${url}/users`, id: "framed" })), app.url);
    await until("the refusal", async () => (await Promise.all(other.frames().map((frame) => frame.url()))).some((url) => url.startsWith("chrome-error:")));
  } finally {
    site.close();
    await other.close();
  }
  assert.deepEqual(await app.get("users"), []);
  assert.equal((await app.get("outbox")).Paused, false);
  await page.reload();
  await shown(page, "/");
});

pageTest("what leads to a page after signing in is a page of ours", {}, async (page) => {
  await page.goto("/signin?to=//evil.example/");
  await page.getByLabel("User name").fill("anna");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await shown(page, "/");
});
