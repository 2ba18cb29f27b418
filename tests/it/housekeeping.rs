//! What is done when nobody asks: lives end, the log is let go, room is given back, a clock that was set keeps nothing waiting.

use crate::support::app::{NOW, TestApp};
use crate::support::outside::{SmtpFaults as _, mail_server};
use herald::clock::Clock;
use herald::config::Config;
use herald::domain::format::{Channel, Format};
use herald::domain::ids::{MessageId, TypeId};
use herald::domain::message::{NewMessage, Status};
use herald::error::Result;
use herald::outbox::policy::Policy;
use herald::simulate::fault::{Fault, Stage};
use herald::simulate::smtp::Options;
use herald::store::page::Query;
use herald::store::{Db, messages, retention};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use uuid::Uuid;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A mail that is due now and lives for this long.
fn mail(app: &TestApp, life: Duration) -> NewMessage {
    let now = app.server().app.clock.now();
    NewMessage {
        guid: Uuid::new_v4(),
        created: now,
        due: now,
        expires: now + SignedDuration::try_from(life).unwrap(),
        ..blank()
    }
}

fn put(app: &TestApp, message: NewMessage) -> MessageId {
    let inside = &app.server().app;
    let insert = move |tx: &herald::store::Tx<'_>| messages::insert(tx, &message);
    let id = inside.store.write(insert).unwrap();
    inside.bells.ring(Channel::Email);
    id
}

/// Each message's id and state, the oldest first.
fn log(app: &TestApp) -> Vec<(i64, Status)> {
    let list = |db: &Db| -> Result<_> {
        let query = Query {
            page: 1,
            page_size: 1000,
            sort: vec![(messages::ID, false)],
            ..Query::default()
        };
        let page = messages::list(db, &query)?;
        Ok(page
            .rows
            .into_iter()
            .map(|line| (line.id.0, line.status))
            .collect())
    };
    app.server().app.store.read(list).unwrap()
}

fn over(url: String, policy: impl FnOnce(&mut Policy)) -> TestApp {
    TestApp::start_with(|mut config: Config| {
        policy(&mut config.limits.policy);
        config.with_providers(Channel::Email, vec![url])
    })
}

#[test]
fn lives_end_while_no_provider_stands() {
    let gone = {
        let server = mail_server(Options::default());
        format!("smtp://127.0.0.1:{}?tls=none&connections=1", server.port())
    };
    // Long enough that no probe claims anything.
    let app = over(gone, |policy| {
        policy.breaker_faults = 1;
        policy.breaker_pause = 100 * DAY;
        policy.breaker_pause_cap = 100 * DAY;
    });
    for _ in 0..300 {
        put(&app, mail(&app, HOUR));
    }
    app.until("the provider is given up", || {
        log(&app)
            .iter()
            .all(|(_, status)| *status == Status::Queued)
            && app
                .server()
                .app
                .store
                .read(retention::newest)
                .unwrap()
                .is_some()
    });
    app.advance(HOUR);
    app.settled();
    assert!(
        log(&app)
            .iter()
            .all(|(_, status)| *status == Status::Expired)
    );
}

#[test]
fn what_is_older_than_the_settings_say_is_let_go_and_what_waits_is_not() {
    let app = TestApp::start();
    app.post("/api/admin/v1/settings", r#"{"RetentionDays":30}"#)
        .expect(200, r#"{"Result":"OK"}"#);
    for _ in 0..3 {
        put(&app, mail(&app, HOUR));
    }
    let later = NewMessage {
        status: Status::Scheduled,
        due: "2027-10-01T00:00:00Z".parse().unwrap(),
        expires: "2027-10-02T00:00:00Z".parse().unwrap(),
        ..mail(&app, HOUR)
    };
    let scheduled = put(&app, later).0;
    app.until("all but one are sent", || app.pending() == 1);
    let sent = |id| (id, Status::Sent);
    let waits = (scheduled, Status::Scheduled);
    // A day short of it nothing goes.
    app.advance(29 * DAY);
    put(&app, mail(&app, HOUR));
    app.until("it is sent", || app.pending() == 1);
    assert_eq!(log(&app), [sent(1), sent(2), sent(3), waits, sent(5)]);
    app.advance(DAY + HOUR);
    app.until("the old ones are gone", || log(&app) == [waits, sent(5)]);
    let captured = || app.get("/api/admin/v1/captured").json()["Paging"]["TotalRecords"].clone();
    app.until("so is what was captured of them", || captured() == 1);
    app.may_end_waiting();
}

#[test]
fn the_oldest_go_until_the_rest_fits_and_the_file_becomes_smaller() {
    let app = TestApp::start();
    let inside = &app.server().app;
    let size = || inside.store.read(retention::size).unwrap();
    let empty = size().used_bytes;
    for _ in 0..300 {
        let large = NewMessage {
            status: Status::Sent,
            body: Some("x".repeat(20_000)),
            ..mail(&app, HOUR)
        };
        put(&app, large);
    }
    assert!(size().used_bytes > empty + 6_000_000);
    app.post("/api/admin/v1/settings", r#"{"RetentionMegabytes":2}"#)
        .expect(200, r#"{"Result":"OK"}"#);
    app.advance(HOUR);
    app.until("it fits and holds no more room than it needs", || {
        let size = size();
        size.used_bytes <= 2 * 1024 * 1024 && size.free_bytes < 1024 * 1024
    });
    let left = log(&app);
    assert_eq!(left.last(), Some(&(300, Status::Sent)), "the newest stay");
    assert!(left.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0));
}

#[test]
fn a_clock_that_is_set_back_keeps_no_retry_waiting_and_lengthens_no_pause() {
    let server = mail_server(Options::default());
    server.fault(Stage::Rcpt, Fault::reply("452 4.3.1 Full"));
    let url = format!("smtp://127.0.0.1:{}?tls=none&connections=1", server.port());
    let app = over(url, |_| {});
    let id = put(&app, mail(&app, HOUR));
    app.until("it waits for its second try", || {
        server.orders().standing().is_empty() && log(&app) == [(id.0, Status::Queued)]
    });
    let inside = &app.server().app;
    inside.clock.set_by(SignedDuration::from_hours(-24));
    app.advance(Duration::from_secs(60));
    app.settled();
    assert_eq!(log(&app), [(id.0, Status::Sent)]);
}

#[test]
fn a_clock_that_was_set_back_while_nothing_ran_is_noticed_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let listen = || vec!["127.0.0.1:0".parse().unwrap()];
    let config = |data: &std::path::Path| Config::capturing(listen(), data.join("data")).unwrap();
    let now: Timestamp = NOW.parse().unwrap();
    let start = |at: Timestamp| {
        let config = config(directory.path());
        herald::app::Server::start(&config, Clock::fixed(at)).unwrap()
    };
    // Accepted by a clock that was a year ahead, and due by it in an hour.
    let ahead = now + SignedDuration::from_hours(365 * 24);
    let server = start(ahead);
    let waits = |at: Timestamp| NewMessage {
        guid: Uuid::new_v4(),
        due: at + SignedDuration::from_hours(1),
        expires: at + SignedDuration::from_hours(2),
        created: at,
        ..blank()
    };
    let message = waits(ahead);
    server
        .app
        .store
        .write(move |tx| messages::insert(tx, &message))
        .unwrap();
    assert!(server.stop());
    let server = start(now);
    let due = || {
        let entry = |db: &Db| messages::entry(db, MessageId(1));
        let entry = server.app.store.read(entry).unwrap();
        (entry.due, entry.expires)
    };
    let expected = (
        now + SignedDuration::from_hours(1),
        now + SignedDuration::from_hours(2),
    );
    crate::support::app::until("it is pulled back", || due() == expected);
    assert!(server.stop());
}

fn blank() -> NewMessage {
    let at: Timestamp = NOW.parse().unwrap();
    NewMessage {
        guid: Uuid::new_v4(),
        user_id: None,
        type_id: TypeId(0),
        template_id: None,
        format: Format::SimpleTextEmail,
        status: Status::Queued,
        is_system: false,
        is_released: false,
        recipient: "bo@example.net".into(),
        recipient_name: None,
        sender: None,
        subject: Some("Hello".into()),
        body: Some("Hello, Bo.".into()),
        html_body: None,
        is_sensitive: false,
        created: at,
        created_by: "tests".into(),
        due: at,
        expires: at,
        by_the_minute: false,
        error: None,
        cause: None,
        trace: Vec::new(),
    }
}
