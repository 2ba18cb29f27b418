//! An `Idempotency-Key` makes a repeat harmless, however many come at once and whatever happens meanwhile. (api.md,
//! section 3, rule 5)

use super::clients::{Channel, Door, order, text};
use super::{World, logged, user};
use crate::support::app::until;
use crate::support::binary::Running;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

const KEYS: usize = 50;
/// Equal posts at once, with each key.
const POSTS: usize = 20;

/// What was answered to each key: messages and the place of the log entry.
type Answers = BTreeMap<usize, BTreeSet<(String, String)>>;

fn serve(world: &World, door: &Door) -> Running {
    let running = world.serve();
    door.open(running.caller(&world.key));
    running
}

/// Everybody posts all keys in the same order, so that equal posts meet; `meanwhile` is told how to count the answers.
fn flood<T>(
    door: &Door,
    path: &str,
    answers: &Mutex<Answers>,
    meanwhile: impl FnOnce(&dyn Fn() -> usize) -> T,
) -> T {
    let answered = Mutex::new(0);
    let done = std::thread::scope(|scope| {
        for _ in 0..POSTS {
            scope.spawn(|| {
                for key in 0..KEYS {
                    let order = order(Channel::Email, &text(key));
                    let reply = door.ask(path, Some(&format!("key-{key}")), &order);
                    let reply = reply.expect(202, "");
                    let answer =
                        ["x-message-id", "location"].map(|name| reply.header(name).to_owned());
                    answers
                        .lock()
                        .unwrap()
                        .entry(key)
                        .or_default()
                        .insert(answer.into());
                    *answered.lock().unwrap() += 1;
                }
            });
        }
        door.during(|| meanwhile(&|| *answered.lock().unwrap()))
    });
    assert_eq!(answered.into_inner().unwrap(), KEYS * POSTS);
    done
}

#[test]
fn fifty_keys_in_twenty_posts_each_are_fifty_messages_also_after_a_kill() {
    let (world, door, answers) = (World::new(), Door::default(), Mutex::default());
    let first = serve(&world, &door);
    let path = user(&door.api());
    // Nothing is on its way when the process is killed, so nothing may come twice.
    world
        .orders
        .add(vec!["smtp.connect = refuse".parse().unwrap()])
        .unwrap();
    let second = flood(&door, &path, &answers, |answered| {
        until("a part is answered", || answered() > KEYS * POSTS / 4);
        door.shut();
        first.kill();
        serve(&world, &door)
    });
    flood(&door, &path, &answers, |_| {});
    door.shut();
    second.kill();
    let third = serve(&world, &door);
    flood(&door, &path, &answers, |_| {});
    world.orders.lift();

    let api = door.api();
    until("all are sent", || logged(&api, "Status=sent") == KEYS);
    let answers = answers.into_inner().unwrap();
    let once: Vec<_> = answers.values().map(BTreeSet::len).collect();
    assert_eq!(once, [1; KEYS], "one answer for each key, every time");
    let accepted = answers.into_values().flatten().map(|(guid, _)| (guid, 1));
    assert_eq!(world.received(), accepted.collect(), "each came once");
    assert_eq!(logged(&api, ""), KEYS);
    assert_eq!(third.stop().code, Some(0));
}
