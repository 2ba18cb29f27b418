// An appliance with something of everything, for tests that look at every page.

import { until } from "./appliance.mjs";

/** Every page by its address. */
export const PAGES = [
  "/", "/log", "/log?Status=failed", "/log/1", "/log/3", "/users", "/users/new", "/users/import", "/users/1", "/users/1/preferences", "/users/1/devices", "/users/1/messages", "/users/1/send",
  "/templates", "/templates/4", "/templates/2", "/templates/new", "/types", "/types/1", "/types/new", "/captured", "/captured?show=short",
  "/password", "/settings", "/settings/providers", "/settings/sending", "/settings/preferences", "/settings/links", "/settings/keys", "/settings/operators", "/settings/data", "/settings/account",
  "/reference", "/reference/post_admin_v1_messages_send",
];

/** Fills an appliance that `sends` with people, a failure, an SMS, and a push that is captured. `word(n)` makes the texts. */
export async function fill(app, word = (n) => ["Anna Berg", "Bjørn Dahl", "Carla Rossi"][n % 3]) {
  await app.post("users", { UserName: "anna", Name: word(0), Email: "anna@example.com", Mobile: "+4790000001", Language: "nb-NO", Attributes: { note: word(1) } });
  await app.post("users", { UserName: "bjorn", Name: word(1), Email: "bjorn@example.com", Mobile: "+4790000002", Language: "en-GB" });
  await app.post("users", { UserName: "carla", Name: word(2), Mobile: "+390000000003", Language: "it-IT", IsDisabled: true });
  await app.post("users/1/devices", { Label: word(0), Token: "token-1" });
  await app.post("messages/preferences/2", { NotificationType: 0, IsSMS: true });
  await app.post("messages/templates", { Type: 1, Format: 2, Language: "nb-NO", Body: "Hei {{ user.name }}: {{ loginUrl }} ☃" });
  await app.post("clients", { Label: word(1), Scopes: ["relesys.api.users:write"] });
  await app.world.order("smtp.rcpt next 1 = 550 5.1.1 No such user here");
  await app.post("messages/send", { UserId: 1, MessageType: 1, Formats: [0] });
  await until("the failure", async () => (await app.get("messages/logs"))[0]?.Status === "failed");
  await app.post("messages/send", { UserId: 1, MessageType: 0, Formats: [0], Placeholders: { title: word(2), text: word(0) } });
  await app.post("messages/send", { UserId: 1, MessageType: 1, Formats: [2] });
  await app.post("messages/send", { UserId: 1, MessageType: 0, Formats: [3], Placeholders: { title: word(1), text: word(2) } });
  await app.post("messages/send", { UserId: 3, MessageType: 0, Placeholders: { text: word(1) } });
  await until("the others", async () => (await app.get("messages/logs")).every(({ Status }) => !["queued", "sending"].includes(Status)));
}
