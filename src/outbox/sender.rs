//! One sender thread: claim a few, send each, record each.

use super::attempt::attempt;
use super::breaker::{Closed, Permit};
use super::policy::{self, Decided, Try};
use super::record::{Entry, Recording, STORE_PAUSE, insist};
use super::{Guarded, Lane, Wait};
use crate::channel::{Failure, Session};
use crate::error::Result;
use crate::secret::random;
use crate::store::claims::{self, Claim, Claimed, Takes};
use crate::store::outbox::{self, AttemptResult, Verdict};
use crate::store::pause::is_on as is_paused;
use crate::store::settings;
use crate::store::waiting;
use jiff::Timestamp;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// Messages one thread claims at once when there are many: each holds a null attempt row while it waits its turn.
const BATCH_MAX: usize = 16;

/// After this long the rest of a batch is given back, so that a system message waits for one attempt, not for all.
const BATCH_TIME_MAX: Duration = Duration::from_secs(1);

/// Looks for messages that another process committed (a command beside the server) even when no bell rings.
const POLL: Duration = Duration::from_secs(1);

/// Shortest wait for a message that is due in a moment.
const PAUSE_MIN: Duration = Duration::from_millis(10);

/// A connection that has had nothing to carry for this long is let go.
const REST_AFTER: Duration = Duration::from_secs(5);

struct Sender<'a> {
    lane: &'a Lane,
    /// From 0: a provider with fewer connections is none of this thread's business.
    number: usize,
    sessions: Vec<Option<Box<dyn Session>>>,
    batch: usize,
    /// Results on their way to the disk. They are waited for after the next claim, which shares their commit.
    recording: Vec<Recording>,
    idle_since: Option<Instant>,
}

pub(super) fn run(lane: &Lane, number: usize) {
    let mut sender = Sender {
        lane,
        number,
        sessions: lane.providers.iter().map(|_| None).collect(),
        batch: 1,
        recording: Vec::new(),
        idle_since: None,
    };
    loop {
        // Counted before asking: whoever is told to end is rung for afterwards.
        let heard = lane.bell.heard();
        if lane.is_ending() {
            break;
        }
        // A panic must not cost the channel one of its threads.
        match catch_unwind(AssertUnwindSafe(|| sender.turn())) {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(wait))) => lane.bell.wait(heard, wait),
            Ok(Err(fault)) => {
                log::error!(
                    "the {} outbox cannot use the database: {fault}",
                    lane.channel
                );
                lane.bell.wait(heard, Wait::Deaf(STORE_PAUSE));
            }
            Err(_) => {
                log::error!("a {} sender panicked and goes on", lane.channel);
                sender.sessions.fill_with(|| None);
                lane.bell.wait(heard, Wait::Deaf(STORE_PAUSE));
            }
        }
    }
    drop(catch_unwind(AssertUnwindSafe(|| {
        sender.settle();
        sender.rest();
    })));
}

impl<'a> Sender<'a> {
    /// Works, or rests; how to wait when there was nothing to do.
    fn turn(&mut self) -> Result<Option<Wait>> {
        let wait = match self.lane.store.read(is_paused)? {
            true => Some(Wait::Deaf(POLL)),
            false => self.work()?,
        };
        if wait.is_some() && !self.recording.is_empty() {
            // What they change may be work again.
            self.settle();
            return Ok(None);
        }
        match wait {
            None => self.idle_since = None,
            Some(_) => {
                let since = *self.idle_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= REST_AFTER {
                    self.rest();
                }
            }
        }
        Ok(wait)
    }

    /// Sends one batch through the first provider that stands.
    fn work(&mut self) -> Result<Option<Wait>> {
        let lane = self.lane;
        let now = lane.clock.steady();
        let mut wait = POLL;
        let mut is_past_capture = false;
        for (index, guarded) in lane.providers.iter().enumerate() {
            let Guarded {
                provider, breaker, ..
            } = guarded;
            if self.number >= provider.connections() {
                match breaker.open_until(now) {
                    // It stands, and has all the senders it wants.
                    None => break,
                    Some(until) => wait = wait.min(short(until.saturating_sub(now))),
                }
                continue;
            }
            match breaker.enter(now) {
                Ok(permit) => {
                    let takes = match (provider.keeps_here(), is_past_capture) {
                        (true, _) => Takes::Fresh,
                        (false, false) => Takes::All,
                        (false, true) => Takes::Released,
                    };
                    match self.work_through(index, permit, takes)? {
                        // What a person released goes past the capture, to the next provider that sends.
                        Some(rest) if takes == Takes::Fresh => {
                            is_past_capture = true;
                            wait = wait.min(rest);
                        }
                        Some(rest) => return Ok(Some(Wait::Listening(rest))),
                        None => return Ok(None),
                    }
                }
                Err(Closed::Until(until)) => wait = wait.min(short(until.saturating_sub(now))),
                // Whoever is inside summons when the provider is back.
                Err(Closed::Busy) => {}
            }
        }
        Ok(Some(match is_past_capture {
            true => Wait::Listening(wait),
            false => Wait::Deaf(wait),
        }))
    }

    fn work_through(
        &mut self,
        index: usize,
        permit: Permit<'a>,
        takes: Takes,
    ) -> Result<Option<Duration>> {
        let lane = self.lane;
        let (channel, now) = (lane.channel, lane.clock.now());
        // Looking first costs no fsync: an idle appliance writes nothing.
        match lane
            .store
            .read(|db| waiting::next_due(db, channel, takes))?
        {
            Some(due) if due <= now => {}
            later => {
                self.batch = 1;
                return Ok(Some(later.map_or(POLL, |due| pause(now, due))));
            }
        }
        if permit.is_probe {
            self.batch = 1;
        }
        let pace = &lane.providers[index].pace;
        let limit = match pace.take(self.batch, lane.clock.steady()) {
            Ok(limit) => limit,
            Err(wait) => return Ok(Some(short(wait))),
        };
        let claimed = self.claim(index, takes, limit);
        self.settle();
        pace.give_back(limit - claimed.as_ref().map_or(0, Vec::len));
        let claimed = claimed?;
        if claimed.is_empty() {
            // Another thread was faster, or what was due has expired: look again.
            return Ok(None);
        }
        let is_probe = permit.is_probe;
        let sent = self.send_batch(index, is_probe, claimed);
        drop(permit);
        if is_probe {
            // There may be room for more now.
            lane.bell.summon();
        }
        sent.map(|()| None)
    }

    fn claim(&mut self, index: usize, takes: Takes, limit: usize) -> Result<Vec<Claimed>> {
        let lane = self.lane;
        let claim = Claim {
            channel: lane.channel,
            takes,
            limit,
            provider: lane.providers[index].provider.name().to_owned(),
            default_sender: lane.store.read(settings::load)?.default_sender.clone(),
            now: lane.clock.now(),
        };
        let (frequency, steady) = (lane.frequency.clone(), lane.clock.steady());
        let claimed = lane.store.write(move |tx| {
            claims::claim(tx, &claim, |to| {
                frequency.admit(to.recipient, to.type_id, steady)
            })
        })?;
        self.batch = match claimed.len() == limit {
            true => {
                // There is more than one thread's work: each wakes the next.
                lane.bell.ring();
                (limit * 2).min(BATCH_MAX)
            }
            false => 1,
        };
        Ok(claimed)
    }

    /// Sends what was claimed. When the provider turns out to be gone, what has not been tried goes back untouched;
    /// so does what has expired while it waited its turn.
    fn send_batch(&mut self, index: usize, is_probe: bool, claimed: Vec<Claimed>) -> Result<()> {
        let lane = self.lane;
        let begun = Instant::now();
        let mut untried = Vec::new();
        let mut goes_on = true;
        let followers = claimed.iter().skip(1).map(Some).chain([None]);
        for (message, next) in claimed.iter().zip(followers) {
            if !goes_on || message.outgoing.expires <= lane.clock.now() {
                untried.push((message.id, message.attempt));
                continue;
            }
            let (entry, stands) = self.send_one(index, is_probe, message, next);
            self.recording.push(Recording::begin(lane, entry));
            if !stands {
                self.batch = 1;
            }
            goes_on = stands && !lane.is_ending() && begun.elapsed() < BATCH_TIME_MAX;
        }
        match untried.is_empty() {
            true => Ok(()),
            false => insist(lane, move |tx| claims::unclaim(tx, &untried)),
        }
    }

    /// Waits until the results of what was sent are on disk. Where one cannot be written, its message is found without
    /// a result at the next start.
    fn settle(&mut self) {
        for record in self.recording.drain(..) {
            let id = record.id();
            if let Err(fault) = record.wait(self.lane) {
                log::error!("the result of message {id} could not be written down: {fault}");
            }
        }
    }

    /// Tries the provider, and the next ones where the policy lets it. False when the first provider is gone.
    fn send_one(
        &mut self,
        index: usize,
        is_probe: bool,
        message: &Claimed,
        next: Option<&Claimed>,
    ) -> (Entry, bool) {
        let lane = self.lane;
        let (mut current, mut number, mut is_probe) = (index, message.attempt, is_probe);
        let mut held = None;
        let mut stands = true;
        loop {
            let guarded = &lane.providers[current];
            let (result, failure) = {
                // Who comes next is not known once a provider is gone.
                let next = next.filter(|_| current == index);
                attempt(lane, guarded, &mut self.sessions[current], message, next)
            };
            let gone = failure
                .as_ref()
                .is_some_and(|failure| failure.class.action().tries_next_provider);
            stands &= !gone;
            let next = match gone {
                true => self.next_provider(current, message),
                false => None,
            };
            if let Some((next, permit)) = next {
                let (id, ended, now) = (message.id, number, lane.clock.now());
                let name = lane.providers[next].provider.name().to_owned();
                let result = result.clone();
                let handed_over = insist(lane, move |tx| {
                    outbox::fail_over(tx, id, ended, &result, &name, now)
                });
                match handed_over {
                    Ok(()) => {
                        number += 1;
                        current = next;
                        is_probe = permit.is_probe;
                        held = Some(permit);
                        continue;
                    }
                    Err(fault) => log::error!("message {id} stays with its provider: {fault}"),
                }
            }
            drop(held);
            let entry = self.entry(current, is_probe, message, number, result, failure.as_ref());
            return (entry, stands);
        }
    }

    /// The next provider of the channel that is not known to be gone, while the message may still be sent.
    fn next_provider(&self, after: usize, message: &Claimed) -> Option<(usize, Permit<'a>)> {
        let (now, steady) = (self.lane.clock.now(), self.lane.clock.steady());
        let providers = self.lane.providers.iter().enumerate().skip(after + 1);
        providers
            .filter(|(_, next)| !(message.is_released && next.provider.keeps_here()))
            .filter(|(_, next)| {
                self.number < next.provider.connections() && now < message.outgoing.expires
            })
            .find_map(|(index, next)| {
                let permit = next.breaker.enter(steady).ok()?;
                next.pace.take(1, steady).ok()?;
                Some((index, permit))
            })
    }

    fn entry(
        &self,
        index: usize,
        is_probe: bool,
        message: &Claimed,
        number: u32,
        result: AttemptResult,
        failure: Option<&Failure>,
    ) -> Entry {
        let lane = self.lane;
        let decided = failure.map(|failure| {
            let tried = Try {
                channel: lane.channel,
                number: message.tries,
                expires: message.outgoing.expires,
                recognises_repeats: lane.providers[index].provider.recognises_repeats(),
                is_probe,
            };
            policy::decide(&lane.policy, tried, failure, lane.clock.now(), random())
        });
        let decided = decided.unwrap_or(Decided {
            verdict: Verdict::Sent,
            counts: true,
        });
        Entry {
            id: message.id,
            number,
            result,
            verdict: decided.verdict,
            counts: decided.counts,
            forgets_device: failure.is_some_and(|f| f.class.action().forgets_device),
        }
    }

    fn rest(&mut self) {
        for session in self.sessions.iter_mut().flatten() {
            session.rest();
        }
    }
}

/// Until then, but not longer than [`POLL`].
fn pause(now: Timestamp, then: Timestamp) -> Duration {
    short(Duration::try_from(then.duration_since(now)).unwrap_or_default())
}

fn short(wait: Duration) -> Duration {
    wait.clamp(PAUSE_MIN, POLL)
}
