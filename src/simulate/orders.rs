//! Which faults are in force, and how often each still strikes.
//!
//! One list for both servers, so that an outage can be ordered and lifted as a whole. What strikes by chance does so by
//! a seeded generator that counts for each fault by itself: the same orders over the same messages strike the same.

use super::fault::{Fault, Place};
use mio::Waker;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// How often a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// Until it is lifted.
    Always,
    /// So many times.
    Next(u32),
    /// So many times in a hundred, by chance.
    Percent(u32),
}

/// A fault in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Counted from 1 since the start.
    pub number: u64,
    /// Where it strikes.
    pub place: Place,
    /// What happens.
    pub fault: Fault,
    /// How often, as it was ordered.
    pub times: Times,
    /// How often it has struck.
    pub struck: u64,
    /// How often its place was reached while it was next in line.
    reached: u64,
}

impl Order {
    /// Whether it strikes this time, and whether it was the last time.
    fn strikes(&mut self, seed: u64) -> (bool, bool) {
        self.reached += 1;
        let (strikes, is_over) = match self.times {
            Times::Always => (true, false),
            Times::Next(times) => (true, self.struck + 1 >= u64::from(times)),
            Times::Percent(percent) => {
                let drawn = scatter(seed ^ scatter(self.number) ^ self.reached) % 100;
                (drawn < u64::from(percent), false)
            }
        };
        self.struck += u64::from(strikes);
        (strikes, is_over)
    }
}

/// A fault that strikes now.
pub(super) struct Struck {
    pub(super) fault: Fault,
    lifted: u64,
}

/// The faults in force.
#[derive(Debug, Default)]
pub struct Orders {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    seed: u64,
    list: Vec<Order>,
    numbered: u64,
    /// How often all faults were lifted.
    lifted: u64,
    watchers: Vec<Arc<Waker>>,
}

/// The longest that [`Fault::Hold`] holds: a client's whole attempt is over by then.
const HOLD_MAX: Duration = Duration::from_secs(15 * 60);

impl Orders {
    /// No faults; those by chance will strike as this seed says.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let orders = Self::default();
        orders.lock().seed = seed;
        orders
    }

    /// Adds a fault, behind those that stand for the same place; its number.
    pub fn add(&self, place: Place, fault: Fault, times: Times) -> u64 {
        let mut state = self.lock();
        state.numbered += 1;
        let number = state.numbered;
        state.list.push(Order {
            number,
            place,
            fault,
            times,
            struck: 0,
            reached: 0,
        });
        state.tell();
        number
    }

    /// The next time the place is reached, this happens; several for one place strike in turn.
    pub fn next(&self, place: Place, fault: Fault) {
        self.add(place, fault, Times::Next(1));
    }

    /// Ends all faults, and lets go of whoever is held.
    pub fn lift(&self) {
        let mut state = self.lock();
        state.list.clear();
        state.lifted += 1;
        state.tell();
        self.changed.notify_all();
    }

    /// The faults in force.
    #[must_use]
    pub fn list(&self) -> Vec<Order> {
        self.lock().list.clone()
    }

    /// Whether the port of this place is closed.
    pub(super) fn is_refusing(&self, place: Place) -> bool {
        let refuses = |order: &Order| order.fault == Fault::Refuse && order.place.covers(place);
        self.lock().list.iter().any(refuses)
    }

    /// Whether a fault stands for this place.
    pub(super) fn expects(&self, place: Place) -> bool {
        self.lock()
            .list
            .iter()
            .any(|order| order.place.covers(place))
    }

    /// The fault that strikes at this place now, if any.
    pub(super) fn strike(&self, place: Place) -> Option<Struck> {
        let mut state = self.lock();
        let (seed, lifted) = (state.seed, state.lifted);
        for at in 0..state.list.len() {
            let order = &mut state.list[at];
            if !order.place.covers(place) || order.fault == Fault::Refuse {
                continue;
            }
            let (strikes, is_over) = order.strikes(seed);
            let fault = order.fault.clone();
            if is_over {
                state.list.remove(at);
            }
            if strikes {
                return Some(Struck { fault, lifted });
            }
        }
        None
    }

    /// Waits until all faults are lifted; at once if they were since this one struck.
    pub(super) fn hold(&self, struck: &Struck) {
        let held = |state: &mut State| state.lifted == struck.lifted;
        drop(self.changed.wait_timeout_while(self.lock(), HOLD_MAX, held));
    }

    /// From now on this listener looks up whenever the faults change.
    pub(super) fn wake(&self, watcher: Arc<Waker>) {
        self.lock().watchers.push(watcher);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl State {
    fn tell(&self) {
        for watcher in &self.watchers {
            if let Err(why) = watcher.wake() {
                log::debug!("a listener cannot be woken: {why}");
            }
        }
    }
}

/// A number that looks like chance: the finalizer of SplitMix64. (Steele, Lea, Flood: "Fast splittable pseudorandom
/// number generators", 2014)
fn scatter(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
