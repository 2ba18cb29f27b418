// The main job of every page, with the keyboard alone. A mouse that is used fails the test.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PASSWORD, until } from "../support/appliance.mjs";
import { pageTest, shown } from "../support/browser.mjs";
import { keyboard } from "../support/keyboard.mjs";
import { test } from "../support/runner.mjs";
import { PAGES } from "../support/world.mjs";

const ANNA = { UserName: "anna", Name: "Anna Berg", Email: "anna@example.com", Mobile: "+4790000001", Language: "en-GB" };
/** The addresses whose job is done below, as the tests name them. */
const done = new Set();

/** A job: on which pages, with which appliance, and how. `keys.go(letter, path)` presses g and the letter. */
function job(name, pages, options, body) {
  pages.forEach((page) => done.add(page));
  pageTest(`with the keyboard alone: ${name}`, options, async (page, app) => {
    await page.goto("/");
    await shown(page, "/signin");
    const keys = await keyboard(page);
    keys.go = async (letter, path) => {
      await keys.press("g", letter);
      await shown(page, path);
    };
    keys.says = (text) => page.getByText(text).locator("visible=true").first().waitFor();
    keys.dialog = (role, name) => page.getByRole("dialog").getByRole(role, { name, exact: typeof name === "string" });
    const button = (name) => page.getByRole("button", { name, exact: typeof name === "string" }).first();
    const link = (name) => page.getByRole("link", { name, exact: typeof name === "string" }).first();
    await keys.begins(page.getByLabel("User name"));
    await keys.type("anna");
    await keys.press("Tab");
    await keys.type(PASSWORD);
    await keys.press("Enter");
    await shown(page, "/");
    await body({ page, app, keys, button, link });
  });
}

/** The kind of page that an address is of: numbers are ids. */
const kind = (address) => address.split("?")[0].replace(/\/\d+/g, "/:id").replace(/^\/reference\/.+/, "/reference/:operation");

test("each page has a job that is done with the keyboard alone", async () => {
  assert.deepEqual([...new Set(PAGES.map(kind))].filter((page) => !done.has(page)), []);
});

pageTest("with the keyboard alone: from the set-up link to the first message", { world: true, operator: null }, async (page, app) => {
  const link = await until("the set-up link", () => /http:\/\/\S+\/setup#token=\S+/.exec(app.program.out)?.[0]);
  const smtp = new URL(app.world.smtp);
  await page.goto(link);
  const keys = await keyboard(page);
  const { fill, press, pick, choose, type } = keys;
  await page.getByRole("heading", { name: "Welcome to Herald" }).waitFor();
  await keys.begins(page.getByLabel("User name"));
  await type("founder");
  await press("Tab");
  await type("another long password");
  await press("Enter");
  await page.getByRole("heading", { name: "What are you sending for?" }).waitFor();
  await fill(page.getByLabel("Application name"), "Acme");
  await fill(page.getByLabel("Sender"), "Acme <hello@acme.example>");
  await press("Enter");
  await page.getByRole("heading", { name: "How does e-mail leave?" }).waitFor();
  await fill(page.getByLabel("Server"), smtp.hostname);
  await fill(page.getByLabel("Port"), smtp.port);
  await pick(page.getByLabel("Encryption"), "No encryption");
  await fill(page.getByLabel("User name"), smtp.username);
  await fill(page.getByLabel("Password"), smtp.password);
  await choose(page.getByRole("button", { name: "Check" }));
  await page.getByText("It lets us in.").waitFor();
  await choose(page.getByRole("button", { name: "Use this provider" }));
  await page.getByRole("heading", { name: "Send yourself a message" }).waitFor();
  await type("founder@acme.example");
  await press("Enter");
  await page.getByRole("heading", { name: "founder@acme.example" }).waitFor();
  await page.getByText("The provider took it.", { exact: false }).first().waitFor();
  assert.deepEqual((await app.world.taken()).map(({ To }) => To), [["founder@acme.example"]]);
});

job("what failed alike is sent again from the first page", ["/"], { sends: true }, async ({ page, app, keys, button }) => {
  await app.world.order("smtp.rcpt = 550 5.7.1 Blocked");
  for (let n = 1; n <= 3; n++) {
    await app.post("users", { UserName: `user${n}`, Email: `user${n}@example.com` });
    await app.post("messages/send", { UserId: n, MessageType: 1 });
  }
  await until("the failures", async () => (await app.get("messages/logs/causes"))[0]?.Count === 3);
  await app.world.mend();
  await keys.choose(button("Send these 3 again"));
  await keys.choose(keys.dialog("button", "Send these 3 again"));
  await keys.says("3 go out again");
  await until("all of them", async () => (await app.world.taken()).length === 3);
  await page.getByText("Nothing: no message has failed", { exact: false }).waitFor();
  assert.notEqual(await page.evaluate(() => document.activeElement.localName), "body", "the focus is not lost");
});

job("the log is filtered and opened, a message sent again and another cancelled", ["/log", "/log/:id"], { sends: true }, async ({ page, app, keys, button }) => {
  await app.post("users", ANNA);
  await app.world.order("smtp.rcpt next 1 = 550 5.1.1 No such user here");
  await app.post("messages/send", { UserId: 1, MessageType: 1 });
  await until("the failure", async () => (await app.get("messages/logs"))[0].Status === "failed");
  await app.post("messages/send", { UserId: 1, MessageType: 1, Formats: [2] });
  await keys.go("l", "/log");
  await keys.pick(page.getByLabel("Any state"), "Failed");
  await page.waitForFunction(() => document.querySelectorAll("[data-row]").length === 1);
  assert.ok(await keys.has(page.getByLabel("Any state")), "a choice keeps the focus");
  await keys.press("Escape", "ArrowDown", "Enter");
  await shown(page, "/log/1");
  await keys.choose(button("Send again"));
  await page.getByText("The provider took it. Whether it arrived", { exact: false }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.localName), "h1", "where the button was, the page begins");

  await app.post("outbox/pause", { Reason: "a test" });
  await app.post("messages/send", { UserId: 1, MessageType: 1 });
  await keys.go("l", "/log");
  await page.locator("[data-row]").first().getByText("Waiting").waitFor();
  await keys.press("ArrowDown", "Enter");
  await shown(page, "/log/3");
  await keys.choose(button("Cancel"));
  await keys.choose(keys.dialog("button", "Cancel it"));
  await keys.says("Somebody cancelled it.");
  assert.equal((await app.get("messages/logs/entries/3")).Status, "cancelled");
});

job("a user is added, changed, told what they want, given a device, written to, and erased", ["/users", "/users/new", "/users/:id", "/users/:id/preferences", "/users/:id/devices", "/users/:id/messages", "/users/:id/send"], { sends: true }, async ({ page, app, keys, button, link }) => {
  // What would be sent is asked for before the text is there.
  page.refused(400);
  await keys.go("u", "/users");
  await keys.press("n");
  await shown(page, "/users/new");
  await keys.type("anna");
  await keys.fill(page.getByLabel("Mobile"), "+4790000001");
  await keys.press("Enter");
  await shown(page, "/users/1");
  await keys.fill(page.getByLabel("E-mail"), "anna@example.com");
  await keys.choose(button("Save"));
  await until("the address", async () => (await app.get("users/1")).Email === "anna@example.com");

  await keys.choose(link("Preferences"));
  await shown(page, "/users/1/preferences");
  await keys.tick(page.getByLabel("SMS for Announcement"));
  await until("the preference", async () => (await app.get("messages/preferences/1"))[0]?.IsSMS);

  await keys.choose(link("Devices"));
  await shown(page, "/users/1/devices");
  await keys.fill(page.getByLabel("Token"), "token-1");
  await keys.press("Enter");
  await keys.choose(button("Remove token-1"));
  await keys.choose(keys.dialog("button", "Remove"));
  await page.getByRole("heading", { name: "No device" }).waitFor();

  await keys.choose(page.getByRole("navigation", { name: "Parts of the user" }).getByRole("link", { name: "Send a message" }));
  await shown(page, "/users/1/send");
  await keys.fill(page.getByLabel("text", { exact: true }), "The canteen is open.");
  await page.waitForFunction(() => document.querySelectorAll(".plan").length === 2);
  await keys.tick(page.getByLabel("As the preferences say"));
  await keys.tick(page.getByLabel("SMS", { exact: true }));
  await keys.choose(button("Send"));
  await keys.says("The provider took it");
  await keys.go("u", "/users");
  await keys.press("ArrowDown", "Enter");
  await shown(page, "/users/1");
  await keys.choose(page.getByRole("navigation", { name: "Parts of the user" }).getByRole("link", { name: "Messages" }));
  await shown(page, "/users/1/messages");
  await keys.press("ArrowDown", "Enter");
  await shown(page, "/log/1");
  await keys.choose(page.getByRole("main").getByRole("link", { name: "anna", exact: true }));
  await shown(page, "/users/1");
  await keys.choose(button("Erase"));
  await keys.choose(keys.dialog("button", "Erase"));
  await shown(page, "/users");
  assert.deepEqual(await app.get("users"), []);
});

job("a file of users is imported", ["/users/import"], {}, async ({ page, app, keys, button, link }) => {
  const path = join(app.directory, "users.csv");
  writeFileSync(path, "UserName,Email\nanna,anna@example.com\nbo,nonsense\n");
  await keys.go("u", "/users");
  await keys.choose(link("Import"));
  await shown(page, "/users/import");
  await keys.offer(page.getByLabel("CSV file"), path);
  await keys.says("1 refused");
  await keys.choose(button("Import 1"));
  await keys.says("1 added");
  assert.ok(await keys.has(link("See the users")), "what comes next has the focus");
  await keys.press("Enter");
  await shown(page, "/users");
  assert.deepEqual((await app.get("users")).map(({ UserName }) => UserName), ["anna"]);
});

job("a template is found in the map, written, seen, saved, tried, brought back and copied", ["/templates", "/templates/:id", "/templates/new"], { sends: true }, async ({ page, app, keys, button }) => {
  await app.post("users", { ...ANNA, Language: "de-DE" });
  await keys.go("t", "/templates");
  await keys.choose(page.locator("a.cell.fallback").first());
  await shown(page, "/templates/new");
  const [type, format, language] = ["type", "format", "language"].map((word) => new URL(page.url()).searchParams.get(word));
  assert.equal(language, "de-DE");
  await keys.choose(button("Save"));
  await page.waitForURL(/\/templates\/\d+$/);
  const id = Number(page.url().split("/").pop());
  await shown(page, `/templates/${id}`);
  const saved = await app.get(`messages/templates/${id}`);
  assert.deepEqual([saved.Type, saved.Format, saved.Language], [Number(type), Number(format), "de-DE"]);

  const area = page.getByLabel("Text", { exact: true });
  await keys.to(area);
  await keys.press("Control+End");
  await keys.type("\nHallo ");
  await keys.choose(page.locator("[data-word='user.name']"));
  assert.ok(await keys.has(area), "a placeholder goes to where one writes");
  await page.locator(".code-shown").filter({ visible: true }).last().getByText("{{ user.name }}").last().waitFor();
  await keys.fill(page.getByRole("combobox", { name: "See it as a user" }), "anna");
  await page.locator(".options [role=option]").first().waitFor();
  await keys.press("Enter");
  await keys.says(/As Anna Berg/);
  assert.ok(await keys.has(button("See it with samples")));
  await keys.choose(button("Save"));
  // The word of the first time may still stand there.
  await until("the text to be saved", async () => {
    const { Body } = await app.get(`messages/templates/${id}`);
    return Body.endsWith("\nHallo {{ user.name }}");
  });
  await page.getByText("Not saved yet").waitFor({ state: "hidden" });

  await keys.choose(button("Test"));
  await keys.type({ 0: "tester@example.com", 1: "tester@example.com", 2: "+4790000002", 3: "anna" }[format]);
  await keys.press("Enter");
  await keys.says("The provider took it.");
  await keys.press("Escape");
  assert.ok(await keys.has(button("Test")), "the focus is back");
  await keys.choose(button("History"));
  await keys.choose(page.locator("[data-version]").last());
  await keys.choose(button(/^Restore version/));
  await keys.says(/^Version \d+ is back$/);
  await until("the first text", async () => (await app.get(`messages/templates/${id}`)).Body === saved.Body);
  await keys.choose(button("Copy"));
  await keys.type("fr-FR");
  await keys.press("Enter");
  await shown(page, "/templates/new");
  assert.equal(await page.getByLabel("Language").inputValue(), "fr-FR");
});

job("a type is made with a placeholder, changed and removed", ["/types", "/types/new", "/types/:id"], {}, async ({ page, app, keys, button, link }) => {
  await keys.go("t", "/templates");
  await keys.choose(link("Message types"));
  await shown(page, "/types");
  await keys.press("n");
  await shown(page, "/types/new");
  await keys.type("Parcel");
  await keys.fill(page.getByLabel("Slug"), "parcel");
  await keys.choose(button("Add placeholder"));
  await keys.type("shop");
  await keys.fill(page.getByLabel("Meaning"), "Where it is");
  await keys.fill(page.getByLabel("Sample"), "Corner shop");
  await keys.tick(page.getByLabel("Required"));
  await keys.choose(button("New type"));
  await page.waitForURL(/\/types\/\d+$/);
  const id = Number(page.url().split("/").pop());
  await shown(page, `/types/${id}`);
  assert.deepEqual((await app.get(`messages/types/${id}`)).Placeholders.at(-1), { Name: "shop", Meaning: "Where it is", Required: true, Sample: "Corner shop" });
  await keys.fill(page.getByLabel("Name", { exact: true }), "Parcels");
  await keys.press("Enter");
  await until("the new name", async () => (await app.get(`messages/types/${id}`)).Name === "Parcels");
  await keys.choose(page.getByRole("banner").or(page.locator(".page-head")).getByRole("button", { name: "Remove" }));
  await keys.choose(keys.dialog("button", "Remove"));
  await shown(page, "/types");
  assert.equal((await app.get("messages/types")).filter(({ ID }) => ID === id).length, 0);
});

job("a captured mail is opened, read as it left, released and removed", ["/captured"], { world: true }, async ({ page, app, keys, button }) => {
  await app.post("users", ANNA);
  await app.post("users", { UserName: "bo", Name: "Bo", Email: "bo@example.com" });
  for (const user of [1, 2]) await app.post("messages/send", { UserId: user, MessageType: 1, Formats: [0] });
  await until("two mails", async () => (await app.get("captured")).length === 2);
  await app.post("providers", { Channel: "email", Url: `${app.world.smtp}&from=noreply%40example.com` });
  await keys.go("c", "/captured");
  await keys.press("ArrowDown", "ArrowDown", "Enter");
  await page.frameLocator("iframe:not(.next)").getByText("Hello Anna Berg,").waitFor();
  await keys.choose(button("Source"));
  await page.locator(".source").waitFor();
  await keys.choose(button("Release"));
  await keys.press("Control+a");
  await keys.type("me@example.com");
  await keys.press("Enter");
  await page.getByRole("heading", { name: "me@example.com" }).waitFor();
  await until("the mail", async () => (await app.world.taken()).length === 1);
  await keys.go("c", "/captured");
  await keys.choose(button("Remove: bo@example.com"));
  await keys.choose(keys.dialog("button", "Remove"));
  await until("one mail", async () => (await app.get("captured")).length === 1);
  assert.notEqual(await page.evaluate(() => document.activeElement.localName), "body", "the focus is not lost");
});

job("providers are added, checked, ordered and removed", ["/settings/providers"], { world: true }, async ({ page, app, keys, button, link }) => {
  const smtp = new URL(app.world.smtp);
  const row = (user) => page.getByRole("listitem").filter({ hasText: `${user}:***` });
  await keys.go("s", "/settings");
  await keys.choose(link("Providers"));
  await shown(page, "/settings/providers");
  for (const user of ["first", "second"]) {
    await keys.choose(button("Add provider for E-mail"));
    await keys.fill(keys.dialog("textbox", "Server"), smtp.hostname);
    await keys.fill(page.getByRole("dialog").getByLabel("Port"), smtp.port);
    await keys.pick(page.getByRole("dialog").getByLabel("Encryption"), "No encryption");
    await keys.fill(page.getByRole("dialog").getByLabel("User name"), user);
    await keys.fill(page.getByRole("dialog").getByLabel("Password"), "secret");
    await keys.press("Enter");
    await row(user).waitFor();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.waitForFunction(() => document.activeElement.textContent.includes("Add provider"));
  }
  await keys.choose(row("second").getByRole("button", { name: "Earlier" }));
  await until("the new order", async () => (await app.get("providers?Channel=email"))[0].Url.includes("second"));
  await page.waitForFunction(() => document.querySelector(".provider-row").textContent.includes("second"));
  await keys.choose(row("second").getByRole("button", { name: "Check" }));
  await keys.says("It does not work.");
  await keys.choose(button(/^Remove smtp:\/\/first/));
  await keys.choose(keys.dialog("button", "Remove"));
  await row("first").waitFor({ state: "detached" });
  assert.equal((await app.get("providers?Channel=email")).length, 1);
});

job("keys and operators come and go", ["/settings/keys", "/settings/operators"], {}, async ({ page, app, keys, button, link }) => {
  await keys.go("s", "/settings");
  await keys.choose(link("API keys"));
  await shown(page, "/settings/keys");
  await keys.press("n");
  await keys.type("Web shop");
  await keys.pick(keys.dialog("combobox", "May"), "Chosen one by one");
  await keys.tick(keys.dialog("checkbox", /^Send messages, and change users/));
  await keys.choose(keys.dialog("button", "New key"));
  await page.getByRole("heading", { name: "Your new key" }).waitFor();
  await keys.choose(button("Copy Key"));
  const key = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal((await fetch(`${app.url}/api/admin/v1/settings`, { headers: { Authorization: `Bearer ${key}` } })).status, 403);
  await keys.choose(button("I have copied it"));
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await keys.choose(button("Revoke Web shop"));
  await keys.choose(keys.dialog("button", "Revoke"));
  await page.getByRole("row", { name: /Web shop/ }).waitFor({ state: "detached" });
  assert.equal((await fetch(`${app.url}/api/admin/v1/settings`, { headers: { Authorization: `Bearer ${key}` } })).status, 401);

  await keys.choose(link("Operators"));
  await shown(page, "/settings/operators");
  await keys.press("n");
  await keys.type("bo");
  await keys.press("Tab");
  await keys.type(PASSWORD);
  await keys.press("Enter");
  await page.getByRole("row", { name: /^bo/ }).waitFor();
  await keys.choose(button("Remove bo"));
  await keys.choose(keys.dialog("button", "Remove"));
  await page.getByRole("row", { name: /^bo/ }).waitFor({ state: "detached" });
});

job("the other settings are changed, sending is paused, a backup taken, the password changed", ["/settings", "/settings/sending", "/settings/preferences", "/settings/links", "/settings/data", "/settings/account"], {}, async ({ page, app, keys, button, link }) => {
  // On the way to SMS the arrow passes a format that has no template.
  page.refused(400);
  await keys.go("s", "/settings");
  await keys.fill(page.getByLabel("Application name"), "Acme");
  await keys.press("Enter");
  await page.locator(".side .brand").getByText("Acme").waitFor();

  await keys.choose(link("System messages"));
  await shown(page, "/settings/preferences");
  await keys.to(page.getByLabel("Welcome as HTML e-mail"));
  await keys.press("ArrowRight", "ArrowRight");
  await page.getByRole("row", { name: /Welcome/ }).getByText("Chosen").waitFor();
  await until("the SMS", async () => (await app.get("messages/system-message-preferences")).some(({ Type, Format }) => Type === 1 && Format === 2));

  await keys.choose(link("Links"));
  await shown(page, "/settings/links");
  await keys.fill(page.getByLabel("{{ loginUrl }}"), "https://acme.example/in?token={{ token }}");
  await keys.choose(button("Save"));
  await until("the link", async () => (await app.get("settings")).LoginUrl === "https://acme.example/in?token={{ token }}");

  await keys.choose(link("Data"));
  await shown(page, "/settings/data");
  await keys.fill(page.getByLabel("Days to keep"), "30");
  await keys.press("Enter");
  await until("30 days", async () => (await app.get("settings")).RetentionDays === 30);
  await keys.to(link("Download a backup"));
  const [download] = await Promise.all([page.waitForEvent("download"), keys.press("Enter")]);
  assert.match(download.suggestedFilename(), /^herald-.*\.db$/);

  await keys.choose(link("Sending"));
  await shown(page, "/settings/sending");
  await keys.fill(page.getByLabel("Reason"), "A look at the mail server");
  await keys.press("Enter");
  await page.locator("#modebar").getByText("A look at the mail server").waitFor();
  await keys.choose(button("Resume sending"));
  await until("sending", async () => !(await app.get("outbox")).Paused);

  await keys.choose(link("Your account"));
  await shown(page, "/settings/account");
  await keys.fill(page.getByLabel("Old password"), PASSWORD);
  await keys.fill(page.getByLabel("New password"), "quite a new password");
  await keys.press("Enter");
  await shown(page, "/signin");
  await keys.type("anna");
  await keys.press("Tab");
  await keys.type("quite a new password");
  await keys.press("Enter");
  await shown(page, "/");
});

job("whoever was given a password chooses another one", ["/password"], {}, async ({ page, keys, button, link }) => {
  await keys.go("s", "/settings");
  await keys.choose(link("Operators"));
  await shown(page, "/settings/operators");
  await keys.press("n");
  await keys.type("berta");
  await keys.press("Tab");
  await keys.type("given by anna");
  await keys.press("Enter");
  await page.getByRole("row", { name: /^berta/ }).waitFor();
  await keys.choose(button("Sign out"));
  await shown(page, "/signin");
  const enter = async (password) => {
    await keys.type("berta");
    await keys.press("Tab");
    await keys.type(password);
    await keys.press("Enter");
  };
  await enter("given by anna");
  await shown(page, "/password");
  await keys.fill(page.getByLabel("Old password"), "given by anna");
  await keys.fill(page.getByLabel("New password"), "berta's own password");
  await keys.press("Enter");
  await shown(page, "/");
  await keys.choose(button("Sign out"));
  await shown(page, "/signin");
  await enter("berta's own password");
  await shown(page, "/");
});

job("a request is found, tried, and its line copied", ["/reference", "/reference/:operation"], {}, async ({ page, app, keys, button }) => {
  await keys.go("a", "/reference");
  await keys.press("/");
  await keys.type("adds a user");
  await page.waitForFunction(() => document.querySelectorAll("[data-row]").length < 5);
  await keys.choose(page.getByRole("link", { name: /POST \/api\/admin\/v1\/users Adds/ }));
  await shown(page, "/reference/post_admin_v1_users");
  await keys.fill(page.getByRole("textbox", { name: "Body" }), "{\"UserName\": \"from the page\"}");
  await keys.choose(button("Run"));
  await keys.says("200 OK");
  assert.deepEqual((await app.get("users")).map(({ UserName }) => UserName), ["from the page"]);
  await keys.choose(button("Copy curl"));
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^curl -X POST /);
});
