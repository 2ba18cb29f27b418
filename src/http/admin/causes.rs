//! Many messages at once: what failed alike, sent again together; what waits, cancelled together. (Ours, beside the log)

use super::logs::LOG;
use crate::app::App;
use crate::clock::shown;
use crate::error::{Error, Result};
use crate::http::list::{Field, List, Takes, Word, field, time};
use crate::http::request::Request;
use crate::http::response::Response;
use crate::store::bulk::{self, ACT_MAX, Act};
use crate::store::causes::{self as rows, Group};
use crate::store::messages;
use crate::store::page::Query;
use schemars::JsonSchema;
use serde::Serialize;

const FIELDS: &[Field] = &[
    field("MessageFormat", rows::FORMAT),
    field("Status", messages::STATUS),
];
/// What the causes are chosen by.
pub(in crate::http) const CAUSES: List = List {
    fields: FIELDS,
    searchable: false,
    sort: "",
    page_size: 0,
    log: Some(messages::CREATED),
};

/// The word that keeps a client which calls again from sending again what has just failed again.
pub(in crate::http) const BEFORE: &[Word] = &[Word {
    name: "before",
    meaning: "The Before of the call before, so that nothing is sent again twice.",
    takes: Takes::Time,
}];

/// Messages that ended alike.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireCause {
    /// The key that they share, for the filter `Cause` of the log.
    #[schemars(example = &"permanent 550")]
    cause: String,
    status: &'static str,
    message_format: i64,
    count: u64,
    /// When the first of them was accepted.
    oldest: String,
    /// When the last of them was accepted.
    newest: String,
    /// The newest one's error.
    example: Option<String>,
    /// How many of them have content and an address, so that they can be sent again.
    retryable: u64,
}

/// What became of the messages that were chosen.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Retried {
    /// How many go out again: one call takes a bounded number.
    changed: usize,
    /// How many are left for the next call, counted up to 10000.
    left: u64,
    /// Whether there are more than were counted.
    left_capped: bool,
    /// For the next call.
    before: String,
}

/// What became of the messages that were chosen.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Cancelled {
    /// How many were cancelled: one call takes a bounded number.
    changed: usize,
    /// How many are left for the next call, counted up to 10000.
    left: u64,
    /// Whether there are more than were counted.
    left_capped: bool,
}

/// What failed or expired, counted by its cause, the most frequent first.
pub fn list(app: &App, request: &Request) -> Result<Response> {
    let query = CAUSES.filters(request, &[])?;
    let groups = app.store.read(|db| rows::list(db, &query))?;
    let groups: Vec<_> = groups.into_iter().map(wire).collect();
    Ok(Response::data(groups))
}

/// Sends again what the filters of the log choose and what can be sent again.
pub fn retry(app: &App, request: &Request) -> Result<Response> {
    let query = chosen(LOG.filters(request, BEFORE)?)?;
    let now = app.clock.now();
    let before = time(request, "before")?.unwrap_or(now);
    let act = Act::Retry(before);
    let ids = app.store.read(|db| bulk::pick(db, act, &query, ACT_MAX))?;
    let (changed, channels) = app.store.write(move |tx| bulk::retry(tx, &ids, now))?;
    for channel in channels {
        app.bells.ring(channel);
    }
    let (left, left_capped) = app.store.read(|db| bulk::left(db, act, &query))?;
    Ok(Response::data(Retried {
        changed,
        left,
        left_capped,
        before: format!("{before:.3}"),
    }))
}

/// Cancels what the filters of the log choose and what waits.
pub fn cancel(app: &App, request: &Request) -> Result<Response> {
    let query = chosen(LOG.filters(request, &[])?)?;
    let reason = format!("Cancelled by {}.", request.caller()?.name);
    let ids = app
        .store
        .read(|db| bulk::pick(db, Act::Cancel, &query, ACT_MAX))?;
    let changed = app.store.write(move |tx| bulk::cancel(tx, &ids, &reason))?;
    let (left, left_capped) = app.store.read(|db| bulk::left(db, Act::Cancel, &query))?;
    Ok(Response::data(Cancelled {
        changed,
        left,
        left_capped,
    }))
}

/// A request without a filter would mean everything: a slip must not do that.
fn chosen(query: Query) -> Result<Query> {
    match query.filters.is_empty() && query.ranges.is_empty() {
        true => Err(Error::invalid(
            "Name at least one filter of the log, such as Cause or Status.",
        )),
        false => Ok(query),
    }
}

/// Messages that ended alike, on the wire.
pub(super) fn wire(group: Group) -> WireCause {
    let Group {
        cause,
        status,
        format,
        count,
        oldest,
        newest,
        example,
        retryable,
        is_capped: _,
    } = group;
    WireCause {
        cause,
        status: status.word(),
        message_format: format.number(),
        count,
        oldest: shown(oldest),
        newest: shown(newest),
        example,
        retryable,
    }
}
