//! A few read-only connections, lent out one at a time.
//!
//! Few, because each costs three descriptors and a page cache, and reads are short: a handler thread that finds none
//! free waits microseconds.

use super::Db;
use super::look::{Deadline, Limits};
use super::memo::{Memo, Recall};
use super::seals::Seals;
use super::search;
use crate::error::Result;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::cell::Cell;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// How many reads may run at once.
const READERS_MAX: usize = 8;

pub(super) struct Readers {
    idle: Mutex<Vec<(Db, Deadline)>>,
    limits: Mutex<Option<Limits>>,
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
            limits: Mutex::default(),
            returned: Condvar::new(),
        })
    }

    /// What each look may cost from now on; before, it takes as long as it takes.
    pub(super) fn limit(&self, limits: Limits) {
        *lock(&self.limits) = Some(limits);
    }

    /// Lends a connection to `look`, inside one transaction so that several queries see the same moment.
    pub(super) fn with<T>(&self, look: impl FnOnce(&Db) -> Result<T>) -> Result<T> {
        let loan = Loan {
            db: Some(self.take()),
            readers: self,
        };
        let (db, deadline) = loan
            .db
            .as_ref()
            .expect("a loan holds its connection until it is dropped");
        db.1.begin();
        let snapshot = Snapshot::begin(db)?;
        if let Some(limits) = *lock(&self.limits) {
            db.3.set(limits);
            deadline.set(limits.read);
        }
        let seen = look(db);
        // What ends the snapshot is not to be stopped too.
        deadline.lift();
        snapshot.end()?;
        seen
    }

    fn take(&self) -> (Db, Deadline) {
        let idle = lock(&self.idle);
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
    db: Option<(Db, Deadline)>,
    readers: &'a Readers,
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        if let Some((_, deadline)) = &self.db {
            deadline.lift();
        }
        lock(&self.readers.idle).extend(self.db.take());
        self.readers.returned.notify_one();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn connect(file: &Path, memo: Arc<Memo>, seals: Arc<Seals>) -> rusqlite::Result<(Db, Deadline)> {
    let mut connection = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "cache_size", -4096)?;
    connection.pragma_update(None, "query_only", true)?;
    plan_once(&connection)?;
    search::teach(&connection)?;
    let deadline = Deadline::of(&mut connection)?;
    let db = Db(connection, Recall::with(memo), seals, Cell::default());
    Ok((db, deadline))
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
