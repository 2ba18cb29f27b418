//! A paused outbox, and what comes out of a backup without its content.

use super::{Bench, Puppet, USER, after, claim, entry, insert, line, mail, put, stop};
use herald::channel::Receipt;
use herald::domain::format::Channel;
use herald::domain::message::{NewMessage, Status};
use herald::housekeeping::expire;
use herald::store::claims::Takes;
use herald::store::page::Query;
use herald::store::{self, Access, Store, messages, pause};
use std::time::Duration;

use super::now;

fn set(store: &Store) {
    store
        .write(|tx| pause::set(tx, "tests", "", now()))
        .unwrap();
}

fn resume(store: &Store) -> bool {
    store.write(pause::clear).unwrap()
}

/// Attempts of all messages, as each counts its own.
fn attempts(bench: &Bench) -> u32 {
    let query = Query {
        page: 1,
        page_size: 1000,
        ..Query::default()
    };
    let list = |db: &store::Db| messages::list_of_user(db, USER, &query);
    let page = bench.app.store.read(list).unwrap();
    page.rows.iter().map(|line| line.attempts).sum()
}

#[test]
fn once_another_process_has_paused_it_no_attempt_begins_until_it_is_resumed() {
    const ALL: usize = 400;
    let bench = Bench::new();
    bench.add_user("bo");
    let mut puppet = Puppet::new("puppet:", |_| Ok(Receipt::default()));
    puppet.connections = 3;
    let given = puppet.given();
    for _ in 0..ALL {
        insert(&bench.app, mail());
    }
    let outbox = bench.start(vec![(Channel::Email, puppet)]);
    bench.until("some are sent", || given.lock().unwrap().len() > 20);
    let other = Store::open(&bench.data_dir(), Access::Shared, now()).unwrap();
    set(&other);
    // Each attempt is on disk before it begins, so that no further one can hide.
    let begun = attempts(&bench);
    bench.until("what was under way is over", || {
        let sending = |db: &store::Db| store::queue::by_channel(db);
        bench.app.store.read(sending).unwrap()[&Channel::Email].sending == 0
    });
    let ended = attempts(&bench);
    assert!(ended <= begun, "{begun} had begun, and then {ended}");
    // New ones wake every thread, and none of them takes one.
    for _ in 0..10 {
        put(&bench.app, mail());
    }
    let claims = |tx: &store::Tx<'_>| claim(tx, Channel::Email, Takes::All, 8, "test:", "", now());
    assert_eq!(bench.app.store.write(claims).unwrap().len(), 0);
    assert_eq!(attempts(&bench), ended);
    assert!(resume(&other) && !resume(&other));
    bench.settled();
    stop(outbox);
    assert_eq!(given.lock().unwrap().len(), ALL + 10);
}

#[test]
fn lives_end_in_a_paused_outbox_however_many_they_are() {
    let bench = Bench::new();
    set(&bench.app.store);
    let expired = |number: i64| NewMessage {
        // Some were scheduled, and their time came while nothing was taken.
        status: [Status::Queued, Status::Scheduled][usize::from(number % 3 == 0)],
        expires: after(-1),
        ..mail()
    };
    let ids: Vec<_> = (0..300)
        .map(|number| insert(&bench.app, expired(number)))
        .collect();
    let alive = insert(&bench.app, mail());
    let puppet = Puppet::new("puppet:", |_| Ok(Receipt::default()));
    let given = puppet.given();
    let outbox = bench.start(vec![(Channel::Email, puppet)]);
    let expire = || expire(&bench.app.store, bench.app.clock.now()).unwrap();
    expire();
    assert_eq!(bench.app.store.read(store::waiting::pending).unwrap(), 1);
    let end = Some("Its life ended before a provider accepted it.".to_owned());
    for id in ids {
        assert_eq!(line(&bench.app, id), (Status::Expired, 0, end.clone()));
        let cause = entry(&bench.app, id).line.cause;
        assert_eq!(cause.as_deref(), Some("expired"));
    }
    // The one that is left ends at its time, too.
    bench.app.clock.advance(Duration::from_secs(4 * 24 * 3600));
    expire();
    bench.settled();
    stop(outbox);
    assert_eq!(line(&bench.app, alive), (Status::Expired, 0, end));
    assert_eq!(given.lock().unwrap().len(), 0);
}

#[test]
fn what_came_without_its_content_fails_and_is_not_sent_empty() {
    let bench = Bench::new();
    let empty = NewMessage {
        subject: None,
        body: None,
        is_sensitive: true,
        ..mail()
    };
    let (empty, whole) = (insert(&bench.app, empty), insert(&bench.app, mail()));
    let puppet = Puppet::new("puppet:", |_| Ok(Receipt::default()));
    let given = puppet.given();
    let outbox = bench.start(vec![(Channel::Email, puppet)]);
    bench.settled();
    stop(outbox);
    let error = "Its content is not kept in backups; ask for a new one.".to_owned();
    assert_eq!(line(&bench.app, empty), (Status::Failed, 0, Some(error)));
    let cause = entry(&bench.app, empty).line.cause;
    assert_eq!(cause.as_deref(), Some("no_content"));
    assert_eq!(line(&bench.app, whole), (Status::Sent, 1, None));
    assert_eq!(given.lock().unwrap().len(), 1);
}
