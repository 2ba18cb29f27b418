// The log as it happens.

import assert from "node:assert/strict";
import { isTidy, pageTest, signIn } from "../support/browser.mjs";

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
