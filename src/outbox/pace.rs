//! How fast: messages per second to one provider, and messages of one type to one recipient within an hour.
//! (delivery.md, "Retry policy", rate limits)
//!
//! Both are token buckets over the steady clock. They are kept in memory: a restart forgets at most one burst.

use crate::domain::ids::TypeId;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

const HOUR_SECS: f64 = 3600.0;

/// How many recipients are remembered before those who may have a full burst again are forgotten.
const RECIPIENTS_MAX: usize = 100_000;

/// A bucket that fills by itself.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    filled: Duration,
}

impl Bucket {
    fn full(size: f64, now: Duration) -> Self {
        Self {
            tokens: size,
            filled: now,
        }
    }

    fn fill(&mut self, size: f64, per_sec: f64, now: Duration) {
        let passed = now.saturating_sub(self.filled).as_secs_f64();
        self.tokens = (self.tokens + passed * per_sec).min(size);
        self.filled = now;
    }

    /// How long until it holds a whole token.
    fn wait(&self, per_sec: f64) -> Duration {
        Duration::from_secs_f64(((1.0 - self.tokens) / per_sec).max(0.0))
    }
}

/// The pace of one provider; a second's worth may go out at once.
#[derive(Debug)]
pub(super) struct Pace {
    per_sec: Option<f64>,
    bucket: Mutex<Bucket>,
}

impl Pace {
    /// None means no limit.
    pub(super) fn new(per_sec: Option<f64>, now: Duration) -> Self {
        let size = per_sec.map_or(0.0, burst);
        Self {
            per_sec,
            bucket: Mutex::new(Bucket::full(size, now)),
        }
    }

    /// Takes up to `wanted` tokens and says how many, or how long until there is one.
    pub(super) fn take(&self, wanted: usize, now: Duration) -> Result<usize, Duration> {
        let Some(per_sec) = self.per_sec else {
            return Ok(wanted);
        };
        let mut bucket = lock(&self.bucket);
        bucket.fill(burst(per_sec), per_sec, now);
        if bucket.tokens < 1.0 {
            return Err(bucket.wait(per_sec));
        }
        let taken = bucket.tokens.floor().min(wanted as f64);
        bucket.tokens -= taken;
        Ok(taken as usize)
    }

    /// Gives back what was not used after all.
    pub(super) fn give_back(&self, unused: usize) {
        if let Some(per_sec) = self.per_sec {
            let mut bucket = lock(&self.bucket);
            bucket.tokens = (bucket.tokens + unused as f64).min(burst(per_sec));
        }
    }
}

/// At least one, or a slow pace would never be.
fn burst(per_sec: f64) -> f64 {
    per_sec.max(1.0)
}

/// How often anybody gets a message of one type.
#[derive(Debug)]
pub(super) struct Frequency {
    /// 0 means no limit.
    per_hour: u32,
    /// Addresses are not kept, only what they hash to; two that meet share a bucket, which is no harm.
    hasher: RandomState,
    buckets: Mutex<HashMap<u64, Bucket>>,
}

impl Frequency {
    pub(super) fn new(per_hour: u32) -> Self {
        Self {
            per_hour,
            hasher: RandomState::new(),
            buckets: Mutex::default(),
        }
    }

    /// Lets one more pass, or says how long it has to wait.
    pub(super) fn admit(&self, recipient: &str, of: TypeId, now: Duration) -> Option<Duration> {
        if self.per_hour == 0 {
            return None;
        }
        let size = f64::from(self.per_hour);
        let per_sec = size / HOUR_SECS;
        let mut buckets = lock(&self.buckets);
        if buckets.len() >= RECIPIENTS_MAX {
            buckets.retain(|_, bucket| {
                bucket.fill(size, per_sec, now);
                bucket.tokens < size
            });
        }
        let key = self.hasher.hash_one((recipient, of.0));
        let bucket = buckets.entry(key).or_insert(Bucket::full(size, now));
        bucket.fill(size, per_sec, now);
        if bucket.tokens < 1.0 {
            return Some(bucket.wait(per_sec));
        }
        bucket.tokens -= 1.0;
        None
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: f64) -> Duration {
        Duration::from_secs_f64(secs)
    }

    #[test]
    fn a_second_s_worth_goes_at_once_and_then_one_after_the_other() {
        let pace = Pace::new(Some(4.0), secs(10.0));
        assert_eq!(pace.take(3, secs(10.0)), Ok(3));
        assert_eq!(pace.take(3, secs(10.0)), Ok(1));
        assert_eq!(pace.take(1, secs(10.0)), Err(secs(0.25)));
        assert_eq!(pace.take(8, secs(10.5)), Ok(2));
        pace.give_back(1);
        assert_eq!(pace.take(8, secs(10.5)), Ok(1));
        // Hours without a message are no reason for a flood.
        assert_eq!(pace.take(100, secs(9000.0)), Ok(4));
    }

    #[test]
    fn a_slow_pace_is_kept_and_no_pace_is_no_limit() {
        let slow = Pace::new(Some(0.1), secs(0.0));
        assert_eq!(slow.take(5, secs(0.0)), Ok(1));
        assert_eq!(slow.take(5, secs(5.0)), Err(secs(5.0)));
        assert_eq!(slow.take(5, secs(10.0)), Ok(1));
        assert_eq!(Pace::new(None, secs(0.0)).take(500, secs(0.0)), Ok(500));
    }

    #[test]
    fn each_recipient_and_type_has_its_own_hour() {
        let frequency = Frequency::new(2);
        let (a, b) = (TypeId(1), TypeId(2));
        let admit = |to, of, at| frequency.admit(to, of, secs(at));
        assert_eq!(admit("anna", a, 0.0), None);
        assert_eq!(admit("anna", a, 0.0), None);
        assert_eq!(admit("anna", a, 0.0), Some(secs(1800.0)));
        assert_eq!(admit("anna", b, 0.0), None);
        assert_eq!(admit("bo", a, 0.0), None);
        assert_eq!(admit("anna", a, 1799.0), Some(secs(1.0)));
        assert_eq!(admit("anna", a, 1801.0), None);
        let no_limit = Frequency::new(0);
        assert!((0..1000).all(|_| no_limit.admit("anna", a, secs(0.0)).is_none()));
    }
}
