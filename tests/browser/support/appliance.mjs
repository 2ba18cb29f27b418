// The real binary on ports of its own choice, with `herald simulate` as the world outside.

import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
export const BINARY = process.env.HERALD_BINARY || "target/debug/herald";
export const PASSWORD = "a rather long password";
const DEADLINE_MS = 45000;

/** Waits for `find()` to give something, with a deadline. */
export async function until(what, find) {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    const found = await find();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** A process of ours whose output is kept. */
function start(args, env) {
  const child = spawn(BINARY, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const program = { child, out: "", err: "" };
  child.stdout.on("data", (data) => (program.out += data));
  child.stderr.on("data", (data) => (program.err += data));
  program.ended = new Promise((resolve) => child.on("exit", resolve));
  program.stop = async () => {
    child.kill("SIGTERM");
    await program.ended;
  };
  return program;
}

/** `herald simulate`: its provider URLs, orders for faults and what it took. */
async function outside(env) {
  const program = start(["simulate", "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"], env);
  const word = (name) => until(name, () => new RegExp(`^${name}: (.+)$`, "m").exec(program.out)?.[1]);
  const world = { stop: program.stop, smtp: await word("smtp"), twilio: await word("twilio"), ntfy: await word("ntfy"), fcm: await word("fcm"), faults: await word("faults") };
  world.order = (fault) => fetch(world.faults, { method: "POST", body: fault });
  world.mend = () => fetch(world.faults, { method: "DELETE" });
  world.taken = async () => (await (await fetch(world.faults.replace("faults", "messages"))).json()).Messages;
  return world;
}

/** A running appliance. `env` sets its limits. `sends`: with the world outside as its providers; `world`: it is there, but not configured. */
export async function appliance({ sends = false, world: isThere = sends, operator = "anna", args = [], env: more = {} } = {}) {
  const directory = mkdtempSync(join(tmpdir(), "herald-browser-"));
  const data = join(directory, "data");
  const env = { PATH: process.env.PATH, HERALD_DATA_DIR: data, HERALD_REQUESTS_PER_MINUTE: "0", ...more };
  const herald = async (...args) => (await run(BINARY, args, { env })).stdout;
  let key;
  if (operator) {
    writeFileSync(join(directory, "password"), PASSWORD);
    await herald("admin", "create", "--username", operator, "--password-file", join(directory, "password"));
    key = JSON.parse(await herald("client", "create", "--label", "tests", "--scope", "relesys.api", "--json")).key;
  }
  const world = isThere ? await outside(env) : null;
  const providers = sends ? ["--email", `${world.smtp}&from=noreply%40example.com`, "--sms", world.twilio] : [];
  const program = start(["serve", "--listen", "127.0.0.1:0", ...providers, ...args], env);
  const url = await until("the appliance", () => {
    if (program.child.exitCode !== null) throw new Error(`serve ended:\n${program.err}`);
    return /serves (http:\/\/127\.0\.0\.1:\d+)/.exec(program.err)?.[1];
  });
  const app = { url, key, world, program, directory, data, herald };
  app.call = async (method, path, body) => {
    const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
    const reply = await (await fetch(`${url}/api/admin/v1/${path}`, { method, headers, body: body && JSON.stringify(body) })).json();
    if (reply.Result !== "OK") throw new Error(`${method} ${path}: ${JSON.stringify(reply)}`);
    return reply.Data;
  };
  app.get = (path) => app.call("GET", path);
  app.post = (path, body) => app.call("POST", path, body);
  app.log = () => program.err;
  app.stop = async () => {
    await program.stop();
    await world?.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  return app;
}

