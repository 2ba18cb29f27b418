//! `herald restore`: the whole backup or what was there before, and nothing is lost.

use super::{
    CLIENT, contents, expect_failure, file as text_file, mode, names, overwrite, place, sql, texts,
};
use crate::support::binary::{Running, Said, done, herald};
use crate::support::holes::holed;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A data directory whose only client has this label.
fn directory_of(place: &TempDir, label: &str) -> String {
    let data_dir = place.path().join(label).display().to_string();
    let words = [
        "client",
        "create",
        "--label",
        label,
        "--scope",
        "relesys.api",
        "--data-dir",
        &data_dir,
    ];
    done(&words, &[]);
    data_dir
}

/// A backup of the client `new`, and a data directory with the client `old`.
fn site() -> (TempDir, String, String) {
    let place = tempfile::tempdir().unwrap();
    let new = directory_of(&place, "new");
    let backup = place.path().join("b.db").display().to_string();
    done(&["backup", "--data-dir", &new, &backup], &[]);
    let old = directory_of(&place, "old");
    (place, backup, old)
}

fn restore(data_dir: &str, words: &[&str]) -> Said {
    let all = [&["restore", "--data-dir", data_dir], words].concat();
    herald(&all, &[])
}

fn labels(file: impl AsRef<Path>) -> Vec<String> {
    texts(file, "select label from client")
}

fn database(data_dir: &str) -> std::path::PathBuf {
    Path::new(data_dir).join("herald.db")
}

#[test]
fn on_an_empty_directory_it_says_what_to_do_next_and_the_copy_starts_paused() {
    let (directory, backup, _) = site();
    let data_dir = directory.path().join("restored").display().to_string();
    let said = restore(&data_dir, &[&backup]);
    let wished = format!(
        "{backup}, made at <time>, is restored into {data_dir}: 0 messages.
0 messages wait to be sent, and some of them may have been sent since. Nothing is sent until you say so:

  herald outbox show --list --data-dir {data_dir}     what would be sent
  herald outbox cancel --help                         throws away what was sent already
  herald outbox resume --data-dir {data_dir}          lets the rest go

"
    );
    assert_eq!(
        (said.code, holed(&said.out), said.err),
        (Some(0), wished, String::new())
    );
    assert_eq!(names(&data_dir), ["herald.db", "herald.lock"]);
    assert_eq!(mode(&data_dir), 0o700);
    assert_eq!(mode(database(&data_dir)), 0o600);
    assert_eq!(labels(database(&data_dir)), ["new"]);
    let shown = done(&["outbox", "show", "--json", "--data-dir", &data_dir], &[]);
    let mut shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(holed(shown["since"].take().as_str().unwrap()), "<time>");
    let reason = holed(shown["reason"].take().as_str().unwrap());
    assert_eq!(
        reason,
        format!("Restored from {backup}, made at <time>: what waits may have been sent since.")
    );
    let wished = json!({ "paused": true, "since": null, "by": "herald restore", "reason": null, "waiting": [] });
    assert_eq!(shown, wished);
}

#[test]
fn the_database_before_is_kept_whole_with_what_its_log_holds() {
    let (_directory, backup, old) = site();
    let server = Running::serve(&old, &[], &[]);
    let words = [
        "client",
        "create",
        "--label",
        "last",
        "--scope",
        "relesys.api",
        "--data-dir",
        &old,
    ];
    done(&words, &[]);
    server.kill();
    assert!(
        fs::metadata(Path::new(&old).join("herald.db-wal"))
            .unwrap()
            .len()
            > 0
    );
    let said = restore(&old, &["--force", "--json", &backup]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let said: Value = serde_json::from_str(&said.out).unwrap();
    let kept = said["kept"].as_str().unwrap();
    let made = said["made"].as_str().unwrap();
    let wished = json!({
        "data_dir": old, "made": made, "messages": 0, "waiting": 0, "kept": kept, "unreadable_providers": [],
    });
    assert_eq!(said, wished);
    assert_eq!(labels(kept), ["old", "last"]);
    done(&["check", kept], &[]);
    assert_eq!(labels(database(&old)), ["new"]);
    let kept = Path::new(kept)
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    assert!(kept.starts_with("herald.db.before-restore-20"), "{kept}");
    assert_eq!(
        names(&old),
        ["herald.db", &kept, "herald.lock", "herald.reserve"]
    );
    // The way back is the same way.
    let back = Path::new(&old).join(&kept).display().to_string();
    assert_eq!(restore(&old, &["--force", &back]).code, Some(0));
    assert_eq!(labels(database(&old)), ["old", "last"]);
}

#[test]
fn a_database_too_damaged_to_be_read_is_kept_with_its_log() {
    let (_directory, backup, old) = site();
    let server = Running::serve(&old, &[], &[]);
    // Not one of the pages that say what kind of a file it is.
    done(&["outbox", "pause", "--data-dir", &old], &[]);
    server.kill();
    overwrite(&database(&old), 0, 100);
    let read = |name: &str| fs::read(Path::new(&old).join(name)).unwrap();
    let (damaged, log) = (read("herald.db"), read("herald.db-wal"));
    assert_eq!(restore(&old, &["--force", &backup]).code, Some(0));
    assert_eq!(labels(database(&old)), ["new"]);
    let names = names(&old);
    let [_, kept, kept_log, ..] = &names[..] else {
        panic!("{names:?}")
    };
    assert_eq!(*kept_log, format!("{kept}-wal"));
    assert!(read(kept) == damaged && read(kept_log) == log);
}

#[test]
fn an_emptied_database_is_not_taken_for_nothing_while_its_log_is_there() {
    let (_directory, backup, old) = site();
    let server = Running::serve(&old, &[], &[]);
    done(&CLIENT, &[("HERALD_DATA_DIR", &old)]);
    server.kill();
    fs::write(database(&old), "").unwrap();
    let before = contents(&old);
    let said = restore(&old, &[&backup]);
    expect_failure(&said, &taken(&old));
    assert!(contents(&old) == before);
    assert_eq!(restore(&old, &["--force", &backup]).code, Some(0));
    assert_eq!(labels(database(&old)), ["new"]);
    let log = names(&old)
        .into_iter()
        .find(|name| name.ends_with("-wal"))
        .unwrap();
    assert!(fs::read(Path::new(&old).join(log)).unwrap() == before["herald.db-wal"]);
}

fn taken(data_dir: &str) -> String {
    format!(
        "{data_dir}/herald.db is there already. Say --force to put the backup in its place; it is kept under another name."
    )
}

#[test]
fn what_is_there_is_not_replaced_without_a_word_nor_beside_a_server_nor_among_other_things() {
    let (directory, backup, old) = site();
    let before = contents(&old);
    expect_failure(&restore(&old, &[&backup]), &taken(&old));
    assert!(contents(&old) == before);
    let server = Running::serve(&old, &[], &[]);
    let serves = format!(
        "Another herald serves {old} already. Stop it first, or name another directory with --data-dir."
    );
    for words in [&[&*backup][..], &[&backup, "--force"]] {
        expect_failure(&restore(&old, words), &serves);
    }
    assert_eq!(server.stop().code, Some(0));
    assert_eq!(labels(database(&old)), ["old"]);
    text_file(&directory, "thesis.txt", "important");
    let inside = directory.path().display().to_string();
    let foreign = restore(&inside, &[&backup, "--force"]);
    assert_eq!(foreign.code, Some(1));
    assert!(
        foreign
            .err
            .contains(" is not a Herald data directory: it holds "),
        "{}",
        foreign.err
    );
    assert_eq!(names(&inside), ["b.db", "new", "old", "thesis.txt"]);
}

#[test]
fn a_command_that_has_the_database_open_is_waited_for_no_longer_than_a_moment() {
    let (_directory, backup, old) = site();
    let other = rusqlite::Connection::open(database(&old)).unwrap();
    other.execute_batch("begin; select * from client").unwrap();
    let said = restore(&old, &["--force", &backup]);
    let sentence = format!(
        "Another command is using {old}/herald.db; try again when it has ended. Nothing was changed."
    );
    expect_failure(&said, &sentence);
    drop(other);
    assert_eq!(labels(database(&old)), ["old"]);
    assert!(
        !names(&old).iter().any(|name| name.contains("unfinished")),
        "{:?}",
        names(&old)
    );
    assert_eq!(restore(&old, &["--force", &backup]).code, Some(0));
}

/// What happened to the backup, and what is said of it; `FILE` is its path.
type Case = (fn(&Path), &'static str);

fn cases() -> [Case; 9] {
    [
        (
            |f| fs::remove_file(f).unwrap(),
            "Cannot read FILE: No such file or directory (os error 2).",
        ),
        (
            |f| fs::write(f, "").unwrap(),
            "FILE is empty: it is no database of Herald.",
        ),
        (
            |f| fs::write(f, "This is no database. ".repeat(100)).unwrap(),
            "FILE is damaged (file is not a database).",
        ),
        (
            |f| sql(f, "pragma user_version = 99"),
            "FILE was written by a newer Herald (schema 99, this one knows VERSION). Use that version or a newer one.",
        ),
        (
            |f| sql(f, "pragma application_id = 7"),
            "FILE is a database of another program.",
        ),
        (
            |f| cut(f, 40_000),
            "FILE is damaged (database disk image is malformed).",
        ),
        (
            |f| cut(f, 4096),
            "FILE is damaged (database disk image is malformed).",
        ),
        // The root of an index: nothing but a look at every page finds it.
        (
            |f| overwrite(f, page_of(f, "recipient") * 4096, 4096),
            "FILE is damaged (Tree ROOT page ROOT: btreeInitPage() returns error code 11).",
        ),
        (
            |f| {
                sql(
                    f,
                    "pragma writable_schema = on; delete from sqlite_schema where name = 'template_place'",
                )
            },
            "FILE is damaged (Page PAGE: never used).",
        ),
    ]
}

fn cut(file: &Path, bytes: u64) {
    let file = fs::OpenOptions::new().write(true).open(file).unwrap();
    file.set_len(bytes).unwrap();
}

/// Before which page, from 0, a table begins.
fn page_of(file: &Path, table: &str) -> u64 {
    let root = format!("select rootpage || '' from sqlite_schema where name = '{table}'");
    texts(file, &root)[0].parse::<u64>().unwrap() - 1
}

#[test]
fn what_is_no_whole_backup_is_refused_before_anything_is_touched() {
    for (number, (damage, sentence)) in cases().into_iter().enumerate() {
        let (directory, backup, old) = site();
        let [page, root] = ["template_place", "recipient"]
            .map(|name| (page_of(Path::new(&backup), name) + 1).to_string());
        damage(Path::new(&backup));
        let sentence = sentence
            .replace("FILE", &backup)
            .replace("PAGE", &page)
            .replace("ROOT", &root)
            .replace("VERSION", &herald::store::schema_version().to_string());
        let sentence = format!("{sentence} Nothing was changed.");
        let before = contents(&old);
        expect_failure(&restore(&old, &["--force", &backup]), &sentence);
        assert!(contents(&old) == before, "{number}: {:?}", names(&old));
        let fresh = directory.path().join("fresh");
        expect_failure(
            &restore(&fresh.display().to_string(), &[&backup]),
            &sentence,
        );
        assert!(!fresh.exists(), "{number}");
    }
}

#[test]
fn a_disk_that_takes_no_more_leaves_the_database_before() {
    let (_directory, backup, old) = site();
    let before = contents(&old);
    let script = "ulimit -f 64; trap '' XFSZ; exec \"$0\" restore --force --data-dir \"$1\" \"$2\"";
    let output = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_herald"), &old, &backup])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let sentence = format!("herald: Cannot write {old}/herald.db: disk I/O error.\n");
    assert_eq!((output.status.code(), said), (Some(1), sentence));
    assert!(contents(&old) == before, "{:?}", names(&old));
}

#[test]
fn stored_providers_need_the_key_that_sealed_them() {
    let (directory, data_dir) = place();
    let made = done(&CLIENT, &[("HERALD_DATA_DIR", &data_dir)]);
    let made: Value = serde_json::from_str(&made).unwrap();
    let server = Running::serve(&data_dir, &[], &[]);
    let api = server.caller(made["key"].as_str().unwrap());
    let provider = json!({ "Channel": "email", "Url": "smtp://anna:hunter22@mail.example.com" });
    let saved = api.post("/api/admin/v1/providers", &provider.to_string());
    assert_eq!(saved.status, 200, "{}", saved.body);
    let backup = directory.path().join("b.db").display().to_string();
    done(&["backup", "--data-dir", &data_dir, &backup], &[]);
    assert_eq!(server.stop().code, Some(0));
    let restored = directory.path().join("restored").display().to_string();
    let said = restore(&restored, &["--json", &backup]);
    let unreadable =
        serde_json::from_str::<Value>(&said.out).unwrap()["unreadable_providers"].take();
    assert_eq!(unreadable, json!(["smtp://anna:***@mail.example.com"]));
    let said = restore(&restored, &["--force", &backup]);
    let line = format!(
        "secret.key of {restored} does not open the URLs of these stored providers: put the right one there, or write the URLs out again: smtp://anna:***@mail.example.com."
    );
    assert!(said.out.lines().any(|said| said == line), "{}", said.out);
    fs::copy(
        Path::new(&data_dir).join("secret.key"),
        Path::new(&restored).join("secret.key"),
    )
    .unwrap();
    let said = restore(&restored, &["--force", "--json", &backup]);
    let unreadable =
        serde_json::from_str::<Value>(&said.out).unwrap()["unreadable_providers"].take();
    assert_eq!(unreadable, json!([]));
}

#[test]
fn what_an_interrupted_restore_left_keeps_nobody_from_starting() {
    let (_directory, data_dir) = place();
    fs::create_dir(&data_dir).unwrap();
    for left in [
        "herald.lock",
        "herald.db.unfinished",
        "herald.db.unfinished-journal",
    ] {
        fs::write(Path::new(&data_dir).join(left), "").unwrap();
    }
    let server = Running::serve(&data_dir, &[], &[]);
    assert_eq!(server.stop().code, Some(0));
}
