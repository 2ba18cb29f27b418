//! What can be wrong inside a database: its pages, its references, and what this program relies on beyond them.
//!
//! Each check is a statement whose rows are sentences, one for each thing that is wrong. Nothing is changed.

use super::copies::{self, MADE, Stage, Watch};
use super::providers::{self, Stored};
use super::{Db, directory, migrate};
use crate::domain::message::Status;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Sentences of one check at most; where there are more it is known that something is wrong.
pub const FINDINGS_MAX: usize = 100;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The name of the check.
    pub check: &'static str,
    /// What is wrong, in a sentence.
    pub text: String,
}

/// What a look through a database brought.
#[derive(Debug)]
pub struct Checked {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// The names of the checks.
    pub checks: Vec<&'static str>,
    /// Messages in it.
    pub messages: u64,
    /// Its stored providers: only the key can tell whether they open.
    pub providers: Vec<Stored>,
}

/// A check of ours: its name, the schema version from which on it holds, and its statement.
type Check = (&'static str, i64, &'static str);

#[rustfmt::skip] // A table: one check after the other, each statement as it is.
const CHECKS: &[Check] = &[
    ("statuses", 1, "
        select 'Message ' || id || ' has the unknown status ' || quote(status) || '.' from message
        where status not in (STATUSES)"),
    ("channels", 1, "
        select 'Message ' || id || ' has the format ' || format || ', the channel ' || quote(channel) || ' and the lane '
            || lane || ', where no sender looks.' from message
        where lane not in (0, 1, 2) or channel is not (case format when 0 then 'email' when 1 then 'email' when 2 then 'sms'
            when 3 then 'push' end)"),
    ("attempts", 1, "
        select 'Message ' || id || ' counts ' || attempts || ' attempts and has '
            || (select count(*) from attempt where message_id = id) || '.' from message
        where attempts <> (select count(*) from attempt where message_id = id)"),
    ("claims", 1, "
        select 'Message ' || id || ' is ' || status || ' and still claimed.' from message
        where claims <> 0 and status not in (WAITING)"),
    ("secrets", 8, "
        select 'Message ' || id || ' is sensitive and ' || status || ', and its content is still there.' from message
        where is_sensitive and status not in (WAITING) and (has_content or exists (select 1 from content
            where message_id = id and (subject is not null or body is not null or html_body is not null)))"),
    // A user may be erased during an attempt, and in a backup sensitive messages have no content.
    ("content", 8, "
        select 'Message ' || id || ' is ' || status || ' without ' || iif(recipient = '', 'an address.', 'content.')
        from message left join content on message_id = id
        where has_content and body is null or status in (WAITING) and (not has_content or recipient = '')
            and not (status = 'sending' and recipient = '' and user_id is null)
            and not (is_sensitive and not has_content and recipient <> ''
                and created_at <= coalesce((select cast(value as integer) from setting where key = 'MADE'), -1))"),
    ("causes", 3, "
        select 'Message ' || id || ' is ' || status || ' and has '
            || iif(cause is null, 'no cause.', 'the cause ' || quote(cause) || '.') from message
        where (cause is null) = (status in ('failed', 'expired'))"),
    ("languages", 12, "
        select 'The language ' || language || ' has ' || sum(there) || ' users and counts ' || sum(counted) || '.' from (
            select language, email is not null as has_email, mobile is not null as has_mobile, 1 as there, 0 as counted
            from recipient where not is_disabled
            union all select language, has_email, has_mobile, 0, count from speaker)
        group by language, has_email, has_mobile having sum(there) <> sum(counted)"),
    ("templates", 1, "
        select 'Message type ' || type_id || ' has ' || count(*) || ' live templates of the format ' || format
            || ' in the language ' || lcid || '.' from template
        where deleted_at is null group by type_id, format, lcid having count(*) > 1"),
];

/// Looks through a database, beside a running server too: all of it as one moment sees it.
///
/// # Errors
/// A sentence when it cannot be read at all, or is none of ours.
pub fn check(file: &Path, watch: &Watch<'_>) -> Result<Checked, String> {
    let db = copies::open(file, watch)?;
    let findings = db.0.execute_batch("begin").map(|()| Vec::new());
    let mut findings: Vec<Finding> =
        findings.map_err(|fault| format!("Cannot read {}: {fault}.", file.display()))?;
    let mut checks = Vec::new();
    let mut run = |name: &'static str, look: &dyn Fn() -> Vec<String>| {
        if !watch.is_stopped() {
            watch.enter(Stage::Checking(name));
            checks.push(name);
            findings.extend(look().into_iter().map(|text| Finding { check: name, text }));
        }
    };
    run("integrity", &|| integrity(&db));
    run("references", &|| references(&db));
    run("schema", &|| schema(&db));
    let version = match migrate::version(&db) {
        Ok(migrate::Found::Version(version)) => version,
        _ => 0,
    };
    for (name, since, sql) in CHECKS {
        if version >= *since {
            run(name, &|| sentences(&db, &filled(sql)));
        }
    }
    if watch.is_stopped() {
        return Err("Interrupted.".into());
    }
    Ok(Checked {
        findings,
        checks,
        messages: copies::counts(&db).map_or(0, |(messages, _)| messages),
        providers: providers::stored(&db).unwrap_or_default(),
    })
}

/// The database of a data directory.
///
/// # Errors
/// A sentence, if there is none.
pub fn database_of(data_dir: &Path) -> Result<PathBuf, String> {
    directory::existing(data_dir)
}

/// The directory and the files of ours in it that others than the owner may read or write, each with its mode.
#[must_use]
pub fn exposed(data_dir: &Path) -> Vec<(PathBuf, u32)> {
    directory::exposed(data_dir)
}

/// The mode of a file that others than its owner may read or write.
#[must_use]
pub fn exposed_mode(file: &Path) -> Option<u32> {
    directory::exposed_mode(file)
}

/// A statement with the words of the domain in it.
fn filled(sql: &str) -> String {
    let words = |is_wanted: fn(&Status) -> bool| {
        let wanted = Status::ALL.into_iter().filter(is_wanted);
        let quoted: Vec<_> = wanted
            .map(|status| format!("'{}'", status.word()))
            .collect();
        quoted.join(", ")
    };
    sql.replace("STATUSES", &words(|_| true))
        .replace("WAITING", &words(|status| !status.is_final()))
        .replace("MADE", MADE)
}

/// What SQLite finds wrong with the pages and the indexes.
pub(super) fn integrity(db: &Db) -> Vec<String> {
    let sql = format!("pragma integrity_check({FINDINGS_MAX})");
    let said = sentences(db, &sql);
    // It says several things in one row, below a headline.
    let lines = said.iter().flat_map(|row| row.lines());
    let problems = lines.filter(|line| *line != "ok" && !line.starts_with("*** in database "));
    problems.map(str::to_owned).collect()
}

fn references(db: &Db) -> Vec<String> {
    sentences(
        db,
        "select 'Row ' || coalesce(rowid, '?') || ' of ' || \"table\" || ' points to a ' || parent || ' that is not there.'
        from pragma_foreign_key_check",
    )
}

/// What of the schema is missing, other than it should be, or not ours. An older one is not looked at: it is brought up to
/// date when the database is used.
fn schema(db: &Db) -> Vec<String> {
    let compare = || -> rusqlite::Result<Vec<String>> {
        match migrate::version(db)? {
            migrate::Found::Version(version) if version == migrate::PLAN.version() => {}
            _ => return Ok(Vec::new()),
        }
        let fresh = Db::plain(Connection::open_in_memory()?);
        fresh.0.execute_batch(migrate::PLAN.schema)?;
        let (mut found, wished) = (parts(db)?, parts(&fresh)?);
        let mut said = Vec::new();
        for (name, sql) in wished {
            match found.remove(&name) {
                Some(found) if found == sql => {}
                Some(_) => said.push(format!("{name} is not as this version makes it.")),
                None => said.push(format!("{name} is missing.")),
            }
        }
        said.extend(found.into_keys().map(|name| format!("{name} is not ours.")));
        Ok(said)
    };
    compare().unwrap_or_else(|fault| vec![unfinished(&fault)])
}

/// Each table and index, by what people call it.
fn parts(db: &Db) -> rusqlite::Result<BTreeMap<String, Option<String>>> {
    // What SQLite makes for itself has names like these, and its statistics are nobody's schema.
    let sql =
        "select type, name, sql from sqlite_schema where name not like 'sqlite\\_%' escape '\\'";
    let mut statement = db.0.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let (kind, name): (String, String) = (row.get("type")?, row.get("name")?);
        let sql: Option<String> = row.get("sql")?;
        Ok((
            format!("The {kind} {name}"),
            sql.map(|sql| migrate::essence(&sql)),
        ))
    })?;
    rows.collect()
}

/// The rows of a statement that makes sentences; where it cannot go on, that is one too.
fn sentences(db: &Db, sql: &str) -> Vec<String> {
    let mut said = Vec::new();
    let mut look = || -> rusqlite::Result<()> {
        let mut statement = db.0.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if said.len() == FINDINGS_MAX {
                said.push("There are more.".to_owned());
                break;
            }
            said.push(row.get(0)?);
        }
        Ok(())
    };
    if let Err(fault) = look() {
        said.push(unfinished(&fault));
    }
    said
}

fn unfinished(fault: &rusqlite::Error) -> String {
    format!("It could not be looked through: {fault}.")
}
