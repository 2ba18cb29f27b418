//! The overview: what waits, what became of the rest by the hour, how the providers are, and what needs a person.

use crate::support::app::TestApp;
use crate::support::outside::{SmtpFaults as _, mail_server};
use herald::domain::cause::Cause;
use herald::domain::format::{Channel, Format};
use herald::domain::ids::TypeId;
use herald::domain::message::{NewMessage, Status};
use herald::simulate::fault::{Fault, Stage};
use herald::simulate::smtp::{MailServer, Options};
use herald::store;
use herald::store::causes::RECENT_COUNT_MAX;
use herald::store::queue::BACKLOG_MAX;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

const OVERVIEW: &str = "/api/admin/v1/overview";
const LOGS: &str = "/api/admin/v1/messages/logs";
const HOUR: Duration = Duration::from_secs(3600);

/// The answer; what the machine alone knows of its disk is looked at and left out.
fn overview(app: &TestApp) -> Value {
    let reply = app.get(OVERVIEW);
    assert_eq!(reply.status, 200, "{}", reply.body);
    let mut data = reply.json()["Data"].take();
    let store = data["Store"].as_object_mut().unwrap();
    for of_the_machine in ["DatabaseBytes", "DiskFreeBytes"] {
        assert!(store.remove(of_the_machine).unwrap().as_u64().unwrap() > 4096);
    }
    let sound = json!({"IsBroken": false, "IsFull": false, "IsDiskLow": false, "Detail": null});
    assert_eq!(
        data.as_object_mut().unwrap().remove("Store").unwrap(),
        sound
    );
    data
}

/// A channel in which nothing has happened; `last` is the running hour.
fn quiet(channel: &str, last: &str) -> Value {
    let last: jiff::Timestamp = last.parse().unwrap();
    let hours: Vec<_> = (0..24)
        .map(|back| {
            let hour = last - jiff::SignedDuration::from_hours(23 - back);
            json!({"Hour": hour.to_string(), "Sent": 0, "Failed": 0, "Expired": 0})
        })
        .collect();
    json!({
        "Channel": channel, "Captured": true, "Waiting": 0, "WaitingCapped": false, "Scheduled": 0, "Sending": 0,
        "OldestDue": null, "Sent": 0, "Failed": 0, "Expired": 0, "Hours": hours,
    })
}

fn captures(channel: &str) -> Value {
    json!({
        "ID": null, "Channel": channel, "Position": 1, "Url": "capture:", "IsLocked": false, "Captures": true,
        "State": "closed", "Since": null, "NextTry": null, "LastError": null,
    })
}

/// An appliance whose mail goes to this server, and its user 1 with both addresses.
fn over(server: &MailServer) -> TestApp {
    let url = format!("smtp://localhost:{}?tls=none&connections=1", server.port());
    let app = TestApp::start_with(|mut config| {
        // Without a backoff of the message's own, the breaker alone says when.
        config.limits.policy.email_base = Duration::ZERO;
        config.with_providers(Channel::Email, vec![url])
    });
    user(&app);
    app
}

fn user(app: &TestApp) {
    let body = r#"{"UserName":"anna","Email":"anna@example.com","Mobile":"+4790000001"}"#;
    assert_eq!(app.post("/api/admin/v1/users", body).status, 200);
}

fn send(app: &TestApp, format: u8) {
    let body = format!(
        r#"{{"UserId":1,"MessageType":0,"Placeholders":{{"text":"Hello"}},"Formats":[{format}]}}"#
    );
    let reply = app.post("/api/admin/v1/messages/send", &body);
    assert_eq!(reply.status, 200, "{}", reply.body);
}

fn provider(server: &MailServer) -> Value {
    let url = format!("smtp://localhost:{}?tls=none&connections=1", server.port());
    json!({
        "ID": null, "Channel": "email", "Position": 1, "Url": url, "IsLocked": true, "Captures": false,
        "State": "closed", "Since": null, "NextTry": null, "LastError": null,
    })
}

#[test]
fn a_new_appliance_has_a_quiet_day_behind_it() {
    let app = TestApp::start();
    let at = "2026-11-22T12:00:00Z";
    let channels = ["email", "sms", "push"];
    let (quiet, captures) = (
        channels.map(|channel| quiet(channel, at)),
        channels.map(captures),
    );
    let expected = json!({
        "Paused": null, "Channels": quiet, "Providers": captures, "Causes": [],
        "CausesSince": "2026-11-15T12:00:00Z",
    });
    assert_eq!(overview(&app), expected);
}

#[test]
fn each_end_is_counted_in_its_hour_for_a_day_and_what_waits_while_it_waits() {
    let server = mail_server(Options::default());
    let app = over(&server);
    server.fault(Stage::Rcpt, Fault::reply("550 5.1.1 Nobody"));
    send(&app, 0);
    app.settled();
    send(&app, 2);
    app.settled();
    app.advance(HOUR);
    send(&app, 0);
    app.settled();
    app.post(
        "/api/admin/v1/outbox/pause",
        r#"{"Reason":"Moving house."}"#,
    );
    send(&app, 2);
    let mut email = quiet("email", "2026-11-22T13:00:00Z");
    (email["Captured"], email["Sent"], email["Failed"]) = (false.into(), 1.into(), 1.into());
    (email["Hours"][22]["Failed"], email["Hours"][23]["Sent"]) = (1.into(), 1.into());
    let mut sms = quiet("sms", "2026-11-22T13:00:00Z");
    (sms["Waiting"], sms["OldestDue"]) = (1.into(), "2026-11-22T13:00:00Z".into());
    (sms["Sent"], sms["Hours"][22]["Sent"]) = (1.into(), 1.into());
    let cause = json!({
        "Cause": "permanent 550", "Status": "failed", "MessageFormat": 0, "Count": 1, "Oldest": "2026-11-22T12:00:00Z",
        "Newest": "2026-11-22T12:00:00Z", "Example": "550 5.1.1 Nobody", "Retryable": 1, "CountCapped": false,
    });
    let mut expected = json!({
        "Paused": {"Since": "2026-11-22T13:00:00Z", "By": "tests", "Reason": "Moving house."},
        "Channels": [email, sms, quiet("push", "2026-11-22T13:00:00Z")],
        "Providers": [provider(&server), captures("sms"), captures("push")],
        "Causes": [cause], "CausesSince": "2026-11-15T13:00:00Z",
    });
    assert_eq!(overview(&app), expected);

    // Four days on nothing of it is within the last day, but for the life of what waited.
    app.advance(96 * HOUR);
    app.settled();
    let at = "2026-11-26T13:00:00Z";
    let mut sms = quiet("sms", at);
    (sms["Expired"], sms["Hours"][23]["Expired"]) = (1.into(), 1.into());
    let mut email = quiet("email", at);
    email["Captured"] = false.into();
    expected["Channels"] = json!([email, sms, quiet("push", at)]);
    let expired = json!({
        "Cause": "expired", "Status": "expired", "MessageFormat": 2, "Count": 1, "Oldest": "2026-11-22T13:00:00Z",
        "Newest": "2026-11-22T13:00:00Z", "Example": "Its life ended before a provider accepted it.",
        "Retryable": 1, "CountCapped": false,
    });
    let failed = expected["Causes"][0].take();
    expected["Causes"] = json!([expired, failed]);
    expected["CausesSince"] = "2026-11-19T13:00:00Z".into();
    assert_eq!(overview(&app), expected);
    // What was sent again needs nobody any more; what is older than a week neither.
    app.advance(72 * HOUR);
    assert_eq!(overview(&app)["Causes"], json!([expected["Causes"][0]]));
    let resumed = app.post("/api/admin/v1/outbox/resume", "");
    assert_eq!(resumed.status, 200);
    let again = app.post(&format!("{LOGS}/retry?Cause=expired"), "");
    assert_eq!(again.json()["Data"]["Changed"], 1);
    app.settled();
    let seen = overview(&app);
    assert_eq!(
        (&seen["Causes"], &seen["Paused"]),
        (&json!([]), &Value::Null)
    );
    assert_eq!(seen["Channels"][1]["Hours"][23]["Sent"], 1);
}

#[test]
fn what_has_no_address_is_counted_where_it_ends_at_once() {
    let app = TestApp::start();
    app.post(
        "/api/admin/v1/users",
        r#"{"UserName":"bo","Email":"bo@example.com"}"#,
    );
    let both = r#"{"UserId":1,"MessageType":0,"Placeholders":{"text":"Hello"},"Formats":[0,2]}"#;
    assert_eq!(app.post("/api/admin/v1/messages/send", both).status, 200);
    app.settled();
    let seen = overview(&app);
    assert_eq!(seen["Channels"][1]["Failed"], 1);
    assert_eq!(seen["Channels"][1]["Hours"][23]["Failed"], 1);
    assert_eq!(seen["Causes"][0]["Cause"], "no_address");
}

#[test]
fn a_provider_that_is_gone_and_one_that_refuses_us_are_told_apart() {
    let server = mail_server(Options::default());
    let app = over(&server).may_end_waiting();
    server.fault(Stage::Greeting, Fault::reply("554 5.7.1 Who are you?"));
    send(&app, 0);
    let mut expected = provider(&server);
    let error = |date: &str, class: &str, code: u16, text: &str| json!({"Date": date, "Class": class, "Code": code, "Text": text});
    let at = "2026-11-22T12:00:00Z";
    (expected["State"], expected["Since"]) = ("open".into(), at.into());
    expected["NextTry"] = "2026-11-22T12:01:00Z".into();
    expected["LastError"] = error(at, "configuration", 554, "554 5.7.1 Who are you?");
    let seen = || overview(&app)["Providers"][0].take();
    app.until("the breaker is open", || seen()["State"] == "open");
    assert_eq!(seen(), expected);

    // The probe fails for another reason, which is the same trouble going on.
    server.fault(Stage::Greeting, Fault::reply("421 4.3.2 Down"));
    app.advance(Duration::from_secs(60));
    app.until("the probe has failed", || {
        seen()["LastError"]["Code"] == 421
    });
    let later = "2026-11-22T12:01:00Z";
    expected["NextTry"] = "2026-11-22T12:01:30Z".into();
    expected["LastError"] = error(later, "provider", 421, "421 4.3.2 Down");
    assert_eq!(seen(), expected);

    app.advance(Duration::from_secs(30));
    app.settled();
    // What an operator reads is how it was: the trouble stays to be read.
    app.until("it is being found out", || seen()["State"] == "half-open");
    (expected["State"], expected["NextTry"]) = ("half-open".into(), Value::Null);
    assert_eq!(seen(), expected);
    for _ in 0..5 {
        send(&app, 0);
        app.settled();
    }
    (expected["State"], expected["Since"]) = ("closed".into(), "2026-11-22T12:01:30Z".into());
    assert_eq!(seen(), expected);
    // A message that is refused for its own sake says nothing about the provider.
    server.fault(
        Stage::Rcpt,
        Fault::reply("550 5.1.1 <anna@example.com> is not here"),
    );
    send(&app, 0);
    app.settled();
    assert_eq!(seen(), expected);
}

#[test]
fn a_trouble_is_told_in_at_most_500_characters() {
    let server = mail_server(Options::default());
    let app = over(&server).may_end_waiting();
    let words = "é".repeat(300);
    server.fault(
        Stage::Greeting,
        Fault::reply(&format!("554-{words}\r\n554 {words}")),
    );
    send(&app, 0);
    let text = || overview(&app)["Providers"][0]["LastError"]["Text"].take();
    app.until("it is told", || !text().is_null());
    assert_eq!(text().as_str().unwrap().chars().count(), 500);
}

/// So many more messages in this state, without a word to anybody.
fn fill(app: &TestApp, status: Status, how_many: u64) {
    let now = app.server().app.clock.now();
    let message = move || NewMessage {
        guid: Uuid::new_v4(),
        user_id: None,
        type_id: TypeId(0),
        template_id: None,
        format: Format::Sms,
        status,
        is_system: false,
        is_released: false,
        recipient: "+4790000001".into(),
        recipient_name: None,
        sender: None,
        subject: None,
        body: Some("Hello".into()),
        html_body: None,
        is_sensitive: false,
        created: now,
        created_by: "tests".into(),
        due: now,
        expires: now.checked_add(HOUR).unwrap(),
        by_the_minute: false,
        error: None,
        cause: (status == Status::Failed).then_some(Cause::NO_ADDRESS),
        trace: Vec::new(),
    };
    let fill = move |tx: &store::Tx<'_>| {
        (0..how_many).try_for_each(|_| store::messages::insert(tx, &message()).map(drop))
    };
    app.server().app.store.write(fill).unwrap();
}

#[test]
fn what_waits_and_what_failed_alike_is_counted_up_to_a_limit() {
    let app = TestApp::start().may_end_waiting();
    app.post("/api/admin/v1/outbox/pause", "{}");
    fill(&app, Status::Queued, BACKLOG_MAX);
    fill(&app, Status::Failed, RECENT_COUNT_MAX);
    let counts = || {
        let seen = overview(&app);
        let (sms, cause) = (&seen["Channels"][1], &seen["Causes"][0]);
        let waiting = (sms["Waiting"].clone(), sms["WaitingCapped"].clone());
        let failed = (cause["Count"].clone(), cause["CountCapped"].clone());
        (
            waiting,
            failed,
            cause["Retryable"].clone(),
            sms["Failed"].clone(),
        )
    };
    let all = |is_capped: bool, failed: u64| {
        let waiting = (BACKLOG_MAX.into(), is_capped.into());
        let counted = (RECENT_COUNT_MAX.into(), is_capped.into());
        (waiting, counted, RECENT_COUNT_MAX.into(), failed.into())
    };
    assert_eq!(counts(), all(false, RECENT_COUNT_MAX));
    fill(&app, Status::Queued, 1);
    fill(&app, Status::Failed, 1);
    assert_eq!(counts(), all(true, RECENT_COUNT_MAX + 1));
}
