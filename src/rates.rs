//! How often a client may call: a token bucket each. (site; api.md, section 3, "Token")

use crate::domain::ids::ClientId;
use crate::error::{Error, Result};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Mutex;

/// Requests a client may make in a minute, unless the environment says otherwise.
pub const REQUESTS_PER_MINUTE: u32 = 6000;

/// The buckets of all clients. A bucket holds a minute's worth, so that a burst passes and a flood does not.
pub struct Rates {
    per_minute: u32,
    buckets: Mutex<HashMap<ClientId, Bucket>>,
}

struct Bucket {
    tokens: f64,
    filled: Timestamp,
}

impl Rates {
    /// Buckets of this size; 0 means no limit.
    #[must_use]
    pub fn new(per_minute: u32) -> Self {
        Self {
            per_minute,
            buckets: Mutex::default(),
        }
    }

    /// Takes a token of this client's.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`] with the time until there is one again.
    pub fn take(&self, client: ClientId, now: Timestamp) -> Result<()> {
        if self.per_minute == 0 {
            return Ok(());
        }
        let full = f64::from(self.per_minute);
        let mut buckets = self
            .buckets
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let bucket = buckets.entry(client).or_insert(Bucket {
            tokens: full,
            filled: now,
        });
        let elapsed = now.duration_since(bucket.filled).as_secs_f64().max(0.0);
        bucket.tokens = (bucket.tokens + elapsed * full / 60.0).min(full);
        bucket.filled = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        let wait = ((1.0 - bucket.tokens) * 60.0 / full).ceil();
        Err(Error::TooManyRequests {
            retry_after_secs: wait as u32,
            details: format!(
                "Request quota exceeded. A maximum of {} requests are allowed per minute",
                self.per_minute
            ),
        })
    }
}
