//! Room on the disk that is kept for a day without any: when the disk is full it is given up, so that what providers have
//! said can still be written down. New messages are refused until the disk has room for the reserve again.

use rustix::fs::{FallocateFlags, fallocate};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How much is kept, in bytes: the results of a few hundred attempts.
pub const RESERVE_BYTES: u64 = 1024 * 1024;

/// How often a full disk is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The file's name in the data directory.
pub(super) const RESERVE_FILE: &str = "herald.reserve";

/// Whether there is room, as far as the last commits tell.
pub(super) struct Reserve {
    /// None for a command, which must not use what the server keeps.
    file: Option<PathBuf>,
    given_up: Option<Instant>,
    /// The same for others to see.
    shown: Arc<AtomicBool>,
}

impl Reserve {
    /// Keeps the reserve in this directory, if there is room for it.
    pub(super) fn keep(data_dir: Option<&Path>) -> Self {
        let mut reserve = Self {
            file: data_dir.map(|directory| directory.join(RESERVE_FILE)),
            given_up: None,
            shown: Arc::default(),
        };
        if let Some(file) = &reserve.file
            && let Err(fault) = allocate(file)
        {
            log::error!(
                "no room for the reserve ({fault}): nothing new is accepted until there is"
            );
            reserve.set(Some(Instant::now()));
        }
        reserve
    }

    /// Set while only what must not get lost may be written.
    pub(super) fn flag(&self) -> Arc<AtomicBool> {
        self.shown.clone()
    }

    fn set(&mut self, given_up: Option<Instant>) {
        self.given_up = given_up;
        self.shown.store(given_up.is_some(), Ordering::Release);
    }

    /// Whether only what must not get lost may be written.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.is_some()
    }

    /// A commit has failed: the room is needed now.
    pub(super) fn give_up(&mut self, cause: &str) {
        let Some(file) = &self.file else { return };
        if self.given_up.is_none() {
            log::error!("nothing new is accepted until the disk has room again: {cause}");
        }
        // It is not there if it was given up before.
        drop(fs::remove_file(file));
        self.set(Some(Instant::now()));
    }

    /// How long to wait before the disk is worth a look; none while nothing is wrong.
    pub(super) fn next_look(&self) -> Option<Duration> {
        self.given_up
            .map(|since| LOOK_EVERY.saturating_sub(since.elapsed()))
    }

    /// Takes the reserve back if the disk has room for it.
    pub(super) fn look(&mut self) {
        let Some(file) = &self.file else { return };
        if self.next_look().is_none_or(|wait| !wait.is_zero()) {
            return;
        }
        let given_up = match allocate(file) {
            Ok(()) => {
                log::warn!("the disk has room again; messages are accepted");
                None
            }
            Err(fault) => {
                log::debug!("still no room for the reserve: {fault}");
                Some(Instant::now())
            }
        };
        self.set(given_up);
    }
}

/// Real blocks, not a hole.
fn allocate(path: &Path) -> std::io::Result<()> {
    let open = || {
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(0o600).open(path)
    };
    let fill = |file: &File| -> std::io::Result<()> {
        match fallocate(file, FallocateFlags::empty(), 0, RESERVE_BYTES) {
            // Not every file system can; zeros take as much.
            Err(rustix::io::Errno::OPNOTSUPP) => {
                use std::io::Write as _;
                let missing = RESERVE_BYTES.saturating_sub(file.metadata()?.len());
                let mut file = file;
                file.write_all(&vec![0; usize::try_from(missing).unwrap_or(0)])
            }
            done => Ok(done?),
        }
    };
    let file = open()?;
    let filled = fill(&file);
    if filled.is_err() {
        drop(fs::remove_file(path));
    }
    filled
}
