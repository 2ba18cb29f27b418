//! How long one look at the database may take, and how far back it searches: there are few readers, and no request is to
//! have one for long, whatever it asks for.

use rusqlite::Connection;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// What one look may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long it may take before it is stopped with [`crate::error::Error::TookTooLong`].
    pub read: Duration,
    /// How many rows of a log one search looks at.
    pub search_rows: u64,
    /// How long one search looks; what it has found by then is its answer.
    pub search: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            read: Duration::from_secs(10),
            search_rows: 100_000,
            search: Duration::from_secs(1),
        }
    }
}

/// Steps of the engine between two looks at the clock: some microseconds.
const STEPS: i32 = 4096;
/// No deadline.
const NEVER: u64 = u64::MAX;

/// When the look that has a connection is stopped.
#[derive(Clone)]
pub(super) struct Deadline(Arc<AtomicU64>);

impl Deadline {
    /// Has the engine ask, while it works, whether the time is over.
    pub(super) fn of(connection: &mut Connection) -> rusqlite::Result<Self> {
        let deadline = Self(Arc::new(AtomicU64::new(NEVER)));
        let asked = deadline.clone();
        connection.progress_handler(STEPS, Some(move || asked.is_over()))?;
        Ok(deadline)
    }

    /// From now on.
    pub(super) fn set(&self, at_most: Duration) {
        let at = started().elapsed().saturating_add(at_most).as_micros();
        let at = u64::try_from(at).unwrap_or(NEVER);
        self.0.store(at, Ordering::Relaxed);
    }

    /// Until the next one is set.
    pub(super) fn lift(&self) {
        self.0.store(NEVER, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        match self.0.load(Ordering::Relaxed) {
            NEVER => false,
            at => started().elapsed().as_micros() >= u128::from(at),
        }
    }
}

/// A moment that deadlines are counted from.
fn started() -> &'static Instant {
    static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);
    &STARTED
}
