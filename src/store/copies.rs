//! What backing up and restoring share: a database that is only read, a copy of it that is paused wherever it is used, and
//! somebody who watches.
//!
//! A copy may be older than this program's schema (a backup before an update is the most useful one), so that everything
//! here and in `store::backup` keeps to what the first version had.

use super::pause::{self, REASON_CHARS_MAX};
use super::unfinished::Unfinished;
use super::{Db, Tx, migrate};
use crate::error::{Error, Result as HeraldResult};
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// When the backup was made that this database comes from, among the settings.
pub(super) const MADE: &str = "copied_at";

/// Who pauses the outbox of a copy.
pub(super) const BACKUP: &str = "herald backup";
pub(super) const RESTORE: &str = "herald restore";

/// After so many steps of SQLite's machine a long operation looks whether it is to stop.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// What a long operation is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Copying into this file, which will have about so many bytes.
    Copying {
        /// The file that grows.
        into: PathBuf,
        /// Its size at the end, before what is not kept is taken out.
        bytes: u64,
    },
    /// Looking through a database for this kind of fault.
    Checking(&'static str),
    /// Bringing it to the disk.
    Finishing,
}

/// Who watches a long operation, and may stop it.
pub struct Watch<'a> {
    /// Told what happens next.
    pub enter: &'a dyn Fn(Stage),
    /// Set from outside: stop as soon as possible, and leave everything as it was.
    pub stop: Arc<AtomicBool>,
}

impl Watch<'_> {
    pub(super) fn enter(&self, stage: Stage) {
        (self.enter)(stage);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Makes whatever runs on this connection stop when it is to.
    pub(super) fn guard(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let stop = Arc::clone(&self.stop);
        let stops = move || stop.load(Ordering::Relaxed);
        connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(stops))
    }
}

/// Opens a database of ours to read it, and nothing else: it is not brought up to date, and need not be in use.
pub(super) fn open(file: &Path, watch: &Watch<'_>) -> Result<Db, String> {
    let shown = file.display();
    let unusable = |fault: rusqlite::Error| match fault.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            format!("{shown} is damaged ({fault}).")
        }
        _ => format!("Cannot read {shown}: {fault}."),
    };
    match std::fs::metadata(file) {
        Err(fault) => return Err(format!("Cannot read {shown}: {fault}.")),
        Ok(found) if found.is_dir() => return Err(format!("{shown} is a directory, no database.")),
        Ok(_) => {}
    }
    // As an absolute path, because a name that begins with `file:` would be taken for a URI.
    let path =
        std::path::absolute(file).map_err(|fault| format!("Cannot read {shown}: {fault}."))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let mut connection = Connection::open_with_flags(path, flags).map_err(unusable)?;
    connection
        .busy_timeout(migrate::BUSY_TIMEOUT)
        .map_err(unusable)?;
    watch.guard(&mut connection).map_err(unusable)?;
    let db = Db::plain(connection);
    match migrate::version(&db).map_err(unusable)? {
        migrate::Found::Version(version) if version > migrate::PLAN.version() => Err(format!(
            "{shown} was written by a newer Herald (schema {version}, this one knows {}). Use that version or a newer one.",
            migrate::PLAN.version()
        )),
        migrate::Found::Version(_) => Ok(db),
        migrate::Found::Empty => Err(format!("{shown} is empty: it is no database of Herald.")),
        migrate::Found::Foreign => Err(format!("{shown} is a database of another program.")),
    }
}

/// How many bytes a copy will have, about.
pub(super) fn size(source: &Db) -> u64 {
    let value = |name| -> rusqlite::Result<u64> {
        let value: i64 = source.0.pragma_query_value(None, name, |row| row.get(0))?;
        Ok(value.unsigned_abs())
    };
    let pages = value("page_count").and_then(|all| Ok(all - value("freelist_count")?));
    // Only to show how far it is: what cannot be said now will be said by the copying itself.
    pages
        .and_then(|pages| Ok(pages * value("page_size")?))
        .unwrap_or(0)
}

/// Opens a copy that is being made, to write it. It is thrown away when anything goes wrong, so that nothing is kept to
/// undo it, and it is brought to the disk as a whole at the end.
pub(super) fn open_unfinished(unfinished: &Unfinished, watch: &Watch<'_>) -> HeraldResult<Db> {
    let uri = unfinished.uri().map_err(Error::internal)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let mut connection = Connection::open_with_flags(uri, flags)?;
    connection.busy_timeout(migrate::BUSY_TIMEOUT)?;
    connection.pragma_update(None, "auto_vacuum", migrate::INCREMENTAL)?;
    connection.pragma_update(None, "journal_mode", "memory")?;
    connection.pragma_update(None, "synchronous", "off")?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    // A copy is as good as what it is of: what is wrong with that is for `herald check` to say.
    connection.pragma_update(None, "foreign_keys", false)?;
    watch.guard(&mut connection)?;
    Ok(Db::plain(connection))
}

/// When the backup was made that this database is or comes from.
pub(super) fn made(db: &Db) -> Result<Option<Timestamp>, String> {
    let made = pause::value(db, MADE).map_err(|fault| fault.to_string())?;
    Ok(made
        .and_then(|millis| millis.parse().ok())
        .map(super::timestamp))
}

/// Pauses a copy anew. Of a pause before it only the reason stays.
pub(super) fn hold(tx: &Tx<'_>, by: &str, reason: &str, now: Timestamp) -> HeraldResult<()> {
    let before = pause::load(tx)?.filter(|before| ![BACKUP, RESTORE].contains(&before.by.as_str()));
    let before = before.map_or(String::new(), |before| match before.reason.as_str() {
        "" => " It was paused before.".to_owned(),
        reason => format!(" It was paused before: {reason}"),
    });
    let reason: String = format!("{reason}{before}")
        .chars()
        .take(REASON_CHARS_MAX)
        .collect();
    pause::clear(tx)?;
    pause::set(tx, by, &reason, now)
}

/// How many messages there are, and how many of them would be sent.
pub(super) fn counts(db: &Db) -> Result<(u64, u64), String> {
    let count = |sql: &str| -> rusqlite::Result<u64> {
        let count: i64 = db.0.query_row(sql, [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    };
    let both = || {
        let messages = count("select count(*) from message")?;
        Ok((messages, count(super::waiting::PENDING)?))
    };
    both().map_err(|fault: rusqlite::Error| fault.to_string())
}

/// Why a file was not written, in a sentence.
pub(super) fn not_written(target: &Path, fault: &str, watch: &Watch<'_>) -> String {
    match watch.is_stopped() {
        true => format!("Interrupted; {} was not written.", target.display()),
        false => format!("Cannot write {}: {fault}.", target.display()),
    }
}
