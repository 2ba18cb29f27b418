// All text that a person reads, in the first of the browser's languages that there is a file for.

import en from "../strings/en.js";

// Another language: a file beside en.js with the same keys, and a line here. What it lacks is English.
const LANGUAGES = { en: async () => en };

function over(base, more) {
  const all = { ...base };
  for (const [key, value] of Object.entries(more)) {
    all[key] = value && typeof value === "object" ? over(base[key] || {}, value) : value;
  }
  return all;
}

async function choose() {
  for (const wanted of navigator.languages || []) {
    const primary = wanted.toLowerCase().split("-")[0];
    if (primary === "en") return en;
    if (LANGUAGES[primary]) return over(en, await LANGUAGES[primary]());
  }
  return en;
}

const words = await choose();
document.documentElement.lang = words.language;
export default words;
