//! Gets committed groups onto the disk and then tells their callers, beside the writer.
//!
//! The writer appends a group to the write-ahead log and goes on with the next; this thread flushes the log once for
//! all groups that were appended meanwhile. Nobody is answered before the flush, so an answered commit survives a power
//! cut as it would with `synchronous=full`: the log is read back from its beginning as far as it is whole, and what was
//! flushed comes before what was not. What was committed and not yet flushed can be seen already, and promises nothing.
//!
//! A flush that fails is the end of writing until the next start: what the disk has of the log is not known any more, and
//! asking again would be answered from memory. Nor is anything copied from the log into the database, not even at the end:
//! the next start reads as much of the log as is whole. (PostgreSQL's "fsync gate",
//! <https://wiki.postgresql.org/wiki/Fsync_Errors>)

use super::writer::{Answer, Then};
use crate::logger;
use rusqlite::ffi;
use std::fmt::Display;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};

/// Makes durable what was appended to the log before.
pub(super) type Flush = Box<dyn FnMut() -> io::Result<()> + Send>;

/// What the writer hands over: how the commit went, and who wants to know.
pub(super) struct Group {
    pub(super) committed: Result<(), String>,
    pub(super) answers: Vec<Answer>,
}

/// Whether a flush has failed.
#[derive(Debug, Clone, Default)]
pub(super) struct Broken(Arc<AtomicBool>);

impl Broken {
    /// Why nothing is written any more.
    pub(super) const WHY: &'static str =
        "the disk failed to keep what was written; mend it, then start Herald again";

    /// A flush has failed.
    pub(super) fn set(&self, fault: &dyn Display) {
        if !self.0.swap(true, Ordering::AcqRel) {
            log::error!("{}: {fault}", Self::WHY);
        }
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Whether a flush that SQLite asked for has failed.
pub(super) fn is_of_flush(fault: &rusqlite::Error) -> bool {
    let code = fault.sqlite_error().map(|fault| fault.extended_code);
    matches!(
        code,
        Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC)
    )
}

/// Runs until the writer has ended.
pub(super) fn run(
    groups: &Receiver<Group>,
    mut flush: Flush,
    broken: &Broken,
    afterwards: &Sender<Vec<Then>>,
    flushed: impl Fn(),
) {
    while let Ok(first) = groups.recv() {
        let together: Vec<_> = std::iter::once(first).chain(groups.try_iter()).collect();
        if together.iter().any(|group| group.committed.is_ok()) {
            if !broken.is_set()
                && let Err(fault) = flush()
            {
                broken.set(&fault);
            }
            flushed();
        }
        let mut then = Vec::new();
        for Group { committed, answers } in together {
            let kept = match broken.is_set() {
                false => committed,
                true => committed.and(Err(Broken::WHY.into())),
            };
            let kept = kept.as_ref().copied().map_err(String::as_str);
            then.extend(answers.into_iter().filter_map(|answer| answer(kept)));
        }
        if !then.is_empty() {
            // The other end outlives this one.
            drop(afterwards.send(then));
        }
    }
}

/// Carries out what is to happen after commits, until the flusher has ended.
pub(super) fn run_afterwards(afterwards: Receiver<Vec<Then>>) {
    for group in afterwards {
        logger::together(|| {
            for then in group {
                if catch_unwind(AssertUnwindSafe(then)).is_err() {
                    log::error!("what was to happen after a write panicked");
                }
            }
        });
    }
}
