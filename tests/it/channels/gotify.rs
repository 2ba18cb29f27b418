//! Gotify: the request as the server got it, and what its own words mean.

use super::{pairs, push, timeouts};
use crate::support::outside::{HttpFaults as _, gateway, url_of};
use herald::channel::{Class, Failure, Provider, Receipt};
use herald::domain::format::Channel;
use herald::simulate::fault::Fault;
use herald::simulate::gotify::TOKEN;
use herald::simulate::http::Request;
use serde_json::{Value, json};
use std::sync::Arc;

fn provider(url: &str) -> Arc<dyn Provider> {
    super::provider(Channel::Push, url, timeouts(), None)
}

fn failed(class: Class, code: u16, answer: &str) -> Failure {
    #[rustfmt::skip]
    let failure = Failure { class, code: Some(code), answer: answer.into(), retry_after: None };
    failure
}

#[test]
fn the_request_is_what_gotify_documents() {
    let gateway = gateway();
    let provider = provider(&url_of(&gateway, "gotify"));
    assert!(provider.recognises_repeats());
    let receipt = provider.session().send(&push("any device at all"));
    let taken = gateway.messages().pop().unwrap();
    assert_eq!(taken.reference, Some(push("").guid.to_string()));
    let (id, answer) = (taken.id.clone(), format!("{} created", taken.id));
    let (provider_id, code) = (Some(id), Some(200));
    #[rustfmt::skip]
    assert_eq!(receipt, Ok(Receipt { provider_id, code, answer }));
    let asked = gateway.asked().pop().unwrap();
    assert_eq!(asked.line(), "POST /message");
    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    let expected = json!({
        "title": "Blåbær & \"co\"", "message": "Code: 1+1\n",
        "extras": { "herald::message": { "id": "0199c0de-0000-7000-8000-000000000001" } },
    });
    assert_eq!(body, expected);
    let host = format!("127.0.0.1:{}", gateway.port());
    let length = asked.body.len().to_string();
    let headers = pairs(&[
        ("accept", "*/*"),
        ("content-length", &length),
        ("content-type", "application/json"),
        ("host", &host),
        ("user-agent", concat!("herald/", env!("CARGO_PKG_VERSION"))),
        ("x-gotify-key", TOKEN),
    ]);
    assert_eq!(asked.headers, headers);
}

#[test]
fn gotify_may_stand_behind_a_path_and_a_message_without_a_title_has_none() {
    let gateway = gateway();
    gateway.next(Fault::http(200, &[], r#"{"id":7}"#));
    let url = format!("gotify+http://t@127.0.0.1:{}/a%20b/", gateway.port());
    let mut plain = push("d");
    plain.subject = None;
    provider(&url).session().send(&plain).unwrap();
    let asked = gateway.asked().pop().unwrap();
    assert_eq!(asked.line(), "POST /a%20b/message");
    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(body.get("title"), None);
}

/// What a status means is in `outbox::matrix`; here is what Gotify says itself.
#[test]
fn each_answer_is_read_and_kept_without_our_secrets() {
    let gateway = gateway();
    let mut session = provider(&url_of(&gateway, "gotify")).session();
    let error = json!({ "error": "Bad Request", "errorCode": 400, "errorDescription": format!("no {TOKEN}") });
    gateway.next(Fault::http(400, &[], &error.to_string()));
    let failure = failed(Class::Permanent, 400, "Bad Request: no ***");
    assert_eq!(session.send(&push("d")), Err(failure));
    gateway.next(Fault::http(200, &[], r#"{"id":"seven"}"#));
    let answer = r#"No message id in the answer: {"id":"seven"}"#;
    let failure = failed(Class::InDoubt, 200, answer);
    assert_eq!(session.send(&push("d")), Err(failure));
}

#[test]
fn a_check_proves_the_token_and_sends_nothing() {
    let gateway = gateway();
    let url = url_of(&gateway, "gotify");
    let known = "The token is known. Bad Request: Field 'message' is required";
    assert_eq!(provider(&url).check(), Ok(known.into()));
    let refused = "Unauthorized: you need to provide a valid access token or user credentials to access this api";
    let failure = failed(Class::Configuration, 401, refused);
    assert_eq!(provider(&url.replace(TOKEN, "wrong")).check(), Err(failure));
    // A server that takes it, or says something else, is no Gotify.
    gateway.next(Fault::http(200, &[], "Hello"));
    let failure = failed(
        Class::Configuration,
        200,
        "The answer is not Gotify's: Hello",
    );
    assert_eq!(provider(&url).check(), Err(failure));
    gateway.next(Fault::http(400, &[], "Hello"));
    assert_eq!(
        provider(&url).check(),
        Err(failed(Class::Permanent, 400, "Hello"))
    );
    let lines: Vec<_> = gateway.asked().iter().map(Request::line).collect();
    assert_eq!(lines, ["POST /message"; 4]);
    assert_eq!(gateway.messages(), []);
}
