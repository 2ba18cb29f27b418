//! Opening: a new database gets schema.sql, an older one its migrations, a newer or foreign one is refused.

use super::{Db, Tx, directory, settings, templates, types};
use crate::error::Result;
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::Path;
use std::time::{Duration, Instant};

const SCHEMA: &str = include_str!("../../schema.sql");

/// "HRLD": tells our files from other SQLite databases.
const APPLICATION_ID: i64 = 0x4852_4c44;

/// Each entry brings a database from the version of its place (from 1) to the next.
const MIGRATIONS: &[&str] = &[];

const VERSION: i64 = 1 + MIGRATIONS.len() as i64;

/// How long to wait for a command beside a running server, and the other way round.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// Opens the read-write connection and brings the database up to date.
pub(super) fn open(file: &Path, now: Timestamp) -> std::result::Result<Db, String> {
    let shown = file.display();
    let damaged = |fault: rusqlite::Error| match fault.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            directory::damaged(file, &fault.to_string())
        }
        _ => format!("Cannot open {shown}: {fault}."),
    };
    let connection = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(damaged)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(damaged)?;
    connection.set_prepared_statement_cache_capacity(128);
    let db = Db(connection);
    let version = version(&db).map_err(damaged)?;
    match version {
        Found::Foreign => {
            return Err(format!(
                "{shown} is a database of another program. Name another directory with --data-dir."
            ));
        }
        Found::Version(version) if version > VERSION => {
            return Err(format!(
                "{shown} was written by a newer Herald (schema {version}, this one knows {VERSION}). Use that version or a newer one; nothing was changed."
            ));
        }
        _ => {}
    }
    configure(&db).map_err(damaged)?;
    upgrade(&db, now).map_err(|fault| format!("Cannot bring {shown} up to date: {fault}"))?;
    Ok(db)
}

enum Found {
    Empty,
    Foreign,
    Version(i64),
}

fn version(db: &Db) -> rusqlite::Result<Found> {
    let pragma = |name| {
        db.0.pragma_query_value(None, name, |row| row.get::<_, i64>(0))
    };
    let tables: i64 =
        db.0.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))?;
    Ok(match (pragma("application_id")?, tables) {
        (APPLICATION_ID, _) => Found::Version(pragma("user_version")?),
        (_, 0) => Found::Empty,
        _ => Found::Foreign,
    })
}

/// WAL and FULL: a commit that was answered survives a power cut. (delivery.md, "Library traps", SQLite)
fn configure(db: &Db) -> rusqlite::Result<()> {
    use_wal(db)?;
    db.0.pragma_update(None, "synchronous", "full")?;
    db.0.pragma_update(None, "foreign_keys", true)?;
    db.0.pragma_update(None, "secure_delete", true)?;
    db.0.pragma_update(None, "wal_autocheckpoint", 1000)?;
    db.0.pragma_update(None, "journal_size_limit", 16 << 20)?;
    db.0.pragma_update(None, "cache_size", -16_384)?;
    db.0.pragma_update(None, "temp_store", "memory")
}

/// Switching a new database to WAL takes the file alone, and unlike other statements it does not wait for its turn.
fn use_wal(db: &Db) -> rusqlite::Result<()> {
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        match db.0.pragma_update(None, "journal_mode", "wal") {
            Err(fault)
                if fault.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < deadline =>
            {
                std::thread::park_timeout(BUSY_PAUSE);
            }
            done => return done,
        }
    }
}

/// One transaction: a crash in the middle leaves the old state.
fn upgrade(db: &Db, now: Timestamp) -> Result<()> {
    db.0.execute_batch("begin immediate")?;
    let work = || -> Result<()> {
        // Asked again under the write lock: another process may have been faster.
        let from = match version(db)? {
            Found::Version(VERSION) => return Ok(()),
            Found::Version(version) => version,
            _ => {
                db.0.execute_batch(SCHEMA)?;
                let tx = Tx(db);
                types::seed(&tx, now)?;
                templates::seed(&tx, now)?;
                settings::seed(&tx)?;
                VERSION
            }
        };
        for migration in MIGRATIONS.iter().skip((from - 1) as usize) {
            db.0.execute_batch(migration)?;
        }
        db.0.pragma_update(None, "application_id", APPLICATION_ID)?;
        db.0.pragma_update(None, "user_version", VERSION)?;
        Ok(())
    };
    let done = work();
    db.0.execute_batch(if done.is_ok() { "commit" } else { "rollback" })?;
    done
}
