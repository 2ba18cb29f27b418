//! The same done to many messages: which ones are chosen by a look, then each is treated as it would be alone, a bounded
//! number in one transaction.

use super::condition::Condition;
use super::page::{Query, count};
use super::{Db, Tx, messages, of_user};
use crate::domain::format::Channel;
use crate::domain::ids::MessageId;
use crate::error::{Error, Result};
use jiff::Timestamp;
use rusqlite::params_from_iter;
use rusqlite::types::Value;
use std::collections::BTreeSet;

/// How many messages one call changes at most, so that the writer is not held up for long.
pub const ACT_MAX: usize = 1000;

/// What is done to the messages that a query's filters choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Sent again, if they ended without being sent and can be. Not those that were tried after this time: what fails
    /// again at once would be sent again without end by whoever calls until nothing is left.
    Retry(Timestamp),
    /// Cancelled, if they wait.
    Cancel,
}

/// Naming all states of the index `message_unsent` is what lets SQLite use it. What has no content or address (any more),
/// or belongs to a disabled user, cannot be sent again.
pub(super) const ENDED: &str = "
    message m where (m.status = 'failed' or m.status = 'expired' or m.status = 'cancelled') and m.has_content and m.recipient <> ''
        and (m.user_id is null or exists (select 1 from recipient u where u.id = m.user_id and not u.is_disabled))";

/// One for each of the indexes over what waits.
pub(super) const WAITING: [&str; 2] = [
    "message m where m.status = 'queued'",
    "message m where m.status = 'scheduled'",
];

impl Act {
    /// `from` and `where` of the messages it could be done to, and the values in them.
    fn sources(self, query: &Query) -> Vec<(String, Vec<Value>)> {
        let Condition { sql, mut values } =
            Condition::of(query, &[], &[messages::BY_STATUS, of_user::INDEX]);
        match self {
            Self::Retry(before) => {
                values.push(Value::Integer(before.as_millisecond()));
                let tried = "coalesce(m.last_attempt_at, 0) <= ?";
                vec![(format!("{ENDED}{sql} and {tried}"), values)]
            }
            Self::Cancel => WAITING
                .iter()
                .map(|waiting| (format!("{waiting}{sql}"), values.clone()))
                .collect(),
        }
    }
}

/// The first messages that this can be done to.
pub fn pick(db: &Db, act: Act, query: &Query, limit: usize) -> Result<Vec<MessageId>> {
    let mut picked = Vec::new();
    for (source, values) in act.sources(query) {
        let left = limit - picked.len();
        let sql = format!("select m.id from {source} limit {left}");
        let mut statement = db.0.prepare(&sql)?;
        let ids = statement.query_map(params_from_iter(&values), |row| {
            row.get("id").map(MessageId)
        })?;
        picked.extend(ids.collect::<rusqlite::Result<Vec<_>>>()?);
    }
    Ok(picked)
}

/// How many messages this can be done to, counted up to the query's limit, and whether there are more.
pub fn left(db: &Db, act: Act, query: &Query) -> Result<(u64, bool)> {
    let (mut left, mut is_capped) = (0, false);
    for (source, values) in act.sources(query) {
        let (counted, capped) = count(db, &source, &values, query.count_max)?;
        left += counted;
        is_capped |= capped;
    }
    Ok(match query.count_max {
        Some(max) if left > max => (max, true),
        _ => (left, is_capped),
    })
}

/// Sends these again; how many, and over which channels. Those that have changed since they were picked are passed over.
pub fn retry(tx: &Tx<'_>, ids: &[MessageId], now: Timestamp) -> Result<(usize, BTreeSet<Channel>)> {
    let (mut changed, mut channels) = (0, BTreeSet::new());
    for id in ids {
        if let Some(line) = unless_passed_over(messages::retry(tx, *id, now))? {
            changed += 1;
            channels.insert(line.format.channel());
        }
    }
    Ok((changed, channels))
}

/// Cancels these; how many. Those that have changed since they were picked are passed over.
pub fn cancel(tx: &Tx<'_>, ids: &[MessageId], reason: &str) -> Result<usize> {
    let mut changed = 0;
    for id in ids {
        if unless_passed_over(messages::cancel(tx, *id, reason))?.is_some() {
            changed += 1;
        }
    }
    Ok(changed)
}

fn unless_passed_over<T>(done: Result<T>) -> Result<Option<T>> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(Error::Conflict(_) | Error::NotFound(_)) => Ok(None),
        Err(fault) => Err(fault),
    }
}
