// Times, numbers and names of things, as a person reads them.

import { h } from "./dom.js";
import t from "./words.js";

const locale = () => navigator.language;
const options = { dateStyle: "medium", timeStyle: "medium" };
const whole = new Intl.NumberFormat(locale());
const day = new Intl.DateTimeFormat(locale(), { day: "numeric", month: "short" });
const clock = new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit" });
const precise = new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const full = new Intl.DateTimeFormat(locale(), options);
const utc = new Intl.DateTimeFormat(locale(), { ...options, timeZone: "UTC" });
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "auto", style: "short" });

export const number = (n) => whole.format(n);

/** `1,234` or `10,000+` where counting stopped. */
export const count = (n, capped) => (capped ? `${whole.format(n)}+` : whole.format(n));

/** A time in the local zone, and in UTC for whoever points at it. `style`: `short`, `full`, `clock` or `ago`. */
export function time(text, style = "short") {
  if (!text) return null;
  const at = new Date(text);
  const words = { short: short, full: (d) => full.format(d), clock: (d) => precise.format(d), ago }[style](at);
  return h("time", { datetime: text, title: `${utc.format(at)} UTC` }, words);
}

function short(at) {
  const now = new Date();
  if (at.toDateString() === now.toDateString()) return clock.format(at);
  return at.getFullYear() === now.getFullYear() ? `${day.format(at)}, ${clock.format(at)}` : full.format(at);
}

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

/** How long ago, or how long from now. */
export function ago(at) {
  const seconds = Math.round((at - Date.now()) / 1000);
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) || UNITS[3];
  return relative.format(Math.trunc(seconds / size), unit);
}

/** A length of time in the largest unit that it fills. */
export function duration(seconds) {
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) || UNITS[3];
  const amount = Math.round((seconds / size) * 10) / 10;
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "long" }).format(amount);
}

export function milliseconds(ms) {
  return ms < 1000 ? `${whole.format(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export function bytes(n) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  while (n >= 1000 && at < units.length - 1) [n, at] = [n / 1000, at + 1];
  return `${n < 10 && at ? n.toFixed(1) : Math.round(n)} ${units[at]}`;
}

/** The name of a language tag in the reader's own language. */
export function languageName(tag) {
  try {
    return new Intl.DisplayNames([locale()], { type: "language" }).of(tag);
  } catch {
    return tag;
  }
}

export const FORMATS = [0, 1, 2, 3];
export const formatName = (format) => t.formats[format] ?? String(format);
const CHANNELS = ["email", "email", "sms", "push"];
/** The channel that a MessageFormat goes through. */
export const channelOf = (format) => CHANNELS[format];
