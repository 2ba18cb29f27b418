//! `herald check`: each kind of damage has its line, and a sound database has none.

use super::{CLIENT, expect_failure, overwrite, place, sql, texts};
use crate::support::binary::{Running, Said, done, herald};
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tempfile::TempDir;

/// A message in each kind of state, as the program leaves them.
const SOUND: &str = "
    insert into message (guid, type_id, format, channel, status, lane, recipient, has_content, is_sensitive, created_at,
        created_by, due_at, expires_at, attempts, claims, error, cause)
    values
        (randomblob(16), 1, 0, 'email', 'sent', 0, 'bo@example.net', 1, 0, 0, '', 0, 9e12, 1, 0, null, null),
        (randomblob(16), 2, 2, 'sms', 'sent', 0, '+4790000001', 0, 1, 0, '', 0, 9e12, 0, 0, null, null),
        (randomblob(16), 1, 3, 'push', 'queued', 0, 'device', 1, 0, 0, '', 0, 9e12, 0, 0, null, null),
        (randomblob(16), 2, 1, 'email', 'scheduled', 1, 'bo@example.net', 1, 1, 0, '', 9e11, 9e12, 0, 0, null, null),
        (randomblob(16), 1, 2, 'sms', 'sending', 2, '', 0, 0, 0, '', 0, 9e12, 1, 1, null, null),
        (randomblob(16), 1, 2, 'sms', 'failed', 1, '', 0, 0, 0, '', 0, 9e12, 0, 0, 'No.', 'no_address'),
        (randomblob(16), 1, 2, 'sms', 'expired', 1, '+4790000001', 1, 0, 0, '', 0, 9e12, 0, 0, 'Late.', 'expired');
    insert into content select id, null, iif(has_content, 'x', null), null, '' from message;
    insert into attempt (message_id, number, provider, started_at) values (1, 1, 'smtp:', 0), (5, 1, 'twilio:', 0);
    insert into recipient (id, guid, user_name, name, language, lcid, is_disabled, attributes, created_at, updated_at)
        values (1, randomblob(16), 'bo', 'Bo', 'en', 9, 0, '{}', 0, 0);";

fn site() -> (TempDir, String) {
    let (directory, data_dir) = place();
    done(&CLIENT, &[("HERALD_DATA_DIR", &data_dir)]);
    sql(format!("{data_dir}/herald.db"), SOUND);
    (directory, data_dir)
}

fn check(words: &[&str]) -> Said {
    herald(&[&["check"], words].concat(), &[])
}

/// What is done to a sound database, and the lines that say so.
type Case = (&'static str, &'static [&'static str]);

#[rustfmt::skip] // A table: one kind of damage after the other.
const CASES: &[Case] = &[
    ("update message set status = 'lost' where id = 3", &["statuses: Message 3 has the unknown status 'lost'."]),
    ("update message set channel = 'fax' where id = 3", &["channels: Message 3 has the format 3, the channel 'fax' and the lane 0, where no sender looks."]),
    ("update message set channel = 'sms' where id = 1", &["channels: Message 1 has the format 0, the channel 'sms' and the lane 0, where no sender looks."]),
    ("update message set format = 9 where id = 1", &["channels: Message 1 has the format 9, the channel 'email' and the lane 0, where no sender looks."]),
    ("update message set lane = 3 where id = 3", &["channels: Message 3 has the format 3, the channel 'push' and the lane 3, where no sender looks."]),
    ("update message set attempts = 2 where id = 1", &["attempts: Message 1 counts 2 attempts and has 1."]),
    ("delete from attempt where message_id = 5", &["attempts: Message 5 counts 1 attempts and has 0."]),
    ("insert into attempt (message_id, number, provider, started_at) values (6, 1, 'smtp:', 0)", &["attempts: Message 6 counts 0 attempts and has 1."]),
    ("update message set claims = 1 where id = 1", &["claims: Message 1 is sent and still claimed."]),
    ("update content set body = 'token' where message_id = 2", &["secrets: Message 2 is sensitive and sent, and its content is still there."]),
    ("update content set subject = 'token' where message_id = 2", &["secrets: Message 2 is sensitive and sent, and its content is still there."]),
    ("update content set html_body = 'token' where message_id = 2", &["secrets: Message 2 is sensitive and sent, and its content is still there."]),
    ("update content set body = null where message_id = 3", &["content: Message 3 is queued without content."]),
    ("update content set body = null where message_id = 1", &["content: Message 1 is sent without content."]),
    ("delete from content where message_id = 3", &["content: Message 3 is queued without content."]),
    ("update message set has_content = 0 where id = 4", &["content: Message 4 is scheduled without content."]),
    ("update message set recipient = '' where id = 4", &["content: Message 4 is scheduled without an address."]),
    ("update message set user_id = 1 where id = 5", &["content: Message 5 is sending without an address."]),
    ("update message set cause = null where id = 6", &["causes: Message 6 is failed and has no cause."]),
    ("update message set cause = 'expired' where id = 1", &["causes: Message 1 is sent and has the cause 'expired'."]),
    ("update speaker set count = 2", &["languages: The language en has 1 users and counts 2."]),
    ("drop index template_place; update template set type_id = 1, format = 2, lcid = 9 where id in (1, 2, 3)", &[
        "schema: The index template_place is missing.",
        "templates: Message type 1 has 4 live templates of the format 2 in the language 9.",
    ]),
    ("pragma foreign_keys = off; insert into device (guid, user_id, label, token, created_at) values (randomblob(16), 7, '', 't', 0)", &["references: Row 1 of device points to a recipient that is not there."]),
    ("pragma foreign_keys = off; insert into attempt (message_id, number, provider, started_at) values (99, 1, 'smtp:', 0)", &["references: Row ? of attempt points to a message that is not there."]),
    ("create table notes (a text)", &["schema: The table notes is not ours."]),
    ("alter table device add column colour text", &["schema: The table device is not as this version makes it."]),
    ("pragma writable_schema = on; update sqlite_schema set sql = replace(sql, 'email text,', 'email text not null,') where name = 'recipient'", &[
        "integrity: NULL value in recipient.email",
        "schema: The table recipient is not as this version makes it.",
    ]),
];

#[test]
fn each_kind_of_damage_has_its_line_and_exit_code_1() {
    let (_directory, data_dir) = site();
    let own = format!("{data_dir}/herald.db");
    let sound = fs::read(&own).unwrap();
    for (damage, lines) in CASES {
        fs::write(&own, &sound).unwrap();
        sql(&own, damage);
        let said = check(&["--data-dir", &data_dir]);
        let found = match lines.len() {
            1 => "One thing is".into(),
            many => format!("{many} things are"),
        };
        let wished = Said {
            code: Some(1),
            out: lines.iter().map(|line| format!("{line}\n")).collect(),
            err: format!("herald: {found} wrong with {own}.\n"),
        };
        assert_eq!(said, wished, "{damage}");
    }
}

#[test]
fn what_the_pages_hold_is_looked_at_too() {
    let (_directory, data_dir) = site();
    let own = format!("{data_dir}/herald.db");
    let root = "select rootpage || '' from sqlite_schema where name = 'message_user'";
    let page: u64 = texts(&own, root)[0].parse().unwrap();
    overwrite(Path::new(&own), (page - 1) * 4096, 4096);
    let said = check(&["--data-dir", &data_dir]);
    assert_eq!(said.code, Some(1));
    let first = said.out.lines().next().unwrap();
    let wished =
        format!("integrity: Tree {page} page {page}: btreeInitPage() returns error code 11");
    assert_eq!(first, wished);
}

#[test]
fn a_sound_database_has_no_line_beside_a_server_too() {
    let (_directory, data_dir) = site();
    let own = format!("{data_dir}/herald.db");
    let checks = [
        "integrity",
        "references",
        "schema",
        "statuses",
        "channels",
        "attempts",
        "claims",
        "secrets",
        "content",
        "causes",
        "languages",
        "templates",
        "providers",
        "permissions",
    ];
    let wished = json!({ "file": own, "messages": 7, "checks": checks, "findings": [] });
    let json = || -> Value {
        serde_json::from_str(&done(&["check", "--json", "--data-dir", &data_dir], &[])).unwrap()
    };
    assert_eq!(json(), wished);
    let before = fs::read(&own).unwrap();
    let server = Running::serve(&data_dir, &[], &[]);
    assert_eq!(json(), wished);
    assert_eq!(server.stop().code, Some(0));
    let text = done(&["check"], &[("HERALD_DATA_DIR", &data_dir)]);
    assert_eq!(
        text,
        format!("Nothing is wrong with {own}: 7 messages, 14 checks.\n")
    );
    sql(&own, "update message set claims = 1 where id = 1");
    let said = check(&["--json", "--data-dir", &data_dir]);
    let finding = json!([{ "check": "claims", "text": "Message 1 is sent and still claimed." }]);
    let found = serde_json::from_str::<Value>(&said.out).unwrap()["findings"].take();
    assert_eq!((said.code, found), (Some(1), finding));
    assert!(
        fs::read(&own).unwrap() != before,
        "the damage is in the file"
    );
}

#[test]
fn a_check_changes_nothing_in_the_file() {
    let (_directory, data_dir) = site();
    let own = format!("{data_dir}/herald.db");
    sql(&own, "update message set claims = 1 where id = 1");
    let before = fs::read(&own).unwrap();
    assert_eq!(check(&["--data-dir", &data_dir]).code, Some(1));
    assert!(fs::read(&own).unwrap() == before);
}

#[test]
fn only_what_a_backup_left_out_may_wait_without_its_content() {
    let (directory, data_dir) = site();
    let own = format!("{data_dir}/herald.db");
    let file = directory.path().join("b.db").display().to_string();
    done(&["backup", "--data-dir", &data_dir, &file], &[]);
    assert_eq!(
        done(&["check", &file], &[]),
        format!("Nothing is wrong with {file}: 7 messages, 13 checks.\n")
    );
    assert_eq!(
        texts(
            &file,
            "select coalesce(body, 'none') from content where message_id = 4"
        ),
        ["none"]
    );
    // The same in the database that it comes from is a loss, and so is one that was accepted after the backup was made.
    sql(&own, "update message set has_content = 0 where id = 4");
    let lost = "content: Message 4 is scheduled without content.\n";
    assert_eq!(check(&["--data-dir", &data_dir]).out, lost);
    sql(&file, "update message set created_at = 9e12 where id = 4");
    assert_eq!(check(&[&file]).out, lost);
    sql(
        &file,
        "update message set created_at = 0, is_sensitive = 0 where id = 4",
    );
    assert_eq!(check(&[&file]).out, lost);
}

#[test]
fn files_that_others_may_read_are_named() {
    let (directory, data_dir) = site();
    let file = directory.path().join("b.db").display().to_string();
    done(&["backup", "--data-dir", &data_dir, &file], &[]);
    let key = Path::new(&data_dir).join("secret.key");
    fs::write(&key, "").unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    let names = ["herald.db", "secret.key"].map(|name| format!("{data_dir}/{name}"));
    for (path, mode) in [
        (&data_dir, 0o755),
        (&names[1], 0o604),
        (&file, 0o644),
        (&names[0], 0o640),
    ] {
        let before = fs::metadata(path).unwrap().permissions();
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        let said = match path == &file {
            true => check(&[&file]),
            false => check(&["--data-dir", &data_dir]),
        };
        let line =
            format!("permissions: {path} is open to others than its owner (mode {mode:04o}).\n");
        assert_eq!((said.code, said.out), (Some(1), line));
        fs::set_permissions(path, before).unwrap();
    }
}

#[test]
fn a_provider_that_the_key_does_not_open_is_named() {
    let (_directory, data_dir) = place();
    let made = done(&CLIENT, &[("HERALD_DATA_DIR", &data_dir)]);
    let made: Value = serde_json::from_str(&made).unwrap();
    let server = Running::serve(&data_dir, &[], &[]);
    let provider = json!({ "Channel": "email", "Url": "smtp://anna:hunter22@mail.example.com" });
    let api = server.caller(made["key"].as_str().unwrap());
    assert_eq!(
        api.post("/api/admin/v1/providers", &provider.to_string())
            .status,
        200
    );
    assert_eq!(server.stop().code, Some(0));
    assert_eq!(check(&["--data-dir", &data_dir]).code, Some(0));
    let key = Path::new(&data_dir).join("secret.key");
    let said = || check(&["--data-dir", &data_dir]).out;
    fs::write(&key, "no key").unwrap();
    let wished = format!(
        "providers: {} cannot be used: it does not hold a key.\n",
        key.display()
    );
    assert_eq!(said(), wished);
    fs::remove_file(&key).unwrap();
    assert_eq!(
        said(),
        "providers: secret.key does not open the URL of smtp://anna:***@mail.example.com.\n"
    );
}

#[test]
fn what_is_no_database_of_ours_is_said_in_a_line() {
    let (directory, data_dir) = place();
    let file = super::file(&directory, "text", &"This is no database. ".repeat(100));
    let inside = directory.path().display().to_string();
    for (words, sentence) in [
        (
            &[&*file][..],
            format!("{file} is damaged (file is not a database)."),
        ),
        (
            &["nowhere.db"],
            "Cannot read nowhere.db: No such file or directory (os error 2).".into(),
        ),
        (&[&inside], format!("{inside} is a directory, no database.")),
        (
            &["--data-dir", &data_dir],
            format!("{data_dir} holds no herald.db. Name the data directory with --data-dir."),
        ),
    ] {
        expect_failure(&check(words), &sentence);
    }
    assert!(!Path::new(&data_dir).exists());
}
