// Keys for applications.

import assert from "node:assert/strict";
import { isTidy, pageTest, signIn } from "../support/browser.mjs";

pageTest("a key is made, shown once, used, seen as used, and revoked", {}, async (page, app) => {
  const { Guid } = await app.post("users", { UserName: "anna", Email: "anna@example.com" });
  await signIn(page, "/settings/keys");
  await page.getByRole("button", { name: "New key" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Label").fill("Web shop");
  await dialog.getByLabel("May").selectOption("own");
  await dialog.getByLabel("Send messages, and change users, devices and preferences").check();
  await dialog.getByRole("button", { name: "New key" }).click();
  await page.getByRole("heading", { name: "Your new key" }).waitFor();
  const key = await page.getByRole("dialog").locator(".copyable code").first().innerText();
  await page.getByRole("button", { name: "Copy Key" }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);

  const send = (bearer) => fetch(`${app.url}/api/v1.3/communication/messages/${Guid}/send`, { method: "POST", headers: { Authorization: `Bearer ${bearer}`, "Content-Type": "application/json" }, body: JSON.stringify({ deliveryMethod: "email", messageType: "welcome" }) });
  assert.equal((await send(key)).status, 202);
  const settings = await fetch(`${app.url}/api/admin/v1/settings`, { headers: { Authorization: `Bearer ${key}` } });
  assert.equal(settings.status, 403);

  await page.getByRole("button", { name: "I have copied it" }).click();
  const row = page.getByRole("row", { name: /Web shop/ });
  await row.getByText("Send messages, and change users, devices and preferences").waitFor();
  assert.equal(await row.getByText("Never").count(), 1, "it was used, and only its end is never");
  assert.ok(!(await page.locator("body").innerText()).includes(key), "the key is shown once");
  await isTidy(page);
  await page.getByRole("button", { name: "Revoke Web shop" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await row.waitFor({ state: "detached" });
  assert.equal((await send(key)).status, 401);
});
