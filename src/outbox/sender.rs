//! One sender thread: claim a few, send each, record each.

use super::breaker::Signal;
use super::policy::{self, Try};
use super::{Guarded, Lane};
use crate::channel::{Class, Failure, Receipt, Session};
use crate::domain::ids::MessageId;
use crate::error::{Error, Result};
use crate::secret::random;
use crate::store::outbox::{self, AttemptResult, Claimed, Verdict};
use crate::store::settings;
use jiff::Timestamp;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

/// Messages one thread claims at once when there are many: each holds a null attempt row while it waits its turn.
const BATCH_MAX: usize = 8;

/// Looks for messages that another process committed (a command beside the server) even when no bell rings.
const POLL: Duration = Duration::from_secs(1);

/// Shortest wait, so that a thread which finds others probing a provider does not spin.
const PAUSE_MIN: Duration = Duration::from_millis(10);

/// A connection that has had nothing to carry for this long is let go.
const REST_AFTER: Duration = Duration::from_secs(5);

/// Pause after a fault of the database.
const STORE_PAUSE: Duration = Duration::from_secs(1);

struct Sender<'a> {
    lane: &'a Lane,
    sessions: Vec<Option<Box<dyn Session>>>,
    batch: usize,
    idle_since: Option<Instant>,
}

pub(super) fn run(lane: &Lane) {
    let mut sender = Sender {
        lane,
        sessions: lane.providers.iter().map(|_| None).collect(),
        batch: 1,
        idle_since: None,
    };
    while !lane.bell.is_stopping() {
        let seen = lane.bell.count();
        match sender.work() {
            Ok(None) => sender.idle_since = None,
            Ok(Some(pause)) => {
                sender.rest_when_idle();
                lane.bell.wait(seen, pause);
            }
            Err(fault) => {
                log::error!(
                    "the {} outbox cannot use the database: {fault}",
                    lane.channel
                );
                lane.bell.wait(seen, STORE_PAUSE);
            }
        }
    }
    sender.rest();
}

impl Sender<'_> {
    /// Sends one batch; how long to wait when there was nothing to do.
    fn work(&mut self) -> Result<Option<Duration>> {
        let now = self.lane.clock.now();
        let mut earliest: Option<Timestamp> = None;
        for index in 0..self.lane.providers.len() {
            let breaker = &self.lane.providers[index].breaker;
            match breaker.enter(now) {
                Ok(()) => {
                    if breaker.is_cautious() {
                        self.batch = 1;
                    }
                    let claimed = self.claim(index, now);
                    let sent = claimed.and_then(|claimed| self.send_batch(index, claimed));
                    breaker.leave();
                    return match sent? {
                        0 => Ok(Some(self.until_next(now)?)),
                        _ => Ok(None),
                    };
                }
                Err(until) => earliest = Some(earliest.map_or(until, |e| e.min(until))),
            }
        }
        Ok(Some(pause(now, earliest)))
    }

    fn until_next(&self, now: Timestamp) -> Result<Duration> {
        let channel = self.lane.channel;
        let next = self.lane.store.read(|db| outbox::next_due(db, channel))?;
        Ok(pause(now, next))
    }

    fn claim(&mut self, index: usize, now: Timestamp) -> Result<Vec<Claimed>> {
        let lane = self.lane;
        let (channel, limit) = (lane.channel, self.batch);
        // Looking first costs no fsync: an idle appliance writes nothing.
        let next = lane.store.read(|db| outbox::next_due(db, channel))?;
        if next.is_none_or(|due| due > now) {
            self.batch = 1;
            return Ok(Vec::new());
        }
        let name = lane.providers[index].provider.name().to_owned();
        let sender = lane.store.read(settings::load)?.default_sender;
        let claimed = lane
            .store
            .write(move |tx| outbox::claim(tx, channel, limit, &name, &sender, now))?;
        self.batch = match claimed.len() == limit {
            true => (limit * 2).min(BATCH_MAX),
            false => 1,
        };
        Ok(claimed)
    }

    /// Sends what was claimed. When the provider turns out to be gone, what has not been tried goes back untouched.
    fn send_batch(&mut self, index: usize, claimed: Vec<Claimed>) -> Result<usize> {
        let count = claimed.len();
        let mut waiting = claimed.into_iter();
        let mut recording = Vec::with_capacity(count);
        for message in waiting.by_ref() {
            let standing = self.send_one(index, &message, &mut recording)?;
            if !standing || self.lane.bell.is_stopping() {
                break;
            }
        }
        let untried: Vec<_> = waiting.map(|m| (m.id, m.attempt)).collect();
        if !untried.is_empty() {
            self.lane
                .store
                .write(move |tx| outbox::unclaim(tx, &untried))?;
        }
        for record in recording {
            record.wait(self.lane)?;
        }
        Ok(count)
    }

    /// Tries the provider, and the next ones where the policy lets it. False when the first provider is gone.
    fn send_one(
        &mut self,
        index: usize,
        message: &Claimed,
        recording: &mut Vec<Recording>,
    ) -> Result<bool> {
        let mut number = message.attempt;
        let mut standing = true;
        let mut current = index;
        loop {
            let (result, failure) = self.attempt(current, message);
            let next = match &failure {
                Some(failure) if policy::may_fail_over(failure.class) => {
                    self.next_provider(current)
                }
                _ => None,
            };
            standing &= failure
                .as_ref()
                .is_none_or(|f| !policy::may_fail_over(f.class));
            let Some(next) = next else {
                let entry = self.settle(current, message, number, result, failure.as_ref());
                recording.push(Recording::begin(self.lane, entry));
                if current != index {
                    self.lane.providers[current].breaker.leave();
                }
                return Ok(standing);
            };
            let (id, ended, now) = (message.id, number, self.lane.clock.now());
            let name = self.lane.providers[next].provider.name().to_owned();
            let handed_over = self
                .lane
                .store
                .write(move |tx| outbox::fail_over(tx, id, ended, &result, &name, now));
            if current != index {
                self.lane.providers[current].breaker.leave();
            }
            handed_over?;
            number += 1;
            current = next;
        }
    }

    /// One exchange with one provider, and what it says about that provider.
    fn attempt(&mut self, index: usize, message: &Claimed) -> (AttemptResult, Option<Failure>) {
        let Guarded { provider, breaker } = &self.lane.providers[index];
        let session = self.sessions[index].get_or_insert_with(|| provider.session());
        let started = Instant::now();
        let sent = catch_unwind(AssertUnwindSafe(|| session.send(&message.outgoing)));
        let duration_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        let sent = sent.unwrap_or_else(|_| {
            self.sessions[index] = None;
            Err(Failure {
                class: Class::InDoubt,
                code: None,
                answer: "The sender crashed during this attempt.".into(),
                retry_after: None,
            })
        });
        let signal = match sent.as_ref().map_err(|failure| failure.class) {
            Err(Class::Provider) => Signal::Fault,
            Err(Class::Configuration) => Signal::Misconfigured,
            _ => Signal::Alive,
        };
        breaker.note(signal, self.lane.clock.now());
        let guid = message.outgoing.guid;
        match sent {
            Ok(receipt) => {
                log::info!("message {guid} accepted by {}", provider.name());
                (accepted(receipt, duration_ms), None)
            }
            Err(failure) => {
                let class = failure.class.word();
                log::warn!(
                    "message {guid} not accepted by {} ({class}): {}",
                    provider.name(),
                    failure.answer
                );
                (refused(&failure, duration_ms), Some(failure))
            }
        }
    }

    /// The next provider of the channel that is not known to be gone; its breaker is entered.
    fn next_provider(&self, after: usize) -> Option<usize> {
        let now = self.lane.clock.now();
        (after + 1..self.lane.providers.len())
            .find(|next| self.lane.providers[*next].breaker.enter(now).is_ok())
    }

    fn settle(
        &self,
        index: usize,
        message: &Claimed,
        number: u32,
        result: AttemptResult,
        failure: Option<&Failure>,
    ) -> Entry {
        let lane = self.lane;
        let (verdict, counts) = match failure {
            None => (Verdict::Sent, true),
            Some(failure) => {
                let tried = Try {
                    channel: lane.channel,
                    number: message.tries,
                    expires: message.expires,
                    recognises_repeats: lane.providers[index].provider.recognises_repeats(),
                };
                let decided =
                    policy::decide(&lane.policy, tried, failure, lane.clock.now(), random());
                (decided.verdict, decided.counts)
            }
        };
        Entry {
            id: message.id,
            number,
            result,
            verdict,
            counts,
        }
    }

    fn rest_when_idle(&mut self) {
        let since = *self.idle_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= REST_AFTER {
            self.rest();
        }
    }

    fn rest(&mut self) {
        for session in self.sessions.iter_mut().flatten() {
            session.rest();
        }
    }
}

/// What is written down after an attempt.
#[derive(Debug, Clone)]
struct Entry {
    id: MessageId,
    number: u32,
    result: AttemptResult,
    verdict: Verdict,
    counts: bool,
}

/// A record on its way to the disk. Sending goes on meanwhile, so that records share commits.
struct Recording {
    entry: Entry,
    written: Receiver<Result<()>>,
}

impl Recording {
    fn begin(lane: &Lane, entry: Entry) -> Self {
        let Entry {
            id,
            number,
            result,
            verdict,
            counts,
        } = entry.clone();
        let written = lane.store.begin_write(move |tx| {
            outbox::end_attempt(tx, id, number, &result)?;
            let error = (!result.accepted).then_some(result.answer.as_str());
            outbox::settle(tx, id, &verdict, error, counts)
        });
        Self { entry, written }
    }

    /// Waits until it is on disk; a full disk is asked again until there is room, because the provider has the message.
    fn wait(mut self, lane: &Lane) -> Result<()> {
        loop {
            let written = self.written.recv();
            match written.unwrap_or_else(|_| Err(Error::internal("the writer thread has ended"))) {
                Err(Error::Unavailable { cause, .. }) if !lane.bell.is_stopping() => {
                    log::error!(
                        "the result of message {} is not on disk yet: {cause}",
                        self.entry.id
                    );
                    std::thread::park_timeout(STORE_PAUSE);
                    self = Self::begin(lane, self.entry);
                }
                other => return other,
            }
        }
    }
}

fn accepted(receipt: Receipt, duration_ms: i64) -> AttemptResult {
    let Receipt {
        provider_id,
        code,
        answer,
    } = receipt;
    AttemptResult {
        duration_ms,
        accepted: true,
        class: None,
        code,
        answer,
        provider_id,
    }
}

fn refused(failure: &Failure, duration_ms: i64) -> AttemptResult {
    AttemptResult {
        duration_ms,
        accepted: false,
        class: Some(failure.class.word()),
        code: failure.code,
        answer: failure.answer.clone(),
        provider_id: None,
    }
}

/// Until the next known event, but not longer than [`POLL`].
fn pause(now: Timestamp, next: Option<Timestamp>) -> Duration {
    next.and_then(|next| Duration::try_from(next.duration_since(now)).ok())
        .map_or(POLL, |until| until.clamp(PAUSE_MIN, POLL))
}
