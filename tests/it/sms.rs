//! Custom SMS bodies in ASCII, by the table `tests/cases/sms.tsv`. (api.md, "Send API", 3)

use herald::domain::sms::to_ascii;

#[test]
fn custom_bodies_become_ascii_as_the_table_says() {
    let table = std::fs::read_to_string("tests/cases/sms.tsv").unwrap();
    for row in table.lines().filter(|row| !row.starts_with('#')) {
        let (text, ascii) = row.split_once('\t').unwrap();
        assert_eq!(to_ascii(&unescaped(text)), unescaped(ascii), "{row}");
    }
}

#[test]
fn whatever_comes_in_is_printable_ascii_and_line_feeds() {
    let everything: String = (0..=0x10_FFFF).filter_map(char::from_u32).collect();
    let ascii = to_ascii(&everything);
    assert!(ascii.chars().all(|c| c == '\n' || (' '..='~').contains(&c)));
}

fn unescaped(text: &str) -> String {
    let mut text = text
        .replace("\\n", "\n")
        .replace("\\r", "\r")
        .replace("\\t", "\t");
    while let Some(start) = text.find("\\u{") {
        let end = start + text[start..].find('}').unwrap();
        let c = char::from_u32(u32::from_str_radix(&text[start + 3..end], 16).unwrap()).unwrap();
        text.replace_range(start..=end, &c.to_string());
    }
    text
}
