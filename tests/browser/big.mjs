// `make browser-bench`: how soon each page is there with 100,000 users and 1,000,000 messages. It fails when one of them
// takes too long. What else runs on the machine only adds to a time, so the least one is judged.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { appliance, until } from "./support/appliance.mjs";
import { close, open, shown, signIn } from "./support/browser.mjs";
import { FIRST_LOAD_BYTES_MAX, firstLoad } from "./support/size.mjs";
import { PAGES, fill } from "./support/world.mjs";

const USERS = Number(process.argv[2] ?? 100_000);
const MESSAGES = Number(process.argv[3] ?? 1_000_000);
const ROUNDS = 5;
/** Browsers that have nothing of a page yet. */
const FRESH = 3;
/** From a click to what was asked for, painted; also the first time, when the page's own code comes along. */
const MILLIS_MAX = 100;
const LINES_A_CALL = 9_000;
const LANGUAGES = ["en-GB", "nb-NO", "de-DE", "fr-FR", "sv-SE"];

const app = await appliance({ sends: true });
let late = [];
try {
  await fill(app);
  await seed();
  const found = [...PAGES, "/users?search=user99", "/users?search=nobody-at-all", "/users?page=1900", "/log?UserId=4711", "/log?MessageFormat=2", "/log?MessageFormat=3", "/log?NotificationType=3", "/log?NotificationType=2", "/log?NotificationType=4", "/log?NotificationType=2&Status=failed", "/log?Status=sent", "/log?Status=undelivered", "/log?Status=failed&MessageFormat=0&NotificationType=1", "/log?UserId=4711&Status=sent", `/log/${MESSAGES}`];
  const times = new Map(found.map((to) => [to, { first: [], again: [] }]));
  for (let fresh = 1; fresh <= FRESH; fresh++) {
    const page = await open(app);
    page.refused(400);
    await signIn(page);
    for (const to of found) {
      const { first, again } = times.get(to);
      for (let round = 0; round <= (fresh === FRESH ? ROUNDS : 0); round++) {
        await went(page, to === "/" ? "/settings/links" : "/");
        (round ? again : first).push(await went(page, to));
      }
    }
    await page.context().close();
  }
  const measured = found.map((to) => ({ to, first: Math.min(...times.get(to).first), again: median(times.get(to).again), least: Math.min(...times.get(to).again) }));
  const { bytes } = await firstLoad(await open(app));
  report(measured, bytes);
  late = measured.filter(({ first, least }) => Math.max(first, least) > MILLIS_MAX).map(({ to }) => to);
  if (bytes > FIRST_LOAD_BYTES_MAX) late.push(`first load: ${bytes} bytes`);
} finally {
  await app.stop();
  await close();
}
if (late.length) console.error(`more than ${MILLIS_MAX} ms or ${FIRST_LOAD_BYTES_MAX} bytes: ${late.join(", ")}`);
process.exit(late.length ? 1 : 0);

function median(times) {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];
}

/** Each address, the slowest first; then the lines for README. */
function report(measured, bytes) {
  const whole = (millis) => millis.toFixed(0);
  console.log(`${USERS} users, ${MESSAGES} messages; milliseconds from click to content: the first time (least of ${FRESH} browsers), then of ${ROUNDS} more the median and the least`);
  measured.sort((a, b) => b.first - a.first);
  for (const { to, first, again, least } of measured) console.log(`${to.padEnd(60)} ${[first, again, least].map((millis) => whole(millis).padStart(6)).join(" ")}`);
  const all = (key) => measured.map((one) => one[key]);
  const worst = (key) => measured.find((one) => one[key] === Math.max(...all(key)));
  console.log("| a page, from click to content | median of pages | worst | |\n|---|---|---|---|");
  for (const [words, key] of [[`the first time, its code included, least of ${FRESH}`, "first"], [`again, median of ${ROUNDS}`, "again"]]) console.log(`| ${words} | ${whole(median(all(key)))} ms | ${whole(worst(key)[key])} ms | \`${worst(key).to}\` |`);
  console.log(`| first load, headers included | ${(bytes / 1000).toFixed(1)} kB | | |`);
}

/** Follows a link; how long it took until the page said that it is there and the browser had painted it. */
async function went(page, to) {
  const time = await page.evaluate((to) => new Promise((resolve) => {
    delete document.documentElement.dataset.shown;
    const link = Object.assign(document.createElement("a"), { href: to });
    document.body.append(link);
    const start = performance.now();
    const look = new MutationObserver(() => {
      if (!document.documentElement.dataset.shown) return;
      look.disconnect();
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start)));
    });
    look.observe(document.documentElement, { attributes: true });
    link.click();
    link.remove();
  }), to);
  await shown(page, to);
  return time;
}

async function seed() {
  for (let from = 0; from < USERS; from += LINES_A_CALL) {
    const lines = ["UserName,Name,Email,Mobile,Language"];
    for (let n = from; n < Math.min(USERS, from + LINES_A_CALL); n++) lines.push(`user${n},User ${n},user${n}@example.com,+479${String(n).padStart(7, "0")},${LANGUAGES[n % 5]}`);
    const reply = await fetch(`${app.url}/api/admin/v1/users/import`, { method: "POST", headers: { Authorization: `Bearer ${app.key}`, "Content-Type": "text/csv" }, body: lines.join("\n") });
    if (!reply.ok) throw new Error(await reply.text());
  }
  // As the appliance wrote its first message, a million times: other guids, users and times.
  const program = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=60)
names = [row[1] for row in db.execute("pragma table_info(message)") if row[1] != "id"]
values = {"guid": "randomblob(16)", "user_id": "1 + i % ${USERS}", "status": "case i % 1000 when 0 then 'failed' else 'sent' end", "cause": "case i % 1000 when 0 then 'permanent 550' end", "error": "case i % 1000 when 0 then '550 No such user' end", "created_at": "created_at - (${MESSAGES} - i) * 60", "recipient": "'user' || (i % ${USERS}) || '@example.com'", "has_content": "0", "format": "case i % 3 when 0 then 2 else 0 end", "channel": "case i % 3 when 0 then 'sms' else 'email' end",
  "type_id": "case when i % 80 = 0 then 2 when i % 110 = 0 then 4 else type_id end"}
chosen = ", ".join(values.get(name, name) for name in names)
db.execute(f"with recursive n(i) as (select 1 union all select i + 1 from n where i < ${MESSAGES}) insert into message ({', '.join(names)}) select {chosen} from n, message where message.id = 2")
db.execute("insert into content (message_id, subject, trace) select m.id, c.subject, c.trace from message m join content c on c.message_id = 2 where m.id not in (select message_id from content)")
db.commit()`;
  execFileSync("python3", ["-c", program, join(app.data, "herald.db")]);
  await until("the log", async () => (await app.get("messages/logs?pageSize=1")).length === 1);
}
