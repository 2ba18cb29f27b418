//! The data directory: private, alone, and never replaced when it cannot be read.

use super::{CLIENT, contents, expect_failure, mode, names, overwrite, place, sql};
use crate::support::binary::{Running, command, done, herald};
use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

#[test]
fn directory_and_files_are_for_the_owner_alone_whatever_the_umask() {
    let (directory, data_dir) = place();
    let open = directory.path().join("open").display().to_string();
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
    for data_dir in [&data_dir, &open] {
        let server = Running::serve(data_dir, &[], &[]);
        server.caller("").get("/readyz").expect(200, "ok\n");
        assert_eq!(mode(data_dir), 0o700);
        let files = names(data_dir);
        assert_eq!(
            files,
            [
                "herald.db",
                "herald.db-shm",
                "herald.db-wal",
                "herald.lock",
                "herald.reserve",
            ]
        );
        for file in files {
            assert_eq!(mode(Path::new(data_dir).join(&file)), 0o600, "{file}");
        }
    }
}

#[test]
fn a_directory_that_holds_other_things_is_refused_and_left_as_it_was() {
    let (_directory, data_dir) = place();
    fs::create_dir(&data_dir).unwrap();
    fs::set_permissions(&data_dir, Permissions::from_mode(0o755)).unwrap();
    fs::write(Path::new(&data_dir).join("thesis.txt"), "important").unwrap();
    let sentence = format!(
        "{data_dir} is not a Herald data directory: it holds thesis.txt and no herald.db. Name an empty or a new directory with --data-dir."
    );
    for words in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["client", "list"],
    ] {
        let said = herald(&[words, &["--data-dir", &data_dir]].concat(), &[]);
        expect_failure(&said, &sentence);
        assert_eq!(
            (mode(&data_dir), names(&data_dir)),
            (0o755, vec!["thesis.txt".to_owned()])
        );
    }
}

#[test]
fn a_file_in_the_place_of_the_directory_is_refused() {
    let (_directory, data_dir) = place();
    fs::write(&data_dir, "x").unwrap();
    let said = herald(&["client", "list", "--data-dir", &data_dir], &[]);
    expect_failure(
        &said,
        &format!("Cannot read the data directory {data_dir}: Not a directory (os error 20)."),
    );
}

const DAMAGED: &str =
    "is damaged (WHY). Nothing was changed. Move it away and put a backup in its place.";

/// What happened to the file, and what is said of it.
type Case = (&'static str, fn(&Path), String);

fn cases() -> Vec<Case> {
    let not_ours = DAMAGED.replace("WHY", "file is not a database");
    let malformed = DAMAGED.replace("WHY", "database disk image is malformed");
    let newer = format!(
        "was written by a newer Herald (schema 99, this one knows {}). Use that version or a newer one; nothing was changed.",
        herald::store::schema_version()
    );
    let foreign = "is a database of another program. Name another directory with --data-dir.";
    vec![
        (
            "the first bytes are overwritten",
            |f| overwrite(f, 0, 16),
            not_ours.clone(),
        ),
        (
            "the whole header is overwritten",
            |f| overwrite(f, 0, 100),
            not_ours.clone(),
        ),
        (
            "everything is overwritten",
            |f| overwrite(f, 0, fs::metadata(f).unwrap().len() as usize),
            not_ours.clone(),
        ),
        (
            "it is a text",
            |f| fs::write(f, "This is no database. ".repeat(100)).unwrap(),
            not_ours,
        ),
        (
            "the table of tables is overwritten",
            |f| overwrite(f, 100, 3900),
            malformed.clone(),
        ),
        (
            "the end is missing",
            |f| {
                OpenOptions::new()
                    .write(true)
                    .open(f)
                    .unwrap()
                    .set_len(40_000)
                    .unwrap()
            },
            malformed.clone(),
        ),
        (
            "all but the first page is missing",
            |f| {
                OpenOptions::new()
                    .write(true)
                    .open(f)
                    .unwrap()
                    .set_len(4096)
                    .unwrap()
            },
            malformed,
        ),
        ("it is newer", |f| sql(f, "pragma user_version = 99"), newer),
        (
            "it is another program's",
            |f| {
                fs::remove_file(f).unwrap();
                sql(f, "create table a (b)");
            },
            foreign.into(),
        ),
        (
            "it is another program's with an id",
            |f| sql(f, "pragma application_id = 7"),
            foreign.into(),
        ),
    ]
}

#[test]
fn a_database_that_cannot_be_used_is_refused_and_no_byte_of_it_changes() {
    let (directory, sound) = place();
    done(&CLIENT, &[("HERALD_DATA_DIR", &sound)]);
    for (what, damage, sentence) in cases() {
        let data_dir = directory.path().join("damaged").display().to_string();
        fs::create_dir(&data_dir).unwrap();
        let file = Path::new(&data_dir).join("herald.db");
        fs::copy(Path::new(&sound).join("herald.db"), &file).unwrap();
        damage(&file);
        let before = contents(&data_dir);
        for words in [
            &["serve", "--listen", "127.0.0.1:0"][..],
            &["client", "list"],
            &["admin", "list"],
        ] {
            let said = herald(&[words, &["--data-dir", &data_dir]].concat(), &[]);
            expect_failure(&said, &format!("{} {sentence}", file.display()));
            assert!(
                contents(&data_dir) == before,
                "{what}: {words:?} changed it: {:?}",
                names(&data_dir)
            );
        }
        fs::remove_dir_all(&data_dir).unwrap();
    }
}

#[test]
fn an_emptied_database_beside_its_write_ahead_log_is_not_begun_anew() {
    let (_directory, data_dir) = place();
    let server = Running::serve(&data_dir, &[], &[]);
    done(&CLIENT, &[("HERALD_DATA_DIR", &data_dir)]);
    server.kill();
    let file = Path::new(&data_dir).join("herald.db");
    fs::write(&file, "").unwrap();
    let before = contents(&data_dir);
    let said = herald(&["client", "list", "--data-dir", &data_dir], &[]);
    let sentence = DAMAGED.replace("WHY", "it is empty, and herald.db-wal beside it is not");
    expect_failure(&said, &format!("{} {sentence}", file.display()));
    assert!(contents(&data_dir) == before);
}

#[test]
fn commands_that_meet_on_an_empty_directory_all_succeed() {
    for _ in 0..4 {
        let (_directory, data_dir) = place();
        let start = || {
            let mut command = command(&CLIENT, &[("HERALD_DATA_DIR", &data_dir)]);
            command
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let started: Vec<_> = (0..8).map(|_| start()).collect();
        for child in started {
            let output = child.wait_with_output().unwrap();
            assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
        }
        let listed = done(&["client", "list", "--json", "--data-dir", &data_dir], &[]);
        let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
        assert_eq!(listed.as_array().unwrap().len(), 8);
    }
}
