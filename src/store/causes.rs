//! What failed or expired, counted by its cause: counted in an index, so that the log is not read through.

use super::condition::Condition;
use super::messages::BY_STATUS;
use super::page::{Column, Kind, Query};
use super::{Db, optional_time, templates, time};
use crate::domain::format::Format;
use crate::domain::message::Status;
use crate::error::Result;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params, params_from_iter};

/// The most causes that are told apart: codes are few, and a list of more is of no use to a person.
pub const CAUSES_MAX: usize = 500;

/// `MessageFormat`, in which the index of what ended goes on.
pub const FORMAT: Column = Column::new("m.format", Kind::Int);

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
    /// Whether there are more than were counted.
    pub is_capped: bool,
}

/// Naming all states of the index `message_unsent` is what lets SQLite use it.
pub(super) const SOURCE: &str = "
    message m where (m.status = 'failed' or m.status = 'expired' or m.status = 'cancelled') and m.cause is not null";

pub(super) const COLUMNS: &str = "
    m.status, m.format, m.cause, count(*) as count, min(m.created_at) as oldest, max(m.created_at) as newest,
    sum(m.has_content and m.recipient <> '') as retryable, max(m.id) as last";

pub(super) const GROUPS: &str = "group by m.status, m.format, m.cause";

/// The causes of what the query's filters choose, the most frequent first.
pub fn list(db: &Db, query: &Query) -> Result<Vec<Group>> {
    let Condition {
        sql: condition,
        values,
    } = Condition::of(query, &[], &[BY_STATUS]);
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
        is_capped: false,
    })
}

/// Where the counting of one recent cause stops.
pub const RECENT_COUNT_MAX: u64 = 1_000;

/// Causes that [`recent`] tells of at most.
pub const RECENT_MAX: usize = 50;

/// Names all that the index needs to be used, and goes from cause to cause in it without reading what is between.
pub(super) const NEXT_CAUSE: &str = "
    select m.cause from message m where (m.status = 'failed' or m.status = 'expired' or m.status = 'cancelled') and m.cause is not null
        and m.status = :status and m.format = :format and m.cause > :after order by m.cause limit 1";

const RECENT: &str = "
    message m where (m.status = 'failed' or m.status = 'expired' or m.status = 'cancelled') and m.status = :status and m.format = :format
        and m.cause = :cause and m.created_at >= :since";

pub(super) fn recent_count() -> String {
    format!(
        "select count(*) as count, coalesce(sum(can), 0) as retryable, min(at) as oldest from (
            select (m.has_content and m.recipient <> '') as can, m.created_at as at from {RECENT} limit :max
        )"
    )
}

pub(super) fn recent_newest() -> String {
    format!(
        "select m.created_at as newest, m.error as example from {RECENT} order by m.created_at desc limit 1"
    )
}

/// The causes of what was accepted since then, the most frequent first: at most [`RECENT_MAX`], each counted up to
/// [`RECENT_COUNT_MAX`], so that it costs little however much has failed.
pub fn recent(db: &Db, since: Timestamp) -> Result<Vec<Group>> {
    let mut groups = Vec::new();
    for status in [Status::Failed, Status::Expired] {
        for format in Format::ALL {
            let mut after = String::new();
            while let Some(cause) = next_cause(db, status, format, &after)? {
                groups.extend(recent_group(db, status, format, &cause, since)?);
                if groups.len() >= CAUSES_MAX {
                    break;
                }
                after = cause;
            }
        }
    }
    groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.cause.cmp(&b.cause)));
    groups.truncate(RECENT_MAX);
    Ok(groups)
}

fn next_cause(db: &Db, status: Status, format: Format, after: &str) -> Result<Option<String>> {
    let by =
        named_params! { ":status": status.word(), ":format": format.number(), ":after": after };
    let mut statement = db.0.prepare_cached(NEXT_CAUSE)?;
    Ok(statement.query_row(by, |row| row.get(0)).optional()?)
}

fn recent_group(
    db: &Db,
    status: Status,
    format: Format,
    cause: &str,
    since: Timestamp,
) -> Result<Option<Group>> {
    let (status_word, number, millis) = (status.word(), format.number(), since.as_millisecond());
    let max = RECENT_COUNT_MAX + 1;
    let by = named_params! {
        ":status": status_word, ":format": number, ":cause": cause, ":since": millis, ":max": max as i64,
    };
    let counted = |row: &Row<'_>| {
        let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
        Ok((
            count("count")?,
            count("retryable")?,
            optional_time(row, "oldest")?,
        ))
    };
    let (count, retryable, oldest) =
        db.0.prepare_cached(&recent_count())?
            .query_row(by, counted)?;
    let Some(oldest) = oldest else {
        return Ok(None);
    };
    let by = named_params! {
        ":status": status_word, ":format": number, ":cause": cause, ":since": millis,
    };
    let (newest, example) =
        db.0.prepare_cached(&recent_newest())?
            .query_row(by, |row| Ok((time(row, "newest")?, row.get("example")?)))?;
    Ok(Some(Group {
        cause: cause.to_owned(),
        status,
        format,
        count: count.min(RECENT_COUNT_MAX),
        oldest,
        newest,
        example,
        retryable: retryable.min(RECENT_COUNT_MAX),
        is_capped: count > RECENT_COUNT_MAX,
    }))
}
