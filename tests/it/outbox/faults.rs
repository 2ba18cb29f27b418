//! Providers that stand still, refuse us or crash, and a database that is unavailable meanwhile.

use super::{
    Bench, Puppet, after, entry, failure, insert, line, mail, message, now, put, stop, tried,
};
use crate::support::app::TestApp;
use crate::support::outside::{SmtpFaults as _, faults_left, mail_server};
use herald::channel::{Class, Receipt};
use herald::domain::device::DeviceDraft;
use herald::domain::format::{Channel, Format};
use herald::domain::ids::MessageId;
use herald::domain::message::{NewMessage, Status};
use herald::error::Error;
use herald::simulate::fault::{Fault, Stage};
use herald::simulate::smtp::{MailServer, Options};
use herald::store::{self, Access, Store};
use std::sync::{Mutex, mpsc};
use std::time::Duration;
use uuid::Uuid;

/// One connection, so that what happens has one order.
fn over(server: &MailServer, attempts_max: u32) -> TestApp {
    let url = format!("smtp://localhost:{}?tls=none&connections=1", server.port());
    TestApp::start_with(|mut config| {
        config.limits.policy.attempts_max = attempts_max;
        config.with_providers(Channel::Email, vec![url])
    })
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn a_provider_that_is_gone_costs_five_tries_and_then_none() {
    let server = mail_server(Options::default());
    let url = format!("smtp://localhost:{}?tls=none&connections=1", server.port());
    let app = TestApp::start_with(|mut config| {
        // Without a backoff of the message's own, the breaker alone says when.
        config.limits.policy.email_base = Duration::ZERO;
        config.limits.policy.attempts_max = 6;
        config.with_providers(Channel::Email, vec![url])
    });
    for _ in 0..10 {
        server.fault(Stage::Greeting, Fault::reply("421 4.3.2 Down"));
    }
    let id = put(&app.server().app, mail());
    tried(&app, id, 5);
    for (pause, attempts) in [30, 60, 120, 240, 300, 300].into_iter().zip(6..) {
        app.advance(secs(pause - 1));
        app.advance(secs(1));
        tried(&app, id, attempts);
    }
    assert_eq!(line(&app.server().app, id), (Status::Sent, 11, None));
    let started: Vec<_> = entry(&app.server().app, id)
        .attempts
        .iter()
        .map(|attempt| attempt.started)
        .collect();
    let expected = [0, 0, 0, 0, 0, 30, 90, 210, 450, 750, 1050].map(after);
    assert_eq!(started, expected);
}

#[test]
fn while_the_breaker_is_open_the_others_are_not_touched() {
    let server = mail_server(Options::default());
    let app = over(&server, 50);
    for _ in 0..8 {
        server.fault(Stage::Greeting, Fault::reply("421 4.3.2 Down"));
    }
    let inside = &app.server().app;
    let ids: Vec<_> = (0..20).map(|_| insert(inside, mail())).collect();
    inside.bells.ring(Channel::Email);
    // That nothing happens cannot be waited for: what happens next shows what did not happen before.
    for (pause, left) in [(0, 3), (30, 2), (60, 1), (120, 0)] {
        app.advance(secs(pause));
        app.until("the provider has been tried", || {
            let rests = |id: &MessageId| line(inside, *id).0 != Status::Sending;
            faults_left(&server) == left && ids.iter().all(rests)
        });
    }
    assert_eq!(server.received().len(), 0);
    app.advance(secs(240));
    app.settled();
    let attempts = ids.iter().flat_map(|id| entry(inside, *id).attempts);
    let (failed, sent): (Vec<_>, Vec<_>) = attempts.partition(|a| a.result == Some(false));
    let mut failed: Vec<_> = failed.into_iter().map(|a| a.started).collect();
    failed.sort();
    assert_eq!(failed, [0, 0, 0, 0, 0, 30, 90, 210].map(after));
    assert_eq!((sent.len(), server.received().len()), (20, 20));
}

#[test]
fn a_provider_that_refuses_us_costs_no_message_anything() {
    let server = mail_server(Options::default());
    // With one attempt each, whatever counts would be the end.
    let app = over(&server, 1);
    for _ in 0..3 {
        server.fault(Stage::Greeting, Fault::reply("554 5.7.1 Not you"));
    }
    let inside = &app.server().app;
    let ids: Vec<_> = (0..4).map(|_| insert(inside, mail())).collect();
    inside.bells.ring(Channel::Email);
    for probe in [1, 2, 3] {
        app.until("it is probed", || server.commands().len() == probe);
        app.until("the refusal is written down", || {
            ids.iter().all(|id| line(inside, *id).0 == Status::Queued)
                && ids.iter().map(|id| line(inside, *id).1).sum::<u32>() as usize == probe
        });
        app.advance(secs(59));
        assert_eq!(server.commands().len(), probe);
        app.advance(secs(1));
    }
    app.settled();
    let states: Vec<_> = ids.iter().map(|id| line(inside, *id).0).collect();
    assert_eq!(
        (states, server.received().len()),
        (vec![Status::Sent; 4], 4)
    );
    let started: Vec<_> = ids
        .iter()
        .flat_map(|id| entry(inside, *id).attempts)
        .filter(|attempt| attempt.result == Some(false))
        .map(|attempt| attempt.started)
        .collect();
    let mut sorted = started;
    sorted.sort();
    assert_eq!(sorted, [now(), after(60), after(120)]);
}

#[test]
fn a_greylisted_mail_goes_out_after_five_minutes_and_not_before() {
    let server = mail_server(Options::default());
    server.fault(Stage::Rcpt, Fault::reply("451 4.7.1 Come back"));
    let app = over(&server, 50);
    let id = put(&app.server().app, mail());
    tried(&app, id, 1);
    app.advance(secs(299));
    // Over the one connection this one goes after all that may be tried by now.
    let last = NewMessage {
        due: after(299),
        ..mail()
    };
    let last = put(&app.server().app, last);
    tried(&app, last, 1);
    assert_eq!(line(&app.server().app, id).1, 1);
    app.advance(secs(1));
    app.settled();
    let starts: Vec<_> = entry(&app.server().app, id)
        .attempts
        .iter()
        .map(|attempt| (attempt.started, attempt.result))
        .collect();
    assert_eq!(starts, [(now(), Some(false)), (after(300), Some(true))]);
}

#[test]
fn a_mail_in_doubt_comes_again_under_the_same_message_id() {
    let server = mail_server(Options::default());
    server.fault(Stage::Dot, Fault::Close);
    let app = over(&server, 50);
    let message = mail();
    let id = format!("<{}@", message.guid);
    let row = put(&app.server().app, message);
    tried(&app, row, 1);
    app.advance(secs(60));
    app.settled();
    let received = server.received();
    let mail = mailparse::parse_headers(&received[0].content).unwrap().0;
    let found = mailparse::MailHeaderMap::get_first_value(&mail[..], "Message-ID").unwrap();
    assert!(found.starts_with(&id), "{found}");
    assert_eq!(line(&app.server().app, row), (Status::Sent, 2, None));
}

#[test]
fn the_last_attempt_that_fails_ends_the_message() {
    let server = mail_server(Options::default());
    let app = over(&server, 2);
    for _ in 0..2 {
        server.fault(Stage::Rcpt, Fault::reply("452 4.3.1 Full"));
    }
    let id = put(&app.server().app, mail());
    assert_eq!(tried(&app, id, 1).line.status, Status::Queued);
    app.advance(secs(60));
    app.settled();
    let error = "Gave up after 2 attempts. 452 4.3.1 Full".to_owned();
    assert_eq!(
        line(&app.server().app, id),
        (Status::Failed, 2, Some(error))
    );
}

#[test]
fn a_dead_backlog_expires_at_once_and_holds_up_nobody() {
    let bench = Bench::new();
    let mut dead = mail();
    dead.expires = after(60);
    let ids: Vec<_> = (0..400)
        .map(|number| {
            let mut dead = dead.clone();
            dead.guid = uuid::Uuid::from_u128(number);
            insert(&bench.app, dead)
        })
        .collect();
    let live = mail();
    let guid = live.guid;
    let alive = insert(&bench.app, live);
    bench.app.clock.advance(secs(60));
    let puppet = Puppet::new("puppet:", |_| Ok(Receipt::default()));
    let given = puppet.given();
    let outbox = bench.start(vec![(Channel::Email, puppet)]);
    let begun = std::time::Instant::now();
    bench.settled();
    // One round a second, as when nothing is to be done, would take minutes.
    assert!(begun.elapsed() < secs(10), "{:?}", begun.elapsed());
    stop(outbox);
    let error = "Its life ended before a provider accepted it.".to_owned();
    for id in ids {
        assert_eq!(
            line(&bench.app, id),
            (Status::Expired, 0, Some(error.clone()))
        );
    }
    assert_eq!(line(&bench.app, alive).0, Status::Sent);
    assert_eq!(*given.lock().unwrap(), [guid]);
}

#[test]
fn a_message_that_expires_while_it_waits_its_turn_is_not_sent() {
    let bench = Bench::new();
    let app = bench.app.clone();
    // The clock passes the others' end while the second is with the provider: one claimed alone, then two together.
    let puppet = Puppet::new("puppet:", move |message| {
        if message.subject.as_deref() == Some("slow") {
            app.clock.advance(secs(60));
        }
        Ok(Receipt::default())
    });
    let given = puppet.given();
    let mut slow = mail();
    slow.subject = Some("slow".into());
    let mut messages = [mail(), slow, mail()];
    for message in &mut messages {
        message.expires = after(60);
    }
    let guids: Vec<_> = messages.iter().map(|message| message.guid).collect();
    let ids = messages.map(|message| insert(&bench.app, message));
    let outbox = bench.start(vec![(Channel::Email, puppet)]);
    bench.settled();
    stop(outbox);
    assert_eq!(*given.lock().unwrap(), guids[..2]);
    let error = Some("Its life ended before a provider accepted it.".to_owned());
    assert_eq!(line(&bench.app, ids[2]), (Status::Expired, 0, error));
}

#[test]
fn a_panic_inside_a_provider_is_one_attempt_and_no_more() {
    let bench = Bench::new();
    let panicked = Mutex::new(false);
    let puppet = Puppet::new("puppet:", move |_| {
        let mut panicked = panicked
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if !std::mem::replace(&mut *panicked, true) {
            panic!("on purpose");
        }
        Ok(Receipt::default())
    });
    let first = insert(&bench.app, mail());
    let outbox = bench.start(vec![(Channel::Email, puppet)]);
    bench.until("it has panicked", || {
        entry(&bench.app, first).attempts.len() == 1 && line(&bench.app, first).0 == Status::Queued
    });
    let attempt = entry(&bench.app, first).attempts.remove(0);
    assert_eq!(
        (attempt.class.as_deref(), attempt.answer.as_deref()),
        (
            Some("in_doubt"),
            Some("The sender crashed during this attempt.")
        )
    );
    bench.app.clock.advance(secs(60));
    bench.settled();
    stop(outbox);
    assert_eq!(line(&bench.app, first), (Status::Sent, 2, None));
}

/// Holds the database's write lock, as a long command beside the server would, until told to let go.
fn hold(data_dir: &std::path::Path) -> mpsc::Sender<()> {
    let other = Store::open(data_dir, Access::Shared, now()).unwrap();
    let (let_go, wait) = mpsc::channel::<()>();
    let (held, is_held) = mpsc::channel();
    std::thread::spawn(move || {
        let done = other.write(move |_| {
            held.send(()).unwrap();
            wait.recv().unwrap_or(());
            Ok(())
        });
        drop(done);
    });
    is_held.recv().unwrap();
    let_go
}

#[test]
fn results_survive_a_database_that_is_unavailable_for_a_while() {
    for class in [None, Some(Class::Provider)] {
        let bench = Bench::new();
        bench
            .app
            .store
            .set_patience(Duration::from_millis(20))
            .unwrap();
        let (tell, told) = mpsc::channel();
        let data_dir = bench.data_dir();
        // The first is claimed alone, the next two together: one of them is given back when the provider is gone.
        let puppet = Puppet::new("puppet:", move |message| {
            if message.subject.as_deref() == Some("trouble") {
                tell.send(hold(&data_dir)).unwrap();
                return class.map_or_else(|| Ok(Receipt::default()), |class| Err(failure(class)));
            }
            Ok(Receipt::default())
        });
        let given = puppet.given();
        let mut trouble = mail();
        trouble.subject = Some("trouble".into());
        trouble.expires = after(1);
        let messages = [mail(), trouble, mail()];
        let ids = messages.map(|message| insert(&bench.app, message));
        let outbox = bench.start(vec![(Channel::Email, puppet)]);
        let let_go = told.recv().unwrap();
        let refused = bench.app.store.write(|_| Ok(())).unwrap_err();
        assert!(matches!(refused, Error::Unavailable { .. }), "{refused:?}");
        bench.app.store.read(store::waiting::pending).unwrap();
        if class.is_some() {
            bench.app.clock.advance(secs(1));
        }
        drop(let_go);
        bench.settled();
        stop(outbox);
        let states = ids.map(|id| line(&bench.app, id).0);
        let middle = if class.is_some() {
            Status::Expired
        } else {
            Status::Sent
        };
        assert_eq!(states, [Status::Sent, middle, Status::Sent]);
        assert_eq!(given.lock().unwrap().len(), 3, "each was given once");
    }
}

#[test]
fn a_device_that_the_push_service_does_not_know_any_more_is_forgotten() {
    let bench = Bench::new();
    let user = bench.add_user("bo");
    for token in ["old", "new"] {
        let device = DeviceDraft::check(None, Some(token.into())).unwrap();
        let added = move |tx: &store::Tx<'_>| {
            store::devices::insert(tx, user, &device, Uuid::new_v4(), now())
        };
        bench.app.store.write(added).unwrap();
    }
    let sent = ["old", "new"].map(|token| {
        let push = NewMessage {
            recipient: token.into(),
            ..message(Format::Push)
        };
        insert(&bench.app, push)
    });
    let service = Puppet::new("puppet:", |push| match push.recipient.as_str() {
        "old" => Err(failure(Class::Gone)),
        _ => Ok(Receipt::default()),
    });
    let outbox = bench.start(vec![(Channel::Push, service)]);
    bench.settled();
    stop(outbox);
    let ended = sent.map(|id| line(&bench.app, id));
    assert_eq!(
        ended,
        [
            (Status::Failed, 1, Some("No.".into())),
            (Status::Sent, 1, None)
        ]
    );
    let left = bench.app.store.read(|db| store::devices::tokens(db, user));
    assert_eq!(left.unwrap(), ["new"]);
}
