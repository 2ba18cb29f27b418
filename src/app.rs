//! The running appliance: what handlers share, and how its parts are started and stopped.

use crate::clock::Clock;
use crate::config::Config;
use crate::domain::ids::{ClientId, Owner};
use crate::error::{Error, Result};
use crate::hooks::Hooks;
use crate::housekeeping::{Alarm, Housekeeper};
use crate::http::dispatch::Api;
use crate::http::guard::{Guard, Listen, Running};
use crate::operators::Door;
use crate::outbox::{Bells, Outbox};
use crate::providers::{self, Providers};
use crate::rates::Rates;
use crate::store::{self, Access, Store, settings};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// How long a stop waits for attempts and requests in flight. (delivery.md, "Stop")
pub const DRAIN: Duration = Duration::from_secs(10);

/// "Last used" is written down at most this often.
const USES_WRITTEN_EVERY_SECS: i64 = 60;

/// What every handler and command works with.
pub struct App {
    /// The database.
    pub store: Arc<Store>,
    /// The time.
    pub clock: Arc<Clock>,
    /// Wake the senders.
    pub bells: Bells,
    /// This appliance's own address, for links.
    pub base_url: String,
    /// Where providers report back; none unless the public address was given, for one that was not is nobody's to reach.
    pub hooks: Option<Arc<Hooks>>,
    /// The limits and times that the environment has set, by name.
    pub limits_set: BTreeMap<&'static str, u64>,
    /// How often each client may call.
    pub rates: Rates,
    /// People signing in.
    pub door: Door,
    /// Who carries what is sent.
    pub providers: Providers,
    /// Wakes the housekeeper.
    pub alarm: Alarm,
    running: Arc<Mutex<HashSet<(Owner, String)>>>,
    uses: Mutex<Uses>,
}

#[derive(Default)]
struct Uses {
    since_written: HashMap<ClientId, Timestamp>,
    written: Timestamp,
}

impl App {
    /// The appliance without its server and senders: what a command needs.
    ///
    /// # Errors
    /// See [`Store::open`].
    pub fn open(
        config: &Config,
        access: Access,
        clock: Clock,
    ) -> std::result::Result<Self, String> {
        let store = Store::open(&config.data_dir, access, clock.now())?;
        Ok(Self {
            store: Arc::new(store),
            clock: Arc::new(clock),
            bells: Bells::default(),
            base_url: config.base_url.clone(),
            hooks: None,
            limits_set: config.limits.set.clone(),
            rates: Rates::new(config.limits.requests_per_minute),
            door: Door::default(),
            providers: Providers::new(config),
            alarm: Alarm::default(),
            running: Arc::default(),
            uses: Mutex::default(),
        })
    }

    /// Takes an idempotency key while its first request runs; none if it is running already.
    pub fn hold_key(&self, owner: Owner, key: &str) -> Option<HeldKey> {
        let entry = (owner, key.to_owned());
        let is_first = lock(&self.running).insert(entry.clone());
        // Made only for the first: dropping another one's `HeldKey` would let go of the first one's key.
        is_first.then(|| HeldKey {
            running: self.running.clone(),
            entry,
        })
    }

    /// Notes that a client was used; written down now and then, because a write per read would be waste.
    pub fn note_use(&self, client: ClientId) {
        let now = self.clock.now();
        let mut uses = lock(&self.uses);
        uses.since_written.insert(client, now);
        if now.as_second() - uses.written.as_second() >= USES_WRITTEN_EVERY_SECS {
            uses.written = now;
            let used: Vec<_> = uses.since_written.drain().collect();
            // Nobody waits for it: a use that is not written down is written down next time.
            drop(
                self.store
                    .begin_write(move |tx| store::clients::touch(tx, &used)),
            );
        }
    }

    /// Writes down the uses since the last time: before somebody looks at them.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn write_uses(&self) -> Result<()> {
        let used: Vec<_> = lock(&self.uses).since_written.drain().collect();
        self.store.write(move |tx| store::clients::touch(tx, &used))
    }
}

/// An idempotency key held by a running request; let go when dropped, however the request ends.
pub struct HeldKey {
    running: Arc<Mutex<HashSet<(Owner, String)>>>,
    entry: (Owner, String),
}

impl Drop for HeldKey {
    fn drop(&mut self) {
        lock(&self.running).remove(&self.entry);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The appliance with its server and senders.
pub struct Server {
    /// What the handlers share.
    pub app: Arc<App>,
    /// Where it listens, port 0 resolved.
    pub addresses: Vec<String>,
    front: Running,
    outbox: Arc<Outbox>,
    housekeeper: Housekeeper,
}

impl Server {
    /// Opens the data directory, binds the addresses, starts the senders and serves.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub fn start(config: &Config, clock: Clock) -> std::result::Result<Self, String> {
        let guard = Guard::bind(&config.listen, config.limits.front.clone()).map_err(|fault| {
            format!("Cannot listen: {fault}. Choose another address with --listen.")
        })?;
        let bound = guard
            .local_addrs()
            .map_err(|fault| format!("Cannot listen: {fault}."))?;
        let addresses: Vec<_> = bound.iter().map(address).collect();
        let mut app = App::open(config, Access::Exclusive, clock)?;
        app.store.limit_reads(config.limits.looks);
        if !app.base_url.is_empty() {
            let key = app.store.record_at_start(settings::hook_key);
            let hooks = key.and_then(|key| Hooks::new(&app.base_url, &key));
            let hooks = hooks.map_err(|fault| format!("Cannot open the hooks: {fault}"))?;
            app.hooks = Some(Arc::new(hooks));
        } else {
            // A browser cannot follow a link to a socket file.
            let http = addresses.iter().find(|a| a.starts_with("http:"));
            app.base_url = http.map_or("http://localhost", String::as_str).to_owned();
        }
        let app = Arc::new(app);
        let outbox =
            providers::start(&app, &config.limits.policy).map_err(|fault| match fault {
                Error::Invalid(details) => details,
                Error::Unavailable { cause, .. } => format!(
                    "Cannot write into {}: {cause}. Make room on its disk, or mend it; then start Herald again.",
                    config.data_dir.display()
                ),
                fault => format!("Cannot start the outbox: {fault}"),
            })?;
        let front = guard
            .serve(Arc::new(Api::new(app.clone())))
            .map_err(|fault| format!("Cannot serve: {fault}."))?;
        let housekeeper =
            Housekeeper::start(&app).map_err(|fault| format!("Cannot start: {fault}."))?;
        Ok(Self {
            app,
            addresses,
            front,
            outbox,
            housekeeper,
        })
    }

    /// Stops accepting, finishes what is in flight; false if attempts were left to the next start.
    #[must_use]
    pub fn stop(self) -> bool {
        // The senders are told first: no attempt begins while the front finishes its requests, and both share the time.
        self.outbox.begin_stop();
        let deadline = Instant::now() + DRAIN;
        drop(self.housekeeper);
        let answered = self.front.stop(DRAIN);
        let left = deadline.saturating_duration_since(Instant::now());
        self.outbox.stop(left) && answered
    }
}

/// A listening address as one would type it.
fn address(listen: &Listen) -> String {
    match listen {
        Listen::Tcp(address) => format!("http://{address}"),
        Listen::Unix(_) => listen.to_string(),
    }
}

/// Whether the database answers: what `readyz` says.
///
/// # Errors
/// A fault of the database.
pub fn ready(app: &App) -> Result<()> {
    app.store.write(|_| Ok(()))
}
