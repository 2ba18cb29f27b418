//! What a provider reports of a message it took, and what that changes. (delivery.md, "States"; gateways.md, 3.1)

#![allow(clippy::unwrap_used)] // A test that cannot go on says so by panicking.

mod vonage;

use crate::support::app::{NOW, Reply, TestApp};
use crate::support::outside::{gateway, sms_url};
use herald::channel::twilio::signature;
use herald::domain::format::Channel;
use herald::simulate::fault::{Fault, Place, Twist};
use herald::simulate::gateway::Gateway;
use herald::simulate::orders::{Order, Times};
use herald::simulate::twilio::TOKEN;
use serde_json::{Value, json};
use std::time::Duration;

/// The appliance's public address, where a proxy would stand.
const PUBLIC: &str = "https://app.example/herald";
const ENTRY: &str = "/api/admin/v1/messages/logs/entries/1";

/// An appliance that sends through a gateway, whose reports the test brings itself.
struct Site {
    gateway: Gateway,
    app: TestApp,
}

impl Site {
    fn new(base_url: &str) -> Self {
        let gateway = gateway();
        let lost = Order {
            place: Place::Report(None),
            times: Times::Always,
            fault: Fault::Report(Twist::Lost),
        };
        gateway.orders().add(vec![lost]).unwrap();
        let app = TestApp::start_with(|mut config| {
            config.base_url = base_url.to_owned();
            config.with_providers(Channel::Sms, vec![sms_url(&gateway)])
        });
        app.post(
            "/api/admin/v1/users",
            r#"{"UserName":"anna","Mobile":"+4712345678"}"#,
        );
        Self { gateway, app }
    }

    /// With this fault in force, or none.
    fn faulty(fault: &str) -> Self {
        let site = Self::new(PUBLIC);
        let fault = fault.parse().unwrap();
        site.gateway.orders().add(vec![fault]).unwrap();
        site
    }

    /// Sends one message.
    fn send(&self) {
        let order = r#"{"UserId":1,"MessageType":1,"Formats":[2]}"#;
        let sent = self.app.post("/api/admin/v1/messages/send", order);
        assert_eq!(sent.status, 200, "{}", sent.body);
    }

    fn sent() -> Self {
        let site = Self::new(PUBLIC);
        site.send();
        site.app.settled();
        site
    }

    /// The address for reports on the newest message.
    fn hook(&self) -> String {
        let asked = self.gateway.asked().pop().unwrap();
        asked.field("StatusCallback").unwrap()
    }

    fn sid(&self) -> String {
        self.gateway.messages().pop().unwrap().id
    }

    /// Calls the path of an address with these fields, signed for `url`.
    fn call(&self, hook: &str, url: &str, fields: &[(&str, String)]) -> Reply {
        let path = hook.strip_prefix(PUBLIC).unwrap();
        let proof = signature(TOKEN, url, fields).unwrap();
        let headers = [
            ("authorization", ""),
            ("content-type", "application/x-www-form-urlencoded"),
            ("x-twilio-signature", proof.as_str()),
        ];
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        self.app
            .call("POST", path, &headers, form.finish().as_bytes())
    }

    /// Reports on the newest message, as `undelivered 30003`.
    fn report(&self, words: &str) -> Reply {
        let (hook, fields) = (self.hook(), self.fields(words));
        self.call(&hook, &hook, &fields)
    }

    fn fields(&self, words: &str) -> Vec<(&'static str, String)> {
        let (status, code) = words.split_once(' ').unwrap_or((words, ""));
        let mut fields = vec![
            ("MessageSid", self.sid()),
            ("MessageStatus", status.into()),
            ("SomethingNew", "æ+ &".into()),
        ];
        if !code.is_empty() {
            fields.push(("ErrorCode", code.into()));
        }
        fields
    }

    fn entry(&self) -> Value {
        self.app.get(ENTRY).json()["Data"].take()
    }

    /// Status, error, result, and what the last attempt's provider reported.
    fn state(&self) -> Value {
        let entry = self.entry();
        let last = entry["History"].as_array().unwrap().last().unwrap();
        json!([
            entry["Status"],
            entry["Error"],
            entry["SendingAttemptResult"],
            last["Report"],
            last["Reported"]
        ])
    }
}

#[track_caller]
fn taken(reply: &Reply) {
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
}

#[test]
fn only_with_a_public_address_is_a_provider_asked_to_report() {
    assert!(
        Site::sent()
            .hook()
            .starts_with(&format!("{PUBLIC}/hooks/twilio/"))
    );
    let site = Site::new("");
    site.send();
    site.app.settled();
    assert_eq!(site.gateway.asked()[0].field("StatusCallback"), None);
}

#[test]
fn each_message_has_an_address_of_its_own() {
    let site = Site::sent();
    let first = site.hook();
    site.send();
    site.app.settled();
    assert_ne!(site.hook(), first);
}

#[test]
#[rustfmt::skip] // A table: one case a line.
fn a_final_report_stands_whatever_comes_after_it() {
    let at = NOW;
    let later = "2026-11-22T12:00:01Z";
    for (reports, state) in [
        (&["queued"][..], json!(["sent", null, true, "queued", at])),
        (&["sent"], json!(["sent", null, true, "sent", at])),
        (&["sent", "sent"], json!(["sent", null, true, "sent", at])),
        (&["sent", "delivered"], json!(["delivered", null, true, "delivered", later])),
        (&["delivered"], json!(["delivered", null, true, "delivered", at])),
        (&["delivered", "delivered", "delivered"], json!(["delivered", null, true, "delivered", at])),
        (&["delivered", "sent"], json!(["delivered", null, true, "delivered", at])),
        (&["delivered", "undelivered 30003"], json!(["delivered", null, true, "delivered", at])),
        (&["delivered", "read"], json!(["delivered", null, true, "delivered", at])),
        (&["undelivered 30003"], json!(["undelivered", "undelivered 30003", true, "undelivered 30003", at])),
        (&["undelivered 30003", "delivered"], json!(["undelivered", "undelivered 30003", true, "undelivered 30003", at])),
        (&["undelivered 30003", "sent"], json!(["undelivered", "undelivered 30003", true, "undelivered 30003", at])),
        (&["sent", "failed 30008"], json!(["undelivered", "failed 30008", true, "failed 30008", later])),
        (&["canceled"], json!(["undelivered", "canceled", true, "canceled", at])),
        (&["read"], json!(["delivered", null, true, "read", at])),
        (&["something_new"], json!(["sent", null, true, "something_new", at])),
    ] {
        let site = Site::sent();
        for report in reports {
            taken(&site.report(report));
            site.app.advance(Duration::from_secs(1));
        }
        assert_eq!(site.state(), state, "{reports:?}");
    }
}

#[test]
fn who_has_not_signed_or_knows_no_address_changes_nothing() {
    let site = Site::sent();
    let (hook, fields) = (site.hook(), site.fields("delivered"));
    let unsigned = r#"{"Result":"ERR","Message":"err_Forbidden","Details":"No provider that is in use has signed this; behind a proxy, --base-url must be the public address."}"#;
    let unknown = r#"{"Result":"ERR","Message":"err_NotFound","Details":"No message has this address for reports."}"#;
    for url in [
        "https://app.example/",
        &format!("{hook}?a=1"),
        "",
        "https://other.example:443/herald",
    ] {
        site.call(&hook, url, &fields).expect(403, unsigned);
    }
    let path = hook.strip_prefix(PUBLIC).unwrap();
    for proof in ["", "AAAA", "not base64"] {
        let headers = [("authorization", ""), ("x-twilio-signature", proof)];
        site.app
            .call("POST", path, &headers, b"MessageStatus=delivered")
            .expect(403, unsigned);
    }
    // Another body than the signed one.
    let proof = signature(TOKEN, &hook, &fields).unwrap();
    let headers = [
        ("authorization", ""),
        ("x-twilio-signature", proof.as_str()),
    ];
    site.app
        .call("POST", path, &headers, b"MessageStatus=delivered")
        .expect(403, unsigned);

    let other = Site::sent().hook();
    let (service, token) = hook.rsplit_once('/').unwrap();
    // A character of the GUID, and one of the proof.
    let turned = |at: usize| {
        let other = if &token[at..=at] == "A" { "B" } else { "A" };
        format!("{service}/{}{other}{}", &token[..at], &token[at + 1..])
    };
    for address in [
        other,
        turned(0),
        turned(30),
        hook[..hook.len() - 1].to_owned(),
        format!("{hook}A"),
        format!("{PUBLIC}/hooks/twilio/A"),
        format!("{PUBLIC}/hooks/twilio/{}", uuid::Uuid::new_v4()),
    ] {
        site.call(&address, &address, &fields).expect(404, unknown);
    }
    let mut foreign = fields.clone();
    foreign[0].1 = "SM0123".into();
    site.call(&hook, &hook, &foreign).expect(
        404,
        r#"{"Result":"ERR","Message":"err_NotFound","Details":"No attempt of this message was answered with this id."}"#,
    );
    assert_eq!(site.app.get(path).status, 405);
    assert_eq!(site.state(), json!(["sent", null, true, null, null]));
    taken(&site.report("delivered"));
}

/// Twilio signs with the port or without it, and its own libraries take both.
#[test]
fn the_port_of_the_public_address_may_be_signed_or_not() {
    let site = Site::sent();
    let (hook, fields) = (site.hook(), site.fields("delivered"));
    let with_port = hook.replace("app.example", "app.example:443");
    taken(&site.call(&hook, &with_port, &fields));
    assert_eq!(site.state()[0], "delivered");
}

#[test]
fn the_signature_is_the_one_that_twilio_publishes() {
    let fields = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ];
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    for turn in 0..fields.len() {
        let mut fields = fields.map(|(name, value)| (name, value.to_owned()));
        fields.rotate_left(turn);
        let signed = signature("12345", url, &fields).unwrap();
        assert_eq!(signed, "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    }
    // A value that comes twice counts once, and a name that begins another comes before it.
    let repeated = [
        ("SidAccount", "AC123"),
        ("Sid", "CA123"),
        ("Digits", "5678"),
        ("Digits", "1234"),
        ("Digits", "1234"),
    ];
    let signed = signature(
        "12345",
        url,
        &repeated.map(|(name, value)| (name, value.to_owned())),
    );
    assert_eq!(signed.unwrap(), "IK+Dwps556ElfBT0I3Rgjkr1wJU=");
}

#[test]
fn a_report_may_come_before_the_answer_to_the_message() {
    let site = Site::faulty("http.kept = hold");
    site.send();
    site.app
        .until("the gateway has it", || site.gateway.messages().len() == 1);
    taken(&site.report("delivered"));
    let state = site.state();
    assert_eq!(state, json!(["sending", null, null, "delivered", NOW]));
    site.gateway.orders().lift();
    site.app.settled();
    assert_eq!(
        site.state(),
        json!(["delivered", null, true, "delivered", NOW])
    );
}

#[test]
fn a_test_of_a_template_that_is_delivered_at_once_was_delivered() {
    let site = Site::faulty("http.kept = hold");
    std::thread::scope(|scope| {
        let test = || {
            let to = r#"{"Recipient":"+4798765432"}"#;
            site.app.post("/api/admin/v1/messages/templates/5/test", to)
        };
        let tested = scope.spawn(test);
        site.app
            .until("the gateway has it", || site.gateway.messages().len() == 1);
        taken(&site.report("delivered"));
        site.gateway.orders().lift();
        let reply = tested.join().unwrap();
        reply.expect(200, r#"{"Result":"OK","Data":true}"#);
    });
}

/// "in doubt: … for a person to decide", unless the provider says itself what became of it.
#[test]
#[rustfmt::skip] // A table: one case a line.
fn a_report_ends_the_doubt_about_a_message() {
    for (report, state) in [
        ("sent", json!(["sent", null, true, "sent", NOW])),
        ("delivered", json!(["delivered", null, true, "delivered", NOW])),
        ("undelivered 30003", json!(["undelivered", "undelivered 30003", true, "undelivered 30003", NOW])),
    ] {
        let site = Site::faulty("http.kept = reset");
        site.send();
        site.app.settled();
        let (entry, class) = (site.entry(), json!("in_doubt"));
        assert_eq!((&entry["Status"], &entry["History"][0]["Class"]), (&json!("failed"), &class));
        taken(&site.report(report));
        assert_eq!(site.state(), state);
    }
}

#[test]
fn a_message_that_failed_without_a_doubt_is_no_provider_s_to_change() {
    let site = Site::faulty("http.kept = 400");
    site.send();
    site.app.settled();
    assert_eq!(site.report("delivered").status, 404);
    assert_eq!(site.state()[0], "failed");
}

#[test]
fn what_did_not_arrive_may_be_sent_again_by_a_person_and_then_reports_anew() {
    let site = Site::sent();
    let retry = || site.app.post(&format!("{ENTRY}/retry"), "");
    let refused = |status: &str| {
        format!(
            r#"{{"Result":"ERR","Message":"err_Conflict","Details":"The message is {status}; only one that failed, expired, was cancelled or did not arrive can be sent again."}}"#
        )
    };
    retry().expect(409, &refused("sent"));
    let (first, undelivered) = (site.hook(), site.fields("undelivered 30003"));
    taken(&site.report("undelivered 30003"));
    retry().expect(200, r#"{"Result":"OK"}"#);
    site.app.settled();
    assert_eq!(site.hook(), first, "the address is the message's");
    assert_eq!(site.state(), json!(["sent", null, true, null, null]));
    // What comes late of the first attempt is the first attempt's.
    taken(&site.call(&first, &first, &undelivered));
    assert_eq!(site.state()[0], "sent");
    taken(&site.report("delivered"));
    assert_eq!(
        site.state(),
        json!(["delivered", null, true, "delivered", NOW])
    );
    let history = site.entry()["History"].clone();
    let reports = [&history[0]["Report"], &history[1]["Report"]];
    assert_eq!(reports, ["undelivered 30003", "delivered"]);
    retry().expect(409, &refused("delivered"));
}
