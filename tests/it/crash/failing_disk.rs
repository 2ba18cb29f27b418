//! A disk that cannot flush: nothing that was accepted before is lost, and nothing is accepted, copied or said again on the
//! mere hope that it is on disk. (delivery.md, promise 1)

use super::power::{Disk, Watch};
use super::refused::{CLIENTS, Seen, expect_no_writing, under_load};
use super::{World, logged, unfinished, user};
use crate::support::app::{Caller, until};
use crate::support::binary::{Running, done};
use std::collections::BTreeSet;

/// How often each client is refused: at its pace that takes longer than it takes the appliance to look at a full disk again
/// and to empty a log to which nothing is added.
const REFUSED: usize = 200;

/// The program on a disk that can be made to fail.
struct Site {
    watch: Watch,
    world: World,
    seen: Seen,
    /// What is sure to be on the disk, as far as that was looked at.
    disk: Disk,
}

impl Site {
    fn new() -> (Self, Running, Caller, String) {
        let (watch, mut world) = (Watch::new(), World::new());
        let (data_dir, seen) = (world.data_dir(), Seen::default());
        let disk = Disk::of(&data_dir);
        world.environment.extend(watch.environment(&data_dir));
        let running = world.serve();
        let api = running.caller(&world.key);
        let path = user(&api);
        // So that what is flushed is what clients send, and a stop waits for nothing that is on its way. By the server
        // itself, for a command's writes are not watched.
        let paused = api.post("/api/admin/v1/outbox/pause", "{}");
        assert_eq!(paused.status, 200, "{}", paused.body);
        let site = Self {
            watch,
            world,
            seen,
            disk,
        };
        (site, running, api, path)
    }

    /// Has the disk fail and, when all clients have been refused, be sound again.
    fn fail_for_a_while(&self) {
        until("some are accepted", || self.seen.accepted() > 50);
        assert_eq!(self.seen.refused(), 0, "the disk was sound");
        self.watch.fail();
        until("all are refused", || self.seen.refused() > 5 * CLIENTS);
        self.watch.mend();
    }

    /// The next flush may go well, and mean nothing. A repeat is refused too, although what it asks for can be seen.
    fn expect_refused_for_good(&self, api: &Caller, path: &str) {
        expect_no_writing(api);
        let accepted = self.seen.accepted();
        let enough = self.seen.refused() + REFUSED * CLIENTS;
        under_load(api, path, &self.seen, || {
            until("more are refused", || self.seen.refused() > enough);
        });
        assert_eq!(self.seen.accepted(), accepted, "not before the next start");
    }

    /// Leaves of the directory what is sure, as the end of the system may after such a fault.
    fn lose_what_is_not_sure(&mut self) {
        let data_dir = self.world.data_dir();
        self.disk.replay(&self.watch.read(), usize::MAX);
        std::fs::remove_dir_all(&data_dir).unwrap();
        self.disk.leave(&data_dir, || false);
        done(&["check", "--data-dir", &data_dir], &[]);
    }

    /// Starts it on a disk that nobody watches, and waits until nothing waits: what was accepted, and what was sent.
    fn sent_after_a_start(mut self) -> (BTreeSet<String>, BTreeSet<String>) {
        let data_dir = self.world.data_dir();
        done(&["outbox", "resume", "--data-dir", &data_dir], &[]);
        self.world.environment.clear();
        let running = self.world.serve();
        let api = running.caller(&self.world.key);
        until("all are sent", || unfinished(&api) == 0);
        assert_eq!(logged(&api, "Status=sent"), logged(&api, ""));
        let sent: BTreeSet<_> = self.world.received().into_keys().collect();
        assert_eq!(sent.len(), logged(&api, ""));
        (self.seen.into_accepted(), sent)
    }
}

const WHY: &str =
    "ERROR the disk failed to keep what was written; mend it, then start Herald again: ";

#[test]
fn a_disk_that_fails_to_flush_refuses_what_is_new_and_keeps_what_was_accepted() {
    let (mut site, running, api, path) = Site::new();
    under_load(&api, &path, &site.seen, || site.fail_for_a_while());
    site.expect_refused_for_good(&api, &path);
    let log = running.kill();
    let lines = log.lines().filter(|line| line.contains(WHY));
    assert_eq!(lines.count(), 1, "{log}");
    site.lose_what_is_not_sure();
    let (accepted, sent) = site.sent_after_a_start();
    assert_eq!(sent, accepted);
}

#[test]
fn a_log_that_cannot_be_begun_is_not_begun_before_the_next_start() {
    let (mut site, running, api, path) = Site::new();
    assert!(site.seen.send(&api, &path));
    let log = format!("{}/herald.db-wal", site.world.data_dir());
    until("the log of changes is emptied", || {
        std::fs::metadata(&log).is_ok_and(|log| log.len() == 0)
    });
    // Its first page is flushed by the commit itself.
    site.watch.fail();
    assert!(!site.seen.send(&api, &path));
    site.watch.mend();
    site.expect_refused_for_good(&api, &path);
    running.kill();
    site.lose_what_is_not_sure();
    let (accepted, sent) = site.sent_after_a_start();
    assert_eq!(sent, accepted);
}

#[test]
fn what_a_failed_flush_has_lost_is_not_copied_into_the_database() {
    let (site, running, api, path) = Site::new();
    under_load(&api, &path, &site.seen, || site.fail_for_a_while());
    let said = running.stop();
    assert_eq!(said.code, Some(0), "{}", said.err);
    // Whatever flushed the log again would have found what the disk has in place of what it could not write.
    done(&["check", "--data-dir", &site.world.data_dir()], &[]);
    let (accepted, sent) = site.sent_after_a_start();
    // What was refused may be there too: who was refused comes again with its key.
    assert!(sent.is_superset(&accepted));
}
