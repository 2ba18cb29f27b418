// `make screenshots`: the main pages of an appliance with something to show, wide and narrow, light and dark.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { appliance, until } from "./support/appliance.mjs";
import { close, open, signIn, visit } from "./support/browser.mjs";

const PLACE = process.argv[2] ?? "tests/browser/screenshots";
const SHOTS = { home: "/", log: "/log", message: "/log", send: "/users/4/send?type=1", templates: "/templates", template: "/templates/4", captured: "/captured?show=short" };
const SIZES = { wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } };
const PEOPLE = [
  ["anna", "Anna Berg", "nb-NO"], ["bjorn", "Bjørn Dahl", "nb-NO"], ["carla", "Carla Rossi", "it-IT"], ["emma", "Emma Clarke", "en-GB"], ["farid", "Farid Haddad", "fr-FR"], ["greta", "Greta Vogel", "de-DE"],
  ["hugo", "Hugo Martin", "fr-FR"], ["ines", "Inês Duarte", "pt-PT"], ["jonas", "Jonas Weber", "de-DE"], ["kaisa", "Kaisa Niemi", "fi-FI"], ["liam", "Liam Murphy", "en-IE"], ["maja", "Maja Lindqvist", "sv-SE"],
  ["noor", "Noor de Vries", "nl-NL"], ["oskar", "Oskar Nowak", "pl-PL"], ["priya", "Priya Patel", "en-GB"], ["sofia", "Sofía García", "es-ES"], ["tomas", "Tomáš Novák", "cs-CZ"], ["yuki", "Yuki Tanaka", "ja-JP"],
];
const WORDS = { "nb-NO": "Hei {{ user.name }}, velkommen til {{ app.name }}: {{ loginUrl }}", "de-DE": "Hallo {{ user.name }}, willkommen bei {{ app.name }}: {{ loginUrl }}", "fr-FR": "Bonjour {{ user.name }}, bienvenue chez {{ app.name }} : {{ loginUrl }}" };

const app = await appliance({ sends: true });
try {
  const broken = await fill();
  SHOTS.message = `/log/${broken}`;
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const dark of [false, true]) {
      const page = await open(app, { ...viewport, dark });
      page.refused(400);
      await signIn(page);
      for (const [name, to] of Object.entries(SHOTS)) {
        await visit(page, to);
        await page.evaluate(() => document.activeElement?.blur());
        await page.mouse.move(0, 0);
        if (["message", "template"].includes(name)) await page.frameLocator("iframe").getByText("Sign in").first().waitFor();
        if (name === "send") await page.locator(".plan").waitFor();
        await page.screenshot({ path: join(PLACE, `${name}-${size}-${dark ? "dark" : "light"}.png`) });
      }
      await page.context().close();
    }
  }
} finally {
  await app.stop();
  await close();
}

/** People, templates, messages; a day's figures, which would take a day to come about. The id of a message that failed. */
async function fill() {
  await app.post("settings", { AppName: "Acme", DefaultSender: "Acme <hello@acme.example>", DefaultLanguage: "en" });
  for (const [at, [name, Name, Language]] of PEOPLE.entries()) await app.post("users", { UserName: name, Name, Language, Email: `${name}@example.com`, Mobile: `+4790000${String(at).padStart(3, "0")}` });
  for (const user of [1, 3, 4, 8]) await app.post(`users/${user}/devices`, { Label: "Phone", Token: `fcm-${user}-7Qx2mB9c` });
  for (const [Language, Body] of Object.entries(WORDS)) await app.post("messages/templates", { Type: 1, Format: 2, Language, Body });
  const html = (await app.get("messages/templates/4")).HTMLBody;
  await app.post("messages/templates", { Type: 1, Format: 0, Language: "nb-NO", Sender: "Acme <hello@acme.example>", Subject: "Velkommen til {{ app.name }}", HTMLBody: html.replace("Your account is ready.", "Kontoen din er klar.").replace("Welcome to", "Velkommen til") });
  const { ID } = await app.post("messages/types", { Slug: "parcel", Name: "Parcel has arrived", IsNotification: true, DefaultFormats: ["sms", "push"], Placeholders: [{ Name: "shop", Meaning: "Where it can be fetched.", Required: true, Sample: "Corner shop, Main Street 4" }] });
  await app.post("messages/templates", { Type: ID, Format: 2, Language: "en", Body: "{{ app.name }}: your parcel waits at {{ shop }}." });
  await app.post("messages/templates", { Type: ID, Format: 3, Language: "en", Subject: "Your parcel is here", Body: "Fetch it at {{ shop }} until Saturday." });
  await app.post("messages/preferences/1", { NotificationType: 0, IsEmail: true, IsSMS: true });
  await app.post("messages/preferences/1", { NotificationType: ID, IsOff: true });
  const send = (UserId, MessageType, Formats, Placeholders) => app.post("messages/send", { UserId, MessageType, Formats, Placeholders });
  const shop = { shop: "Corner shop, Main Street 4" };
  const all = async () => until("all of them", async () => (await app.get("messages/logs")).every(({ Status }) => !["queued", "sending"].includes(Status)));
  for (const user of [1, 2, 4, 5, 6]) await send(user, 1, [0, 2]);
  for (const user of [1, 3, 4, 8]) await send(user, ID, [3], shop);
  await all();
  await app.world.order("smtp.rcpt next 4 = 550 5.1.1 The email account that you tried to reach does not exist");
  for (const user of [7, 9, 10, 11]) await send(user, 1, [0]);
  await all();
  const [{ ID: broken }] = await app.get("messages/logs?Status=failed");
  await app.world.order("http.twilio next 1 = 503 Retry-After: 1");
  for (const user of [12, 13]) await send(user, ID, [2], shop);
  await all();
  for (const [user, text] of [[14, "The canteen is open again from Monday."], [15, "The office closes at noon on Friday."]]) await send(user, 0, [0], { title: "News", text });
  await all();
  spread();
  return broken;
}

/** The hours before this one. */
function spread() {
  const program = `
import math, sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], timeout=10)
now = int(time.time()) // 3600
for back in range(1, 24):
    for channel, size in (("email", 180), ("sms", 60), ("push", 90)):
        wave = 0.55 + 0.45 * math.sin((now - back) * 0.55 + size)
        db.execute("insert into tally values (?, ?, 'sent', ?)", (now - back, channel, int(size * wave) + 3))
        if back in (5, 6, 14) and channel != "push":
            db.execute("insert into tally values (?, ?, 'failed', ?)", (now - back, channel, int(size * 0.12)))
db.commit()`;
  execFileSync("python3", ["-c", program, join(app.data, "herald.db")]);
}
