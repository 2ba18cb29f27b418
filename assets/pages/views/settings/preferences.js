// In which format system messages go out, whatever a user prefers.

import { all, list, post, remove } from "../../lib/api.js";
import { types } from "../../lib/catalog.js";
import { h, replace } from "../../lib/dom.js";
import { FORMATS, formatName } from "../../lib/format.js";
import { badge, button, section } from "../../lib/ui.js";
import t from "../../lib/words.js";

const PATH = "messages/system-message-preferences";

export default async function preferences({ signal }) {
  const [known, rows] = await Promise.all([types(), all(PATH, {}, signal)]);
  const kinds = known.filter((type) => type.IsSystem);
  const heads = [t.user.type, ...FORMATS.map(formatName)];
  return section(t.settings.preferences, { text: t.settings.preferencesText }, h("div.table-wrap", {}, h("table.matrix", {}, h("caption.visually-hidden", {}, t.settings.preferences),
    h("thead", {}, h("tr", {}, heads.map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, kinds.map((type) => row(type, rows.find((one) => one.Type === type.ID)))))));
}

function row(type, kept) {
  let current = kept;
  let wanted;
  const standing = h("div.standing", { role: "status" });
  const radios = FORMATS.map((format) => h("input", { type: "radio", name: `format-${type.ID}`, "aria-label": t.settings.sendsAs(type.Name, formatName(format)), on: { change: () => save(format) } }));
  show();
  return h("tr", {}, h("th", { scope: "row" }, type.Name, standing), radios.map((radio) => h("td", {}, radio)));

  function show(fault) {
    FORMATS.forEach((format, at) => (radios[at].checked = current?.Format === format));
    const again = current && button(t.user.toDefault, toDefault, { kind: "quiet small", icon: "back", title: t.user.toDefaultFor(type.Name) });
    replace(standing, current ? badge(t.user.chosen, "ok") : badge(t.user.default), again, fault && h("p.field-error", {}, fault.message));
  }

  async function toDefault() {
    await remove(`${PATH}/${current.ID}`);
    current = null;
    show();
    radios[0].focus();
  }

  // One after the other, and of those that were chosen meanwhile only the last: an arrow key goes through them all.
  async function save(format) {
    const isSaving = wanted !== undefined;
    wanted = format;
    if (isSaving) return;
    try {
      let next, fault;
      do fault = await keep((next = wanted));
      while (next !== wanted);
      show(fault);
    } finally {
      wanted = undefined;
    }
  }

  /** Why it is not kept, if the server says so. */
  async function keep(format) {
    try {
      await post(PATH, { ID: current?.ID, MessageType: type.ID, MessageFormat: format });
      current = (await list(PATH, { Type: type.ID })).rows[0];
    } catch (fault) {
      if (fault.name !== "ApiError") throw fault;
      return fault;
    }
  }
}
