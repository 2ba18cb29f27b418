//! A disk that cannot flush any more: nothing that was accepted before is lost, and nothing is accepted on a mere hope.
//! (delivery.md, promise 1)

use super::power::{Disk, Watch};
use super::refused::{CLIENTS, Seen, expect_no_writing, under_load};
use super::{World, logged, user};
use crate::support::app::until;
use crate::support::binary::done;

#[test]
fn a_disk_that_fails_to_flush_refuses_what_is_new_and_keeps_what_was_accepted() {
    let (watch, mut world, seen) = (Watch::new(), World::new(), Seen::default());
    let (data_dir, mut disk) = (world.data_dir(), Disk::of(&world.data_dir()));
    world.environment.extend(watch.environment(&data_dir));
    let first = world.serve();
    let api = first.caller(&world.key);
    let path = user(&api);
    under_load(&api, &path, &seen, || {
        until("some are accepted", || seen.accepted() > 50);
        assert_eq!(seen.refused(), 0, "the disk was sound");
        watch.fail();
        until("all are refused", || seen.refused() > 5 * CLIENTS);
        let accepted = seen.accepted();
        expect_no_writing(&api);
        // The next flush may go well, and mean nothing: what failed to reach the disk is not tried again.
        watch.mend();
        let refused = seen.refused();
        until("more are refused", || {
            seen.refused() > refused + 5 * CLIENTS
        });
        assert_eq!(
            seen.accepted(),
            accepted,
            "nothing is accepted until the next start"
        );
        expect_no_writing(&api);
    });
    let log = first.kill();
    let why = "ERROR the disk failed to keep what was written; mend it, then start Herald again: Input/output error (os error 5)";
    assert!(log.contains(why), "{log}");

    // What was written and not flushed before the disk failed is gone, as after such a fault it may be.
    disk.replay(&watch.read(), usize::MAX);
    std::fs::remove_dir_all(&data_dir).unwrap();
    disk.leave(&data_dir, || false);
    done(&["check", "--data-dir", &data_dir], &[]);
    world.environment.clear();
    let second = world.serve();
    let api = second.caller(&world.key);
    let accepted = seen.into_accepted();
    until("all are sent", || {
        logged(&api, "Status=sent") == accepted.len()
    });
    assert_eq!(logged(&api, ""), accepted.len());
    assert!(world.received().keys().eq(&accepted));
}
