//! Putting a database aside without losing a byte of it: it gets a second name, under which it stays, before another one
//! takes its first.

use super::unfinished::sync_directory_of;
use super::{Db, migrate};
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long the database may be in use by another command.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Whether there is a database, or what is left of one.
pub(super) fn is_there(place: &Path) -> bool {
    holds_something(place) || holds_something(&log_of(place))
}

/// Gives the database before a second name, under which it stays; the first one is left to the new database. None if
/// there was none.
pub(super) fn set_aside(place: &Path, now: Timestamp) -> Result<Option<PathBuf>, String> {
    if !is_there(place) {
        return Ok(None);
    }
    let is_one_file = fold(place)?;
    let kept = free_name(place, now);
    let done = || -> io::Result<()> {
        link(place, &kept)?;
        if !is_one_file {
            // Both have their second names before the first one loses its own: a log beside the new database would be
            // taken for that one's.
            link(&log_of(place), &log_of(&kept))?;
            sync_directory_of(place)?;
            remove(&log_of(place))?;
        }
        remove(&beside(place, "-shm"))?;
        sync_directory_of(place)
    };
    done().map_err(|fault| {
        let (place, kept) = (place.display(), kept.display());
        format!("Cannot keep {place} as {kept}: {fault}. The database is as it was.")
    })?;
    Ok(Some(kept))
}

/// Brings the database before into one file, so that one name is all of it; false if it cannot be read as a database.
fn fold(place: &Path) -> Result<bool, String> {
    // An empty file would be taken for a new database, and the log beside it thrown away.
    if !holds_something(place) {
        return Ok(false);
    }
    let open = |access| -> rusqlite::Result<Connection> {
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(place, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        Ok(connection)
    };
    let fold = || -> rusqlite::Result<bool> {
        // Looked at first by one who cannot write: even closing would write the log into a file that is damaged.
        let looking = open(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        migrate::version(&Db::plain(looking))?;
        let connection = open(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let sql = "pragma journal_mode = delete";
        let mode: String = connection.query_row(sql, [], |row| row.get(0))?;
        Ok(mode == "delete")
    };
    let busy = || {
        format!(
            "Another command is using {}; try again when it has ended. Nothing was changed.",
            place.display()
        )
    };
    match fold() {
        Ok(true) => Ok(true),
        Ok(false) => Err(busy()),
        Err(fault) => match fault.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Err(busy()),
            // Which may be why another is put in its place: it is kept as it is.
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Ok(false),
            _ => Err(format!(
                "Cannot put {} aside: {fault}. Nothing was changed.",
                place.display()
            )),
        },
    }
}

/// A name that says what it is, with the time.
fn free_name(place: &Path, now: Timestamp) -> PathBuf {
    let time = now.strftime("%Y%m%dT%H%M%SZ");
    let name = |more: &str| beside(place, &format!(".before-restore-{time}{more}"));
    (1..)
        .map(|number| match number {
            1 => name(""),
            number => name(&format!("-{number}")),
        })
        .find(|name| fs::symlink_metadata(name).is_err())
        .unwrap_or_else(|| name(""))
}

/// A second name, or where the file system has none of those another name; then there is a moment without the first.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(_) => fs::rename(from, to),
        Ok(()) => Ok(()),
    }
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn log_of(place: &Path) -> PathBuf {
    beside(place, "-wal")
}

pub(super) fn beside(place: &Path, suffix: &str) -> PathBuf {
    let mut name = place.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn holds_something(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.len() > 0)
}
