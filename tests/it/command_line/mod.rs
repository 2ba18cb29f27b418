//! The command line as an operator meets it: words and environment in; exit code, output and files out. (cli.md)

mod demo;
mod directory;
mod people;
mod serve;
mod usage;
mod watch;

use crate::support::binary::Said;
use std::path::Path;
use tempfile::TempDir;

/// Makes a client, where HERALD_DATA_DIR says.
const CLIENT: [&str; 7] = [
    "client",
    "create",
    "--json",
    "--label",
    "x",
    "--scope",
    "relesys.api",
];

/// A new directory, and the path of a data directory in it that is not there yet.
fn place() -> (TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data").display().to_string();
    (directory, data_dir)
}

/// A file in this directory, and its path.
fn file(directory: &TempDir, name: &str, text: &str) -> String {
    let path = directory.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// It failed with exactly this sentence.
#[track_caller]
fn expect_failure(said: &Said, sentence: &str) {
    let wished = Said {
        code: Some(1),
        out: String::new(),
        err: format!("herald: {sentence}\n"),
    };
    assert_eq!(*said, wished);
}

fn names(directory: impl AsRef<Path>) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
