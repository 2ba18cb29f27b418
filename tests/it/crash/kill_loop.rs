//! kill -9, again and again, at any moment of a busy appliance: no message is lost, and what goes out twice says so.
//!
//! `make kill-loop` does it 200 times over 10,000 messages; as a test it is shorter. The same seed kills at the same times.

use super::clients::{Accepted, Channel, Door, text};
use super::{Chance, World, count, logged, number, references, taken, unfinished, user};
use crate::support::app::{Caller, until};
use crate::support::binary::{Running, done};
use herald::simulate::fault::{Fault, Place, Stage};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How soon a killed appliance serves again, in milliseconds: long enough for a machine that is busy with other tests.
/// `make kill-loop`, which has it for itself, demands two seconds.
const READY_MILLIS_MAX: u64 = 20_000;
/// Clients at once.
const CLIENTS: usize = 8;
/// Attempts at once: connections of the mail server's and of each gateway's.
const ATTEMPTS: usize = 4 + 4 + 4;
/// The longest that a process lives after it is ready.
const LIFE_MILLIS_MAX: u64 = 300;
/// The longest that one lives which is killed while it starts: about as long as that takes.
const START_MILLIS_MAX: u64 = 40;

/// What the clients do, and how far they may go.
struct Work {
    sends: usize,
    allowed: AtomicUsize,
    next: AtomicUsize,
    accepted: Mutex<Vec<Accepted>>,
}

/// Six in ten are mails, three SMS, one push.
fn channel(number: usize) -> Channel {
    match number % 10 {
        0..6 => Channel::Email,
        6..9 => Channel::Sms,
        _ => Channel::Push,
    }
}

/// A client that sends its share; its providers fail once for a tenth of the messages.
fn client(world: &World, door: &Door, path: &str, work: &Work) {
    loop {
        let number = work.next.fetch_add(1, Ordering::Relaxed);
        if number >= work.sends {
            return;
        }
        while number >= work.allowed.load(Ordering::Acquire) && !door.is_over() {
            std::thread::park_timeout(Duration::from_millis(1));
        }
        let channel = channel(number);
        if (number / 10).is_multiple_of(10) {
            let (place, fault) = match channel {
                Channel::Email => (
                    Place::Smtp(Stage::Rcpt),
                    Fault::reply("452 4.2.2 Full for now"),
                ),
                Channel::Sms => (Place::Answer(Some("twilio")), Fault::http(503, &[], "Busy")),
                Channel::Push => (Place::Answer(Some("ntfy")), Fault::http(429, &[], "Busy")),
            };
            world.orders.next(place, fault).unwrap();
        }
        let accepted = door.send(path, channel, number);
        work.accepted.lock().unwrap().push(accepted);
    }
}

/// Waits while a kill would be the third in a row that a message meets in an attempt: that would make it poison, and end it
/// as `crashed` on purpose. (delivery.md, "Poison") No message is claimed a third time while this holds.
fn until_nothing_is_taken_for_poison(world: &World) {
    let file = format!("{}/herald.db", world.data_dir());
    let database = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let sql = "select count(*) from message where status in ('queued', 'sending')
        and (claims > 2 or claims = 2 and status = 'queued')";
    until("no message has met two kills", || {
        database.query_row(sql, [], |row| row.get(0)) == Ok(0)
    });
}

/// Starts it and waits until it is ready; how long that took.
fn restart(world: &World, door: &Door) -> (Running, Duration) {
    let begun = Instant::now();
    let running = world.serve();
    let api = running.caller(&world.key);
    api.get("/readyz").expect(200, "ok\n");
    let ready = begun.elapsed();
    let at_most = number("HERALD_KILL_LOOP_READY_MILLIS", READY_MILLIS_MAX);
    assert!(
        ready < Duration::from_millis(at_most),
        "ready after {ready:?}"
    );
    door.open(api);
    (running, ready)
}

/// Kills it so many times while the clients work; the server that is left, and how long the slowest start took.
fn killed(
    world: &World,
    door: &Door,
    work: &Work,
    first: Running,
    kills: usize,
    chance: &mut Chance,
) -> (Running, Duration) {
    let (mut running, mut slowest) = (first, Duration::ZERO);
    let mut kill = 0;
    while kill < kills {
        let allowed = work.sends * (kill + 1) / (kills + 1);
        work.allowed.store(allowed, Ordering::Release);
        sleep(Duration::from_millis(chance.below(LIFE_MILLIS_MAX)));
        until_nothing_is_taken_for_poison(world);
        door.shut();
        running.kill();
        kill += 1;
        if kill % 8 == 0 && kill < kills {
            // This one dies before it is ready, while it puts right what the last one left.
            let stillborn = world.start();
            sleep(Duration::from_millis(chance.below(START_MILLIS_MAX)));
            stillborn.kill();
            kill += 1;
        }
        let ready;
        (running, ready) = restart(world, door);
        slowest = slowest.max(ready);
    }
    work.allowed.store(work.sends, Ordering::Release);
    (running, slowest)
}

/// Waits as long as ever fewer messages wait.
fn until_nothing_waits(api: &Caller) {
    let mut left = unfinished(api);
    while left > 0 {
        until("fewer messages wait", || unfinished(api) < left);
        left = unfinished(api);
    }
}

/// How often each message came: mails and push by their GUID, SMS by their text.
fn came(world: &World) -> BTreeMap<String, usize> {
    let mut came = world.received();
    came.extend(count(taken(&world.texts).into_iter()));
    came.extend(count(references(&world.texts).into_iter()));
    came
}

/// What is wrong with a message that was accepted, and how often it came beyond once.
fn judged(
    api: &Caller,
    came: &BTreeMap<String, usize>,
    message: &Accepted,
) -> Result<usize, String> {
    let entry = api.get(&message.entry).json()["Data"].take();
    let by = match message.channel {
        Channel::Sms => text(message.number),
        _ => message.guid.clone(),
    };
    let times = came.get(&by).copied().unwrap_or_default();
    let history = entry["History"].as_array().unwrap();
    let unknown = history.iter().filter(|attempt| attempt["Result"].is_null());
    let is_sent = entry["Guid"] == message.guid.as_str() && entry["Status"] == "sent";
    match is_sent && (1..=1 + unknown.count()).contains(&times) {
        true => Ok(times - 1),
        false => Err(format!("came {times} times: {message:?} {entry:#}")),
    }
}

#[test]
fn a_killed_appliance_loses_nothing_and_repeats_only_what_it_cannot_know_of() {
    let sends = number("HERALD_KILL_LOOP_SENDS", 1000);
    let kills = number("HERALD_KILL_LOOP_KILLS", 20);
    let seed = number("HERALD_KILL_LOOP_SEED", u64::from(std::process::id()));
    eprintln!("HERALD_KILL_LOOP_SEED={seed}");
    let (world, door, mut chance) = (World::new(), Door::default(), Chance(seed));
    let (first, _) = restart(&world, &door);
    let path = user(&door.api());
    let work = Work {
        sends,
        allowed: AtomicUsize::new(0),
        next: AtomicUsize::new(0),
        accepted: Mutex::default(),
    };
    let (last, slowest) = std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| client(&world, &door, &path, &work));
        }
        door.during(|| killed(&world, &door, &work, first, kills, &mut chance))
    });
    let api = door.api();
    until_nothing_waits(&api);

    let came = came(&world);
    let accepted = work.accepted.into_inner().unwrap();
    assert_eq!(accepted.len(), sends);
    let judged: Vec<_> = accepted
        .iter()
        .map(|message| judged(&api, &came, message))
        .collect();
    let lost: Vec<_> = judged
        .iter()
        .filter_map(|judged| judged.as_ref().err())
        .collect();
    let repeated: usize = judged.iter().flatten().sum();
    let bound = kills * ATTEMPTS;
    eprintln!(
        "| sends | kills | lost | duplicates | bound | slowest ready |\n|---:|---:|---:|---:|---:|---:|"
    );
    let (lost_count, slowest) = (lost.len(), slowest.as_millis());
    eprintln!("| {sends} | {kills} | {lost_count} | {repeated} | {bound} | {slowest} ms |");
    assert_eq!(lost, Vec::<&String>::new());
    assert!(repeated <= bound, "{repeated} came twice, {bound} may");
    expect_nothing_else(&world, &api, &accepted, &door);
    last.kill();
}

/// The database is intact and has the messages that were accepted and no others, but for push whose answer was lost.
fn expect_nothing_else(world: &World, api: &Caller, accepted: &[Accepted], door: &Door) {
    let pushed = accepted
        .iter()
        .filter(|one| one.channel == Channel::Push)
        .count();
    let logged_push = logged(api, "MessageFormat=3");
    let unanswered = door.unanswered.load(Ordering::Relaxed);
    assert!((pushed..=pushed + unanswered).contains(&logged_push));
    let checked = done(&["check", "--json", "--data-dir", &world.data_dir()], &[]);
    let checked: Value = serde_json::from_str(&checked).unwrap();
    assert_eq!(checked["messages"], accepted.len() - pushed + logged_push);
    for status in [
        "queued",
        "sending",
        "failed",
        "expired",
        "cancelled",
        "suppressed",
    ] {
        assert_eq!(logged(api, &format!("Status={status}")), 0, "{status}");
    }
}
