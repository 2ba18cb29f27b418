// The history of a template: what it was, what differs, and the way back.

import { call, get } from "./api.js";
import { diff } from "./diff.js";
import { h, replace } from "./dom.js";
import { time } from "./format.js";
import { badge, button, dialog, empty, failed, toast } from "./ui.js";
import t from "./words.js";

const PARTS = [["Language", "language"], ["Sender", "sender"], ["Subject", "subject"], ["HTMLBody", "html"], ["Body", "body"]];

/** Opens the history; `restored()` after a version was brought back. */
export async function showVersions(id, restored) {
  const path = `messages/templates/${id}/versions`;
  const versions = await get(path);
  const current = await get(`${path}/${versions.find((one) => one.IsCurrent).Version}`);
  const place = h("div.stack", {}, h("p.muted", {}, t.versions.choose));
  const rows = versions.map((one) => h("li", {}, h("button.row.version", { type: "button", data: { version: one.Version }, on: { click: (event) => show(one, event.currentTarget).catch(failed) } },
    h("span.main", {}, t.versions.version(one.Version), " ", one.IsCurrent && badge(t.versions.current, "ok")), h("span.second", {}, one.SavedBy, " · ", time(one.SavedDate)))));
  const box = dialog(t.versions.title, versions.length ? h("div.versions", {}, h("ol.rows", {}, rows), place) : empty("history", t.versions.none, ""), { wide: true });

  async function show(one, row) {
    box.querySelectorAll(".version").forEach((other) => (other.ariaCurrent = other === row ? "true" : null));
    const old = await get(`${path}/${one.Version}`);
    const parts = PARTS.map(([key, word]) => [t.template[word], diff(old[key], current[key])]).filter(([, difference]) => difference);
    const restore = !one.IsCurrent && button(t.versions.restore(one.Version), async () => {
      await call("POST", `${path}/${one.Version}/restore`);
      box.close();
      toast(t.versions.restored(one.Version));
      await restored();
    }, { kind: "primary", icon: "history" });
    replace(place, one.IsCurrent ? h("p.muted", {}, t.versions.isCurrent) : [h("div.row-actions", {}, restore),
      parts.length ? parts.map(([name, difference]) => h("div", {}, h("h3", {}, name), difference)) : h("p.muted", {}, t.versions.same)]);
  }
}
