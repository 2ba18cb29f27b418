//! Vonage: the request as the gateway got it, and what each answer means.

use super::{pairs, push, timeouts};
use crate::support::outside::{HttpFaults as _, gateway, url_of};
use herald::channel::vonage::{CALLBACK_CHARS_MAX, is_gsm};
use herald::channel::{Class, Failure, Provider, Receipt};
use herald::domain::format::{Channel, Format};
use herald::domain::message::Outgoing;
use herald::hooks::{Hooks, KEY_BYTES};
use herald::simulate::fault::Fault;
use herald::simulate::gateway::Gateway;
use herald::simulate::http::Request;
use herald::simulate::vonage::{KEY, SECRET};
use serde_json::json;
use std::sync::Arc;

const GUID: &str = "0199c0de-0000-7000-8000-000000000001";

fn provider(gateway: &Gateway) -> Arc<dyn Provider> {
    super::provider(Channel::Sms, &url_of(gateway, "vonage"), timeouts(), None)
}

fn sms(text: &str) -> Outgoing {
    Outgoing {
        format: Format::Sms,
        recipient: "+4712345678".into(),
        subject: None,
        body: text.into(),
        ..push("")
    }
}

#[test]
fn the_request_is_what_vonage_documents() {
    let gateway = gateway();
    let provider = provider(&gateway);
    assert!(provider.recognises_repeats());
    let mut session = provider.session();
    let receipt = session.send(&sms("Code: 1+1 & €\n"));
    let taken = gateway.messages().pop().unwrap();
    assert_eq!(taken.reference.as_deref(), Some(GUID));
    let answer = format!("{} accepted", taken.id);
    #[rustfmt::skip]
    assert_eq!(receipt, Ok(Receipt { provider_id: Some(taken.id), code: Some(200), answer }));
    let asked = gateway.asked().pop().unwrap();
    assert_eq!(asked.line(), "POST /sms/json");
    let fields = [
        ("api_key", KEY),
        ("api_secret", SECRET),
        ("from", "Acme"),
        ("to", "4712345678"),
        ("text", "Code: 1+1 & €\n"),
        ("client-ref", GUID),
    ];
    assert_eq!(asked.form(), pairs(&fields));
    let host = format!("127.0.0.1:{}", gateway.port());
    let length = asked.body.len().to_string();
    let headers = pairs(&[
        ("accept", "*/*"),
        ("content-length", &length),
        ("content-type", "application/x-www-form-urlencoded"),
        ("host", &host),
        ("user-agent", concat!("herald/", env!("CARGO_PKG_VERSION"))),
    ]);
    assert_eq!(asked.headers, headers);
}

#[test]
fn a_text_outside_the_gsm_alphabet_is_sent_as_unicode() {
    for (text, is_plain) in [
        ("Blåbær ÄÖÜ äöü ñ ß Ç é \r\n", true),
        ("[€] {x} ~ ^ \\ | @£$¥ ΔΦΓΛΩΠΨΣΘΞ", true),
        ("ç", false),
        ("“quoted”", false),
        ("😀", false),
        ("Привет", false),
        ("a\tb", false),
        ("`", false),
    ] {
        assert_eq!(is_gsm(text), is_plain, "{text}");
        let gateway = gateway();
        provider(&gateway).session().send(&sms(text)).unwrap();
        let told = gateway.asked()[0].field("type");
        assert_eq!(told.as_deref(), (!is_plain).then_some("unicode"), "{text}");
    }
}

#[test]
fn each_part_of_a_long_text_has_its_id() {
    let gateway = gateway();
    let receipt = provider(&gateway)
        .session()
        .send(&sms(&"x".repeat(161)))
        .unwrap();
    let ids = gateway.messages()[0].id.clone();
    assert_eq!(ids.split(' ').count(), 2);
    assert_eq!(
        (receipt.answer, receipt.provider_id),
        (format!("{ids} accepted"), Some(ids))
    );
}

/// What an HTTP status means is in `outbox::matrix`; here is what Vonage says itself, always with 200. (gateways.md, 3.2)
#[rustfmt::skip] // A table: one case a line.
#[test]
fn each_status_of_an_answer_has_its_class() {
    use Class::{Configuration, InDoubt, Permanent, Temporary};
    let error = |status: &str| json!({ "messages": [{ "status": status, "error-text": format!("No {SECRET}") }] }).to_string();
    let part = |status: &str| json!({ "status": status, "message-id": "0A" });
    let parts = |list: &[&str]| json!({ "messages": list.iter().map(|status| part(status)).collect::<Vec<_>>() }).to_string();
    let mut cases = vec![
        (parts(&["0", "1"]), Permanent, "1 of 2 parts were taken: 1 throttled".to_owned()),
        (parts(&["1", "0", "4"]), Permanent, "1 of 3 parts were taken: 1 throttled".into()),
        (parts(&["1", "4"]), Temporary, "1 throttled".into()),
        (r#"{"messages":[]}"#.into(), InDoubt, r#"No message in the answer: {"messages":[]}"#.into()),
        (r#"{"messages":[{"message-id":"0A"}]}"#.into(), InDoubt, r#"No message in the answer: {"messages":[{"message-id":"0A"}]}"#.into()),
        ("<html>".into(), InDoubt, "No message in the answer: <html>".into()),
    ];
    for (class, statuses) in [
        (Temporary, &["1", "5", "10"][..]),
        (Configuration, &["4", "8", "9", "11", "14"]),
        (Permanent, &["2", "3", "6", "7", "12", "15", "99", ""]),
    ] {
        cases.extend(statuses.iter().map(|status| (error(status), class, format!("{status} No ***").trim().to_owned())));
    }
    for (body, class, answer) in cases {
        let gateway = gateway();
        gateway.next(Fault::http(200, &[], &body));
        let failure = Failure { class, code: Some(200), answer, retry_after: None };
        assert_eq!(provider(&gateway).session().send(&sms("x")), Err(failure), "{body}");
    }
}

/// Vonage takes no longer one. (gateways.md, 3.2)
#[test]
fn an_address_for_reports_is_sent_if_it_is_short_enough_and_is_not_kept() {
    let path = Hooks::new("", &[7; KEY_BYTES]).unwrap();
    let path = path.address("vonage", push("").guid).len();
    for (over, is_sent) in [(0, true), (1, false)] {
        let host = "h".repeat(CALLBACK_CHARS_MAX - path - "https://".len() + over);
        let hooks = Arc::new(Hooks::new(&format!("https://{host}"), &[7; KEY_BYTES]).unwrap());
        let address = hooks.address("vonage", push("").guid);
        let gateway = gateway();
        let url = url_of(&gateway, "vonage");
        let provider = super::provider(Channel::Sms, &url, timeouts(), Some(hooks));
        let error = json!({ "messages": [{ "status": "3", "error-text": address }] });
        gateway.next(Fault::http(200, &[], &error.to_string()));
        let failure = provider.session().send(&sms("x")).unwrap_err();
        let sent = gateway.asked()[0].field("callback");
        assert_eq!(sent, is_sent.then_some(address.clone()));
        let (_, token) = address.rsplit_once('/').unwrap();
        assert_eq!(
            failure.answer.contains(token),
            !is_sent,
            "{}",
            failure.answer
        );
    }
}

#[test]
fn a_check_reads_the_balance_and_sends_nothing() {
    let gateway = gateway();
    assert_eq!(
        provider(&gateway).check(),
        Ok("The balance is 10.28.".into())
    );
    let url = url_of(&gateway, "vonage").replace(KEY, "wrong");
    let wrong = super::provider(Channel::Sms, &url, timeouts(), None).check();
    let failed = |code, answer: &str| {
        #[rustfmt::skip]
        let failure = Failure { class: Class::Configuration, code: Some(code), answer: answer.into(), retry_after: None };
        Err(failure)
    };
    let answer = r#"{"error-code":"401","error-code-label":"authentication failed"}"#;
    assert_eq!(wrong, failed(401, answer));
    gateway.next(Fault::http(200, &[], "{}"));
    assert_eq!(
        provider(&gateway).check(),
        failed(200, "The answer is not the balance: {}")
    );
    let lines: Vec<_> = gateway.asked().iter().map(Request::line).collect();
    assert_eq!(lines, ["GET /account/get-balance"; 3]);
}
