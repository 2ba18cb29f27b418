//! Twilio: the request as the gateway got it, and what each answer means.

use super::{NOW, pairs, timeouts};
use crate::support::outside::{HttpFaults as _, SmtpFaults as _, gateway, mail_server, sms_url};
use herald::channel::http::retry_after;
use herald::channel::{Class, Failure, Provider, Receipt, Timeouts};
use herald::domain::format::{Channel, Format};
use herald::domain::message::Outgoing;
use herald::hooks::{Hooks, KEY_BYTES};
use herald::simulate::fault::{Fault, Manner, Stage};
use herald::simulate::gateway::Gateway;
use herald::simulate::smtp::Options;
use std::sync::Arc;
use std::time::Duration;

fn provider(url: &str, timeouts: Timeouts) -> Arc<dyn Provider> {
    reporting(url, timeouts, None)
}

fn reporting(url: &str, timeouts: Timeouts, hooks: Option<Arc<Hooks>>) -> Arc<dyn Provider> {
    super::provider(Channel::Sms, url, timeouts, hooks)
}

fn sms() -> Outgoing {
    Outgoing {
        format: Format::Sms,
        recipient: "+4712345678".into(),
        subject: None,
        body: "Code: 1+1 & blåbær\n".into(),
        ..super::mail()
    }
}

/// What Twilio's word for its newest message becomes.
fn sent(gateway: &Gateway) -> Receipt {
    let id = gateway.messages().pop().unwrap().id;
    Receipt {
        answer: format!("{id} queued"),
        provider_id: Some(id),
        code: Some(201),
    }
}

fn reply(status: u16, body: &str) -> Fault {
    Fault::http(status, &[], body)
}

#[test]
fn the_request_is_what_twilio_documents() {
    let gateway = gateway();
    let provider = provider(&sms_url(&gateway), timeouts());
    assert!(!provider.recognises_repeats());
    let mut session = provider.session();
    for _ in 0..2 {
        let receipt = session.send(&sms());
        assert_eq!(receipt, Ok(sent(&gateway)));
    }
    let asked = gateway.asked();
    assert_eq!(
        asked.iter().map(|a| a.connection).collect::<Vec<_>>(),
        [0, 0],
        "the connection is kept"
    );
    let asked = &asked[0];
    assert_eq!(
        asked.line(),
        "POST /2010-04-01/Accounts/AC0123/Messages.json"
    );
    assert_eq!(
        asked.form(),
        pairs(&[
            ("To", "+4712345678"),
            ("From", "+15550001111"),
            ("Body", "Code: 1+1 & blåbær\n")
        ])
    );
    assert_eq!(
        asked.headers,
        pairs(&[
            ("accept", "application/json"),
            ("authorization", "Basic QUMwMTIzOnQwa2VuL3dpdGgrc2lnbnM="),
            ("content-length", "79"),
            ("content-type", "application/x-www-form-urlencoded"),
            ("host", &format!("127.0.0.1:{}", gateway.port())),
            ("user-agent", concat!("herald/", env!("CARGO_PKG_VERSION"))),
        ])
    );
}

#[test]
fn a_messaging_service_takes_the_place_of_the_sender() {
    let gateway = gateway();
    let url = sms_url(&gateway).replace("from=%2B15550001111", "service=MG42");
    let receipt = provider(&url, timeouts()).session().send(&sms());
    assert_eq!(receipt, Ok(sent(&gateway)));
    assert_eq!(
        gateway.asked()[0].form()[1],
        ("MessagingServiceSid".into(), "MG42".into())
    );
}

/// What a status means is in `outbox::matrix`; here is what Twilio says itself.
#[test]
#[rustfmt::skip] // A table: one case a line.
fn each_answer_is_read_and_kept_without_our_secrets() {
    use Class::{Configuration, InDoubt, Permanent};
    let error = r#"{"code":21211,"message":"Invalid 'To' t0ken/with+signs","status":400}"#;
    let huge = format!(r#"{{"sid":"SM1","status":"queued","x":"{}"}}"#, "x".repeat(2_000_000));
    for (answer, class, code, text) in [
        (Fault::http(307, &[("Location", "http://127.0.0.1:1/")], ""), Configuration, 307, "HTTP status 307 without an explanation."),
        (reply(400, error), Permanent, 400, "21211 Invalid 'To' ***"),
        (reply(201, r#"{"sid":"SM1","status":"failed","error_code":30007,"error_message":"Filtered"}"#), Permanent, 201, "failed 30007 Filtered"),
        (reply(201, r#"{"sid":"SM1","status":"undelivered"}"#), Permanent, 201, "undelivered 0"),
        (reply(201, r#"{"status":"queued"}"#), InDoubt, 201, r#"No message SID in the answer: {"status":"queued"}"#),
        (reply(200, "<html>\nlog in</html>"), InDoubt, 200, "No message SID in the answer: <html> log in</html>"),
        (reply(201, &huge), InDoubt, 201, "…"),
    ] {
        let what = format!("{answer:?}").chars().take(100).collect::<String>();
        let gateway = gateway();
        gateway.next(answer);
        let mut session = provider(&sms_url(&gateway), timeouts()).session();
        let failure = session.send(&sms()).expect_err(&what);
        assert!(failure.answer.chars().count() <= herald::channel::ANSWER_CHARS_MAX, "{what}");
        let kept = if text == "…" { "…" } else { &failure.answer };
        let wished = Failure { class, code: Some(code), answer: text.into(), retry_after: None };
        assert_eq!(Failure { answer: kept.into(), ..failure }, wished, "{what}");
        assert_eq!(gateway.asked().len(), 1, "nothing is repeated or followed: {what}");
    }
}

#[test]
fn the_address_for_reports_is_sent_and_is_not_kept_where_twilio_repeats_it() {
    let hooks = Arc::new(Hooks::new("https://app.example", &[7; KEY_BYTES]).unwrap());
    let address = hooks.address("twilio", sms().guid);
    let gateway = gateway();
    let mut session = reporting(&sms_url(&gateway), timeouts(), Some(hooks)).session();
    let error = format!(r#"{{"code":21609,"message":"StatusCallback {address} is not valid."}}"#);
    gateway.next(reply(400, &error));
    let failure = session.send(&sms()).unwrap_err();
    let kept = "21609 StatusCallback https://app.example/hooks/twilio/*** is not valid.";
    assert_eq!(failure.answer, kept);
    let sent = gateway.asked()[0].field("StatusCallback");
    assert_eq!(sent.as_deref(), Some(address.as_str()));
}

/// What is left of an answer, such as the body of one that has none, is not taken for the next one's.
#[test]
fn a_message_is_sent_whatever_was_left_of_the_answer_before() {
    let body = r#"{"sid":"SM1","status":"failed"}"#;
    for fault in [
        reply(204, body),
        reply(304, body),
        reply(503, body),
        reply(503, body).sent(Manner::Huge),
        reply(503, body).sent(Manner::Truncated),
        reply(503, body).sent(Manner::Torn),
        Fault::Garbage,
        Fault::Close,
    ] {
        let gateway = gateway();
        let mut session = provider(&sms_url(&gateway), timeouts()).session();
        let what = format!("{fault:?}");
        gateway.next(fault);
        session.send(&sms()).expect_err(&what);
        assert_eq!(session.send(&sms()), Ok(sent(&gateway)), "{what}");
    }
}

#[test]
fn a_gateway_that_is_not_there_has_not_got_the_message() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for (host, class) in [
        (format!("127.0.0.1:{port}"), Class::Provider),
        ("no.such.host.invalid".into(), Class::Provider),
    ] {
        let url = format!("twilio+http://AC1:secret@{host}?from=Acme");
        let failure = provider(&url, timeouts())
            .session()
            .send(&sms())
            .unwrap_err();
        assert_eq!(failure.class, class, "{}", failure.answer);
        assert!(
            failure
                .answer
                .starts_with("The call failed before the request was sent:")
        );
    }
}

#[test]
fn a_bad_certificate_is_a_fault_of_configuration_and_a_broken_handshake_is_not() {
    for (fault, class) in [
        (None, Class::Configuration),
        (Some(Fault::Close), Class::Provider),
        (Some(Fault::Reset), Class::Provider),
    ] {
        let server = mail_server(Options {
            implicit_tls: true,
            ..Options::default()
        });
        if let Some(fault) = fault {
            server.fault(Stage::Handshake, fault);
        }
        let url = format!("twilio://AC1:secret@localhost:{}?from=Acme", server.port());
        let failure = provider(&url, timeouts())
            .session()
            .send(&sms())
            .unwrap_err();
        assert_eq!(failure.class, class, "{}", failure.answer);
    }
}

#[test]
fn retry_after_is_believed_within_reason() {
    let now = NOW.parse().unwrap();
    for (value, secs) in [
        ("0", Some(1)),
        ("1", Some(1)),
        (" 120 ", Some(120)),
        ("3601", Some(3600)),
        ("99999999999999999999999999", Some(3600)),
        ("Sun, 22 Nov 2026 04:05:36 GMT", Some(30)),
        ("Sunday, 22-Nov-26 04:05:36 GMT", Some(30)),
        ("Sun, 22 Nov 2026 03:00:00 GMT", Some(1)),
        ("Mon, 23 Nov 2026 04:05:36 GMT", Some(3600)),
        ("-5", None),
        ("+5", None),
        ("1.5", None),
        ("", None),
        ("tomorrow", None),
        ("2026-11-22T04:05:36Z", None),
    ] {
        assert_eq!(
            retry_after(value, now),
            secs.map(Duration::from_secs),
            "{value:?}"
        );
    }
}
