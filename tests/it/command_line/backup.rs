//! `herald backup`: a whole file or none, and nothing in it that should not be.

use super::{CLIENT, expect_failure, first_version, mode, names, place, sql, texts};
use crate::support::app::{NOW, until};
use crate::support::binary::{Running, Said, command, done, herald};
use herald::store::copies::{Stage, Watch};
use rustix::fs::{FlockOperation, flock};
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

/// A data directory with a client in it, and the path of a backup that is not there yet.
fn site() -> (TempDir, String, String) {
    let (directory, data_dir) = place();
    done(&CLIENT, &[("HERALD_DATA_DIR", &data_dir)]);
    let file = directory.path().join("b.db").display().to_string();
    (directory, data_dir, file)
}

fn backup(data_dir: &str, words: &[&str]) -> Said {
    let all = [&["backup", "--data-dir", data_dir], words].concat();
    herald(&all, &[])
}

#[test]
fn it_says_what_it_made_and_that_the_key_is_not_in_it() {
    let (_directory, data_dir, file) = site();
    let made = backup(&data_dir, &[&file, "--json"]);
    assert_eq!((made.code, made.err.as_str()), (Some(0), ""));
    let made: Value = serde_json::from_str(&made.out).unwrap();
    let bytes = fs::metadata(&file).unwrap().len();
    let wished =
        json!({ "file": file, "bytes": bytes, "messages": 0, "waiting": 0, "secret_key": null });
    assert_eq!(made, wished);
    assert_eq!(mode(&file), 0o600);
    fs::write(Path::new(&data_dir).join("secret.key"), "x").unwrap();
    let again = backup(&data_dir, &[&file, "--force"]);
    let wished = format!(
        "{file} holds 0 messages in {bytes} bytes. 0 of them wait to be sent; wherever it is used, it starts paused.
{data_dir}/secret.key is not in it: keep a copy of that file somewhere else. Without it the URLs of stored providers have to be written out again.\n"
    );
    assert_eq!(
        (again.code, again.out, again.err),
        (Some(0), wished, String::new())
    );
}

#[test]
fn what_must_not_be_replaced_is_not_and_no_half_file_stays() {
    let (directory, data_dir, file) = site();
    let inside = directory.path().display().to_string();
    fs::write(&file, "precious").unwrap();
    let own = format!("{data_dir}/herald.db");
    let key = format!("{data_dir}/secret.key");
    let nowhere = format!("{inside}/nowhere/b.db");
    let before = fs::read(&own).unwrap();
    let mine =
        |path: &str| format!("{path} is a name that Herald needs itself; choose another one.");
    for (words, sentence) in [
        (
            &[&*file][..],
            format!("{file} is there already. Name another file, or say --force to replace it."),
        ),
        (
            &[&inside, "--force"],
            format!("{inside} is a directory; name a file in it."),
        ),
        (&[&own, "--force"], mine(&own)),
        (&[&key], mine(&key)),
        (
            &[&nowhere],
            format!("Cannot write {nowhere}: No such file or directory (os error 2)."),
        ),
        (&["/"], "/ is a directory; name a file in it.".into()),
    ] {
        expect_failure(&backup(&data_dir, words), &sentence);
        assert_eq!(fs::read(&file).unwrap(), b"precious");
        assert_eq!(names(directory.path()), ["b.db", "data"]);
        assert!(fs::read(&own).unwrap() == before, "{words:?}");
    }
    let made = backup(&data_dir, &[&file, "--force"]);
    assert_eq!(made.code, Some(0), "{}", made.err);
    done(&["check", &file], &[]);
    assert_eq!(names(directory.path()), ["b.db", "data"]);
}

#[test]
fn where_there_is_no_database_there_is_nothing_to_back_up_and_nothing_is_made() {
    let (directory, data_dir) = place();
    let file = directory.path().join("b.db").display().to_string();
    let sentence =
        format!("{data_dir} holds no herald.db. Name the data directory with --data-dir.");
    expect_failure(&backup(&data_dir, &[&file]), &sentence);
    assert_eq!(names(directory.path()), [""; 0]);
}

#[test]
fn a_database_that_is_none_or_none_of_ours_is_not_backed_up() {
    for (damage, what) in [
        (
            "pragma user_version = 99",
            "was written by a newer Herald (schema 99, this one knows VERSION). Use that version or a newer one.",
        ),
        (
            "pragma application_id = 7",
            "is a database of another program.",
        ),
    ] {
        let (directory, data_dir, file) = site();
        let own = format!("{data_dir}/herald.db");
        sql(&own, damage);
        let what = what.replace("VERSION", &herald::store::schema_version().to_string());
        expect_failure(&backup(&data_dir, &[&file]), &format!("{own} {what}"));
        assert_eq!(names(directory.path()), ["data"]);
    }
    let (directory, data_dir, file) = site();
    let own = format!("{data_dir}/herald.db");
    super::overwrite(Path::new(&own), 0, 100);
    let sentence = format!("{own} is damaged (file is not a database).");
    expect_failure(&backup(&data_dir, &[&file]), &sentence);
    assert_eq!(names(directory.path()), ["data"]);
}

#[test]
fn what_a_crash_left_is_replaced_and_what_another_is_making_is_not() {
    let (directory, data_dir, file) = site();
    let left = format!("{file}.unfinished");
    fs::write(&left, "half of it").unwrap();
    let lock = fs::File::open(&left).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let sentence = format!("Another herald is writing {file} already.");
    expect_failure(&backup(&data_dir, &[&file]), &sentence);
    assert_eq!(fs::read(&left).unwrap(), b"half of it");
    drop(lock);
    assert_eq!(backup(&data_dir, &[&file]).code, Some(0));
    assert_eq!(names(directory.path()), ["b.db", "data"]);
}

#[test]
fn a_disk_that_takes_no_more_leaves_the_old_backup_and_nothing_else() {
    let (directory, data_dir, file) = site();
    fs::write(&file, "the old one").unwrap();
    let script = "ulimit -f 64; trap '' XFSZ; exec \"$0\" backup --force --data-dir \"$1\" \"$2\"";
    let output = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_herald"), &data_dir, &file])
        .output()
        .unwrap();
    let said = Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    };
    expect_failure(&said, &format!("Cannot write {file}: disk I/O error."));
    assert_eq!(fs::read(&file).unwrap(), b"the old one");
    assert_eq!(names(directory.path()), ["b.db", "data"]);
}

#[test]
fn a_directory_that_lets_nobody_write_is_named() {
    let (directory, data_dir, _) = site();
    let closed = directory.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o555)).unwrap();
    let file = closed.join("b.db").display().to_string();
    let mut command = command(&["backup", "--data-dir", &data_dir, &file], &[]);
    if rustix::process::geteuid().is_root() {
        // Root may write anywhere: the data belongs to somebody else, who has a copy of the program within reach.
        let program = directory.path().join("herald");
        // By another process: what is open for writing here cannot be run, and is open in each child that other tests start.
        let mut copying = Command::new("cp");
        copying.arg(env!("CARGO_BIN_EXE_herald")).arg(&program);
        assert!(copying.status().unwrap().success());
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        const NOBODY: u32 = 65_534;
        for path in [&data_dir, &format!("{data_dir}/herald.db")] {
            std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        command = Command::new(program);
        command.args(["backup", "--data-dir", &data_dir, &file]);
        command.env_clear().uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let sentence = format!("herald: Cannot write {file}: Permission denied (os error 13).\n");
    assert_eq!((output.status.code(), said), (Some(1), sentence));
    assert_eq!(names(&closed), [""; 0]);
}

/// Stopped when it comes to this stage; one that is never come to does not stop it.
fn stopped_at(stage: &'static str, data_dir: &str, file: &str) -> Result<(), String> {
    let stop = Arc::new(AtomicBool::new(false));
    let stops = Arc::clone(&stop);
    let enter = move |now: Stage| {
        let is_it = match now {
            Stage::Copying { .. } => stage == "copying",
            Stage::Checking(_) => stage == "checking",
            Stage::Finishing => false,
        };
        if is_it {
            stops.store(true, Ordering::Relaxed);
        }
    };
    let watch = Watch {
        enter: &enter,
        stop,
    };
    let (from, to) = (Path::new(data_dir), Path::new(file));
    herald::store::backup::backup(from, to, true, NOW.parse().unwrap(), &watch).map(drop)
}

#[test]
fn a_stop_leaves_nothing_whether_it_comes_in_a_step_or_between_two() {
    let (directory, data_dir, file) = site();
    // Some steps are over too soon to be stopped, some are not.
    for rows in [0, 20_000] {
        let rows = format!("
            insert into recipient (guid, user_name, name, language, lcid, is_disabled, attributes, created_at, updated_at)
            with recursive n(i) as (select 1 union all select i + 1 from n)
            select randomblob(16), 'user' || i, hex(randomblob(200)), 'en', 9, 0, '{{}}', 0, 0 from n limit {rows}");
        sql(format!("{data_dir}/herald.db"), &rows);
        for stage in ["copying", "checking"] {
            let stopped = stopped_at(stage, &data_dir, &file);
            assert_eq!(
                stopped,
                Err(format!("Interrupted; {file} was not written."))
            );
            assert_eq!(names(directory.path()), ["data"], "{stage}");
        }
    }
    assert_eq!(stopped_at("never", &data_dir, &file), Ok(()));
}

#[test]
fn a_signal_ends_it_with_a_sentence_or_too_late_but_never_by_half() {
    let (directory, data_dir, file) = site();
    let rows = "
        insert into recipient (guid, user_name, name, language, lcid, is_disabled, attributes, created_at, updated_at)
        with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
        select randomblob(16), 'user' || i, hex(randomblob(1000)), 'en', 9, 0, '{}', 0, 0 from n";
    sql(format!("{data_dir}/herald.db"), rows);
    let running = Running::start(&["backup", "--data-dir", &data_dir, &file], &[]);
    let begun = || Path::new(&format!("{file}.unfinished")).exists() || Path::new(&file).exists();
    until("it has begun", begun);
    running.signal(rustix::process::Signal::INT);
    let said = running.ended();
    match said.code {
        Some(0) => drop(done(&["check", &file], &[])),
        _ => {
            expect_failure(&said, &format!("Interrupted; {file} was not written."));
            assert_eq!(names(directory.path()), ["data"]);
        }
    }
}

#[test]
fn an_older_database_is_backed_up_as_it_is_and_brought_up_to_date_where_it_is_used() {
    let (directory, data_dir) = place();
    let file = directory.path().join("b.db").display().to_string();
    // Beside a program that is newer than the data: a backup before the update.
    first_version(
        &data_dir,
        "insert into message (guid, type_id, format, channel, status, lane, recipient, body, is_sensitive, created_at,
            created_by, due_at, expires_at, trace)
        values (randomblob(16), 2, 2, 'sms', 'sending', 1, '+4790000001', 'secret', 1, 0, '', 0, 9e12, '')",
    );
    let version = |file: &str| texts(file, "select user_version || '' from pragma_user_version");
    let own = format!("{data_dir}/herald.db");
    let made = backup(&data_dir, &[&file]);
    assert_eq!((made.code, made.err.as_str()), (Some(0), ""));
    assert_eq!([version(&own), version(&file)], [["1"], ["1"]]);
    done(&["check", &file], &[]);
    let restored = directory.path().join("restored").display().to_string();
    done(&["restore", &file, "--data-dir", &restored], &[]);
    done(&["client", "list", "--data-dir", &restored], &[]);
    done(&["check", "--data-dir", &restored], &[]);
    let own = format!("{restored}/herald.db");
    assert_eq!(version(&own), [herald::store::schema_version().to_string()]);
    let state = "select status || has_content || coalesce(body, '') from message join content on message_id = id";
    assert_eq!(texts(&own, state), ["queued0"]);
}

#[test]
fn what_points_to_nothing_is_backed_up_all_the_same() {
    let (_directory, data_dir, file) = site();
    let orphan = "
        pragma foreign_keys = off;
        insert into attempt (message_id, number, provider, started_at) values (99, 1, 'smtp:', 0)";
    sql(format!("{data_dir}/herald.db"), orphan);
    assert_eq!(backup(&data_dir, &[&file]).code, Some(0));
    let said = herald(&["check", &file], &[]);
    let line = "references: Row ? of attempt points to a message that is not there.\n";
    assert_eq!((said.code, said.out.as_str()), (Some(1), line));
}

#[test]
fn an_id_that_was_used_is_not_used_again_after_a_restore() {
    let (directory, data_dir, file) = site();
    done(&["client", "revoke", "1", "--data-dir", &data_dir], &[]);
    assert_eq!(backup(&data_dir, &[&file]).code, Some(0));
    let restored = directory.path().join("restored").display().to_string();
    done(&["restore", &file, "--data-dir", &restored], &[]);
    done(&CLIENT, &[("HERALD_DATA_DIR", &restored)]);
    let ids = texts(
        format!("{restored}/herald.db"),
        "select id || '' from client",
    );
    assert_eq!(ids, ["2"]);
}

#[test]
fn whoever_was_signed_in_is_not_signed_in_to_a_copy() {
    let (_directory, data_dir, file) = site();
    let signed_in = "
        insert into operator (guid, user_name, password_hash, created_at, updated_at)
        values (randomblob(16), 'anna', 'x', 0, 0);
        insert into session (hash, operator_id, expires_at) values (randomblob(32), 1, 9e12);
        insert into access_token (hash, client_id, scopes, expires_at) values (randomblob(32), 1, 'x', 9e12)";
    sql(format!("{data_dir}/herald.db"), signed_in);
    assert_eq!(backup(&data_dir, &[&file]).code, Some(0));
    let counts = "
        select (select count(*) from operator) || (select count(*) from session) || (select count(*) from access_token)";
    assert_eq!(texts(&file, counts), ["101"]);
    assert_eq!(texts(format!("{data_dir}/herald.db"), counts), ["111"]);
}
