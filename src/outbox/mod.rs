//! The outbox: sender threads per channel that claim due messages, send them and record the result.
//!
//! No transaction is open while a provider is being talked to: claim and record are short writes of their own.
//! A crash leaves claimed rows behind; the next start releases them. (delivery.md, "Engine")

mod attempt;
mod breaker;
pub mod health;
mod pace;
pub mod policy;
mod record;
mod sender;

use crate::channel::Provider;
use crate::clock::Clock;
use crate::domain::format::Channel;
use crate::error::{Error, Result};
use crate::store::Store;
use crate::store::waiting::{forgive, release_all};
use breaker::Breaker;
use pace::{Frequency, Pace};
use policy::Policy;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A provider with its breaker, which it keeps when the providers beside it change.
struct Guarded {
    provider: Arc<dyn Provider>,
    breaker: Arc<Breaker>,
    pace: Arc<Pace>,
}

/// A provider and how fast it may be given messages.
#[derive(Clone)]
pub struct Carrier {
    /// Who carries them.
    pub provider: Arc<dyn Provider>,
    /// Messages a second; none means no limit.
    pub per_sec: Option<f64>,
}

impl From<Arc<dyn Provider>> for Carrier {
    fn from(provider: Arc<dyn Provider>) -> Self {
        Self {
            provider,
            per_sec: None,
        }
    }
}

/// What the sender threads of one channel share, from one change of its providers to the next.
struct Lane {
    channel: Channel,
    providers: Vec<Guarded>,
    store: Arc<Store>,
    clock: Arc<Clock>,
    policy: Policy,
    frequency: Arc<Frequency>,
    bell: Arc<Bell>,
    is_retired: AtomicBool,
}

impl Lane {
    /// Whether its threads are to end: they finish the attempt under way and give back the rest.
    fn is_ending(&self) -> bool {
        self.is_retired.load(Ordering::Acquire) || self.bell.is_stopping()
    }

    fn retire(&self) {
        self.is_retired.store(true, Ordering::Release);
        // A ring would be heard by one thread that ends, and not by its successor.
        self.bell.wake_all();
    }
}

/// Wakes sender threads: rung when a message was committed, heard by those who can do something about it.
#[derive(Debug, Default)]
pub struct Bell {
    tower: Mutex<Tower>,
    rung: Condvar,
    summoned: Condvar,
    stopping: AtomicBool,
}

#[derive(Debug, Default)]
struct Tower {
    rings: u64,
    summons: u64,
    listening: usize,
}

/// What a sender had heard before it looked whether there is something to do.
#[derive(Debug, Clone, Copy)]
struct Heard {
    rings: u64,
    summons: u64,
}

/// How a sender waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// For a message, or until then.
    Listening(Duration),
    /// Until then, whatever is committed: every provider stands still.
    Deaf(Duration),
}

impl Bell {
    /// There is something to send.
    pub fn ring(&self) {
        let mut tower = self.lock();
        tower.rings += 1;
        if tower.listening > 0 {
            self.rung.notify_one();
        }
    }

    /// Something may go on that stood still: the deaf look up, and one of those who listen.
    fn summon(&self) {
        self.lock().summons += 1;
        self.rung.notify_one();
        self.summoned.notify_all();
    }

    /// Everybody looks up.
    fn wake_all(&self) {
        self.summon();
        self.rung.notify_all();
    }

    fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.wake_all();
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    fn heard(&self) -> Heard {
        let Tower { rings, summons, .. } = *self.lock();
        Heard { rings, summons }
    }

    /// Waits until something happens that was not heard before.
    fn wait(&self, heard: Heard, how: Wait) {
        let mut tower = self.lock();
        match how {
            Wait::Listening(at_most) => {
                tower.listening += 1;
                let nothing_new = |tower: &mut Tower| {
                    tower.rings == heard.rings && tower.summons == heard.summons
                };
                let waited = self.rung.wait_timeout_while(tower, at_most, nothing_new);
                waited
                    .unwrap_or_else(|poisoned| poisoned.into_inner())
                    .0
                    .listening -= 1;
            }
            Wait::Deaf(at_most) => {
                let nothing_new = |tower: &mut Tower| tower.summons == heard.summons;
                drop(
                    self.summoned
                        .wait_timeout_while(tower, at_most, nothing_new),
                );
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Tower> {
        self.tower
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// One bell per channel.
#[derive(Debug, Clone, Default)]
pub struct Bells {
    email: Arc<Bell>,
    sms: Arc<Bell>,
    push: Arc<Bell>,
}

impl Bells {
    /// Rings for a channel.
    pub fn ring(&self, channel: Channel) {
        self.of(channel).ring();
    }

    /// Makes the senders of a channel look up even where every provider stands still, as after a jump of the clock.
    pub fn summon(&self, channel: Channel) {
        self.of(channel).summon();
    }

    fn of(&self, channel: Channel) -> &Arc<Bell> {
        match channel {
            Channel::Email => &self.email,
            Channel::Sms => &self.sms,
            Channel::Push => &self.push,
        }
    }
}

/// The sender threads of one channel.
struct Crew {
    lane: Arc<Lane>,
    threads: Vec<JoinHandle<()>>,
}

impl Crew {
    /// Starts as many threads as the busiest provider has connections.
    fn start(lane: Arc<Lane>) -> Result<Self> {
        let connections = lane.providers.iter().map(|g| g.provider.connections());
        let connections = connections.max().unwrap_or(0);
        let mut threads = Vec::with_capacity(connections);
        for number in 0..connections {
            let own = lane.clone();
            let started = std::thread::Builder::new()
                .name(format!("send-{}-{number}", lane.channel))
                .spawn(move || sender::run(&own, number));
            match started {
                Ok(thread) => threads.push(thread),
                Err(fault) => {
                    lane.retire();
                    return Err(Error::internal(format!("no more threads: {fault}")));
                }
            }
        }
        Ok(Self { lane, threads })
    }
}

#[derive(Default)]
struct Crews {
    current: BTreeMap<Channel, Crew>,
    /// Threads of crews before, which finish what they hold.
    leaving: Vec<JoinHandle<()>>,
}

impl Crews {
    fn threads(&self) -> impl Iterator<Item = &JoinHandle<()>> {
        let current = self.current.values().flat_map(|crew| &crew.threads);
        current.chain(&self.leaving)
    }
}

/// The running sender threads.
pub struct Outbox {
    bells: Bells,
    store: Arc<Store>,
    clock: Arc<Clock>,
    policy: Policy,
    frequency: Arc<Frequency>,
    crews: Mutex<Crews>,
}

impl Outbox {
    /// Releases what a dead process had claimed and starts the threads.
    ///
    /// # Errors
    /// A fault of the database, or no more threads.
    pub fn start(
        store: &Arc<Store>,
        clock: &Arc<Clock>,
        bells: &Bells,
        policy: &Policy,
        providers: BTreeMap<Channel, Vec<Carrier>>,
    ) -> Result<Self> {
        let released = store.record_at_start(release_all)?;
        if released > 0 {
            log::warn!(
                "{released} messages were being sent when the last process ended; they wait again"
            );
        }
        let outbox = Self {
            bells: bells.clone(),
            store: store.clone(),
            clock: clock.clone(),
            policy: policy.clone(),
            frequency: Arc::new(Frequency::new(policy.recipient_type_per_hour)),
            crews: Mutex::default(),
        };
        for (channel, providers) in providers {
            outbox.set(channel, providers)?;
        }
        Ok(outbox)
    }

    /// From now on these providers carry the channel. The threads before finish what they hold with the providers they
    /// know; claims keep the two crews from taking the same message. For that while a provider that stays may see more
    /// connections than its own limit. A provider that stays keeps its breaker.
    ///
    /// # Errors
    /// No more threads; then nothing has changed.
    pub fn set(&self, channel: Channel, providers: Vec<Carrier>) -> Result<()> {
        let mut crews = self.lock();
        crews.leaving.retain(|thread| !thread.is_finished());
        let before = crews.current.get(&channel).map(|crew| crew.lane.clone());
        let known = before.as_ref().map_or(&[][..], |lane| &lane.providers);
        let is_same = |(a, b): (&Carrier, &Guarded)| Arc::ptr_eq(&a.provider, &b.provider);
        if before.is_some()
            && known.len() == providers.len()
            && providers.iter().zip(known).all(is_same)
        {
            return Ok(());
        }
        let now = self.clock.steady();
        let guard = |provider: Carrier| {
            let kept = known.iter().find(|guarded| is_same((&provider, guarded)));
            let Carrier { provider, per_sec } = provider;
            let (breaker, pace) = kept.map_or_else(
                || {
                    let breaker = Arc::new(Breaker::new(self.policy.clone()));
                    (breaker, Arc::new(Pace::new(per_sec, now)))
                },
                |guarded| (guarded.breaker.clone(), guarded.pace.clone()),
            );
            Guarded {
                provider,
                breaker,
                pace,
            }
        };
        let crew = Crew::start(Arc::new(Lane {
            channel,
            providers: providers.into_iter().map(guard).collect(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            policy: self.policy.clone(),
            frequency: self.frequency.clone(),
            bell: self.bells.of(channel).clone(),
            is_retired: AtomicBool::new(false),
        }))?;
        if let Some(before) = crews.current.insert(channel, crew) {
            before.lane.retire();
            crews.leaving.extend(before.threads);
        }
        Ok(())
    }

    /// From now on no attempt begins; those in flight go on.
    pub fn begin_stop(&self) {
        for channel in Channel::ALL {
            self.bells.of(channel).stop();
        }
    }

    /// Finishes attempts in flight for at most this long; false if some were left. (delivery.md, "Stop")
    #[must_use]
    pub fn stop(&self, drain: Duration) -> bool {
        self.begin_stop();
        let deadline = Instant::now() + drain;
        while Instant::now() < deadline && !self.is_still() {
            std::thread::park_timeout(Duration::from_millis(10));
        }
        let finished = self.is_still();
        if !finished && let Err(fault) = self.store.record(forgive) {
            log::error!("attempts in flight will look like a crash: {fault}");
        }
        finished
    }

    fn is_still(&self) -> bool {
        self.lock().threads().all(JoinHandle::is_finished)
    }

    fn lock(&self) -> MutexGuard<'_, Crews> {
        self.crews
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
