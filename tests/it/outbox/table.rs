//! The retry policy's table, row by row, as it shows in the log and in what happens next.

use super::{after, mail, now, put, sms, tried};
use crate::support::app::TestApp;
use crate::support::outside::{HttpFaults as _, SmtpFaults as _, gateway, mail_server, sms_url};
use herald::domain::format::Channel;
use herald::domain::message::Status;
use herald::simulate::fault::{Fault, Stage};
use herald::simulate::smtp::Options;

/// What the log says after one attempt, and the earliest and latest second of the next.
struct Expected {
    class: &'static str,
    code: Option<u16>,
    status: Status,
    /// The whole error, or its beginning where the rest is the operating system's.
    error: &'static str,
    next: Option<(i64, i64)>,
}

const fn waits(
    class: &'static str,
    code: Option<u16>,
    error: &'static str,
    next: (i64, i64),
) -> Expected {
    Expected {
        class,
        code,
        status: Status::Queued,
        error,
        next: Some(next),
    }
}

const fn failed(class: &'static str, code: Option<u16>, error: &'static str) -> Expected {
    Expected {
        class,
        code,
        status: Status::Failed,
        error,
        next: None,
    }
}

#[track_caller]
fn check(name: &str, app: &TestApp, channel: Channel, expected: &Expected) {
    let message = match channel {
        Channel::Email => mail(),
        Channel::Sms | Channel::Push => sms(),
    };
    let id = put(&app.server().app, message);
    let entry = tried(app, id, 1);
    let attempt = &entry.attempts[0];
    let error = entry.line.error.clone().unwrap_or_default();
    assert_eq!(
        (
            entry.line.status,
            entry.line.attempts,
            entry.line.last_result,
            entry.line.last_attempt,
            attempt.class.as_deref(),
            attempt.code,
            attempt.result,
            entry.attempts.len(),
        ),
        (
            expected.status,
            1,
            Some(false),
            Some(now()),
            Some(expected.class),
            expected.code,
            Some(false),
            1
        ),
        "{name}"
    );
    assert!(error.starts_with(expected.error), "{name}: {error}");
    assert!(
        error.ends_with(attempt.answer.as_deref().unwrap()),
        "{name}: {error}"
    );
    if let Some((least, most)) = expected.next {
        assert!(
            (after(least)..=after(most)).contains(&entry.due),
            "{name}: {}",
            entry.due
        );
    }
}

fn sending(channel: Channel, url: String) -> TestApp {
    TestApp::start_with(|config| config.with_providers(channel, vec![url])).may_end_waiting()
}

#[test]
fn each_row_of_the_table_for_mail() {
    use Stage::{AfterDot, Data, Dot, Greeting, Handshake, Mail, Rcpt, StartTls};
    let close = || Fault::Close;
    let reply = Fault::reply;
    const SOON: (i64, i64) = (0, 60);
    const GREYLISTED: (i64, i64) = (300, 300);
    const AT_ONCE: (i64, i64) = (0, 0);
    let plain = "?tls=none";
    let tls = "?tls=required";
    #[rustfmt::skip] // A table: one case a line.
    let cases = [
        (Greeting, reply("421 4.3.2 Later"), plain, waits("provider", Some(421), "421 4.3.2 Later", SOON)),
        (Greeting, reply("450 4.3.2 Full"), plain, waits("provider", Some(450), "450 4.3.2 Full", SOON)),
        (Greeting, close(), plain, waits("provider", None, "", SOON)),
        (Mail, reply("421 4.3.2 Later"), plain, waits("provider", Some(421), "421 4.3.2 Later", SOON)),
        (Handshake, close(), tls, waits("provider", None, "", SOON)),
        (Greeting, reply("554 5.7.1 Go away"), plain, waits("configuration", Some(554), "554 5.7.1 Go away", AT_ONCE)),
        (Mail, reply("530 5.7.0 Sign in"), plain, waits("configuration", Some(530), "530 5.7.0 Sign in", AT_ONCE)),
        (StartTls, reply("554 5.7.3 No TLS"), tls, waits("configuration", Some(554), "554 5.7.3 No TLS", AT_ONCE)),
        // Its certificate is from an authority that nobody knows.
        (AfterDot, close(), tls, waits("configuration", None, "", AT_ONCE)),
        (Mail, reply("452 4.3.1 Full"), plain, waits("temporary", Some(452), "452 4.3.1 Full", SOON)),
        (Rcpt, reply("450 4.2.0 Greylisted"), plain, waits("temporary", Some(450), "450 4.2.0 Greylisted", GREYLISTED)),
        (Data, reply("451 4.3.0 Later"), plain, waits("temporary", Some(451), "451 4.3.0 Later", GREYLISTED)),
        (Dot, reply("452 4.3.1 Full"), plain, waits("temporary", Some(452), "452 4.3.1 Full", SOON)),
        (Rcpt, reply("550 5.1.1 Unknown"), plain, failed("permanent", Some(550), "550 5.1.1 Unknown")),
        (Dot, reply("554 5.7.1 Spam"), plain, failed("permanent", Some(554), "554 5.7.1 Spam")),
        (Dot, close(), plain, waits("in_doubt", None, "", SOON)),
    ];
    for (stage, fault, query, expected) in cases {
        let name = format!("{stage:?} {fault:?}");
        let server = mail_server(Options {
            starttls: query == tls,
            ..Options::default()
        });
        server.fault(stage, fault);
        let url = format!("smtp://localhost:{}{query}", server.port());
        check(
            &name,
            &sending(Channel::Email, url),
            Channel::Email,
            &expected,
        );
    }
}

#[test]
fn a_mail_server_that_is_not_there_or_offers_no_tls() {
    let gone = {
        let server = mail_server(Options::default());
        format!("smtp://127.0.0.1:{}?tls=none", server.port())
    };
    let app = sending(Channel::Email, gone);
    let refused = waits("provider", None, "", (0, 60));
    check("refused", &app, Channel::Email, &refused);

    let server = mail_server(Options::default());
    let app = sending(
        Channel::Email,
        format!("smtp://localhost:{}?tls=required", server.port()),
    );
    let no_tls = waits("configuration", None, "", (0, 0));
    check("no STARTTLS", &app, Channel::Email, &no_tls);
}

#[test]
fn each_row_of_the_table_for_sms() {
    const SOON: (i64, i64) = (0, 10);
    const DOUBT: &str =
        "in_doubt: the provider may have taken it, and would not recognise a repeat. ";
    let status = |status, retry_after: Option<&str>| {
        let headers = retry_after.map(|value| ("Retry-After", value));
        let body = format!(r#"{{"code":{status},"message":"Said so"}}"#);
        Fault::http(status, headers.as_slice(), &body)
    };
    let bounced = r#"{"sid":"SM1","status":"failed","error_code":30003,"error_message":"Off"}"#;
    let bounced = Fault::http(201, &[], bounced);
    #[rustfmt::skip] // A table: one case a line.
    let cases = [
        (status(302, None), waits("configuration", Some(302), "302 Said so", (0, 0))),
        (status(401, None), waits("configuration", Some(401), "401 Said so", (0, 0))),
        (status(403, None), waits("configuration", Some(403), "403 Said so", (0, 0))),
        (status(404, None), waits("configuration", Some(404), "404 Said so", (0, 0))),
        (status(408, None), waits("temporary", Some(408), "408 Said so", SOON)),
        (status(425, None), waits("temporary", Some(425), "425 Said so", SOON)),
        (status(429, Some("120")), waits("temporary", Some(429), "429 Said so", (120, 120))),
        (status(429, Some("soon")), waits("temporary", Some(429), "429 Said so", SOON)),
        (status(429, Some("86400")), waits("temporary", Some(429), "429 Said so", (3600, 3600))),
        (status(503, Some("Sun, 22 Nov 2026 12:02:00 GMT")), waits("temporary", Some(503), "503 Said so", (120, 120))),
        (status(400, None), failed("permanent", Some(400), "400 Said so")),
        (status(410, None), failed("permanent", Some(410), "410 Said so")),
        (bounced, failed("permanent", Some(201), "failed 30003 Off")),
        (status(500, None), failed("in_doubt", Some(500), DOUBT)),
        (status(502, None), failed("in_doubt", Some(502), DOUBT)),
        (status(504, None), failed("in_doubt", Some(504), DOUBT)),
        (Fault::Reset, failed("in_doubt", None, DOUBT)),
        (Fault::Close, failed("in_doubt", None, DOUBT)),
    ];
    for (answer, expected) in cases {
        let name = format!("{answer:?}");
        let gateway = gateway();
        gateway.next(answer);
        let app = sending(Channel::Sms, sms_url(&gateway));
        check(&name, &app, Channel::Sms, &expected);
    }
}
