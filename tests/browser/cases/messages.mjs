// Sending, what became of it, and sending again.

import assert from "node:assert/strict";
import { until } from "../support/appliance.mjs";
import { isTidy, pageTest, shown, signIn, visit } from "../support/browser.mjs";

const ANNA = { UserName: "anna", Name: "Anna Berg", Email: "anna@example.com", Mobile: "+4790000001", Language: "en-GB" };

pageTest("preferences are changed, explained before sending, and obeyed", { sends: true }, async (page, app) => {
  page.refused(400);
  await app.post("users", ANNA);
  await signIn(page, "/users/1/preferences");
  const row = page.getByRole("row", { name: /Announcement/ });
  await row.getByText("Default").waitFor();
  await page.getByLabel("SMS for Announcement").check();
  await row.getByText("Chosen").waitFor();
  await page.getByLabel("E-mail for Announcement").uncheck();
  await until("the preference", async () => {
    const [{ IsEmail, IsSMS, IsPush }] = await app.get("messages/preferences/1");
    return !IsEmail && IsSMS && !IsPush;
  });

  await visit(page, "/users/1/send");
  await page.getByText("The placeholder 'text' has no value", { exact: false }).waitFor();
  await page.getByLabel("text", { exact: true }).fill("The canteen is open.");
  await page.getByText("The channel is sms.").waitFor();
  await page.getByText("The user's preference for this type.").waitFor();
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByText("The provider took it").first().waitFor();
  await isTidy(page);
  assert.deepEqual((await app.world.taken()).map(({ Service, To }) => [Service, To]), [["twilio", ["+4790000001"]]]);

  await visit(page, "/users/1/preferences");
  await page.getByLabel("SMS for Announcement").uncheck();
  await page.getByText("Not wanted").waitFor();
  await visit(page, "/users/1/send");
  await page.getByLabel("text", { exact: true }).fill("The canteen is closed.");
  await page.getByText("The user has switched this type off.").first().waitFor();
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByText("Nothing was sent: the user does not want it.").waitFor();
  assert.equal((await app.world.taken()).length, 1);

  // What was chosen can be taken back, and then the type's default counts.
  await visit(page, "/users/1/preferences");
  await page.getByRole("button", { name: "Back to the default for Announcement" }).click();
  await row.getByText("Default", { exact: true }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Back to the default for Announcement" }).count(), 0);
  assert.equal(await page.getByLabel("E-mail for Announcement").isChecked(), true);
  assert.deepEqual(await app.get("messages/preferences/1"), []);
});

pageTest("a preference that no template covers goes back and says why", {}, async (page, app) => {
  page.refused(400);
  await app.post("users", ANNA);
  const { ID } = await app.post("messages/types", { Slug: "news", Name: "News", IsNotification: true });
  await signIn(page, "/users/1/preferences");
  const box = page.getByLabel("Push for News");
  await box.click();
  await page.getByRole("row", { name: /News/ }).getByText(/template/).waitFor();
  assert.equal(await box.isChecked(), false);
  assert.deepEqual(await app.get(`messages/preferences/1?NotificationType=${ID}`), []);
});

pageTest("a failed message says why, and goes out when it is sent again", { sends: true }, async (page, app) => {
  await app.post("users", ANNA);
  await app.world.order("smtp.rcpt next 1 = 550 5.1.1 No such user here");
  await app.post("messages/send", { UserId: 1, MessageType: 1 });
  await until("the failure", async () => (await app.get("messages/logs"))[0].Status === "failed");
  await signIn(page, "/log");
  await page.getByRole("link", { name: /anna@example.com/ }).click();
  await shown(page, "/log/1");
  await page.getByText("It was not sent.").waitFor();
  await page.getByText("Check the address first", { exact: false }).waitFor();
  assert.equal(await page.locator("blockquote").innerText(), "550 5.1.1 No such user here");
  const frame = page.frameLocator("iframe");
  await frame.getByText("Hello Anna Berg,").waitFor();
  await page.getByRole("button", { name: "Send again" }).click();
  await page.getByText("The provider took it. Whether it arrived", { exact: false }).waitFor();
  await page.getByText("Attempt 2", { exact: false }).waitFor();
  await isTidy(page);
  assert.equal((await app.world.taken()).length, 1);
});

pageTest("what failed alike is sent again together from the first page", { sends: true }, async (page, app) => {
  for (let n = 1; n <= 23; n++) await app.post("users", { UserName: `user${n}`, Email: `user${n}@example.com` });
  await app.world.order("smtp.rcpt = 550 5.7.1 Blocked");
  for (let n = 1; n <= 23; n++) await app.post("messages/send", { UserId: n, MessageType: 1 });
  await until("the failures", async () => (await app.get("messages/logs/causes"))[0]?.Count === 23);
  await app.world.mend();
  await signIn(page, "/");
  const again = page.getByRole("button", { name: "Send these 23 again" });
  await again.waitFor();
  await isTidy(page);
  await again.click();
  await page.getByRole("dialog").getByRole("button", { name: "Send these 23 again" }).click();
  await page.getByText("23 go out again").waitFor();
  await until("all of them", async () => (await app.world.taken()).length === 23);
  await until("no cause left", async () => (await app.get("messages/logs/causes")).length === 0);
});

pageTest("a message that waits is cancelled", { sends: true }, async (page, app) => {
  await app.post("users", ANNA);
  await app.post("messages/send", { UserId: 1, MessageType: 1, SendAt: "2100-01-01T01:01:01Z" }).catch(() => {});
  await app.post("outbox/pause", { Reason: "a test" });
  await app.post("messages/send", { UserId: 1, MessageType: 1 });
  const [{ ID }] = await app.get("messages/logs");
  await signIn(page, `/log/${ID}`);
  await page.getByText("Sending is paused.").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel it" }).click();
  await page.getByText("Somebody cancelled it.").waitFor();
  await page.getByText("Cancelled by anna.").first().waitFor();
  assert.equal((await app.get(`messages/logs/entries/${ID}`)).Status, "cancelled");
});
