//! Help and wrong usage.

use crate::support::binary::{done, herald};
use crate::support::holes::expect_case;

#[test]
fn herald_alone_prints_help_and_exits_2() {
    let bare = herald(&[], &[]);
    assert_eq!((bare.code, bare.out.as_str()), (Some(2), ""));
    expect_case("command_line/help.txt", &bare.err);
    assert_eq!(done(&["--help"], &[]), bare.err);
}

#[test]
fn help_of_each_verb_names_its_environment() {
    let log = ["HERALD_LOG_FORMAT", "HERALD_LOG_LEVEL"];
    let serve = [
        "HERALD_LISTEN",
        "HERALD_DATA_DIR",
        "HERALD_BASE_URL",
        "HERALD_TRUSTED_PROXY",
        "HERALD_EMAIL",
        "HERALD_SMS",
        "HERALD_PUSH",
    ];
    let password = [
        "HERALD_ADMIN_USERNAME",
        "HERALD_DATA_DIR",
        "HERALD_ADMIN_PASSWORD_FILE",
    ];
    for (verb, names) in [
        ("demo", [&["HERALD_LISTEN"], &log[..]].concat()),
        ("serve", [&serve[..], &log].concat()),
        ("admin create", password.to_vec()),
        ("admin passwd", password.to_vec()),
        ("admin list", vec!["HERALD_DATA_DIR"]),
        (
            "admin delete",
            vec!["HERALD_ADMIN_USERNAME", "HERALD_DATA_DIR"],
        ),
        ("client create", vec!["HERALD_DATA_DIR"]),
        ("client list", vec!["HERALD_DATA_DIR"]),
        ("client revoke", vec!["HERALD_DATA_DIR"]),
        ("send", vec!["HERALD_BASE_URL", "HERALD_DATA_DIR"]),
        ("outbox", vec!["HERALD_DATA_DIR"]),
        ("outbox show", vec!["HERALD_DATA_DIR"]),
        ("outbox pause", vec!["HERALD_DATA_DIR"]),
        ("outbox resume", vec!["HERALD_DATA_DIR"]),
        ("outbox cancel", vec!["HERALD_DATA_DIR"]),
        ("backup", vec!["HERALD_DATA_DIR"]),
        ("restore", vec!["HERALD_DATA_DIR"]),
        ("check", vec!["HERALD_DATA_DIR"]),
        ("health", vec!["HERALD_URL"]),
        (
            "simulate",
            [&["HERALD_SIMULATE_SMTP", "HERALD_SIMULATE_HTTP"], &log[..]].concat(),
        ),
        ("version", vec![]),
    ] {
        let words: Vec<_> = verb.split(' ').chain(["--help"]).collect();
        let help = done(&words, &[]);
        let named = help
            .split("[env:")
            .skip(1)
            .map(|rest| rest.trim_start().split(['=', ']']).next().unwrap());
        assert_eq!(named.collect::<Vec<_>>(), names, "{verb}");
    }
}

#[test]
fn help_of_serve_lists_each_limit_and_the_files_of_secrets() {
    let help = done(&["serve", "--help"], &[]);
    let limits = help
        .split("Limits and times (environment):\n")
        .nth(1)
        .unwrap();
    let names = limits.lines().filter_map(|line| {
        line.strip_prefix("  ")
            .filter(|name| !name.starts_with(' '))
    });
    let listed: Vec<_> = names.collect();
    let table: Vec<_> = herald::config::TABLE.iter().map(|key| key.env).collect();
    assert_eq!(listed, table);
    assert!(help.contains(&herald::channel::url::help()), "{help}");
    for secret in ["HERALD_EMAIL_FILE", "HERALD_SMS_FILE", "HERALD_PUSH_FILE"] {
        assert!(help.contains(secret), "{secret}");
    }
}

#[test]
fn help_never_shows_a_secret_of_the_environment() {
    let secrets = [
        ("HERALD_EMAIL", "smtp://u:hunter22@h"),
        ("HERALD_SMS", "twilio://AC:hunter22@h?from=A"),
        ("HERALD_PUSH", "hunter22"),
    ];
    let help = done(&["serve", "--help"], &secrets);
    assert!(!help.contains("hunter22"), "{help}");
}

#[test]
fn wrong_usage_says_what_is_wrong_and_exits_2() {
    for (words, first_line) in [
        ("bogus", "error: unrecognized subcommand 'bogus'"),
        (
            "serve --bogus",
            "error: unexpected argument '--bogus' found",
        ),
        (
            "serve --listen nonsense",
            "error: invalid value 'nonsense' for '--listen <ADDRESS>': \"nonsense\" is no address to listen on; write 127.0.0.1:8080, [::1]:8080 or unix:/path.",
        ),
        (
            "serve --listen unix:",
            "error: invalid value 'unix:' for '--listen <ADDRESS>': A path must follow \"unix:\".",
        ),
        (
            "serve --log-level loud",
            "error: invalid value 'loud' for '--log-level <LEVEL>': attempted to convert a string that doesn't match an existing log level",
        ),
        (
            "client create --label x",
            "error: the following required arguments were not provided:",
        ),
        (
            "client create --label x --scope relesys.api --expires 5y",
            "error: invalid value '5y' for '--expires <90d>': write a number with d, h or m, such as 90d",
        ),
        (
            "client create --label x --scope relesys.api --expires 0d",
            "error: invalid value '0d' for '--expires <90d>': write a number with d, h or m, such as 90d",
        ),
        (
            "client create --label x --scope relesys.api --expires=-1d",
            "error: invalid value '-1d' for '--expires <90d>': write a number with d, h or m, such as 90d",
        ),
        (
            "client create --label x --scope relesys.api --expires 99999999999999999999d",
            "error: invalid value '99999999999999999999d' for '--expires <90d>': write a number with d, h or m, such as 90d",
        ),
        (
            "client create --label x --scope relesys.api --expires é",
            "error: invalid value 'é' for '--expires <90d>': write a number with d, h or m, such as 90d",
        ),
        (
            "client revoke seven",
            "error: invalid value 'seven' for '<ID>': invalid digit found in string",
        ),
        (
            "admin create",
            "error: the following required arguments were not provided:",
        ),
        (
            "send --user bo",
            "error: the following required arguments were not provided:",
        ),
        (
            "send --user bo --type welcome --channel fax",
            "error: invalid value 'fax' for '--channel <CHANNEL>': write email, sms or push",
        ),
        (
            "send --user bo --type welcome --set =x",
            "error: invalid value '=x' for '--set <WORD=VALUE>': write WORD=VALUE",
        ),
        (
            "outbox cancel --yes",
            "error: the following required arguments were not provided:",
        ),
        (
            "outbox cancel --all --channel sms",
            "error: the argument '--all' cannot be used with '--channel <CHANNEL>'",
        ),
        (
            "outbox cancel --created-before yesterday",
            "error: invalid value 'yesterday' for '--created-before <2001-01-01T01:01:01Z>': write a time such as 2001-01-01T01:01:01Z",
        ),
        (
            "outbox --json pause",
            "error: the subcommand 'pause' cannot be used with '--json'",
        ),
        (
            "backup",
            "error: the following required arguments were not provided:",
        ),
        (
            "restore",
            "error: the following required arguments were not provided:",
        ),
        (
            "health --timeout soon",
            "error: invalid value 'soon' for '--timeout <30s>': write seconds, such as 30s",
        ),
        (
            "simulate --fault smtp.rcpt:451",
            "error: invalid value 'smtp.rcpt:451' for '--fault <FAULT>': \"smtp.rcpt:451\" is no fault: write where, an equals sign and what, as in smtp.rcpt = 451 4.7.1 Try again later.",
        ),
    ] {
        let said = herald(&words.split(' ').collect::<Vec<_>>(), &[]);
        let line = said.err.lines().next().unwrap_or_default();
        assert_eq!(
            (said.code, said.out.as_str(), line),
            (Some(2), "", first_line),
            "{words}"
        );
    }
}
