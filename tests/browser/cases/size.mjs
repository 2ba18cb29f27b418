// How much a browser has to load.

import assert from "node:assert/strict";
import { pageTest, shown, signIn } from "../support/browser.mjs";
import { figures } from "../support/runner.mjs";

const FIRST_LOAD_BYTES_MAX = 150_000;

pageTest("the first load is small, and the second takes nothing but the shell", {}, async (page) => {
  const client = await page.context().newCDPSession(page);
  await client.send("Network.enable");
  let [bytes, requests, cached] = [0, 0, 0];
  client.on("Network.loadingFinished", ({ encodedDataLength }) => {
    bytes += encodedDataLength;
    requests += 1;
  });
  client.on("Network.requestServedFromCache", () => (cached += 1));
  await page.goto("/");
  await shown(page, "/signin");
  await page.waitForLoadState("networkidle");
  figures.push(`first load of the pages: ${(bytes / 1000).toFixed(1)} kB in ${requests} replies, headers included`);
  assert.ok(bytes < FIRST_LOAD_BYTES_MAX, `${bytes} bytes`);
  const first = bytes;
  bytes = cached = 0;
  await page.reload();
  await shown(page, "/signin");
  assert.ok(bytes < first / 4, `${bytes} bytes when it is loaded again`);
  await signIn(page, "/templates");
});
