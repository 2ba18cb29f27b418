//! A whole mail, as the server got it, read back by another author's parser.

use super::{mail, smtp_session};
use crate::support::outside::mail_server;
use herald::channel::Class;
use herald::channel::mime::raw_mail;
use herald::domain::message::Outgoing;
use herald::simulate::smtp::Options;
use mailparse::MailHeaderMap as _;

/// Sends it and gives back the bytes that the server kept.
fn delivered(message: &Outgoing) -> Vec<u8> {
    let server = mail_server(Options::default());
    smtp_session(&server, "smtp://HOST").send(message).unwrap();
    let [received] = server.received().try_into().unwrap();
    for line in received.content.split(|&b| b == b'\n') {
        assert!(line.len() <= 999, "a line has {} bytes", line.len());
        assert!(line.is_ascii());
    }
    received.content
}

fn headers(part: &mailparse::ParsedMail<'_>) -> Vec<(String, String)> {
    part.headers
        .iter()
        .map(|h| (h.get_key(), h.get_value()))
        .collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(n, v)| (n.to_string(), v.to_string()))
        .collect()
}

#[test]
fn a_text_mail_has_these_headers_and_no_others() {
    let data = delivered(&mail());
    let parsed = mailparse::parse_mail(&data).unwrap();
    assert_eq!(
        headers(&parsed),
        pairs(&[
            ("From", "\"App\" <app@example.com>"),
            ("To", "\"Bo\" <bo@example.net>"),
            ("Subject", "Hello"),
            (
                "Message-ID",
                "<0199c0de-0000-7000-8000-000000000001@example.com>"
            ),
            ("Date", "Sun, 22 Nov 2026 04:05:06 +0000"),
            ("Auto-Submitted", "auto-generated"),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=\"utf-8\""),
            ("Content-Transfer-Encoding", "7bit"),
        ])
    );
    assert_eq!(parsed.get_body().unwrap(), "Hello, Bo.\r\n");
    assert!(parsed.subparts.is_empty());
}

#[test]
fn html_comes_with_its_text_first() {
    let data = delivered(&Outgoing {
        html_body: Some("<p>Hello, <b>Bø</b>.</p>\n".into()),
        ..mail()
    });
    let parsed = mailparse::parse_mail(&data).unwrap();
    assert_eq!(parsed.ctype.mimetype, "multipart/alternative");
    let parts: Vec<_> = parsed
        .subparts
        .iter()
        .map(|part| (headers(part), part.get_body().unwrap()))
        .collect();
    assert_eq!(
        parts,
        [
            (
                pairs(&[
                    ("Content-Type", "text/plain; charset=\"utf-8\""),
                    ("Content-Transfer-Encoding", "7bit"),
                ]),
                "Hello, Bo.\r\n".to_string()
            ),
            (
                pairs(&[
                    ("Content-Type", "text/html; charset=\"utf-8\""),
                    ("Content-Transfer-Encoding", "quoted-printable"),
                ]),
                "<p>Hello, <b>Bø</b>.</p>\r\n".to_string()
            ),
        ]
    );
}

#[test]
fn names_and_subjects_of_any_script_come_back_whole() {
    let long = "Überraschung für alle, ".repeat(20);
    for subject in [
        "Blåbærsyltetøy",
        "日本語の件名",
        "🎉 a, \"b\" <c>",
        long.trim(),
        "",
    ] {
        let data = delivered(&Outgoing {
            subject: Some(subject.into()),
            recipient_name: Some("Ærlig, \"Bø\" <x@y>".into()),
            sender: Some("\"Šef, Ž.\" <chef@xn--bcher-kva.example>".into()),
            ..mail()
        });
        let parsed = mailparse::parse_mail(&data).unwrap();
        assert_eq!(parsed.headers.get_first_value("Subject").unwrap(), subject);
        let single = |name: &str| {
            let header = parsed.headers.get_first_header(name).unwrap();
            let list = mailparse::addrparse_header(header).unwrap();
            list.extract_single_info().unwrap()
        };
        let (from, to) = (single("From"), single("To"));
        assert_eq!(from.display_name.as_deref(), Some("Šef, Ž."));
        assert_eq!(from.addr, "chef@xn--bcher-kva.example");
        assert_eq!(to.display_name.as_deref(), Some("Ærlig, \"Bø\" <x@y>"));
        assert_eq!(to.addr, "bo@example.net");
        assert_eq!(
            parsed.headers.get_first_value("Message-ID").unwrap(),
            "<0199c0de-0000-7000-8000-000000000001@xn--bcher-kva.example>"
        );
    }
}

#[test]
fn bodies_come_back_as_they_were() {
    let long_line = "x".repeat(5000);
    let long_words = "ord og ".repeat(700);
    for body in [
        ".\n..\n.hidden\n\n.\n",
        "no line break at the end",
        "\n\n\nempty lines\n\n\n",
        "trailing spaces   \nand tabs\t\n",
        "From the start\nof a line\n",
        "=3D is no escape, = neither\n",
        "mixed\r\nbreaks\rof\nlines\n",
        "blåbær 日本語 🎉\n",
        &long_line,
        &long_words,
        "",
    ] {
        let data = delivered(&Outgoing {
            body: body.into(),
            ..mail()
        });
        let parsed = mailparse::parse_mail(&data).unwrap();
        let mut wished = body.replace("\r\n", "\n").replace(['\r', '\n'], "\r\n");
        let mut got = parsed.get_body().unwrap();
        // SMTP ends the last line, and a 7bit body has no way to say that it was not.
        for text in [&mut wished, &mut got] {
            if !text.ends_with("\r\n") {
                text.push_str("\r\n");
            }
        }
        assert_eq!(got, wished);
    }
}

#[test]
fn every_attempt_is_the_same_mail_from_the_right_sender() {
    let message = mail();
    assert_eq!(raw_mail(&message, None), raw_mail(&message, None));
    let with = |sender: Option<&str>, provider: Option<&str>| {
        let message = Outgoing {
            sender: sender.map(str::to_string),
            ..mail()
        };
        let raw = raw_mail(&message, provider).unwrap();
        let parsed = mailparse::parse_mail(&raw).unwrap();
        parsed.headers.get_first_value("From").unwrap()
    };
    let (template, provider) = ("t@example.com", "Provider <p@example.com>");
    assert_eq!(with(Some(template), Some(provider)), "<t@example.com>");
    assert_eq!(with(None, Some(provider)), "\"Provider\" <p@example.com>");
    assert_eq!(with(None, None), "\"App\" <app@example.com>");
}

#[test]
fn a_line_break_in_any_header_field_is_refused_with_nothing_sent() {
    let server = mail_server(Options::default());
    let evil = "x\r\nBcc: evil@example.org";
    let cases = [
        (
            "recipient",
            Outgoing {
                recipient: "bo@example.net>\r\nRCPT TO:<evil@example.org".into(),
                ..mail()
            },
        ),
        (
            "recipient",
            Outgoing {
                recipient_name: Some(evil.into()),
                ..mail()
            },
        ),
        (
            "sender",
            Outgoing {
                sender: Some(format!("{evil} <a@example.com>")),
                ..mail()
            },
        ),
        (
            "sender",
            Outgoing {
                default_sender: "a@example.com\n".into(),
                ..mail()
            },
        ),
        (
            "subject",
            Outgoing {
                subject: Some(evil.into()),
                ..mail()
            },
        ),
        (
            "recipient",
            Outgoing {
                recipient: "ünal@example.net".into(),
                ..mail()
            },
        ),
    ];
    let mut session = smtp_session(&server, "smtp://HOST");
    for (what, message) in cases {
        let failure = session.send(&message).unwrap_err();
        assert_eq!(failure.class, Class::Permanent);
        let start = format!("The {what} was refused before sending.");
        assert!(failure.answer.starts_with(&start), "{}", failure.answer);
    }
    assert!(server.commands().is_empty(), "nothing may connect");
}
