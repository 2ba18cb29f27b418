//! Opening: a new database gets schema.sql, an older one its migrations, a newer or foreign one is refused.

use super::readers::plan_once;
use super::{Db, Tx, directory, settings, templates, types};
use crate::error::Result;
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::Path;
use std::time::{Duration, Instant};

/// "HRLD": tells our files from other SQLite databases.
const APPLICATION_ID: i64 = 0x4852_4c44;

/// What a new database gets, and what brings an older one there.
pub(super) struct Plan {
    /// The whole current schema.
    pub(super) schema: &'static str,
    /// Each entry brings a database from the version of its place (from 1) to the next.
    migrations: &'static [&'static str],
}

/// The plan of this program.
pub(super) const PLAN: Plan = Plan {
    schema: include_str!("../../schema.sql"),
    migrations: &[
        include_str!("migrations/0002_catalogue.sql"),
        include_str!("migrations/0003_report.sql"),
        include_str!("migrations/0004_cause.sql"),
        include_str!("migrations/0005_captured_sensitive.sql"),
        include_str!("migrations/0006_pages.sql"),
        include_str!("migrations/0007_unsent.sql"),
        include_str!("migrations/0008_content.sql"),
        include_str!("migrations/0009_rare.sql"),
        include_str!("migrations/0010_kind.sql"),
        include_str!("migrations/0011_user.sql"),
        include_str!("migrations/0012_speaker.sql"),
    ],
};

impl Plan {
    /// The version of a database that is up to date.
    pub(super) fn version(&self) -> i64 {
        1 + self.migrations.len() as i64
    }
}

/// How long to wait for a command beside a running server, and the other way round.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// Opens the read-write connection and brings the database up to date.
pub(super) fn open(file: &Path, plan: &Plan, now: Timestamp) -> std::result::Result<Db, String> {
    let shown = file.display();
    let newest = plan.version();
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
    plan_once(&connection).map_err(damaged)?;
    let db = Db::plain(connection);
    let version = version(&db).map_err(damaged)?;
    match version {
        Found::Foreign => {
            return Err(format!(
                "{shown} is a database of another program. Name another directory with --data-dir."
            ));
        }
        Found::Version(version) if version > newest => {
            return Err(format!(
                "{shown} was written by a newer Herald (schema {version}, this one knows {newest}). Use that version or a newer one; nothing was changed."
            ));
        }
        _ => {}
    }
    configure(&db).map_err(damaged)?;
    let done = upgrade(&db, plan, now).and_then(|()| can_give_back(&db));
    // Only now: what an update of a large database keeps aside, to undo a statement, is as large as the database.
    let done = done.and_then(|()| Ok(db.0.pragma_update(None, "temp_store", "memory")?));
    done.map_err(|fault| format!("Cannot bring {shown} up to date: {fault}"))?;
    Ok(db)
}

/// `auto_vacuum`: pages that hold nothing are given back when somebody asks. (<https://sqlite.org/pragma.html#pragma_auto_vacuum>)
pub(super) const INCREMENTAL: i64 = 2;

/// What a database file turns out to be.
pub(super) enum Found {
    /// Nothing is in it.
    Empty,
    /// Another program's.
    Foreign,
    /// Ours.
    Version(i64),
}

/// Looks what a database file is.
pub(super) fn version(db: &Db) -> rusqlite::Result<Found> {
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

/// A statement of the schema without its comments, line breaks and quotes: a migrated table has its new columns behind the
/// text of the old ones, and one that was made anew has its name in quotes.
pub(super) fn essence(sql: &str) -> String {
    let code = sql
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default());
    let words: Vec<_> = code.flat_map(str::split_whitespace).collect();
    let words = words.join(" ").replace('"', "");
    words.replace(" ,", ",").replace(" )", ")")
}

/// WAL, whose log `store::flusher` flushes before a commit is answered: it survives a power cut. SQLite itself flushes only
/// around checkpoints. (delivery.md, "Library traps", SQLite)
fn configure(db: &Db) -> rusqlite::Result<()> {
    let pages: i64 =
        db.0.pragma_query_value(None, "page_count", |row| row.get(0))?;
    if pages == 0 {
        // Later it would be heard only by `vacuum`, and written down each time.
        db.0.pragma_update(None, "auto_vacuum", INCREMENTAL)?;
    }
    use_wal(db)?;
    db.0.pragma_update(None, "synchronous", "normal")?;
    db.0.pragma_update(None, "secure_delete", true)?;
    db.0.pragma_update(None, "wal_autocheckpoint", 1000)?;
    db.0.pragma_update(None, "journal_size_limit", 32 << 20)?;
    db.0.pragma_update(None, "cache_size", -16_384)
}

/// Lets the file become smaller while it is used. A database from before could not: it is written anew once, unless
/// another process is looking at it.
fn can_give_back(db: &Db) -> Result<()> {
    let mode = |db: &Db| {
        db.0.pragma_query_value(None, "auto_vacuum", |row| row.get::<_, i64>(0))
    };
    if mode(db)? == INCREMENTAL {
        return Ok(());
    }
    db.0.pragma_update(None, "auto_vacuum", INCREMENTAL)?;
    match db.0.execute_batch("vacuum") {
        Err(fault) if fault.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
            log::debug!("the database is written anew at the next start: {fault}");
            Ok(())
        }
        done => Ok(done?),
    }
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

/// One transaction: a crash in the middle leaves the old state. References are heeded only afterwards: what points to a table
/// that is made anew is not to go with the old one. (<https://sqlite.org/lang_altertable.html#otheralter>)
fn upgrade(db: &Db, plan: &Plan, now: Timestamp) -> Result<()> {
    db.0.pragma_update(None, "foreign_keys", false)?;
    db.0.execute_batch("begin immediate")?;
    let work = || -> Result<()> {
        // Asked again under the write lock: another process may have been faster.
        let newest = plan.version();
        let from = match version(db)? {
            Found::Version(version) if version == newest => return Ok(()),
            Found::Version(version) => version,
            Found::Empty | Found::Foreign => {
                db.0.execute_batch(plan.schema)?;
                let tx = Tx(db);
                types::seed(&tx, now)?;
                templates::seed(&tx, now)?;
                settings::seed(&tx)?;
                newest
            }
        };
        let done = usize::try_from(from - 1).unwrap_or(0);
        for migration in plan.migrations.iter().skip(done) {
            db.0.execute_batch(migration)?;
        }
        db.0.pragma_update(None, "application_id", APPLICATION_ID)?;
        db.0.pragma_update(None, "user_version", newest)?;
        Ok(())
    };
    let done = work();
    db.0.execute_batch(if done.is_ok() { "commit" } else { "rollback" })?;
    db.0.pragma_update(None, "foreign_keys", true)?;
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    const NOW: &str = "2026-11-22T12:00:00Z";

    /// The first program, as the oldest data directory has it.
    const OLD: Plan = Plan {
        schema: include_str!("../../tests/cases/schema/1.sql"),
        migrations: &[],
    };

    /// This program two made-up migrations later.
    #[rustfmt::skip] // A list: it grows.
    const NEW: Plan = Plan {
        schema: concat!(
            include_str!("../../schema.sql"),
            "create table tag (id integer primary key, name text not null) strict;",
            "create index tag_name on tag (name);",
        ),
        migrations: &[
            PLAN.migrations[0], PLAN.migrations[1], PLAN.migrations[2], PLAN.migrations[3],
            PLAN.migrations[4], PLAN.migrations[5], PLAN.migrations[6], PLAN.migrations[7],
            PLAN.migrations[8], PLAN.migrations[9], PLAN.migrations[10], MADE_UP[0], MADE_UP[1],
        ],
    };

    const MADE_UP: [&str; 2] = [
        "create table tag (id integer primary key, name text not null) strict;",
        "create index tag_name on tag (name);",
    ];

    fn place() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("herald.db");
        std::fs::write(&file, b"").expect("an empty file");
        (directory, file)
    }

    fn opened(file: &Path, plan: &Plan) -> std::result::Result<Db, String> {
        open(file, plan, NOW.parse().expect("a time"))
    }

    /// Everything the database consists of, and its version.
    fn shape(db: &Db) -> (Vec<(String, String, Option<String>)>, i64) {
        let sql = "select type, name, sql from sqlite_schema order by type, name";
        let mut statement = db.0.prepare(sql).expect("a statement");
        let rows = statement
            .query_map([], |row| {
                let sql: Option<String> = row.get(2)?;
                Ok((row.get(0)?, row.get(1)?, sql.map(|sql| essence(&sql))))
            })
            .expect("a list")
            .collect::<rusqlite::Result<_>>()
            .expect("rows");
        let version =
            db.0.pragma_query_value(None, "user_version", |row| row.get(0));
        (rows, version.expect("a version"))
    }

    #[test]
    fn a_database_brought_up_equals_a_new_one() {
        for newer in [&PLAN, &NEW] {
            let (_old_directory, old) = place();
            drop(opened(&old, &OLD).expect("an old database"));
            let migrated = opened(&old, newer).expect("brought up to date");
            let (_new_directory, new) = place();
            let fresh = opened(&new, newer).expect("a new database");
            assert_eq!(shape(&migrated), shape(&fresh));
            assert_eq!(shape(&fresh).1, newer.version());
        }
    }

    #[test]
    fn a_migration_that_fails_leaves_the_old_database() {
        const BROKEN: Plan = Plan {
            schema: "",
            migrations: &[MADE_UP[0], "create table tag (id integer);"],
        };
        let (_directory, file) = place();
        let before = shape(&opened(&file, &OLD).expect("an old database"));
        let refused = opened(&file, &BROKEN).err().unwrap_or_default();
        assert!(
            refused.contains("up to date: table tag already exists"),
            "{refused}"
        );
        assert_eq!(shape(&opened(&file, &OLD).expect("still there")), before);
    }

    #[test]
    fn a_newer_and_a_foreign_database_are_refused_and_not_touched() {
        let (_directory, file) = place();
        drop(opened(&file, &NEW).expect("a newer database"));
        let before = std::fs::read(&file).expect("its bytes");
        let refused = opened(&file, &OLD).err().unwrap_or_default();
        assert!(
            refused.contains(&format!(
                "written by a newer Herald (schema {}, this one knows 1)",
                NEW.version()
            )),
            "{refused}"
        );
        assert_eq!(std::fs::read(&file).expect("its bytes"), before);

        let (_directory, file) = place();
        let foreign = Connection::open(&file).expect("another program's database");
        foreign
            .execute_batch("create table theirs (a)")
            .expect("a table");
        drop(foreign);
        let before = std::fs::read(&file).expect("its bytes");
        let refused = opened(&file, &OLD).err().unwrap_or_default();
        assert!(
            refused.contains("a database of another program"),
            "{refused}"
        );
        assert_eq!(std::fs::read(&file).expect("its bytes"), before);

        std::fs::write(
            &file,
            b"this is no database, but it is long enough to look at",
        )
        .expect("a file");
        let refused = opened(&file, &OLD).err().unwrap_or_default();
        assert!(refused.contains("is damaged"), "{refused}");
    }
}
