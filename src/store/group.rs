//! The writer's own thread: gathers what waits into groups, runs each group in one transaction, commits it and hands it to
//! `flusher`.

use super::flusher::{Broken, Group, is_of_flush};
use super::jobs::Waiting;
use super::news::Reporter;
use super::reserve::Reserve;
use super::writer::{Answer, Job, Kind, Run, Undo};
use super::{Db, Tx};
use rusqlite::ErrorCode;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Sender;

/// How many pieces of work share one commit while nothing is being flushed: the sooner the first are on their way to the
/// disk, the more of the others' work is done meanwhile.
const GROUP_MAX: usize = 16;

/// How many gather at most while the group before is being flushed.
const GROUP_AHEAD_MAX: usize = 48;

/// For how many pieces the writer is woken while the group before is being flushed: they could not be answered sooner.
const WOKEN_FOR: usize = 4;

/// The writer's own thread.
pub(super) struct Loop {
    pub(super) db: Db,
    pub(super) waiting: Waiting,
    pub(super) groups: Sender<Group>,
    pub(super) broken: Broken,
    pub(super) reserve: Reserve,
    pub(super) reporter: Reporter,
    /// A group is being flushed: the next one gathers meanwhile.
    pub(super) is_flushing: bool,
}

impl Loop {
    /// Works until it is told to end; gives back the connection, which is to be closed last.
    pub(super) fn work(mut self) -> Db {
        let mut left = None;
        loop {
            let next = match left.take() {
                None => self.waiting.next(1, self.reserve.next_look()),
                left => left,
            };
            self.reserve.look();
            match next {
                Some(Job::Write(kind, run)) => left = self.group(kind, run),
                Some(Job::Alone(work)) => {
                    let done = catch_unwind(AssertUnwindSafe(|| work(&self.db)));
                    if done.is_err() {
                        log::error!("what was to happen between two writes panicked");
                    }
                }
                Some(Job::Flushed) => self.is_flushing = false,
                Some(Job::End) => return self.db,
                None => {}
            }
        }
    }

    /// Commits what waits, and gives back what is no piece of a group.
    fn group(&mut self, kind: Kind, run: Run) -> Option<Job> {
        let mut group = Group {
            committed: Err(Broken::WHY.into()),
            answers: Vec::new(),
        };
        let mut left = None;
        if self.broken.is_set() {
            group.answers.push(run(None).1);
        } else {
            let mut pieces = Pieces {
                db: &self.db,
                only_urgent: self.reserve.is_given_up(),
                answers: &mut group.answers,
                sound: None,
            };
            pieces.run(kind, run);
            left = pieces.gather(&self.waiting, &mut self.is_flushing);
            group.committed = pieces.commit().map_err(|fault| {
                match fault.of {
                    Of::Flush => self.broken.set(&fault.cause),
                    Of::Disk => self.reserve.give_up(&fault.cause),
                    Of::Other => {}
                }
                fault.cause
            });
        }
        self.reporter.print();
        self.is_flushing |= group.committed.is_ok();
        // The flusher outlives this thread.
        drop(self.groups.send(group));
        left
    }
}

/// A group on its way.
struct Pieces<'a> {
    db: &'a Db,
    only_urgent: bool,
    answers: &'a mut Vec<Answer>,
    /// None before the transaction has begun.
    sound: Option<Sound>,
}

impl Pieces<'_> {
    /// Takes pieces that wait, and those that come while the group before is flushed: it would have to wait for that
    /// anyway, and each commit has its cost. What is no piece is given back.
    fn gather(&mut self, waiting: &Waiting, is_flushing: &mut bool) -> Option<Job> {
        loop {
            let there = self.answers.len();
            let next = match *is_flushing {
                true if there < GROUP_AHEAD_MAX => waiting.next(WOKEN_FOR, None),
                false if there < GROUP_MAX => waiting.next_there(),
                _ => return None,
            };
            match next? {
                Job::Write(kind, run) => self.run(kind, run),
                Job::Flushed => *is_flushing = false,
                other => return Some(other),
            }
        }
    }

    fn run(&mut self, kind: Kind, run: Run) {
        if self.only_urgent && !kind.is_urgent {
            self.answers.push(run(None).1);
            return;
        }
        let db = self.db;
        let before = self.sound.take();
        let sound = before.unwrap_or_else(|| statement(db, "begin immediate"));
        let (answer, sound) = run_job(db, kind, run, sound);
        self.answers.push(answer);
        self.sound = Some(sound);
    }

    fn commit(self) -> Sound {
        let Some(sound) = self.sound else {
            return Ok(());
        };
        let committed = sound.and_then(|()| statement(self.db, "commit"));
        if let Err(Fault { cause, .. }) = &committed {
            if !self.db.0.is_autocommit()
                && let Err(again) = self.db.0.execute_batch("rollback")
            {
                log::error!("cannot roll back: {again}");
            }
            let count = self.answers.len();
            log::error!("nothing of the last {count} writes was kept: {cause}");
        }
        committed
    }
}

/// Runs one piece while the transaction is sound; its answer, and whether the transaction still is.
fn run_job(db: &Db, kind: Kind, run: Run, sound: Sound) -> (Answer, Sound) {
    let tx = Tx(db);
    let has_savepoint = kind.undo == Undo::Savepoint;
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
        (false, false) if db.0.total_changes() != changes => Err(Fault {
            cause: "a write failed after it had changed something".into(),
            of: Of::Other,
        }),
        (_, false) => Ok(()),
    });
    (answer, sound)
}

/// Whether the transaction can still be committed.
type Sound = std::result::Result<(), Fault>;

struct Fault {
    cause: String,
    of: Of,
}

/// Of what a fault is.
enum Of {
    /// The beginning of the log is flushed in a commit.
    Flush,
    Disk,
    Other,
}

fn statement(db: &Db, sql: &str) -> Sound {
    let run = || db.0.prepare_cached(sql)?.execute([]);
    let fault = |fault: rusqlite::Error| Fault {
        of: match fault.sqlite_error_code() {
            _ if is_of_flush(&fault) => Of::Flush,
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => Of::Disk,
            _ => Of::Other,
        },
        cause: fault.to_string(),
    };
    run().map(drop).map_err(fault)
}
