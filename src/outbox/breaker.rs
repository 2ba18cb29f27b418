//! The breaker of one provider: after faults in a row it lets nobody through for a while, then one probe, then 1, 2, 4 …
//! at once. While it is open no message loses an attempt. Times are the steady clock's: somebody who sets the clock opens
//! and closes nothing. (delivery.md, "Retry policy")

use super::health::{Light, Trouble};
use super::policy::Policy;
use crate::domain::retry::Health;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// More in parallel than any provider has connections: no limit.
const UNLIMITED: usize = 64;

/// Guards one provider.
#[derive(Debug)]
pub(super) struct Breaker {
    policy: Policy,
    state: Mutex<State>,
    trouble: Mutex<Option<Trouble>>,
}

#[derive(Debug)]
struct State {
    faults: u32,
    pause: Duration,
    open_until: Option<Duration>,
    allowed: usize,
    inside: usize,
    /// Since when it lets everybody in, or has not; none since the start.
    since: Option<Duration>,
}

impl State {
    fn light(&self, now: Duration) -> Light {
        match self.open_until {
            Some(until) if now < until => Light::Open,
            _ if self.allowed < UNLIMITED => Light::HalfOpen,
            _ => Light::Closed,
        }
    }
}

/// Why a sender is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// Nobody is, before this time.
    Until(Duration),
    /// As many as may are inside, finding out whether the provider is back.
    Busy,
}

/// A sender that was let in; it has gone when this is dropped, however its attempt ended.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    breaker: &'a Breaker,
    /// Whether the provider is not yet trusted again: one message at a time, and a fault of it costs none a try.
    pub(super) is_probe: bool,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.breaker.lock().inside -= 1;
    }
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub(super) fn new(policy: Policy) -> Self {
        Self {
            state: Mutex::new(State {
                faults: 0,
                pause: policy.breaker_pause,
                open_until: None,
                allowed: UNLIMITED,
                inside: 0,
                since: None,
            }),
            trouble: Mutex::default(),
            policy,
        }
    }

    /// Lets a sender in, or says why not.
    ///
    /// # Errors
    /// [`Closed`].
    pub(super) fn enter(&self, now: Duration) -> Result<Permit<'_>, Closed> {
        let mut state = self.lock();
        if let Some(until) = state.open_until.filter(|until| now < *until) {
            return Err(Closed::Until(until));
        }
        if state.inside >= state.allowed {
            return Err(Closed::Busy);
        }
        state.inside += 1;
        Ok(Permit {
            breaker: self,
            is_probe: state.allowed < UNLIMITED,
        })
    }

    /// Until when it lets nobody in, while it does not.
    pub(super) fn open_until(&self, now: Duration) -> Option<Duration> {
        self.lock().open_until.filter(|until| now < *until)
    }

    /// How it stands; since when it is closed, or has not been; and until when it lets nobody in.
    pub(super) fn stands(&self, now: Duration) -> (Light, Option<Duration>, Option<Duration>) {
        let state = self.lock();
        let light = state.light(now);
        let until = state.open_until.filter(|_| light == Light::Open);
        (light, state.since, until)
    }

    /// Keeps what went wrong last, for people to look at.
    pub(super) fn remember(&self, trouble: Trouble) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
    }

    /// What went wrong last.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        let trouble = self.trouble.lock();
        trouble.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes what an attempt said about the provider.
    pub(super) fn note(&self, health: Health, now: Duration) {
        let mut state = self.lock();
        let before = state.light(now);
        // Attempts that were under way when it opened tell nothing new: they must not lengthen the pause.
        let is_open = state.open_until.is_some_and(|until| now < until);
        match health {
            Health::Alive => {
                state.faults = 0;
                state.open_until = None;
                state.pause = self.policy.breaker_pause;
                state.allowed = (state.allowed * 2).min(UNLIMITED);
            }
            Health::Fault | Health::Misconfigured if is_open => {}
            Health::Fault => {
                state.faults += 1;
                if state.faults >= self.policy.breaker_faults || state.allowed < UNLIMITED {
                    let pause = state.pause;
                    state.pause = (pause * 2).min(self.policy.breaker_pause_cap);
                    open(&mut state, now, pause);
                }
            }
            Health::Misconfigured => open(&mut state, now, self.policy.configuration_probe),
        }
        // A probe that fails is the same trouble going on.
        let was_open = before != Light::Closed;
        let is_open = state.light(now) != Light::Closed;
        if was_open != is_open {
            state.since = Some(now);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(state: &mut State, now: Duration, pause: Duration) {
    state.open_until = Some(now.saturating_add(pause));
    state.allowed = 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Duration {
        Duration::from_secs(1_000_000 + secs)
    }

    /// Open since second 0, after five faults.
    fn opened() -> Breaker {
        let breaker = Breaker::new(Policy::default());
        for _ in 0..5 {
            breaker.note(Health::Fault, at(0));
        }
        breaker
    }

    /// How many can be inside at once; all of them leave again.
    fn room(breaker: &Breaker, now: Duration) -> usize {
        let mut inside = Vec::new();
        while let Ok(permit) = breaker.enter(now) {
            inside.push(permit);
        }
        inside.len()
    }

    #[test]
    fn it_opens_after_five_faults_in_a_row() {
        let breaker = Breaker::new(Policy::default());
        for health in [Health::Fault, Health::Alive] {
            for _ in 0..4 {
                breaker.note(health, at(0));
            }
        }
        for _ in 0..4 {
            breaker.note(Health::Fault, at(0));
            assert_eq!(room(&breaker, at(0)), UNLIMITED);
        }
        breaker.note(Health::Fault, at(0));
        assert_eq!(breaker.enter(at(0)).err(), Some(Closed::Until(at(30))));
        assert_eq!(breaker.open_until(at(29)), Some(at(30)));
        assert_eq!(breaker.open_until(at(30)), None);
    }

    #[test]
    fn the_pause_doubles_with_each_probe_that_fails() {
        let breaker = opened();
        let mut now = 0;
        for pause in [30, 60, 120, 240, 300, 300] {
            let until = at(now + pause);
            assert_eq!(
                breaker.enter(at(now + pause - 1)).err(),
                Some(Closed::Until(until))
            );
            now += pause;
            let probe = breaker.enter(at(now)).expect("one probe");
            assert!(probe.is_probe);
            assert_eq!(breaker.enter(at(now)).err(), Some(Closed::Busy));
            breaker.note(Health::Fault, at(now));
        }
    }

    #[test]
    fn late_faults_of_attempts_under_way_do_not_lengthen_the_pause() {
        let breaker = opened();
        breaker.note(Health::Fault, at(1));
        breaker.note(Health::Misconfigured, at(2));
        assert_eq!(breaker.open_until(at(2)), Some(at(30)));
        drop(breaker.enter(at(30)).expect("one probe"));
        breaker.note(Health::Fault, at(30));
        assert_eq!(breaker.open_until(at(30)), Some(at(90)));
    }

    #[test]
    fn after_a_success_it_lets_in_two_then_four() {
        let breaker = opened();
        let mut allowed = vec![room(&breaker, at(30))];
        for _ in 0..7 {
            breaker.note(Health::Alive, at(30));
            allowed.push(room(&breaker, at(30)));
        }
        assert_eq!(allowed, [1, 2, 4, 8, 16, 32, 64, 64]);
        assert!(!breaker.enter(at(30)).expect("closed").is_probe);
    }

    #[test]
    fn one_fault_in_the_slow_start_opens_it_again_for_the_first_pause() {
        let breaker = opened();
        breaker.note(Health::Alive, at(30));
        breaker.note(Health::Fault, at(31));
        assert_eq!(breaker.open_until(at(31)), Some(at(61)));
    }

    #[test]
    fn a_refusal_opens_it_at_once_for_a_minute_each_time() {
        let breaker = Breaker::new(Policy::default());
        for start in [0, 60, 120] {
            breaker.note(Health::Misconfigured, at(start));
            assert_eq!(breaker.open_until(at(start)), Some(at(start + 60)));
        }
    }

    #[test]
    fn it_tells_how_it_stands_and_since_when() {
        let breaker = Breaker::new(Policy::default());
        assert_eq!(breaker.stands(at(0)), (Light::Closed, None, None));
        for _ in 0..5 {
            breaker.note(Health::Fault, at(1));
        }
        let (began, until) = (Some(at(1)), Some(at(31)));
        assert_eq!(breaker.stands(at(30)), (Light::Open, began, until));
        assert_eq!(breaker.stands(at(31)), (Light::HalfOpen, began, None));
        breaker.note(Health::Fault, at(40));
        assert_eq!(breaker.stands(at(40)), (Light::Open, began, Some(at(100))));
        for second in 100..106 {
            assert_eq!(breaker.stands(at(second)), (Light::HalfOpen, began, None));
            breaker.note(Health::Alive, at(second));
        }
        assert_eq!(
            breaker.stands(at(106)),
            (Light::Closed, Some(at(105)), None)
        );
    }
}
