//! What is kept and what is not: bodies of sensitive types, erased users, the sum of all messages.

use super::{Bench, Puppet, USER, after, claim, failure, insert, line, mail, now, stop};
use herald::channel::{Class, Receipt};
use herald::domain::format::Channel;
use herald::domain::message::{NewMessage, Status};
use herald::store::claims::Takes;
use herald::store::page::{Operand, Query};
use herald::store::waiting::release_all;
use herald::store::{self, messages};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A message whose parts can be found again in the bytes of the file.
fn marked(secret: &str, is_sensitive: bool) -> NewMessage {
    NewMessage {
        subject: Some(format!("subject-{secret}")),
        // Longer than a page, so that overflow pages are looked at too.
        body: Some(format!("body-{secret} ").repeat(600)),
        html_body: Some(format!("<p>html-{secret}</p>")),
        is_sensitive,
        ..mail()
    }
}

fn bytes_of(directory: &std::path::Path) -> Vec<u8> {
    let files = std::fs::read_dir(directory).unwrap();
    files
        .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

#[test]
fn what_is_sensitive_can_be_read_in_the_file_at_no_time_and_leaves_it_with_the_final_state() {
    let bench = Bench::new();
    // Crashed three times.
    insert(&bench.app, marked("CRASHED", true));
    for _ in 0..3 {
        let claims =
            |tx: &store::Tx<'_>| claim(tx, Channel::Email, Takes::All, 1, "test:", "", now());
        bench.app.store.write(claims).unwrap();
        bench.app.store.write(release_all).unwrap();
    }
    insert(&bench.app, marked("SENT", true));
    insert(&bench.app, marked("REFUSED", true));
    insert(
        &bench.app,
        NewMessage {
            expires: now(),
            ..marked("EXPIRED", true)
        },
    );
    insert(&bench.app, marked("OPEN", false));
    let waits = NewMessage {
        due: after(60),
        ..marked("WAITING", true)
    };
    insert(&bench.app, waits);
    let puppet = Puppet::new("puppet:", |message| match &message.subject {
        Some(subject) if subject.contains("REFUSED") => Err(failure(Class::Permanent)),
        _ => Ok(Receipt::default()),
    });
    let outbox = bench.start(vec![(Channel::Email, puppet)]);
    bench.until("only one waits", || {
        bench.app.store.read(store::waiting::pending).unwrap() == 1
    });
    stop(outbox);
    // Closing writes everything back into the file and removes the log of changes.
    let data_dir = bench.data_dir();
    let Bench { app, directory } = bench;
    drop(app);
    let bytes = bytes_of(&data_dir);
    let database = rusqlite::Connection::open(data_dir.join("herald.db")).unwrap();
    let sealed = "select count(*) from message join content on message_id = id where is_sensitive and body is not null";
    let sealed: i64 = database.query_row(sealed, [], |row| row.get(0)).unwrap();
    assert_eq!(sealed, 1, "only the one that waits has content");
    drop(directory);
    for part in ["subject", "body", "html"] {
        for secret in ["CRASHED", "SENT", "REFUSED", "EXPIRED", "WAITING"] {
            assert!(
                !holds(&bytes, &format!("{part}-{secret}")),
                "{part} {secret}"
            );
        }
        assert!(holds(&bytes, &format!("{part}-OPEN")), "{part}");
    }
}

#[test]
fn a_user_erased_during_an_attempt_is_not_written_to_again_and_leaves_no_address() {
    for (class, status) in [
        (Class::Temporary, Status::Cancelled),
        (Class::Permanent, Status::Failed),
    ] {
        let bench = Bench::new();
        let user = bench.add_user("bo");
        let app = bench.app.clone();
        let puppet = Puppet::new("puppet:", move |_| {
            app.store
                .write(move |tx| store::users::erase(tx, user))
                .unwrap();
            let mut failure = failure(class);
            failure.answer = "<bo@example.net> is not here".into();
            Err(failure)
        });
        let given = puppet.given();
        let message = NewMessage {
            user_id: Some(user),
            ..mail()
        };
        let id = insert(&bench.app, message);
        let outbox = bench.start(vec![(Channel::Email, puppet)]);
        bench.settled();
        stop(outbox);
        let error = Some("The user was erased.".to_owned());
        assert_eq!(line(&bench.app, id), (status, 1, error));
        assert_eq!(given.lock().unwrap().len(), 1);
        let entry = format!("{:?}", super::entry(&bench.app, id));
        assert!(!entry.contains("bo@example.net"), "{entry}");
    }
}

#[test]
fn every_accepted_message_is_somewhere_at_any_moment() {
    const ALL: usize = 300;
    let bench = Bench::new();
    let calls = AtomicU32::new(0);
    let mut puppet = Puppet::new("puppet:", move |_| {
        match calls.fetch_add(1, Ordering::Relaxed) % 7 {
            0 => Err(failure(Class::Temporary)),
            1 => Err(failure(Class::Permanent)),
            2 => Err(failure(Class::InDoubt)),
            3 => panic!("on purpose"),
            _ => Ok(Receipt::default()),
        }
    });
    puppet.connections = 3;
    let outbox = bench.start(vec![(Channel::Email, puppet)]);
    let sums = || {
        bench.app.store.read(|db| {
            let count = |status: Status| {
                let query = Query {
                    page: 1,
                    page_size: 1,
                    filters: vec![(messages::STATUS, Operand::Text(status.word().to_owned()))],
                    ..Query::default()
                };
                messages::list_of_user(db, USER, &query).map(|page| page.total)
            };
            let counts = Status::ALL.map(count).map(Result::unwrap);
            let pending = store::waiting::pending(db)?.unsigned_abs();
            Ok((counts, pending))
        })
    };
    assert_eq!(bench.add_user("bo"), USER);
    for accepted in 1..=ALL {
        super::put(&bench.app, mail());
        if accepted % 10 == 0 {
            let (counts, pending) = sums().unwrap();
            let [scheduled, queued, sending, finals @ ..] = counts;
            assert_eq!(scheduled + queued + sending, pending);
            assert_eq!(
                pending + finals.iter().sum::<u64>(),
                u64::try_from(accepted).unwrap()
            );
        }
    }
    bench.until("all is over", || {
        bench.app.clock.advance(Duration::from_secs(60));
        bench.app.bells.ring(Channel::Email);
        bench.app.store.read(store::waiting::pending).unwrap() == 0
    });
    stop(outbox);
    let (counts, pending) = sums().unwrap();
    let [.., sent, _, _, failed, _, _, _] = counts;
    assert_eq!((pending, sent + failed), (0, counts.iter().sum::<u64>()));
    assert_eq!(sent + failed, u64::try_from(ALL).unwrap());
    assert!(sent > 0 && failed > 0, "{sent} {failed}");
}

#[test]
fn without_its_key_a_sealed_message_waits_and_says_why() {
    let bench = Bench::new();
    let id = insert(&bench.app, marked("SEALED", true));
    let Bench { app, directory } = bench;
    drop(app);
    let data_dir = directory.path().join("data");
    let (key, away) = (data_dir.join("secret.key"), directory.path().join("away"));
    std::fs::rename(&key, &away).unwrap();
    let bench = Bench::over(directory);
    let puppet = Puppet::new("puppet:", |message| {
        let whole = message.body == "body-SEALED ".repeat(600);
        whole
            .then(Receipt::default)
            .ok_or_else(|| failure(Class::Permanent))
    });
    let outbox = bench.start(vec![(Channel::Email, puppet)]);
    bench.until("it was tried", || line(&bench.app, id).1 == 1);
    bench.until("it waits", || line(&bench.app, id).0 == Status::Queued);
    let why =
        "its content cannot be read: secret.key in the data directory is missing or another one";
    assert_eq!(line(&bench.app, id).2.as_deref(), Some(why));
    std::fs::rename(&away, &key).unwrap();
    bench.app.clock.advance(Duration::from_secs(60));
    bench.app.bells.summon(Channel::Email);
    bench.settled();
    stop(outbox);
    assert_eq!(line(&bench.app, id), (Status::Sent, 2, None));
}
