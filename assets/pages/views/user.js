// One user: who it is, what they want, where they get it, and what they got.

import { all, get, list, post, remove } from "../lib/api.js";
import { typeNames, types } from "../lib/catalog.js";
import { h, replace } from "../lib/dom.js";
import { keepFocus } from "../lib/focus.js";
import { time } from "../lib/format.js";
import { go } from "../lib/router.js";
import { messageRow } from "../lib/rows.js";
import { sendForm } from "../lib/sendform.js";
import { badge, button, confirm, copyable, empty, facts, field, form, heading, input, linkButton, notice, section, tabs, toast } from "../lib/ui.js";
import { userForm } from "../lib/userform.js";
import t from "../lib/words.js";

const TABS = { profile, preferences, devices, messages, send };
const PAGE = 50;

export default async function user({ params, query, signal }) {
  const tab = params.tab ?? "profile";
  if (!TABS[tab]) throw Object.assign(new Error(t.errors[404]), { name: "ApiError", status: 404 });
  const found = await get(`users/${encodeURIComponent(params.id)}`, {}, signal);
  const path = `/users/${found.ID}`;
  const items = Object.keys(TABS).map((name) => [name === "profile" ? path : `${path}/${name}`, t.user[name], name === tab]);
  return {
    title: found.Name,
    node: h("div.page", {},
      heading(found.Name, { back: ["/users", t.users.title], sub: [found.UserName, found.Email, found.Mobile].filter(Boolean).join(" · "), actions: [found.IsDisabled && badge(t.users.disabled), tab !== "send" && linkButton(t.user.send, `${path}/send`, { kind: "primary", icon: "send" })] }),
      tabs(t.user.parts, items), await TABS[tab]({ user: found, query, signal })),
  };
}

async function profile({ user }) {
  const erase = button(t.user.erase, async () => {
    if (!(await confirm({ title: t.user.eraseTitle(user.Name), text: t.user.eraseText, action: t.user.erase }))) return;
    await remove(`users/${user.ID}`);
    toast(t.user.erased);
    await go("/users", { replace: true });
  }, { kind: "danger", icon: "trash" });
  return h("div.split", {},
    section(t.user.profile, {}, h("div.panel-body", {}, userForm(user, async () => {
      toast(t.saved);
      await go(`/users/${user.ID}`, { replace: true });
    }))),
    h("div.stack", {},
      section(t.user.ids, { text: t.user.idsText }, h("div.panel-body", {}, facts([[t.user.id, copyable(String(user.ID))], [t.user.guid, copyable(user.Guid)], [t.user.created, time(user.CreatedDate, "full")], [t.user.updated, time(user.LastUpdated, "full")]]))),
      section(t.user.erase, { text: t.user.eraseText }, h("div.panel-body", {}, erase))));
}

async function preferences({ user, signal }) {
  const [known, wishes] = await Promise.all([types(), all(`messages/preferences/${user.ID}`, {}, signal)]);
  const kinds = known.filter((type) => type.IsNotification);
  const rows = kinds.map((type) => preferenceRow(user, type, wishes.find((wish) => wish.NotificationType === type.ID)));
  const heads = [t.user.type, t.channels.email, t.channels.sms, t.channels.push];
  return section(t.user.preferences, { text: t.user.preferencesText }, h("div.table-wrap", {}, h("table.matrix", {},
    h("caption.visually-hidden", {}, t.user.preferences), h("thead", {}, h("tr", {}, heads.map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, rows))));
}

/** A type's three boxes. Each change is kept at once; what cannot be kept goes back, and says why. */
function preferenceRow(user, type, wish) {
  const names = { email: "IsEmail", sms: "IsSMS", push: "IsPush" };
  const standing = h("div.standing", { role: "status" });
  let current = wish;
  const boxes = Object.entries(names).map(([channel]) => h("input", { type: "checkbox", "aria-label": t.user.wants(t.channels[channel], type.Name), on: { change: save } }));
  show();
  return h("tr", {}, h("th", { scope: "row" }, type.Name, standing), boxes.map((box) => h("td", {}, box)));

  function show(fault) {
    Object.entries(names).forEach(([channel, name], at) => {
      boxes[at].checked = current ? current[name] : type.DefaultFormats.includes(channel);
    });
    const again = current && button(t.user.toDefault, toDefault, { kind: "quiet small", icon: "back", title: t.user.toDefaultFor(type.Name) });
    const [word, kind] = !current ? [t.user.default, "off"] : current.IsOff ? [t.user.off, "bad"] : [t.user.chosen, "ok"];
    replace(standing, badge(word, kind), again, fault && h("p.field-error", {}, fault.message));
  }

  async function toDefault() {
    await remove(`messages/preferences/${user.ID}/${current.ID}`);
    current = null;
    show();
    boxes[0].focus();
  }

  async function save() {
    const [IsEmail, IsSMS, IsPush] = boxes.map((box) => box.checked);
    const wanted = { NotificationType: type.ID, IsEmail, IsSMS, IsPush, IsOff: !(IsEmail || IsSMS || IsPush) };
    try {
      await post(`messages/preferences/${user.ID}`, { ID: current?.ID, ...wanted });
      const { rows } = await list(`messages/preferences/${user.ID}`, { NotificationType: type.ID });
      current = rows[0];
      show();
    } catch (fault) {
      if (fault.name !== "ApiError") throw fault;
      show(fault);
    }
  }
}

async function devices({ user, signal }) {
  const rows = h("tbody", {});
  const place = h("div", {});
  const label = field(t.user.deviceLabel, input({ placeholder: t.user.deviceSample }), { optional: true });
  const token = field(t.user.deviceToken, input(), { hint: t.user.deviceHint });
  const add = form([h("div.form-grid", {}, label, token)], async () => {
    await post(`users/${user.ID}/devices`, { Label: label.control.value, Token: token.control.value.trim() });
    label.control.value = token.control.value = "";
    await load();
  }, { action: t.user.addDevice, kind: "", icon: "plus" });
  await load();
  return section(t.user.devices, { text: t.user.devicesText }, place, h("div.panel-body", {}, h("h3", {}, t.user.addDevice), add));

  async function load() {
    const found = await all(`users/${user.ID}/devices`, {}, signal);
    keepFocus(() => draw(found));
  }

  function draw(found) {
    replace(rows, found.map((device) => h("tr", {}, h("td", {}, device.Label || "–"), h("td.break", {}, h("code", {}, device.Token)), h("td.hide-s", {}, time(device.CreatedDate)),
      h("td.end", {}, button("", async () => {
        if (!(await confirm({ title: t.user.dropDevice, text: device.Label || device.Token, action: t.remove }))) return;
        await remove(`users/${user.ID}/devices/${device.ID}`);
        await load();
      }, { kind: "quiet", icon: "trash", title: `${t.remove} ${device.Label || device.Token}` })))));
    replace(place, found.length ? h("div.table-wrap", {}, h("table", {}, h("caption.visually-hidden", {}, t.user.devices), h("thead", {}, h("tr", {}, [t.user.deviceLabel, t.user.deviceToken, t.user.created].map((text, at) => h("th", { scope: "col", class: at === 2 ? "hide-s" : "" }, text)), h("th", {}, h("span.visually-hidden", {}, t.remove)))), rows)) : empty("device", t.user.noDevice, t.user.noDeviceText));
  }
}

async function messages({ user, signal }) {
  const typeName = await typeNames();
  const lines = h("ol.rows", { "aria-label": t.user.messages });
  const foot = h("div.list-foot", {});
  let shown = 0;
  await load();
  return shown ? h("div.panel", {}, lines, foot) : h("div.panel", {}, empty("log", t.user.noMessage, t.user.noMessageText, linkButton(t.user.send, `/users/${user.ID}/send`, { kind: "primary", icon: "send" })));

  async function load(after) {
    const { rows, paging } = await list(`messages/logs/${user.ID}`, { pageSize: PAGE, after }, signal);
    const fresh = rows.map((row) => messageRow(row, typeName));
    lines.append(...fresh);
    if (after) fresh[0]?.querySelector("a").focus();
    shown += rows.length;
    replace(foot, h("span", {}, t.log.shown(shown, paging.TotalRecords)), paging.Next != null && button(t.more, () => load(paging.Next), { kind: "small" }));
  }
}

async function send({ user, query, signal }) {
  if (user.IsDisabled) return notice("warn", t.user.isDisabled);
  return sendForm(user, { type: query.get("type"), signal });
}
