//! The power is cut: the disk has what was flushed, and of what was not flushed any part. (delivery.md, promises 1 and 3)
//!
//! One run under load is recorded, every write and every flush in its order. Then the directory is made as a cut may leave
//! it at many moments, each time with another part of what was not on disk yet, torn within a page or out of order.
//! `make power-cuts` cuts 400 times; as a test it is shorter. The same seed cuts the same.

mod cut;
mod watch;

use super::clients::{Channel, order, text};
use super::{Chance, World, guid_of, number, user};
use crate::support::app::{Caller, until};
use crate::support::binary::herald;
pub(super) use cut::Disk;
use herald::simulate::book::{Book, Event};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
pub(super) use watch::Watch;

const CLIENTS: usize = 4;
/// How often the clients rest until the log of changes is emptied.
const RESTS: usize = 2;

/// Messages, each with the length that the record had when something was known of it.
type Known = Mutex<Vec<(usize, String)>>;

/// What a run was known to have done, and when.
#[derive(Default)]
struct Run {
    /// The client has its 202.
    accepted: Known,
    /// The provider has the mail.
    taken: Arc<Known>,
}

/// Sends these messages, or as many as there is a server for; does this meanwhile.
fn under_load(
    watch: &Watch,
    api: &Caller,
    path: &str,
    run: &Run,
    numbers: Range<usize>,
    meanwhile: impl FnOnce(),
) {
    let next = AtomicUsize::new(numbers.start);
    let headers = [("content-type", "application/json")];
    let client = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= numbers.end {
                return;
            }
            let order = order(Channel::Email, &text(number));
            let Ok(reply) = api.try_call("POST", path, &headers, order.as_bytes()) else {
                return;
            };
            let guid = reply.expect(202, "").header("x-message-id").to_owned();
            // Whatever is recorded from here on is later than the answer.
            let known = (watch.length(), guid);
            run.accepted.lock().unwrap().push(known);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(client);
        }
        meanwhile();
    });
}

/// Records a run: in its pauses the log of changes is emptied, and it ends in the middle of its work.
fn recorded(watch: &Watch, sends: usize) -> (World, Run, Disk) {
    let run = Run::default();
    let (taken, at) = (Arc::clone(&run.taken), watch.record());
    let mails = Book::witnessed(move |event| {
        if let Event::Taken(mail) = event {
            let known = (
                watch::length(&at),
                guid_of(&String::from_utf8_lossy(&mail.content)),
            );
            taken.lock().unwrap().push(known);
        }
    });
    let mut world = World::with_mails(mails);
    let disk = Disk::of(&world.data_dir());
    world
        .environment
        .extend(watch.environment(&world.data_dir()));
    let running = world.serve();
    let api = running.caller(&world.key);
    let path = user(&api);
    let log = format!("{}/herald.db-wal", world.data_dir());
    for rest in 0..RESTS {
        let numbers = sends * rest / (RESTS + 1)..sends * (rest + 1) / (RESTS + 1);
        under_load(watch, &api, &path, &run, numbers, || {});
        until("the log of changes is emptied", || {
            std::fs::metadata(&log).is_ok_and(|log| log.len() == 0)
        });
    }
    let numbers = sends * RESTS / (RESTS + 1)..sends;
    let enough = numbers.start + numbers.len() / 2;
    under_load(watch, &api, &path, &run, numbers, || {
        until("it is in the middle of its work", || {
            run.accepted.lock().unwrap().len() > enough
        });
        running.kill();
    });
    (world, run, disk)
}

/// What is known to have been there by then.
fn known_by(known: &Known, length: usize) -> BTreeSet<String> {
    let known = known.lock().unwrap();
    let by_then = known.iter().filter(|(at, _)| *at <= length);
    by_then.map(|(_, guid)| guid.clone()).collect()
}

/// The GUIDs that a statement finds.
fn guids(database: &Connection, sql: &str) -> BTreeSet<String> {
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement
        .query_map([], |row| row.get::<_, [u8; 16]>(0))
        .unwrap();
    rows.map(|guid| uuid::Uuid::from_bytes(guid.unwrap()).to_string())
        .collect()
}

/// What is wrong with a directory that a cut has left after so much of the record; how many messages had to be there.
fn judged(data_dir: &str, run: &Run, length: usize) -> Result<usize, String> {
    let said = herald(&["check", "--data-dir", data_dir], &[]);
    if said.code != Some(0) {
        return Err(format!("{}{}", said.out, said.err));
    }
    let database = Connection::open(format!("{data_dir}/herald.db")).unwrap();
    let kept = guids(&database, "select guid from message");
    let tried =
        "select guid from message m where exists (select 1 from attempt where message_id = m.id)";
    let tried = guids(&database, tried);
    let (accepted, taken) = (
        known_by(&run.accepted, length),
        known_by(&run.taken, length),
    );
    let lost: Vec<_> = accepted.difference(&kept).collect();
    let untold: Vec<_> = taken.difference(&tried).collect();
    match lost.is_empty() && untold.is_empty() {
        true => Ok(accepted.len()),
        false => Err(format!(
            "of {} accepted {lost:?} are lost, of {} taken {untold:?} have no attempt",
            accepted.len(),
            taken.len()
        )),
    }
}

#[test]
fn a_power_cut_takes_nothing_that_was_accepted_and_no_attempt_that_was_begun() {
    let sends = number("HERALD_POWER_CUTS_SENDS", 300);
    let cuts = number("HERALD_POWER_CUTS", 40);
    let seed = number("HERALD_POWER_CUTS_SEED", u64::from(std::process::id()));
    eprintln!("HERALD_POWER_CUTS_SEED={seed}");
    let watch = Watch::new();
    let (world, run, mut disk) = recorded(&watch, sends);
    let (record, mut chance) = (watch.read(), Chance(seed));
    let mut moments: Vec<_> = (0..cuts)
        .map(|_| chance.below(record.len() as u64))
        .collect();
    moments.sort_unstable();

    let (mut wrong, mut most, mut unflushed) = (Vec::new(), 0, 0);
    for (number, moment) in moments.into_iter().enumerate() {
        let length = disk.replay(&record, usize::try_from(moment).unwrap());
        unflushed += usize::from(disk.has_unflushed());
        let place = world.path(&format!("cut-{number}"));
        disk.cut(&place, &mut chance);
        match judged(&place, &run, length) {
            Ok(accepted) => most = most.max(accepted),
            Err(why) => wrong.push(format!("cut {number} at {length}: {why}")),
        }
        std::fs::remove_dir_all(&place).unwrap();
    }
    eprintln!(
        "| cuts | with something unflushed | lost in | most messages accepted before one |\n|---:|---:|---:|---:|"
    );
    eprintln!("| {cuts} | {unflushed} | {} | {most} |", wrong.len());
    assert_eq!(wrong, [""; 0]);
    assert!(
        most > sends / 3 && unflushed > 0,
        "there was something to lose"
    );
}
