//! How many messages ended how, by the hour: counted in the write that ends them, so that the last day is a few rows to
//! read, however long the log is.

use super::{Db, Tx};
use crate::domain::format::Channel;
use crate::domain::ids::MessageId;
use crate::domain::message::Status;
use crate::error::Result;
use jiff::Timestamp;
use rusqlite::named_params;

/// How long the counts are kept.
pub const TALLY_DAYS: i64 = 31;

const HOUR_MILLIS: i64 = 3_600_000;

/// How many messages of a channel ended how in an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// Hours since 1970.
    pub hour: i64,
    /// The channel.
    pub channel: Channel,
    /// Sent, failed or expired.
    pub outcome: Status,
    /// How many.
    pub count: u64,
}

/// The hour of a time, since 1970.
#[must_use]
pub fn hour_of(time: Timestamp) -> i64 {
    time.as_millisecond().div_euclid(HOUR_MILLIS)
}

/// When an hour began.
#[must_use]
pub fn begin_of(hour: i64) -> Timestamp {
    super::timestamp(hour.saturating_mul(HOUR_MILLIS))
}

/// What a message that has just ended is counted by: its last attempt, or the end of its life.
pub(super) enum By {
    Attempt,
    Expiry,
}

/// Counts a message that has just ended, if it is one of the ends that are counted.
pub(super) fn count(tx: &Tx<'_>, id: MessageId, by: By) -> Result<()> {
    let sql = "
        insert into tally (hour, channel, outcome, count)
        select iif(:by_expiry, expires_at, coalesce(last_attempt_at, created_at)) / 3600000, channel, status, 1
        from message where id = :id and (status = 'sent' or status = 'failed' or status = 'expired')
        on conflict do update set count = count + 1";
    let by_expiry = matches!(by, By::Expiry);
    tx.0.0
        .prepare_cached(sql)?
        .execute(named_params! { ":id": id.0, ":by_expiry": by_expiry })?;
    Ok(())
}

/// The counts from this hour on, in order.
pub fn since(db: &Db, hour: i64) -> Result<Vec<Count>> {
    let sql = "select hour, channel, outcome, count from tally where hour >= ?1 order by hour";
    let mut statement = db.0.prepare_cached(sql)?;
    let counts = statement.query_map([hour], |row| {
        let (channel, outcome): (String, String) = (row.get("channel")?, row.get("outcome")?);
        Ok(Count {
            hour: row.get("hour")?,
            channel: Channel::parse(&channel).ok_or(rusqlite::Error::InvalidQuery)?,
            outcome: Status::parse(&outcome).ok_or(rusqlite::Error::InvalidQuery)?,
            count: row.get::<_, i64>("count")?.unsigned_abs(),
        })
    })?;
    Ok(counts.collect::<rusqlite::Result<_>>()?)
}

/// Forgets what is older than [`TALLY_DAYS`].
pub(super) fn forget(tx: &Tx<'_>, now: Timestamp) -> Result<()> {
    let before = hour_of(now) - 24 * TALLY_DAYS;
    tx.0.0
        .prepare_cached("delete from tally where hour < ?1")?
        .execute([before])?;
    Ok(())
}
