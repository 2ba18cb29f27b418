// Many users at once: a file is looked at, tried, and only then taken.

import { call } from "../lib/api.js";
import { cells, records } from "../lib/csv.js";
import { h, newId, replace } from "../lib/dom.js";
import { number } from "../lib/format.js";
import { badge, button, heading, linkButton, notice, section } from "../lib/ui.js";
import t from "../lib/words.js";

const LINES_A_CALL = 9000;
const SHOWN = 8;
const REPORTED = 200;
const BYTES_A_CALL = 1_000_000;
const encoder = new TextEncoder();

export default async function importUsers({ signal }) {
  const id = newId("file");
  const file = h("input", { type: "file", id, accept: ".csv,text/csv,text/plain", on: { change: look } });
  const place = h("div.stack", {});
  let found = [];
  /** The records for somebody whom an earlier one is for, and what is said of them: which of the two is meant? */
  let again = new Map();
  const drop = h("div.drop", { on: { dragover: (event) => event.preventDefault(), drop: dropped } }, h("label", { for: id }, t.import.file), file, h("p.hint", {}, t.import.hint), h("pre.sample", {}, t.import.sample));
  return { title: t.import.title, node: h("div.page.narrow", {}, heading(t.import.title, { back: ["/users", t.users.title], sub: t.import.sub }), h("div.panel", {}, h("div.panel-body", {}, drop)), place) };

  function dropped(event) {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    file.files = event.dataTransfer.files;
    look();
  }

  async function look() {
    const text = (await file.files[0].text()).replace(/^\uFEFF/, "");
    found = records(text);
    again = new Map();
    if (found.length < 2) return replace(place, notice("bad", t.import.empty));
    const rows = found.slice(0, SHOWN + 1).map((record) => cells(record.text));
    const table = h("table", {}, h("caption.visually-hidden", {}, t.import.preview), h("thead", {}, h("tr", {}, rows[0].map((cell) => h("th", { scope: "col" }, cell)))),
      h("tbody", {}, rows.slice(1).map((row) => h("tr", {}, row.map((cell) => h("td.break", {}, cell))))));
    const report = h("div", {});
    replace(place, section(t.import.preview, { text: t.import.lines(found.length - 1) }, h("div.table-wrap", {}, table)), report);
    await run(true, report);
  }

  /** Sends the file in parts; with `dry`, nothing is kept. */
  async function run(dry, report) {
    const meter = h("progress", { max: "1", value: "0", "aria-label": dry ? t.import.checking : t.import.importing });
    const line = h("p", { role: "status" });
    replace(report, section(dry ? t.import.checking : t.import.importing, {}, h("div.panel-body", {}, meter, line)));
    const total = { Added: 0, Changed: 0, Unchanged: 0, Refused: 0 };
    const refused = [];
    const seen = new Map();
    const sent = found.slice(1).filter((record) => !again.has(record));
    meter.max = sent.length;
    try {
      let done = 0;
      while (done < sent.length) {
        const part = take(sent, done);
        const { Data } = await call("POST", "users/import", { params: { DryRun: dry }, body: [found[0], ...part].map((record) => record.text).join("\n"), type: "text/csv", signal });
        const places = placesOf(found[0], part);
        for (const one of Data.Report) {
          const record = places.get(one.Line);
          const Line = record.line;
          const first = firstOf(seen, one, Line);
          if (first !== Line) again.set(record, { ...one, Line, Errors: [{ Field: null, Reason: t.import.same(first) }] });
          else if (one.Result === "refused") refused.push({ ...one, Line });
          if (first === Line) total[one.Result[0].toUpperCase() + one.Result.slice(1)] += 1;
        }
        done += part.length;
        meter.value = done;
        replace(line, t.import.progress(number(done), number(sent.length)));
      }
      total.Refused += again.size;
      refused.push(...again.values());
      refused.sort((a, b) => a.Line - b.Line);
      replace(report, result(dry, total, refused, report));
      if (!dry) report.querySelector("a").focus();
    } catch (fault) {
      if (fault.name !== "AbortError") replace(report, notice("bad", h("p", {}, fault.message), total.Added + total.Changed > 0 && !dry && h("p", {}, t.import.partly(total.Added + total.Changed))));
    }
  }

  /** The next records, as many as one call takes. */
  function take(sent, from) {
    const part = [];
    const bytes = (text) => encoder.encode(text).length;
    let size = bytes(found[0].text);
    for (const record of sent.slice(from, from + LINES_A_CALL)) {
      size += bytes(record.text) + 1;
      if (part.length && size > BYTES_A_CALL) break;
      part.push(record);
    }
    return part;
  }

  function result(dry, total, refused, report) {
    const take = total.Added + total.Changed;
    const words = dry ? t.import.would : t.import.did;
    const counts = h("div.counts", {}, badge(words.added(number(total.Added)), "ok"), badge(words.changed(number(total.Changed)), "accent"), badge(words.unchanged(number(total.Unchanged))), total.Refused > 0 && badge(words.refused(number(total.Refused)), "bad"));
    const lines = refused.slice(0, REPORTED).map(({ Line, UserName, Errors }) => h("tr", {}, h("td.num", {}, Line), h("td.break", {}, UserName || "–"), h("td.break", {}, Errors.map(({ Field, Reason }) => h("p", {}, h("b", {}, Field), " ", Reason)))));
    const table = refused.length > 0 && h("div.table-wrap", {}, h("table.report", {}, h("caption.visually-hidden", {}, t.import.refused), h("thead", {}, h("tr", {}, [t.import.line, t.users.userName, t.import.reason].map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, lines)));
    const actions = dry ? [button(t.import.action(number(take)), () => run(false, report), { kind: "primary", icon: "upload", disabled: !take })] : [linkButton(t.import.see, "/users", { kind: "primary" })];
    return section(dry ? t.import.checked : t.import.done, { actions }, h("div.panel-body", { role: "status" }, counts, total.Refused > 0 && h("p.muted", {}, dry ? t.import.refusedText : t.import.leftOut), refused.length > REPORTED && h("p.muted", {}, t.import.first(REPORTED))), table);
  }
}

/** Which record each line of a call begins. */
function placesOf(header, part) {
  const places = new Map();
  const lines = ({ text }) => text.split("\n").length;
  let line = 1 + lines(header);
  for (const record of part) {
    places.set(line, record);
    line += lines(record);
  }
  return places;
}

/** The first line for the user that this one is for. A call knows its own lines only. */
function firstOf(seen, { UserName, Guid }, line) {
  const keys = [UserName && `name ${UserName.toLowerCase()}`, Guid && `guid ${Guid.toLowerCase().replace(/[^0-9a-f]/g, "")}`].filter(Boolean);
  const first = keys.map((key) => seen.get(key)).find(Boolean) ?? line;
  for (const key of keys) if (!seen.has(key)) seen.set(key, first);
  return first;
}
