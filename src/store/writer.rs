//! The writer: one thread that owns the only read-write connection, and group commit.
//!
//! It takes all work that is waiting, runs each piece in a savepoint of its own inside one transaction, commits once,
//! and only then answers. So throughput does not hang on the time of one fsync, and nobody meets SQLITE_BUSY.
//!
//! Who does not want to wait leaves behind what is to happen then. A second thread does that, a group at a time, so that
//! neither the next group waits for it nor a thread wakes up for every piece.

use super::{Db, Tx};
use crate::error::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;

/// How many pieces of work share one commit at most, so that the first does not wait for ever.
const GROUP_MAX: usize = 1024;

/// A piece of work.
struct Job {
    undo: Undo,
    run: Run,
}

/// How a piece that fails is undone without its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Undo {
    /// By a savepoint, for which SQLite copies every page before it is changed.
    Savepoint,
    /// It fails only before it has changed anything. If it does not keep to that, its group fails with it.
    Unneeded,
}

/// Runs, says whether to keep what was done, and later tells the caller how the commit went.
/// It is given no transaction when there is none to be had, and then only answers.
type Run = Box<dyn FnOnce(Option<&Tx<'_>>) -> (bool, Answer) + Send>;
type Answer = Box<dyn FnOnce(std::result::Result<(), &str>) -> Option<Then> + Send>;
/// What is to happen after a commit.
type Then = Box<dyn FnOnce() + Send>;

pub(super) struct Writer {
    jobs: Option<Sender<Job>>,
    /// In the order in which they end.
    threads: Vec<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(db: Db) -> Self {
        let (jobs, waiting) = mpsc::channel();
        let (committed, afterwards) = mpsc::channel();
        let writer = thread("store-writer", move || {
            while let Ok(first) = waiting.recv() {
                let then = run_group(&db, first, &waiting);
                if !then.is_empty() {
                    // The other thread ends after this one.
                    drop(committed.send(then));
                }
            }
            // The last connection to close checkpoints the log and removes it.
            drop(db);
        });
        let after = thread("store-after", move || {
            for then in afterwards.into_iter().flatten() {
                let then: Then = then;
                if catch_unwind(AssertUnwindSafe(then)).is_err() {
                    log::error!("what was to happen after a write panicked");
                }
            }
        });
        Self {
            jobs: Some(jobs),
            threads: vec![writer, after],
        }
    }

    /// Runs `work`; the result arrives at the receiver once it is on disk.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Receiver<Result<T>> {
        let (reply, receiver) = mpsc::channel();
        self.queue(Undo::Savepoint, work, move |done| {
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
        self.queue(Undo::Unneeded, work, move |done| {
            Some(Box::new(move || then(done)))
        });
    }

    fn queue<T: Send + 'static>(
        &self,
        undo: Undo,
        work: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
        deliver: impl FnOnce(Result<T>) -> Option<Then> + Send + 'static,
    ) {
        let run: Run = Box::new(move |tx| {
            let done = match tx {
                Some(tx) => catch_unwind(AssertUnwindSafe(|| work(tx)))
                    .unwrap_or_else(|_| Err(Error::internal("a write panicked"))),
                None => Err(unavailable("the transaction failed before this write")),
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
        if let Some(jobs) = &self.jobs {
            // A writer that has ended drops the job, and with it whatever was to hear of it.
            drop(jobs.send(Job { undo, run }));
        }
    }
}

fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new()
        .name(name.into())
        .spawn(run)
        .expect("the system can start a thread at start-up")
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

fn unavailable(cause: &str) -> Error {
    Error::Unavailable {
        retry_after_secs: 5,
        cause: cause.to_owned(),
    }
}

fn run_group(db: &Db, first: Job, waiting: &Receiver<Job>) -> Vec<Then> {
    let mut answers = Vec::new();
    let mut sound = statement(db, "begin immediate");
    for job in std::iter::once(first)
        .chain(waiting.try_iter())
        .take(GROUP_MAX)
    {
        let (answer, after) = run_job(db, job, sound);
        answers.push(answer);
        sound = after;
    }
    let committed = sound.and_then(|()| statement(db, "commit"));
    if let Err(cause) = &committed {
        if !db.0.is_autocommit()
            && let Err(again) = db.0.execute_batch("rollback")
        {
            log::error!("cannot roll back: {again}");
        }
        log::error!(
            "nothing of the last {} writes was kept: {cause}",
            answers.len()
        );
    }
    let committed = committed.as_ref().copied().map_err(String::as_str);
    let answers = answers.into_iter();
    answers.filter_map(|answer| answer(committed)).collect()
}

/// Runs one piece while the transaction is sound; its answer, and whether the transaction still is.
fn run_job(
    db: &Db,
    job: Job,
    sound: std::result::Result<(), String>,
) -> (Answer, std::result::Result<(), String>) {
    let tx = Tx(db);
    let Job { undo, run } = job;
    let has_savepoint = undo == Undo::Savepoint;
    let sound = match has_savepoint {
        true => sound.and_then(|()| statement(db, "savepoint piece")),
        false => sound,
    };
    let changes = db.0.total_changes();
    let (keep, answer) = run(sound.is_ok().then_some(&tx));
    let sound = sound.and_then(|()| match (keep, has_savepoint) {
        (true, true) => statement(db, "release piece"),
        // A full disk may have rolled back everything: then there is no savepoint, and the group has failed.
        (false, true) => {
            statement(db, "rollback to piece").and_then(|()| statement(db, "release piece"))
        }
        (false, false) if db.0.total_changes() != changes => {
            Err("a write failed after it had changed something".to_owned())
        }
        (_, false) => Ok(()),
    });
    (answer, sound)
}

fn statement(db: &Db, sql: &str) -> std::result::Result<(), String> {
    let run = || db.0.prepare_cached(sql)?.execute([]);
    run().map(drop).map_err(|fault| fault.to_string())
}
