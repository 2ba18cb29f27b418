//! The data directory: its permissions and the lock that keeps a second server out.

use super::flusher::Flush;
use super::reserve::RESERVE_FILE;
use crate::vault::KEY_FILE;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const DATABASE: &str = "herald.db";
const LOCK: &str = "herald.lock";
/// What an interrupted restore may have left; the next one removes it.
const UNFINISHED: &str = "herald.db.unfinished";

/// Makes the directory (0700) and the database's file if they are not there, and returns the path of the file.
pub(super) fn prepare(data_dir: &Path) -> Result<PathBuf, String> {
    let file = enter(data_dir)?;
    refuse_emptied(&file)?;
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

/// Makes the directory (0700) if it is not there and returns the path that the database has in it, or will have.
///
/// A directory that holds other things is refused: its permissions are not ours to change.
pub(super) fn enter(data_dir: &Path) -> Result<PathBuf, String> {
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
            let is_ours = name.as_encoded_bytes().starts_with(UNFINISHED.as_bytes());
            let known = [LOCK, KEY_FILE, RESERVE_FILE, "lost+found"];
            !known.iter().any(|known| name == **known) && !is_ours
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
    fs::set_permissions(data_dir, Permissions::from_mode(0o700))
        .map_err(|fault| format!("Cannot make {shown} private (mode 0700): {fault}."))?;
    Ok(file)
}

/// The path of the database that is there.
pub(super) fn existing(data_dir: &Path) -> Result<PathBuf, String> {
    let file = data_dir.join(DATABASE);
    match fs::metadata(&file) {
        Ok(_) => Ok(file),
        Err(fault) if fault.kind() == ErrorKind::NotFound => Err(format!(
            "{} holds no {DATABASE}. Name the data directory with --data-dir.",
            data_dir.display()
        )),
        Err(fault) => Err(format!("Cannot read {}: {fault}.", file.display())),
    }
}

/// Refuses a name for a new file that is a name of ours in the data directory.
pub(super) fn refuse_own(data_dir: &Path, target: &Path) -> Result<(), String> {
    let directory = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let is_here = match (directory.canonicalize(), data_dir.canonicalize()) {
        (Ok(directory), Ok(data_dir)) => directory == data_dir,
        _ => false,
    };
    let name = target.file_name().unwrap_or_default();
    let is_ours = [LOCK, KEY_FILE].iter().any(|ours| name == *ours)
        || name.as_encoded_bytes().starts_with(DATABASE.as_bytes());
    match is_here && is_ours {
        true => Err(format!(
            "{} is a name that Herald needs itself; choose another one.",
            target.display()
        )),
        false => Ok(()),
    }
}

/// What others than the owner may read or write, with its mode: the directory and everything of ours in it.
pub(super) fn exposed(data_dir: &Path) -> Vec<(PathBuf, u32)> {
    let suffixes = ["", "-wal", "-shm"].map(|suffix| format!("{DATABASE}{suffix}"));
    let files = suffixes.iter().map(String::as_str).chain([LOCK, KEY_FILE]);
    let paths = files.map(|name| data_dir.join(name));
    std::iter::once(data_dir.to_owned())
        .chain(paths)
        .filter_map(|path| Some((exposed_mode(&path)?, path)))
        .map(|(mode, path)| (path, mode))
        .collect()
}

/// The mode of a file that others than its owner may read or write.
pub(super) fn exposed_mode(file: &Path) -> Option<u32> {
    let mode = fs::metadata(file).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
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

/// What makes the write-ahead log durable. It stays the same file for as long as anybody has the database open.
pub(super) fn flush_of_log(file: &Path) -> Result<Flush, String> {
    let log = file.with_extension("db-wal");
    let open =
        File::open(&log).map_err(|fault| format!("Cannot open {}: {fault}.", log.display()))?;
    Ok(Box::new(move || open.sync_data()))
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
