// The admin API: the same one that everybody else uses, with the operator's cookie.

import t from "./words.js";

export const BASE = "/api/admin/v1";

/** A negative answer, or none at all. `slug` is for programs, `message` for a person. */
export class ApiError extends Error {
  constructor(status, slug, details) {
    super(details || t.errors[status] || t.errors.other);
    this.name = "ApiError";
    this.status = status;
    this.slug = slug;
  }
}

let whenSignedOut = () => {};
/** Names who is told when the session is over. */
export function onSignedOut(listener) {
  whenSignedOut = listener;
}

/** `?a=1&b=2` of what is neither empty nor missing. */
export function query(params) {
  const given = Object.entries(params || {}).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

/** A request to the admin API; the whole reply, which is an `OK`. */
export async function call(method, path, { params, body, signal, type } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = type || "application/json";
  let response;
  try {
    response = await fetch(`${BASE}/${path}${query(params)}`, {
      method, headers, signal, cache: "no-store", credentials: "same-origin",
      body: body === undefined ? undefined : type ? body : JSON.stringify(body),
    });
  } catch (fault) {
    if (fault.name === "AbortError") throw fault;
    throw new ApiError(0, "unreachable", t.errors.unreachable);
  }
  const reply = await response.json().catch(() => ({}));
  if (response.ok && reply.Result === "OK") return { ...reply, location: response.headers.get("Location") };
  if (response.status === 401 && !path.startsWith("user/")) whenSignedOut();
  throw new ApiError(response.status, reply.Message, reply.Details);
}

/** The `Data` of a GET. */
export const get = async (path, params, signal) => (await call("GET", path, { params, signal })).Data;

/** A page of a list: `{ rows, paging }`. */
export async function list(path, params, signal) {
  const { Data, Paging } = await call("GET", path, { params, signal });
  return { rows: Data, paging: Paging };
}

/** All pages of a list that is short by nature, such as types or providers. */
export async function all(path, params, signal) {
  const rows = [];
  for (let page = 1; ; page++) {
    const found = await list(path, { ...params, page, pageSize: 500 }, signal);
    rows.push(...found.rows);
    if (page >= found.paging.TotalPages) return rows;
  }
}

/** The `Data` of a POST. */
export const post = async (path, body, options) => (await call("POST", path, { body, ...options })).Data;

/** Removes something. */
export const remove = (path) => call("DELETE", path);

/** The id at the end of a `Location`. */
export const idOf = (location) => Number(location.split("/").pop());
