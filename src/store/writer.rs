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

/// A piece of work: runs, says whether to keep what it did, and later tells its caller how the commit went.
/// It is given no transaction when there is none to be had, and then only answers.
type Job = Box<dyn FnOnce(Option<&Tx<'_>>) -> (bool, Answer) + Send>;
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
        self.queue(work, move |done| {
            // A caller that has gone does not want to know.
            drop(reply.send(done));
            None
        });
        receiver
    }

    /// Runs `work`; once it is on disk, `then` runs on the thread for that.
    pub(super) fn submit_then<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
        then: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        self.queue(work, move |done| Some(Box::new(move || then(done))));
    }

    fn queue<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
        deliver: impl FnOnce(Result<T>) -> Option<Then> + Send + 'static,
    ) {
        let job: Job = Box::new(move |tx| {
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
            drop(jobs.send(job));
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
    let run = |sql| db.0.prepare_cached(sql)?.execute([]).map(drop);
    let tx = Tx(db);
    let mut answers = Vec::new();
    let mut sound = run("begin immediate");
    for job in std::iter::once(first)
        .chain(waiting.try_iter())
        .take(GROUP_MAX)
    {
        sound = sound.and_then(|()| run("savepoint piece"));
        let (keep, answer) = job(sound.is_ok().then_some(&tx));
        answers.push(answer);
        if !keep {
            // A full disk may have rolled back everything: then there is no savepoint, and the group has failed.
            sound = sound.and_then(|()| run("rollback to piece"));
        }
        sound = sound.and_then(|()| run("release piece"));
    }
    let committed = sound.and_then(|()| run("commit")).map_err(|fault| {
        if !db.0.is_autocommit()
            && let Err(again) = db.0.execute_batch("rollback")
        {
            log::error!("cannot roll back: {again}");
        }
        log::error!(
            "nothing of the last {} writes was kept: {fault}",
            answers.len()
        );
        fault.to_string()
    });
    let committed = committed.as_ref().copied().map_err(String::as_str);
    let answers = answers.into_iter();
    answers.filter_map(|answer| answer(committed)).collect()
}
