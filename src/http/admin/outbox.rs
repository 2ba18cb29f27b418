//! The outbox as a whole: whether it is paused, and what waits in it. (Ours)

use crate::app::App;
use crate::clock::shown;
use crate::domain::address::no_controls;
use crate::domain::format::Channel;
use crate::error::Result;
use crate::http::request::Request;
use crate::http::response::Response;
use crate::store::pause::{self as rows, Pause};
use crate::store::queue::{self, ChannelQueue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why the outbox is paused.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PauseOutbox {
    /// For whoever wonders later.
    reason: Option<String>,
}

/// Whether the outbox is paused, and what waits in it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireOutbox {
    paused: bool,
    /// Null while it is not paused.
    since: Option<String>,
    /// Who paused it.
    by: Option<String>,
    /// Why; null if nobody said.
    reason: Option<String>,
    channels: Vec<WireQueue>,
}

/// What waits in a channel.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireQueue {
    channel: &'static str,
    /// Due, or between two tries.
    waiting: u64,
    /// Not due yet.
    scheduled: u64,
    /// In an attempt.
    sending: u64,
    /// When the first of the waiting ones is, or was, due.
    oldest_due: Option<String>,
}

/// Whether the outbox is paused, and what waits in it.
pub fn get(app: &App, _request: &Request) -> Result<Response> {
    let (pause, queues) = app
        .store
        .read(|db| Ok((rows::load(db)?, queue::by_channel(db)?)))?;
    let paused = pause.is_some();
    let (since, by, reason) = match pause {
        Some(Pause { since, by, reason }) => (Some(shown(since)), Some(by), Some(reason)),
        None => (None, None, None),
    };
    Ok(Response::data(WireOutbox {
        paused,
        since,
        by,
        reason: reason.filter(|reason| !reason.is_empty()),
        channels: queues.into_iter().map(wire).collect(),
    }))
}

/// Pauses the outbox: what is accepted waits. Attempts under way are finished.
pub fn pause(app: &App, request: &Request) -> Result<Response> {
    let PauseOutbox { reason } = request.json()?;
    let reason = reason.unwrap_or_default();
    no_controls("Reason", &reason, false)?;
    let (by, now) = (request.caller()?.name.clone(), app.clock.now());
    app.store
        .write(move |tx| rows::set(tx, &by, &reason, now))?;
    Ok(Response::done())
}

/// Lets the outbox go.
pub fn resume(app: &App, _request: &Request) -> Result<Response> {
    app.store.write(rows::clear)?;
    for channel in Channel::ALL {
        app.bells.summon(channel);
    }
    Ok(Response::done())
}

fn wire((channel, queue): (Channel, ChannelQueue)) -> WireQueue {
    let ChannelQueue {
        waiting,
        scheduled,
        sending,
        oldest_due,
    } = queue;
    WireQueue {
        channel: channel.word(),
        waiting,
        scheduled,
        sending,
        oldest_due: oldest_due.map(shown),
    }
}
