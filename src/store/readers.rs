//! A few read-only connections, lent out one at a time.
//!
//! Few, because each costs three descriptors and a page cache, and reads are short: a handler thread that finds none
//! free waits microseconds.

use super::Db;
use super::memo::{Memo, Recall};
use super::seals::Seals;
use super::search;
use crate::error::Result;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// How many reads may run at once.
const READERS_MAX: usize = 8;

pub(super) struct Readers {
    idle: Mutex<Vec<Db>>,
    returned: Condvar,
}

impl Readers {
    pub(super) fn new(file: &Path, seals: &Arc<Seals>) -> rusqlite::Result<Self> {
        let memo = Arc::new(Memo::default());
        let idle = (0..READERS_MAX)
            .map(|_| connect(file, memo.clone(), seals.clone()))
            .collect::<rusqlite::Result<_>>()?;
        Ok(Self {
            idle: Mutex::new(idle),
            returned: Condvar::new(),
        })
    }

    /// Lends a connection to `look`, inside one transaction so that several queries see the same moment.
    pub(super) fn with<T>(&self, look: impl FnOnce(&Db) -> Result<T>) -> Result<T> {
        let loan = Loan {
            db: Some(self.take()),
            readers: self,
        };
        let db = loan
            .db
            .as_ref()
            .expect("a loan holds its connection until it is dropped");
        db.1.begin();
        let snapshot = Snapshot::begin(db)?;
        let seen = look(db);
        snapshot.end()?;
        seen
    }

    fn take(&self) -> Db {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut idle = self
            .returned
            .wait_while(idle, |idle| idle.is_empty())
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        idle.pop().expect("waited until one is idle")
    }
}

/// A transaction that only looks; rolled back when dropped before its end. Its statements are kept prepared, which the
/// engine's own transactions are not.
struct Snapshot<'a> {
    db: &'a Db,
    is_open: bool,
}

impl<'a> Snapshot<'a> {
    fn begin(db: &'a Db) -> rusqlite::Result<Self> {
        db.0.prepare_cached("begin")?.execute([])?;
        Ok(Self { db, is_open: true })
    }

    fn end(mut self) -> rusqlite::Result<()> {
        self.is_open = false;
        self.db.0.prepare_cached("commit")?.execute([]).map(drop)
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        if self.is_open
            && let Err(fault) = self.db.0.execute_batch("rollback")
        {
            log::error!("a snapshot cannot be ended: {fault}");
        }
    }
}

/// Gives the connection back even when `look` panics.
struct Loan<'a> {
    db: Option<Db>,
    readers: &'a Readers,
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        let mut idle = self
            .readers
            .idle
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        idle.extend(self.db.take());
        self.readers.returned.notify_one();
    }
}

fn connect(file: &Path, memo: Arc<Memo>, seals: Arc<Seals>) -> rusqlite::Result<Db> {
    let connection = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "cache_size", -4096)?;
    connection.pragma_update(None, "query_only", true)?;
    plan_once(&connection)?;
    search::teach(&connection)?;
    Ok(Db(connection, Recall::with(memo), seals))
}

/// Statements that a connection keeps prepared: more than there are in the program.
const STATEMENTS_MAX: usize = 256;

/// Has each statement planned once per connection. By default SQLite plans one anew with each value that is bound where
/// a partial index might fit only that value, which was two thirds of the writer's work. What the plans are is held by
/// `plans`. ("The Query Planner Stability Guarantee")
pub(super) fn plan_once(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}
