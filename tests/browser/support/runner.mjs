// Runs tests, two at a time: most of the time a test waits. Node's own runner cannot do that within one process.

const AT_ONCE = 2;
const TIMEOUT_MS = 90000;
const tests = [];

/** A test, for `run`. */
export const test = (name, body) => tests.push({ name, body });

/** Something to be said when all is done, such as a figure. */
export const figures = [];

/** Runs the tests whose names hold one of these words; all, without words. The count of those that failed. */
export async function run(words) {
  const chosen = tests.filter(({ name }) => !words.length || words.some((word) => name.includes(word)));
  if (!chosen.length) throw new Error(`no test is called ${words.join(" or ")}`);
  const start = Date.now();
  const waiting = [...chosen];
  const failed = [];
  const work = async () => {
    for (let one = waiting.shift(); one; one = waiting.shift()) await execute(one, failed);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  for (const line of figures) console.log(line);
  console.log(`${chosen.length} tests of the pages, ${failed.length} failed${failed.map((name) => `\n  ${name}`).join("")}; ${((Date.now() - start) / 1000).toFixed(1)} s`);
  return failed.length;
}

async function execute({ name, body }, failed) {
  const start = Date.now();
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
  });
  try {
    await Promise.race([body(), late]);
    console.log(`ok   ${name} (${Date.now() - start} ms)`);
  } catch (fault) {
    failed.push(name);
    console.log(`FAIL ${name}\n${fault.stack.replace(/^/gm, "     ")}`);
  } finally {
    clearTimeout(timer);
  }
}
