//! Texts with holes: what a case cannot know, and names for what it has learned.

use herald::domain::message_type;
use std::collections::BTreeMap;

/// Random characters of a secret after its prefix: 32 bytes in base64url, then the checksum.
const SECRET_CHARS: usize = 43 + 6;

/// What the replies so far have told, by the name the case gives it.
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    pub(super) fn with(name: &str, value: &str) -> Self {
        Self(BTreeMap::from([(name.to_owned(), value.to_owned())]))
    }

    /// A text with `{name}` replaced where the name is known.
    pub(super) fn filled(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }

    /// Whether the text is the expected one, its holes filled with values of their form; learns their names if so.
    pub(super) fn match_holes(&mut self, expected: &str, actual: &str) -> bool {
        let mut learned = Vec::new();
        let (mut pattern, mut rest) = (expected, actual);
        while let Some((before, hole, after)) = next_hole(pattern) {
            let Some(tail) = rest.strip_prefix(before) else {
                return false;
            };
            let Some(length) = hole.kind.length(tail) else {
                return false;
            };
            if let Some(name) = hole.name {
                learned.push((name.to_owned(), tail[..length].to_owned()));
            }
            (pattern, rest) = (after, &tail[length..]);
        }
        if pattern != rest {
            return false;
        }
        // A name that comes twice in one reply stands for one value.
        for (name, value) in &learned {
            if learned.iter().any(|(n, v)| n == name && v != value) {
                return false;
            }
        }
        self.0.extend(learned);
        true
    }

    /// A reply as it is recorded: known values by name, unknown ones as holes with a new name.
    pub(super) fn with_holes(&mut self, actual: &str, request: &str) -> String {
        let asked = self.filled(request);
        // A name that this reply is the first to tell is a hole wherever it comes in it.
        let mut told: Vec<(String, String)> = Vec::new();
        let mut text = String::new();
        let mut rest = actual;
        'next: while let Some(first) = rest.chars().next() {
            for (hole, value) in &told {
                if let Some(tail) = rest.strip_prefix(value.as_str()) {
                    text.push_str(hole);
                    rest = tail;
                    continue 'next;
                }
            }
            for (name, value) in &self.0 {
                if let Some(tail) = rest.strip_prefix(value.as_str()) {
                    text.push_str(&format!("{{{name}}}"));
                    rest = tail;
                    continue 'next;
                }
            }
            if let Some(tail) = text
                .ends_with("Milliseconds\":")
                .then(|| rest.trim_start_matches(|c: char| c.is_ascii_digit()))
            {
                text.push_str("<ms>");
                rest = tail;
                continue;
            }
            for (word, kind) in KINDS.iter().filter(|(_, kind)| kind.is_telling()) {
                let Some(length) = kind.length(rest) else {
                    continue;
                };
                let value = &rest[..length];
                if asked.contains(value) || built_in(value) {
                    text.push_str(value);
                } else {
                    let name = format!("{}{}", &word[..1], self.0.len() + 1);
                    let hole = format!("<{word}:{name}>");
                    text.push_str(&hole);
                    told.push((hole, value.to_owned()));
                    self.0.insert(name, value.to_owned());
                }
                rest = &rest[length..];
                continue 'next;
            }
            let run = rest.len() - rest.trim_start_matches(first).len();
            let count = run / first.len_utf8();
            if count >= 40 {
                text.push_str(&format!("<{first}*{count}>"));
                rest = &rest[run..];
            } else {
                text.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        text
    }
}

fn built_in(value: &str) -> bool {
    let types = message_type::built_in();
    types.iter().any(|t| t.guid.to_string() == value)
}

#[derive(Clone, Copy)]
enum Kind {
    Guid,
    /// A prefix and its random characters.
    Secret(&'static str),
    Jwt,
    Number,
    Boundary,
}

const KINDS: [(&str, Kind); 7] = [
    ("guid", Kind::Guid),
    ("key", Kind::Secret(herald::secret::KEY_PREFIX)),
    ("secret", Kind::Secret(herald::secret::CLIENT_SECRET_PREFIX)),
    ("token", Kind::Secret(herald::secret::TOKEN_PREFIX)),
    ("jwt", Kind::Jwt),
    ("ms", Kind::Number),
    ("boundary", Kind::Boundary),
];

impl Kind {
    /// Whether a value of this kind is known by its form alone.
    fn is_telling(self) -> bool {
        !matches!(self, Self::Number | Self::Boundary)
    }

    /// How much of the text is a value of this kind, if it begins with one.
    fn length(self, text: &str) -> Option<usize> {
        let run = |good: fn(char) -> bool| text.find(|c| !good(c)).unwrap_or(text.len());
        let base64url = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let length = match self {
            Self::Guid => {
                let value = text.get(..36)?;
                let good = value.char_indices().all(|(at, c)| match at {
                    8 | 13 | 18 | 23 => c == '-',
                    _ => matches!(c, '0'..='9' | 'a'..='f'),
                });
                if good { 36 } else { 0 }
            }
            Self::Secret(prefix) => {
                let random = text.strip_prefix(prefix)?.get(..SECRET_CHARS)?;
                match random.chars().all(base64url) {
                    true => prefix.len() + SECRET_CHARS,
                    false => 0,
                }
            }
            Self::Jwt => {
                let length = run(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
                let value = &text[..length];
                let parts = value.split('.').filter(|part| !part.is_empty()).count();
                match value.starts_with("eyJ") && parts == 3 && !value.ends_with('.') {
                    true => length,
                    false => 0,
                }
            }
            Self::Number => run(|c| c.is_ascii_digit()),
            Self::Boundary => run(|c| c.is_ascii_alphanumeric() || "_=".contains(c)),
        };
        (length > 0).then_some(length)
    }
}

struct Hole<'a> {
    kind: Kind,
    name: Option<&'a str>,
}

/// The text before the first hole, the hole, and the text after it.
fn next_hole(pattern: &str) -> Option<(&str, Hole<'_>, &str)> {
    for (at, _) in pattern.match_indices('<') {
        let Some(end) = pattern[at..].find('>') else {
            continue;
        };
        let inside = &pattern[at + 1..at + end];
        let (word, name) = match inside.split_once(':') {
            Some((word, name)) => (word, Some(name)),
            None => (inside, None),
        };
        if let Some((_, kind)) = KINDS.into_iter().find(|(known, _)| *known == word) {
            return Some((
                &pattern[..at],
                Hole { kind, name },
                &pattern[at + end + 1..],
            ));
        }
    }
    None
}

/// A text with `<a*128>` written out.
pub(super) fn expand(text: &str) -> String {
    String::from_utf8(expand_bytes(text)).unwrap()
}

/// A text with `<a*128>` written out and `<bytes:ff00>` as bytes.
pub(super) fn expand_bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        bytes.extend(&rest.as_bytes()[..at]);
        let inside = rest[at + 1..].split('>').next().unwrap_or_default();
        let whole = at + 1 + inside.len() + 1;
        if let Some((what, Ok(count))) = inside
            .rsplit_once('*')
            .filter(|(what, _)| !what.contains(['<', '\n']))
            .map(|(what, count)| (what, count.parse()))
        {
            bytes.extend(what.repeat(count).as_bytes());
            rest = &rest[whole..];
        } else if let Some(hex) = inside.strip_prefix("bytes:") {
            let digits = hex.as_bytes().chunks(2);
            bytes.extend(
                digits
                    .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()),
            );
            rest = &rest[whole..];
        } else {
            bytes.push(b'<');
            rest = &rest[at + 1..];
        }
    }
    bytes.extend(rest.as_bytes());
    bytes
}
