//! What failed or expired, counted by its cause: counted in an index, so that the log is not read through.

use super::page::{Condition, Query};
use super::{Db, templates, time};
use crate::domain::format::Format;
use crate::domain::message::Status;
use crate::error::Result;
use jiff::Timestamp;
use rusqlite::{Row, params_from_iter};

/// The most causes that are told apart: codes are few, and a list of more is of no use to a person.
pub const CAUSES_MAX: usize = 500;

/// Messages that ended alike.
#[derive(Debug, Clone)]
pub struct Group {
    /// The key that they share.
    pub cause: String,
    /// How they ended.
    pub status: Status,
    /// Their form.
    pub format: Format,
    /// How many they are.
    pub count: u64,
    /// When the first of them was accepted.
    pub oldest: Timestamp,
    /// When the last of them was accepted.
    pub newest: Timestamp,
    /// The newest one's error; none if its user was erased.
    pub example: Option<String>,
    /// How many of them have content and an address, so that they can be sent again.
    pub retryable: u64,
}

/// Naming all states of the index `message_unsent` is what lets SQLite use it.
pub(super) const SOURCE: &str = "
    message m where m.status in ('failed', 'expired', 'cancelled') and m.cause is not null";

pub(super) const COLUMNS: &str = "
    m.status, m.format, m.cause, count(*) as count, min(m.created_at) as oldest, max(m.created_at) as newest,
    sum(m.body is not null and m.recipient <> '') as retryable, max(m.id) as last";

pub(super) const GROUPS: &str = "group by m.status, m.format, m.cause";

/// The causes of what the query's filters choose, the most frequent first.
pub fn list(db: &Db, query: &Query) -> Result<Vec<Group>> {
    let Condition {
        sql: condition,
        values,
    } = Condition::of(query, &[]);
    let sql = format!(
        "select g.*, (select error from message where message.id = g.last) as example
        from (select {COLUMNS} from {SOURCE}{condition} {GROUPS}) g
        order by g.count desc, g.cause, g.status, g.format limit {CAUSES_MAX}"
    );
    let mut statement = db.0.prepare(&sql)?;
    let groups = statement.query_map(params_from_iter(&values), group)?;
    Ok(groups.collect::<rusqlite::Result<_>>()?)
}

fn group(row: &Row<'_>) -> rusqlite::Result<Group> {
    let status: String = row.get("status")?;
    let count = |column| row.get(column).map(i64::unsigned_abs);
    Ok(Group {
        cause: row.get("cause")?,
        status: Status::parse(&status).ok_or(rusqlite::Error::InvalidQuery)?,
        format: templates::format(row, "format")?,
        count: count("count")?,
        oldest: time(row, "oldest")?,
        newest: time(row, "newest")?,
        example: row.get("example")?,
        retryable: count("retryable")?,
    })
}
