//! The only place that reads the time of day. Everything else is given a [`Clock`].

use jiff::{SignedDuration, Timestamp};
use std::sync::{Mutex, MutexGuard};
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
    /// A time that stands still until a test moves it.
    Fixed(Mutex<Fixed>),
}

/// Where a fixed clock stands.
#[derive(Debug, Clone, Copy)]
pub struct Fixed {
    wall: Timestamp,
    steady: Duration,
}

impl Clock {
    /// A clock that stands at this time.
    #[must_use]
    pub fn fixed(at: Timestamp) -> Self {
        Self::Fixed(Mutex::new(Fixed {
            wall: at,
            steady: Duration::ZERO,
        }))
    }

    /// The present time in UTC, cut to the millisecond, which is what the database keeps. It jumps when somebody sets the
    /// clock.
    pub fn now(&self) -> Timestamp {
        let now = match self {
            Self::System => Timestamp::now(),
            Self::Fixed(at) => lock(at).wall,
        };
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// The time since some moment in the past. It never jumps, and goes on while the machine sleeps.
    pub fn steady(&self) -> Duration {
        match self {
            Self::System => since_boot(),
            Self::Fixed(at) => lock(at).steady,
        }
    }

    /// Moves a fixed clock forward; the system's clock does not care.
    pub fn advance(&self, by: Duration) {
        if let Self::Fixed(at) = self {
            lock(at).steady += by;
            self.set_by(SignedDuration::try_from(by).unwrap_or_default());
        }
    }

    /// Sets a fixed clock as an administrator would, by this much; the system's clock does not care.
    pub fn set_by(&self, by: SignedDuration) {
        if let Self::Fixed(at) = self {
            let mut at = lock(at);
            at.wall = at.wall.saturating_add(by).unwrap_or(at.wall);
        }
    }
}

fn lock(at: &Mutex<Fixed>) -> MutexGuard<'_, Fixed> {
    at.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(target_os = "linux")]
fn since_boot() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
fn since_boot() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}
