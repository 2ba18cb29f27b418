// For everyone: with any eyes, in any light, with the keyboard alone, by any address.

import assert from "node:assert/strict";
import { PASSWORD } from "../support/appliance.mjs";
import { pageTest, shown, signIn, visit } from "../support/browser.mjs";
import { PAGES, fill } from "../support/world.mjs";

pageTest("every page has an address of its own that can be opened directly", { sends: true }, async (page, app) => {
  page.refused(400, 404);
  await fill(app);
  await signIn(page);
  for (const to of PAGES) {
    const reply = await page.goto(to);
    assert.equal(reply.status(), 200, to);
    await shown(page, to);
    assert.equal(await page.locator("main h1").count(), 1, to);
  }
  await page.goto("/users");
  await page.getByRole("link", { name: "Anna Berg" }).click();
  await shown(page, "/users/1");
  await page.goBack();
  await shown(page, "/users");
  for (const to of ["/users/4711", "/settings/nothing", "/log/4711"]) {
    await page.goto(to);
    await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
  }
  assert.equal((await page.goto("/nothing")).status(), 404);
  await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
});

pageTest("everything works with the keyboard alone", { sends: true }, async (page, app) => {
  await fill(app);
  const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  const focused = () => page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.value);
  await page.goto("/");
  await shown(page, "/signin");
  await page.waitForFunction(() => document.activeElement.localName === "input");
  await page.keyboard.type("anna");
  await press("Tab");
  await page.keyboard.type(PASSWORD);
  await press("Enter");
  await shown(page, "/");
  await press("?");
  await page.getByRole("heading", { name: "Keyboard shortcuts" }).waitFor();
  await press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });

  await press("g", "l");
  await shown(page, "/log");
  await press("ArrowDown", "ArrowDown");
  assert.match(await focused(), /token-1/);
  await press("Enter");
  await shown(page, "/log/4");
  assert.match(await focused(), /token-1/, "the heading of a new page has the focus");

  // The skip link is the first stop of a fresh page, and leads to the content.
  await page.reload();
  await shown(page, "/log/4");
  await press("Tab");
  assert.equal(await focused(), "Skip to content");

  await press("g", "u");
  await shown(page, "/users");
  await press("/");
  await page.keyboard.type("bj");
  await page.getByRole("row", { name: /anna@/ }).waitFor({ state: "detached" });
  await press("Escape", "ArrowDown", "Enter");
  await shown(page, "/users/2");
  await page.getByRole("link", { name: "Preferences" }).focus();
  await press("Enter");
  await shown(page, "/users/2/preferences");
  await page.getByLabel("E-mail for Announcement").focus();
  await press("Space");
  await page.getByRole("row", { name: /Announcement/ }).getByText("Chosen").waitFor();
  await page.waitForFunction(() => document.querySelector("[aria-label='E-mail for Announcement']").checked);

  await press("g", "l");
  await shown(page, "/log");
  await press("/");
  await page.keyboard.type("anna");
  await page.getByRole("option").first().waitFor();
  await press("Enter");
  await page.getByText("User 1", { exact: true }).waitFor();
  assert.equal(await page.locator("[data-row]").count(), 4);

  await press("Escape", "g", "u");
  await shown(page, "/users");
  await press("n");
  await shown(page, "/users/new");
  await page.keyboard.type("dina");
  await press("Enter");
  await shown(page, "/users/4");
  await page.getByRole("button", { name: "Erase" }).focus();
  await press("Enter");
  await page.getByRole("heading", { name: /Erase dina/ }).waitFor();
  assert.equal(await focused(), "Cancel", "the harmless answer has the focus");
  await press("Tab", "Enter");
  await shown(page, "/users");
  await press("g", "t");
  await shown(page, "/templates");
});

pageTest("light and dark follow the system until somebody chooses", { dark: true }, async (page) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await signIn(page);
  const dark = await ground();
  await page.getByRole("button", { name: "Switch between light and dark" }).click();
  const light = await ground();
  assert.notEqual(light, dark);
  await page.reload();
  await shown(page, "/");
  assert.equal(await ground(), light, "the choice is kept");
});

pageTest("times are local, with UTC for whoever points at them", { sends: true }, async (page, app) => {
  await fill(app);
  await signIn(page, "/log/1");
  const time = page.locator(".sub time");
  const [text, title, datetime] = [await time.innerText(), await time.getAttribute("title"), await time.getAttribute("datetime")];
  const words = (timeZone) => new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone }).format(new Date(datetime));
  assert.deepEqual([text, title], [words("Europe/Oslo"), `${words("UTC")} UTC`]);
});

pageTest("on a phone everything is within reach", { width: 390, height: 844 }, async (page) => {
  await signIn(page);
  await page.getByRole("navigation", { name: "Short" }).getByRole("link", { name: "Users" }).click();
  await shown(page, "/users");
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("link", { name: "Settings" }).click();
  await shown(page, "/settings");
  assert.equal(await page.locator(".sheet").count(), 0);
});
