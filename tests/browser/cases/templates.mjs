// Templates: made, seen, tested, sent; refused where they are wrong.

import assert from "node:assert/strict";
import { until } from "../support/appliance.mjs";
import { isTidy, pageTest, shown, signIn, visit } from "../support/browser.mjs";

const NORA = { UserName: "nora", Name: "Nora Lie", Email: "nora@example.com", Language: "nb-NO" };

pageTest("a template is made where the map shows a gap, previewed, tested and sent", { sends: true }, async (page, app) => {
  page.refused(400);
  await app.post("users", NORA);
  await app.post("users", { UserName: "emma", Name: "Emma", Email: "emma@example.com", Language: "en-GB" });
  await signIn(page, "/templates");
  await page.getByRole("table", { name: "Coverage" }).waitFor();
  await isTidy(page);
  await page.getByRole("link", { name: /Norwegian.*1 user falls back to English/ }).nth(1).click();
  await shown(page, "/templates/new");
  assert.deepEqual([await page.getByLabel("Type").inputValue(), await page.getByLabel("Language").inputValue()], ["1", "nb-NO"]);
  await page.getByLabel("Sender").fill("Acme <hello@acme.example>");
  await page.getByLabel("Subject").fill("Velkommen, ");
  await page.getByLabel("Subject").press("End");
  await page.getByRole("button", { name: "user.name", exact: true }).click();
  assert.equal(await page.getByLabel("Subject").inputValue(), "Velkommen, {{ user.name }}");
  await page.getByLabel("HTML").fill("<p style=\"color: rgb(200, 0, 0)\">Hei {{ user.name }}!</p>");
  await page.getByLabel("Text", { exact: true }).fill("");
  await page.frameLocator("iframe").getByText("Hei Anna Berg!").waitFor();
  await page.getByText("The text part is made from the HTML", { exact: false }).waitFor();
  await page.getByRole("combobox", { name: "See it as a user" }).fill("nora");
  await page.getByRole("option", { name: /Nora Lie/ }).click();
  await page.frameLocator("iframe").getByText("Hei Nora Lie!").waitFor();
  await page.locator(".mail-head b").getByText("Velkommen, Nora Lie").waitFor();
  await page.getByRole("button", { name: "Save" }).click();
  await page.waitForURL(/\/templates\/\d+$/);
  await page.getByText("Saved").first().waitFor();

  await page.getByRole("button", { name: "Test", exact: true }).click();
  await page.getByRole("dialog").getByLabel("E-mail").fill("tester@example.com");
  await page.getByRole("button", { name: "Send test" }).click();
  await page.getByText("The provider took it.").waitFor();
  await page.getByRole("link", { name: "See what happened" }).click();
  await page.getByRole("heading", { name: "tester@example.com" }).waitFor();

  await visit(page, "/users/1/send?type=1");
  await page.getByText("The template is", { exact: false }).first().waitFor();
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByText("The provider took it").first().waitFor();
  assert.deepEqual((await app.world.taken()).map(({ To, Subject }) => [To[0], Subject]), [["tester@example.com", "Velkommen, Anna Berg"], ["nora@example.com", "Velkommen, Nora Lie"]]);
});

pageTest("a broken template is refused at its line", {}, async (page, app) => {
  page.refused(400);
  const before = (await app.get("messages/templates/list")).length;
  await signIn(page, "/templates/new?type=1&format=2&language=de");
  await page.getByLabel("Text", { exact: true }).fill("Hallo {{ user.name }},\nwillkommen.\nHier: {{ loginUrk }}");
  await page.getByText(/^Line 3, column \d+: .*loginUrk/).waitFor();
  assert.equal(await page.locator(".code-shown > .bad").innerText(), "Hier: {{ loginUrk }}");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator(".form > .notice").getByText("Body, line 3, column", { exact: false }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.value.slice(document.activeElement.selectionStart).startsWith("loginUrk")), true);
  assert.equal((await app.get("messages/templates/list")).length, before);
  await page.getByLabel("Text", { exact: true }).fill("Hallo {{ user.name }}\n{% if loginUrl %}{{ loginUrl }}");
  await page.getByText(/^Line 2, column \d+: /).waitFor();
  await page.getByLabel("Text", { exact: true }).fill("Hallo {{ user.name }} 😀");
  await page.locator(".bubble mark").waitFor();
  await page.getByText("Dear characters: 😀").waitFor();
  await page.getByText("UCS-2", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Save" }).click();
  await page.waitForURL(/\/templates\/\d+$/);
  assert.equal((await app.get("messages/templates/list")).length, before + 1);
});

pageTest("history shows what differs and brings a version back", {}, async (page, app) => {
  await signIn(page, "/templates/6");
  const body = page.getByLabel("Text", { exact: true });
  const first = await body.inputValue();
  await body.fill(`${first}One line more.`);
  await page.getByText("Not saved yet").waitFor();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved").first().waitFor();
  await page.getByRole("button", { name: "History" }).click();
  await page.getByRole("dialog").locator("[data-version]").last().click();
  await page.locator(".diff .added").getByText("One line more.").waitFor();
  await isTidy(page);
  await page.getByRole("button", { name: /^Restore version/ }).click();
  await page.getByText(/^Version \d+ is back$/).waitFor();
  await until("the old text", async () => (await app.get("messages/templates/6")).Body === first);
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await page.getByRole("dialog").getByLabel("Language").fill("fr-FR");
  await page.getByRole("dialog").getByRole("button", { name: "Copy", exact: true }).click();
  await shown(page, "/templates/new");
  assert.deepEqual([await page.getByLabel("Language").inputValue(), await page.getByLabel("Text", { exact: true }).inputValue()], ["fr-FR", first]);
});

pageTest("what was changed is not lost without a question", {}, async (page) => {
  await signIn(page, "/templates/6");
  await page.getByLabel("Text", { exact: true }).fill("Something else.");
  await page.getByRole("link", { name: "Users" }).click();
  await page.getByRole("heading", { name: "Leave without saving?" }).waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  assert.equal(await page.getByLabel("Text", { exact: true }).inputValue(), "Something else.");
  await page.getByRole("link", { name: "Users" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
  await shown(page, "/users");
});

pageTest("a message type of one's own gets placeholders that its templates may use", {}, async (page, app) => {
  await signIn(page, "/types/new");
  await page.getByLabel("Name", { exact: true }).fill("Parcel");
  await page.getByLabel("Slug").fill("parcel");
  await page.getByRole("button", { name: "Add placeholder" }).click();
  await page.getByLabel("Word").fill("shop");
  await page.getByLabel("Meaning").fill("Where it can be fetched");
  await page.getByLabel("Sample").fill("Corner shop");
  await page.getByLabel("Required").check();
  await page.getByRole("button", { name: "New type" }).click();
  await page.waitForURL(/\/types\/\d+$/);
  const id = Number(page.url().split("/").pop());
  const { Placeholders } = await app.get(`messages/types/${id}`);
  assert.deepEqual(Placeholders.at(-1), { Name: "shop", Meaning: "Where it can be fetched", Required: true, Sample: "Corner shop" });
  await visit(page, `/templates/new?type=${id}&format=3&language=en`);
  await page.getByRole("button", { name: /^shop/ }).waitFor();
});

pageTest("each template's GUID is there to be copied, and none is fetched by itself", {}, async (page, app) => {
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await app.post("messages/templates", { Type: 1, Format: 2, Language: "de-AT", Body: "Servus" });
  await signIn(page, "/templates");
  const all = await app.get("messages/templates/list?pageSize=500");
  const expected = await Promise.all(all.map(async ({ ID }) => (await app.get(`messages/templates/${ID}`)).Guid));
  const shownGuids = page.getByRole("table", { name: "All templates" }).locator("tbody td:last-child code");
  assert.deepEqual(await shownGuids.allInnerTexts(), expected);
  assert.deepEqual(asked.filter((path) => /templates\/\d+$/.test(path)), []);
});
