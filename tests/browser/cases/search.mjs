// Any text in the log, from the newest message back.

import assert from "node:assert/strict";
import { until } from "../support/appliance.mjs";
import { isTidy, pageTest, shown, signIn } from "../support/browser.mjs";

const ids = (page) => page.locator(".log-rows li").evaluateAll((rows) => rows.map((row) => Number(row.dataset.id)));
const settled = (app) => until("all of them", async () => (await app.get("messages/logs")).every(({ Status }) => !["queued", "sending"].includes(Status)));
const address = (page) => decodeURIComponent(new URL(page.url()).search);

pageTest("the log finds any text, and the address keeps it", { sends: true }, async (page, app) => {
  await app.post("users", { UserName: "anna", Name: "Anna Berg", Email: "anna@example.com", Mobile: "+4790000001" });
  await app.post("users", { UserName: "bo", Name: "Bo Ek", Email: "bo@example.com" });
  await app.world.order("smtp.rcpt next 1 = 550 5.1.1 No such mailbox");
  await app.post("messages/send", { UserId: 1, MessageType: 1, Formats: [0] });
  await settled(app);
  await app.post("messages/send", { UserId: 2, MessageType: 0, Formats: [0], Placeholders: { title: "Quarterly figures", text: "x" } });
  await app.post("messages/send", { UserId: 1, MessageType: 0, Formats: [2], Placeholders: { text: "x" } });
  await settled(app);
  await signIn(page, "/log");
  const field = page.getByRole("combobox", { name: "Find a user, a number or any text" });
  const find = async (text, expected) => {
    await field.fill(text);
    await field.press("Enter");
    await page.locator(".chip").filter({ hasText: `Text: ${text}` }).waitFor();
    await page.getByText(`${expected.length} found · the whole log was searched`).waitFor();
    assert.deepEqual(await ids(page), expected);
    assert.equal(address(page).replaceAll("+", " "), `?search=${text}`);
  };
  await find("no such mailbox", [1]);
  await find("QUARTERLY", [2]);
  const { Guid, History } = await app.get("messages/logs/entries/3");
  await find(Guid, [3]);
  await find(History[0].ProviderMessageID, [3]);
  await page.reload();
  await shown(page, "/log");
  assert.deepEqual(await ids(page), [3]);
  // Nothing is done to all that a text finds: the other filters alone would choose more.
  await page.getByLabel("Any state").selectOption("failed");
  await page.getByText("Nothing fits these filters").waitFor();
  await page.goto("/log?Status=failed&search=mailbox");
  await page.getByText("1 found", { exact: false }).waitFor();
  assert.equal(await page.locator("[data-bulk]").count(), 0);
  await page.getByRole("button", { name: "Drop the filter Text: mailbox" }).click();
  await page.locator("[data-bulk]").waitFor();

  // A name is a user first, and a text if one wants it to be.
  await field.fill("berg");
  await page.getByRole("option", { name: "Anna Berg" }).waitFor();
  await page.getByRole("option", { name: "Text: berg" }).click();
  await page.locator(".chip").filter({ hasText: "Text: berg" }).waitFor();
  assert.equal(address(page), "?Status=failed&search=berg");
  await isTidy(page);
});

pageTest("a search says how far back it came, goes further, and hears of what is new", { sends: true, env: { HERALD_SEARCH_ROWS_MAX: "4" } }, async (page, app) => {
  await app.post("users", { UserName: "anna", Name: "Anna Berg", Email: "anna@example.com" });
  const send = (title) => app.post("messages/send", { UserId: 1, MessageType: 0, Formats: [0], Placeholders: { title, text: "x" } });
  for (const title of ["Old needle", "2", "3", "4", "5", "6", "7", "8", "9"]) await send(title);
  await settled(app);
  await signIn(page, "/log?search=needle");
  await page.getByText("Nothing found so far").waitFor();
  await page.getByText("0 found · searched back to", { exact: false }).waitFor();
  await page.locator(".live.on").waitFor();
  const further = page.getByRole("button", { name: "Search further back" });
  // It says how far, and the answers come one after the other.
  const goFurther = () => Promise.all([page.waitForResponse(/search=needle.*after=\d/), further.click()]);
  await goFurther();
  await page.getByText("Nothing found so far").waitFor();
  await page.waitForFunction(() => !document.querySelector("[data-further]").ariaBusy);
  await goFurther();
  await page.getByText("1 found · the whole log was searched").waitFor();
  assert.deepEqual(await ids(page), [1]);
  await send("New needle");
  await send("Something else");
  await page.getByText("2 found · the whole log was searched").waitFor();
  assert.deepEqual(await ids(page), [10, 1]);
  await isTidy(page);
});

pageTest("whoever has left a field is not shown what it found", {}, async (page, app) => {
  await app.post("users", { UserName: "anna", Name: "Anna Berg" });
  await signIn(page, "/log");
  const field = page.getByRole("combobox", { name: "Find a user, a number or any text" });
  let isLeft = false;
  await page.route("**/users?search=*", async (route) => {
    await until("the field is left", () => isLeft);
    await route.continue();
  });
  const asked = page.waitForRequest("**/users?search=*");
  await field.fill("an");
  await asked;
  await page.keyboard.press("Tab");
  const answered = page.waitForEvent("requestfinished", { predicate: (request) => request.url().includes("/users?search=") });
  isLeft = true;
  await answered;
  // What comes of the answer is done before the frame after the next.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  assert.equal(await page.locator(".options").first().isVisible(), false);
  await field.focus();
  await page.getByRole("option", { name: /Anna Berg/ }).waitFor();
  await isTidy(page);
});
