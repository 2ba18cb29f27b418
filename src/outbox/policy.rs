//! What a failure means for its message: the numbers of the retry policy. Its table is `domain::retry`.
//! (delivery.md, "Retry policy")

use crate::channel::Failure;
use crate::domain::format::Channel;
use crate::domain::message::Status;
use crate::domain::retry::{Fate, Health};
use crate::store::outbox::Verdict;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// The numbers of the policy; each has an environment name in `config`.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Backoff base of e-mail.
    pub email_base: Duration,
    /// Longest backoff of e-mail.
    pub email_cap: Duration,
    /// Backoff base of SMS and push.
    pub short_base: Duration,
    /// Longest backoff of SMS and push.
    pub short_cap: Duration,
    /// Attempts per message at most.
    pub attempts_max: u32,
    /// Faults in a row that open a provider's breaker.
    pub breaker_faults: u32,
    /// First pause of an open breaker; doubles up to `breaker_pause_cap`.
    pub breaker_pause: Duration,
    /// Longest pause of an open breaker.
    pub breaker_pause_cap: Duration,
    /// How often a provider with a configuration fault is probed.
    pub configuration_probe: Duration,
    /// Messages of one type that one recipient may get in an hour; 0 means no limit.
    pub recipient_type_per_hour: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            email_base: Duration::from_secs(60),
            email_cap: Duration::from_secs(3600),
            short_base: Duration::from_secs(10),
            short_cap: Duration::from_secs(600),
            attempts_max: 50,
            breaker_faults: 5,
            breaker_pause: Duration::from_secs(30),
            breaker_pause_cap: Duration::from_secs(300),
            configuration_probe: Duration::from_secs(60),
            recipient_type_per_hour: 0,
        }
    }
}

/// The least by which a time can lie before another: what the database keeps.
const ONE_MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

/// Where a failed try stands.
#[derive(Debug, Clone, Copy)]
pub struct Try {
    /// The message's channel.
    pub channel: Channel,
    /// Tries that count, this one included.
    pub number: u32,
    /// When the message's life ends.
    pub expires: Timestamp,
    /// Whether the provider recognises a repeat.
    pub recognises_repeats: bool,
    /// Whether it was to find out if the provider is back: its breaker was open, so a fault costs the message nothing.
    pub is_probe: bool,
}

/// What to do, and whether the try counts against the message.
#[derive(Debug, Clone)]
pub struct Decided {
    /// What happens to the message.
    pub verdict: Verdict,
    /// False where the provider stood still, not the message.
    pub counts: bool,
}

/// What a failure means, `random` being uniform over all u64.
#[must_use]
pub fn decide(
    policy: &Policy,
    tried: Try,
    failure: &Failure,
    now: Timestamp,
    random: u64,
) -> Decided {
    let action = failure.class.action();
    let counts = action.counts && !(tried.is_probe && action.health == Health::Fault);
    let verdict = match action.fate {
        Fate::Fail => Verdict::Over(Status::Failed, failure.answer.clone()),
        Fate::RetryIfRecognised if !tried.recognises_repeats => {
            let reason = format!(
                "in_doubt: the provider may have taken it, and would not recognise a repeat. {}",
                failure.answer
            );
            Verdict::Over(Status::Failed, reason)
        }
        Fate::Wait => live(tried, now, failure),
        Fate::Retry | Fate::RetryIfRecognised if counts && tried.number >= policy.attempts_max => {
            let reason = format!(
                "Gave up after {} attempts. {}",
                tried.number, failure.answer
            );
            Verdict::Over(Status::Failed, reason)
        }
        Fate::Retry | Fate::RetryIfRecognised => backoff(policy, tried, failure, now, random),
    };
    Decided { verdict, counts }
}

fn backoff(policy: &Policy, tried: Try, failure: &Failure, now: Timestamp, random: u64) -> Verdict {
    let left = tried.expires.duration_since(now) - ONE_MILLISECOND;
    let delay = delay(policy, tried.channel, tried.number, random)
        // A random wait that would outlast the message is cut short: it has a last try before its life ends.
        .min(Duration::try_from(left).unwrap_or_default())
        .max(failure.retry_after.unwrap_or_default());
    let due = SignedDuration::try_from(delay)
        .ok()
        .and_then(|delay| now.checked_add(delay).ok())
        .unwrap_or(tried.expires);
    live(tried, due, failure)
}

/// Uniform in [0, min(cap, base * 2^n)], so that what failed together does not come back together.
fn delay(policy: &Policy, channel: Channel, number: u32, random: u64) -> Duration {
    let (base, cap) = match channel {
        Channel::Email => (policy.email_base, policy.email_cap),
        Channel::Sms | Channel::Push => (policy.short_base, policy.short_cap),
    };
    let doubled = 1_u32
        .checked_shl(number.saturating_sub(1))
        .unwrap_or(u32::MAX);
    let ceiling = base.saturating_mul(doubled).min(cap);
    ceiling.mul_f64(random as f64 / u64::MAX as f64)
}

/// Never past the message's life: a late reset link is worse than none.
fn live(tried: Try, due: Timestamp, failure: &Failure) -> Verdict {
    if due < tried.expires {
        Verdict::Retry(due)
    } else {
        let reason = format!(
            "Its life ends before it may be tried again. {}",
            failure.answer
        );
        Verdict::Over(Status::Expired, reason)
    }
}
