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
