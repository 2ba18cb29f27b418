//! Firebase Cloud Messaging: the requests as the service got them, the token before them, and what its own words mean.

use super::{NOW, pairs, push, timeouts};
use crate::support::outside::{gateway, url_of};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use herald::channel::google::KEY_FILE_BYTES_MAX;
use herald::channel::url::ProviderUrl;
use herald::channel::{Class, Failure, Means, Provider, Receipt, build};
use herald::clock::Clock;
use herald::domain::format::Channel;
use herald::domain::message::Outgoing;
use herald::simulate::fault::{Fault, Place};
use herald::simulate::fcm::{ACCESS_TOKEN, FOREIGN, PROJECT, UNREGISTERED};
use herald::simulate::gateway::Gateway;
use herald::simulate::http::Request;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const SEND: &str = "POST /v1/projects/rehearsal-1/messages:send";
const TOKEN: &str = "POST /token";

fn provider(url: &str) -> Arc<dyn Provider> {
    super::provider(Channel::Push, url, timeouts(), None)
}

fn failed(class: Class, code: impl Into<Option<u16>>, answer: &str) -> Failure {
    #[rustfmt::skip]
    let failure = Failure { class, code: code.into(), answer: answer.into(), retry_after: None };
    failure
}

fn lines(gateway: &Gateway) -> Vec<String> {
    gateway.asked().iter().map(Request::line).collect()
}

/// What happens the next time somebody asks for a token.
fn next_token(gateway: &Gateway, fault: Fault) {
    let place = Place::Answer(Some("google"));
    gateway.orders().next(place, fault).unwrap();
}

/// What happens the next time somebody sends.
fn next_send(gateway: &Gateway, fault: Fault) {
    let place = Place::Answer(Some("fcm"));
    gateway.orders().next(place, fault).unwrap();
}

#[test]
fn the_requests_are_what_google_documents() {
    let gateway = gateway();
    let provider = provider(&url_of(&gateway, "fcm"));
    assert!(provider.recognises_repeats());
    let receipt = provider.session().send(&push("a:device_token-1"));
    let taken = gateway.messages().pop().unwrap();
    assert_eq!(taken.reference, Some(push("").guid.to_string()));
    let (id, answer) = (taken.id.clone(), format!("{} accepted", taken.id));
    let (provider_id, code) = (Some(id), Some(200));
    #[rustfmt::skip]
    assert_eq!(receipt, Ok(Receipt { provider_id, code, answer }));
    let [token, send] = <[Request; 2]>::try_from(gateway.asked()).unwrap();
    expect_assertion(&token, &gateway);
    assert_eq!(send.line(), SEND);
    let body: Value = serde_json::from_slice(&send.body).unwrap();
    let id = "0199c0de-0000-7000-8000-000000000001";
    // From the time of the sending to that of the expiry there are an hour and a bit less than a second.
    let expected = json!({ "message": {
        "token": "a:device_token-1",
        "notification": { "body": "Code: 1+1\n", "title": "Blåbær & \"co\"" },
        "data": { "herald_id": id },
        "android": { "priority": "HIGH", "ttl": "3600s", "notification": { "tag": id } },
        "apns": { "headers": { "apns-priority": "10", "apns-expiration": "1795323906", "apns-collapse-id": id } },
        "webpush": { "headers": { "TTL": "3600" }, "notification": { "tag": id } },
    } });
    assert_eq!(body, expected);
    let host = format!("127.0.0.1:{}", gateway.port());
    let length = send.body.len().to_string();
    let headers = pairs(&[
        ("accept", "*/*"),
        ("authorization", &format!("Bearer {ACCESS_TOKEN}")),
        ("content-length", &length),
        ("content-type", "application/json"),
        ("host", &host),
        ("user-agent", concat!("herald/", env!("CARGO_PKG_VERSION"))),
    ]);
    assert_eq!(send.headers, headers);
}

/// The look-alike has looked at the signature.
fn expect_assertion(request: &Request, gateway: &Gateway) {
    assert_eq!(request.line(), TOKEN);
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    assert_eq!(request.field("grant_type").as_deref(), Some(grant));
    let assertion = request.field("assertion").unwrap();
    let part = |index| {
        let part = assertion.split('.').nth(index).unwrap();
        serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "rehearsal-key" });
    let issued = NOW.parse::<jiff::Timestamp>().unwrap().as_second();
    let claims = json!({
        "iss": "rehearsal@rehearsal-1.iam.gserviceaccount.com",
        "scope": "https://www.googleapis.com/auth/firebase.messaging",
        "aud": format!("http://127.0.0.1:{}/token", gateway.port()),
        "iat": issued, "exp": issued + 3600,
    });
    assert_eq!([part(0), part(1)], [header, claims]);
}

#[test]
fn a_message_without_a_title_has_none_and_one_out_of_date_is_not_kept() {
    let gateway = gateway();
    let mut plain = push("d");
    plain.subject = None;
    plain.expires = NOW.parse().unwrap();
    let mut session = provider(&url_of(&gateway, "fcm")).session();
    session.send(&plain).unwrap();
    let asked = gateway.asked().pop().unwrap();
    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(
        body["message"]["notification"],
        json!({ "body": "Code: 1+1\n" })
    );
    assert_eq!(body["message"]["android"]["ttl"], "0s");
    // FCM keeps nothing for longer than 28 days.
    plain.expires = "2027-11-22T04:05:06Z".parse().unwrap();
    session.send(&plain).unwrap();
    let asked = gateway.asked().pop().unwrap();
    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(body["message"]["webpush"]["headers"]["TTL"], "2419200");
}

#[test]
fn a_notification_is_at_most_as_long_as_fcm_takes() {
    let gateway = gateway();
    let mut session = provider(&url_of(&gateway, "fcm")).session();
    let of = |bytes: usize| Outgoing {
        subject: Some("t".repeat(100)),
        body: "b".repeat(bytes - 100),
        ..push("d")
    };
    assert!(session.send(&of(3600)).is_ok());
    let sentence = "Title and text have 3601 bytes; FCM takes at most 3600.";
    let failure = failed(Class::Permanent, None, sentence);
    assert_eq!(session.send(&of(3601)), Err(failure));
    assert_eq!(lines(&gateway), [TOKEN, SEND]);
    // What we add has room in FCM's 4096 bytes.
    let body = &gateway.asked().pop().unwrap().body;
    assert!(body.len() <= 4096, "{}", body.len());
}

#[test]
fn the_token_is_asked_for_once_until_it_is_about_to_end_or_is_refused() {
    let gateway = gateway();
    let clock = Arc::new(Clock::fixed(NOW.parse().unwrap()));
    let means = Means {
        timeouts: timeouts(),
        clock: clock.clone(),
        hooks: None,
        capture: &|_| panic!("nothing is captured here"),
    };
    let provider = build(Channel::Push, &url_of(&gateway, "fcm"), &means).unwrap();
    let send = |what: &str, expected: &[&str]| {
        let before = gateway.asked().len();
        // Another session has the same token.
        let sent = provider.session().send(&push("d"));
        assert_eq!(lines(&gateway)[before..], *expected, "{what}");
        sent
    };
    send("the first", &[TOKEN, SEND]).unwrap();
    send("the second", &[SEND]).unwrap();
    clock.advance(Duration::from_secs(3599 - 300 - 1));
    send("a second before that", &[SEND]).unwrap();
    clock.advance(Duration::from_secs(1));
    send("five minutes before its end", &[TOKEN, SEND]).unwrap();
    next_send(&gateway, Fault::http(401, &[], "{}"));
    let refused = failed(Class::Configuration, 401, "{}");
    assert_eq!(send("refused", &[SEND]), Err(refused));
    send("after that", &[TOKEN, SEND]).unwrap();
    // One that is good for no time at all is used once.
    clock.advance(Duration::from_secs(3600));
    let short = format!(r#"{{"access_token":"{ACCESS_TOKEN}","expires_in":60}}"#);
    next_token(&gateway, Fault::http(200, &[], &short));
    send("short-lived", &[TOKEN, SEND]).unwrap();
    send("the next", &[TOKEN, SEND]).unwrap();
}

/// What a bare status means is in `outbox::matrix`; here is what FCM says itself.
#[test]
fn each_answer_is_read_and_kept_without_our_secrets() {
    let gateway = gateway();
    let mut session = provider(&url_of(&gateway, "fcm")).session();
    let gone = "UNREGISTERED: Requested entity was not found.";
    let foreign = "SENDER_ID_MISMATCH: SenderId mismatch";
    let nobody = "INVALID_ARGUMENT: The registration token is not a valid FCM registration token";
    for (device, class, code, answer) in [
        (UNREGISTERED, Class::Gone, 404, gone),
        (FOREIGN, Class::Permanent, 403, foreign),
        ("no device", Class::Permanent, 400, nobody),
    ] {
        let failure = failed(class, code, answer);
        assert_eq!(session.send(&push(device)), Err(failure), "{device}");
    }
    let echoed =
        json!({ "error": { "status": "INTERNAL", "message": format!("for {ACCESS_TOKEN}") } });
    next_send(&gateway, Fault::http(500, &[], &echoed.to_string()));
    let failure = failed(Class::InDoubt, 500, "INTERNAL: for ***");
    assert_eq!(session.send(&push("d")), Err(failure));
    // An address that is not FCM's is no fault of the device.
    next_send(&gateway, Fault::http(404, &[], "Not here"));
    let failure = failed(Class::Configuration, 404, "Not here");
    assert_eq!(session.send(&push("d")), Err(failure));
    next_send(&gateway, Fault::http(200, &[], r#"{"name":7}"#));
    let answer = r#"No message name in the answer: {"name":7}"#;
    let failure = failed(Class::InDoubt, 200, answer);
    assert_eq!(session.send(&push("d")), Err(failure));
}

#[test]
fn without_a_token_no_message_is_handed_over_and_none_is_lost() {
    let gateway = gateway();
    let provider = provider(&url_of(&gateway, "fcm"));
    let bad = json!({ "error": "invalid_grant", "error_description": "Invalid JWT Signature." });
    let bad = bad.to_string();
    let useless = "No access token in the answer of the token endpoint.";
    #[rustfmt::skip] // A table: one answer a line.
    let table = [
        (400, bad.as_str(), Class::Configuration, "No access token: invalid_grant: Invalid JWT Signature."),
        (401, r#"{"error":"invalid_client"}"#, Class::Configuration, "No access token: invalid_client"),
        (404, "Not here", Class::Configuration, "Not here"),
        (429, "Slowly", Class::Provider, "Slowly"),
        (500, "<html>", Class::Provider, "<html>"),
        (503, "", Class::Provider, "HTTP status 503 without an explanation."),
        (200, "", Class::Configuration, useless),
        (200, r#"{"access_token":"","expires_in":3599}"#, Class::Configuration, useless),
        (200, r#"{"access_token":"a\r\nb","expires_in":3599}"#, Class::Configuration, useless),
    ];
    for (status, body, class, answer) in table {
        next_token(&gateway, Fault::http(status, &[], body));
        let failure = failed(class, status, answer);
        assert_eq!(
            provider.session().send(&push("d")),
            Err(failure),
            "{status} {body}"
        );
    }
    // Whoever repeats what we sent is not quoted.
    next_token(&gateway, Fault::Reset);
    let failure = provider.session().send(&push("d")).unwrap_err();
    assert_eq!((failure.class, failure.code), (Class::Provider, None));
    assert_eq!(gateway.messages(), []);
    assert_eq!(lines(&gateway), [TOKEN; 10]);
}

#[test]
fn a_check_proves_key_and_project_and_sends_nothing() {
    let gateway = gateway();
    let url = url_of(&gateway, "fcm");
    let known = format!("The key is known, and may send for {PROJECT}.");
    assert_eq!(provider(&url).check(), Ok(known));
    let asked = gateway.asked().pop().unwrap();
    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(body["validate_only"], true);
    next_token(
        &gateway,
        Fault::http(401, &[], r#"{"error":"invalid_client"}"#),
    );
    let failure = failed(Class::Configuration, 401, "No access token: invalid_client");
    assert_eq!(provider(&url).check(), Err(failure));
    next_send(&gateway, Fault::http(200, &[], "Hello"));
    let failure = failed(Class::Configuration, 200, "The answer is not FCM's: Hello");
    assert_eq!(provider(&url).check(), Err(failure));
    assert_eq!(lines(&gateway), [TOKEN, SEND, TOKEN, TOKEN, SEND]);
    assert_eq!(gateway.messages(), []);
}

/// Where a URL says its key file is.
fn key_file(url: &str) -> String {
    let ProviderUrl::Fcm(config) = ProviderUrl::parse(Channel::Push, url).unwrap() else {
        panic!("{url} is not FCM");
    };
    std::fs::read_to_string(config.file).unwrap()
}

/// What is wrong with a provider, in words.
fn refusal(url: &str) -> String {
    let means = Means {
        timeouts: timeouts(),
        clock: Arc::new(Clock::System),
        hooks: None,
        capture: &|_| panic!("nothing is captured here"),
    };
    match build(Channel::Push, url, &means) {
        Ok(provider) => format!("{} is fine", provider.name()),
        Err(why) => why.details(),
    }
}

#[test]
fn a_key_file_is_looked_at_before_anything_is_sent() {
    let gateway = gateway();
    let good = key_file(&url_of(&gateway, "fcm"));
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let said = |path: &Path| refusal(&format!("fcm+http://127.0.0.1:1{}", path.display()));
    let with = |change: &dyn Fn(&mut Value)| {
        let mut file: Value = serde_json::from_str(&good).unwrap();
        change(&mut file);
        std::fs::write(at("key.json"), file.to_string()).unwrap();
        said(&at("key.json"))
    };
    let fine = format!("fcm+http://127.0.0.1:1{} is fine", at("key.json").display());
    assert_eq!(with(&|_| ()), fine);
    let not_one = "The key file that fcm:// names is not that of a service account: it needs project_id, client_email, \
                   token_uri, private_key_id and private_key.";
    assert_eq!(with(&|file| *file = json!(7)), not_one);
    assert_eq!(with(&|file| file["private_key"] = json!(7)), not_one);
    let no_project = "The key file that fcm:// names has a project_id that is none.";
    for project in ["", "../x", "a b"] {
        assert_eq!(
            with(&|file| file["project_id"] = project.into()),
            no_project
        );
    }
    let no_key = "The key file that fcm:// names has a private_key that is no RSA key.";
    assert_eq!(with(&|file| file["private_key"] = "secret".into()), no_key);
    // Only who says so does without TLS.
    let path = at("key.json");
    with(&|_| ());
    let no_tls =
        "The key file that fcm:// names has a token_uri that does not begin with https://.";
    assert_eq!(refusal(&format!("fcm://{}", path.display())), no_tls);
    with(&|file| file["token_uri"] = "https://oauth2.googleapis.com/token".into());
    let fine = format!("fcm://{} is fine", path.display());
    assert_eq!(refusal(&format!("fcm://{}", path.display())), fine);
    // Of what is not there, no file, or too long.
    let missing = said(&at("nowhere"));
    assert!(
        missing.starts_with("The key file that fcm:// names cannot be read: "),
        "{missing}"
    );
    assert_eq!(
        said(directory.path()),
        "The key file that fcm:// names is no file."
    );
    let limit = usize::try_from(KEY_FILE_BYTES_MAX).unwrap();
    let padded = |length: usize| good.clone() + &" ".repeat(length - good.len());
    std::fs::write(at("long.json"), padded(limit)).unwrap();
    assert!(said(&at("long.json")).ends_with(" is fine"));
    std::fs::write(at("long.json"), padded(limit + 1)).unwrap();
    let too_long = "The key file that fcm:// names has more than 65536 bytes.";
    assert_eq!(said(&at("long.json")), too_long);
}
