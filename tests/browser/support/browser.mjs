// Debian's Chromium, and a page that is watched: it fails its test for any console error, any request to another host and
// any report of the content security policy.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { PASSWORD, appliance } from "./appliance.mjs";
import { test } from "./runner.mjs";

const require = createRequire(resolve("target/browser/package.json"));
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const TIMEOUT_MS = 15000;

let browser;
const launch = () => (browser ??= chromium.launch({ executablePath: "/usr/bin/chromium", headless: true, args: FLAGS }));
/** Ends Chromium. */
export const close = async () => (await browser)?.close();

/** A watched page. `refused(status, …)` says which answers of the appliance the test provokes: Chromium logs them as errors. */
export async function open(app, { width = 1440, height = 900, dark = false, reduced = true } = {}) {
  const context = await (await launch()).newContext({
    baseURL: app.url, viewport: { width, height }, colorScheme: dark ? "dark" : "light", locale: "en-GB", timezoneId: "Europe/Oslo",
    reducedMotion: reduced ? "reduce" : "no-preference", permissions: ["clipboard-read", "clipboard-write"],
  });
  context.setDefaultTimeout(TIMEOUT_MS);
  const page = await context.newPage();
  const problems = [];
  const expected = new Set();
  page.refused = (...statuses) => statuses.forEach((status) => expected.add(String(status)));
  page.mayLog = null;
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    const status = /responded with a status of (\d+)/.exec(message.text())?.[1];
    if (expected.has(status) || page.mayLog?.test(message.text())) return;
    problems.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (fault) => problems.push(`page error: ${fault.stack}`));
  // What the policy stops is announced as a request and never made; the console tells of it.
  const asked = (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== new URL(app.url).origin && !["blob:", "data:", "about:"].includes(protocol)) problems.push(`another host: ${request.url()}`);
  };
  page.on("requestfinished", asked);
  page.on("requestfailed", (request) => request.failure()?.errorText === "csp" || asked(request));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
  });
  page.problems = problems;
  page.finish = async () => {
    await context.close();
    assert.deepEqual(problems, []);
  };
  return page;
}

/** Signs in and waits for the first page. */
export async function signIn(page, to = "/") {
  await page.goto(to);
  await page.getByLabel("User name").fill("anna");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await shown(page, to);
}

/** Goes to an address as a link would, without loading the shell anew. */
export async function visit(page, to) {
  await page.evaluate((to) => {
    delete document.documentElement.dataset.shown;
    const link = document.createElement("a");
    link.href = to;
    document.body.append(link);
    link.click();
    link.remove();
  }, to);
  await shown(page, to);
}

/** Waits until the view of this address is there. */
export async function shown(page, to) {
  await page.waitForFunction((path) => document.documentElement.dataset.shown === path, to.split("?")[0]);
}

/** Demands that the words of the page are words. */
export async function isTidy(page) {
  const text = await page.locator("body").innerText();
  for (const word of ["undefined", "[object", "NaN", "Invalid Date"]) assert.ok(!text.includes(word), `the page says ${word}:\n${text}`);
}

/** Demands that axe finds nothing serious. */
export async function isAccessible(page, where) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"], iframes: false }));
  const grave = found.violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assert.deepEqual(grave.map(({ id, nodes }) => `${where}: ${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join(" | ")}`), []);
}

/** A test with an appliance and a watched page of its own. */
export function pageTest(name, options, body) {
  test(name, async () => {
    const app = await appliance(options);
    try {
      const page = await open(app, options);
      try {
        await body(page, app);
      } catch (fault) {
        const picture = join(process.env.HERALD_PICTURES || tmpdir(), `${name.replace(/\W+/g, "-")}.png`);
        await page.screenshot({ path: picture, fullPage: true }).catch(() => {});
        fault.message += `\n(${page.url()}, ${picture}; ${page.problems.join("\n")})`;
        throw fault;
      }
      await page.finish();
    } finally {
      await app.stop();
    }
  });
}

