//! A file that is there whole or not at all: it is written beside its place, and takes its place once it is on disk.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rustix::fs::{CWD, FlockOperation, OFlags, RenameFlags, flock, renameat_with};
use rustix::io::Errno;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What is put behind the name of the file to be.
pub(super) const SUFFIX: &str = ".unfinished";

/// What stands for itself in a path within a URI.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_');

const NONBLOCK: i32 = OFlags::NONBLOCK.bits().cast_signed();

/// A file in the making; removed when dropped before it is finished.
#[derive(Debug)]
pub(super) struct Unfinished {
    path: PathBuf,
    target: PathBuf,
    /// Locked, so that two makers of the same file do not take the other's for one that a crash left.
    file: File,
    is_finished: bool,
}

impl Unfinished {
    /// Begins a file, private from its first moment. What a crash left of one before is removed.
    ///
    /// # Errors
    /// A sentence: another process is making the file, or the directory does not let us.
    pub(super) fn begin(target: &Path) -> Result<Self, String> {
        let cannot = |fault: io::Error| format!("Cannot write {}: {fault}.", target.display());
        let name = target.file_name().ok_or_else(|| {
            let shown = target.display();
            format!("Cannot write {shown}: it is no name of a file.")
        })?;
        let mut name = name.to_owned();
        name.push(SUFFIX);
        let path = target.with_file_name(name);
        let busy = || format!("Another herald is writing {} already.", target.display());
        let mut look = OpenOptions::new();
        // Not to hang on a pipe that somebody put there.
        look.read(true).custom_flags(NONBLOCK);
        match look.open(&path) {
            Ok(left) => {
                lock(&left).map_err(|_| busy())?;
                fs::remove_file(&path).map_err(cannot)?;
            }
            Err(fault) if fault.kind() == ErrorKind::NotFound => {}
            Err(fault) => return Err(cannot(fault)),
        }
        drop(fs::remove_file(journal(&path)));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|fault| match fault.kind() {
                ErrorKind::AlreadyExists => busy(),
                _ => cannot(fault),
            })?;
        let unfinished = Self {
            path,
            target: target.to_owned(),
            file,
            is_finished: false,
        };
        lock(&unfinished.file).map_err(|_| busy())?;
        Ok(unfinished)
    }

    /// Where it is until it is finished.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How SQLite is to open it: without locks of its own, because this one is locked already.
    pub(super) fn uri(&self) -> io::Result<String> {
        uri_of(&self.path, "nolock=1")
    }

    /// Leaves it as a process does that dies.
    #[cfg(test)]
    pub(super) fn abandon(mut self) {
        self.is_finished = true;
    }

    /// Brings it to the disk, and then to its place.
    ///
    /// # Errors
    /// A sentence; then nothing is in its place that was not there before.
    pub(super) fn finish(mut self, may_replace: bool) -> Result<(), String> {
        let cannot = |fault: io::Error| format!("Cannot write {}: {fault}.", self.target.display());
        self.file.sync_all().map_err(cannot)?;
        match may_replace {
            true => fs::rename(&self.path, &self.target),
            false => rename_to_free(&self.path, &self.target),
        }
        .map_err(cannot)?;
        self.is_finished = true;
        sync_directory_of(&self.target).map_err(cannot)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_finished {
            drop(fs::remove_file(&self.path));
            drop(fs::remove_file(journal(&self.path)));
        }
    }
}

/// The URI with which SQLite opens a file in a certain way.
pub(super) fn uri_of(file: &Path, how: &str) -> io::Result<String> {
    let path = std::path::absolute(file)?;
    let path = percent_encode(path.as_os_str().as_bytes(), PLAIN);
    Ok(format!("file:{path}?{how}"))
}

/// Where SQLite keeps what it needs to undo a change.
fn journal(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-journal");
    name.into()
}

fn lock(file: &File) -> rustix::io::Result<()> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Err(Errno::WOULDBLOCK),
        // A file system without locks: two makers at once are then up to the operator.
        _ => Ok(()),
    }
}

/// Renames unless the name is taken, also where the file system cannot say so in one step.
fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => match fs::symlink_metadata(to) {
            Ok(_) => Err(ErrorKind::AlreadyExists.into()),
            Err(_) => fs::rename(from, to),
        },
        done => Ok(done?),
    }
}

/// Makes a name, or its absence, survive a power cut.
pub(super) fn sync_directory_of(file: &Path) -> io::Result<()> {
    let directory = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).expect("a list");
        let mut names: Vec<_> = entries
            .map(|entry| {
                let name = entry.expect("an entry").file_name();
                name.into_string().expect("a name")
            })
            .collect();
        names.sort();
        names
    }

    fn write(unfinished: &Unfinished, text: &str) {
        let mut file = &unfinished.file;
        file.write_all(text.as_bytes()).expect("written");
    }

    #[test]
    fn it_takes_its_place_whole_and_private() {
        let directory = tempfile::tempdir().expect("a directory");
        let target = directory.path().join("a file");
        let unfinished = Unfinished::begin(&target).expect("begun");
        write(&unfinished, "whole");
        assert_eq!(names(directory.path()), ["a file.unfinished"]);
        unfinished.finish(false).expect("finished");
        assert_eq!(names(directory.path()), ["a file"]);
        assert_eq!(fs::read(&target).expect("its bytes"), b"whole");
        let mode = fs::metadata(&target).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_is_dropped_leaves_nothing_and_what_a_crash_left_is_removed() {
        let directory = tempfile::tempdir().expect("a directory");
        let target = directory.path().join("x");
        drop(Unfinished::begin(&target).expect("begun"));
        assert_eq!(names(directory.path()), [""; 0]);
        for left in ["x.unfinished", "x.unfinished-journal"] {
            fs::write(directory.path().join(left), "old").expect("written");
        }
        let unfinished = Unfinished::begin(&target).expect("begun anew");
        write(&unfinished, "new");
        unfinished.finish(false).expect("finished");
        assert_eq!(names(directory.path()), ["x"]);
        assert_eq!(fs::read(&target).expect("its bytes"), b"new");
    }

    #[test]
    fn two_makers_of_one_file_do_not_meet() {
        let directory = tempfile::tempdir().expect("a directory");
        let target = directory.path().join("x");
        let first = Unfinished::begin(&target).expect("begun");
        let second = Unfinished::begin(&target).expect_err("refused");
        let expected = format!("Another herald is writing {} already.", target.display());
        assert_eq!(second, expected);
        write(&first, "first");
        first.finish(false).expect("finished");
        assert_eq!(fs::read(&target).expect("its bytes"), b"first");
    }

    #[test]
    fn a_name_that_was_taken_meanwhile_is_not_taken_from_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let target = directory.path().join("x");
        let unfinished = Unfinished::begin(&target).expect("begun");
        fs::write(&target, "theirs").expect("written");
        let refused = unfinished.finish(false).expect_err("refused");
        let shown = target.display();
        assert_eq!(
            refused,
            format!("Cannot write {shown}: File exists (os error 17).")
        );
        assert_eq!(fs::read(&target).expect("its bytes"), b"theirs");
        assert_eq!(names(directory.path()), ["x"]);
        let unfinished = Unfinished::begin(&target).expect("begun");
        unfinished.finish(true).expect("replaced");
        assert_eq!(fs::read(&target).expect("its bytes"), b"");
    }

    #[test]
    fn a_path_of_any_bytes_is_one_for_sqlite_too() {
        let directory = tempfile::tempdir().expect("a directory");
        let target = directory.path().join("a?b#c%d ø");
        let unfinished = Unfinished::begin(&target).expect("begun");
        let uri = unfinished.uri().expect("a uri");
        assert!(
            uri.ends_with("/a%3Fb%23c%25d%20%C3%B8%2Eunfinished?nolock=1"),
            "{uri}"
        );
    }
}
