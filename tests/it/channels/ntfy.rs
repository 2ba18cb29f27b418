//! ntfy: the request as the server got it, what is never asked, and what its own words mean.

use super::{pairs, push, timeouts};
use crate::support::outside::{HttpFaults as _, gateway, url_of};
use herald::channel::ntfy::{MESSAGE_BYTES_MAX, TOPIC_CHARS_MAX};
use herald::channel::{Class, Failure, Provider, Receipt};
use herald::domain::format::Channel;
use herald::domain::message::Outgoing;
use herald::simulate::fault::Fault;
use herald::simulate::gateway::Gateway;
use herald::simulate::http::Request;
use herald::simulate::ntfy::TOKEN;
use serde_json::{Value, json};
use std::sync::Arc;

fn provider(url: &str) -> Arc<dyn Provider> {
    super::provider(Channel::Push, url, timeouts(), None)
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

#[test]
fn the_request_is_what_ntfy_documents() {
    let gateway = gateway();
    let provider = provider(&url_of(&gateway, "ntfy"));
    assert!(provider.recognises_repeats());
    let mut session = provider.session();
    for _ in 0..2 {
        let receipt = session.send(&push("user-42_A"));
        let taken = gateway.messages().pop().unwrap();
        assert_eq!(taken.reference, Some(push("").guid.to_string()));
        let (id, answer) = (taken.id.clone(), format!("{} published", taken.id));
        let (provider_id, code) = (Some(id), Some(200));
        #[rustfmt::skip]
        assert_eq!(receipt, Ok(Receipt { provider_id, code, answer }));
    }
    let asked = gateway.asked();
    let connections: Vec<_> = asked.iter().map(|a| a.connection).collect();
    assert_eq!(connections, [0, 0], "the connection is kept");
    let asked = &asked[0];
    assert_eq!(asked.line(), "POST /");
    let expected = json!({
        "topic": "user-42_A", "title": "Blåbær & \"co\"", "message": "Code: 1+1\n",
        "sequence_id": "0199c0de-0000-7000-8000-000000000001",
    });
    assert_eq!(body(asked), expected);
    let host = format!("127.0.0.1:{}", gateway.port());
    let length = asked.body.len().to_string();
    let headers = pairs(&[
        ("accept", "*/*"),
        ("authorization", &format!("Bearer {TOKEN}")),
        ("content-length", &length),
        ("content-type", "application/json"),
        ("host", &host),
        ("user-agent", concat!("herald/", env!("CARGO_PKG_VERSION"))),
    ]);
    assert_eq!(asked.headers, headers);
}

#[test]
fn a_user_signs_in_with_a_password_and_nobody_does_without() {
    let gateway = gateway();
    for (login, proof) in [
        ("anna:p%40ss@", Some("Basic YW5uYTpwQHNz")),
        ("tk_a%2Fb@", Some("Bearer tk_a/b")),
        ("", None),
    ] {
        let url = format!("ntfy+http://{login}127.0.0.1:{}/behind/", gateway.port());
        gateway.next(Fault::http(200, &[], r#"{"id":"a"}"#));
        let mut plain = push("t");
        plain.subject = None;
        provider(&url).session().send(&plain).unwrap();
        let asked = gateway.asked().pop().unwrap();
        assert_eq!(
            (asked.line().as_str(), asked.header("authorization")),
            ("POST /behind/", proof)
        );
        assert_eq!(body(&asked).get("title"), None);
    }
}

#[test]
fn what_ntfy_would_not_show_is_not_sent() {
    let gateway = gateway();
    let mut session = provider(&url_of(&gateway, "ntfy")).session();
    let long = "t".repeat(TOPIC_CHARS_MAX + 1);
    for device in ["", "a/b", "blåbær", "a b", "+4712345678", &long] {
        let answer = "The device is no topic of ntfy, which is 1 to 64 letters, digits, - and _.";
        expect_permanent(session.send(&push(device)), answer);
    }
    let text = |bytes: usize| Outgoing {
        body: "x".repeat(bytes),
        ..push(&long[1..])
    };
    let answer = "The text has 4097 bytes; ntfy shows at most 4096.";
    expect_permanent(session.send(&text(MESSAGE_BYTES_MAX + 1)), answer);
    assert_eq!(gateway.asked(), []);
    session.send(&text(MESSAGE_BYTES_MAX)).unwrap();
}

#[track_caller]
fn expect_permanent(result: Result<Receipt, Failure>, answer: &str) {
    #[rustfmt::skip]
    let failure = Failure { class: Class::Permanent, code: None, answer: answer.into(), retry_after: None };
    assert_eq!(result, Err(failure));
}

/// What a status means is in `outbox::matrix`; here is what ntfy says itself.
#[test]
#[rustfmt::skip] // A table: one case a line.
fn each_code_is_read_and_kept_without_our_secrets() {
    use Class::{Configuration, InDoubt, Permanent, Temporary};
    let error = |code: u32, words: &str| json!({ "code": code, "http": code / 100, "error": words, "link": "https://x" }).to_string();
    for (answers, class, text) in [
        (error(40009, "invalid request: topic invalid"), Permanent, "40009 invalid request: topic invalid"),
        (error(40101, "unauthorized"), Configuration, "40101 unauthorized"),
        (error(40301, "forbidden"), Permanent, "40301 forbidden"),
        (error(40401, "page not found"), Configuration, "40401 page not found"),
        (error(41303, "JSON body too large"), Permanent, "41303 JSON body too large"),
        (error(42901, &format!("limit reached, {TOKEN}")), Temporary, "42901 limit reached, ***"),
        (error(42908, "limit reached: too many messages"), Temporary, "42908 limit reached: too many messages"),
        (error(50001, "internal server error"), InDoubt, "50001 internal server error"),
        (error(50701, "no subscriber"), Temporary, "50701 no subscriber"),
    ] {
        let code = serde_json::from_str::<Value>(&answers).unwrap()["http"].as_u64().unwrap();
        let code = u16::try_from(code).unwrap();
        let send = |login: &str| {
            let gateway = gateway();
            gateway.next(Fault::http(code, &[], &answers));
            let url = format!("ntfy+http://{login}127.0.0.1:{}", gateway.port());
            provider(&url).session().send(&push("t")).unwrap_err()
        };
        let failure = Failure { class, code: Some(code), answer: text.into(), retry_after: None };
        assert_eq!(send(&format!("{TOKEN}@")), failure);
        // Who has not signed in is told that by the same code.
        if code == 403 {
            assert_eq!(send("").class, Configuration);
        }
    }
}

#[test]
fn a_check_asks_who_we_are_or_whether_the_server_is_well() {
    let gateway = gateway();
    let known = url_of(&gateway, "ntfy");
    let (anyone, wrong) = (
        known.replace(&format!("{TOKEN}@"), ""),
        known.replace(TOKEN, "tk_wrong"),
    );
    let failed = |code: u16, answer: &str| {
        #[rustfmt::skip]
        let failure = Failure { class: Class::Configuration, code: Some(code), answer: answer.into(), retry_after: None };
        Err(failure)
    };
    assert_eq!(
        provider(&known).check(),
        Ok("signed in as rehearsal".into())
    );
    assert_eq!(provider(&wrong).check(), failed(401, "40101 unauthorized"));
    assert_eq!(provider(&anyone).check(), Ok("healthy".into()));
    gateway.next(Fault::http(200, &[], r#"{"healthy":false}"#));
    let sick = r#"The answer is not ntfy's: {"healthy":false}"#;
    assert_eq!(provider(&anyone).check(), failed(200, sick));
    let lines: Vec<_> = gateway.asked().iter().map(Request::line).collect();
    let expected = ["account", "account", "health", "health"].map(|path| format!("GET /v1/{path}"));
    assert_eq!(lines, expected);
    let none: Vec<herald::simulate::book::Message> = Gateway::messages(&gateway);
    assert_eq!(none, []);
}
