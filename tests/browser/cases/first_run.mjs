// From the link that Herald prints to a message that was sent.

import assert from "node:assert/strict";
import { until } from "../support/appliance.mjs";
import { isTidy, pageTest, shown } from "../support/browser.mjs";

const PASSWORD = "another long password";

pageTest("the set-up link leads to a sent message", { world: true, operator: null }, async (page, app) => {
  const link = await until("the set-up link", () => /http:\/\/\S+\/setup#token=\S+/.exec(app.program.out)?.[0]);
  const smtp = new URL(app.world.smtp);
  await page.goto(link);
  await page.getByLabel("User name").fill("founder");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Continue" }).click();

  await page.getByLabel("Application name").fill("Acme");
  await page.getByLabel("Sender").fill("Acme <hello@acme.example>");
  await page.getByRole("button", { name: "Continue" }).click();

  await page.getByLabel("Server").fill(smtp.hostname);
  await page.getByLabel("Port").fill(smtp.port);
  await page.getByLabel("Encryption").selectOption("none");
  await page.getByLabel("User name").fill(smtp.username);
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Check" }).click();
  await page.getByText("It does not work.").waitFor();
  await page.getByLabel("Password").fill(smtp.password);
  await page.getByRole("button", { name: "Check" }).click();
  await page.getByText("It lets us in.").waitFor();
  await isTidy(page);
  await page.getByRole("button", { name: "Use this provider" }).click();

  await page.getByLabel("Your e-mail address").fill("founder@acme.example");
  await page.getByRole("button", { name: "Send me a test" }).click();
  await page.getByRole("heading", { name: "founder@acme.example" }).waitFor();
  await page.getByText("The provider took it.", { exact: false }).first().waitFor();
  const taken = await app.world.taken();
  assert.deepEqual(taken.map(({ To, Subject }) => [To, Subject]), [[["founder@acme.example"], "Welcome to Acme"]]);
  // Only what has no provider yet is still captured.
  assert.equal(await page.locator("#modebar span").innerText(), "SMS and Push are captured: nothing of that leaves this machine.");
});

pageTest("without its link, a new appliance says where to find it", { operator: null }, async (page) => {
  await page.goto("/users");
  await shown(page, "/signin");
  await page.getByRole("heading", { name: "This appliance is new" }).waitFor();
  assert.equal(await page.locator("input").count(), 0);
});

pageTest("a wrong password is told, the right one leads to the page that was asked for", {}, async (page) => {
  page.refused(401);
  await page.goto("/users?search=an");
  await shown(page, "/signin");
  await page.getByLabel("User name").fill("anna");
  await page.getByLabel("Password").fill("not it at all");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").getByText("The user name or the password is wrong.").waitFor();
  await page.getByLabel("Password").fill("a rather long password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await shown(page, "/users");
  assert.equal(new URL(page.url()).search, "?search=an");
  await page.getByRole("button", { name: "Sign out" }).click();
  await shown(page, "/signin");
  await page.goto("/log");
  await shown(page, "/signin");
});

pageTest("in capture mode a bar on every page says that nothing leaves the machine", {}, async (page) => {
  await page.goto("/");
  await page.getByLabel("User name").fill("anna");
  await page.getByLabel("Password").fill("a rather long password");
  await page.getByRole("button", { name: "Sign in" }).click();
  for (const name of ["Home", "Log", "Users", "Settings", "API"]) {
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name, exact: true }).click();
    await page.getByText("Nothing leaves this machine.").waitFor();
  }
});
