//! E-mail addresses, phone numbers and mailboxes, by the table `tests/cases/addresses.tsv`.

use herald::domain::address::{EMAIL_BYTES_MAX, EmailAddress, Mailbox, PhoneNumber};

#[test]
fn addresses_are_taken_or_refused_as_the_table_says() {
    let table = std::fs::read_to_string("tests/cases/addresses.tsv").unwrap();
    for row in table.lines().filter(|row| !row.starts_with('#')) {
        let mut cells = row.split('\t');
        let [kind, input, expected] = [(); 3].map(|()| cells.next().unwrap());
        let input = input
            .replace("\\n", "\n")
            .replace("\\r", "\r")
            .replace("\\0", "\0")
            .replace("\\u2028", "\u{2028}");
        let parsed = match kind {
            "email" => EmailAddress::parse(&input).map(|a| a.as_str().to_owned()),
            "phone" => PhoneNumber::parse(&input).map(|p| p.as_str().to_owned()),
            _ => Mailbox::parse(&input).map(|m| m.as_str().to_owned()),
        };
        let got = parsed.unwrap_or_else(|e| format!("! {}", e.details()));
        assert_eq!(got, expected, "{row}");
    }
}

#[test]
fn lengths_are_limited() {
    let local = "a".repeat(64);
    let label = "b".repeat(63);
    assert!(EmailAddress::parse(&format!("{local}@{label}.{label}")).is_ok());
    assert!(EmailAddress::parse(&format!("a{local}@{label}")).is_err());
    assert!(EmailAddress::parse(&format!("{local}@b{label}")).is_err());
    let long = format!("{local}@{label}.{label}.{label}");
    assert!(long.len() > EMAIL_BYTES_MAX);
    assert!(EmailAddress::parse(&long).is_err());
    assert!(Mailbox::parse(&format!("{} <a@b>", "ä".repeat(128))).is_ok());
    assert!(Mailbox::parse(&format!("{} <a@b>", "ä".repeat(129))).is_err());
}

#[test]
fn a_mailbox_gives_its_name_without_quotes() {
    let mailbox = Mailbox::parse(r#""Berg, \"Anna\"" <anna@example.com>"#).unwrap();
    assert_eq!(mailbox.name(), Some(r#"Berg, "Anna""#));
    assert_eq!(mailbox.address().domain(), "example.com");
    assert_eq!(Mailbox::parse("<a@b>").unwrap().name(), None);
}
