//! What is happening now, on one page. (Ours)
//!
//! Every number is a row of `tally`, or counted in an index up to a limit: it costs the same however long the log is.

use super::causes::{self, WireCause};
use crate::app::App;
use crate::clock::shown;
use crate::domain::format::Channel;
use crate::domain::message::Status;
use crate::error::Result;
use crate::http::request::Request;
use crate::http::response::Response;
use crate::outbox::health::{Condition, Light, Trouble};
use crate::providers::{self, Health};
use crate::store::causes as cause_rows;
use crate::store::health as store_health;
use crate::store::pause::{self, Pause};
use crate::store::queue::{self, ChannelQueue};
use crate::store::tally::{self, Count};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

/// Hours that are told one by one, the running one included.
const HOURS: i64 = 24;
/// How far back the causes go.
const CAUSES_HOURS: i64 = 7 * 24;

/// What is happening now.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Overview {
    /// Null while the outbox is not paused.
    paused: Option<WirePause>,
    channels: Vec<WireChannel>,
    /// In failover order, channel by channel; the capture of a channel without any included.
    providers: Vec<WireHealth>,
    /// Why messages failed or expired that were accepted since `CausesSince`, the most frequent first, at most 50.
    causes: Vec<RecentCause>,
    /// As `from` it chooses the same messages in the log, and for sending them again.
    causes_since: String,
    store: WireStore,
}

/// A pause of the outbox.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WirePause {
    since: String,
    by: String,
    /// Null if nobody said.
    reason: Option<String>,
}

/// What waits in a channel, and what became of the others in the last 24 hours.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireChannel {
    channel: &'static str,
    /// Nothing of it leaves this machine.
    captured: bool,
    /// Due, or between two tries; counted up to 10000.
    waiting: u64,
    /// Whether more waits than was counted.
    waiting_capped: bool,
    /// Not due yet; counted up to 10000.
    scheduled: u64,
    /// In an attempt.
    sending: u64,
    /// When the first of the waiting ones is, or was, due.
    oldest_due: Option<String>,
    /// In the hours below together.
    sent: u64,
    failed: u64,
    expired: u64,
    /// The oldest first; the last one is the running hour.
    hours: Vec<Hour>,
}

/// What became of messages within an hour.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Hour {
    /// When it began.
    hour: String,
    /// A provider accepted them.
    sent: u64,
    failed: u64,
    expired: u64,
}

/// A provider in force, and how it is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireHealth {
    /// Null for one given by flag or environment, and for the capture of a channel without any.
    #[serde(rename = "ID")]
    id: Option<i64>,
    channel: &'static str,
    /// From 1 within the channel: its place in the failover order.
    position: usize,
    /// With `***` for its secrets.
    url: String,
    /// Whether it was given by flag or environment.
    is_locked: bool,
    /// Whether what it takes stays in this appliance.
    captures: bool,
    state: Breaker,
    /// Since when it is closed, or has not been; null since the start.
    since: Option<String>,
    /// When it is probed, while it is open.
    next_try: Option<String>,
    /// What went wrong with it last, and not with a message; null since the start.
    last_error: Option<LastError>,
}

/// Whether a provider is given messages: closed for all, open for none until it is probed, half-open for a few.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "named by the type's own sentence")]
pub enum Breaker {
    Closed,
    Open,
    HalfOpen,
}

/// What went wrong with a provider.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct LastError {
    date: String,
    /// provider, configuration or in_doubt.
    class: &'static str,
    code: Option<u16>,
    /// The provider's words, at most 500 characters.
    text: String,
}

/// Messages that ended alike.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct RecentCause {
    #[serde(flatten)]
    cause: WireCause,
    /// Whether there are more than were counted, which is up to 1000.
    count_capped: bool,
}

/// How the database is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireStore {
    /// The disk has failed: nothing is written until the next start.
    is_broken: bool,
    /// The disk is full: nothing new is accepted.
    is_full: bool,
    is_disk_low: bool,
    /// What to do, when something is to be done.
    detail: Option<&'static str>,
    database_bytes: u64,
    /// Null where the system does not say.
    disk_free_bytes: Option<u64>,
}

/// What is happening now.
pub fn get(app: &App, _request: &Request) -> Result<Response> {
    let now = app.clock.now();
    let since = now.saturating_sub(SignedDuration::from_hours(CAUSES_HOURS));
    // To the second, as it is shown, so that whoever asks the log with it finds the same messages.
    let since = Timestamp::from_second(since.unwrap_or(Timestamp::MIN).as_second());
    let since = since.unwrap_or(Timestamp::MIN);
    let first = tally::hour_of(now) - HOURS + 1;
    let (pause, queues, counts, groups) = app.store.read(|db| {
        let queues = Channel::ALL.map(|channel| queue::backlog(db, channel));
        let queues = queues.into_iter().collect::<Result<Vec<_>>>()?;
        let counts = tally::since(db, first)?;
        Ok((
            pause::load(db)?,
            queues,
            counts,
            cause_rows::recent(db, since)?,
        ))
    })?;
    let captured = providers::captured(app);
    let channels = Channel::ALL.into_iter().zip(queues);
    let recent = |group: cause_rows::Group| RecentCause {
        count_capped: group.is_capped,
        cause: causes::wire(group),
    };
    Ok(Response::data(Overview {
        paused: pause.map(paused),
        channels: channels
            .map(|(channel, queue)| WireChannel {
                captured: captured.contains(&channel),
                ..wire_channel(channel, queue, &counts, first)
            })
            .collect(),
        providers: providers::health(app).into_iter().map(health).collect(),
        causes: groups.into_iter().map(recent).collect(),
        causes_since: shown(since),
        store: store(app.store.health()?),
    }))
}

fn paused(pause: Pause) -> WirePause {
    WirePause {
        since: shown(pause.since),
        by: pause.by.clone(),
        reason: pause.said(),
    }
}

fn wire_channel(
    channel: Channel,
    (queue, waiting_capped): (ChannelQueue, bool),
    counts: &[Count],
    first: i64,
) -> WireChannel {
    let ChannelQueue {
        waiting,
        scheduled,
        sending,
        oldest_due,
    } = queue;
    let sum = |outcome: Status, hour: Option<i64>| {
        let own = counts.iter().filter(|count| {
            count.channel == channel
                && count.outcome == outcome
                && count.hour < first + HOURS
                && hour.is_none_or(|hour| hour == count.hour)
        });
        own.map(|count| count.count).sum()
    };
    let hour = |hour| Hour {
        hour: shown(tally::begin_of(hour)),
        sent: sum(Status::Sent, Some(hour)),
        failed: sum(Status::Failed, Some(hour)),
        expired: sum(Status::Expired, Some(hour)),
    };
    WireChannel {
        channel: channel.word(),
        captured: false,
        waiting,
        waiting_capped,
        scheduled,
        sending,
        oldest_due: oldest_due.map(shown),
        sent: sum(Status::Sent, None),
        failed: sum(Status::Failed, None),
        expired: sum(Status::Expired, None),
        hours: (first..first + HOURS).map(hour).collect(),
    }
}

fn health(health: Health) -> WireHealth {
    let Health {
        id,
        channel,
        position,
        masked,
        is_locked,
        captures,
        condition:
            Condition {
                light,
                since,
                next_try,
                trouble,
            },
    } = health;
    WireHealth {
        id: id.map(|id| id.0),
        channel: channel.word(),
        position,
        url: masked,
        is_locked,
        captures,
        state: match light {
            Light::Closed => Breaker::Closed,
            Light::Open => Breaker::Open,
            Light::HalfOpen => Breaker::HalfOpen,
        },
        since: since.map(shown),
        next_try: next_try.map(shown),
        last_error: trouble.map(last_error),
    }
}

fn last_error(trouble: Trouble) -> LastError {
    let Trouble {
        at,
        class,
        code,
        text,
    } = trouble;
    LastError {
        date: shown(at),
        class: class.word(),
        code,
        text,
    }
}

fn store(health: store_health::Health) -> WireStore {
    WireStore {
        is_broken: health.is_broken,
        is_full: health.is_full,
        is_disk_low: health.is_disk_low(),
        detail: health.advice(),
        database_bytes: health.size.used_bytes + health.size.free_bytes,
        disk_free_bytes: health.disk_free_bytes,
    }
}
