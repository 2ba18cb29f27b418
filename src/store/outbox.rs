//! What the outbox does to message rows: claim, record, release. Each function is one short write.

use super::{Db, Tx, guid, templates, time};
use crate::domain::format::Channel;
use crate::domain::ids::MessageId;
use crate::domain::message::Outgoing;
use crate::domain::message::Status;
use crate::error::Result;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params};

/// A message claimed three times without a result takes the process down with it: it is not tried a fourth time.
const CLAIMS_MAX: i64 = 3;

/// A message that this process is about to send.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The row.
    pub id: MessageId,
    /// The number of the attempt that the claim has begun.
    pub attempt: u32,
    /// Tries that count for the backoff, this one included.
    pub tries: u32,
    /// Not after.
    pub expires: Timestamp,
    /// What the provider gets.
    pub outgoing: Outgoing,
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub struct AttemptResult {
    /// How long it took.
    pub duration_ms: i64,
    /// Whether the provider accepted.
    pub accepted: bool,
    /// The class of the failure.
    pub class: Option<&'static str>,
    /// SMTP or HTTP status code.
    pub code: Option<u16>,
    /// The provider's words.
    pub answer: String,
    /// The provider's id of the message.
    pub provider_id: Option<String>,
}

/// What an attempt means for its message.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// A provider accepted it.
    Sent,
    /// Once more, not before then.
    Retry(Timestamp),
    /// Over, in this final state and for this reason.
    Over(Status, String),
}

/// Takes due messages of a channel for a provider, system messages first, and begins an attempt for each.
///
/// Those whose life has ended meanwhile are closed as expired instead.
pub fn claim(
    tx: &Tx<'_>,
    channel: Channel,
    limit: usize,
    provider: &str,
    default_sender: &str,
    now: Timestamp,
) -> Result<Vec<Claimed>> {
    let sql = "
        select id, expires_at from message
        where status = 'queued' and channel = :channel and lane = :lane and due_at <= :now
        order by due_at limit :limit";
    let mut claimed = Vec::new();
    for lane in [0, 1] {
        let due =
            tx.0.0
                .prepare_cached(sql)?
                .query_map(
                    named_params! {
                        ":channel": channel.word(), ":lane": lane, ":now": now.as_millisecond(),
                        ":limit": (limit - claimed.len()) as i64,
                    },
                    |row| Ok((MessageId(row.get("id")?), time(row, "expires_at")?)),
                )?
                .collect::<rusqlite::Result<Vec<_>>>()?;
        for (id, expires) in due {
            if expires <= now {
                close(
                    tx,
                    id,
                    Status::Expired,
                    "Its life ended before a provider accepted it.",
                )?;
            } else {
                claimed.push(take(tx, id, default_sender, now)?);
            }
        }
    }
    for message in &claimed {
        begin_attempt(tx, message.id, message.attempt, provider, now)?;
    }
    Ok(claimed)
}

fn take(tx: &Tx<'_>, id: MessageId, default_sender: &str, now: Timestamp) -> Result<Claimed> {
    let sql = "
        update message set status = 'sending', claims = claims + 1, attempts = attempts + 1, tries = tries + 1,
            last_attempt_at = :now
        where id = :id
        returning *";
    Ok(tx.0.0.prepare_cached(sql)?.query_row(
        named_params! { ":id": id.0, ":now": now.as_millisecond() },
        |row| claimed(row, default_sender),
    )?)
}

fn claimed(row: &Row<'_>, default_sender: &str) -> rusqlite::Result<Claimed> {
    Ok(Claimed {
        id: MessageId(row.get("id")?),
        attempt: row.get("attempts")?,
        tries: row.get("tries")?,
        expires: time(row, "expires_at")?,
        outgoing: Outgoing {
            guid: guid(row, "guid")?,
            format: templates::format(row)?,
            recipient: row.get("recipient")?,
            recipient_name: row.get("recipient_name")?,
            sender: row.get("sender")?,
            default_sender: default_sender.to_owned(),
            subject: row.get("subject")?,
            body: row.get::<_, Option<String>>("body")?.unwrap_or_default(),
            html_body: row.get("html_body")?,
            created: time(row, "created_at")?,
        },
    })
}

/// Gives back messages that were claimed and not tried after all, as if they had never been claimed.
pub fn unclaim(tx: &Tx<'_>, untried: &[(MessageId, u32)]) -> Result<()> {
    for (id, attempt) in untried {
        tx.0.0
            .prepare_cached("delete from attempt where message_id = ?1 and number = ?2")?
            .execute((id.0, attempt))?;
        let sql = "
            update message set status = 'queued', claims = claims - 1, attempts = attempts - 1, tries = tries - 1,
                last_attempt_at = (select max(started_at) from attempt where message_id = :id)
            where id = :id and status = 'sending'";
        tx.0.0
            .prepare_cached(sql)?
            .execute(named_params! { ":id": id.0 })?;
    }
    Ok(())
}

/// Ends an attempt with one provider and begins the next with another.
pub fn fail_over(
    tx: &Tx<'_>,
    id: MessageId,
    ended: u32,
    result: &AttemptResult,
    provider: &str,
    now: Timestamp,
) -> Result<()> {
    end_attempt(tx, id, ended, result)?;
    begin_attempt(tx, id, ended + 1, provider, now)?;
    tx.0.0
        .prepare_cached(
            "update message set attempts = attempts + 1, last_attempt_at = ?2 where id = ?1",
        )?
        .execute((id.0, now.as_millisecond()))?;
    Ok(())
}

/// Begins an attempt: committed before anything is sent, so that a crash leaves its trace.
fn begin_attempt(
    tx: &Tx<'_>,
    id: MessageId,
    number: u32,
    provider: &str,
    now: Timestamp,
) -> Result<()> {
    let sql = "
        insert into attempt (message_id, number, provider, started_at)
        values (:message_id, :number, :provider, :now)";
    tx.0.0.prepare_cached(sql)?.execute(named_params! {
        ":message_id": id.0, ":number": number, ":provider": provider, ":now": now.as_millisecond(),
    })?;
    Ok(())
}

/// Writes down how an attempt ended.
pub fn end_attempt(tx: &Tx<'_>, id: MessageId, number: u32, result: &AttemptResult) -> Result<()> {
    let sql = "
        update attempt set duration_ms = :duration_ms, result = :result, class = :class, code = :code,
            answer = :answer, provider_id = :provider_id
        where message_id = :message_id and number = :number";
    tx.0.0.prepare_cached(sql)?.execute(named_params! {
        ":message_id": id.0, ":number": number, ":duration_ms": result.duration_ms,
        ":result": result.accepted, ":class": result.class, ":code": result.code,
        ":answer": result.answer, ":provider_id": result.provider_id,
    })?;
    Ok(())
}

/// Moves a message on after its attempt. `counts` is false where the try must not count against the message:
/// the provider stood still, not the message.
pub fn settle(
    tx: &Tx<'_>,
    id: MessageId,
    verdict: &Verdict,
    error: Option<&str>,
    counts: bool,
) -> Result<()> {
    match verdict {
        Verdict::Sent => {
            close(tx, id, Status::Sent, "")?;
            set_result(tx, id, true)
        }
        Verdict::Over(status, reason) => {
            close(tx, id, *status, reason)?;
            set_result(tx, id, false)
        }
        Verdict::Retry(due) => {
            let sql = "
                update message set status = 'queued', claims = 0, due_at = :due, error = :error, last_result = 0,
                    tries = tries - :uncounted
                where id = :id and status = 'sending'";
            tx.0.0.prepare_cached(sql)?.execute(named_params! {
                ":id": id.0, ":due": due.as_millisecond(), ":error": error, ":uncounted": !counts,
            })?;
            Ok(())
        }
    }
}

fn set_result(tx: &Tx<'_>, id: MessageId, accepted: bool) -> Result<()> {
    tx.0.0
        .prepare_cached("update message set last_result = ?2 where id = ?1")?
        .execute((id.0, accepted))?;
    Ok(())
}

/// Puts a message into a final state and wipes the content of a sensitive one. (delivery.md, promise 5)
fn close(tx: &Tx<'_>, id: MessageId, status: Status, reason: &str) -> Result<()> {
    let sql = "
        update message set status = :status, claims = 0, error = nullif(:reason, ''),
            subject = iif(is_sensitive, null, subject), body = iif(is_sensitive, null, body),
            html_body = iif(is_sensitive, null, html_body)
        where id = :id and status in ('queued', 'sending')";
    tx.0.0.prepare_cached(sql)?.execute(named_params! {
        ":id": id.0, ":status": status.word(), ":reason": reason,
    })?;
    Ok(())
}

/// At start-up: whatever a dead process had claimed waits again; poison is closed.
pub fn release_all(tx: &Tx<'_>) -> Result<usize> {
    let poison =
        tx.0.0
            .prepare("select id from message where status = 'sending' and claims >= ?1")?
            .query_map([CLAIMS_MAX], |row| row.get(0).map(MessageId))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
    for id in poison {
        let reason =
            format!("crashed: the process ended {CLAIMS_MAX} times while sending this message.");
        close(tx, id, Status::Failed, &reason)?;
    }
    Ok(tx.0.0.execute(
        "update message set status = 'queued' where status = 'sending'",
        [],
    )?)
}

/// When the next message of a channel is due, if any waits.
pub fn next_due(db: &Db, channel: Channel) -> Result<Option<Timestamp>> {
    // Not `min(due_at)`, which reads the whole backlog here: the first entry of the index is the answer.
    let sql = "
        select due_at from message
        where status = 'queued' and channel = :channel and lane = :lane
        order by due_at limit 1";
    let mut next = None;
    for lane in [0, 1] {
        let due =
            db.0.prepare_cached(sql)?
                .query_row(
                    named_params! { ":channel": channel.word(), ":lane": lane },
                    |row| time(row, "due_at"),
                )
                .optional()?;
        next = [next, due].into_iter().flatten().min();
    }
    Ok(next)
}

/// How many messages have not reached a final state.
pub fn pending(db: &Db) -> Result<i64> {
    let sql = "select count(*) from message where status in ('scheduled', 'queued', 'sending')";
    Ok(db.0.query_row(sql, [], |row| row.get(0))?)
}
