//! What providers report of the messages they took. The word that a message has arrived, or has not, stands: later ones
//! and repeats change nothing. (delivery.md, "States")

use super::Tx;
use crate::domain::ids::MessageId;
use crate::domain::message::Report;
use crate::error::{Error, Result};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, named_params};
use uuid::Uuid;

/// Writes a report down beside its attempt, and moves the message on if it was the last one's.
///
/// # Errors
/// [`Error::NotFound`] if there is no such message, or none of its attempts can have had that answer.
pub fn take(tx: &Tx<'_>, message: Uuid, report: &Report, now: Timestamp) -> Result<()> {
    let sql = "select id from message where guid = ?1";
    let id =
        tx.0.0
            .prepare_cached(sql)?
            .query_row([message.as_bytes()], |row| row.get("id").map(MessageId))
            .optional()?
            .ok_or_else(|| Error::not_found("The log does not have this message any more."))?;
    let (number, parts) = attempt(tx, id, &report.provider_id)?
        .ok_or_else(|| Error::not_found("No attempt of this message was answered with this id."))?;
    let Some(report) = of_all(tx, (id, number), &parts, report)? else {
        return Ok(());
    };
    let sql = "
        insert into report (message_id, number, at, words, is_delivered)
        values (:message_id, :number, :now, :words, :is_delivered)
        on conflict do update set at = excluded.at, words = excluded.words, is_delivered = excluded.is_delivered
        where is_delivered is null and words <> excluded.words";
    tx.0.0.prepare_cached(sql)?.execute(named_params! {
        ":message_id": id.0, ":number": number, ":now": now.as_millisecond(),
        ":words": report.words, ":is_delivered": report.is_delivered,
    })?;
    apply(tx, id)
}

/// The attempt that the provider has answered with this id, or with several of which it is one, and all of them. A report
/// may come before that answer is written down, and instead of one that was lost: then it is the newest of which the
/// provider's id is not known.
fn attempt(tx: &Tx<'_>, id: MessageId, provider_id: &str) -> Result<Option<(u32, String)>> {
    let sql = "
        select number, coalesce(provider_id, '') as ids from attempt
        where message_id = :id
            and (instr(' ' || provider_id || ' ', ' ' || :provider_id || ' ') > 0 and instr(:provider_id, ' ') = 0
                or provider_id is null and (result is null or class = 'in_doubt'))
        order by provider_id is null, number desc limit 1";
    let found = tx.0.0.prepare_cached(sql)?.query_row(
        named_params! { ":id": id.0, ":provider_id": provider_id },
        |row| Ok((row.get("number")?, row.get("ids")?)),
    );
    Ok(found.optional()?)
}

/// The word for parts that have arrived while others have not; their ids follow.
const ARRIVED: &str = "arrived in part:";

/// What a report on one part says of a message that went out in several: it has arrived when all of them have, and has
/// not as soon as one has not. None where that changes nothing.
fn of_all(
    tx: &Tx<'_>,
    (id, number): (MessageId, u32),
    parts: &str,
    report: &Report,
) -> Result<Option<Report>> {
    let ids: Vec<&str> = parts.split(' ').collect();
    if ids.len() < 2 || report.is_delivered == Some(false) {
        return Ok(Some(report.clone()));
    }
    let sql = "select words from report where message_id = ?1 and number = ?2";
    let mut statement = tx.0.0.prepare_cached(sql)?;
    let before: Option<String> = statement
        .query_row((id.0, number), |row| row.get("words"))
        .optional()?;
    let before = before.unwrap_or_default();
    let arrived = before.strip_prefix(ARRIVED);
    if report.is_delivered.is_none() {
        // One part is on its way, and that another has arrived must not be forgotten.
        return Ok(arrived.is_none().then(|| report.clone()));
    }
    let known: Vec<&str> = arrived.unwrap_or_default().split_whitespace().collect();
    let has_come = |part: &&&str| known.contains(*part) || **part == report.provider_id;
    let come: Vec<&str> = ids.iter().filter(has_come).copied().collect();
    if come.len() == ids.len() {
        return Ok(Some(report.clone()));
    }
    Ok(Some(Report {
        words: format!("{ARRIVED} {}", come.join(" ")),
        is_delivered: None,
        ..report.clone()
    }))
}

/// Moves a message on to what was reported of its last attempt: one that was sent, or one of which that was in doubt.
pub(super) fn apply(tx: &Tx<'_>, id: MessageId) -> Result<()> {
    // Most have none, and the update would cost a table of its own to find that out.
    let sql = "select 1 from report where message_id = ?1";
    if !tx.0.0.prepare_cached(sql)?.exists([id.0])? {
        return Ok(());
    }
    let sql = "
        update message
        set status = iif(is_delivered is null, 'sent', iif(is_delivered, 'delivered', 'undelivered')),
            error = iif(is_delivered = 0, words, null), last_result = 1
        from report join attempt using (message_id, number)
        where message.id = :id and message_id = :id and number = message.attempts
            and (status = 'sent' or status = 'failed' and class = 'in_doubt')";
    tx.0.0
        .prepare_cached(sql)?
        .execute(named_params! { ":id": id.0 })?;
    Ok(())
}
