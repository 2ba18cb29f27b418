// For people with other eyes, and for those who use the keyboard: every page, each dialog, and the states between.

import assert from "node:assert/strict";
import { until } from "../support/appliance.mjs";
import { isAccessible, isTidy, pageTest, shown, signIn, visit } from "../support/browser.mjs";
import { isReachable, keyboard } from "../support/keyboard.mjs";
import { CAPTURED, EMPTY, KEYLESS, capture, dialogs, furnish, states } from "../support/states.mjs";
import { PAGES, fill } from "../support/world.mjs";

/** Nothing that axe calls serious or critical, nothing wider than the window, and everything within reach of Tab. */
async function suits(page, where) {
  await isTidy(page);
  await isAccessible(page, where);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(overflow <= 0, `${where} is ${overflow} pixels wider than the window`);
  await isReachable(page, where);
}

async function lookAt(page, list) {
  for (const [what, to, ...steps] of list) {
    await page.goto(to);
    await shown(page, to);
    for (const step of steps) await step(page);
    await suits(page, what);
  }
}

// Colours do not depend on the width, nor what is where on the light: two passes see everything.
for (const [dark, width] of [[false, 1440], [true, 390]]) {
  const look = { dark, width };
  const light = dark ? "dark and narrow" : "light and wide";

  pageTest(`every page suits other eyes and the keyboard, ${light}`, { sends: true, ...look }, async (page, app) => {
    page.refused(400);
    await fill(app);
    await page.goto("/");
    await shown(page, "/signin");
    await suits(page, "/signin");
    await signIn(page);
    for (const to of PAGES) {
      await visit(page, to);
      await suits(page, to);
    }
  });

  pageTest(`each dialog suits other eyes, and gives the keyboard back where it was, ${light}`, { sends: true, ...look }, async (page, app) => {
    page.refused(400);
    await fill(app);
    const list = dialogs(await furnish(app));
    await signIn(page);
    const keys = await keyboard(page);
    for (const [what, to, opener, before] of list) {
      // A phone has no keys to be told of.
      if (what === "the keys" && width < 600) continue;
      await page.goto(to);
      await shown(page, to);
      await before?.(page);
      await keys.choose(opener(page));
      const dialog = page.getByRole("dialog");
      await dialog.waitFor();
      assert.ok(await dialog.evaluate((element) => element.contains(document.activeElement)), `${what}: the focus is in the dialog`);
      await suits(page, what);
      await keys.press("Escape");
      await dialog.waitFor({ state: "detached" });
      assert.ok(await keys.has(opener(page)), `${what}: the focus is back`);
    }
  });

  pageTest(`what comes of using a page suits other eyes and the keyboard, ${light}`, { sends: true, ...look }, async (page, app) => {
    page.refused(400, 409);
    await fill(app);
    const list = states(await furnish(app));
    await signIn(page);
    await lookAt(page, list);
  });

  pageTest(`where there is nothing yet, and what is captured, suits other eyes and the keyboard, ${light}`, look, async (page, app) => {
    page.refused(401, 404);
    await page.goto("/");
    await shown(page, "/signin");
    await page.getByLabel("User name").fill("anna");
    await page.getByLabel("Password").fill("not it at all");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("The user name or the password is wrong.").waitFor();
    await suits(page, "a wrong password");
    await page.goto("/signin#token=used");
    await page.getByText("This link was used already or is too old.").waitFor();
    await suits(page, "a link that was used");
    await signIn(page);
    await lookAt(page, EMPTY);
    await capture(app);
    await lookAt(page, CAPTURED);
    await app.call("DELETE", "clients/1");
    await lookAt(page, KEYLESS);
    if (width < 600) {
      await page.getByRole("button", { name: "More" }).click();
      await suits(page, "what has no place at the bottom of a phone");
    }
    await page.goto("/users/4711");
    await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
    await suits(page, "nothing at an address");
  });

  pageTest(`each step of the set-up suits other eyes and the keyboard, ${light}`, { world: true, operator: null, ...look }, async (page, app) => {
    page.refused(400);
    const link = await until("the set-up link", () => /http:\/\/\S+\/setup#token=\S+/.exec(app.program.out)?.[0]);
    const on = () => page.getByRole("button", { name: "Continue" }).click();
    await page.goto("/");
    await page.getByRole("heading", { name: "This appliance is new" }).waitFor();
    await suits(page, "a new appliance");
    await page.goto(link);
    await page.getByRole("heading", { name: "Welcome to Herald" }).waitFor();
    await on();
    await page.getByRole("alert").waitFor();
    await suits(page, "the first operator");
    await page.getByLabel("User name").fill("anna");
    await page.getByLabel("Password").fill("a rather long password");
    await on();
    await page.getByRole("heading", { name: "What are you sending for?" }).waitFor();
    await suits(page, "the application");
    await page.getByLabel("Application name").fill("Acme");
    await on();
    await page.getByRole("heading", { name: "How does e-mail leave?" }).waitFor();
    await page.getByLabel("Server").fill("127.0.0.1");
    await page.getByLabel("Port").fill("1");
    await page.getByRole("button", { name: "Check" }).click();
    await page.getByText("It does not work.").waitFor();
    await suits(page, "the provider");
    await page.getByRole("button", { name: /later/i }).click();
    await page.getByRole("heading", { name: "Send yourself a message" }).waitFor();
    await suits(page, "the first message");
    await page.goto("/setup");
    await page.getByRole("heading", { name: "What are you sending for?" }).waitFor();
    await page.goto("/");
    await shown(page, "/");
    await page.getByRole("button", { name: "Sign out" }).or(page.getByRole("button", { name: "More" })).locator("visible=true").click();
    if (width < 600) await page.getByRole("button", { name: "Sign out" }).locator("visible=true").click();
    await shown(page, "/signin");
    await page.goto(link.replace("#", "?again#"));
    await page.getByText("This appliance is set up already.", { exact: false }).waitFor();
    await suits(page, "a set-up link that was used");
  });
}
