//! Backups: all of a database as one moment sees it, beside a running server or without one, but for what is never kept.
//!
//! What is left out is not written first and taken out again: SQLite moves rows between pages and leaves what was there, so
//! that bytes of it could stay. The copy is written row by row, and what is sensitive never comes into it.
//! (delivery.md, promise 5)

use super::copies::{self, BACKUP, MADE, Stage, Watch, not_written};
use super::outbox::ERASED;
use super::unfinished::{Unfinished, uri_of};
use super::waiting::OPEN;
use super::{Db, Tx, directory, settings};
use crate::error::{Error, Result as HeraldResult};
use jiff::Timestamp;
use std::path::Path;

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Its size.
    pub bytes: u64,
    /// Messages in it, of whatever state.
    pub messages: u64,
    /// Messages in it that would be sent.
    pub waiting: u64,
}

/// Backs up the database of a data directory, beside a running server or without one, into a file that is there whole or
/// not at all. The content of sensitive messages is left out, sessions are ended, and the copy is paused.
///
/// # Errors
/// A sentence; then `target` is as it was.
pub fn backup(
    data_dir: &Path,
    target: &Path,
    may_replace: bool,
    now: Timestamp,
    watch: &Watch<'_>,
) -> Result<Backup, String> {
    let file = directory::existing(data_dir)?;
    directory::refuse_own(data_dir, target)?;
    let shown = target.display();
    match std::fs::symlink_metadata(target) {
        Ok(found) if found.is_dir() => {
            return Err(format!("{shown} is a directory; name a file in it."));
        }
        Ok(_) if !may_replace => {
            return Err(format!(
                "{shown} is there already. Name another file, or say --force to replace it."
            ));
        }
        _ => {}
    }
    let source = copies::open(&file, watch)?;
    let unfinished = Unfinished::begin(target)?;
    watch.enter(Stage::Copying {
        into: unfinished.path().to_owned(),
        bytes: copies::size(&source),
    });
    let db = write(&file, &unfinished, now, watch)
        .map_err(|fault| not_written(target, &fault.to_string(), watch))?;
    watch.enter(Stage::Checking("integrity"));
    let checked = quick_check(&db).and_then(|()| copies::counts(&db));
    let (messages, waiting) = checked.map_err(|fault| not_written(target, &fault, watch))?;
    drop(db);
    if watch.is_stopped() {
        return Err(not_written(target, "", watch));
    }
    watch.enter(Stage::Finishing);
    let bytes = std::fs::metadata(unfinished.path()).map_or(0, |found| found.len());
    unfinished.finish(may_replace)?;
    Ok(Backup {
        bytes,
        messages,
        waiting,
    })
}

/// Writes what the backup holds, in one transaction: so it is one moment that it sees, and whoever writes meanwhile is not
/// held up.
fn write(
    file: &Path,
    unfinished: &Unfinished,
    now: Timestamp,
    watch: &Watch<'_>,
) -> HeraldResult<Db> {
    let db = copies::open_unfinished(unfinished, watch)?;
    let source = uri_of(file, "mode=ro").map_err(Error::internal)?;
    db.0.execute("attach ?1 as source", [source])?;
    db.0.execute_batch("begin")?;
    let tx = Tx(&db);
    for table in &make_schema(&tx, "'table', 'index'")? {
        if let Some(rows) = kept_rows(&tx, table)? {
            let sql = format!("insert into main.\"{table}\" {rows}");
            tx.0.0.execute(&sql, [])?;
        }
    }
    // Only now: a trigger is not to count what is only copied.
    make_schema(&tx, "'view', 'trigger'")?;
    // Ids are never used again, those of rows that are gone neither.
    tx.0.0.execute_batch(
        "delete from main.sqlite_sequence; insert into main.sqlite_sequence select * from source.sqlite_sequence",
    )?;
    release_claims(&tx)?;
    settings::set(&tx, MADE, &now.as_millisecond().to_string())?;
    let reason = "A copy made by herald backup: what waits in it may have been sent since.";
    copies::hold(&tx, BACKUP, reason, now)?;
    for pragma in ["application_id", "user_version"] {
        let value: i64 =
            tx.0.0
                .pragma_query_value(Some("source"), pragma, |row| row.get(0))?;
        tx.0.0.pragma_update(Some("main"), pragma, value)?;
    }
    db.0.execute_batch("commit; detach source")?;
    Ok(db)
}

/// The same parts of the schema of these kinds, and the names of the tables among them.
fn make_schema(tx: &Tx<'_>, kinds: &str) -> HeraldResult<Vec<String>> {
    // What SQLite makes by itself has no statement, or a name that nobody else may use.
    let sql = format!(
        "select type, name, sql from source.sqlite_schema
        where type in ({kinds}) and sql is not null and name not like 'sqlite\\_%' escape '\\'
        order by type <> 'table', rowid"
    );
    let mut tables = Vec::new();
    let mut statement = tx.0.0.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        tx.0.0.execute_batch(&row.get::<_, String>("sql")?)?;
        if row.get::<_, String>("type")? == "table" {
            tables.push(row.get("name")?);
        }
    }
    Ok(tables)
}

/// The rows of a table that a backup holds; none for a table that is empty in it.
fn kept_rows(tx: &Tx<'_>, table: &str) -> HeraldResult<Option<String>> {
    Ok(match table {
        "message" => Some(without_secrets(tx, table, "")?),
        "content" => Some(without_secrets(
            tx,
            table,
            "join source.message on id = message_id",
        )?),
        // What the capture channel caught of a sensitive message is sensitive. Of what was caught and is not in the log any
        // more nobody knows whether it is.
        "captured" => Some(
            "select * from source.captured c where exists
                (select 1 from source.message m where m.guid = c.guid and not m.is_sensitive)"
                .into(),
        ),
        // Whoever is signed in here is not signed in to a copy.
        "session" => None,
        _ => Some(format!("select * from source.\"{table}\"")),
    })
}

/// Every row, that of a sensitive message without its content.
fn without_secrets(tx: &Tx<'_>, table: &str, joined: &str) -> HeraldResult<String> {
    let sql = "select name from pragma_table_info(?1, 'source') order by cid";
    let mut statement = tx.0.0.prepare(sql)?;
    let columns = statement.query_map([table], |row| row.get::<_, String>("name"))?;
    let kept = columns.map(|name| {
        name.map(|name| match name.as_str() {
            "subject" | "body" | "html_body" => format!("iif(is_sensitive, null, {name})"),
            "has_content" => "has_content and not is_sensitive".into(),
            _ => name,
        })
    });
    let kept: Vec<_> = kept.collect::<rusqlite::Result<_>>()?;
    let kept = kept.join(", ");
    Ok(format!("select {kept} from source.\"{table}\" {joined}"))
}

/// What was being sent at that moment waits again, as it would after a crash.
fn release_claims(tx: &Tx<'_>) -> HeraldResult<()> {
    let sql = format!(
        "update main.message set status = iif(recipient = '', 'cancelled', 'queued'),
            claims = iif(recipient = '', 0, claims), error = iif(recipient = '', ?1, error)
        where {OPEN}"
    );
    tx.0.0.execute(&sql, [ERASED])?;
    Ok(())
}

/// Whether the pages hold what they should. The indexes have just been made from the tables, so that they need no look.
fn quick_check(db: &Db) -> Result<(), String> {
    let said: Result<String, _> =
        db.0.query_row("pragma quick_check(1)", [], |row| row.get(0));
    match said {
        Ok(said) if said == "ok" => Ok(()),
        Ok(said) => Err(format!("the copy is damaged ({said})")),
        Err(fault) => Err(fault.to_string()),
    }
}
