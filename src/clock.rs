//! The only place that reads the time of day. Everything else is given a [`Clock`].

use jiff::Timestamp;
use std::sync::Mutex;
use std::time::Duration;

/// A time as both APIs write it: UTC to the second, `2001-01-01T01:01:01Z`. (api.md, "Times")
#[must_use]
pub fn shown(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Tells the time: the system's, or one that a test moves.
#[derive(Debug)]
pub enum Clock {
    /// The time of the operating system.
    System,
    /// A time that stands still until [`Clock::advance`].
    Fixed(Mutex<Timestamp>),
}

impl Clock {
    /// A clock that stands at this time.
    #[must_use]
    pub fn fixed(at: Timestamp) -> Self {
        Self::Fixed(Mutex::new(at))
    }

    /// The present time in UTC, cut to the millisecond, which is what the database keeps.
    pub fn now(&self) -> Timestamp {
        let now = match self {
            Self::System => Timestamp::now(),
            Self::Fixed(at) => *at.lock().unwrap_or_else(|poisoned| poisoned.into_inner()),
        };
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// Moves a fixed clock forward; the system's clock does not care.
    pub fn advance(&self, by: Duration) {
        if let Self::Fixed(at) = self {
            let mut at = at.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            *at = at
                .saturating_add(jiff::SignedDuration::try_from(by).unwrap_or_default())
                .unwrap_or(*at);
        }
    }
}
