//! The program on a disk that is watched: `disk.c` in front of the C library.

use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A record of what was written and flushed.
pub(in super::super) struct Watch {
    directory: TempDir,
}

impl Watch {
    /// Builds what watches; with the compiler that Rust links with.
    pub(in super::super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/crash/power/disk.c");
        let words = [
            "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-o",
        ];
        let built = Command::new("cc")
            .args(words)
            .arg(directory.path().join("disk.so"))
            .arg(source)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "{said}");
        Self { directory }
    }

    /// What the program is started with to be watched over this directory.
    pub(in super::super) fn environment(&self, data_dir: &str) -> [(&'static str, String); 3] {
        let path = |path: PathBuf| path.display().to_string();
        [
            ("LD_PRELOAD", path(self.directory.path().join("disk.so"))),
            ("HERALD_WATCHER", path(self.directory.path().to_owned())),
            ("HERALD_WATCHED", data_dir.to_owned()),
        ]
    }

    pub(super) fn record(&self) -> PathBuf {
        self.directory.path().join("record")
    }

    /// How long the record is now.
    pub(super) fn length(&self) -> usize {
        length(&self.record())
    }

    /// All of it.
    pub(in super::super) fn read(&self) -> Vec<u8> {
        std::fs::read(self.record()).unwrap()
    }

    /// From now on nothing can be flushed.
    pub(in super::super) fn fail(&self) {
        std::fs::write(self.directory.path().join("fails"), "").unwrap();
    }

    /// From now on it can.
    pub(in super::super) fn mend(&self) {
        std::fs::remove_file(self.directory.path().join("fails")).unwrap();
    }
}

/// How long the record in this file is now.
pub(super) fn length(record: &Path) -> usize {
    usize::try_from(std::fs::metadata(record).unwrap().len()).unwrap()
}
