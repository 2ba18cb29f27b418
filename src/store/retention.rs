//! What is let go after its time, a little at once, so that nobody waits for it; and the room it gives back.

use super::{Db, Tx};
use crate::domain::message::Status;
use crate::error::Result;
use jiff::Timestamp;
use rusqlite::OptionalExtension;

/// Rows that one step looks at where age decides.
const STEP_ROWS: i64 = 500;
/// The same where size decides, which is looked at between two steps: no more is let go than has to be.
const SIZE_STEP_ROWS: i64 = 20;

/// Pages that one step gives back to the file system.
const STEP_PAGES: i64 = 256;

/// Where a walk through a table from its oldest row stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Walk {
    after: i64,
    /// Rows that were let go.
    pub removed: usize,
    /// Whether there is nothing more to look at.
    pub is_over: bool,
}

/// What is walked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Messages in a final state, with their attempts.
    Messages,
    /// What the capture channel caught.
    Captured,
}

pub(super) const OLDEST_MESSAGES: &str =
    "select id, created_at, status from message where id > ?1 order by id limit ?2";
pub(super) const OLDEST_CAPTURED: &str =
    "select id, created_at, 'sent' as status from captured where id > ?1 order by id limit ?2";

/// One step: lets go of what was made before `cutoff` and has ended; all that has ended if there is no cutoff.
///
/// Rows are looked at in the order of their ids, which is that of their times but for jumps of the clock: the walk is over
/// when a whole step is younger.
pub fn step(tx: &Tx<'_>, kept: Kept, walk: Walk, cutoff: Option<Timestamp>) -> Result<Walk> {
    let (sql, delete) = match kept {
        Kept::Messages => (OLDEST_MESSAGES, "delete from message where id = ?1"),
        Kept::Captured => (OLDEST_CAPTURED, "delete from captured where id = ?1"),
    };
    let (cutoff, limit) = match cutoff {
        Some(cutoff) => (cutoff.as_millisecond(), STEP_ROWS),
        None => (i64::MAX, SIZE_STEP_ROWS),
    };
    let mut walk = Walk { removed: 0, ..walk };
    let mut looked_at = 0;
    let mut is_younger = true;
    let rows =
        tx.0.0
            .prepare_cached(sql)?
            .query_map([walk.after, limit], |row| {
                let status: String = row.get("status")?;
                Ok((row.get("id")?, row.get("created_at")?, status))
            })?
            .collect::<rusqlite::Result<Vec<(i64, i64, String)>>>()?;
    let mut delete = tx.0.0.prepare_cached(delete)?;
    for (id, created, status) in rows {
        looked_at += 1;
        walk.after = id;
        let is_old = created < cutoff;
        is_younger &= !is_old;
        if is_old && Status::parse(&status).is_some_and(Status::is_final) {
            walk.removed += delete.execute([id])?;
        }
    }
    walk.is_over = is_younger || looked_at < limit;
    Ok(walk)
}

/// How large the database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Bytes that hold something.
    pub used_bytes: u64,
    /// Bytes of the file that hold nothing.
    pub free_bytes: u64,
}

/// The size of the database, without its log of changes.
pub fn size(db: &Db) -> Result<Size> {
    let pragma = |name| -> Result<u64> {
        let value: i64 = db.0.pragma_query_value(None, name, |row| row.get(0))?;
        Ok(u64::try_from(value).unwrap_or(0))
    };
    let page = pragma("page_size")?;
    let free = pragma("freelist_count")?;
    Ok(Size {
        used_bytes: page * pragma("page_count")?.saturating_sub(free),
        free_bytes: page * free,
    })
}

/// Forgets what has ended by itself: tokens, sessions, answers kept for requests that come again, and old counts.
pub fn forget_ended(tx: &Tx<'_>, now: Timestamp) -> Result<()> {
    super::idempotency::forget(tx, now)?;
    super::tally::forget(tx, now)?;
    for sql in [
        "delete from access_token where expires_at <= ?1",
        "delete from session where expires_at <= ?1",
    ] {
        tx.0.0
            .prepare_cached(sql)?
            .execute([now.as_millisecond()])?;
    }
    Ok(())
}

/// When the newest message was accepted, or tried last.
pub fn newest(db: &Db) -> Result<Option<Timestamp>> {
    let sql = "select max(created_at, coalesce(last_attempt_at, 0)) from message order by id desc limit 1";
    let newest =
        db.0.query_row(sql, [], |row| row.get(0).map(super::timestamp));
    Ok(newest.optional()?)
}

impl super::Store {
    /// Gives some of the room that holds nothing back to the file system, between two writes; whether there was any.
    pub fn give_back(&self) -> bool {
        self.writer
            .alone(|db| {
                // Each row is a page.
                let sql = format!("pragma incremental_vacuum({STEP_PAGES})");
                let given = db.0.prepare(&sql).and_then(|mut statement| {
                    let mut rows = statement.query([])?;
                    let mut pages = 0;
                    while rows.next()?.is_some() {
                        pages += 1;
                    }
                    Ok(pages)
                });
                given.unwrap_or_else(|fault| {
                    log::debug!("no room was given back: {fault}");
                    0
                })
            })
            .is_some_and(|pages| pages > 0)
    }
}
