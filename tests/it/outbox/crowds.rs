//! Many messages at once: what fails together does not come back together, and what is urgent passes a backlog.
//! (delivery.md, "Retry policy" and "Engine")

use super::{TestApp, entry, line, mail, message, put, sms};
use crate::support::outside::{gateway, mail_server, sms_url};
use herald::domain::format::{Channel, Format};
use herald::domain::ids::MessageId;
use herald::domain::message::{NewMessage, Status};
use herald::simulate::fault::{Fault, Place, Stage};
use herald::simulate::orders::{Order, Times};
use herald::simulate::smtp::{MailServer, Options};
use herald::store::{self, queue};
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// Messages that fail together.
const TOGETHER: usize = 1000;

/// The most of them that may come again within one second.
const SECOND_MAX: usize = TOGETHER / 20;

/// Commits many at once without waking anybody.
fn insert_all(app: &TestApp, messages: Vec<NewMessage>) -> Vec<MessageId> {
    let insert = move |tx: &store::Tx<'_>| {
        let each = messages.iter().map(|m| store::messages::insert(tx, m));
        each.collect()
    };
    app.server().app.store.write(insert).unwrap()
}

/// From now on until it is lifted.
fn always(server: &MailServer, stage: Stage, fault: Fault) {
    let order = Order {
        place: Place::Smtp(stage),
        times: Times::Always,
        fault,
    };
    server.orders().add(vec![order]).unwrap();
}

/// Waits until nothing is left to do before the clock moves on.
#[track_caller]
fn still(app: &TestApp) {
    let inside = &app.server().app;
    let now = inside.clock.now();
    app.until("what is due has been tried", || {
        let queues = inside.store.read(|db| queue::by_type(db, now)).unwrap();
        queues.iter().all(|queue| queue.due + queue.sending == 0)
    });
}

#[test]
fn what_fails_together_comes_back_spread_out_and_all_of_it_arrives_after_the_outage() {
    let server = mail_server(Options::default());
    always(&server, Stage::Rcpt, Fault::reply("452 4.3.1 Full"));
    let url = format!("smtp://localhost:{}?tls=none", server.port());
    let app = TestApp::start_with(|config| config.with_providers(Channel::Email, vec![url]));
    let ids = insert_all(&app, (0..TOGETHER).map(|_| mail()).collect());
    app.server().app.bells.ring(Channel::Email);
    still(&app);
    // Waits of at most one minute and then two: by then each has been tried three times.
    for _ in 0..180 {
        app.advance(Duration::from_secs(1));
        still(&app);
    }
    assert_eq!(server.received().len(), 0);
    server.orders().lift();
    app.until("all arrive", || {
        app.advance(Duration::from_secs(60));
        app.pending() == 0
    });
    assert_eq!(server.received().len(), TOGETHER);

    let mut tries: BTreeMap<(u32, Timestamp), usize> = BTreeMap::new();
    for id in ids {
        let entry = entry(&app.server().app, id);
        assert_eq!(entry.line.status, Status::Sent);
        assert!(entry.attempts.len() > 3, "{entry:?}");
        for attempt in entry.attempts.iter().take(3) {
            *tries.entry((attempt.number, attempt.started)).or_default() += 1;
        }
    }
    let of = |number: u32| {
        let tries = tries.iter().filter(move |((n, _), _)| *n == number);
        tries.map(|(_, count)| *count).collect::<Vec<_>>()
    };
    assert_eq!(of(1), [TOGETHER], "they do fail together");
    for number in [2, 3] {
        let seconds = of(number);
        let most = *seconds.iter().max().unwrap();
        eprintln!("try {number}: {} seconds, {most} at most", seconds.len());
        assert_eq!(seconds.iter().sum::<usize>(), TOGETHER);
        assert!(most <= SECOND_MAX, "try {number}: {seconds:?}");
    }
}

/// What four connections have claimed at most when an urgent message comes: that is on its way, and nothing can be put
/// before it. While the claim of the urgent one waits for the disk the others may have come round once more.
const ON_THEIR_WAY_MAX: usize = 2 * 4 * 16;

/// How soon it leaves is judged by how many of the backlog go before it, which no noise of the machine changes: a provider
/// that takes 64 mails a second takes so many in two seconds, and of a slower one's batches the rest is given back after
/// one second.
#[test]
fn a_forgotten_password_passes_a_backlog_of_ten_thousand() {
    let server = mail_server(Options::default());
    let url = format!("smtp://localhost:{}?tls=none", server.port());
    let app = TestApp::start_with(|config| config.with_providers(Channel::Email, vec![url]));
    let user = json!({ "UserName": "anna", "Email": "anna@example.net" });
    app.post("/api/admin/v1/users", &user.to_string());
    insert_all(&app, (0..10_000).map(|_| mail()).collect());
    app.server().app.bells.ring(Channel::Email);
    app.until("the backlog is on its way", || {
        server.received().len() >= 200
    });
    // It comes later than all of them, and is not the first by its time or its life.
    app.advance(Duration::from_secs(1));
    let urgent = json!({ "UserId": 1, "MessageType": 3 }).to_string();
    let accepted = app.post("/api/admin/v1/messages/send", &urgent);
    let before = server.received().len();
    assert_eq!(accepted.status, 200, "{}", accepted.body);
    let place = || {
        let received = server.received();
        let mut mails = received.iter();
        mails.position(|mail| mail.to == ["anna@example.net"])
    };
    app.until("it has left", || place().is_some());
    let passed = place().unwrap().saturating_sub(before);
    assert!(passed <= ON_THEIR_WAY_MAX, "{passed} went before it");
    assert!(app.pending() > 5000, "most of the backlog still waits");
    drop(app.may_end_waiting());
}

#[test]
fn a_mail_server_that_says_nothing_holds_up_neither_sms_nor_push() {
    let (server, gateway) = (mail_server(Options::default()), gateway());
    always(&server, Stage::Greeting, Fault::Hold);
    let mails = format!("smtp://localhost:{}?tls=none", server.port());
    let texts = sms_url(&gateway);
    let app = TestApp::start_with(|config| {
        let config = config.with_providers(Channel::Email, vec![mails]);
        config.with_providers(Channel::Sms, vec![texts])
    });
    let inside = &app.server().app;
    let stuck: Vec<_> = (0..20).map(|_| put(inside, mail())).collect();
    app.until("every connection is silent", || {
        let is_sending = |id: &&MessageId| line(inside, **id).0 == Status::Sending;
        stuck.iter().filter(is_sending).count() == 4 && server.commands().len() == 4
    });
    let mut others: Vec<_> = (0..200).map(|_| put(inside, sms())).collect();
    others.extend((0..50).map(|_| put(inside, message(Format::Push))));
    let is_sent = |id: &MessageId| line(inside, *id).0 == Status::Sent;
    app.until("all others have gone out", || others.iter().all(is_sent));
    assert_eq!(gateway.messages().len(), 200);
    assert!(!stuck.iter().any(is_sent));
    server.orders().lift();
    app.settled();
}
