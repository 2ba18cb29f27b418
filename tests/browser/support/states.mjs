// What the pages look like besides their first look: dialogs, answers, mistakes, and nothing at all.

import { join } from "node:path";
import { until } from "./appliance.mjs";

/** A filled appliance gets what the dialogs are about: something of one's own everywhere, and a message that waits. */
export async function furnish(app) {
  const { ID } = await app.post("messages/types", { Slug: "parcel", Name: "Parcel", IsNotification: true, Placeholders: [{ Name: "shop", Meaning: "Where it is", Sample: "Corner shop" }] });
  await app.post("messages/templates", { Type: ID, Format: 2, Language: "en", Body: "At {{ shop }}." });
  const sms = await app.get("messages/templates/6");
  await app.post("messages/templates", { ID: 6, Type: sms.Type, Format: sms.Format, Language: sms.Language, Subject: sms.Subject, Body: `${sms.Body}!` });
  await app.post("providers", { Channel: "email", Url: "smtp://second:p%40ss@127.0.0.1:1?tls=none&from=noreply%40example.com" });
  await app.herald("admin", "create", "--username", "bo", "--password-file", join(app.directory, "password"));
  await app.post("outbox/pause", { Reason: "A look at the mail server" });
  const [{ ID: waiting }] = await app.post("messages/send", { UserId: 2, MessageType: 1, Formats: [0] });
  return { type: ID, waiting };
}

const named = (role, name, options) => (page) => page.getByRole(role, { name, ...options }).locator("visible=true").first();
const button = (name) => named("button", name, { exact: typeof name === "string" });
const at = (selector) => (page) => page.locator(selector).locator("visible=true").first();

/** Each dialog: what it is, on which page, which control opens it, and what is done before. */
export const dialogs = ({ type, waiting }) => [
  ["the keys", "/users", button("Keyboard shortcuts")],
  ["what failed alike, again", "/", at("[data-retry]")],
  ["what the log shows, again", "/log?Status=failed", at("[data-bulk]")],
  ["what waits, no more", "/log?Status=queued", at("[data-bulk]")],
  ["one that waits, no more", `/log/${waiting}`, at("[data-act=cancel]")],
  ["erasing a user", "/users/1", button("Erase")],
  ["removing a device", "/users/1/devices", button(/^Remove /)],
  ["trying a template", "/templates/4", button("Test")],
  ["the history of a template", "/templates/6", button("History")],
  ["copying a template", "/templates/4", button("Copy")],
  ["deleting a template", "/templates/4", button("Delete")],
  ["leaving without saving", "/templates/6", named("link", "Users", { exact: true }), (page) => page.getByLabel("Text", { exact: true }).fill("Changed.")],
  ["removing a type", `/types/${type}`, button("Remove")],
  ["releasing a push", "/captured?show=short", button("Release")],
  ["removing what was captured", "/captured?show=short", button(/^Remove: /)],
  ["a provider for e-mail", "/settings/providers", button("Add provider for E-mail")],
  ["a provider for SMS", "/settings/providers", button("Add provider for SMS")],
  ["a provider for push", "/settings/providers", button("Add provider for Push")],
  ["changing a provider", "/settings/providers", button(/^Edit smtp/)],
  ["removing a provider", "/settings/providers", button(/^Remove smtp/)],
  ["a new key", "/settings/keys", button("New key")],
  ["revoking a key", "/settings/keys", button(/^Revoke/)],
  ["a new operator", "/settings/operators", button("Add operator")],
  ["removing an operator", "/settings/operators", button("Remove bo")],
  ["trying a deletion", "/reference/delete_admin_v1_users_id", button("Run"), (page) => page.getByLabel("id *").fill("4711")],
];

const csv = (text) => ({ name: "users.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
const press = (name) => async (page) => button(name)(page).click();
const says = (text) => async (page) => page.getByText(text).locator("visible=true").first().waitFor();

/** Each state: what it is, on which page, and the steps that lead to it. */
export const states = ({ type }) => [
  ["nothing fits the log's filters", "/log?Status=expired", says("Nothing fits these filters")],
  ["a cause chosen in the log", "/log?Cause=permanent+550", at("[data-row]"), says("Cause: permanent 550")],
  ["users found for the log", "/log", (page) => page.getByRole("combobox").first().fill("an"), (page) => page.locator(".options [role=option]").first().waitFor()],
  ["nobody fits", "/users?search=nobody", says("Nobody fits")],
  ["a user without a name", "/users/new", press("Add user"), (page) => page.getByRole("alert").first().waitFor()],
  ["attributes that are no JSON", "/users/1", (page) => page.getByLabel("Attributes").fill("{"), press("Save"), says(/^The attributes are not JSON/)],
  ["a disabled user", "/users/3/send", says("This user is disabled and gets nothing.")],
  ["what would be sent", `/users/2/send?type=${type}`, (page) => page.locator(".plan, .notice.warn").first().waitFor()],
  ["a preference that no template covers", "/users/1/preferences", (page) => page.getByLabel("Push for Parcel").click(), says(/template/)],
  ["a type with a new placeholder", `/types/${type}`, press("Add placeholder")],
  ["a template with a mistake", "/templates/6", (page) => page.getByLabel("Text", { exact: true }).fill("Hi\n{{ nothing }}"), says(/^Line 2, column/)],
  ["a template as a user gets it", "/templates/4", (page) => page.getByRole("combobox", { name: "See it as a user" }).fill("anna"), (page) => page.locator(".options [role=option]").first().waitFor(), (page) => page.keyboard.press("Enter"), says("As Anna Berg")],
  ["an older version beside the current one", "/templates/6", press("History"), (page) => page.locator("[data-version]").last().click(), (page) => page.locator(".diff").first().waitFor()],
  ["a template that was tried", "/templates/6", press("Test"), (page) => page.getByRole("dialog").getByRole("textbox").fill("anna"), press("Send test"), (page) => page.locator(".dialog .notice").locator("visible=true").last().waitFor()],
  ["a file to import, with bad lines", "/users/import", (page) => page.getByLabel("CSV file").setInputFiles(csv("UserName,Email\ndina,dina@example.com\neva,nonsense")), says("1 refused")],
  ["a file that was imported", "/users/import", (page) => page.getByLabel("CSV file").setInputFiles(csv("UserName,Email\ndina,dina@example.com")), press("Import 1"), says("1 added")],
  ["a file without lines", "/users/import", (page) => page.getByLabel("CSV file").setInputFiles(csv("UserName")), (page) => page.locator(".notice.bad").waitFor()],
  ["nothing captured for somebody", "/captured?search=nobody", says("Nothing was captured for that recipient")],
  ["a provider that was checked", "/settings/providers", (page) => page.locator(".provider-row").filter({ hasText: "second:" }).getByRole("button", { name: "Check" }).click(), says("It does not work.")],
  ["a new provider that was checked", "/settings/providers", press("Add provider for E-mail"), (page) => page.getByLabel("Kind").selectOption({ label: "Another, as a URL" }), (page) => page.getByRole("dialog").getByRole("button", { name: "Check" }).click(), (page) => page.locator(".dialog .notice").first().waitFor()],
  ["rights one by one", "/settings/keys", press("New key"), (page) => page.getByLabel("May").selectOption("own")],
  ["a new key and its secret", "/settings/keys", press("New key"), (page) => page.getByLabel("Label").fill("Shop"), (page) => page.getByRole("dialog").getByRole("button", { name: "New key" }).click(), says("Your new key"), (page) => page.getByText("For OAuth 2.0 client credentials").click()],
  ["a key that was copied", "/types/1", (page) => page.getByRole("button", { name: /^Copy/ }).first().click(), says("Copied")],
  ["an operator without a password", "/settings/operators", press("Add operator"), (page) => page.getByRole("dialog").getByRole("button", { name: "Add operator" }).click(), (page) => page.getByRole("alert").locator("visible=true").first().waitFor()],
  ["an answer of the API", "/reference/get_admin_v1_users", press("Run"), says("200 OK"), (page) => page.locator("details").first().click()],
  ["operations found", "/reference", (page) => page.getByLabel("Search by path or meaning").fill("nothing-like-it"), says("Nothing fits these filters")],
];

/** On an empty appliance. */
export const EMPTY = [
  ["nothing to do yet", "/", says("Ready for the first message")],
  ["no message yet", "/log", says("No message yet")],
  ["no users yet", "/users", says("No users yet")],
  ["nothing captured yet", "/captured", says("Nothing captured yet")],
];

/** After the last key was revoked. */
export const KEYLESS = [["no keys yet", "/settings/keys", says("No keys yet")]];

const open = (page) => page.locator(".captured-row").first().click();

/** On an appliance that captures, after {@link capture}. */
export const CAPTURED = [
  ["a captured mail", "/captured", open, (page) => page.frameLocator("iframe").getByText("Hello Anna Berg,").waitFor()],
  ["its source", "/captured", open, press("Source"), (page) => page.locator(".source").waitFor()],
  ["releasing it", "/captured", open, press("Release")],
  ["no device and no message", "/users/2/devices", says("No device")],
  ["no message to this user", "/users/2/messages", says("No message yet")],
];

export async function capture(app) {
  await app.post("users", { UserName: "anna", Name: "Anna Berg", Email: "anna@example.com", Mobile: "+4790000001" });
  await app.post("users", { UserName: "bo", Email: "bo@example.com" });
  await app.post("messages/send", { UserId: 1, MessageType: 1, Formats: [0, 2] });
  await until("two messages", async () => (await app.get("captured")).length === 2);
}
