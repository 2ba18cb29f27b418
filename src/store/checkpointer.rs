//! Copies what was committed from the write-ahead log into the database, beside the writer, and keeps the log small.
//!
//! The copying is done on a connection of its own, while the writer goes on appending. Only the last bit, after which the
//! log begins again, is the writer's: it is short, for most has been copied by then. Without this thread a commit would
//! now and then have to copy thousands of pages while everybody waits.

use super::flusher::{Broken, is_of_flush};
use super::jobs::Jobs;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often at most the log is copied.
const EVERY: Duration = Duration::from_millis(200);
/// How many pages the log may hold before it begins again, as soon as all of it is copied.
pub(super) const LOG_PAGES_MAX: i64 = 4000;
/// How far the copying thread steps back; it still gets its share when all are busy. (nice(2))
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;
/// How long nothing is written before the log is emptied.
const QUIET: Duration = Duration::from_secs(1);
/// How long the log keeps what was overwritten or wiped, even if there is always something to write.
const KEPT_MAX: Duration = Duration::from_secs(30);

/// Told by the flusher that there is something new in the log.
pub(super) type News = Receiver<()>;

/// Set while the checkpointer has not looked yet, so that it is told once and not with every group.
#[derive(Default)]
pub(super) struct Told(AtomicBool);

impl Told {
    /// Whether nobody has told it since it looked.
    pub(super) fn first(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }

    fn forget(&self) {
        self.0.store(false, Ordering::Release);
    }
}

/// The connection that copies.
pub(super) fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    // The log is flushed before pages are copied and the database before the log begins again.
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "cache_size", 0)?;
    Ok(connection)
}

/// Runs until the flusher has ended, or the disk has failed to keep the log: what is read from it then may be anything.
pub(super) fn run(
    connection: &Connection,
    news: &News,
    told: &Told,
    writer: &Jobs,
    broken: &Broken,
) {
    step_back();
    let mut emptied = Instant::now();
    let mut is_empty = true;
    loop {
        // With something in the log it is emptied after a while, else there is nothing to do before there is news.
        let has_news = match is_empty {
            true => news.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => news.recv_timeout(QUIET),
        };
        match has_news {
            Ok(()) => {
                // Told once, it is not told again before it looks: this is a rest that only the end cuts short.
                if news.recv_timeout(EVERY) == Err(RecvTimeoutError::Disconnected) {
                    return;
                }
                told.forget();
                if is_empty {
                    (is_empty, emptied) = (false, Instant::now());
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let pages = checkpoint(connection, "passive", broken);
        let broken = broken.clone();
        if has_news.is_err() || emptied.elapsed() >= KEPT_MAX {
            let is_done = writer.alone(move |db| at_once(&db.0, "truncate", &broken).is_some());
            // With a reader in the way it is tried again.
            is_empty = has_news.is_err() && is_done == Some(true);
            emptied = Instant::now();
        } else if pages.is_some_and(|pages| pages >= LOG_PAGES_MAX) {
            // All is copied then, and the next commit begins the log again.
            writer.alone(move |db| at_once(&db.0, "passive", &broken));
        }
    }
}

/// Lets everybody else go first: the copying keeps a processor busy for milliseconds at a time, and nobody waits for it.
fn step_back() {
    // On Linux a thread has a priority of its own.
    #[cfg(target_os = "linux")]
    if let Err(fault) =
        rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS)
    {
        log::debug!("the log is copied at the usual priority: {fault}");
    }
}

/// As [`checkpoint`], without waiting for readers: nobody is to wait for the writer meanwhile.
fn at_once(connection: &Connection, how: &str, broken: &Broken) -> Option<i64> {
    let set = |millis: i64| connection.pragma_update(None, "busy_timeout", millis);
    let patience = connection.pragma_query_value(None, "busy_timeout", |row| row.get(0));
    let pages = set(0)
        .ok()
        .and_then(|()| checkpoint(connection, how, broken));
    if let Err(fault) = patience.and_then(set) {
        log::error!("the writer has lost its patience: {fault}");
    }
    pages
}

/// How many pages the log holds; none if another checkpoint or a reader is in the way, or the disk is. A flush that fails
/// here is as bad as the flusher's.
fn checkpoint(connection: &Connection, how: &str, broken: &Broken) -> Option<i64> {
    if broken.is_set() {
        return None;
    }
    let sql = format!("pragma wal_checkpoint({how})");
    let done = connection.query_row(&sql, [], |row| Ok((row.get::<_, bool>(0)?, row.get(1)?)));
    match done {
        Ok((false, pages)) => Some(pages),
        Ok((true, _)) => None,
        Err(fault) => {
            if is_of_flush(&fault) {
                broken.set(&fault);
            }
            // A full disk may be the reason, of which others speak loudly enough.
            log::debug!("the log of changes was not copied: {fault}");
            None
        }
    }
}
