//! Whether the database can be written to, and how much room it has, for people to look at.

use super::Store;
use super::flusher::Broken;
use super::retention::{self, Size};
use crate::error::Result;

/// With less free space the disk is worth a person's attention, in bytes.
pub const DISK_LOW_BYTES: u64 = 256 * 1024 * 1024;

/// How the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The disk has failed: nothing is written until the next start.
    pub is_broken: bool,
    /// The disk is full: only what must not get lost is written.
    pub is_full: bool,
    /// The size of the database.
    pub size: Size,
    /// What the disk has left for us, where that can be asked.
    pub disk_free_bytes: Option<u64>,
}

impl Health {
    /// What to do, when something is to be done.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self {
                is_broken: true, ..
            } => Some(Broken::WHY),
            Self { is_full: true, .. } => {
                Some("the disk is full: nothing new is accepted until it has room again")
            }
            _ if self.is_disk_low() => Some("the disk is nearly full"),
            _ => None,
        }
    }

    /// Whether little is left of the disk.
    #[must_use]
    pub fn is_disk_low(&self) -> bool {
        self.disk_free_bytes
            .is_some_and(|free| free < DISK_LOW_BYTES)
    }
}

impl Store {
    /// How the database is.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn health(&self) -> Result<Health> {
        let (is_broken, is_full) = self.writer.trouble();
        let disk = rustix::fs::statvfs(&self.data_dir);
        Ok(Health {
            is_broken,
            is_full,
            size: self.read(retention::size)?,
            disk_free_bytes: disk
                .ok()
                .map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)),
        })
    }
}
