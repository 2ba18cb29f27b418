//! Who waits for whom: system messages, channels, a process that is stopped or dies.

use super::{Bench, Puppet, after, claim, entry, insert, line, mail, now, put, sms, stop};
use herald::channel::Receipt;
use herald::domain::format::Channel;
use herald::domain::ids::MessageId;
use herald::domain::message::{NewMessage, Status};
use herald::outbox::Bells;
use herald::store::claims::{Claimed, Takes, unclaim};
use herald::store::waiting::release_all;
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;

fn system() -> NewMessage {
    NewMessage {
        is_system: true,
        ..mail()
    }
}

/// A provider that tells when it is inside and stays there until it is let go; after that it lets all pass.
fn gate() -> (Puppet, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (inside, is_inside) = mpsc::channel();
    let (let_go, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let puppet = Puppet::new("gate:", move |_| {
        // Nobody listens any more once the test is over.
        inside.send(()).unwrap_or(());
        wait.lock().unwrap().recv().unwrap_or(());
        Ok(Receipt::default())
    });
    (puppet, is_inside, let_go)
}

#[test]
fn a_system_message_is_sent_before_the_backlog_it_finds() {
    let bench = Bench::new();
    let (puppet, is_inside, let_go) = gate();
    let given = puppet.given();
    let outbox = bench.start(vec![(Channel::Email, puppet)]);
    let first = mail();
    let mut order = vec![first.guid];
    put(&bench.app, first);
    is_inside.recv().unwrap();
    let backlog: Vec<_> = (0..30).map(|_| mail()).collect();
    let urgent = system();
    order.push(urgent.guid);
    order.extend(backlog.iter().map(|message| message.guid));
    for message in backlog {
        put(&bench.app, message);
    }
    put(&bench.app, urgent);
    drop(let_go);
    bench.settled();
    stop(outbox);
    assert_eq!(*given.lock().unwrap(), order);
}

#[test]
fn behind_a_slow_provider_a_system_message_waits_for_one_attempt_and_not_for_a_batch() {
    let bench = Bench::new();
    let app = bench.app.clone();
    let urgent = system();
    let guid = urgent.guid;
    let waiting = Mutex::new(Some(urgent));
    // The second message opens a batch of two; while it is with the provider the urgent one comes.
    let puppet = Puppet::new("puppet:", move |message| {
        if message.subject.as_deref() == Some("slow") {
            insert(&app, waiting.lock().unwrap().take().unwrap());
            std::thread::sleep(Duration::from_millis(1050));
        }
        Ok(Receipt::default())
    });
    let given = puppet.given();
    let mut slow = mail();
    slow.subject = Some("slow".into());
    let messages = [mail(), slow, mail()];
    let guids: Vec<_> = messages.iter().map(|message| message.guid).collect();
    let ids = messages.map(|message| insert(&bench.app, message));
    let outbox = bench.start(vec![(Channel::Email, puppet)]);
    bench.settled();
    stop(outbox);
    assert_eq!(*given.lock().unwrap(), [guids[0], guids[1], guid, guids[2]]);
    // What was given back is as if it had not been claimed before.
    assert_eq!(line(&bench.app, ids[2]), (Status::Sent, 1, None));
}

#[test]
fn a_channel_that_hangs_does_not_slow_another() {
    let bench = Bench::new();
    let (hanging, is_inside, let_go) = gate();
    let outbox = bench.start(vec![
        (Channel::Email, hanging),
        (
            Channel::Sms,
            Puppet::new("puppet:", |_| Ok(Receipt::default())),
        ),
    ]);
    let stuck = put(&bench.app, mail());
    is_inside.recv().unwrap();
    let ids: Vec<_> = (0..50).map(|_| put(&bench.app, sms())).collect();
    bench.until("every SMS is sent", || {
        ids.iter().all(|id| line(&bench.app, *id).0 == Status::Sent)
    });
    assert_eq!(line(&bench.app, stuck).0, Status::Sending);
    let attempt = entry(&bench.app, stuck).attempts.remove(0);
    assert_eq!((attempt.started, attempt.result), (now(), None));
    drop(let_go);
    bench.settled();
    stop(outbox);
}

fn claimed(bench: &Bench, limit: usize) -> Vec<Claimed> {
    bench
        .app
        .store
        .write(move |tx| {
            claim(
                tx,
                Channel::Email,
                Takes::All,
                limit,
                "test:",
                "a@example.com",
                now(),
            )
        })
        .unwrap()
}

/// What a new process does first.
fn restart(bench: &Bench) -> usize {
    bench.app.store.write(release_all).unwrap()
}

fn ids(claimed: &[Claimed]) -> Vec<MessageId> {
    claimed.iter().map(|message| message.id).collect()
}

#[test]
fn a_message_that_takes_the_process_down_three_times_is_set_aside() {
    let bench = Bench::new();
    let poison = insert(&bench.app, mail());
    for round in 1..=3 {
        assert_eq!(ids(&claimed(&bench, 1)), [poison], "{round}");
        let (status, attempts, _) = line(&bench.app, poison);
        assert_eq!((status, attempts), (Status::Sending, round));
        assert_eq!(restart(&bench), usize::from(round < 3));
    }
    let error = "crashed: the process ended 3 times while sending this message.".to_owned();
    assert_eq!(line(&bench.app, poison), (Status::Failed, 3, Some(error)));
    let results: Vec<_> = entry(&bench.app, poison)
        .attempts
        .iter()
        .map(|attempt| attempt.result)
        .collect();
    assert_eq!(results, [None, None, None]);
}

#[test]
fn the_neighbours_of_a_poison_are_not_suspected_with_it() {
    let bench = Bench::new();
    let all: Vec<_> = (0..4).map(|_| insert(&bench.app, mail())).collect();
    assert_eq!(ids(&claimed(&bench, 8)), all);
    assert_eq!(restart(&bench), 4);
    // Whatever the batch could hold: each goes alone until it has had a result.
    for id in &all {
        assert_eq!(ids(&claimed(&bench, 8)), [*id]);
    }
}

#[test]
fn a_result_clears_a_suspicion() {
    let bench = Bench::new();
    let id = insert(&bench.app, mail());
    for _ in 0..4 {
        claimed(&bench, 1);
        restart(&bench);
        let message = claimed(&bench, 1).remove(0);
        let again = herald::store::outbox::Verdict::Retry(now());
        bench
            .app
            .store
            .write(move |tx| herald::store::outbox::settle(tx, message.id, &again, None, true))
            .unwrap();
    }
    assert_eq!(line(&bench.app, id), (Status::Queued, 8, None));
}

#[test]
fn what_is_given_back_untried_is_as_it_was() {
    let bench = Bench::new();
    let id = insert(&bench.app, mail());
    let before = format!("{:?}", entry(&bench.app, id));
    let untried: Vec<_> = claimed(&bench, 1)
        .iter()
        .map(|message| (message.id, message.attempt))
        .collect();
    bench
        .app
        .store
        .write(move |tx| unclaim(tx, &untried))
        .unwrap();
    assert_eq!(format!("{:?}", entry(&bench.app, id)), before);
    let message = claimed(&bench, 1).remove(0);
    assert_eq!((message.attempt, message.tries), (1, 1));
}

#[test]
fn a_claim_takes_what_is_due_and_no_more_than_its_limit() {
    let bench = Bench::new();
    let later = NewMessage {
        due: after(1),
        ..mail()
    };
    insert(&bench.app, later);
    insert(&bench.app, sms());
    let bulk: Vec<_> = (0..3).map(|_| insert(&bench.app, mail())).collect();
    let urgent = insert(&bench.app, system());
    let order = [urgent, bulk[0], bulk[1], bulk[2]];
    assert_eq!(ids(&claimed(&bench, 2)), order[..2]);
    assert_eq!(ids(&claimed(&bench, 8)), order[2..]);
    assert_eq!(ids(&claimed(&bench, 8)), []);
}

#[test]
fn a_stop_that_cannot_wait_is_no_crash() {
    let bench = Bench::new();
    let id = insert(&bench.app, mail());
    let mut gates = Vec::new();
    for _ in 0..4 {
        let (puppet, is_inside, let_go) = gate();
        // Each process has bells of its own.
        let outbox = bench.start_with(&Bells::default(), vec![(Channel::Email, puppet)]);
        is_inside.recv().unwrap();
        assert!(!outbox.stop(Duration::ZERO), "there is one in flight");
        assert_eq!(line(&bench.app, id).0, Status::Sending);
        gates.push(let_go);
    }
    assert_eq!(restart(&bench), 1);
    assert_eq!(line(&bench.app, id), (Status::Queued, 4, None));
}

#[test]
fn a_stop_finishes_what_is_in_flight_and_leaves_the_rest() {
    let bench = Bench::new();
    let (puppet, is_inside, let_go) = gate();
    let given = puppet.given();
    let outbox = bench.start(vec![(Channel::Email, puppet)]);
    let first = put(&bench.app, mail());
    is_inside.recv().unwrap();
    let rest = insert(&bench.app, mail());
    let stopping = std::thread::spawn(move || outbox.stop(Duration::from_secs(10)));
    drop(let_go);
    bench.until("the first is sent", || {
        line(&bench.app, first).0 == Status::Sent
    });
    assert!(stopping.join().unwrap());
    // Whether the stop or the sender was faster: nothing is half done.
    let (status, attempts, _) = line(&bench.app, rest);
    let sent = given.lock().unwrap().len();
    assert!(
        matches!(
            (status, attempts, sent),
            (Status::Queued, 0, 1) | (Status::Sent, 1, 2)
        ),
        "{status:?} {attempts} {sent}"
    );
}
