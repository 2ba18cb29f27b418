//! A disk that is full to the last byte: what is new is refused in words that a client understands, what was accepted is
//! not lost, and what providers say is written down. (delivery.md, promises 1 and 2)

use super::disk::SmallDisk;
use super::refused::{CLIENTS, Seen, expect_no_writing, under_load};
use super::{World, logged, user};
use crate::support::app::{Caller, until};
use crate::support::binary::done;
use std::time::{Duration, Instant};

const MEGABYTES: u32 = 16;
/// Attempts in flight when the disk is full: their results need more room than a lucky page.
const HELD: usize = 32;
/// How soon messages are accepted when there is room again.
const ACCEPTS_WITHIN: Duration = Duration::from_secs(10);

/// The disk is filled while attempts are in flight, and cleared when they are over.
fn filled_and_cleared(world: &World, disk: &SmallDisk, api: &Caller, seen: &Seen) {
    let sent = || logged(api, "Status=sent");
    until("some are sent", || sent() > 50);
    // The provider has taken these and has not said so yet.
    world
        .orders
        .add(vec!["smtp.kept = hold".parse().unwrap()])
        .unwrap();
    let held = || usize::try_from(world.orders.standing()[0].struck).unwrap();
    until("attempts are in flight", || held() == HELD);
    let before = sent();
    assert_eq!(seen.refused(), 0, "there was room");
    disk.fill();
    until("all are refused", || seen.refused() > 5 * CLIENTS);
    let accepted = seen.accepted();

    expect_no_writing(api);
    world.orders.lift();
    until("what the provider says is written down", || {
        sent() >= before + HELD
    });
    let refused = seen.refused();
    until("more are refused", || seen.refused() > refused + CLIENTS);
    assert_eq!(seen.accepted(), accepted, "the disk was full all the time");

    disk.clear();
    let cleared = Instant::now();
    until("messages are accepted again", || seen.accepted() > accepted);
    let waited = cleared.elapsed();
    eprintln!("accepted again after {} ms", waited.as_millis());
    assert!(waited < ACCEPTS_WITHIN, "{waited:?}");
}

#[test]
fn a_full_disk_refuses_what_is_new_and_loses_nothing_that_was_accepted() {
    let mut world = World::on(|path| SmallDisk::mount(MEGABYTES, path));
    world.connections = HELD;
    let Some(disk) = &world.disk else { return };
    let running = world.serve();
    let api = running.caller(&world.key);
    let path = user(&api);
    let seen = Seen::default();
    under_load(&api, &path, &seen, || {
        filled_and_cleared(&world, disk, &api, &seen)
    });
    let accepted = seen.into_accepted();
    until("all are sent", || {
        logged(&api, "Status=sent") == accepted.len()
    });
    let once = accepted.into_iter().map(|guid| (guid, 1));
    assert_eq!(world.received(), once.collect());
    assert_eq!(running.stop().code, Some(0));
    done(&["check", "--data-dir", &world.data_dir()], &[]);
}

#[test]
fn a_killed_appliance_starts_on_a_full_disk_from_its_reserve() {
    let world = World::on(|path| SmallDisk::mount(MEGABYTES, path));
    let Some(disk) = &world.disk else { return };
    world
        .orders
        .add(vec!["smtp.connect = refuse".parse().unwrap()])
        .unwrap();
    let first = world.serve();
    let api = first.caller(&world.key);
    let (path, seen) = (user(&api), Seen::default());
    under_load(&api, &path, &seen, || {
        until("some are accepted", || seen.accepted() > 20);
        disk.fill();
        until("all are refused", || seen.refused() > 5 * CLIENTS);
    });
    first.kill();

    let second = world.serve();
    let api = second.caller(&world.key);
    let accepted = seen.accepted();
    assert_eq!(logged(&api, "Status=queued"), accepted, "reading goes on");
    assert!(!seen.send(&api, &path), "there is no room");
    second.kill();

    // Somebody takes the room of the reserve: then it cannot start, and says why.
    disk.fill();
    let third = world.start().ended();
    assert_eq!(third.code, Some(1));
    let sentence = format!(
        "herald: Cannot write into {}: database or disk is full. Make room on its disk, or mend it; then start Herald again.",
        world.data_dir()
    );
    assert_eq!(third.err.lines().last().unwrap(), sentence);

    disk.clear();
    world.orders.lift();
    let fourth = world.serve();
    let api = fourth.caller(&world.key);
    until("messages are accepted again", || seen.send(&api, &path));
    until("all are sent", || {
        logged(&api, "Status=sent") == accepted + 1
    });
    let once = seen.into_accepted().into_iter();
    assert_eq!(world.received(), once.map(|guid| (guid, 1)).collect());
}
