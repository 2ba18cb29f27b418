//! Links in messages: patterns from the settings, and what may stand in a word that ends in `Url`.

use super::{Kind, Problem, as_text, given, inspect, render_source};
use crate::domain::placeholder::{Value, Values};
use crate::error::Error;

/// The words of a link pattern; the values of all of them are safe inside an address as they are. (api.md, "Placeholders")
pub const LINK_WORDS: [&str; 4] = ["app.url", "user.guid", "user.language", "token"];
/// The longest link, in bytes; some mail clients cut longer ones.
pub const LINK_BYTES_MAX: usize = 2_000;

/// Checks a link pattern before it is stored: what it makes of samples must be an address, or no message with it
/// could ever be sent.
pub fn check_link(pattern: &str) -> Result<(), Error> {
    let text = |text: &str| Value::Text(text.into());
    let user = Values::from([
        ("guid".into(), text("5a4b2f5c-6e0d-4b1e-9c37-1d2f0c8a7e10")),
        ("language".into(), text("en-GB")),
    ]);
    let app = Values::from([("url".into(), text("https://app.example.com"))]);
    let samples = Values::from([
        ("user".into(), Value::Map(user)),
        ("app".into(), Value::Map(app)),
        (
            "token".into(),
            text("eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"),
        ),
    ]);
    link(pattern, &samples).map(drop)
}

pub(super) fn check_words(pattern: &str) -> Result<(), Error> {
    let refuse =
        |p: Problem| Error::invalid(format!("Link pattern, column {}: {}.", p.column, p.what));
    if pattern.len() > LINK_BYTES_MAX {
        return Err(Error::invalid(format!(
            "A link pattern has at most {LINK_BYTES_MAX} bytes."
        )));
    }
    let used = inspect(pattern).map_err(refuse)?;
    match used
        .0
        .into_iter()
        .find(|u| !LINK_WORDS.contains(&u.word.as_str()))
    {
        None => Ok(()),
        Some(unknown) => Err(refuse(Problem {
            line: unknown.line,
            column: unknown.column,
            what: format!(
                "there is no word '{}'; there are {}",
                unknown.word,
                LINK_WORDS.join(", ")
            ),
        })),
    }
}

/// The address a pattern makes with these values.
pub fn link(pattern: &str, values: &Values) -> Result<String, Error> {
    let address = render_source("Link pattern", Kind::Link, pattern, &given(values)?)?;
    let address = address.trim();
    check_url_value("Link pattern", &Value::Text(address.into()))?;
    Ok(address.into())
}

/// Checks the value of a word that ends in `Url`: an absolute address that a mail client opens, not one that it executes.
/// Browsers skip blanks and control characters inside an address, so none may be there. No value is no fault here.
pub fn check_url_value(word: &str, value: &Value) -> Result<(), Error> {
    if *value == Value::Null {
        return Ok(());
    }
    let bad = |why: &str| Err(Error::invalid(format!("The value of '{word}' {why}.")));
    let Some(address) = as_text(value) else {
        return bad("must be text");
    };
    if address.len() > LINK_BYTES_MAX {
        return bad("has more than 2000 bytes");
    }
    // All that is plain ASCII, as addresses are, is seen from its bytes: from many at a time, for none ends the search.
    let plain = address
        .bytes()
        .fold(true, |plain, b| plain & matches!(b, 0x21..=0x7e));
    if !plain && address.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return bad("must not hold blanks or control characters");
    }
    let Some((scheme, rest)) = address.split_once(':') else {
        return bad("must be an absolute address such as 'https://app.example.com/login'");
    };
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || b"+-.".contains(&c));
    if !named || rest.is_empty() {
        return bad("must be an absolute address such as 'https://app.example.com/login'");
    }
    match scheme.to_ascii_lowercase().as_str() {
        "javascript" | "data" | "vbscript" | "file" | "blob" => {
            bad("must not be an address that runs code or opens files")
        }
        "http" | "https"
            if !rest
                .trim_start_matches("//")
                .starts_with(|c: char| c.is_alphanumeric() || c == '[')
                || !rest.starts_with("//") =>
        {
            bad("must name a host, such as 'https://app.example.com/login'")
        }
        _ => Ok(()),
    }
}
