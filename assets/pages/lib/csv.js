// CSV as far as the pages need it: into records that can be shown and sent on in parts. What a record means is the appliance's
// business. (RFC 4180)

/** The records of a text: each with its text and the line that it begins in. A quoted cell may hold line ends. */
export function records(text) {
  const found = [];
  let start = 0;
  let line = 1;
  let first = 1;
  let isQuoted = false;
  const end = (to) => {
    const record = text.slice(start, to).replace(/\r$/, "");
    if (record.trim()) found.push({ text: record, line: first });
  };
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') isQuoted = !isQuoted;
    if (text[at] !== "\n") continue;
    line++;
    if (isQuoted) continue;
    end(at);
    start = at + 1;
    first = line;
  }
  end(text.length);
  return found;
}

/** The cells of a record. */
export function cells(record) {
  const found = [];
  const pattern = /(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g;
  for (const [, quoted, plain] of record.matchAll(pattern)) found.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
  return found;
}
