//! The command line as an operator meets it: words and environment in; exit code, output and files out. (cli.md)

mod backup;
mod check;
mod demo;
mod directory;
mod outbox;
mod people;
mod restore;
mod serve;
mod updates;
mod usage;
mod watch;

use crate::support::binary::Said;
use std::collections::BTreeMap;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
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

fn mode(path: impl AsRef<Path>) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Every file with its bytes, but for the lock.
fn contents(directory: &str) -> BTreeMap<String, Vec<u8>> {
    let read = |name: String| {
        let bytes = std::fs::read(Path::new(directory).join(&name)).unwrap();
        (name, bytes)
    };
    let files = names(directory).into_iter();
    files
        .filter(|name| name != "herald.lock")
        .map(read)
        .collect()
}

/// Damages a file.
fn overwrite(file: &Path, at: u64, length: usize) {
    let file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    file.write_all_at(&vec![0xa5; length], at).unwrap();
}

/// Changes a database behind the program's back.
fn sql(file: impl AsRef<Path>, statement: &str) {
    let database = rusqlite::Connection::open(file).unwrap();
    database.execute_batch(statement).unwrap();
}

/// A data directory as the first version left it, with these rows.
fn first_version(data_dir: &str, rows: &str) {
    std::fs::create_dir(data_dir).unwrap();
    let schema = include_str!("../../cases/schema/1.sql");
    let ours = "pragma application_id = 0x48524c44; pragma user_version = 1";
    sql(
        format!("{data_dir}/herald.db"),
        &format!("{schema};{ours};{rows}"),
    );
}

/// The texts that a statement gives.
fn texts(file: impl AsRef<Path>, statement: &str) -> Vec<String> {
    let database = rusqlite::Connection::open(file).unwrap();
    let mut statement = database.prepare(statement).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn names(directory: impl AsRef<Path>) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
