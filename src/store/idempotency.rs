//! Answers kept for requests that come again under the same key. (api.md, section 3, rule 5)

use super::{Db, Tx};
use crate::domain::ids::Owner;
use crate::error::Result;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, named_params};

/// How long a key is remembered.
pub const KEPT_HOURS: i64 = 24;

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Of the request it answered, as [`fingerprint`] makes it.
    pub request_hash: [u8; 32],
    /// GUIDs of the queued messages, space-separated.
    pub guids: String,
    /// Where the first log entry is.
    pub location: String,
}

/// By which a request is known again, and which tells nothing of it to whoever has the database alone.
///
/// # Errors
/// [`Error::Internal`](crate::error::Error::Internal) without a usable `secret.key`.
pub fn fingerprint(db: &Db, request: &[u8]) -> Result<[u8; 32]> {
    db.2.fingerprint(request)
}

pub(super) const FIND: &str = "
    select request_hash, guids, location from idempotency
    where owner = :owner and key = :key and created_at > :oldest";

/// The answer kept under this key, unless it has grown too old.
pub fn find(db: &Db, owner: Owner, key: &str, now: Timestamp) -> Result<Option<Kept>> {
    Ok(db
        .0
        .prepare_cached(FIND)?
        .query_row(
            named_params! { ":owner": owner.0, ":key": key, ":oldest": oldest(now) },
            |row| {
                Ok(Kept {
                    request_hash: row.get("request_hash")?,
                    guids: row.get("guids")?,
                    location: row.get("location")?,
                })
            },
        )
        .optional()?)
}

pub(super) const FORGET: &str = "delete from idempotency where created_at <= ?1";

/// Forgets answers that have grown too old.
pub(super) fn forget(tx: &Tx<'_>, now: Timestamp) -> Result<()> {
    tx.0.0.prepare_cached(FORGET)?.execute([oldest(now)])?;
    Ok(())
}

/// Keeps an answer in the transaction of the messages it speaks of, and forgets those that have grown too old.
pub fn keep(tx: &Tx<'_>, owner: Owner, key: &str, kept: &Kept, now: Timestamp) -> Result<()> {
    forget(tx, now)?;
    let sql = "
        insert into idempotency (owner, key, request_hash, guids, location, created_at)
        values (:owner, :key, :request_hash, :guids, :location, :now)";
    tx.0.0.prepare_cached(sql)?.execute(named_params! {
        ":owner": owner.0, ":key": key, ":request_hash": kept.request_hash, ":guids": kept.guids,
        ":location": kept.location, ":now": now.as_millisecond(),
    })?;
    Ok(())
}

fn oldest(now: Timestamp) -> i64 {
    now.saturating_sub(SignedDuration::from_hours(KEPT_HOURS))
        .unwrap_or(Timestamp::MIN)
        .as_millisecond()
}
