//! The breaker of one provider: after faults in a row it lets nobody through for a while, then one probe, then 1, 2, 4 …
//! at once. While it is open no message loses an attempt. (delivery.md, "Retry policy")

use super::policy::Policy;
use jiff::{SignedDuration, Timestamp};
use std::sync::Mutex;
use std::time::Duration;

/// More in parallel than any provider has connections: no limit.
const UNLIMITED: usize = 64;

/// Guards one provider.
#[derive(Debug)]
pub(super) struct Breaker {
    policy: Policy,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    faults: u32,
    pause: Duration,
    open_until: Option<Timestamp>,
    allowed: usize,
    inside: usize,
}

/// What an attempt says about its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// It answered; what it said about the message does not matter here.
    Alive,
    /// It is not there.
    Fault,
    /// It refuses us until the configuration is mended.
    Misconfigured,
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
            }),
            policy,
        }
    }

    /// Lets a sender in, or says when to come back. Who is let in must [`Breaker::leave`].
    ///
    /// # Errors
    /// When the breaker opens for a probe; `now` itself while others are still probing.
    pub(super) fn enter(&self, now: Timestamp) -> Result<(), Timestamp> {
        let mut state = self.lock();
        if let Some(until) = state.open_until.filter(|until| now < *until) {
            return Err(until);
        }
        if state.inside >= state.allowed {
            return Err(now);
        }
        state.inside += 1;
        Ok(())
    }

    /// Whether senders come one message at a time for now.
    pub(super) fn is_cautious(&self) -> bool {
        self.lock().allowed < UNLIMITED
    }

    /// Notes what an attempt said about the provider.
    pub(super) fn note(&self, signal: Signal, now: Timestamp) {
        let mut state = self.lock();
        match signal {
            Signal::Alive => {
                state.faults = 0;
                state.open_until = None;
                state.pause = self.policy.breaker_pause;
                state.allowed = (state.allowed * 2).min(UNLIMITED);
            }
            Signal::Fault => {
                state.faults += 1;
                if state.faults >= self.policy.breaker_faults || state.allowed < UNLIMITED {
                    let pause = state.pause;
                    state.pause = (pause * 2).min(self.policy.breaker_pause_cap);
                    open(&mut state, now, pause);
                }
            }
            Signal::Misconfigured => open(&mut state, now, self.policy.configuration_probe),
        }
    }

    /// A sender that was let in has gone.
    pub(super) fn leave(&self) {
        let mut state = self.lock();
        state.inside = state.inside.saturating_sub(1);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn open(state: &mut State, now: Timestamp, pause: Duration) {
    let pause = SignedDuration::try_from(pause).unwrap_or_default();
    state.open_until = Some(now.saturating_add(pause).unwrap_or(now));
    state.allowed = 1;
}
