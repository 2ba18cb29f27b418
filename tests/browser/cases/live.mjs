// The log as it happens.

import assert from "node:assert/strict";
import { until } from "../support/appliance.mjs";
import { isTidy, pageTest, signIn, visit } from "../support/browser.mjs";

pageTest("a message appears in the log and changes there without a reload", { sends: true }, async (page, app) => {
  await app.post("users", { UserName: "anna", Email: "anna@example.com", Mobile: "+4790000001" });
  await signIn(page, "/log");
  await page.getByRole("heading", { name: "No message yet" }).waitFor();
  await page.locator(".live.on").waitFor();
  await app.post("outbox/pause", {});
  await app.post("messages/send", { UserId: 1, MessageType: 1, Formats: [0] });
  const row = page.locator("li").filter({ hasText: "anna@example.com" });
  await row.getByText("Waiting").waitFor();
  await app.post("messages/send", { UserId: 1, MessageType: 1, Formats: [2] });
  await page.locator("li").filter({ hasText: "+4790000001" }).getByText("Waiting").waitFor();
  await page.getByLabel("Any format").selectOption("2");
  await row.waitFor({ state: "detached" });
  await app.call("POST", "outbox/resume");
  await page.locator("li").filter({ hasText: "+4790000001" }).getByText("Sent").waitFor();
  assert.equal(await page.locator("[data-row]").count(), 1, "what does not fit the filters does not appear");
  await isTidy(page);
});

pageTest("what happens between the first look and the first news is not missed", { sends: true }, async (page, app) => {
  await app.post("users", { UserName: "anna", Email: "anna@example.com" });
  await app.post("outbox/pause", {});
  await app.post("messages/send", { UserId: 1, MessageType: 1, Formats: [0] });
  await signIn(page, "/users");
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route("**/messages/logs/events", async (route) => {
    await held;
    await route.continue();
  });
  await visit(page, "/log/1");
  await page.getByText("It waits to be sent.").waitFor();
  await app.call("POST", "outbox/resume");
  await until("it is sent", async () => (await app.get("messages/logs/entries/1")).Status === "sent");
  release();
  await page.getByText("The provider took it. Whether it arrived", { exact: false }).waitFor();
});

pageTest("where very many change at once, whoever has read far back stays there", {}, async (page, app) => {
  await app.post("users", { UserName: "anna", Email: "anna@example.com" });
  await app.post("outbox/pause", {});
  for (let n = 0; n < 120; n++) await app.post("messages/send", { UserId: 1, MessageType: 1, Formats: [0] });
  await signIn(page, "/log");
  await page.locator(".live.on").waitFor();
  for (const shown of [50, 100]) {
    await page.getByText(`${shown} of 120`).waitFor();
    await page.getByRole("button", { name: "Show more" }).click();
  }
  const last = page.locator("[data-id='1']");
  await last.locator("[data-row]").focus();
  // One write: more than are told one by one.
  await app.call("POST", "messages/logs/cancel?Status=queued");
  await last.getByText("Cancelled", { exact: true }).waitFor();
  await page.locator("[data-id='120']").getByText("Cancelled", { exact: true }).waitFor();
  assert.equal(await page.locator(".log-rows li").count(), 120);
  assert.equal(await page.evaluate(() => document.activeElement.closest("li").dataset.id), "1");
});
