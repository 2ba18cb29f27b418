//! What ended alike has one cause, and what has one cause is acted on together.

use super::{Bench, USER, after, claim, entry, insert, now, put, sms};
use crate::support::app::TestApp;
use crate::support::outside::{SmtpFaults as _, mail_server};
use herald::domain::format::Channel;
use herald::domain::message::{NewMessage, Status};
use herald::simulate::fault::{Fault, Stage};
use herald::simulate::smtp::Options;
use herald::store::claims::Takes;
use herald::store::outbox::{AttemptResult, Verdict, end_attempt, settle};
use herald::store::waiting::{end_released, release_all};
use herald::store::{messages, users};
use serde_json::json;
use std::time::Duration;

/// A mail to an address that is nobody's, as a test of a template is.
fn mail() -> NewMessage {
    NewMessage {
        user_id: None,
        ..super::mail()
    }
}

const LOGS: &str = "/api/admin/v1/messages/logs";

#[test]
fn the_cause_is_made_of_class_and_code_and_goes_when_the_message_goes_on() {
    let bench = Bench::new();
    #[rustfmt::skip] // A table: one end a line.
    let ends = [
        (Some("permanent"), Some(550), Verdict::Over(Status::Failed, "<bo@example.net> unknown".into()), Some("permanent 550")),
        (Some("permanent"), None, Verdict::Over(Status::Failed, "It cannot be written.".into()), Some("permanent")),
        (Some("in_doubt"), Some(502), Verdict::Over(Status::Failed, "in_doubt: who knows.".into()), Some("in_doubt")),
        (Some("temporary"), Some(451), Verdict::Over(Status::Failed, "Gave up.".into()), Some("gave_up temporary 451")),
        (Some("provider"), None, Verdict::Over(Status::Failed, "Gave up.".into()), Some("gave_up provider")),
        (Some("temporary"), Some(451), Verdict::Over(Status::Expired, "Too late.".into()), Some("expired")),
        (Some("temporary"), Some(451), Verdict::Retry(after(60)), None),
        (None, Some(250), Verdict::Sent, None),
    ];
    for (class, code, verdict, cause) in ends {
        let id = insert(&bench.app, mail());
        let result = AttemptResult {
            duration_ms: 1,
            accepted: class.is_none(),
            class,
            code,
            answer: "Said so.".into(),
            provider_id: None,
        };
        let what = format!("{verdict:?}");
        let attempt = move |tx: &herald::store::Tx<'_>| {
            claim(tx, Channel::Email, Takes::All, 1, "test:", "", now())?;
            end_attempt(tx, id, 1, &result)?;
            settle(tx, id, &verdict, Some("Said so."), true)
        };
        bench.app.store.write(attempt).unwrap();
        assert_eq!(entry(&bench.app, id).line.cause.as_deref(), cause, "{what}");
        if cause.is_some() {
            let retry = move |tx: &herald::store::Tx<'_>| messages::retry(tx, id, after(9));
            bench.app.store.write(retry).unwrap();
            assert_eq!(entry(&bench.app, id).line.cause, None, "{what}");
            let cancel = move |tx: &herald::store::Tx<'_>| messages::cancel(tx, id, "Enough.");
            bench.app.store.write(cancel).unwrap();
            assert_eq!(entry(&bench.app, id).line.cause, None, "{what}");
        }
    }
}

#[test]
fn ends_without_an_answer_have_their_causes_too() {
    let bench = Bench::new();
    let crashes = insert(&bench.app, sms());
    for _ in 0..3 {
        let claims =
            |tx: &herald::store::Tx<'_>| claim(tx, Channel::Sms, Takes::All, 1, "test:", "", now());
        bench.app.store.write(claims).unwrap();
        bench.app.store.write(release_all).unwrap();
    }
    let released = NewMessage {
        is_released: true,
        ..mail()
    };
    let released = insert(&bench.app, released);
    let ends = |tx: &herald::store::Tx<'_>| end_released(tx, Channel::Email);
    bench.app.store.write(ends).unwrap();
    let causes = [crashes, released].map(|id| entry(&bench.app, id).line.cause.unwrap());
    assert_eq!(causes, ["crashed", "no_provider"]);
}

#[test]
fn twenty_three_that_failed_alike_are_one_line_and_go_out_again_with_one_call() {
    let smtp = mail_server(Options::default());
    let url = format!("smtp://localhost:{}?tls=none&connections=1", smtp.port());
    let app = TestApp::start_with(|config| config.with_providers(Channel::Email, vec![url]));
    for number in 0..24 {
        // Each in words of its own, and one with a code of its own.
        let code = if number == 7 { 553 } else { 550 };
        let words = format!("{code} 5.1.1 <user{number}@example.net> is not here");
        smtp.fault(Stage::Rcpt, Fault::reply(&words));
    }
    for _ in 0..24 {
        put(&app.server().app, mail());
    }
    app.settled();
    let causes = app.get(&format!("{LOGS}/causes")).json()["Data"].take();
    let line = |cause: &str, count: u64, example: &str| {
        json!({
            "Cause": cause, "Status": "failed", "MessageFormat": 1, "Count": count, "Oldest": "2026-11-22T12:00:00Z",
            "Newest": "2026-11-22T12:00:00Z", "Example": example, "Retryable": count,
        })
    };
    let said = |number, code| format!("{code} 5.1.1 <user{number}@example.net> is not here");
    let newest = said(23, 550);
    assert_eq!(
        causes,
        json!([
            line("permanent 550", 23, &newest),
            line("permanent 553", 1, &said(7, 553))
        ])
    );
    app.advance(Duration::from_secs(60));
    app.post(&format!("{LOGS}/retry?Cause=permanent%20550"), "")
        .expect(
            200,
            r#"{"Result":"OK","Data":{"Changed":23,"Left":0,"LeftCapped":false,"Before":"2026-11-22T12:01:00.000Z"}}"#,
        );
    app.settled();
    assert_eq!(smtp.received().len(), 23);
    let causes = app.get(&format!("{LOGS}/causes")).json()["Data"].take();
    assert_eq!(causes, json!([line("permanent 553", 1, &said(7, 553))]));
}

#[test]
fn who_calls_until_nothing_is_left_does_not_send_again_what_fails_again() {
    let smtp = mail_server(Options::default());
    let url = format!("smtp://localhost:{}?tls=none&connections=1", smtp.port());
    let app = TestApp::start_with(|config| config.with_providers(Channel::Email, vec![url]));
    for _ in 0..4 {
        smtp.fault(Stage::Rcpt, Fault::reply("550 5.1.1 Never"));
    }
    put(&app.server().app, mail());
    put(&app.server().app, mail());
    app.settled();
    app.advance(Duration::from_secs(60));
    let retry = |before: &str| {
        let reply = app.post(&format!("{LOGS}/retry?Status=failed{before}"), "");
        let data = reply.json()["Data"].take();
        app.settled();
        data
    };
    let first = retry("");
    let before = "2026-11-22T12:01:00.000Z";
    assert_eq!(
        first,
        json!({"Changed": 2, "Left": 0, "LeftCapped": false, "Before": before})
    );
    // Tried again after that time: not this caller's business any more.
    app.advance(Duration::from_secs(1));
    smtp.fault(Stage::Rcpt, Fault::reply("550 5.1.1 Never"));
    smtp.fault(Stage::Rcpt, Fault::reply("550 5.1.1 Never"));
    let again = retry("");
    assert_eq!(again["Changed"], 2);
    let with_before = retry(&format!("&before={before}"));
    assert_eq!(
        with_before,
        json!({"Changed": 0, "Left": 0, "LeftCapped": false, "Before": before})
    );
}

/// More than one call takes.
const MANY: usize = 1001;

fn many(app: &TestApp, message: &NewMessage) {
    let message = message.clone();
    let insert = move |tx: &herald::store::Tx<'_>| {
        for _ in 0..MANY {
            let guid = uuid::Uuid::new_v4();
            messages::insert(
                tx,
                &NewMessage {
                    guid,
                    ..message.clone()
                },
            )?;
        }
        Ok(())
    };
    app.server().app.store.write(insert).unwrap();
}

#[test]
fn one_call_takes_at_most_a_thousand_and_says_how_many_are_left() {
    let app = TestApp::start();
    app.post("/api/admin/v1/outbox/pause", "{}")
        .expect(200, r#"{"Result":"OK"}"#);
    many(&app, &mail());
    let done = |act: &str, changed: usize, left: usize| {
        let data = app
            .post(&format!("{LOGS}/{act}?MessageFormat=1"), "")
            .json()["Data"]
            .take();
        let counts = [&data["Changed"], &data["Left"], &data["LeftCapped"]];
        assert_eq!(
            counts,
            [&json!(changed), &json!(left), &json!(false)],
            "{act}"
        );
    };
    done("cancel", 1000, 1);
    done("retry", 1000, 0);
    done("cancel", 1000, 1);
    done("cancel", 1, 0);
    done("cancel", 0, 0);
    done("retry", 1000, 1);
    done("retry", 1, 0);
    done("retry", 0, 0);
    done("cancel", 1000, 1);
    done("cancel", 1, 0);
}

#[test]
fn what_is_left_is_counted_up_to_ten_thousand() {
    let app = TestApp::start().may_end_waiting();
    let ended = NewMessage {
        status: Status::Cancelled,
        ..mail()
    };
    for _ in 0..11 {
        many(&app, &ended);
    }
    app.post("/api/admin/v1/outbox/pause", "{}");
    let retry = || {
        let reply = app.post(&format!("{LOGS}/retry?Status=cancelled"), "");
        let data = reply.json()["Data"].take();
        (data["Left"].clone(), data["LeftCapped"].clone())
    };
    // 11 011 at first.
    assert_eq!(retry(), (json!(10_000), json!(true)));
    assert_eq!(retry(), (json!(9_011), json!(false)));
    let cancel_format = || {
        let reply = app.post(&format!("{LOGS}/cancel?MessageFormat=2"), "");
        let data = reply.json()["Data"].take();
        (data["Left"].clone(), data["LeftCapped"].clone())
    };
    // What is due and what is not, each for itself below what is counted.
    for status in [Status::Queued, Status::Scheduled] {
        for _ in 0..6 {
            many(&app, &NewMessage { status, ..sms() });
        }
    }
    assert_eq!(cancel_format(), (json!(10_000), json!(true)));
    assert_eq!(cancel_format(), (json!(10_000), json!(true)));
    assert_eq!(cancel_format(), (json!(9_012), json!(false)));
    let cancel = || {
        let reply = app.post(&format!("{LOGS}/cancel?Status=queued&MessageFormat=1"), "");
        reply.json()["Data"]["Changed"].clone()
    };
    assert_eq!(
        [cancel(), cancel(), cancel()],
        [1000, 1000, 0].map(|n| json!(n))
    );
}

#[test]
fn a_disabled_user_gets_nothing_again_though_others_do() {
    let app = TestApp::start();
    let herald = &app.server().app;
    for name in ["bo", "cy"] {
        let user = json!({ "UserName": name, "Email": "bo@example.net" });
        assert_eq!(
            app.post("/api/admin/v1/users", &user.to_string()).status,
            200
        );
    }
    let of = |id: i64| NewMessage {
        user_id: Some(herald::domain::ids::UserId(id)),
        status: Status::Cancelled,
        ..mail()
    };
    let (bos, cys) = (insert(herald, of(USER.0)), insert(herald, of(2)));
    let disable =
        json!({ "ID": 1, "UserName": "bo", "Email": "bo@example.net", "IsDisabled": true });
    assert_eq!(
        app.post("/api/admin/v1/users", &disable.to_string()).status,
        200
    );
    assert!(
        herald
            .store
            .read(|db| users::get(db, USER))
            .unwrap()
            .profile
            .is_disabled
    );
    let retried = app
        .post(&format!("{LOGS}/retry?Status=cancelled"), "")
        .json();
    assert_eq!(retried["Data"]["Changed"], 1);
    app.settled();
    let statuses = [bos, cys].map(|id| entry(herald, id).line.status);
    assert_eq!(statuses, [Status::Cancelled, Status::Sent]);
}
