//! Whole texts compared where some places differ from run to run: each such place is read strictly and named by its type.

use std::path::Path;

/// Shapes of fixed length: `9` is a digit, `h` a hexadecimal digit, anything else itself.
const SHAPES: &[(&str, &str)] = &[
    ("9999-99-99T99:99:99.999Z", "<time>"),
    ("9999-99-99T99:99:99Z", "<time>"),
    ("SMhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh", "<sid>"),
    ("hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh", "<guid>"),
];

/// A beginning that stays, and the run of characters after it that goes.
type Run = (&'static str, fn(char) -> bool, &'static str);
const RUNS: &[Run] = &[
    ("eyJ", is_token, "<jwt>"),
    ("hrldk_", is_token, "<key>"),
    ("hrlds_", is_token, "<secret>"),
    ("hrldt_", is_token, "<token>"),
    ("hrldu_", is_token, "<set-up token>"),
    ("hrldl_", is_token, "<sign-in token>"),
    ("/hooks/twilio/", is_token, "/hooks/twilio/<token>"),
    ("127.0.0.1:", is_digit, "127.0.0.1:<port>"),
    ("localhost:", is_digit, "localhost:<port>"),
    (
        "\"DurationMilliseconds\": ",
        is_digit,
        "\"DurationMilliseconds\": <number>",
    ),
    ("herald-demo-", is_token, "herald-demo-<random>"),
];

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// The text with GUIDs, times, tokens, ports and durations as holes.
pub(crate) fn holed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (hole, length) = hole_at(rest).unwrap_or(("", 0));
        if length > 0 {
            out.push_str(hole);
            rest = &rest[length..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

fn hole_at(rest: &str) -> Option<(&'static str, usize)> {
    let shaped = |shape: &str| {
        let fits = |(wished, found): (u8, u8)| match wished {
            b'9' => found.is_ascii_digit(),
            b'h' => found.is_ascii_hexdigit() && !found.is_ascii_uppercase(),
            other => other == found,
        };
        rest.len() >= shape.len() && shape.bytes().zip(rest.bytes()).all(fits)
    };
    if let Some((shape, hole)) = SHAPES.iter().find(|(shape, _)| shaped(shape)) {
        return Some((hole, shape.len()));
    }
    RUNS.iter().find_map(|(start, goes, hole)| {
        let after = rest.strip_prefix(start)?;
        let length = after.find(|c| !goes(c)).unwrap_or(after.len());
        (length > 0).then_some((*hole, start.len() + length))
    })
}

/// Compares with `tests/cases/<name>`, whole. `HERALD_WRITE_CASES=1` writes the file instead, to be read before it is kept.
#[track_caller]
pub(crate) fn expect_case(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(name);
    if std::env::var_os("HERALD_WRITE_CASES").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let wished = std::fs::read_to_string(&path).unwrap_or_default();
    let mut pairs = wished.lines().zip(actual.lines()).enumerate();
    let differs = pairs.find(|(_, (wished, actual))| wished != actual);
    assert!(
        wished == actual,
        "{name} differs; the first line that does, from 0, wished and now: {differs:#?}"
    );
}
