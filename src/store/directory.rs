//! The data directory: its permissions and the lock that keeps a second server out.

use crate::vault::KEY_FILE;
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
            name != LOCK && name != KEY_FILE && name != "lost+found"
        });
        // Asked again: another command may have met this one on an empty directory, and made its files since.
        if let Some(entry) = foreign
            && !file.exists()
        {
            return Err(format!(
                "{shown} is not a Herald data directory: it holds {} and no {DATABASE}. Name an empty or a new directory with --data-dir.",
                entry.file_name().display()
            ));
        }
    }
    refuse_emptied(&file)?;
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

/// SQLite takes an empty file for a new database and throws away the write-ahead log beside it, which may be all there is.
/// The log is looked at first: it is begun only after the file has its first page.
fn refuse_emptied(file: &Path) -> Result<(), String> {
    let holds_something = |path: &Path| fs::metadata(path).is_ok_and(|found| found.len() > 0);
    let log = file.with_extension("db-wal");
    if holds_something(&log) && !holds_something(file) {
        let name = log.file_name().unwrap_or_default().display();
        return Err(damaged(
            file,
            &format!("it is empty, and {name} beside it is not"),
        ));
    }
    Ok(())
}

/// What to do about a database that cannot be read.
pub(super) fn damaged(file: &Path, why: &str) -> String {
    format!(
        "{} is damaged ({why}). Nothing was changed. Move it away and put a backup in its place.",
        file.display()
    )
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
