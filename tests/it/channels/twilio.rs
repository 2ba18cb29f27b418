//! Twilio: the request as the gateway got it, and what each answer means.

use super::timeouts;
use crate::support::outside::{HttpFaults as _, SmtpFaults as _, gateway, mail_server, sms_url};
use herald::channel::http::retry_after;
use herald::channel::{Class, Failure, Means, Provider, Receipt, Timeouts, build};
use herald::clock::Clock;
use herald::domain::format::{Channel, Format};
use herald::domain::message::Outgoing;
use herald::simulate::fault::{Fault, Manner, Stage};
use herald::simulate::gateway::Gateway;
use herald::simulate::smtp::Options;
use std::sync::Arc;
use std::time::Duration;

const NOW: &str = "2026-11-22T04:05:06Z";

fn provider(url: &str, timeouts: Timeouts) -> Arc<dyn Provider> {
    let means = Means {
        timeouts,
        clock: Arc::new(Clock::fixed(NOW.parse().unwrap())),
        hooks: None,
        capture: &|_| panic!("nothing is captured here"),
    };
    build(Channel::Sms, url, &means).unwrap()
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
    let pairs = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter()
            .map(|(n, v)| (n.to_string(), v.to_string()))
            .collect()
    };
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

/// What the gateway does; class, code, kept answer (`…` is any) and seconds to wait that follow from it.
type Case<'a> = (Fault, Class, Option<u16>, &'a str, Option<u64>);

#[test]
#[rustfmt::skip] // A table: one case a line.
fn each_answer_means_what_the_retry_policy_says() {
    use Class::{Configuration, InDoubt, Permanent, Temporary};
    use Manner::Truncated;
    let error = r#"{"code":21211,"message":"Invalid 'To' t0ken/with+signs","status":400}"#;
    let wait = |status, value: &str| Fault::http(status, &[("Retry-After", value)], "");
    let huge = format!(r#"{{"sid":"SM1","status":"queued","x":"{}"}}"#, "x".repeat(2_000_000));
    let cases: Vec<Case> = vec![
        (reply(301, "moved"), Configuration, Some(301), "moved", None),
        (Fault::http(307, &[("Location", "http://127.0.0.1:1/")], ""), Configuration, Some(307), "", None),
        (reply(400, error), Permanent, Some(400), "21211 Invalid 'To' ***", None),
        (reply(401, "no"), Configuration, Some(401), "no", None),
        (reply(403, "no"), Configuration, Some(403), "no", None),
        (reply(404, "no"), Configuration, Some(404), "no", None),
        (reply(408, ""), Temporary, Some(408), "", None),
        (reply(410, "gone"), Permanent, Some(410), "gone", None),
        (wait(425, "7"), Temporary, Some(425), "", Some(7)),
        (wait(429, "Sun, 22 Nov 2026 04:06:06 GMT"), Temporary, Some(429), "", Some(60)),
        (wait(429, "soon"), Temporary, Some(429), "", None),
        (wait(503, "999999"), Temporary, Some(503), "", Some(3600)),
        (reply(500, "oops"), InDoubt, Some(500), "oops", None),
        (wait(502, "7"), InDoubt, Some(502), "", None),
        (reply(504, ""), InDoubt, Some(504), "", None),
        (reply(201, r#"{"sid":"SM1","status":"failed","error_code":30007,"error_message":"Filtered"}"#), Permanent, Some(201), "failed 30007 Filtered", None),
        (reply(201, r#"{"sid":"SM1","status":"undelivered"}"#), Permanent, Some(201), "undelivered 0", None),
        (reply(201, r#"{"status":"queued"}"#), InDoubt, Some(201), r#"No message SID in the answer: {"status":"queued"}"#, None),
        (reply(200, "<html>\nlog in</html>"), InDoubt, Some(200), "No message SID in the answer: <html> log in</html>", None),
        (reply(204, ""), InDoubt, Some(204), "No message SID in the answer:", None),
        (reply(201, r#"{"sid":"SM1","status":"queued"}"#).sent(Truncated), InDoubt, Some(201), r#"No message SID in the answer: {"sid":"SM1","s"#, None),
        (reply(201, &huge), InDoubt, Some(201), "…", None),
        (Fault::Close, InDoubt, None, "…", None),
        (Fault::Reset, InDoubt, None, "The call failed after the request was sent: io: Connection reset by peer (os error 104).", None),
        (Fault::Silence, InDoubt, None, "The call failed after the request was sent: timeout: global.", None),
    ];
    for (answer, class, code, text, retry) in cases {
        let what = format!("{answer:?}").chars().take(100).collect::<String>();
        let gateway = gateway();
        let mut timeouts = timeouts();
        if matches!(answer, Fault::Silence) {
            timeouts.http_total = Duration::from_millis(300);
        }
        gateway.next(answer);
        let failure = provider(&sms_url(&gateway), timeouts).session().send(&sms()).expect_err(&what);
        assert!(failure.answer.chars().count() <= herald::channel::ANSWER_CHARS_MAX, "{what}");
        let kept = if text == "…" { "…" } else { &failure.answer };
        let wished = Failure { class, code, answer: text.into(), retry_after: retry.map(Duration::from_secs) };
        assert_eq!(Failure { answer: kept.into(), ..failure }, wished, "{what}");
        assert_eq!(gateway.asked().len(), 1, "nothing is repeated or followed: {what}");
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
