//! The power is cut: what was accepted is on the disk. (delivery.md, promise 1)
//!
//! The program runs with `power.c` in front of the C library, which keeps what each file of the database held when it was
//! last made durable, and nothing that was only written. After a cut that is all there is. Before each the disk hangs:
//! whoever is answered then is told too early.

use super::backups::guids;
use super::{USERS, send_path};
use crate::support::app::Caller;
use crate::support::app::until;
use crate::support::binary::{Running, done};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

/// How often the power is cut.
const CUTS: usize = 6;
/// How many messages are accepted at least before each.
const ACCEPTED: usize = 150;
const CALLERS: usize = 4;

/// For so long the power stays when the disk hangs. Nobody who waits for the disk is answered meanwhile, however long it
/// is; who does not wait is.
const HANGS: Duration = Duration::from_millis(200);

/// The files that a database needs to be read again.
const FILES: [&str; 2] = ["herald.db", "herald.db-wal"];

/// Builds what keeps an eye on the disk.
fn watched_disk(directory: &Path) -> String {
    let library = directory.join("power.so").display().to_string();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/journey/power.c");
    let words = ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"];
    let built = Command::new("cc")
        .args(words)
        .args([library.as_str(), source])
        .status();
    assert!(built.unwrap().success(), "cc, which Rust links with too");
    library
}

/// What is there before the program starts is on the disk.
fn settle(data_dir: &Path) {
    for name in FILES.map(|name| data_dir.join(name)) {
        if name.exists() {
            std::fs::copy(&name, name.with_added_extension("sure")).unwrap();
        }
    }
}

/// Leaves what is sure of each file, and nothing else of the database.
fn cut(data_dir: &Path) {
    for entry in std::fs::read_dir(data_dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if name.starts_with("herald.db") && !name.ends_with(".sure") {
            std::fs::remove_file(path).unwrap();
        }
    }
    for name in FILES.map(|name| data_dir.join(name)) {
        let sure = name.with_added_extension("sure");
        if sure.exists() {
            std::fs::rename(sure, name).unwrap();
        }
    }
}

/// Sends until the server is gone, and notes what was accepted.
fn send(api: &Caller, path: &str, accepted: &Mutex<BTreeSet<String>>) {
    let json = [("content-type", "application/json")];
    let body = json!({ "deliveryMethod": "email", "messageType": "welcome" }).to_string();
    while let Ok(reply) = api.try_call("POST", path, &json, body.as_bytes()) {
        let guid = reply.expect(202, "").header("x-message-id").to_owned();
        accepted.lock().unwrap().insert(guid);
    }
}

#[test]
fn what_was_accepted_is_there_after_a_power_cut() {
    let directory = tempfile::tempdir().unwrap();
    let library = watched_disk(directory.path());
    let data = directory.path().join("data");
    let data_dir = data.display().to_string();
    let words = ["client", "create", "--json", "--label", "app", "--scope"];
    let words = [&words[..], &["relesys.api", "--data-dir", &data_dir]].concat();
    let client: Value = serde_json::from_str(&done(&words, &[])).unwrap();
    let key = client["key"].as_str().unwrap();
    let mut path = String::new();
    let accepted = Mutex::<BTreeSet<String>>::default();
    for number in 1..=CUTS {
        settle(&data);
        if !number.is_multiple_of(2) {
            std::fs::write(data.join("herald.db-wal.wait"), "").unwrap();
        }
        let env = [
            ("LD_PRELOAD", library.as_str()),
            ("HERALD_REQUESTS_PER_MINUTE", "0"),
        ];
        let server = Running::serve(&data_dir, &[], &env);
        if path.is_empty() {
            let user = json!({ "UserName": "bo", "Email": "bo@example.net" });
            let user = server.caller(key).post(USERS, &user.to_string()).json();
            path = send_path(user["Data"]["Guid"].as_str().unwrap());
            // So that the disk has nothing else to do.
            server.caller(key).post("/api/admin/v1/outbox/pause", "{}");
        }
        std::thread::scope(|scope| {
            for _ in 0..CALLERS {
                scope.spawn(|| send(&server.caller(key), &path, &accepted));
            }
            until("many are accepted", || {
                accepted.lock().unwrap().len() >= number * ACCEPTED
            });
            std::fs::write(data.join("herald.db-wal.hang"), "").unwrap();
            until("the disk hangs", || {
                data.join("herald.db-wal.hangs").exists()
            });
            std::thread::sleep(HANGS);
            server.signal(rustix::process::Signal::KILL);
        });
        server.ended();
        cut(&data);
        let kept = guids(&data.join(FILES[0]).display().to_string());
        let told = accepted.lock().unwrap();
        let lost: Vec<_> = told.difference(&kept).collect();
        assert_eq!(lost, [""; 0], "cut {number} of {} accepted", told.len());
        done(&["check", "--data-dir", &data_dir], &[]);
    }
}
