//! The database: the only module with SQL. No rusqlite name crosses its border, so that another engine can stand behind
//! the same functions one day.
//!
//! [`Store::write`] runs work inside the writer thread's transaction, [`Store::read`] on a read-only snapshot.
//! Functions that change rows take a [`Tx`], functions that only look take a [`Db`]; a [`Tx`] can be looked at too.

mod aside;
mod back;
pub mod backup;
pub mod bulk;
pub mod captured;
pub mod causes;
pub mod check;
mod checkpointer;
pub mod claims;
pub mod clients;
mod condition;
pub mod copies;
pub mod devices;
mod directory;
mod download;
mod flusher;
mod group;
pub mod health;
pub mod idempotency;
mod jobs;
pub mod look;
mod memo;
pub mod messages;
mod migrate;
pub mod news;
pub mod of_user;
pub mod operators;
pub mod outbox;
pub mod page;
pub mod pause;
#[cfg(test)]
mod plans;
pub mod preferences;
pub mod providers;
pub mod queue;
mod readers;
pub mod reports;
pub mod reserve;
pub mod restore;
pub mod retention;
mod seals;
mod search;
pub mod settings;
pub mod system_preferences;
pub mod tally;
pub mod templates;
pub mod types;
mod unfinished;
pub mod users;
pub mod versions;
pub mod waiting;
mod writer;

use crate::domain::message::Outgoing;
use crate::error::{Error, Result};
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, Row, RowIndex};
use std::borrow::Cow;
use std::cell::Cell;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;
use uuid::Uuid;
use writer::Kind;

/// A connection to the database, for looking.
pub struct Db(
    Connection,
    memo::Recall,
    Arc<seals::Seals>,
    Cell<look::Limits>,
);

impl Db {
    /// A connection that remembers nothing and opens no seals.
    fn plain(connection: Connection) -> Self {
        let (recall, limits) = (memo::Recall::default(), Cell::default());
        Self(connection, recall, seals::Seals::none(), limits)
    }

    /// What this look may cost.
    fn limits(&self) -> look::Limits {
        self.3.get()
    }
}

/// A running transaction of the writer.
pub struct Tx<'a>(&'a Db);

impl Deref for Tx<'_> {
    type Target = Db;

    fn deref(&self) -> &Db {
        self.0
    }
}

/// The open database: one writer thread, a few readers, and (while serving) the lock on the directory.
pub struct Store {
    // Closed in this order: only the writer's connection, as the last one, can write the log of changes back into the
    // file and remove it. What was wiped from the file would live on in it.
    readers: readers::Readers,
    writer: writer::Writer,
    seals: Arc<seals::Seals>,
    data_dir: PathBuf,
    /// Which messages have changed.
    pub news: Arc<news::News>,
    _lock: Option<directory::Lock>,
}

/// Who opens the data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The server: alone, with the advisory lock.
    Exclusive,
    /// A command beside a running server, or before one.
    Shared,
}

impl Store {
    /// Opens the data directory, makes the database if there is none, and brings an older one up to date.
    ///
    /// # Errors
    /// A sentence that says what to do: another process has the directory, the database is newer than this program,
    /// damaged, or not Herald's. What is there is never replaced.
    pub fn open(
        data_dir: &Path,
        access: Access,
        now: Timestamp,
    ) -> std::result::Result<Self, String> {
        let file = directory::prepare(data_dir)?;
        let lock = match access {
            Access::Exclusive => Some(directory::Lock::take(data_dir)?),
            Access::Shared => None,
        };
        let seals = seals::Seals::of(data_dir);
        let mut db = migrate::open(&file, &migrate::PLAN, now)?;
        db.2 = seals.clone();
        directory::tighten(&file)?;
        let readers = readers::Readers::new(&file, &seals)
            .map_err(|fault| format!("Cannot open {} for reading: {fault}.", file.display()))?;
        let news = news::News::new(now);
        let served = lock.is_some().then_some(data_dir);
        let beside = Self::beside(&file, served, &mut db, news.clone())?;
        Ok(Self {
            news,
            seals,
            data_dir: data_dir.to_owned(),
            readers,
            writer: writer::Writer::start(db, beside),
            _lock: lock,
        })
    }

    /// What works beside the writer: for a server, that is given its directory, more than for a command.
    fn beside(
        file: &Path,
        served: Option<&Path>,
        db: &mut Db,
        news: Arc<news::News>,
    ) -> std::result::Result<writer::Beside, String> {
        let unusable = |fault| format!("Cannot open {}: {fault}.", file.display());
        let reporter = news::Reporter::listen(db, news).map_err(unusable)?;
        let copier = || {
            db.0.pragma_update(None, "wal_autocheckpoint", 0)?;
            checkpointer::connect(file)
        };
        let copier = served.map(|_| copier()).transpose();
        Ok(writer::Beside {
            flush: directory::flush_of_log(file)?,
            reserve: reserve::Reserve::keep(served),
            reporter,
            copier: copier.map_err(unusable)?,
        })
    }

    /// Runs `work` in a transaction and returns once it is on disk. Work of several callers shares one commit.
    ///
    /// # Errors
    /// What `work` says (then nothing of it is kept), or [`Error::Unavailable`] when the commit fails.
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.begin_write(work)
            .recv()
            .unwrap_or_else(|_| Err(Error::internal("the writer thread has ended")))
    }

    /// Like [`Store::write`], without waiting: the result arrives at the receiver once it is on disk.
    pub fn begin_write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Receiver<Result<T>> {
        self.writer.submit(Kind::USUAL, work)
    }

    /// Like [`Store::write`], for what providers have said: it is written even on a full disk, for which there is a
    /// reserve.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn record<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer
            .submit(Kind::URGENT, work)
            .recv()
            .unwrap_or_else(|_| Err(Error::internal("the writer thread has ended")))
    }

    /// Like [`Store::record`], for what a start has to write: where the disk is full the first try gives up the reserve,
    /// and the second has its room.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn record_at_start<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T> + Clone + Send + 'static,
    ) -> Result<T> {
        match self.record(work.clone()) {
            Err(Error::Unavailable { .. }) => self.record(work),
            done => done,
        }
    }

    /// Like [`Store::record`], without waiting, and spared its savepoint like [`Store::write_then`]: if `work` fails after
    /// it has changed something, what shares its commit is [`Error::Unavailable`] and may try again.
    pub fn begin_record<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Receiver<Result<T>> {
        self.writer.submit(Kind::RESULT, work)
    }

    /// Like [`Store::write`], without waiting: `then` gets the result once it is on disk, on a thread of the store.
    /// `work` must fail only before it changes anything, for it is spared its savepoint: if it does not keep to that,
    /// what shares its commit is [`Error::Unavailable`].
    pub fn write_then<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
        then: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        self.writer.submit_then(work, then);
    }

    /// How long a write waits for another process that is writing, before it is [`Error::Unavailable`].
    ///
    /// # Errors
    /// A fault of the database.
    pub fn set_patience(&self, at_most: Duration) -> Result<()> {
        self.write(move |tx| Ok(tx.0.0.busy_timeout(at_most)?))
    }

    /// What each [`Store::read`] may cost from now on.
    pub fn limit_reads(&self, limits: look::Limits) {
        self.readers.limit(limits);
    }

    /// A claimed message with its content as the provider is to have it.
    ///
    /// # Errors
    /// [`Error::Internal`] when it was sealed with a key that is not there any more.
    pub fn opened<'a>(&self, message: &'a Outgoing) -> Result<Cow<'a, Outgoing>> {
        self.seals.opened(message)
    }

    /// Runs `look` on a consistent snapshot, for as long as [`Store::limit_reads`] allows.
    ///
    /// # Errors
    /// What `look` says, a fault of the database, or [`Error::TookTooLong`].
    pub fn read<T>(&self, look: impl FnOnce(&Db) -> Result<T>) -> Result<T> {
        self.readers.with(look)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(fault: rusqlite::Error) -> Self {
        match fault.sqlite_error_code() {
            Some(
                ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::OutOfMemory,
            ) => Self::Unavailable {
                retry_after_secs: 5,
                cause: fault.to_string(),
            },
            Some(ErrorCode::OperationInterrupted) => Self::TookTooLong,
            _ => Self::internal(fault),
        }
    }
}

/// The version of the schema that this program writes.
#[must_use]
pub fn schema_version() -> i64 {
    migrate::PLAN.version()
}

/// The version of the database engine inside.
#[must_use]
pub fn engine_version() -> &'static str {
    rusqlite::version()
}

/// Whether this is the unique key over these columns, as SQLite names them: `table.column, table.column`.
fn is_unique_violation(fault: &rusqlite::Error, columns: &str) -> bool {
    matches!(fault, rusqlite::Error::SqliteFailure(code, Some(message))
        if code.code == ErrorCode::ConstraintViolation && message.ends_with(columns))
}

/// The time in a column of milliseconds.
fn time(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<Timestamp> {
    row.get(column).map(timestamp)
}

/// The time in a nullable column of milliseconds.
fn optional_time(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    let millis: Option<i64> = row.get(column)?;
    Ok(millis.map(timestamp))
}

/// The last moment that can be written does not come back from its milliseconds: it stays an end, not a beginning.
fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(match millis < 0 {
        true => Timestamp::MIN,
        false => Timestamp::MAX,
    })
}

/// The GUID in a column of 16 bytes.
fn guid(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<Uuid> {
    Ok(Uuid::from_bytes(row.get(column)?))
}
