// Every test of the pages, or those whose names hold one of the words given.

import { readdirSync } from "node:fs";
import { close } from "./support/browser.mjs";
import { run } from "./support/runner.mjs";

for (const name of readdirSync("tests/browser/cases").sort()) await import(`./cases/${name}`);
const failed = await run(process.argv.slice(2));
await close();
process.exit(failed ? 1 : 0);
