//! The data directory: its permissions and the lock that keeps a second server out.

use rustix::fs::{FlockOperation, flock};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const DATABASE: &str = "herald.db";
const LOCK: &str = "herald.lock";

/// Makes the directory (0700) if it is not there and returns the path of the database in it.
///
/// A directory that holds other things is refused: its permissions are not ours to change.
pub(super) fn prepare(data_dir: &Path) -> Result<PathBuf, String> {
    let shown = data_dir.display();
    let file = data_dir.join(DATABASE);
    if !data_dir.exists() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data_dir)
            .map_err(|fault| format!("Cannot make the data directory {shown}: {fault}."))?;
    }
    let entries = fs::read_dir(data_dir)
        .map_err(|fault| format!("Cannot read the data directory {shown}: {fault}."))?;
    if !file.exists() {
        let foreign = entries.flatten().find(|entry| {
            let name = entry.file_name();
            name != LOCK && name != "lost+found"
        });
        if let Some(entry) = foreign {
            return Err(format!(
                "{shown} is not a Herald data directory: it holds {} and no {DATABASE}. Name an empty or a new directory with --data-dir.",
                entry.file_name().display()
            ));
        }
    }
    fs::set_permissions(data_dir, Permissions::from_mode(0o700))
        .map_err(|fault| format!("Cannot make {shown} private (mode 0700): {fault}."))?;
    if !file.exists() {
        // The file is made here so that it has its mode from its first moment on; SQLite's own files copy that mode.
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&file)
            .map_err(|fault| format!("Cannot make {}: {fault}.", file.display()))?;
    }
    Ok(file)
}

/// Makes the database file private, whoever made it.
pub(super) fn tighten(file: &Path) -> Result<(), String> {
    fs::set_permissions(file, Permissions::from_mode(0o600)).map_err(|fault| {
        format!(
            "Cannot make {} private (mode 0600): {fault}.",
            file.display()
        )
    })
}

/// The advisory lock of a serving process; given back when the process ends, however it ends.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock or says who has it.
    pub(super) fn take(data_dir: &Path) -> Result<Self, String> {
        let path = data_dir.join(LOCK);
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(|fault| format!("Cannot open {}: {fault}.", path.display()))?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            format!(
                "Another herald serves {} already. Stop it first, or name another directory with --data-dir.",
                data_dir.display()
            )
        })?;
        Ok(Self { _file: file })
    }
}
