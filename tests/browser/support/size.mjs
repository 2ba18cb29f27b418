// How much a browser has to load.

import { shown } from "./browser.mjs";

/** What README promises of the first load, headers included. */
export const FIRST_LOAD_BYTES_MAX = 60_000;

/** Loads the first page into a browser that has nothing yet: bytes and replies. `again()` loads it once more. */
export async function firstLoad(page) {
  const client = await page.context().newCDPSession(page);
  await client.send("Network.enable");
  let counted = { bytes: 0, replies: 0 };
  client.on("Network.loadingFinished", ({ encodedDataLength }) => {
    counted.bytes += encodedDataLength;
    counted.replies += 1;
  });
  const count = async (load) => {
    counted = { bytes: 0, replies: 0 };
    await load();
    await shown(page, "/signin");
    await page.waitForLoadState("networkidle");
    return counted;
  };
  return { ...await count(() => page.goto("/")), again: () => count(() => page.reload()) };
}
