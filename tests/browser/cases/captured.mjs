// What the appliance kept to itself, and let go.

import assert from "node:assert/strict";
import { until } from "../support/appliance.mjs";
import { isTidy, pageTest, shown, signIn, visit } from "../support/browser.mjs";

pageTest("captured mail, SMS and push are shown, found by recipient, and released", { world: true }, async (page, app) => {
  await app.post("users", { UserName: "anna", Name: "Anna Berg", Email: "anna@example.com", Mobile: "+4790000001" });
  await app.post("users", { UserName: "bo", Name: "Bo", Email: "bo@example.com" });
  await app.post("users/1/devices", { Label: "Phone", Token: "token-of-anna" });
  await app.post("messages/send", { UserId: 1, MessageType: 1, Formats: [0, 2, 3] });
  await app.post("messages/send", { UserId: 2, MessageType: 1, Formats: [0] });
  await until("four messages", async () => (await app.get("captured")).length === 4);
  await signIn(page, "/captured");
  await page.frameLocator("iframe").getByText("Hello Bo,").waitFor();
  await page.getByLabel("Search by recipient").fill("anna");
  await page.frameLocator("iframe").getByText("Hello Anna Berg,").waitFor();
  assert.equal(await page.locator(".captured-row").count(), 1);
  await page.getByRole("button", { name: "Source" }).click();
  assert.match(await page.locator(".source").innerText(), /^Message-ID:|^From:|^To:/m);
  await page.getByRole("button", { name: "SMS and push" }).click();
  await page.getByRole("region", { name: "SMS" }).getByText("None.").waitFor();
  await page.getByLabel("Search by recipient").fill("");
  await page.getByRole("region", { name: "SMS" }).getByText("+4790000001").waitFor();
  await page.getByRole("region", { name: "Push" }).getByText("token-of-anna").waitFor();
  await isTidy(page);

  await app.post("providers", { Channel: "email", Url: `${app.world.smtp}&from=noreply%40example.com` });
  await visit(page, "/captured?search=anna&show=mail");
  await page.getByRole("button", { name: "Release" }).click();
  await page.getByRole("dialog").getByLabel("To").fill("me@example.com");
  await page.getByRole("button", { name: "Send it" }).click();
  await page.getByRole("heading", { name: "me@example.com" }).waitFor();
  await page.getByText("The provider took it").first().waitFor();
  assert.deepEqual((await app.world.taken()).map(({ To }) => To), [["me@example.com"]]);

  await visit(page, "/captured?search=bo%40&show=mail");
  await page.getByRole("button", { name: "Remove: bo@example.com" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await page.getByText("Nothing was captured for that recipient").waitFor();
  await shown(page, "/captured");
});

/** An appliance that has captured `count` messages to each address of a user, the first one to the user `first`. */
async function withMany(app, count, formats) {
  await app.post("users", { UserName: "first", Name: "First", Email: "first@example.org", Mobile: "+4790000009" });
  await app.post("users", { UserName: "anna", Name: "Anna Berg", Email: "anna@example.com", Mobile: "+4790000001" });
  await app.post("messages/send", { UserId: 1, MessageType: 1, Formats: formats });
  await until("the first", async () => (await app.get("captured")).length === formats.length);
  for (let n = 1; n <= count; n++) await app.post("messages/send", { UserId: 2, MessageType: 0, Formats: formats, Placeholders: { title: `Number ${n}`, text: `Text ${n}` } });
  await until("all of them", async () => (await app.get(`captured?pageSize=500`)).length === (count + 1) * formats.length);
}

pageTest("captured mail is read page by page to the oldest, and each page has its address", {}, async (page, app) => {
  await withMany(app, 64, [0]);
  await signIn(page, "/captured");
  const rows = page.locator(".captured-row");
  await page.getByText("65 in all").waitFor();
  assert.equal(await rows.count(), 30);
  assert.equal(await page.getByRole("button", { name: "Newest" }).count(), 0);
  const older = async (first) => {
    await page.getByRole("button", { name: "Older" }).click();
    await page.waitForFunction((first) => Number(document.querySelector(".captured-row")?.dataset.id) === first, first);
  };
  await older(35);
  await older(5);
  await page.frameLocator("iframe").getByText("Text", { exact: false }).first().waitFor();
  assert.equal(await rows.count(), 5);
  assert.equal(await page.getByRole("button", { name: "Older" }).count(), 0);
  await rows.last().click();
  await page.frameLocator("iframe").getByText("Hello First,").waitFor();
  assert.equal(page.url(), `${app.url}/captured/1?email=6`);

  // The address says it all: the page, and the mail that is open.
  await page.reload();
  await shown(page, "/captured/1");
  await page.frameLocator("iframe").getByText("Hello First,").waitFor();
  assert.deepEqual(await rows.evaluateAll((rows) => rows.map((row) => row.dataset.id)), ["5", "4", "3", "2", "1"]);
  assert.equal(await page.locator(".captured-row[aria-current]").getAttribute("data-id"), "1");
  await page.getByRole("button", { name: "Newest" }).click();
  await page.locator(".captured-row[data-id='65']").waitFor();
  assert.equal(page.url(), `${app.url}/captured`);

  // Whom it went to is found however long ago that was.
  await page.getByLabel("Search by recipient").fill("FIRST@");
  await page.getByText("1 in all").waitFor();
  await page.frameLocator("iframe").getByText("Hello First,").waitFor();
  assert.equal(page.url(), `${app.url}/captured?search=FIRST%40`);
  await isTidy(page);
});

pageTest("captured SMS and push are read back each for itself, and each has its address", {}, async (page, app) => {
  await withMany(app, 34, [2]);
  await signIn(page, "/captured");
  const sms = page.getByRole("region", { name: "SMS" });
  await sms.getByText("35 in all").waitFor();
  assert.equal(await sms.locator("article").count(), 30);
  await sms.getByRole("button", { name: "Older" }).click();
  await sms.getByText("+4790000009").waitFor();
  assert.equal(await sms.locator("article").count(), 5);
  assert.equal(page.url(), `${app.url}/captured?show=short&sms=6`);
  await page.reload();
  await sms.getByText("+4790000009").waitFor();
  await sms.getByRole("button", { name: "Newest" }).click();
  await page.waitForFunction(() => document.querySelectorAll("article").length === 30);
  // A link to one SMS leads to where it stands.
  await visit(page, "/captured/3");
  assert.deepEqual(await sms.locator("article").evaluateAll((all) => all.map((one) => one.dataset.id)), ["3", "2", "1"]);
});

pageTest("what is captured arrives live, and whoever reads is left in peace", {}, async (page, app) => {
  await withMany(app, 31, [0]);
  await signIn(page, "/captured");
  await page.locator(".live.on").waitFor();
  const rows = page.locator(".captured-row");
  // Two connections capture at once: which number came as which is left open.
  const number = /\d+/.exec(await rows.nth(1).locator(".second").innerText())[0];
  await rows.nth(1).click();
  await page.frameLocator("iframe").getByText(`Text ${number}`, { exact: false }).waitFor();
  await page.evaluate(() => (document.querySelector("iframe").dataset.mine = "yes"));
  await app.post("messages/send", { UserId: 1, MessageType: 0, Formats: [0], Placeholders: { title: "Late", text: "News" } });
  await page.locator(".captured-row[data-id='33']").waitFor();
  assert.equal(await rows.count(), 30);
  assert.equal(await page.locator("iframe").getAttribute("data-mine"), "yes", "the open mail is not loaded anew");
  assert.equal(await page.locator(".captured-row[aria-current]").getAttribute("data-id"), "31");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.id), "31", "the focus stays where it was");

  // Further back nothing moves, and only what fits the search arrives.
  await page.getByRole("button", { name: "Older" }).click();
  await page.locator(".captured-row[data-id='3']").waitFor();
  await app.post("messages/send", { UserId: 2, MessageType: 0, Formats: [0], Placeholders: { title: "Later", text: "More news" } });
  await until("the other", async () => (await app.get("captured"))[0].Subject === "Later");
  await page.getByLabel("Search by recipient").fill("first");
  await page.locator(".captured-row[data-id='33']").waitFor();
  assert.deepEqual(await rows.evaluateAll((rows) => rows.map((row) => row.dataset.id)), ["33", "1"]);
  await app.post("messages/send", { UserId: 2, MessageType: 0, Formats: [0], Placeholders: { title: "Latest", text: "Even more" } });
  await until("the one before the last", async () => (await app.get("captured"))[0].Subject === "Latest");
  await app.post("messages/send", { UserId: 1, MessageType: 0, Formats: [0], Placeholders: { title: "Last", text: "The last" } });
  await page.getByText("3 in all").waitFor();
  assert.deepEqual(await rows.evaluateAll((rows) => rows.map((row) => row.dataset.id)), ["36", "33", "1"]);
});
