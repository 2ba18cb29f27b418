// How much a browser has to load.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { until } from "../support/appliance.mjs";
import { pageTest, shown, signIn } from "../support/browser.mjs";
import { figures } from "../support/runner.mjs";
import { FIRST_LOAD_BYTES_MAX, firstLoad } from "../support/size.mjs";

pageTest("the first load is small, and the second takes nothing but the shell", {}, async (page) => {
  const { bytes, replies, again } = await firstLoad(page);
  figures.push(`first load of the pages: ${(bytes / 1000).toFixed(1)} kB in ${replies} replies, headers included`);
  assert.ok(bytes < FIRST_LOAD_BYTES_MAX, `${bytes} bytes`);
  const second = await again();
  assert.ok(second.bytes < bytes / 4, `${second.bytes} bytes when it is loaded again`);
  await signIn(page, "/templates");
});

pageTest("the code of the other pages comes along when somebody has signed in, and not before", {}, async (page) => {
  const come = new Set();
  page.on("requestfinished", (request) => {
    const view = /\/views\/([^/]+\.js)$/.exec(request.url());
    if (view) come.add(view[1]);
  });
  await page.goto("/");
  await shown(page, "/signin");
  await page.waitForLoadState("networkidle");
  assert.deepEqual([...come], ["signin.js"]);
  await signIn(page);
  const all = readdirSync("assets/pages/views").filter((name) => name.endsWith(".js"));
  await until(`all of ${all}`, () => all.every((name) => come.has(name)));
});
