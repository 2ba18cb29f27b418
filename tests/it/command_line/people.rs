//! Operators and clients.

use super::{expect_failure, file, place};
use crate::support::app::{Caller, TestApp};
use crate::support::binary::{done, herald};
use crate::support::holes::holed;
use herald::clients::{self, Draft};
use serde_json::Value;
use std::time::Duration;

#[test]
fn operators_are_added_listed_changed_and_removed() {
    let (directory, data_dir) = place();
    let password = file(&directory, "password", "ten chars!\r\n");
    let admin = |words: &[&str]| {
        done(
            &[&["admin"], words, &["--data-dir", &data_dir]].concat(),
            &[],
        )
    };
    assert_eq!(admin(&["list"]), "");
    assert_eq!(admin(&["list", "--json"]), "[]\n");
    for name in ["anna", "Bjørn Dahl"] {
        let printed = admin(&["create", "--username", name, "--password-file", &password]);
        assert_eq!(printed, format!("Operator {name} was added.\n"));
    }
    assert_eq!(
        holed(&admin(&["list"])),
        "anna\t<time>\nBjørn Dahl\t<time>\n"
    );
    let wished = r#"[{"id":1,"guid":"<guid>","username":"anna","created":"<time>"},{"id":2,"guid":"<guid>","username":"Bjørn Dahl","created":"<time>"}]"#;
    assert_eq!(holed(&admin(&["list", "--json"])).trim_end(), wished);
    let changed = admin(&["passwd", "--username", "anna", "--password-file", &password]);
    assert_eq!(changed, "Operator anna has another password.\n");
    assert_eq!(
        admin(&["delete", "--username", "anna"]),
        "Operator anna was removed.\n"
    );
    assert_eq!(holed(&admin(&["list"])), "Bjørn Dahl\t<time>\n");
    let from_env = [
        ("HERALD_ADMIN_USERNAME", "carl"),
        ("HERALD_ADMIN_PASSWORD_FILE", &password),
        ("HERALD_DATA_DIR", &data_dir),
    ];
    assert_eq!(
        done(&["admin", "create"], &from_env),
        "Operator carl was added.\n"
    );
}

#[test]
fn an_operator_that_cannot_be_is_refused_with_its_reason() {
    let (directory, data_dir) = place();
    let good = file(&directory, "good", "long enough");
    let short = file(&directory, "short", "nine char\n");
    let long = file(&directory, "long", &"x".repeat(1025));
    let missing = directory.path().join("missing").display().to_string();
    let length = "A password must be at least 10 characters and at most 1024 bytes.";
    done(
        &[
            "admin",
            "create",
            "--username",
            "anna",
            "--password-file",
            &good,
            "--data-dir",
            &data_dir,
        ],
        &[],
    );
    for (verb, name, password, sentence) in [
        ("create", "bo", &short, length),
        ("create", "bo", &long, length),
        ("passwd", "anna", &short, length),
        (
            "create",
            "bo",
            &missing,
            &format!("Cannot read {missing}: No such file or directory (os error 2)."),
        ),
        ("create", "", &good, "username must be 1 to 128 characters."),
        (
            "create",
            " ",
            &good,
            "username must be 1 to 128 characters.",
        ),
        (
            "create",
            "anna",
            &good,
            "An operator has the name anna already.",
        ),
        (
            "create",
            "ANNA",
            &good,
            "An operator has the name ANNA already.",
        ),
        ("passwd", "bo", &good, "No operator has the name bo."),
    ] {
        let words = [
            "admin",
            verb,
            "--username",
            name,
            "--password-file",
            password,
            "--data-dir",
            &data_dir,
        ];
        expect_failure(&herald(&words, &[]), sentence);
    }
    let words = [
        "admin",
        "delete",
        "--username",
        "bo",
        "--data-dir",
        &data_dir,
    ];
    expect_failure(&herald(&words, &[]), "No operator has the name bo.");
}

#[test]
fn a_client_shows_its_secrets_once() {
    let (_directory, data_dir) = place();
    let words = [
        "client",
        "create",
        "--label",
        "app",
        "--scope",
        "relesys.api.users:write",
        "--scope",
        "relesys.api.logs:read",
        "--data-dir",
        &data_dir,
    ];
    let printed = done(&words, &[]);
    let wished = "client_id      <guid>\nclient_secret  <secret>\nkey            <key>\n\nThe secret and the key are shown this once. Use the key as `Authorization: Bearer …`.\n";
    assert_eq!(holed(&printed), wished);
    let json = done(&[&words[..], &["--json"]].concat(), &[]);
    assert_eq!(
        holed(&json),
        "{\"client_id\":\"<guid>\",\"client_secret\":\"<secret>\",\"key\":\"<key>\"}\n"
    );
    let listed = done(&["client", "list", "--data-dir", &data_dir], &[]);
    let line = |id| {
        format!("{id}\t<guid>\tapp\trelesys.api.users:write relesys.api.logs:read\tnever used\n")
    };
    assert_eq!(holed(&listed), line(1) + &line(2));
}

#[test]
fn a_client_ends_when_it_was_told_to() {
    let (_directory, data_dir) = place();
    let lives = [("90d", 90 * 86_400), ("12h", 43_200), ("1m", 60)];
    for (expires, _) in lives {
        done(
            &[
                "client",
                "create",
                "--label",
                expires,
                "--scope",
                "relesys.api",
                "--expires",
                expires,
                "--data-dir",
                &data_dir,
            ],
            &[],
        );
    }
    let listed = done(&["client", "list", "--json", "--data-dir", &data_dir], &[]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let seconds = |client: &Value, name: &str| {
        client[name]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap()
            .as_second()
    };
    let found: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|c| {
            (
                c["label"].as_str().unwrap(),
                seconds(c, "expires") - seconds(c, "created"),
            )
        })
        .collect();
    for ((label, life), (wished, secs)) in found.iter().zip(lives) {
        // The two times are read one after the other.
        assert!(
            *label == wished && (secs - 1..=secs).contains(life),
            "{found:?}"
        );
    }
    assert_eq!(found.len(), lives.len());
}

#[test]
fn a_client_that_has_ended_is_nobody() {
    let app = TestApp::start();
    let now = app.server().app.clock.now();
    let draft = Draft {
        label: "a minute".into(),
        scopes: "relesys.api".into(),
        expires: Some(now + jiff::SignedDuration::from_mins(1)),
    };
    let made = clients::create(&app.server().app, draft, None, "tests").unwrap();
    let api = Caller::new(app.url(), &made.key);
    app.advance(Duration::from_secs(59));
    assert_eq!(api.get("/api/admin/v1/users").status, 200);
    app.advance(Duration::from_secs(1));
    assert_eq!(api.get("/api/admin/v1/users").status, 401);
}

#[test]
fn a_client_that_cannot_be_is_refused_with_its_reason() {
    let (_directory, data_dir) = place();
    let unknown = "\"nonsense\" is not a scope. Write relesys.api, then optionally a dot and one of users, notifications, communication, logs, settings, then optionally :read or :write.";
    for (words, sentence) in [
        ("create --label x --scope nonsense", unknown),
        ("revoke 99", "No client has the ID 99."),
    ] {
        let words: Vec<_> = ["client"]
            .into_iter()
            .chain(words.split(' '))
            .chain(["--data-dir", &data_dir])
            .collect();
        expect_failure(&herald(&words, &[]), sentence);
    }
}
