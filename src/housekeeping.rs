//! What is done when nobody asks: lives end, the log is kept as long as the settings say, room is given back, and a clock
//! that somebody has set back keeps nothing waiting.
//!
//! One thread that wakes up every second, does a little at a time, and costs nothing while there is nothing to do.

use crate::app::App;
use crate::domain::format::Channel;
use crate::domain::settings::Settings;
use crate::error::Result;
use crate::store::retention::{self, Kept, Walk};
use crate::store::{Store, settings, waiting};
use jiff::{SignedDuration, Timestamp};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the clock is looked at.
const TICK: Duration = Duration::from_secs(1);
/// How often waiting messages are looked through for those whose life has ended.
const EXPIRE_EVERY: Duration = Duration::from_secs(10);
/// How often the log is looked through for what is too old.
const PRUNE_EVERY: Duration = Duration::from_secs(10 * 60);
/// A clock that differs by less was not set, but read twice.
const JUMP_MIN: SignedDuration = SignedDuration::from_secs(1);
/// The file is left alone while less than this part of it is empty,
const FREE_PART: u64 = 10;
/// or less than this many bytes.
const FREE_BYTES_MIN: u64 = 1024 * 1024;

/// Wakes the housekeeper, or ends it.
#[derive(Debug, Default)]
pub struct Alarm {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    rings: u64,
    is_over: bool,
}

impl Alarm {
    /// Look now: a test has moved the clock.
    pub fn ring(&self) {
        self.lock().rings += 1;
        self.changed.notify_all();
    }

    fn end(&self) {
        self.lock().is_over = true;
        self.changed.notify_all();
    }

    fn is_over(&self) -> bool {
        self.lock().is_over
    }

    /// Waits for a tick or a ring after `seen`; none when it is over.
    fn wait(&self, seen: u64) -> Option<u64> {
        let nothing_new = |state: &mut State| state.rings == seen && !state.is_over;
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), TICK, nothing_new);
        let (state, _) = waited.unwrap_or_else(|poisoned| poisoned.into_inner());
        (!state.is_over).then_some(state.rings)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// The running thread; ends when dropped.
pub struct Housekeeper {
    app: Arc<App>,
    thread: Option<JoinHandle<()>>,
}

impl Housekeeper {
    /// Starts it.
    ///
    /// # Errors
    /// No more threads.
    pub fn start(app: &Arc<App>) -> std::io::Result<Self> {
        let own = app.clone();
        let thread = std::thread::Builder::new()
            .name("housekeeper".into())
            .spawn(move || run(&own))?;
        Ok(Self {
            app: app.clone(),
            thread: Some(thread),
        })
    }
}

impl Drop for Housekeeper {
    fn drop(&mut self) {
        self.app.alarm.end();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn run(app: &App) {
    let mut house = House::new(app);
    let mut seen = 0;
    loop {
        match catch_unwind(AssertUnwindSafe(|| house.tick())) {
            Ok(Ok(())) => {}
            // A full disk, for instance: it is tried again.
            Ok(Err(fault)) => log::warn!("housekeeping was put off: {fault}"),
            Err(_) => log::error!("the housekeeper panicked and goes on"),
        }
        match app.alarm.wait(seen) {
            Some(rings) => seen = rings,
            None => return,
        }
    }
}

struct House<'a> {
    app: &'a App,
    /// What the clock said, and how long that is ago.
    last: (Timestamp, Duration),
    expire_at: Duration,
    prune_at: Duration,
    has_begun: bool,
}

impl<'a> House<'a> {
    fn new(app: &'a App) -> Self {
        let (now, steady) = (app.clock.now(), app.clock.steady());
        Self {
            app,
            last: (now, steady),
            expire_at: steady,
            prune_at: steady + TICK,
            has_begun: false,
        }
    }

    fn tick(&mut self) -> Result<()> {
        let App { store, clock, .. } = self.app;
        let (now, steady) = (clock.now(), clock.steady());
        self.watch_the_clock(now, steady)?;
        if steady >= self.expire_at {
            self.expire_at = steady + EXPIRE_EVERY;
            expire(store, now)?;
        }
        if steady >= self.prune_at {
            self.prune_at = steady + PRUNE_EVERY;
            store.write(move |tx| retention::forget_ended(tx, now))?;
            prune(self.app, now)?;
            give_back(self.app)?;
        }
        Ok(())
    }

    /// Somebody may set the clock, now or while nothing ran. What waits is kept waiting no longer than it was to; how long
    /// it lives is counted by the clock that its links are checked with.
    fn watch_the_clock(&mut self, now: Timestamp, steady: Duration) -> Result<()> {
        let store = &self.app.store;
        let (before, then) = self.last;
        let passed = SignedDuration::try_from(steady.saturating_sub(then)).unwrap_or_default();
        let mut jump = now.duration_since(before) - passed;
        if !self.has_begun {
            // The last sign of life of the process before.
            let newest = store.read(retention::newest)?.unwrap_or(now);
            jump = jump.min(now.duration_since(newest));
        }
        if jump.abs() >= JUMP_MIN {
            log::warn!("the clock was set by {jump:#}");
        }
        if jump <= -JUMP_MIN {
            let by = jump.abs();
            store.write(move |tx| waiting::clock_went_back(tx, by, now))?;
        }
        if jump.abs() >= JUMP_MIN {
            for channel in Channel::ALL {
                self.app.bells.summon(channel);
            }
        }
        self.last = (now, steady);
        self.has_begun = true;
        Ok(())
    }
}

/// Ends the lives of messages that nobody claims: the outbox is paused, or no provider stands.
///
/// # Errors
/// A fault of the database.
pub fn expire(store: &Store, now: Timestamp) -> Result<()> {
    for channel in Channel::ALL {
        while store.read(|db| waiting::has_expired(db, channel, now))? {
            store.write(move |tx| waiting::expire(tx, channel, now))?;
        }
    }
    Ok(())
}

/// Lets go of what the settings do not want any longer: by its age, then the oldest until the rest fits.
fn prune(app: &App, now: Timestamp) -> Result<()> {
    let settings = app.store.read(settings::load)?;
    let mut removed = 0;
    if let Some(cutoff) = cutoff(&settings, now) {
        removed += walk(app, Kept::Messages, Some(cutoff), || Ok(true))?;
        removed += walk(app, Kept::Captured, Some(cutoff), || Ok(true))?;
    }
    let most = u64::from(settings.retention_megabytes) * 1024 * 1024;
    let is_too_large = || Ok(most > 0 && app.store.read(retention::size)?.used_bytes > most);
    for kept in [Kept::Captured, Kept::Messages] {
        removed += walk(app, kept, None, is_too_large)?;
    }
    if removed > 0 {
        log::info!("{removed} messages were let go, as the settings for retention say");
    }
    Ok(())
}

fn cutoff(settings: &Settings, now: Timestamp) -> Option<Timestamp> {
    let days = i64::from(settings.retention_days);
    let age = SignedDuration::from_hours(24 * days);
    (days > 0).then(|| now.saturating_sub(age).unwrap_or(Timestamp::MIN))
}

/// Walks from the oldest while `goes_on`; how much was let go.
fn walk(
    app: &App,
    kept: Kept,
    cutoff: Option<Timestamp>,
    goes_on: impl Fn() -> Result<bool>,
) -> Result<usize> {
    let (mut walk, mut removed) = (Walk::default(), 0);
    while !walk.is_over && !app.alarm.is_over() && goes_on()? {
        walk = app
            .store
            .write(move |tx| retention::step(tx, kept, walk, cutoff))?;
        removed += walk.removed;
    }
    Ok(removed)
}

fn give_back(app: &App) -> Result<()> {
    let size = app.store.read(retention::size)?;
    let is_worth_it = size.free_bytes >= FREE_BYTES_MIN
        && size.free_bytes >= (size.used_bytes + size.free_bytes) / FREE_PART;
    while is_worth_it && !app.alarm.is_over() && app.store.give_back() {}
    Ok(())
}
