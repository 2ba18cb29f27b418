//! Any gateway: the request as it was asked for in the URL, and what answers mean.

use super::{pairs, push, timeouts};
use crate::support::outside::{HttpFaults as _, gateway, url_of};
use herald::channel::{Class, Failure, Provider, Receipt};
use herald::domain::format::{Channel, Format};
use herald::domain::message::Outgoing;
use herald::simulate::fault::Fault;
use herald::simulate::gateway::Gateway;
use herald::simulate::http::Request;
use herald::simulate::webhook::KEY;
use serde_json::{Value, json};
use std::sync::Arc;

const GUID: &str = "0199c0de-0000-7000-8000-000000000001";

fn provider(channel: Channel, url: &str) -> Arc<dyn Provider> {
    super::provider(channel, url, timeouts(), None)
}

/// A URL at this gateway with these parameters beside its key.
fn url(gateway: &Gateway, login: &str, params: &str) -> String {
    let port = gateway.port();
    format!("webhook+http://{login}127.0.0.1:{port}/webhook?header.X-Key={KEY}{params}")
}

fn sms() -> Outgoing {
    Outgoing {
        format: Format::Sms,
        recipient: "+4712345678".into(),
        subject: None,
        ..push("")
    }
}

/// A mail with everything.
fn mail() -> Outgoing {
    Outgoing {
        format: Format::CombinedEmail,
        html_body: Some("<p>Hello</p>".into()),
        ..super::mail()
    }
}

fn json_of(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

#[test]
fn the_request_is_what_the_url_asks_for() {
    let gateway = gateway();
    let provider = provider(Channel::Sms, &url_of(&gateway, "webhook"));
    assert!(provider.recognises_repeats());
    let receipt = provider.session().send(&sms());
    let answer = r#"{"said":"Taken"}"#.into();
    #[rustfmt::skip]
    assert_eq!(receipt, Ok(Receipt { provider_id: None, code: Some(202), answer }));
    assert_eq!(gateway.messages()[0].reference.as_deref(), Some(GUID));
    let asked = gateway.asked().pop().unwrap();
    assert_eq!(asked.line(), "POST /webhook");
    let expected = json!({ "to": "+4712345678", "text": "Code: 1+1\n", "id": GUID });
    assert_eq!(json_of(&asked), expected);
    let host = format!("127.0.0.1:{}", gateway.port());
    let length = asked.body.len().to_string();
    let headers = pairs(&[
        ("accept", "*/*"),
        ("content-length", &length),
        ("content-type", "application/json"),
        ("host", &host),
        ("user-agent", concat!("herald/", env!("CARGO_PKG_VERSION"))),
        ("x-key", KEY),
    ]);
    assert_eq!(asked.headers, headers);
}

#[test]
#[rustfmt::skip] // A table: one case a line.
fn each_channel_has_its_fields_under_the_names_that_are_given() {
    let mailed = json!({ "to": "bo@example.net", "text": "Hello, Bo.\n", "subject": "Hello", "html": "<p>Hello</p>", "from": "App <app@example.com>" });
    for (channel, message, params, body) in [
        (Channel::Email, mail(), "", mailed),
        (Channel::Email, mail(), "&subject=&html=&from=&to=Rcpt&text=b%C3%B8dy", json!({ "Rcpt": "bo@example.net", "bødy": "Hello, Bo.\n" })),
        (Channel::Email, Outgoing { sender: Some("x@y.example".into()), ..mail() }, "&html=&text=t&subject=s", json!({ "to": "bo@example.net", "t": "Hello, Bo.\n", "s": "Hello", "from": "x@y.example" })),
        (Channel::Push, push("d"), "&id=ref&field.app=Acme%20%22&field.n=", json!({ "to": "d", "text": "Code: 1+1\n", "subject": "Blåbær & \"co\"", "ref": GUID, "app": "Acme \"", "n": "" })),
        (Channel::Sms, sms(), "&to=", json!({ "text": "Code: 1+1\n" })),
    ] {
        let gateway = gateway();
        gateway.next(Fault::http(200, &[], ""));
        let provider = provider(channel, &url(&gateway, "", params));
        assert_eq!(provider.recognises_repeats(), params.contains("&id="), "{params}");
        provider.session().send(&message).unwrap();
        assert_eq!(json_of(&gateway.asked()[0]), body, "{params}");
    }
}

#[test]
fn a_form_is_put_by_a_user_with_a_password() {
    let gateway = gateway();
    let params = "&method=PUT&format=form&field.from=A%26B&to=msisdn";
    gateway.next(Fault::http(204, &[], ""));
    let provider = provider(Channel::Sms, &url(&gateway, "anna:p%40ss@", params));
    assert!(!provider.recognises_repeats());
    provider.session().send(&sms()).unwrap();
    let asked = gateway.asked().pop().unwrap();
    assert_eq!(asked.line(), "PUT /webhook");
    let header = |name| asked.header(name).unwrap();
    assert_eq!(header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(header("authorization"), "Basic YW5uYTpwQHNz");
    let fields = [
        ("msisdn", "+4712345678"),
        ("text", "Code: 1+1\n"),
        ("from", "A&B"),
    ];
    assert_eq!(asked.form(), pairs(&fields));
}

#[test]
fn nothing_that_is_secret_in_the_url_is_kept_of_an_answer() {
    let gateway = gateway();
    let params = "&field.token=s3%22cret&field.n=1&header.X-Long=rehearsal-key-2";
    let provider = provider(Channel::Sms, &url(&gateway, "anna:hunter2@", params));
    let name = format!(
        "webhook+http://anna:***@127.0.0.1:{}/webhook?header.X-Key=***&field.token=***&field.n=***&header.X-Long=***",
        gateway.port()
    );
    assert_eq!(provider.name(), name);
    let echo =
        r#"1 no {"token":"s3\"cret"} rehearsal-key-2 rehearsal-key YW5uYTpodW50ZXIy hunter2"#;
    let kept = r#"1 no {"token":"***"} *** *** *** ***"#;
    for (status, class) in [(400, Some(Class::Permanent)), (200, None)] {
        gateway.next(Fault::http(status, &[], echo));
        let (class_found, answer) = match provider.session().send(&sms()) {
            Ok(receipt) => (None, receipt.answer),
            Err(failure) => (Some(failure.class), failure.answer),
        };
        assert_eq!((class_found, answer.as_str()), (class, kept));
    }
}

#[test]
#[rustfmt::skip] // A table: one case a line.
fn a_check_asks_what_may_be_done_and_sends_nothing() {
    let gateway = gateway();
    let own = url_of(&gateway, "webhook");
    let there = |status: u16| Ok(format!("It is there, and answers OPTIONS with HTTP status {status}. Whether it takes messages shows with the first."));
    let failed = |class, status: u16, answer: &str| Err(Failure { class, code: Some(status), answer: answer.into(), retry_after: None });
    assert_eq!(provider(Channel::Email, &own).check(), there(204));
    let wrong = own.replace(KEY, "wrong");
    assert_eq!(provider(Channel::Email, &wrong).check(), failed(Class::Configuration, 401, r#"{"said":"Who are you?"}"#));
    for (status, result) in [
        (405, there(405)),
        (501, there(501)),
        (404, failed(Class::Configuration, 404, "Hm")),
        (302, failed(Class::Configuration, 302, "Hm")),
        (503, failed(Class::Temporary, 503, "Hm")),
        (500, failed(Class::InDoubt, 500, "Hm")),
    ] {
        gateway.next(Fault::http(status, &[], "Hm"));
        assert_eq!(provider(Channel::Email, &own).check(), result);
    }
    assert!(gateway.asked().iter().all(|asked| asked.line() == "OPTIONS /webhook"));
    assert_eq!(gateway.messages(), []);
}
