// What many views need to know and what seldom changes: message types and providers.

import { all } from "./api.js";

const KEPT_MS = 10000;
const kept = new Map();

function once(path) {
  const found = kept.get(path);
  if (found && Date.now() - found.at < KEPT_MS) return found.rows;
  const rows = all(path);
  rows.catch(() => kept.delete(path));
  kept.set(path, { at: Date.now(), rows });
  return rows;
}

/** All message types. */
export const types = () => once("messages/types");
/** All providers, each channel's in failover order. */
export const providers = () => once("providers");
/** Forgets what was known: something was changed. */
export const forget = () => kept.clear();

/** The name of a message type. */
export async function typeNames() {
  const names = new Map((await types()).map((type) => [type.ID, type.Name]));
  return (id) => names.get(id) ?? `#${id}`;
}
