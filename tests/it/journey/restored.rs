//! A restored copy sends nothing until it is told to, and then exactly what it should; a restore that dies leaves one
//! database or the other. (delivery.md, promises 2 and 3)

use super::backups::ask_for_link;
use super::{Site, guid_of, send_path};
use crate::support::app::{Caller, until};
use crate::support::binary::{Running, done, herald};
use crate::support::outside::mails_begun;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::path::Path;

/// A site whose mail server is gone, so that what is accepted waits; backed up, and lost.
fn lost(site: &Site) -> (Vec<String>, String) {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let server = site.serve_through(&format!("smtp://anna:p@localhost:{port}?tls=none"));
    let api = server.caller(&site.key);
    let path = site.user(&api);
    let waiting = super::accepted(&api, &path, 5);
    ask_for_link(&api, &path, "email", "waiting=1");
    let flash = json!({
        "Slug": "flash", "Name": "Flash", "IsNotification": true, "ExpirySeconds": 1, "DefaultFormats": ["email"],
    });
    assert_eq!(
        api.post("/api/admin/v1/messages/types", &flash.to_string())
            .status,
        200
    );
    let template = json!({
        "Type": 100, "Format": 1, "Language": "en", "Subject": "Flash", "Body": "Flash", "Sender": "a@example.com",
    });
    assert_eq!(
        api.post("/api/admin/v1/messages/templates", &template.to_string())
            .status,
        200
    );
    let flash = json!({ "UserId": 1, "MessageType": 100 });
    assert_eq!(
        api.post("/api/admin/v1/messages/send", &flash.to_string())
            .status,
        200
    );
    let backup = site.path("b.db");
    done(&["backup", "--data-dir", &site.data_dir(), &backup], &[]);
    server.kill();
    std::fs::remove_dir_all(site.data_dir()).unwrap();
    (waiting, backup)
}

/// The states of all messages in the order in which they were accepted; asked of the file, because the API counts calls.
fn statuses(site: &Site) -> Vec<String> {
    let database = Connection::open(format!("{}/herald.db", site.data_dir())).unwrap();
    let mut statement = database
        .prepare("select status from message order by id")
        .unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Restores what was lost, and waits until its senders have looked: they have ended what was too old, and nothing else.
fn restored(site: &Site) -> (Running, Vec<String>) {
    let (waiting, backup) = lost(site);
    let words = ["restore", "--json", "--data-dir", &site.data_dir(), &backup];
    let said: Value = serde_json::from_str(&done(&words, &[])).unwrap();
    let counts = [&said["messages"], &said["waiting"]];
    assert_eq!(counts, [&json!(7), &json!(7)]);
    let server = site.serve();
    let mut wished = vec!["queued"; 6];
    wished.push("expired");
    until("what was too old has ended", || {
        statuses(site).last().unwrap() == "expired"
    });
    assert_eq!(statuses(site), wished);
    (server, waiting)
}

#[test]
fn a_restored_copy_sends_nothing_until_told_to_and_then_exactly_what_it_should() {
    let site = Site::new("");
    let (server, waiting) = restored(&site);
    let api = server.caller(&site.key);
    // What is new is accepted all the same, and waits with the others.
    let new = super::accepted(&api, &send_path_of(&api), 1);
    assert_eq!(
        (mails_begun(&site.smtp), site.smtp.commands().len()),
        (0, 0)
    );

    // One was delivered by hand meanwhile.
    let id = api.get("/api/admin/v1/messages/logs?sort=ID").json()["Data"][0]["ID"].to_string();
    let cancel = format!("/api/admin/v1/messages/logs/entries/{id}/cancel");
    assert_eq!(api.post(&cancel, "").status, 200);
    let resumed = done(&["outbox", "resume", "--data-dir", &site.data_dir()], &[]);
    assert_eq!(
        resumed,
        "The outbox goes on. A running server sends within a second.\n"
    );
    let is_over = |status: &String| status != "queued" && status != "sending";
    until("all is over", || statuses(&site).iter().all(is_over));
    let once = waiting[1..]
        .iter()
        .chain(&new)
        .map(|guid| (guid.clone(), 1));
    assert_eq!(site.received(), once.collect());
    let statuses = statuses(&site).join(" ");
    assert_eq!(
        statuses,
        "cancelled sent sent sent sent failed expired sent"
    );
    let failed = api.get("/api/admin/v1/messages/logs?Status=failed").json()["Data"][0].take();
    let why = [&failed["Error"], &failed["Cause"]];
    let wished = [
        "Its content is not kept in backups; ask for a new one.",
        "no_content",
    ];
    assert_eq!(why, wished);
    let said = server.stop();
    assert_eq!(said.code, Some(0));
    let banner = "The outbox is paused: what is accepted waits";
    assert!(said.out.starts_with(banner), "{}", said.out);
    let warning = " WARN  The outbox is paused since ";
    assert!(said.err.contains(warning), "{}", said.err);
    done(&["check", "--data-dir", &site.data_dir()], &[]);
}

fn send_path_of(api: &Caller) -> String {
    let user = api.get("/api/admin/v1/users/1").json()["Data"]["Guid"].take();
    send_path(user.as_str().unwrap())
}

#[test]
fn what_was_sent_already_can_be_thrown_away_before_the_rest_is_let_go() {
    let site = Site::new("");
    let (_, backup) = lost(&site);
    let data_dir = site.data_dir();
    done(&["restore", "--data-dir", &data_dir, &backup], &[]);
    let listed = done(&["outbox", "--list", "--data-dir", &data_dir], &[]);
    assert_eq!(listed.lines().count(), 7, "{listed}");
    let cancelled = done(
        &[
            "outbox",
            "cancel",
            "--channel",
            "email",
            "--yes",
            "--data-dir",
            &data_dir,
        ],
        &[],
    );
    assert_eq!(cancelled, "7 messages were cancelled.\n");
    done(&["outbox", "resume", "--data-dir", &data_dir], &[]);
    let server = site.serve();
    let api = server.caller(&site.key);
    let new = super::accepted(&api, &send_path_of(&api), 1);
    super::until_sent(&api, 1);
    assert_eq!(site.received().into_keys().collect::<Vec<_>>(), new);
    let mail = &site.smtp.received()[0];
    assert_eq!(guid_of(&mail.content), new[0]);
}

#[test]
fn a_restore_that_is_killed_leaves_the_one_database_or_the_other() {
    let site = Site::new("");
    let server = site.serve();
    let api = server.caller(&site.key);
    let path = site.user(&api);
    super::accepted(&api, &path, 3);
    super::until_sent(&api, 3);
    let data_dir = site.data_dir();
    let (old, new) = (site.path("old.db"), site.path("new.db"));
    done(&["backup", "--data-dir", &data_dir, &old], &[]);
    super::accepted(&api, &path, 2);
    super::until_sent(&api, 5);
    done(&["backup", "--data-dir", &data_dir, &new], &[]);
    assert_eq!(server.stop().code, Some(0));
    // Killed as soon as there is a trace of each step, and between them.
    let traces = ["", ".unfinished", ".before-restore-"];
    for round in 0..12 {
        done(&["restore", "--force", "--data-dir", &data_dir, &old], &[]);
        let names = || -> Vec<String> {
            let entries = std::fs::read_dir(&data_dir).unwrap();
            entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect()
        };
        let before = names().len();
        let trace = traces[round % traces.len()];
        let restoring = Running::start(&["restore", "--force", "--data-dir", &data_dir, &new], &[]);
        let is_there = || names().len() > before && names().iter().any(|name| name.contains(trace));
        until("a step is done", || trace.is_empty() || is_there());
        restoring.kill();
        let checked = herald(&["check", "--json", "--data-dir", &data_dir], &[]);
        assert_eq!(checked.code, Some(0), "{} {}", checked.out, checked.err);
        let checked: Value = serde_json::from_str(&checked.out).unwrap();
        let messages = checked["messages"].as_i64().unwrap();
        assert!([3, 5].contains(&messages), "{messages}");
    }
    assert!(Path::new(&data_dir).join("herald.db").exists());
}
