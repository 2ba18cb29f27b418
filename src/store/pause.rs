//! The paused outbox: what is accepted waits, and nothing is handed to a provider until a person lets it go.
//!
//! It stands among the settings, where every process that opens the database sees it: the senders look before each claim.

use super::{Db, Tx};
use crate::error::{Error, Result};
use jiff::Timestamp;
use rusqlite::OptionalExtension;

/// The longest reason, in characters.
pub const REASON_CHARS_MAX: usize = 500;

/// Since when; the outbox is paused while this is there.
const SINCE: &str = "outbox_paused_at";
const BY: &str = "outbox_paused_by";
const REASON: &str = "outbox_pause_reason";

/// The keys of the settings' table that are not a person's.
pub(super) const KEYS: [&str; 3] = [SINCE, BY, REASON];

/// A pause, and who wanted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Since when.
    pub since: Timestamp,
    /// Who asked for it.
    pub by: String,
    /// Why; empty if nobody said.
    pub reason: String,
}

impl Pause {
    /// The reason, if somebody said one.
    #[must_use]
    pub fn said(self) -> Option<String> {
        Some(self.reason).filter(|reason| !reason.is_empty())
    }
}

/// Whether the outbox is paused: one look at one row.
pub fn is_on(db: &Db) -> Result<bool> {
    Ok(value(db, SINCE)?.is_some())
}

/// The pause, if there is one.
pub fn load(db: &Db) -> Result<Option<Pause>> {
    let Some(since) = value(db, SINCE)? else {
        return Ok(None);
    };
    let millis = since.parse().unwrap_or_default();
    Ok(Some(Pause {
        since: super::timestamp(millis),
        by: value(db, BY)?.unwrap_or_default(),
        reason: value(db, REASON)?.unwrap_or_default(),
    }))
}

/// Pauses the outbox: attempts under way are finished, no other begins. A pause that is there already goes on, with the
/// new reason.
///
/// # Errors
/// [`Error::Invalid`] for a reason that is too long.
pub fn set(tx: &Tx<'_>, by: &str, reason: &str, now: Timestamp) -> Result<()> {
    if reason.chars().count() > REASON_CHARS_MAX {
        return Err(Error::Invalid(format!(
            "Reason must be at most {REASON_CHARS_MAX} characters."
        )));
    }
    let since = load(tx)?.map_or(now, |pause| pause.since);
    let since = since.as_millisecond().to_string();
    for (key, value) in [(SINCE, since.as_str()), (BY, by), (REASON, reason)] {
        super::settings::set(tx, key, value)?;
    }
    Ok(())
}

/// Lets the outbox go; whether it was paused.
pub fn clear(tx: &Tx<'_>) -> Result<bool> {
    let mut gone = 0;
    for key in KEYS {
        gone +=
            tx.0.0
                .execute("delete from setting where key = ?1", [key])?;
    }
    Ok(gone > 0)
}

pub(super) fn value(db: &Db, key: &str) -> Result<Option<String>> {
    let sql = "select value from setting where key = ?1";
    let found =
        db.0.prepare_cached(sql)?
            .query_row([key], |row| row.get("value"));
    Ok(found.optional()?)
}
