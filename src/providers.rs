//! The providers of each channel: those given by flag or environment first, then the stored ones, and how a change of
//! them reaches the senders without a restart.
//!
//! A channel without any is captured. A stored URL that cannot be read stands in its place as [`Unusable`].

mod health;

pub use health::{Health, captured, health, is_unset};

use crate::app::App;
use crate::channel::capture::Capture;
use crate::channel::unusable::Unusable;
use crate::channel::url::{ProviderUrl, rate_of};
use crate::channel::{self, Callback, Failure, Means, Provider, Timeouts};
use crate::config::Config;
use crate::domain::format::Channel;
use crate::domain::ids::ProviderId;
use crate::domain::message::Report;
use crate::error::{Error, Result};
use crate::outbox::policy::Policy;
use crate::outbox::{Carrier, Outbox};
use crate::store::providers::{self as rows, NewProvider, Stored};
use crate::store::waiting;
use crate::vault::{KEY_FILE, Vault};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use uuid::Uuid;

/// The longest URL, in bytes.
pub const URL_BYTES_MAX: usize = 2048;
/// Stored providers of all channels at most.
pub const PROVIDERS_MAX: usize = 60;

/// What the configuration says about providers, and the senders once they run.
pub struct Providers {
    data_dir: PathBuf,
    timeouts: Timeouts,
    given: BTreeMap<Channel, Vec<String>>,
    /// Held while rows are changed and read again, so that the last change is the one in force.
    running: Mutex<Option<Running>>,
}

struct Running {
    outbox: Arc<Outbox>,
    built: Built,
}

type Built = BTreeMap<Channel, Vec<Line>>;

/// A provider in use.
struct Line {
    /// None for one given by flag or environment, and for the capture of a channel without any.
    id: Option<ProviderId>,
    /// What it was made from: while that stays, the provider stays.
    source: String,
    provider: Arc<dyn Provider>,
}

/// A provider as asked for.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What it is to carry.
    pub channel: Channel,
    /// The URL; when editing, the masked one means the one that is stored.
    pub url: String,
    /// From 1 within the channel; none means where it is, or the last.
    pub position: Option<i64>,
}

impl Providers {
    /// What the configuration says; nothing runs yet.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let given = |channel: Channel| (channel, config.providers(channel).to_vec());
        Self {
            data_dir: config.data_dir.clone(),
            timeouts: config.limits.timeouts.clone(),
            given: Channel::ALL.into_iter().map(given).collect(),
            running: Mutex::default(),
        }
    }

    fn given(&self, channel: Channel) -> &[String] {
        self.given.get(&channel).map_or(&[], Vec::as_slice)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.running
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// The stored providers, by their masked URLs, that cannot be used because the key of this data directory does not open
/// them.
///
/// # Errors
/// [`Error::Internal`] when the key's file cannot be read.
pub fn unopened(data_dir: &Path, stored: &[Stored]) -> Result<Vec<String>> {
    if stored.is_empty() {
        return Ok(Vec::new());
    }
    let vault = Vault::find(data_dir)?;
    let closed = stored
        .iter()
        .filter(|row| open(vault.as_ref(), row).is_none());
    Ok(closed.map(|row| row.masked.clone()).collect())
}

/// Starts the senders with the providers in force.
///
/// # Errors
/// [`Error::Invalid`] for a URL given by flag or environment; faults of the database.
pub fn start(app: &App, policy: &Policy) -> Result<Arc<Outbox>> {
    let mut running = app.providers.lock();
    let built = build(app, &Built::new())?;
    let mut listed = Vec::new();
    for (channel, lines) in &built {
        let given = &lines[..app.providers.given(*channel).len()];
        listed.extend(
            given
                .iter()
                .map(|l| (*channel, l.provider.name().to_owned())),
        );
    }
    let now = app.clock.now();
    app.store
        .record_at_start(move |tx| rows::list_given(tx, &listed, now))?;
    let outbox = Outbox::start(&app.store, &app.clock, &app.bells, policy, shared(&built))?;
    let outbox = Arc::new(outbox);
    end_released(app, &built)?;
    *running = Some(Running {
        outbox: outbox.clone(),
        built,
    });
    Ok(outbox)
}

/// Adds a provider, or edits one; it is used at once.
///
/// # Errors
/// [`Error::Invalid`] for a URL or an id that cannot be, [`Error::Duplicate`] for a URL the channel has.
pub fn save(app: &App, id: Option<ProviderId>, draft: Draft) -> Result<(ProviderId, Uuid)> {
    let mut running = app.providers.lock();
    let stored = app.store.read(rows::stored)?;
    let before = id
        .map(|id| {
            let found = stored.iter().find(|row| row.id == id);
            found.ok_or_else(|| rows::unknown(id))
        })
        .transpose()?;
    if before.is_none() && stored.len() >= PROVIDERS_MAX {
        return Err(Error::Invalid(format!(
            "There are {PROVIDERS_MAX} providers; delete one first."
        )));
    }
    let url = full_url(app, before, &draft)?;
    // Made once to see whether it can be: a certificate store may be missing, for instance.
    let masked = make(app, draft.channel, &url)?.name().to_owned();
    if app.providers.given(draft.channel).contains(&url) {
        return Err(rows::duplicate());
    }
    let vault = Vault::find_or_make(&app.providers.data_dir)?;
    let guid = before.map_or_else(Uuid::new_v4, |row| row.guid);
    let new = NewProvider {
        guid,
        channel: draft.channel,
        position: draft.position,
        masked,
        sealed: vault.seal(guid.as_bytes(), &url)?,
        fingerprint: vault.fingerprint(&url),
    };
    let now = app.clock.now();
    let id = app.store.write(move |tx| match id {
        None => rows::insert(tx, &new, now),
        Some(id) => rows::update(tx, id, &new, now).map(|()| id),
    })?;
    apply(app, &mut running)?;
    Ok((id, guid))
}

/// Removes a stored provider; what its senders hold is finished.
///
/// # Errors
/// [`Error::NotFound`].
pub fn delete(app: &App, id: ProviderId) -> Result<()> {
    let mut running = app.providers.lock();
    app.store.write(move |tx| rows::delete(tx, id))?;
    apply(app, &mut running)
}

/// Checks a stored provider.
///
/// # Errors
/// [`Error::NotFound`]; what the provider says is no error.
pub fn check_stored(app: &App, id: ProviderId) -> Result<std::result::Result<String, Failure>> {
    let known = find(app, |_, line| line.id == Some(id));
    let provider = known
        .ok_or_else(|| Error::NotFound(format!("No provider that is stored has the ID {id}.")))?;
    Ok(provider.check())
}

/// Checks a URL; the masked one of a provider in use means that provider.
///
/// # Errors
/// [`Error::Invalid`] for a URL that cannot be; what the provider says is no error.
pub fn check_url(
    app: &App,
    channel: Channel,
    url: &str,
) -> Result<std::result::Result<String, Failure>> {
    let known = find(app, |on, line| on == channel && line.provider.name() == url);
    let provider = match known {
        Some(provider) => provider,
        None => make(app, channel, url)?,
    };
    Ok(provider.check())
}

/// What a callback says, if a provider of the channel that is in use has signed it.
#[must_use]
pub fn read_report(app: &App, channel: Channel, callback: &Callback<'_>) -> Option<Report> {
    let running = app.providers.lock();
    let lines = running.as_ref()?.built.get(&channel)?;
    lines.iter().find_map(|line| line.provider.report(callback))
}

/// Runs `work` while the channel has a provider that sends what it is given away.
///
/// # Errors
/// [`Error::Conflict`] if the channel is only captured.
pub fn while_sent<T>(app: &App, channel: Channel, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let running = app.providers.lock();
    let lines = running.as_ref().and_then(|r| r.built.get(&channel));
    match lines.is_some_and(|lines| sends(lines)) {
        true => work(),
        false => Err(Error::Conflict(format!(
            "{channel} has no provider that sends: everything is captured. Add one first."
        ))),
    }
}

fn sends(lines: &[Line]) -> bool {
    lines.iter().any(|l| !l.provider.keeps_here())
}

fn find(app: &App, is_it: impl Fn(Channel, &Line) -> bool) -> Option<Arc<dyn Provider>> {
    let running = app.providers.lock();
    let mut lines = running.iter().flat_map(|running| {
        let channels = running.built.iter();
        channels.flat_map(|(channel, lines)| lines.iter().map(|line| (*channel, line)))
    });
    let found = lines.find(|(channel, line)| is_it(*channel, line));
    found.map(|(_, line)| line.provider.clone())
}

/// The URL that is meant: the stored one where its masked form came back.
fn full_url(app: &App, before: Option<&Stored>, draft: &Draft) -> Result<String> {
    if draft.url.len() > URL_BYTES_MAX {
        return Err(Error::Invalid(format!(
            "Url must be at most {URL_BYTES_MAX} bytes."
        )));
    }
    if let Some(before) = before.filter(|row| row.masked == draft.url) {
        let vault = Vault::find(&app.providers.data_dir)?;
        return open(vault.as_ref(), before).ok_or_else(|| Error::Invalid(unreadable()));
    }
    ProviderUrl::parse(draft.channel, &draft.url)?;
    // A password kept for one host must not be sent to another only because the rest was edited; of several secrets
    // none may be left out.
    if draft.url.contains("***") {
        return Err(Error::invalid(
            "Url holds *** in place of its secret; write the secret out when anything in the Url changes.",
        ));
    }
    Ok(draft.url.clone())
}

fn open(vault: Option<&Vault>, row: &Stored) -> Option<String> {
    vault?.open(row.guid.as_bytes(), &row.sealed)
}

fn unreadable() -> String {
    format!(
        "The stored URL cannot be read: {KEY_FILE} in the data directory is missing or another one. \
         Put the right one back, or write the Url out again."
    )
}

/// Hands the rows of now to the senders.
fn apply(app: &App, running: &mut Option<Running>) -> Result<()> {
    let Some(Running { outbox, built }) = running else {
        return Err(Error::internal("no senders run"));
    };
    *built = build(app, built)?;
    for (channel, providers) in shared(built) {
        outbox.set(channel, providers)?;
    }
    end_released(app, built)
}

fn shared(built: &Built) -> BTreeMap<Channel, Vec<Carrier>> {
    let carrier = |line: &Line| Carrier {
        provider: line.provider.clone(),
        // What cannot be read has no pace, and sends nothing.
        per_sec: rate_of(&line.source).ok().flatten(),
    };
    built
        .iter()
        .map(|(channel, lines)| (*channel, lines.iter().map(carrier).collect()))
        .collect()
}

/// What was released from capture has nowhere to go in a channel that is captured again.
fn end_released(app: &App, built: &Built) -> Result<()> {
    let captured = built.iter().filter(|(_, lines)| !sends(lines));
    let captured: Vec<_> = captured.map(|(channel, _)| *channel).collect();
    app.store.record_at_start(move |tx| {
        captured
            .iter()
            .try_for_each(|channel| waiting::end_released(tx, *channel))
    })
}

/// The providers in force; those whose source is known stay the same.
fn build(app: &App, known: &Built) -> Result<Built> {
    let stored = app.store.read(rows::stored)?;
    let vault = match stored.is_empty() {
        true => None,
        false => Vault::find(&app.providers.data_dir).unwrap_or_else(|fault| {
            log::error!("{fault}");
            None
        }),
    };
    let mut built = Built::new();
    for channel in Channel::ALL {
        let old = known.get(&channel).map_or(&[][..], Vec::as_slice);
        let kept = |source: &str| {
            let same = old.iter().find(|line| line.source == source);
            same.map(|line| line.provider.clone())
        };
        let mut lines = Vec::new();
        for url in app.providers.given(channel) {
            let provider = kept(url).map_or_else(|| make(app, channel, url), Ok)?;
            lines.push(Line {
                id: None,
                source: url.clone(),
                provider,
            });
        }
        for row in stored.iter().filter(|row| row.channel == channel) {
            let (source, made) = match open(vault.as_ref(), row) {
                // Given since it was stored: once is enough.
                Some(url) if app.providers.given(channel).contains(&url) => continue,
                Some(url) => {
                    let made = kept(&url).map_or_else(|| make(app, channel, &url), Ok);
                    (url, made.map_err(|fault| fault.details()))
                }
                None => (format!("unreadable {}", row.id), Err(unreadable())),
            };
            let provider = made.unwrap_or_else(|why| unusable(row, why));
            lines.push(Line {
                id: Some(row.id),
                source,
                provider,
            });
        }
        if lines.is_empty() {
            lines.push(Line {
                id: None,
                source: String::new(),
                provider: kept("").unwrap_or_else(|| capture(app)),
            });
        }
        built.insert(channel, lines);
    }
    Ok(built)
}

fn unusable(row: &Stored, why: String) -> Arc<dyn Provider> {
    log::error!("{} {} cannot be used: {why}", row.channel, row.masked);
    Arc::new(Unusable::new(row.masked.clone(), why))
}

fn make(app: &App, channel: Channel, url: &str) -> Result<Arc<dyn Provider>> {
    let means = Means {
        timeouts: app.providers.timeouts.clone(),
        clock: app.clock.clone(),
        hooks: app.hooks.clone(),
        capture: &|_| capture(app),
    };
    channel::build(channel, url, &means)
}

fn capture(app: &App) -> Arc<dyn Provider> {
    Arc::new(Capture::new(app.store.clone(), app.clock.clone()))
}
