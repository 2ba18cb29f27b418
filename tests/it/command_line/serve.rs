//! `herald serve`: where a setting comes from, what is refused, and what the log looks like.

use super::{CLIENT, expect_failure, file, place};
use crate::support::app::{Caller, until};
use crate::support::binary::{Running, done, herald};
use crate::support::holes::holed;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;

const KNOWN: &str = "known are smtp, smtps, twilio, twilio+http, vonage, vonage+http, ntfy, ntfy+http, gotify, gotify+http, fcm, fcm+http, webhook+https, webhook+http, capture";

#[test]
fn a_flag_beats_the_environment_which_beats_a_file() {
    let (directory, data_dir) = place();
    let from_file = file(&directory, "email", "three://x\n");
    for (flag, env, winner) in [
        (Some("one://x"), Some("two://x"), "one"),
        (None, Some("two://x"), "two"),
        (None, Some(""), "three"),
        (None, None, "three"),
    ] {
        let mut words = vec!["serve", "--listen", "127.0.0.1:0", "--data-dir", &data_dir];
        words.extend(flag.into_iter().flat_map(|url| ["--email", url]));
        let mut vars = vec![("HERALD_EMAIL_FILE", from_file.as_str())];
        vars.extend(env.map(|url| ("HERALD_EMAIL", url)));
        expect_failure(
            &herald(&words, &vars),
            &format!("unknown provider scheme {winner}; {KNOWN}."),
        );
    }
}

#[test]
fn the_environment_may_name_several_addresses_and_a_flag_replaces_them() {
    let (directory, data_dir) = place();
    let socket = directory.path().join("h.sock").display().to_string();
    let env = [("HERALD_LISTEN", &*format!("127.0.0.1:0 unix:{socket}"))];
    let server = Running::serve(&data_dir, &[], &env);
    server.until_it_logs(&format!("Herald serves unix:{socket}"));
    assert_eq!(server.addresses().len(), 2);
    assert_eq!(server.stop().code, Some(0));
    let server = Running::serve(&data_dir, &["--listen", "[::1]:0"], &env);
    server.until_it_logs("Herald serves http://[::1]:");
    assert_eq!(server.addresses().len(), 1);
}

#[test]
fn the_data_directory_is_herald_data_where_nothing_else_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = crate::support::binary::command(&["client", "list", "--json"], &[]);
    let output = command.current_dir(&directory).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "[]\n");
    assert_eq!(super::names(directory.path()), ["herald-data"]);
}

#[test]
fn providers_come_from_a_file_and_a_channel_without_one_is_captured() {
    let (directory, data_dir) = place();
    let email = file(
        &directory,
        "email",
        "\n smtp://127.0.0.1:1\n smtp://127.0.0.1:2 \n",
    );
    let env = [
        ("HERALD_EMAIL_FILE", email.as_str()),
        ("HERALD_SMS", "capture:"),
    ];
    let server = Running::serve(&data_dir, &[], &env);
    let invitation = format!(
        "Nobody can use this appliance yet. Make the first operator in a browser, within 30 minutes:

  http://127.0.0.1:<port>/setup#token=<set-up token>

or an API client at any time:

  herald client create --data-dir {data_dir} --label NAME --scope relesys.api

"
    );
    let log = "<time> WARN  no push provider is configured: push messages are captured, not sent (--push URL)
<time> INFO  Herald serves http://127.0.0.1:<port>
<time> INFO  stopping: finishing what is in flight
<time> INFO  stopped
";
    let said = server.stop();
    assert_eq!(said.code, Some(0));
    assert_eq!(
        (holed(&said.out), holed(&said.err)),
        (invitation, log.into())
    );
}

#[test]
fn what_cannot_be_used_is_refused_with_a_sentence_that_names_it_and_holds_no_secret() {
    let (directory, data_dir) = place();
    let missing = directory.path().join("missing").display().to_string();
    for (name, value, sentence) in [
        (
            "HERALD_RETRY_BASE_SECS",
            "abc",
            "HERALD_RETRY_BASE_SECS must be a whole number from 0 to 86400, not \"abc\".",
        ),
        (
            "HERALD_RETRY_BASE_SECS",
            "",
            "HERALD_RETRY_BASE_SECS must be a whole number from 0 to 86400, not \"\".",
        ),
        (
            "HERALD_ATTEMPTS_MAX",
            "0",
            "HERALD_ATTEMPTS_MAX must be a whole number from 1 to 1000, not \"0\".",
        ),
        (
            "HERALD_HTTP_TOTAL_SECS",
            "1.5",
            "HERALD_HTTP_TOTAL_SECS must be a whole number from 1 to 86400, not \"1.5\".",
        ),
        (
            "HERALD_QUEUE_MAX",
            "-1",
            "HERALD_QUEUE_MAX must be a whole number from 1 to 65536, not \"-1\".",
        ),
        (
            "HERALD_EMAIL",
            "smtp://u:hunter22:x@h",
            "smtp:// has a second `:` in its password; write it as %3A.",
        ),
        (
            "HERALD_EMAIL",
            "smtp://u:hunter22@h?tls=none",
            "A password is not sent over a connection that may be unencrypted: use tls=required or smtps://, or leave out user and password.",
        ),
        (
            "HERALD_EMAIL",
            "smtp://u:hunter22@h?hunter22=x",
            "Parameter 1 of smtp:// is not known or comes twice; known are tls, from, helo, connections.",
        ),
        (
            "HERALD_EMAIL",
            "hunter22@h",
            "A provider URL begins with a scheme and a colon; known are smtp, smtps, twilio, twilio+http, vonage, vonage+http, ntfy, ntfy+http, gotify, gotify+http, fcm, fcm+http, webhook+https, webhook+http, capture.",
        ),
        (
            "HERALD_SMS",
            "twilio://AC:hunter22@h?form=1",
            "Parameter 1 of twilio:// is not known or comes twice; known are from, service.",
        ),
        (
            "HERALD_PUSH",
            "smtp://u:hunter22@h",
            "smtp: does not carry push; for push there are ntfy:, ntfy+http:, gotify:, gotify+http:, fcm:, fcm+http:, webhook+https:, webhook+http:, capture:.",
        ),
        (
            "HERALD_EMAIL_FILE",
            &missing,
            &format!(
                "Cannot read {missing}, which HERALD_EMAIL_FILE names: No such file or directory (os error 2)."
            ),
        ),
    ] {
        let words = ["serve", "--listen", "127.0.0.1:0", "--data-dir", &data_dir];
        expect_failure(&herald(&words, &[(name, value)]), sentence);
    }
}

#[test]
fn an_address_in_use_is_refused_with_what_to_do() {
    let (_directory, data_dir) = place();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = herald(
        &["serve", "--listen", &address, "--data-dir", &data_dir],
        &[],
    );
    let sentence = format!(
        "Cannot listen: {address}: Address in use (os error 98). Choose another address with --listen."
    );
    expect_failure(
        &said,
        &sentence.replace("Address in use", "Address already in use"),
    );
}

#[test]
fn a_socket_file_is_for_owner_and_group_and_a_stale_one_is_replaced() {
    let (directory, data_dir) = place();
    let socket = directory.path().join("h.sock");
    let listen = format!("unix:{}", socket.display());
    for _ in 0..2 {
        let server = Running::serve(&data_dir, &["--listen", &listen], &[]);
        let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream
            .write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        assert!(
            reply.starts_with("HTTP/1.1 200 OK\r\n") && reply.ends_with("\r\n\r\nok\n"),
            "{reply}"
        );
        server.kill();
        assert!(socket.exists(), "a killed process leaves its socket file");
    }
    let server = Running::serve(&data_dir, &["--listen", &listen], &[]);
    assert_eq!(server.stop().code, Some(0));
    assert!(!socket.exists());
}

#[test]
fn links_hold_an_http_address_even_on_a_socket_file() {
    let (directory, data_dir) = place();
    let listen = format!("unix:{}", directory.path().join("h.sock").display());
    let server = Running::serve(
        &data_dir,
        &["--listen", &listen, "--listen", "127.0.0.1:0"],
        &[],
    );
    let made = done(&CLIENT, &[("HERALD_DATA_DIR", &data_dir)]);
    let made: Value = serde_json::from_str(&made).unwrap();
    server.until_it_logs("Herald serves http://");
    let address = server.addresses()[1].clone();
    let api = Caller::new(&address, made["key"].as_str().unwrap());
    let user = r#"{"UserName":"bo","Mobile":"+4790000001"}"#;
    let guid = api.post("/api/admin/v1/users", user).json()["Data"]["Guid"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1.3/communication/messages/{guid}/send");
    api.post(&path, r#"{"deliveryMethod":"sms","messageType":"welcome"}"#)
        .expect(202, "");
    let body = api.get("/api/admin/v1/messages/logs/entries/1").json()["Data"]["Body"].to_string();
    assert!(body.contains(&format!("{address}/login?user=")), "{body}");
}

#[test]
fn each_line_of_a_json_log_is_an_object_with_the_same_four_fields() {
    let (_directory, data_dir) = place();
    let server = Running::serve(
        &data_dir,
        &["--log-format", "json", "--log-level", "trace"],
        &[],
    );
    server.caller("").get("/no/such/path?secret=1");
    server.caller("").get("/readyz").expect(200, "ok\n");
    let said = server.stop();
    assert_eq!(said.code, Some(0));
    let mut messages = Vec::new();
    for line in said.err.lines() {
        let object: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
        assert_eq!(
            object.keys().collect::<Vec<_>>(),
            ["time", "level", "target", "message"],
            "{line}"
        );
        assert_eq!(holed(object["time"].as_str().unwrap()), "<time>", "{line}");
        assert!(
            ["error", "warn", "info", "debug", "trace"]
                .contains(&object["level"].as_str().unwrap()),
            "{line}"
        );
        messages.push(object["message"].as_str().unwrap().to_owned());
    }
    assert!(
        messages
            .iter()
            .any(|message| message.starts_with("GET /no/such/path 404 ")),
        "{messages:?}"
    );
    assert_eq!(messages.last().unwrap(), "stopped");
}

/// Replies that wait for the same flush have their lines written together.
#[test]
fn each_request_has_its_line_however_many_are_answered_at_once() {
    let (_directory, data_dir) = place();
    let made = done(&CLIENT, &[("HERALD_DATA_DIR", &data_dir)]);
    let made: Value = serde_json::from_str(&made).unwrap();
    let server = Running::serve(&data_dir, &[], &[]);
    let api = || server.caller(made["key"].as_str().unwrap());
    let user = api().post(
        "/api/admin/v1/users",
        r#"{"UserName":"bo","Email":"bo@example.com"}"#,
    );
    let guid = user.json()["Data"]["Guid"].as_str().unwrap().to_owned();
    let path = format!("/api/v1.3/communication/messages/{guid}/send");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let (api, body) = (
                    api(),
                    r#"{"deliveryMethod":"email","messageType":"welcome"}"#,
                );
                for _ in 0..5 {
                    assert_eq!(api.post(&path, body).status, 202);
                }
            });
        }
    });
    let said = server.stop();
    let line = format!(" INFO  POST {path} 202 ");
    let lines = said.err.lines().filter(|l| l.contains(&line));
    let whole = lines.filter(|l| l.ends_with(" ms 127.0.0.1") && l.len() < 2 * line.len());
    assert_eq!(whole.count(), 40, "{}", said.err);
}

#[test]
fn the_log_level_leaves_out_what_is_below_it() {
    let (directory, data_dir) = place();
    let socket = directory.path().join("h.sock");
    let listen = format!("unix:{}", socket.display());
    for (level, lines) in [("error", 0), ("warn", 3)] {
        let words = [
            "serve",
            "--listen",
            &listen,
            "--log-level",
            level,
            "--data-dir",
            &data_dir,
        ];
        let server = Running::start(&words, &[]);
        // Nothing is logged that could be waited for; its signals are caught before it listens.
        until("it listens", || socket.exists());
        let said = server.stop();
        assert_eq!(
            (said.code, said.err.lines().count()),
            (Some(0), lines),
            "{}",
            said.err
        );
    }
}
