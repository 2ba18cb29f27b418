//! The SQL function behind `search`: whether one of several texts holds another, whatever the case. SQLite's own would
//! make a lower-case copy of each text of each row, and knows the case of ASCII only.

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};

/// Its name: the text that is searched for comes first.
pub(super) const HOLDS: &str = "holds";

/// Makes it known to a connection.
pub(super) fn teach(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function(HOLDS, -1, flags, holds)
}

fn holds(context: &Context<'_>) -> Result<bool> {
    // Made once a statement, not once a row.
    let wanted = context.get_or_create_aux(0, |value| -> Result<String> {
        Ok(value.as_str()?.to_lowercase())
    })?;
    for at in 1..context.len() {
        if let ValueRef::Text(text) = context.get_raw(at)
            && is_in(&wanted, text)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the text holds what is in lower case already.
fn is_in(wanted: &str, text: &[u8]) -> bool {
    match (wanted.is_ascii(), text.is_ascii()) {
        (true, true) => is_in_ascii(wanted.as_bytes(), text),
        // Some letters beyond ASCII become ASCII in lower case, so that all of the text has to be looked at.
        _ => std::str::from_utf8(text).is_ok_and(|text| text.to_lowercase().contains(wanted)),
    }
}

fn is_in_ascii(wanted: &[u8], text: &[u8]) -> bool {
    let Some((first, rest)) = wanted.split_first() else {
        return true;
    };
    let both = [*first, first.to_ascii_uppercase()];
    let last = text.len().saturating_sub(rest.len());
    let mut begins = text[..last].iter().enumerate();
    begins.any(|(at, byte)| {
        both.contains(byte) && text[at + 1..at + wanted.len()].eq_ignore_ascii_case(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_whatever_its_case_and_place() {
        #[rustfmt::skip] // A table: one text a line.
        let cases = [
            ("anna", "Anna Berg", true), ("ANNA", "Joanna", true), ("anna", "ann", false), ("anna", "ANN A", false),
            ("g", "Berg", true), ("berg", "Anna Berg", true), ("berg", "Anna Ber", false), ("a", "", false),
            ("", "", true), ("", "x", true), ("élise", "ÉLISE", true), ("BJØRN", "Bjørn", true),
            ("bjorn", "Bjørn", false), ("dahl", "Bjørn Dahl", true), ("k", "\u{212a}", true), ("aab", "aaab", true),
        ];
        for (wanted, text, expected) in cases {
            let found = is_in(&wanted.to_lowercase(), text.as_bytes());
            assert_eq!(found, expected, "{wanted} in {text}");
        }
    }
}
