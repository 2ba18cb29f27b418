// How long things are kept, and the way to take a copy.

import { BASE, get, post } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { bytes } from "../../lib/format.js";
import { field, form, input, linkButton, section, toast } from "../../lib/ui.js";
import t from "../../lib/words.js";

export default async function data({ signal }) {
  const [now, { Store }] = await Promise.all([get("settings", {}, signal), get("overview", {}, signal)]);
  const count = (value) => input({ type: "number", min: "0", step: "1", value: String(value) });
  const days = field(t.data.days, count(now.RetentionDays), { hint: t.data.daysHint });
  const size = field(t.data.size, count(now.RetentionMegabytes), { hint: t.data.sizeHint });
  return h("div.stack", {},
    section(t.data.retention, { text: t.home.store(bytes(Store.DatabaseBytes), Store.DiskFreeBytes === null ? null : bytes(Store.DiskFreeBytes)) }, h("div.panel-body", {}, form([h("div.form-grid", {}, days, size)], async () => {
      await post("settings", { RetentionDays: Number(days.control.value), RetentionMegabytes: Number(size.control.value) });
      toast(t.saved);
    }))),
    section(t.data.backup, { text: t.data.backupText }, h("div.panel-body", {}, linkButton(t.data.download, `${BASE}/backup`, { icon: "download", download: "" }))));
}
