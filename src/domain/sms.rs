//! The text of a custom SMS, brought down to ASCII so that it costs one segment where it can. (api.md, "Send API", 3)

use deunicode::deunicode_char;

/// A text in printable ASCII and line feeds.
///
/// - ASCII stays; a tab becomes a space; other control characters are dropped.
/// - CRLF, CR, NEL and Unicode's line and paragraph separators become a line feed.
/// - Latin letters lose their accents or are spelled out: é e, ø o, ß ss, æ ae, ﬁ fi; so do Latin-1 signs and general punctuation: “ ", – -, … ..., « <<, © (c), ½ 1/2.
/// - Combining accents, joiners, variation selectors, soft hyphens and direction marks are dropped: they only change their neighbours.
/// - € is EUR, £ GBP, ¥ JPY, ™ is (TM), and every kind of space is a space.
/// - Anything else (Greek, Cyrillic, Chinese, emoji) is one `?` for each code point.
#[must_use]
pub fn to_ascii(text: &str) -> String {
    let mut ascii = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => ascii.push('\n'),
            '\t' => ascii.push(' '),
            ' '..='~' => ascii.push(c),
            other => ascii.push_str(spelling(other)),
        }
    }
    ascii
}

/// How a character outside printable ASCII is spelled; empty if it is dropped.
fn spelling(c: char) -> &'static str {
    match c {
        '€' => "EUR",
        '£' => "GBP",
        '¥' => "JPY",
        '™' => "(TM)",
        '„' => "\"",
        '—' | '―' => "-",
        '¢' => "c",
        '§' => "S",
        // The transliterator's look-alikes for these would be misread.
        '¤' | '¬' | '‰' | '‱' => "?",
        '…' => "...",
        '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}' => " ",
        '\u{AD}'
        | '\u{0300}'..='\u{036F}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' => "",
        other if other.is_control() => "",
        other if is_latin(other) => deunicode_char(other)
            .filter(|spelled| !spelled.is_empty())
            .unwrap_or("?"),
        _ => "?",
    }
}

/// Latin-1 signs, Latin letters with their extensions and ligatures, and general punctuation: what can be spelled without
/// guessing at a language. The transliterator would turn other scripts into whole words.
fn is_latin(c: char) -> bool {
    matches!(c,
        '\u{A1}'..='\u{24F}'
        | '\u{1E00}'..='\u{1EFF}'
        | '\u{2010}'..='\u{205E}'
        | '\u{2C60}'..='\u{2C7F}'
        | '\u{FB00}'..='\u{FB06}')
}
