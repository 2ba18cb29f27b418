//! Rules of the API that a case file cannot try: they need a moment in between, another provider or an encoding.

use crate::support::app::{Reply, TestApp};
use crate::support::fake_gateway::{ACCOUNT, Answer, FakeGateway};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use herald::accept::{self, Choice, Custom, Order, What};
use herald::domain::format::Channel;
use herald::domain::ids::Owner;
use herald::store;

const USERS: &str = "/api/admin/v1/users";

/// Adds anna and gives the path that sends to her.
fn anna(app: &TestApp) -> String {
    let reply = app.post(USERS, r#"{"UserName":"anna","Mobile":"+4712345678"}"#);
    let guid = reply.json()["Data"]["Guid"].as_str().unwrap().to_owned();
    format!("/api/v1.3/communication/messages/{guid}/send")
}

fn send(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Reply {
    let headers = [headers, &[("content-type", "application/json")]].concat();
    let body = br#"{"deliveryMethod":"sms","messageBody":{"sms":{"body":"Hello"}}}"#;
    app.call("POST", path, &headers, body)
}

/// Send API, rule 5: "the first still running 409".
#[test]
fn a_key_whose_first_request_still_runs_is_a_conflict() {
    let app = TestApp::start();
    let path = anna(&app);
    let running = app.server().app.hold_key(Owner(1), "one").unwrap();
    send(&app, &path, &[("idempotency-key", "one")]).expect(
        409,
        r#"{"errorCode":"409","message":"A request with this Idempotency-Key is still running."}"#,
    );
    drop(running);
    let reply = send(&app, &path, &[("idempotency-key", "one")]);
    assert_eq!(
        (reply.status, reply.header("location")),
        (202, "/api/admin/v1/messages/logs/entries/1")
    );
    app.settled();
}

/// Send API, rule 4: "A disabled user: 409", even one disabled a moment ago.
#[test]
fn a_user_disabled_while_a_send_is_prepared_is_a_conflict() {
    let app = TestApp::start();
    anna(&app);
    let herald = &app.server().app;
    let order = Order {
        user: herald
            .store
            .read(|db| store::users::get_by_name(db, "anna"))
            .unwrap(),
        what: What::Custom(Custom {
            sms: Some("Hello".into()),
            ..Custom::default()
        }),
        choice: Choice::Channels(vec![Channel::Sms]),
        send_at: None,
        by: "tests".into(),
    };
    let prepared = accept::prepare(herald, order).unwrap();
    app.post(
        USERS,
        r#"{"ID":1,"UserName":"anna","Mobile":"+4712345678","IsDisabled":true}"#,
    );
    let refused = accept::commit(herald, prepared, None).unwrap_err();
    assert_eq!(
        (refused.code(), refused.details().as_str()),
        (
            "err_Conflict",
            "The user anna is disabled; nothing is sent."
        )
    );
    assert_eq!(app.pending(), 0);
}

/// `/v1/users`: "DELETE erases the person: addresses, bodies and attributes go".
#[test]
fn erasing_a_user_erases_the_words_of_providers_too() {
    let gateway = FakeGateway::start();
    let refusal =
        r#"{"code":21211,"message":"The 'To' number +4712345678 is not valid.","status":400}"#;
    gateway.next(Answer::Reply(400, Vec::new(), refusal.into()));
    let url = format!(
        "twilio+http://{ACCOUNT}:t0ken%2Fwith%2Bsigns@127.0.0.1:{}?from=%2B15550001111",
        gateway.port()
    );
    let app = TestApp::start_with(|config| config.with_providers(Channel::Sms, vec![url]));
    let path = anna(&app);
    send(&app, &path, &[]);
    app.settled();
    let entry = "/api/admin/v1/messages/logs/entries/1";
    let before = app.get(entry).json();
    let error = before["Data"]["Error"].as_str().unwrap();
    assert!(error.contains("+4712345678"), "{error}");
    app.delete("/api/admin/v1/users/1")
        .expect(200, r#"{"Result":"OK"}"#);
    let after = app.get(entry);
    assert!(!after.body.contains("4712345678"), "{}", after.body);
    assert_eq!(after.json()["Data"]["Status"], "failed");
}

/// RFC 6749, section 2.3.1.
#[test]
fn a_client_may_say_who_it_is_in_a_basic_header() {
    let app = TestApp::start();
    let made = app.post(
        "/api/admin/v1/clients",
        r#"{"Label":"app","Scopes":["relesys.api.users"]}"#,
    );
    let made = made.json();
    let word = |name: &str| made["Data"][name].as_str().unwrap().to_owned();
    let (id, secret) = (word("Guid"), word("ClientSecret"));
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let headers = [
        ("authorization", basic.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    // The id may be in the form as well, the secret may not.
    for (form, status) in [
        ("grant_type=client_credentials".to_owned(), 200),
        (format!("grant_type=client_credentials&client_id={id}"), 200),
        (
            format!("grant_type=client_credentials&client_secret={secret}"),
            400,
        ),
        ("grant_type=client_credentials&client_id=other".into(), 400),
    ] {
        let reply = app.call("POST", "/oauth/token", &headers, form.as_bytes());
        assert_eq!(reply.status, status, "{form}: {}", reply.body);
    }
}
