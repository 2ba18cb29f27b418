//! A case file: read into steps, and written back line by line.

use super::text::{self, Names};
use std::fmt;

pub(super) struct Case {
    pub(super) items: Vec<Item>,
    /// Where each item begins, from 1.
    pub(super) lines: Vec<usize>,
}

pub(super) enum Item {
    /// The rule, a remark or an empty line.
    Remark(String),
    /// How many may go on waiting.
    Settle(i64),
    /// In seconds.
    Advance(f64),
    /// Lines as they stand in the file.
    Call {
        request: Vec<String>,
        reply: Vec<String>,
    },
}

/// A request with its holes filled.
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Vec<u8>>,
}

impl Case {
    /// # Errors
    /// What is wrong with the file: a case without a rule or without steps proves nothing.
    pub(super) fn parse(source: &str) -> Result<Self, String> {
        let mut case = Self {
            items: Vec::new(),
            lines: Vec::new(),
        };
        for (index, line) in source.lines().enumerate() {
            let open = match case.items.last_mut() {
                Some(Item::Call { request, reply }) => Some((request, reply)),
                _ => None,
            };
            let item = match (line.as_bytes().first(), open) {
                (Some(b'>'), Some((request, reply))) if reply.is_empty() => {
                    request.push(line.to_owned());
                    continue;
                }
                (Some(b'>'), _) => Item::Call {
                    request: vec![line.to_owned()],
                    reply: Vec::new(),
                },
                (Some(b'<'), Some((_, reply))) => {
                    reply.push(line.to_owned());
                    continue;
                }
                (Some(b'<'), None) => {
                    return Err(format!("line {}: a reply to nothing", index + 1));
                }
                (Some(b'*'), _) => directive(line)?,
                _ => Item::Remark(line.to_owned()),
            };
            case.items.push(item);
            case.lines.push(index + 1);
        }
        let rule = source.lines().next().and_then(|l| l.strip_prefix("rule: "));
        if rule.is_none_or(|rule| rule.trim().is_empty()) {
            return Err("the first line does not say the rule".into());
        }
        let is_call = |item: &Item| matches!(item, Item::Call { .. });
        match case.items.iter().any(is_call) {
            true => Ok(case),
            false => Err("the case has no steps".into()),
        }
    }
}

fn directive(line: &str) -> Result<Item, String> {
    let words: Vec<_> = line[1..].split_whitespace().collect();
    match words.as_slice() {
        ["settle"] => Ok(Item::Settle(0)),
        ["settle", waiting] => waiting
            .parse()
            .map(Item::Settle)
            .map_err(|_| format!("{waiting} is no number of messages")),
        ["advance", seconds] => seconds
            .parse()
            .map(Item::Advance)
            .map_err(|_| format!("{seconds} is no number of seconds")),
        _ => Err(format!("there is no step {line:?}")),
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for item in &self.items {
            match item {
                Item::Remark(line) => writeln!(f, "{line}")?,
                Item::Settle(0) => writeln!(f, "* settle")?,
                Item::Settle(waiting) => writeln!(f, "* settle {waiting}")?,
                Item::Advance(seconds) => writeln!(f, "* advance {seconds}")?,
                Item::Call { request, reply } => {
                    for line in request.iter().chain(reply) {
                        writeln!(f, "{line}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// # Errors
/// What cannot be read.
pub(super) fn request(lines: &[String], names: &Names) -> Result<Asked, String> {
    let mut headers = Vec::new();
    let mut body: Option<Vec<u8>> = None;
    let first = names.filled(lines[0].trim_start_matches("> "));
    let (method, path) = first
        .split_once(' ')
        .ok_or("a request has a method and a path")?;
    for line in &lines[1..] {
        let line = names.filled(line);
        if let Some(text) = line.strip_prefix(">>") {
            let bytes = text::expand_bytes(text.strip_prefix(' ').unwrap_or(text));
            match &mut body {
                None => body = Some(bytes),
                Some(body) => {
                    body.push(b'\n');
                    body.extend(bytes);
                }
            }
            continue;
        }
        let (name, value) = line
            .trim_start_matches("> ")
            .split_once(':')
            .ok_or_else(|| format!("no header: {line}"))?;
        headers.push((name.to_owned(), text::expand(value.trim())));
    }
    Ok(Asked {
        method: method.to_owned(),
        path: text::expand(path),
        headers,
        body,
    })
}
