//! How the providers are, for people to look at: what the breaker of each knows.

use super::{Guarded, Outbox};
use crate::channel::{Class, Provider};
use crate::domain::format::Channel;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// The longest text of a trouble, in characters: a line for a person, not a transcript.
pub const TROUBLE_CHARS_MAX: usize = 500;

/// Whether a provider is given messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Light {
    /// All that come.
    Closed,
    /// None, until it is probed.
    Open,
    /// One, then two, then four at once: it is being found out whether it is back.
    HalfOpen,
}

/// What went wrong with a provider, and not with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// When.
    pub at: Timestamp,
    /// What it means.
    pub class: Class,
    /// SMTP or HTTP status code.
    pub code: Option<u16>,
    /// The provider's words or what happened to the connection, secrets masked, at most [`TROUBLE_CHARS_MAX`] characters.
    pub text: String,
}

/// How a provider is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Whether it is given messages.
    pub light: Light,
    /// Since when it is, or has not been; none since the start.
    pub since: Option<Timestamp>,
    /// When it is probed, while it is given none.
    pub next_try: Option<Timestamp>,
    /// What went wrong last; none since the start.
    pub trouble: Option<Trouble>,
}

impl Outbox {
    /// The providers that carry each channel, and how they are.
    pub fn conditions(&self) -> Vec<(Channel, Arc<dyn Provider>, Condition)> {
        let (now, steady) = (self.clock.now(), self.clock.steady());
        // The breaker counts by the steady clock; people read the other one.
        let shown = |at: Duration| {
            let ago = |a: Duration, b| SignedDuration::try_from(a.saturating_sub(b)).ok();
            let (past, future) = (ago(steady, at)?, ago(at, steady)?);
            now.checked_sub(past).ok()?.checked_add(future).ok()
        };
        let condition = |Guarded { breaker, .. }: &Guarded| {
            let (light, since, until) = breaker.stands(steady);
            Condition {
                light,
                since: since.and_then(shown),
                next_try: until.and_then(shown),
                trouble: breaker.trouble(),
            }
        };
        let crews = self.lock();
        let lanes = crews.current.values().map(|crew| &crew.lane);
        lanes
            .flat_map(|lane| {
                let guarded = lane.providers.iter();
                guarded.map(|g| (lane.channel, g.provider.clone(), condition(g)))
            })
            .collect()
    }
}
