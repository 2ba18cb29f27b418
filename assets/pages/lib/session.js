// Who is signed in, and what the appliance says of itself.

import { get, post } from "./api.js";

/** What `GET session` said last. */
export let session = { State: "signedOut" };

/** Asks anew. */
export async function refresh(signal) {
  session = await get("session", {}, signal);
  return session;
}

export async function signIn(username, password) {
  await post("user/logon", { username, password });
  return refresh();
}

export async function signInWith(token) {
  await post("user/signin", { token });
  return refresh();
}

export async function setUp(token, username, password) {
  await post("user/setup", { token, username, password });
  return refresh();
}

export async function signOut() {
  await post("user/logoff");
  return refresh();
}
