//! The writer: one thread that owns the connection that changes rows, and group commit.
//!
//! `group` takes all work that is waiting, runs each piece inside one transaction and commits once; `flusher` gets the
//! group onto the disk and answers. So throughput does not hang on the time of one fsync, and nobody meets SQLITE_BUSY.
//! `checkpointer` copies the log of changes into the database meanwhile.
//!
//! Who does not want to wait leaves behind what is to happen then. A thread of its own does that, a group at a time, so
//! that neither the next flush waits for it nor a thread wakes up for every piece.

use super::checkpointer::{self, Told};
use super::flusher::{self, Broken, Flush};
use super::group::Loop;
use super::jobs::{self, Jobs};
use super::news::Reporter;
use super::reserve::Reserve;
use super::{Db, Tx};
use crate::error::{Error, Result};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;

/// What the writer is asked to do.
pub(super) enum Job {
    /// A piece of a group.
    Write(Kind, Run),
    /// Something between two groups, outside any transaction.
    Alone(Alone),
    /// The last group is on disk.
    Flushed,
    /// Nothing more.
    End,
}

pub(super) type Alone = Box<dyn FnOnce(&Db) + Send>;

/// What kind of work a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// How it is undone without its group.
    pub(super) undo: Undo,
    /// Whether it is written even on a full disk, for which there is a reserve: what providers have said.
    pub(super) is_urgent: bool,
}

impl Kind {
    /// Anything.
    pub(super) const USUAL: Self = Self {
        undo: Undo::Savepoint,
        is_urgent: false,
    };
    /// What must not get lost.
    pub(super) const URGENT: Self = Self {
        undo: Undo::Savepoint,
        is_urgent: true,
    };
    /// What must not get lost, and does not fail by itself.
    pub(super) const RESULT: Self = Self {
        undo: Undo::Unneeded,
        is_urgent: true,
    };
    /// What fails only before it changes anything.
    pub(super) const CHECKED: Self = Self {
        undo: Undo::Unneeded,
        is_urgent: false,
    };
}

/// How a piece that fails is undone without its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undo {
    /// By a savepoint, for which SQLite copies every page before it is changed.
    Savepoint,
    /// It fails only before it has changed anything. If it does not keep to that, its group fails with it.
    Unneeded,
}

/// Runs, says whether to keep what was done, and later tells the caller how the commit went.
/// It is given no transaction when there is none to be had, and then only answers.
pub(super) type Run = Box<dyn FnOnce(Option<&Tx<'_>>) -> (bool, Answer) + Send>;
pub(super) type Answer = Box<dyn FnOnce(std::result::Result<(), &str>) -> Option<Then> + Send>;
/// What is to happen after a commit.
pub(super) type Then = Box<dyn FnOnce() + Send>;

pub(super) struct Writer {
    jobs: Jobs,
    broken: Broken,
    is_short: Arc<AtomicBool>,
    writer: Option<JoinHandle<Db>>,
    /// In the order in which they end.
    others: Vec<JoinHandle<()>>,
}

/// What works beside the writer.
pub(super) struct Beside {
    /// Makes durable what was appended to the log before.
    pub(super) flush: Flush,
    /// Room for a full disk.
    pub(super) reserve: Reserve,
    /// Tells what was touched.
    pub(super) reporter: Reporter,
    /// The connection that copies the log; without one the writer does.
    pub(super) copier: Option<Connection>,
}

impl Writer {
    pub(super) fn start(db: Db, beside: Beside) -> Self {
        let Beside {
            flush,
            reserve,
            reporter,
            copier,
        } = beside;
        let (jobs, waiting) = jobs::queue();
        let (groups, committed) = mpsc::channel();
        let (then, afterwards) = mpsc::channel();
        let (tell, news) = mpsc::channel();
        let (broken, told) = (Broken::default(), Arc::new(Told::default()));
        let is_short = reserve.flag();
        let writer = Loop {
            db,
            waiting,
            groups,
            broken: broken.clone(),
            reserve,
            reporter,
            is_flushing: false,
        };
        let writer = thread("store-writer", move || writer.work());
        let flushed = {
            let (told, jobs) = (told.clone(), jobs.clone());
            move || {
                jobs.put(Job::Flushed);
                // Nobody listens where the writer itself copies the log.
                if told.first() && tell.send(()).is_err() {
                    log::trace!("nobody copies the log");
                }
            }
        };
        let mut others = vec![
            thread("store-flusher", {
                let broken = broken.clone();
                move || flusher::run(&committed, flush, &broken, &then, flushed)
            }),
            thread("store-after", move || flusher::run_afterwards(afterwards)),
        ];
        if let Some(copier) = copier {
            let (writer, broken) = (jobs.clone(), broken.clone());
            others.push(thread("checkpointer", move || {
                checkpointer::run(&copier, &news, &told, &writer, &broken);
            }));
        }
        Self {
            jobs,
            broken,
            is_short,
            writer: Some(writer),
            others,
        }
    }

    /// Whether nothing is written any more until the next start, and whether only what must not get lost is.
    pub(super) fn trouble(&self) -> (bool, bool) {
        (self.broken.is_set(), self.is_short.load(Ordering::Acquire))
    }

    /// See [`Jobs::alone`].
    pub(super) fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Db) -> T + Send + 'static,
    ) -> Option<T> {
        self.jobs.alone(work)
    }

    /// Runs `work`; the result arrives at the receiver once it is on disk.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        kind: Kind,
        work: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Receiver<Result<T>> {
        let (reply, receiver) = mpsc::channel();
        self.queue(kind, work, move |done| {
            // A caller that has gone does not want to know.
            drop(reply.send(done));
            None
        });
        receiver
    }

    /// Runs `work`, which fails only before it changes anything; once it is on disk, `then` runs on the thread for that.
    pub(super) fn submit_then<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
        then: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        self.queue(Kind::CHECKED, work, move |done| {
            Some(Box::new(move || then(done)))
        });
    }

    fn queue<T: Send + 'static>(
        &self,
        kind: Kind,
        work: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
        deliver: impl FnOnce(Result<T>) -> Option<Then> + Send + 'static,
    ) {
        let run: Run = Box::new(move |tx| {
            let done = match tx {
                Some(tx) => catch_unwind(AssertUnwindSafe(|| work(tx)))
                    .unwrap_or_else(|_| Err(Error::internal("a write panicked"))),
                None => Err(unavailable("nothing is written now")),
            };
            let keep = done.is_ok();
            let answer: Answer = Box::new(move |committed| {
                deliver(match committed {
                    Ok(()) => done,
                    Err(cause) => done.and(Err(unavailable(cause))),
                })
            });
            (keep, answer)
        });
        self.jobs.write(kind, run);
    }
}

fn thread<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    std::thread::Builder::new()
        .name(name.into())
        .spawn(run)
        .expect("the system can start a thread at start-up")
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs.put(Job::End);
        let db = self.writer.take().and_then(|writer| writer.join().ok());
        for thread in self.others.drain(..) {
            drop(thread.join());
        }
        // The last connection to close copies the log and removes it; what the disk did not keep it leaves as it is.
        if let Some(db) = &db
            && self.broken.is_set()
            && let Err(fault) =
                db.0.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        {
            log::error!("the log of changes may be copied once more: {fault}");
        }
        drop(db);
    }
}

fn unavailable(cause: &str) -> Error {
    Error::Unavailable {
        retry_after_secs: 5,
        cause: cause.to_owned(),
    }
}
