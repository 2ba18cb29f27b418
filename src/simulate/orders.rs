//! Which faults are in force, and how often each still strikes.
//!
//! One list for both servers, so that an outage can be ordered and lifted as a whole. What strikes by chance does so by
//! a seeded generator that counts for each fault by itself: the same orders over the same messages strike the same.

use super::fault::{Fault, Place};
use mio::Waker;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// How often a fault strikes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Times {
    /// Until it is lifted.
    #[default]
    Always,
    /// So many times.
    Next(u32),
    /// So many times in a hundred, by chance.
    Percent(u32),
    /// Each time for so long.
    For(Duration),
}

/// What is ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Where it strikes.
    pub place: Place,
    /// How often.
    pub times: Times,
    /// What happens.
    pub fault: Fault,
}

/// A fault in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Counted from 1 since the start.
    pub number: u64,
    /// What was ordered.
    pub order: Order,
    /// How often it has struck.
    pub struck: u64,
    /// How often its place was reached while it was next in line.
    reached: u64,
    ends: Option<Instant>,
}

/// The most faults that stand at once.
pub const ORDERS_MAX: usize = 1000;

/// The longest that [`Fault::Hold`] holds: a client's whole attempt is over by then.
const HOLD_MAX: Duration = Duration::from_secs(15 * 60);

impl Standing {
    fn is_over(&self, now: Instant) -> bool {
        let is_spent =
            matches!(self.order.times, Times::Next(times) if self.struck >= u64::from(times));
        is_spent || self.ends.is_some_and(|ends| ends <= now)
    }

    /// Whether it strikes this time.
    fn strikes(&mut self, seed: u64) -> bool {
        self.reached += 1;
        let strikes = match self.order.times {
            Times::Always | Times::Next(_) | Times::For(_) => true,
            Times::Percent(percent) => {
                scatter(seed ^ scatter(self.number) ^ self.reached) % 100 < u64::from(percent)
            }
        };
        self.struck += u64::from(strikes);
        strikes
    }
}

/// A fault that strikes now.
#[derive(Debug)]
pub(super) struct Struck {
    pub(super) fault: Fault,
    lifted: u64,
}

/// Whether a port is to be closed, and until when that is known to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    Open,
    Closed { until: Option<Instant> },
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
    standing: Vec<Standing>,
    numbered: u64,
    /// How often all faults were lifted.
    lifted: u64,
    watchers: Vec<Arc<Waker>>,
}

impl Orders {
    /// No faults; those by chance will strike as this seed says.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let orders = Self::default();
        orders.lock().seed = seed;
        orders
    }

    /// Adds faults, behind those that stand for the same places: all, or none when there are too many.
    ///
    /// # Errors
    /// A sentence about [`ORDERS_MAX`].
    pub fn add(&self, orders: Vec<Order>) -> Result<(), String> {
        let (mut state, now) = (self.lock(), Instant::now());
        state.tidy(now);
        if state.standing.len() + orders.len() > ORDERS_MAX {
            return Err(format!(
                "More than {ORDERS_MAX} faults would stand at once; lift those that you have seen."
            ));
        }
        for order in orders {
            state.numbered += 1;
            let number = state.numbered;
            let ends = match order.times {
                Times::For(time) => now.checked_add(time),
                Times::Always | Times::Next(_) | Times::Percent(_) => None,
            };
            state.standing.push(Standing {
                number,
                order,
                struck: 0,
                reached: 0,
                ends,
            });
        }
        state.tell();
        Ok(())
    }

    /// The next time the place is reached, this happens; several for one place strike in turn.
    ///
    /// # Errors
    /// As [`Orders::add`].
    pub fn next(&self, place: Place, fault: Fault) -> Result<(), String> {
        let times = Times::Next(1);
        self.add(vec![Order {
            place,
            times,
            fault,
        }])
    }

    /// Ends all faults, and lets go of whoever is held.
    pub fn lift(&self) {
        let mut state = self.lock();
        state.standing.clear();
        state.lifted += 1;
        state.tell();
        self.changed.notify_all();
    }

    /// The faults in force.
    #[must_use]
    pub fn standing(&self) -> Vec<Standing> {
        let mut state = self.lock();
        state.tidy(Instant::now());
        state.standing.clone()
    }

    /// Whether the port of this place is to be closed.
    pub(super) fn port(&self, place: Place) -> Port {
        let mut state = self.lock();
        state.tidy(Instant::now());
        let refuses = |standing: &&Standing| {
            standing.order.fault == Fault::Refuse && standing.order.place.covers(place)
        };
        match state.standing.iter().find(refuses) {
            None => Port::Open,
            Some(standing) => Port::Closed {
                until: standing.ends,
            },
        }
    }

    /// Whether a fault stands for this place.
    pub(super) fn expects(&self, place: Place) -> bool {
        let state = self.lock();
        let mut standing = state.standing.iter();
        standing.any(|standing| standing.order.place.covers(place))
    }

    /// The fault that strikes at this place now, if any.
    pub(super) fn strike(&self, place: Place) -> Option<Struck> {
        self.strikes(place, 1).pop()
    }

    /// The faults that strike at this place now, at most so many.
    pub(super) fn strikes(&self, place: Place, at_most: usize) -> Vec<Struck> {
        let mut state = self.lock();
        let (now, seed, lifted) = (Instant::now(), state.seed, state.lifted);
        state.tidy(now);
        let mut struck = Vec::new();
        for standing in &mut state.standing {
            let Order {
                place: there,
                fault,
                ..
            } = &standing.order;
            if struck.len() >= at_most || !there.covers(place) || *fault == Fault::Refuse {
                continue;
            }
            let fault = fault.clone();
            if standing.strikes(seed) {
                log::info!("fault {} strikes: {}", standing.number, standing.order);
                struck.push(Struck { fault, lifted });
            }
        }
        state.tidy(now);
        struck
    }

    /// Waits until all faults are lifted; not at all if they were since this one struck.
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
    fn tidy(&mut self, now: Instant) {
        self.standing.retain(|standing| !standing.is_over(now));
    }

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
