//! A disk of a few megabytes, mounted for one test, and what fills it up.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::Command;

/// Whoever may not mount can leave out the tests that must, by saying so.
const WITHOUT: &str = "HERALD_TESTS_WITHOUT_MOUNT";

/// A file system in memory; unmounted when dropped.
pub(super) struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    /// Mounts one of this size here; none if the environment says that this cannot be done on this machine.
    pub(super) fn mount(megabytes: u32, path: &str) -> Option<Self> {
        if std::env::var_os(WITHOUT).is_some() {
            eprintln!("{WITHOUT} is set: NOT TRIED on a full disk");
            return None;
        }
        fs::create_dir(path).unwrap();
        let size = format!("size={megabytes}m,mode=0700");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs", path])
            .output()
            .unwrap();
        let why = String::from_utf8_lossy(&mount.stderr);
        assert!(
            mount.status.success(),
            "no file system can be mounted here, which takes root; {WITHOUT}=1 leaves this test out: {why}"
        );
        Some(Self { path: path.into() })
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("ballast")
    }

    /// Writes a file until there is no room for a byte more.
    pub(super) fn fill(&self) {
        let mut file = File::create(self.ballast()).unwrap();
        for size in [65536, 4096, 1] {
            loop {
                match file.write_all(&vec![1; size]) {
                    Ok(()) => {}
                    Err(fault) if fault.kind() == ErrorKind::StorageFull => break,
                    Err(fault) => panic!("{fault}"),
                }
            }
        }
    }

    /// Removes that file again.
    pub(super) fn clear(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: whatever still has a file open there ends on its own.
        let unmounted = Command::new("umount").arg("-l").arg(&self.path).status();
        assert!(unmounted.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}
