// JSON schemas of the OpenAPI document, as fields that a person can read.

import { h } from "./dom.js";
import t from "./words.js";

/** A schema with its reference followed. */
export function resolve(schema, document) {
  let found = schema;
  for (let depth = 0; found?.$ref && depth < 10; depth++) found = found.$ref.slice(2).split("/").reduce((at, key) => at?.[key], document);
  return found ?? {};
}

/** `string`, `integer or null`, `list of User`. */
export function typeName(schema, document) {
  const found = resolve(schema, document);
  const options = found.anyOf || found.oneOf;
  if (options) return [...new Set(options.map((one) => typeName(one, document)))].join(t.reference.or);
  if (found.const !== undefined) return JSON.stringify(found.const);
  if (found.enum) return found.enum.map((value) => JSON.stringify(value)).join(t.reference.or);
  const types = [found.type].flat().filter(Boolean);
  return types.map((type) => (type === "array" ? t.reference.listOf(typeName(found.items, document)) : found.format && type === "string" ? `${type} (${found.format})` : type)).join(t.reference.or) || t.reference.any;
}

/** The fields of an object, with those of what is in it. */
export function fields(schema, document, depth = 0) {
  let found = resolve(schema, document);
  if (found.type === "array" || found.type?.includes?.("array")) found = resolve(found.items, document);
  const option = (found.anyOf || found.oneOf)?.map((one) => resolve(one, document)).find((one) => one.properties || one.items);
  if (option) return fields(option, document, depth);
  if (!found.properties || depth > 3) return null;
  return h("ul.fields", {}, Object.entries(found.properties).map(([name, inner]) => h("li", {},
    h("code", {}, name), found.required?.includes(name) && h("span.required", {}, "*"), " ", h("span.muted", {}, typeName(inner, document)), resolve(inner, document).description && h("p", {}, inner.description || resolve(inner, document).description), fields(inner, document, depth + 1))));
}
