// The settings, and the API tried from its own page.

import assert from "node:assert/strict";
import { PASSWORD, until } from "../support/appliance.mjs";
import { isTidy, pageTest, shown, signIn, visit } from "../support/browser.mjs";

pageTest("settings are changed and used", {}, async (page, app) => {
  page.refused(400);
  await signIn(page, "/settings");
  await page.getByLabel("Application name").fill("Acme");
  await page.getByLabel("Default language").or(page.getByLabel("Language", { exact: true })).fill("klingon!");
  await page.getByRole("button", { name: "Save" }).first().click();
  await page.getByRole("alert").first().getByText("anguage", { exact: false }).waitFor();
  await page.getByLabel("Language", { exact: true }).fill("nb-NO");
  await page.getByRole("button", { name: "Save" }).first().click();
  await page.getByText("Saved").waitFor();
  await page.locator(".side .brand").getByText("Acme").waitFor();
  assert.deepEqual((({ AppName, DefaultLanguage }) => [AppName, DefaultLanguage])(await app.get("settings")), ["Acme", "nb-NO"]);

  await visit(page, "/settings/data");
  await page.getByLabel("Days to keep").fill("90");
  await page.getByRole("button", { name: "Save" }).click();
  await until("90 days", async () => (await app.get("settings")).RetentionDays === 90);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download a backup" }).click()]);
  assert.match(download.suggestedFilename(), /^herald-.*\.db$/);

  await visit(page, "/settings/links");
  await page.getByLabel("{{ loginUrl }}").fill("https://acme.example/in?token={{ token }}");
  await page.getByRole("button", { name: "Save" }).click();
  await until("the link", async () => (await app.get("settings")).LoginUrl === "https://acme.example/in?token={{ token }}");

  await visit(page, "/settings/preferences");
  await page.getByLabel("Welcome as SMS").check();
  await page.getByRole("row", { name: /Welcome/ }).getByText("Chosen").waitFor();
  assert.deepEqual((await app.get("messages/system-message-preferences")).map(({ Type, Format }) => [Type, Format]), [[1, 2]]);
  await page.getByRole("button", { name: "Back to the default for Welcome" }).click();
  await page.getByRole("row", { name: /Welcome/ }).getByText("Default", { exact: true }).waitFor();
  assert.equal(await page.getByLabel("Welcome as SMS").isChecked(), false);
  assert.deepEqual(await app.get("messages/system-message-preferences"), []);
  await isTidy(page);
});

pageTest("providers are added, checked, ordered and removed", { world: true }, async (page, app) => {
  const smtp = new URL(app.world.smtp);
  await signIn(page, "/settings/providers");
  for (const user of ["first", "second"]) {
    await page.getByRole("button", { name: "Add provider for E-mail" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Server").fill(smtp.hostname);
    await dialog.getByLabel("Port").fill(smtp.port);
    await dialog.getByLabel("Encryption").selectOption("none");
    await dialog.getByLabel("User name").fill(user);
    await dialog.getByLabel("Password").fill("p@ss/word");
    await dialog.getByRole("button", { name: "Add provider" }).click();
    await page.getByText(`smtp://${user}:***@`, { exact: false }).waitFor();
  }
  await page.getByRole("listitem").filter({ hasText: "second:***" }).getByRole("button", { name: "Earlier" }).click();
  await until("the new order", async () => (await app.get("providers?Channel=email")).map(({ Url }) => Url.split("//")[1].split(":")[0]).join() === "second,first");
  await shown(page, "/settings/providers");
  await page.getByRole("listitem").filter({ hasText: "second:***" }).getByRole("button", { name: "Check" }).click();
  await page.getByText("It does not work.").waitFor();
  await page.getByRole("button", { name: /^Remove smtp:\/\/first/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await page.getByRole("listitem").filter({ hasText: "first:***" }).waitFor({ state: "detached" });
  assert.equal((await app.get("providers?Channel=email")).length, 1);
});

pageTest("a push service is checked and added by its address and token", { world: true }, async (page, app) => {
  page.refused(400);
  const ntfy = new URL(app.world.ntfy.replace("ntfy+http", "http"));
  await signIn(page, "/settings/providers");
  await page.getByRole("button", { name: "Add provider for Push" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Kind").selectOption("Gotify");
  await dialog.getByLabel("Application token").waitFor();
  // The file is there, and says itself that it is only for a rehearsal.
  await dialog.getByLabel("Kind").selectOption("Firebase (FCM)");
  await dialog.getByLabel("Key file of the service account").fill(decodeURIComponent(new URL(app.world.fcm.replace("fcm+http", "http")).pathname));
  await dialog.getByRole("button", { name: "Check" }).click();
  await dialog.getByText("has a token_uri that does not begin with https://").waitFor();
  await dialog.getByLabel("Kind").selectOption("ntfy");
  await dialog.getByLabel("Server").fill(`http://${ntfy.host}/`);
  await dialog.getByLabel("Access token or password").fill("wrong");
  await dialog.getByRole("button", { name: "Check" }).click();
  await dialog.getByText("40101 unauthorized").waitFor();
  await dialog.getByLabel("Access token or password").fill(ntfy.username);
  await dialog.getByRole("button", { name: "Check" }).click();
  await dialog.getByText("signed in as rehearsal").waitFor();
  await isTidy(page);
  await dialog.getByRole("button", { name: "Add provider" }).click();
  await page.getByText(`ntfy+http://***@${ntfy.host}/`).waitFor();

  await app.post("users", { UserName: "anna" });
  await app.post("users/1/devices", { Label: "Phone", Token: "anna-phone" });
  await app.post("messages/send", { UserId: 1, MessageType: 0, Formats: [3], Placeholders: { text: "Hello" } });
  await until("the push", async () => (await app.world.taken()).length === 1);
  assert.deepEqual((await app.world.taken()).map(({ Service, To, Content }) => [Service, To, Content]), [["ntfy", ["anna-phone"], "Hello"]]);
});

pageTest("any gateway is added by its address, its fields and a key", { world: true }, async (page, app) => {
  const { host } = new URL(app.world.faults);
  await signIn(page, "/settings/providers");
  await page.getByRole("button", { name: "Add provider for SMS" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Kind").selectOption("Any HTTP gateway");
  await dialog.getByLabel("Address").fill(`http://${host}/webhook`);
  await dialog.getByLabel("Format").selectOption("Form");
  await dialog.getByLabel("Name of the text's field").fill("text");
  await dialog.getByLabel("Header of the key").fill("X-Key");
  await dialog.getByLabel(/^Key/).fill("rehearsal-key");
  await dialog.getByRole("button", { name: "Check" }).click();
  await dialog.getByText("It is there").waitFor();
  await isTidy(page);
  await dialog.getByRole("button", { name: "Add provider" }).click();
  await page.getByText(`webhook+http://${host}/webhook?format=form&text=text&header.X-Key=***`).waitFor();

  await page.getByRole("button", { name: "Add provider for SMS" }).click();
  await dialog.getByLabel("Kind").selectOption("Vonage");
  await dialog.getByLabel("API key").fill("abcd1234");
  await dialog.getByLabel("API secret").fill("p@ss/word");
  await dialog.getByLabel("From").fill("Acme Inc");
  await isTidy(page);
  await dialog.getByRole("button", { name: "Add provider" }).click();
  await page.getByText("vonage://abcd1234:***@rest.nexmo.com?from=Acme%20Inc").waitFor();
  assert.equal((await app.get("providers?Channel=sms")).length, 2);
});

pageTest("sending is paused with a reason, seen on every page, and resumed", {}, async (page, app) => {
  await signIn(page, "/settings/sending");
  await page.getByLabel("Reason").fill("A look at the mail server");
  await page.getByRole("button", { name: "Pause sending" }).click();
  await page.locator("#modebar").getByText("A look at the mail server").waitFor();
  assert.equal((await app.get("outbox")).Paused, true);
  await page.getByRole("button", { name: "Resume sending" }).click();
  await page.getByRole("button", { name: "Pause sending" }).waitFor();
  assert.equal((await app.get("outbox")).Paused, false);
});

pageTest("whoever was given a password chooses another one before anything else", {}, async (page, app) => {
  const given = async (name) => {
    await signIn(page, "/settings/operators");
    await page.getByRole("button", { name: "Add operator" }).click();
    await page.getByRole("dialog").getByLabel("User name").fill(name);
    await page.getByRole("dialog").getByLabel("Password").fill("given by anna");
    await page.getByRole("dialog").getByRole("button", { name: "Add operator" }).click();
    await page.getByRole("row", { name }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await shown(page, "/signin");
  };
  const enter = async (name, password) => {
    await page.getByLabel("User name").fill(name);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
  };
  await given("berta");
  await page.goto("/users?search=x");
  await shown(page, "/signin");
  await enter("berta", "given by anna");
  await shown(page, "/password");
  await page.getByRole("heading", { name: "Choose your own password" }).waitFor();
  for (const way of [".side", "#modebar"]) assert.equal(await page.locator(way).isVisible(), false, "there is nowhere else to go");
  // Neither an address nor a key leads around it.
  for (const to of ["/", "/log", "/settings/account", "/signin", "/setup"]) {
    await page.goto(to);
    await shown(page, "/password");
  }
  await page.getByRole("button", { name: "Sign out" }).click();
  await shown(page, "/signin");
  await page.goto("/users?search=x");
  await shown(page, "/signin");
  await enter("berta", "given by anna");
  await shown(page, "/password");
  page.refused(400, 401);
  await page.getByLabel("Old password").fill("not that one");
  await page.getByLabel("New password").fill("berta's own password");
  await page.getByRole("button", { name: "Change password" }).click();
  await page.getByRole("alert").getByText("The user name or the password is wrong.").waitFor();
  await page.getByLabel("Old password").fill("given by anna");
  await page.getByRole("button", { name: "Change password" }).click();
  await shown(page, "/users");
  assert.equal(page.url(), `${app.url}/users?search=x`);
  await visit(page, "/settings/operators");
  await page.getByRole("row", { name: "berta You" }).waitFor();
  await isTidy(page);
});

pageTest("operators come and go, and a new password ends the session", {}, async (page) => {
  await signIn(page, "/settings/operators");
  await page.getByRole("button", { name: "Add operator" }).click();
  await page.getByRole("dialog").getByLabel("User name").fill("bo");
  await page.getByRole("dialog").getByLabel("Password").fill(PASSWORD);
  await page.getByRole("dialog").getByRole("button", { name: "Add operator" }).click();
  await page.getByRole("row", { name: /bo/ }).waitFor();
  await page.getByRole("button", { name: "Remove bo" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await page.getByRole("row", { name: /^bo/ }).waitFor({ state: "detached" });
  await visit(page, "/settings/account");
  await page.getByLabel("Old password").fill(PASSWORD);
  await page.getByLabel("New password").fill("quite a new password");
  await page.getByRole("button", { name: "Change password" }).click();
  await shown(page, "/signin");
  await page.getByLabel("User name").fill("anna");
  await page.getByLabel("Password").fill("quite a new password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await shown(page, "/");
});

pageTest("the API's page tries a request and gives the line for a shell", {}, async (page, app) => {
  await signIn(page, "/reference");
  await page.getByLabel("Search by path or meaning").fill("adds a user");
  await page.getByRole("link", { name: /POST \/api\/admin\/v1\/users Adds/ }).click();
  await page.getByRole("textbox", { name: "Body" }).fill("{\"UserName\": \"from the page\"}");
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByText("200 OK").waitFor();
  const [{ UserName }] = await app.get("users");
  assert.equal(UserName, "from the page");
  const line = await page.locator(".copyable.block code").innerText();
  assert.equal(line, `curl -X POST '${app.url}/api/admin/v1/users' \\\n  -H "Authorization: Bearer $HERALD_KEY" \\\n  -H 'Content-Type: application/json' \\\n  -d '{"UserName": "from the page"}'`);
  await isTidy(page);
});

pageTest("the last of several choices made at once is the one that is kept", {}, async (page, app) => {
  // On the way is a format that has no template.
  page.refused(400);
  await signIn(page, "/settings/preferences");
  let asked = 0;
  // Slower than a hand that goes through the choices with an arrow key.
  await page.route("**/system-message-preferences", async (route) => {
    if (route.request().method() === "POST" && ++asked === 1) await until("the others are chosen", () => page.getByLabel("Welcome as Push").isChecked());
    await route.continue();
  });
  await page.getByLabel("Welcome as HTML e-mail").focus();
  for (let step = 0; step < 3; step++) await page.keyboard.press("ArrowRight");
  await page.getByRole("row", { name: /Welcome/ }).getByText("Chosen").waitFor();
  assert.deepEqual((await app.get("messages/system-message-preferences")).map(({ Type, Format }) => [Type, Format]), [[1, 3]]);
  assert.equal(await page.getByLabel("Welcome as Push").isChecked(), true);
  assert.equal(asked, 2);
  await isTidy(page);
});
