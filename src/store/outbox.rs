//! What the outbox does to message rows: claim, record, release. Each function is one short write.

use super::{Tx, guid, pause, reports, templates, time};
use crate::domain::cause::Cause;
use crate::domain::format::Channel;
use crate::domain::ids::MessageId;
use crate::domain::message::{NewMessage, Outgoing, Status};
use crate::error::Result;
use jiff::Timestamp;
use rusqlite::{Row, named_params};

/// What was released from capture.
pub(super) const RELEASED: i64 = 2;

/// The lane of a message: system messages, then the others.
pub(super) fn lane(message: &NewMessage) -> i64 {
    match (message.is_released, message.is_system) {
        (true, _) => RELEASED,
        (false, true) => 0,
        (false, false) => 1,
    }
}

/// Which messages of its channel a provider may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// All.
    All,
    /// All but those released from capture: it would catch them again.
    Fresh,
    /// Only those released from capture: the others are for the capture before it.
    Released,
}

impl Takes {
    /// In the order in which they are claimed.
    pub(super) fn lanes(self) -> &'static [i64] {
        match self {
            Self::All => &[0, 1, RELEASED],
            Self::Fresh => &[0, 1],
            Self::Released => &[RELEASED],
        }
    }
}

/// Messages that one write closes at most, so that a long dead backlog does not hold up the writer.
pub(super) const CLOSED_MAX: usize = 256;

pub(super) const ERASED: &str = "The user was erased.";

pub(super) const EXPIRED: &str = "Its life ended before a provider accepted it.";

/// In a restored copy, of a message whose type is sensitive. (store::backup)
const NO_CONTENT: &str = "Its content is not kept in backups; ask for a new one.";

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
    /// Whether a capture channel must not have it.
    pub is_released: bool,
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
/// Those whose life has ended meanwhile are closed as expired instead, those without content as failed; while the outbox
/// is paused nothing is taken. A message that a dead process had claimed is
/// taken alone: if it was what killed the process, its neighbours must not be suspected with it next time.
pub fn claim(
    tx: &Tx<'_>,
    channel: Channel,
    takes: Takes,
    limit: usize,
    provider: &str,
    default_sender: &str,
    now: Timestamp,
) -> Result<Vec<Claimed>> {
    if pause::is_on(tx)? {
        return Ok(Vec::new());
    }
    promote(tx, channel, now)?;
    let mut claimed = Vec::new();
    let mut closed = 0;
    'lanes: for &lane in takes.lanes() {
        while claimed.len() < limit && closed < CLOSED_MAX {
            let due = due(tx, channel, lane, limit - claimed.len(), now)?;
            if due.is_empty() {
                break;
            }
            for candidate in due {
                let end = match (candidate.expires <= now, candidate.is_empty) {
                    (true, _) => Some((Status::Expired, EXPIRED, Cause::EXPIRED)),
                    (false, true) => Some((Status::Failed, NO_CONTENT, Cause::NO_CONTENT)),
                    (false, false) => None,
                };
                if let Some((status, reason, cause)) = end {
                    close(tx, candidate.id, status, reason, Some(cause))?;
                    closed += 1;
                    continue;
                }
                if candidate.is_suspect && !claimed.is_empty() {
                    break 'lanes;
                }
                let message = take(tx, candidate.id, default_sender, now)?;
                begin_attempt(tx, message.id, message.attempt, provider, now)?;
                claimed.push(message);
                if candidate.is_suspect {
                    break 'lanes;
                }
            }
        }
    }
    Ok(claimed)
}

/// Scheduled messages whose time has come wait like all others.
pub(super) const PROMOTE: &str = "
    update message set status = 'queued'
    where status = 'scheduled' and channel = :channel and due_at <= :now";

pub(super) fn promote(tx: &Tx<'_>, channel: Channel, now: Timestamp) -> Result<()> {
    tx.0.0.prepare_cached(PROMOTE)?.execute(named_params! {
        ":channel": channel.word(), ":now": now.as_millisecond(),
    })?;
    Ok(())
}

/// A message that may be claimed.
struct Candidate {
    id: MessageId,
    expires: Timestamp,
    is_empty: bool,
    is_suspect: bool,
}

pub(super) const DUE: &str = "
    select id, expires_at, claims, body is null as is_empty from message
    where status = 'queued' and channel = :channel and lane = :lane and due_at <= :now
    order by due_at limit :limit";

fn due(
    tx: &Tx<'_>,
    channel: Channel,
    lane: i64,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<Candidate>> {
    let candidates =
        tx.0.0
            .prepare_cached(DUE)?
            .query_map(
                named_params! {
                    ":channel": channel.word(), ":lane": lane, ":now": now.as_millisecond(),
                    ":limit": limit as i64,
                },
                |row| {
                    Ok(Candidate {
                        id: MessageId(row.get("id")?),
                        expires: time(row, "expires_at")?,
                        is_empty: row.get("is_empty")?,
                        is_suspect: row.get::<_, i64>("claims")? > 0,
                    })
                },
            )?
            .collect::<rusqlite::Result<_>>()?;
    Ok(candidates)
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
        is_released: row.get::<_, i64>("lane")? == RELEASED,
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
            is_sensitive: row.get("is_sensitive")?,
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
            "update message set attempts = attempts + 1, last_attempt_at = ?2, last_result = 0 where id = ?1",
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
    // Providers repeat the address in their answers: it is not kept for a user who was erased during the attempt.
    let sql = "
        update attempt set duration_ms = :duration_ms, result = :result, class = :class, code = :code,
            answer = iif((select recipient from message where id = :message_id) = '', null, :answer),
            provider_id = :provider_id
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
            close(tx, id, Status::Sent, "", None)?;
            set_result(tx, id, true)?;
            // The provider's report may have been faster than its answer.
            reports::apply(tx, id)
        }
        Verdict::Over(status, reason) => {
            let cause = cause_of_attempt(tx, id, *status)?;
            close(tx, id, *status, reason, Some(cause))?;
            set_result(tx, id, false)?;
            reports::apply(tx, id)
        }
        Verdict::Retry(due) => {
            let sql = "
                update message set status = 'queued', claims = 0, due_at = :due, error = :error, last_result = 0,
                    tries = tries - :uncounted
                where id = :id and status = 'sending'";
            tx.0.0.prepare_cached(sql)?.execute(named_params! {
                ":id": id.0, ":due": due.as_millisecond(), ":error": error, ":uncounted": !counts,
            })?;
            // A user erased during the attempt has left nothing to send. (store::users::erase)
            let sql = "select recipient = '' from message where id = ?1";
            match tx
                .0
                .0
                .prepare_cached(sql)?
                .query_row([id.0], |row| row.get(0))?
            {
                true => close(tx, id, Status::Cancelled, ERASED, None),
                false => Ok(()),
            }
        }
    }
}

/// The cause of an end that the last attempt brought.
fn cause_of_attempt(tx: &Tx<'_>, id: MessageId, status: Status) -> Result<Cause> {
    let sql = "select class, code from attempt where message_id = ?1 order by number desc limit 1";
    Ok(tx.0.0.prepare_cached(sql)?.query_row([id.0], |row| {
        let class: Option<String> = row.get("class")?;
        Ok(Cause::of_attempt(
            status,
            class.as_deref(),
            row.get("code")?,
        ))
    })?)
}

fn set_result(tx: &Tx<'_>, id: MessageId, accepted: bool) -> Result<()> {
    tx.0.0
        .prepare_cached("update message set last_result = ?2 where id = ?1")?
        .execute((id.0, accepted))?;
    Ok(())
}

/// Puts a message into a final state, with the cause where it failed or expired, and wipes the content of a sensitive one. (delivery.md, promise 5)
pub(super) fn close(
    tx: &Tx<'_>,
    id: MessageId,
    status: Status,
    reason: &str,
    cause: Option<Cause>,
) -> Result<()> {
    let sql = "
        update message set status = :status, claims = 0, cause = :cause,
            error = iif(recipient = '' and :reason <> '', :erased, nullif(:reason, '')),
            subject = iif(is_sensitive, null, subject), body = iif(is_sensitive, null, body),
            html_body = iif(is_sensitive, null, html_body)
        where id = :id and status in ('scheduled', 'queued', 'sending')";
    tx.0.0.prepare_cached(sql)?.execute(named_params! {
        ":id": id.0, ":status": status.word(), ":reason": reason, ":erased": ERASED,
        ":cause": cause.as_ref().map(Cause::key),
    })?;
    Ok(())
}
