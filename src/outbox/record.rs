//! Writing down what became of an attempt, until it is on disk: the provider cannot be asked again.

use super::Lane;
use crate::domain::ids::MessageId;
use crate::error::{Error, Result};
use crate::store::Tx;
use crate::store::devices;
use crate::store::outbox::{self, AttemptResult, Verdict};
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// Pause after a fault of the database.
pub(super) const STORE_PAUSE: Duration = Duration::from_secs(1);

/// What is written down after an attempt.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) id: MessageId,
    pub(super) number: u32,
    pub(super) result: AttemptResult,
    pub(super) verdict: Verdict,
    pub(super) counts: bool,
    pub(super) forgets_device: bool,
}

impl Entry {
    fn write(&self, tx: &Tx<'_>) -> Result<()> {
        outbox::end_attempt(tx, self.id, self.number, &self.result)?;
        if self.forgets_device {
            devices::forget(tx, self.id)?;
        }
        let error = (!self.result.accepted).then_some(self.result.answer.as_str());
        outbox::settle(tx, self.id, &self.verdict, error, self.counts)
    }
}

/// A record on its way to the disk. Sending goes on meanwhile, so that records share commits.
pub(super) struct Recording {
    entry: Entry,
    written: Receiver<Result<()>>,
}

impl Recording {
    pub(super) fn begin(lane: &Lane, entry: Entry) -> Self {
        let kept = entry.clone();
        let written = lane.store.begin_record(move |tx| entry.write(tx));
        Self {
            entry: kept,
            written,
        }
    }

    /// Of this message.
    pub(super) fn id(&self) -> MessageId {
        self.entry.id
    }

    /// Waits until it is on disk.
    pub(super) fn wait(self, lane: &Lane) -> Result<()> {
        match self.written.recv() {
            Ok(Err(Error::Unavailable { cause, .. })) => {
                waits(&cause);
                let entry = self.entry;
                insist(lane, move |tx| entry.write(tx))
            }
            Ok(written) => written,
            Err(_) => Err(Error::internal("the writer thread has ended")),
        }
    }
}

/// Writes again and again while the database is unavailable, such as when the disk is full; even while stopping, until
/// the time for that is over.
pub(super) fn insist(
    lane: &Lane,
    work: impl Fn(&Tx<'_>) -> Result<()> + Clone + Send + 'static,
) -> Result<()> {
    loop {
        match lane.store.record(work.clone()) {
            Err(Error::Unavailable { cause, .. }) => waits(&cause),
            other => return other,
        }
    }
}

fn waits(cause: &str) {
    log::error!("the result of an attempt is not on disk yet: {cause}");
    std::thread::park_timeout(STORE_PAUSE);
}
