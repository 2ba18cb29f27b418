//! The outbox: sender threads per channel that claim due messages, send them and record the result.
//!
//! No transaction is open while a provider is being talked to: claim and record are short writes of their own.
//! A crash leaves claimed rows behind; the next start releases them. (delivery.md, "Engine")

mod breaker;
pub mod policy;
mod record;
mod sender;

use crate::channel::Provider;
use crate::clock::Clock;
use crate::domain::format::Channel;
use crate::error::Result;
use crate::store::Store;
use crate::store::waiting::{forgive, release_all};
use breaker::Breaker;
use policy::Policy;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A provider with its breaker.
struct Guarded {
    provider: Arc<dyn Provider>,
    breaker: Breaker,
}

/// What the sender threads of one channel share.
struct Lane {
    channel: Channel,
    providers: Vec<Guarded>,
    store: Arc<Store>,
    clock: Arc<Clock>,
    policy: Policy,
    bell: Arc<Bell>,
}

/// Wakes sender threads: rung when a message was committed.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<u64>,
    changed: Condvar,
    stopping: AtomicBool,
}

impl Bell {
    /// There is something to send.
    pub fn ring(&self) {
        let mut rung = self
            .rung
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        *rung += 1;
        self.changed.notify_one();
    }

    fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        drop(self.rung.lock());
        self.changed.notify_all();
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    fn count(&self) -> u64 {
        *self
            .rung
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Waits until it is rung after `seen`, or for this long.
    fn wait(&self, seen: u64, at_most: Duration) {
        let rung = self
            .rung
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        drop(
            self.changed
                .wait_timeout_while(rung, at_most, |rung| *rung == seen && !self.is_stopping()),
        );
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

    fn of(&self, channel: Channel) -> &Arc<Bell> {
        match channel {
            Channel::Email => &self.email,
            Channel::Sms => &self.sms,
            Channel::Push => &self.push,
        }
    }
}

/// The running sender threads.
pub struct Outbox {
    bells: Bells,
    store: Arc<Store>,
    threads: Vec<JoinHandle<()>>,
}

impl Outbox {
    /// Releases what a dead process had claimed and starts the threads: as many per channel as its busiest provider
    /// has connections.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn start(
        store: &Arc<Store>,
        clock: &Arc<Clock>,
        bells: &Bells,
        policy: &Policy,
        providers: BTreeMap<Channel, Vec<Arc<dyn Provider>>>,
    ) -> Result<Self> {
        let released = store.write(release_all)?;
        if released > 0 {
            log::warn!(
                "{released} messages were being sent when the last process ended; they wait again"
            );
        }
        let mut threads = Vec::new();
        for (channel, providers) in providers {
            let connections = providers.iter().map(|p| p.connections()).max().unwrap_or(0);
            let guard = |provider| Guarded {
                provider,
                breaker: Breaker::new(policy.clone()),
            };
            let lane = Arc::new(Lane {
                channel,
                providers: providers.into_iter().map(guard).collect(),
                store: store.clone(),
                clock: clock.clone(),
                policy: policy.clone(),
                bell: bells.of(channel).clone(),
            });
            for number in 0..connections {
                let lane = lane.clone();
                let thread = std::thread::Builder::new()
                    .name(format!("send-{channel}-{number}"))
                    .spawn(move || sender::run(&lane, number))
                    .expect("the system can start a thread at start-up");
                threads.push(thread);
            }
        }
        Ok(Self {
            bells: bells.clone(),
            store: store.clone(),
            threads,
        })
    }

    /// From now on no attempt begins; those in flight go on.
    pub fn begin_stop(&self) {
        for channel in Channel::ALL {
            self.bells.of(channel).stop();
        }
    }

    /// Finishes attempts in flight for at most this long; false if some were left. (delivery.md, "Stop")
    #[must_use]
    pub fn stop(self, drain: Duration) -> bool {
        self.begin_stop();
        let deadline = Instant::now() + drain;
        while Instant::now() < deadline && !self.threads.iter().all(JoinHandle::is_finished) {
            std::thread::park_timeout(Duration::from_millis(10));
        }
        let finished = self.threads.iter().all(JoinHandle::is_finished);
        if !finished && let Err(fault) = self.store.write(forgive) {
            log::error!("attempts in flight will look like a crash: {fault}");
        }
        finished
    }
}
