//! What waits, as a whole: when the next one is due, how many there are, and what to do with it at start and stop.

use super::claims::{Takes, promote};
use super::outbox::{CLOSED_MAX, ERASED, EXPIRED, RELEASED, close};
use super::{Db, Tx, time};
use crate::domain::cause::Cause;
use crate::domain::format::Channel;
use crate::domain::ids::MessageId;
use crate::domain::message::Status;
use crate::error::Result;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, Row, named_params};

/// A message claimed three times without a result takes the process down with it: it is not tried a fourth time.
const CLAIMS_MAX: i64 = 3;

/// What was claimed; saying `id > 0` is what lets SQLite use the index `message_status`.
pub(super) const OPEN: &str = "status = 'sending' and id > 0";

/// At start-up: whatever a dead process had claimed waits again; poison is closed.
pub fn release_all(tx: &Tx<'_>) -> Result<usize> {
    let claimed =
        tx.0.0
            .prepare(&format!(
                "select id, claims, recipient from message where {OPEN}"
            ))?
            .query_map([], |row| {
                let id = MessageId(row.get("id")?);
                Ok((
                    id,
                    row.get("claims")?,
                    row.get::<_, String>("recipient")?.is_empty(),
                ))
            })?
            .collect::<rusqlite::Result<Vec<(_, i64, _)>>>()?;
    let mut released = 0;
    for (id, claims, is_erased) in claimed {
        if is_erased {
            close(tx, id, Status::Cancelled, ERASED, None)?;
        } else if claims >= CLAIMS_MAX {
            let reason = format!(
                "crashed: the process ended {CLAIMS_MAX} times while sending this message."
            );
            close(tx, id, Status::Failed, &reason, Some(Cause::CRASHED))?;
        } else {
            let sql = "update message set status = 'queued' where id = ?1";
            tx.0.0.prepare_cached(sql)?.execute([id.0])?;
            released += 1;
        }
    }
    Ok(released)
}

/// At a stop that cannot wait any longer: what is being sent was cut off by us and is not to be taken for poison.
pub fn forgive(tx: &Tx<'_>) -> Result<()> {
    let sql = format!("update message set claims = 0 where {OPEN}");
    tx.0.0.execute(&sql, [])?;
    Ok(())
}

/// Not `min(due_at)`, which reads the whole backlog: the first entry of the index is the answer.
pub(super) const NEXT_DUE: &str = "
    select due_at from message where status = 'queued' and channel = :channel and lane = :lane
    order by due_at limit 1";

/// When the next message of a channel that a provider may take is due, if any waits.
pub fn next_due(db: &Db, channel: Channel, takes: Takes) -> Result<Option<Timestamp>> {
    let due = |row: &Row<'_>| time(row, "due_at");
    let mut next =
        db.0.prepare_cached(NEXT_SCHEDULED)?
            .query_row(named_params! { ":channel": channel.word() }, due)
            .optional()?;
    for &lane in takes.lanes() {
        let queued =
            db.0.prepare_cached(NEXT_DUE)?
                .query_row(
                    named_params! { ":channel": channel.word(), ":lane": lane },
                    due,
                )
                .optional()?;
        next = [next, queued].into_iter().flatten().min();
    }
    Ok(next)
}

pub(super) const NEXT_SCHEDULED: &str = "
    select due_at from message where status = 'scheduled' and channel = :channel order by due_at limit 1";

/// Through the waiting messages of one channel, not through the log.
pub(super) const OVERDUE: &str = "
    select id from message where status = 'queued' and channel = :channel and expires_at <= :now limit :limit";

/// Whether the life of a waiting message has ended, or the time of a scheduled one has come.
pub fn has_expired(db: &Db, channel: Channel, now: Timestamp) -> Result<bool> {
    let overdue = overdue(db, channel, now, 1)?;
    let scheduled =
        db.0.prepare_cached(NEXT_SCHEDULED)?
            .query_row(named_params! { ":channel": channel.word() }, |row| {
                time(row, "due_at")
            })
            .optional()?;
    Ok(!overdue.is_empty() || scheduled.is_some_and(|due| due <= now))
}

/// Closes what has expired, a bounded number at once. A claim does it too; this is for what nobody claims.
pub fn expire(tx: &Tx<'_>, channel: Channel, now: Timestamp) -> Result<()> {
    promote(tx, channel, now)?;
    for id in overdue(tx, channel, now, CLOSED_MAX)? {
        close(tx, id, Status::Expired, EXPIRED, Some(Cause::EXPIRED))?;
    }
    Ok(())
}

fn overdue(db: &Db, channel: Channel, now: Timestamp, limit: usize) -> Result<Vec<MessageId>> {
    let by = named_params! {
        ":channel": channel.word(), ":now": now.as_millisecond(), ":limit": limit as i64,
    };
    let mut statement = db.0.prepare_cached(OVERDUE)?;
    let ids = statement.query_map(by, |row| row.get("id").map(MessageId))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// Somebody has set the clock back by this much: what waits for a time by the old clock waits no longer than it was to,
/// and what was accepted by it lives no longer. What a caller has scheduled stays at its time.
pub fn clock_went_back(tx: &Tx<'_>, by: SignedDuration, now: Timestamp) -> Result<()> {
    let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
    for channel in Channel::ALL {
        for &lane in Takes::All.lanes() {
            tx.0.0.prepare_cached(CLOCK_WENT_BACK)?.execute(named_params! {
                ":channel": channel.word(), ":lane": lane, ":now": now.as_millisecond(), ":by": by,
            })?;
        }
    }
    Ok(())
}

pub(super) const CLOCK_WENT_BACK: &str = "
    update message set due_at = max(:now, due_at - :by),
        expires_at = iif(created_at > :now, expires_at - :by, expires_at)
    where status = 'queued' and channel = :channel and lane = :lane and due_at > :now";

/// Ends what was released from capture and waits in a channel that only captures.
pub fn end_released(tx: &Tx<'_>, channel: Channel) -> Result<()> {
    let sql = "select id from message where status = 'queued' and channel = ?1 and lane = ?2";
    let waiting =
        tx.0.0
            .prepare_cached(sql)?
            .query_map((channel.word(), RELEASED), |row| {
                row.get("id").map(MessageId)
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
    let reason = "The channel has no provider any more that sends.";
    waiting
        .into_iter()
        .try_for_each(|id| close(tx, id, Status::Failed, reason, Some(Cause::NO_PROVIDER)))
}

/// How many messages have not reached a final state.
pub fn pending(db: &Db) -> Result<i64> {
    Ok(db.0.query_row(PENDING, [], |row| row.get(0))?)
}

/// In two parts, one for each of the indexes over what is not final: the log is not counted through.
pub(super) const PENDING: &str = "
    select (select count(*) from message where status = 'queued')
        + (select count(*) from message where status in ('sending', 'scheduled') and id > 0)";
