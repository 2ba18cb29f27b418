//! Taking messages for an attempt, and giving back those that were not tried. Each function is one short write.

use super::outbox::{CLOSED_MAX, EXPIRED, RELEASED, begin_attempt, close};
use super::{Tx, guid, pause, templates, time};
use crate::domain::cause::Cause;
use crate::domain::format::Channel;
use crate::domain::ids::{MessageId, TypeId};
use crate::domain::message::{Outgoing, Status};
use crate::error::Result;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Row, named_params};
use std::time::Duration;

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

/// In a restored copy, of a message whose type is sensitive. (store::backup)
const NO_CONTENT: &str = "Its content is not kept in backups; ask for a new one.";

const PUT_OFF: &str =
    "The recipient has had as many messages of this type within the hour as are allowed; it waits.";

/// What is to be taken, and for whom.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Of this channel.
    pub channel: Channel,
    /// Which of its messages.
    pub takes: Takes,
    /// So many at most.
    pub limit: usize,
    /// The provider's masked URL.
    pub provider: String,
    /// The sender mailbox of the settings.
    pub default_sender: String,
    /// What is due by now.
    pub now: Timestamp,
}

/// To whom a message is, and of which type.
#[derive(Debug, Clone, Copy)]
pub struct Addressed<'a> {
    /// An address, a number or a device.
    pub recipient: &'a str,
    /// The type.
    pub type_id: TypeId,
}

/// A message that this process is about to send.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The row.
    pub id: MessageId,
    /// The number of the attempt that the claim has begun.
    pub attempt: u32,
    /// Tries that count for the backoff, this one included.
    pub tries: u32,
    /// Whether a capture channel must not have it.
    pub is_released: bool,
    /// What the provider gets.
    pub outgoing: Outgoing,
}

/// Takes due messages of a channel for a provider, system messages first, and begins an attempt for each.
///
/// Those whose life has ended meanwhile are closed as expired instead, those without content as failed; while the outbox
/// is paused nothing is taken. `admit` says how long a message has to wait because its recipient has had enough. A message
/// that a dead process had claimed is taken alone: if it was what killed the process, its neighbours must not be suspected with it next time.
pub fn claim(
    tx: &Tx<'_>,
    claim: &Claim,
    admit: impl Fn(&Addressed<'_>) -> Option<Duration>,
) -> Result<Vec<Claimed>> {
    let Claim {
        channel,
        takes,
        limit,
        provider,
        now,
        ..
    } = claim;
    let (channel, limit, now) = (*channel, *limit, *now);
    if pause::is_on(tx)? {
        return Ok(Vec::new());
    }
    promote(tx, channel, now)?;
    let mut claimed = Vec::new();
    let mut closed = 0;
    'lanes: for &lane in takes.lanes() {
        while claimed.len() < limit && closed < CLOSED_MAX {
            let due = due(tx, claim, lane, limit - claimed.len())?;
            if due.is_empty() {
                break;
            }
            for candidate in due {
                let end = match (
                    candidate.message.outgoing.expires <= now,
                    candidate.is_empty,
                ) {
                    (true, _) => Some((Status::Expired, EXPIRED, Cause::EXPIRED)),
                    (false, true) => Some((Status::Failed, NO_CONTENT, Cause::NO_CONTENT)),
                    (false, false) => None,
                };
                if let Some((status, reason, cause)) = end {
                    close(tx, candidate.message.id, status, reason, Some(cause))?;
                    closed += 1;
                    continue;
                }
                if candidate.is_suspect && !claimed.is_empty() {
                    break 'lanes;
                }
                if let Some(wait) = candidate.addressed().and_then(|to| admit(&to)) {
                    put_off(tx, candidate.message.id, wait, now)?;
                    closed += 1;
                    continue;
                }
                take(tx, candidate.message.id, now)?;
                begin_attempt(
                    tx,
                    candidate.message.id,
                    candidate.message.attempt,
                    provider,
                    now,
                )?;
                claimed.push(candidate.message);
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
    // Mostly there is none, and the update would cost a table of its own to find that out.
    let sql = "select 1 from message where status = 'scheduled' and channel = ?1 and due_at <= ?2";
    let is_any =
        tx.0.0
            .prepare_cached(sql)?
            .exists((channel.word(), now.as_millisecond()))?;
    if is_any {
        tx.0.0.prepare_cached(PROMOTE)?.execute(named_params! {
            ":channel": channel.word(), ":now": now.as_millisecond(),
        })?;
    }
    Ok(())
}

/// A message that may be claimed, as it will be then.
struct Candidate {
    message: Claimed,
    is_empty: bool,
    is_suspect: bool,
    is_new: bool,
    user_id: Option<i64>,
    type_id: i64,
}

impl Candidate {
    /// To whom it is; none for a test, and for one that has been tried before: it is no further message to them.
    fn addressed(&self) -> Option<Addressed<'_>> {
        (self.is_new && self.user_id.is_some()).then_some(Addressed {
            recipient: &self.message.outgoing.recipient,
            type_id: TypeId(self.type_id),
        })
    }
}

/// Somebody has had as many of its type as may be.
fn put_off(tx: &Tx<'_>, id: MessageId, wait: Duration, now: Timestamp) -> Result<()> {
    let due = now.saturating_add(SignedDuration::try_from(wait).unwrap_or_default());
    let sql = "update message set due_at = :due, error = :error where id = :id";
    tx.0.0.prepare_cached(sql)?.execute(named_params! {
        ":id": id.0, ":due": due.unwrap_or(Timestamp::MAX).as_millisecond(), ":error": PUT_OFF,
    })?;
    Ok(())
}

/// Everything is read here, for an update that returned it would cost a table of its own. [`candidate`] reads by position.
pub(super) const DUE: &str = "
    select id, attempts, tries, expires_at, lane, guid, format, recipient, recipient_name, sender, subject, body,
        html_body, is_sensitive, created_at, claims, user_id, type_id
    from message left join content on message_id = id
    where status = 'queued' and channel = :channel and lane = :lane and due_at <= :now
    order by due_at limit :limit";

fn due(tx: &Tx<'_>, claim: &Claim, lane: i64, limit: usize) -> Result<Vec<Candidate>> {
    let candidates = tx
        .0
        .0
        .prepare_cached(DUE)?
        .query_map(
            named_params! {
                ":channel": claim.channel.word(), ":lane": lane, ":now": claim.now.as_millisecond(),
                ":limit": limit as i64,
            },
            |row| candidate(row, &claim.default_sender),
        )?
        .collect::<rusqlite::Result<_>>()?;
    Ok(candidates)
}

fn candidate(row: &Row<'_>, default_sender: &str) -> rusqlite::Result<Candidate> {
    let (attempts, tries): (u32, u32) = (row.get(1)?, row.get(2)?);
    let body: Option<String> = row.get(11)?;
    Ok(Candidate {
        is_empty: body.is_none(),
        is_suspect: row.get::<_, i64>(15)? > 0,
        is_new: attempts == 0,
        user_id: row.get(16)?,
        type_id: row.get(17)?,
        message: Claimed {
            id: MessageId(row.get(0)?),
            attempt: attempts + 1,
            tries: tries + 1,
            is_released: row.get::<_, i64>(4)? == RELEASED,
            outgoing: Outgoing {
                guid: guid(row, 5)?,
                format: templates::format(row, 6)?,
                recipient: row.get(7)?,
                recipient_name: row.get(8)?,
                sender: row.get(9)?,
                default_sender: default_sender.to_owned(),
                subject: row.get(10)?,
                body: body.unwrap_or_default(),
                html_body: row.get(12)?,
                is_sensitive: row.get(13)?,
                created: time(row, 14)?,
                expires: time(row, 3)?,
            },
        },
    })
}

fn take(tx: &Tx<'_>, id: MessageId, now: Timestamp) -> Result<()> {
    let sql = "
        update message set status = 'sending', claims = claims + 1, attempts = attempts + 1, tries = tries + 1,
            last_attempt_at = :now
        where id = :id";
    tx.0.0
        .prepare_cached(sql)?
        .execute(named_params! { ":id": id.0, ":now": now.as_millisecond() })?;
    Ok(())
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
