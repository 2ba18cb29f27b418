//! What becomes of message rows with an attempt: begun, ended, settled. Each function is one short write; how they are taken
//! for an attempt is `claims`.

use super::tally::{self, By};
use super::{Tx, reports};
use crate::domain::cause::Cause;
use crate::domain::ids::MessageId;
use crate::domain::message::{NewMessage, Status};
use crate::error::Result;
use jiff::Timestamp;
use rusqlite::named_params;

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

/// Messages that one write closes at most, so that a long dead backlog does not hold up the writer.
pub(super) const CLOSED_MAX: usize = 256;

pub(super) const ERASED: &str = "The user was erased.";

pub(super) const EXPIRED: &str = "Its life ended before a provider accepted it.";

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
pub(super) fn begin_attempt(
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
            end(tx, id, Status::Sent, "", None, Some(true))?;
            // The provider's report may have been faster than its answer.
            reports::apply(tx, id)
        }
        Verdict::Over(status, reason) => {
            let cause = cause_of_attempt(tx, id, *status)?;
            end(tx, id, *status, reason, Some(cause), Some(false))?;
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

/// Puts a message into a final state, with the cause where it failed or expired, and wipes the content of a sensitive one. (delivery.md, promise 5)
pub(super) fn close(
    tx: &Tx<'_>,
    id: MessageId,
    status: Status,
    reason: &str,
    cause: Option<Cause>,
) -> Result<()> {
    end(tx, id, status, reason, cause, None)
}

/// The same, with the result of the last attempt where there was one.
fn end(
    tx: &Tx<'_>,
    id: MessageId,
    status: Status,
    reason: &str,
    cause: Option<Cause>,
    accepted: Option<bool>,
) -> Result<()> {
    // Not `in`, which costs a table of its own for each row.
    let sql = "
        update message set status = :status, claims = 0, cause = :cause, last_result = coalesce(:accepted, last_result),
            error = iif(recipient = '' and :reason <> '', :erased, nullif(:reason, '')),
            has_content = has_content and not is_sensitive
        where id = :id and (status = 'scheduled' or status = 'queued' or status = 'sending')";
    let closed = tx.0.0.prepare_cached(sql)?.execute(named_params! {
        ":id": id.0, ":status": status.word(), ":reason": reason, ":erased": ERASED,
        ":cause": cause.as_ref().map(Cause::key), ":accepted": accepted,
    })?;
    match (closed, status) {
        (0, _) | (_, Status::Cancelled) => Ok(()),
        (_, Status::Expired) if reason == EXPIRED => tally::count(tx, id, By::Expiry),
        _ => tally::count(tx, id, By::Attempt),
    }
}
