//! What may be saved as a template. (Core - Messages, "Add new or edit existing message template")

use std::collections::HashSet;

use herald::domain::format::Channel;
use herald::domain::message_type::{MessageType, Slug, built_in, check_name, check_words};
use herald::domain::placeholder::{Value, Values, Word};
use herald::domain::template::{Draft, Template, check_values};
use herald::error::Error;
use herald::render::inspect;

fn announcement() -> MessageType {
    built_in().remove(0)
}

fn mail() -> Draft {
    Draft {
        type_id: 0,
        format: 0,
        language: "EN-gb".into(),
        sender: Some("Herald <herald@example.com>".into()),
        subject: Some("{{ title }}".into()),
        body: Some("Hello {{ user.name }}\n{{ text }}".into()),
        html_body: Some("<p>{{ text }}</p>".into()),
    }
}

fn check(draft: Draft) -> Result<Template, Error> {
    draft.check(Some(&announcement()), inspect)
}

fn some(text: &str) -> Option<String> {
    Some(text.into())
}

#[test]
fn a_good_draft_becomes_a_template() {
    let template = check(mail()).unwrap();
    assert_eq!(template.language().tag(), "en-GB");
    assert_eq!(
        template.sender().unwrap().as_str(),
        "Herald <herald@example.com>"
    );
    assert_eq!(template.html_body(), Some("<p>{{ text }}</p>"));
}

#[test]
fn each_rule_refuses_with_its_own_sentence() {
    type Change = fn(&mut Draft);
    let table: [(Change, &str); 20] = [
        (
            |d| d.format = 4,
            "Format 4 is not one of 0 (CombinedEmail), 1 (SimpleTextEmail), 2 (SMS) and 3 (PushNotification).",
        ),
        (
            |d| d.language = " ".into(),
            "Language must not be empty; write a BCP 47 tag such as 'en-GB'.",
        ),
        (
            |d| d.language = "en_GB".into(),
            "Language 'en_GB' is not known; write a BCP 47 tag such as 'en-GB'.",
        ),
        (
            |d| d.sender = some(" \n"),
            "Sender must not be empty for an e-mail; write 'Name <anna@example.com>' or 'anna@example.com'.",
        ),
        (
            |d| (d.sender, d.format) = (None, 1),
            "Sender must not be empty for an e-mail; write 'Name <anna@example.com>' or 'anna@example.com'.",
        ),
        (
            |d| d.sender = some("a@b\nBcc: c@d"),
            "A sender must be one line.",
        ),
        (
            |d| d.subject = None,
            "Subject must not be empty for CombinedEmail.",
        ),
        (
            |d| (d.subject, d.format) = (some("\t"), 3),
            "Subject must not be empty for PushNotification.",
        ),
        (
            |d| d.subject = some("a\r\nBcc: c@d"),
            "Subject must be one line.",
        ),
        (
            |d| d.subject = Some("a".repeat(256)),
            "Subject must have at most 255 characters.",
        ),
        (
            |d| (d.body, d.html_body) = (None, some(" ")),
            "Body and HTMLBody must not both be empty for CombinedEmail.",
        ),
        (
            |d| (d.body, d.format) = (None, 1),
            "Body must not be empty for SimpleTextEmail.",
        ),
        (
            |d| (d.body, d.format) = (some(" "), 2),
            "Body must not be empty for SMS.",
        ),
        (
            |d| d.body = Some("a".repeat(65_537)),
            "Body must have at most 65536 bytes; it has 65537.",
        ),
        (
            |d| d.body = some("a\n {{ user.nmae }}{{ text }}"),
            "Body, line 2, column 5: the message type 'announcement' has no word 'user.nmae'; it has user.name, user.userName, user.email, user.mobile, user.language, app.name, app.url, now, title, text.",
        ),
        (
            |d| d.subject = some("{{ user }}"),
            "Subject, line 1, column 4: the message type 'announcement' has no word 'user'; it has user.name, user.userName, user.email, user.mobile, user.language, app.name, app.url, now, title, text.",
        ),
        (
            |d| (d.body, d.html_body) = (some("a"), some("b")),
            "The message type 'announcement' requires the word 'text', and no part of the template uses it.",
        ),
        (
            |d| (d.body, d.format) = (some("a"), 1),
            "The message type 'announcement' requires the word 'text', and no part of the template uses it.",
        ),
        (
            |d| d.html_body = some("a\n{{ text"),
            "HTMLBody, line 2, column 4: syntax error: unexpected end of input, expected end of variable block.",
        ),
        (
            |d| d.body = some("{% if text %}{{ text }}"),
            "Body, line 1, column 4: this 'if' has no 'endif'.",
        ),
    ];
    for (change, sentence) in table {
        let mut draft = mail();
        change(&mut draft);
        let error = check(draft).unwrap_err();
        assert_eq!(
            (error.code(), error.details().as_str()),
            ("err_InvalidElement", sentence)
        );
    }
    let error = mail().check(None, inspect).unwrap_err();
    assert_eq!(error.details(), "Type 0 is no message type.");
}

#[test]
fn the_checks_keep_the_promised_order() {
    let mut draft = Draft {
        format: 9,
        ..Draft::default()
    };
    let mut seen = Vec::new();
    let repairs: [fn(&mut Draft); 6] = [
        |d| d.format = 0,
        |d| d.language = "de".into(),
        |d| d.sender = some("a@b"),
        |d| d.subject = some("{{ nope }}"),
        |d| d.body = some("{{ text }}"),
        |d| d.subject = some("a"),
    ];
    for repair in repairs {
        let details = check(draft.clone()).unwrap_err().details();
        seen.push(details.split([' ', ',']).next().unwrap().to_owned());
        repair(&mut draft);
    }
    assert_eq!(
        seen,
        ["Format", "Language", "Sender", "Subject", "Body", "Subject"]
    );
    check(draft).unwrap();
}

#[test]
fn what_a_format_does_not_have_is_dropped() {
    let sms = check(Draft {
        format: 2,
        subject: None,
        ..mail()
    })
    .unwrap();
    assert_eq!(
        (sms.sender(), sms.subject(), sms.html_body()),
        (None, None, None)
    );
    let push = check(Draft {
        format: 3,
        sender: some("nonsense"),
        ..mail()
    })
    .unwrap();
    assert_eq!((push.sender(), push.html_body()), (None, None));
    let html_only = check(Draft {
        body: some(" "),
        ..mail()
    })
    .unwrap();
    assert_eq!(html_only.body(), None);
}

#[test]
fn a_word_of_the_types_own_may_have_attributes() {
    let body = some("{% for line in text.lines %}{{ line.price }} {{ loop.index }}{% endfor %}");
    check(Draft { body, ..mail() }).unwrap();
}

#[test]
fn a_required_word_without_a_value_refuses_the_send() {
    let good = Values::from([("text".into(), Value::Text("x".into()))]);
    check_values(&announcement(), &good).unwrap();
    for hole in [Value::Null, Value::Text(" ".into()), Value::List(vec![])] {
        let error =
            check_values(&announcement(), &Values::from([("text".into(), hole)])).unwrap_err();
        assert_eq!(
            error.details(),
            "The placeholder 'text' has no value, and the message type 'announcement' requires it; the message is not sent."
        );
    }
}

#[test]
fn the_built_in_types_are_those_of_the_contract() {
    let types = built_in();
    let table: Vec<_> = types
        .iter()
        .map(|t| {
            let words: Vec<(&str, bool)> = t
                .words
                .iter()
                .map(|w| (w.name.as_str(), w.required))
                .collect();
            (
                t.id.0,
                t.slug.as_str(),
                t.name.as_str(),
                t.is_system,
                t.is_notification,
                words,
                t.expiry_secs,
                t.sensitive,
            )
        })
        .collect();
    let expected = vec![
        (
            0,
            "announcement",
            "Announcement",
            false,
            true,
            vec![("title", false), ("text", true)],
            345_600,
            false,
        ),
        (
            1,
            "welcome",
            "Welcome",
            true,
            true,
            vec![("loginUrl", false)],
            345_600,
            false,
        ),
        (
            2,
            "logininfo",
            "Login information",
            true,
            false,
            vec![("loginUrl", true)],
            3_600,
            true,
        ),
        (
            3,
            "forgottenpassword",
            "Forgotten password",
            true,
            false,
            vec![("resetUrl", true)],
            3_600,
            true,
        ),
    ];
    assert_eq!(table, expected);
    assert!(types.iter().all(|t| t.default_formats == [Channel::Email]));
    assert!(types.iter().all(|t| t.guid.get_version_num() == 4));
    assert_eq!(
        types.iter().map(|t| t.guid).collect::<HashSet<_>>().len(),
        4
    );
}

#[test]
fn slugs_names_and_words_of_new_types_are_checked() {
    for (slug, good) in [
        ("order-shipped", true),
        ("a1", true),
        ("", false),
        ("1a", false),
        ("A", false),
        ("a_b", false),
        ("a b", false),
    ] {
        assert_eq!(Slug::parse(slug).is_ok(), good, "{slug}");
    }
    assert!(check_name("Ordre är skickad").is_ok());
    assert!(
        check_name(" ").is_err()
            && check_name("a\nb").is_err()
            && check_name(&"a".repeat(101)).is_err()
    );
    let word = |name: &str| Word {
        name: name.into(),
        meaning: String::new(),
        required: false,
        sample: String::new(),
    };
    for (name, good) in [
        ("orderUrl", true),
        ("a_1", true),
        ("user", false),
        ("loop", false),
        ("a.b", false),
        ("", false),
        ("é", false),
        ("1a", false),
    ] {
        assert_eq!(check_words(&[word(name)]).is_ok(), good, "{name}");
    }
    assert!(check_words(&[word("a"), word("a")]).is_err());
}
