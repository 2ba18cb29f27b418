//! A backup for somebody who is not at this machine: made beside the database, and gone from there before it is sent.

use super::backup::backup;
use super::copies::Watch;
use super::health::DISK_LOW_BYTES;
use super::{Store, retention};
use crate::error::{Error, Result};
use jiff::Timestamp;
use std::fs::{self, File};
use std::sync::Arc;

/// The file's name in the data directory while it is made. What a crash leaves of it the next one replaces.
const DOWNLOAD_FILE: &str = "download.db";

impl Store {
    /// A backup as an open file without a name, and its size. One at a time.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the disk has no room for it or another one is being made.
    pub fn download(&self, now: Timestamp) -> Result<(File, u64)> {
        let size = self.read(retention::size)?.used_bytes;
        let health = self.health()?;
        let is_tight = |free| free < size.saturating_add(DISK_LOW_BYTES);
        if health.disk_free_bytes.is_some_and(is_tight) {
            return Err(unavailable("the disk has no room for a backup"));
        }
        let target = self.data_dir.join(DOWNLOAD_FILE);
        let watch = Watch {
            enter: &|_| {},
            stop: Arc::default(),
        };
        backup(&self.data_dir, &target, true, now, &watch).map_err(unavailable)?;
        let open = || {
            let file = File::open(&target)?;
            fs::remove_file(&target)?;
            let bytes = file.metadata()?.len();
            Ok((file, bytes))
        };
        open().map_err(|fault: std::io::Error| unavailable(fault.to_string()))
    }
}

fn unavailable(cause: impl Into<String>) -> Error {
    Error::Unavailable {
        retry_after_secs: 5,
        cause: cause.into(),
    }
}
