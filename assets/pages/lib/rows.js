// A message as a line of a list.

import { h } from "./dom.js";
import { channelOf, formatName, time } from "./format.js";
import { icon } from "./icons.js";
import { status } from "./ui.js";
import t from "./words.js";

/** A row of the log that leads to the message. */
export function messageRow(row, typeName) {
  const trouble = row.Error && !["sent", "delivered"].includes(row.Status) ? row.Error : null;
  return h("li", {}, h("a.row.message-row", { href: `/log/${row.ID}`, data: { row: "" } },
    h("span.where", { title: formatName(row.MessageFormat) }, icon(channelOf(row.MessageFormat)), h("span.visually-hidden", {}, formatName(row.MessageFormat))),
    h("span.main", {}, row.Recipient || t.log.noAddress),
    h("span.second", {}, typeName(row.NotificationType), trouble && h("span.trouble", {}, ` · ${trouble}`)),
    h("span.state", {}, status(row.Status)),
    h("span.when", {}, time(row.CreatedDate))));
}
