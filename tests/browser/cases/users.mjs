// Users: made, found, changed, erased, and many at once.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../support/appliance.mjs";
import { isTidy, pageTest, shown, signIn, visit } from "../support/browser.mjs";

pageTest("a user is made, found, changed, given a device, and erased", {}, async (page, app) => {
  page.refused(400, 409);
  await signIn(page, "/users");
  await page.getByRole("heading", { name: "No users yet" }).waitFor();
  await page.getByRole("main").getByRole("link", { name: "Add user" }).last().click();
  await page.getByLabel("User name").fill("anna");
  await page.getByLabel("Mobile").fill("123");
  await page.getByRole("button", { name: "Add user" }).click();
  await page.getByRole("alert").getByText("'123' is not an international phone number", { exact: false }).waitFor();
  await page.getByLabel("Mobile").fill("+4790000001");
  await page.getByLabel("Attributes").fill("{\"team\": \"blue\"}");
  await page.getByRole("button", { name: "Add user" }).click();
  await shown(page, "/users/1");
  await page.getByLabel("Name", { exact: false }).nth(1).fill("Anna Berg");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "Anna Berg", exact: true }).waitFor();
  assert.deepEqual((await app.get("users/1")).Attributes, { team: "blue" });

  await visit(page, "/users/1/devices");
  await page.getByLabel("Label").fill("Anna's phone");
  await page.getByLabel("Token").fill("token-1");
  await page.getByRole("button", { name: "Add device" }).click();
  await page.getByRole("row", { name: /Anna's phone/ }).waitFor();
  assert.equal((await app.get("users/1/devices")).length, 1);
  await page.getByRole("button", { name: "Remove Anna's phone" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await page.getByRole("heading", { name: "No device" }).waitFor();

  await app.post("users", { UserName: "bo", Name: "Bo Ek", Email: "bo@example.com" });
  await visit(page, "/users");
  await page.getByLabel("Search by name, address or number").fill("bo@ex");
  await page.getByRole("row", { name: /Anna Berg/ }).waitFor({ state: "detached" });
  await page.getByRole("link", { name: "Bo Ek" }).click();
  await shown(page, "/users/2");
  await isTidy(page);
  await page.getByRole("button", { name: "Erase" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Erase" }).click();
  await shown(page, "/users");
  await until("the erasure", async () => (await app.get("users")).length === 1);
});

/** 1000 lines; seven of them are bad, each in its own way. */
function file() {
  const lines = ["UserName,Name,Email,Mobile,Language,IsDisabled"];
  for (let n = 1; n <= 1000; n++) lines.push(`user${n},"User, ${n}",user${n}@example.com,+47900${String(n).padStart(5, "0")},${n % 2 ? "nb-NO" : "en-GB"},false`);
  const bad = { 3: "user3,Three,no-address,,,", 77: ",Nameless,x@example.com,,,", 500: "user500,Five,user500@example.com,12,,", 501: "user501,Five,user501@example.com,,tlh-XX,", 640: "user640,Six,user640@example.com,,,perhaps", 999: "user1,Again,again@example.com,,,", 1000: "user1000,Too,many,,,,,cells" };
  for (const [at, line] of Object.entries(bad)) lines[at] = line;
  return { text: lines.join("\r\n"), bad: Object.keys(bad).map(Number) };
}

pageTest("a file of 1000 users with 7 bad lines is looked at, tried and taken without the seven", {}, async (page, app) => {
  const { text, bad } = file();
  const path = join(app.directory, "users.csv");
  writeFileSync(path, `\uFEFF${text}`);
  await signIn(page, "/users/import");
  await page.getByLabel("CSV file").setInputFiles(path);
  await page.getByText("1000 lines", { exact: false }).or(page.getByText("1,000 lines", { exact: false })).first().waitFor();
  await page.getByRole("cell", { name: "User, 2", exact: true }).waitFor();
  await page.getByText("7 refused").waitFor();
  const rows = page.getByRole("table", { name: "Refused lines" }).locator("tbody tr");
  assert.deepEqual(await rows.evaluateAll((rows) => rows.map((row) => Number(row.cells[0].textContent))), bad.map((at) => at + 1));
  await isTidy(page);
  assert.equal((await app.get("users")).length, 0, "trying changes nothing");
  await page.getByRole("button", { name: "Import 993" }).click();
  await page.getByRole("heading", { name: "Imported" }).waitFor();
  await page.getByText("993 added").waitFor();
  await page.getByRole("link", { name: "See the users" }).click();
  await page.getByText("993 users").first().waitFor();
});

pageTest("a file of many calls names nobody twice, however far apart", {}, async (page, app) => {
  const guid = "11111111-2222-4333-8444-555555555555";
  const lines = ["UserName,Guid,Name,Email"];
  for (let n = 2; n <= 9100; n++) lines.push(`user${n},,User ${n},`);
  const put = (line, text) => (lines[line - 1] = text);
  put(10, `user10,${guid},User 10,`);
  // A cell of two lines moves all that follows one line down the file; a line without anything does not move it back.
  put(15, "user15,,\"One\nand two\",");
  put(20, "");
  put(9050, "USER5,,Five again,");
  put(9060, `somebody,{${guid.toUpperCase()}},Ten again,`);
  put(9070, "user9069,,In the same call,");
  put(9080, "user9080,,,no-address");
  const path = join(app.directory, "users.csv");
  writeFileSync(path, lines.join("\n"));
  await signIn(page, "/users/import");
  await page.getByLabel("CSV file").setInputFiles(path);
  const refused = async () => page.getByRole("table", { name: "Refused lines" }).locator("tbody tr").evaluateAll((rows) => rows.map((row) => `${row.cells[0].textContent}: ${row.cells[2].textContent.trim()}`));
  await page.getByText("5 refused").waitFor();
  const expected = [
    "15: Name", "9051: Line 5 is for the same user.", "9061: Line 10 is for the same user.", "9071: Line 9070 is for the same user.", "9081: Email",
  ];
  const told = await refused();
  assert.deepEqual(told.map((line, at) => line.slice(0, expected[at].length)), expected, told.join("\n"));
  await page.getByRole("button", { name: "Import 9,093" }).click();
  await page.getByText("9,093 added").waitFor();
  await page.getByText("5 refused").waitFor();
  assert.deepEqual(await refused(), told);
  assert.deepEqual((await app.get("users?UserName=user5")).map(({ Name }) => Name), ["User 5"]);
  assert.deepEqual((await app.get("users?UserName=user10")).map(({ Guid, Name }) => [Guid, Name]), [[guid, "User 10"]]);
  assert.equal((await app.get("users?search=somebody")).length, 0);
});
