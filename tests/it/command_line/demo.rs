//! `herald demo`: one command, one curl line, nothing left behind.

use super::names;
use crate::support::app::{Caller, Reply, until};
use crate::support::binary::Running;
use crate::support::holes::{expect_case, holed};
use rustix::process::Signal;
use serde_json::Value;
use std::time::Instant;
use tempfile::TempDir;

fn start(listen: &str) -> (TempDir, Running) {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().display().to_string();
    let started = Instant::now();
    let demo = Running::start(&["demo", "--listen", listen], &[("TMPDIR", &path)]);
    demo.until_it_prints("Everything is gone when you press Ctrl-C.");
    eprintln!(
        "the demo is ready after {} ms",
        started.elapsed().as_millis()
    );
    (temporary, demo)
}

/// The words of a line as a shell would read it; only single quotes are used.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (number, piece) in line.trim().split('\'').enumerate() {
        match number % 2 {
            0 => words.extend(piece.split_whitespace().map(str::to_owned)),
            _ => words.push(piece.to_owned()),
        }
    }
    words
}

/// Does what curl would do with these words.
fn curl(demo: &Running, line: &str) -> Reply {
    let words = shell_words(line);
    let (mut url, mut method, mut headers, mut body) = ("", "GET", Vec::new(), "");
    let mut words = words.iter().map(String::as_str);
    assert_eq!(words.next(), Some("curl"));
    while let Some(word) = words.next() {
        match word {
            "-i" => {}
            "-H" => {
                let (name, value) = words.next().unwrap().split_once(": ").unwrap();
                headers.push((name.to_ascii_lowercase(), value));
            }
            "-d" => (method, body) = ("POST", words.next().unwrap()),
            address => url = address,
        }
    }
    let address = demo.printed().split_whitespace().nth(4).unwrap().to_owned();
    let path = url.strip_prefix(&address).unwrap();
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    Caller::new(&address, "").call(method, path, &headers, body.as_bytes())
}

#[test]
fn its_curl_lines_send_a_message_and_show_what_was_captured() {
    let (temporary, demo) = start("127.0.0.1:0");
    expect_case("command_line/demo.txt", &holed(&demo.printed()));
    let printed = demo.printed();
    let lines: Vec<_> = printed
        .lines()
        .filter(|line| line.starts_with("  curl "))
        .collect();
    let [send, captured, log] = lines[..] else {
        panic!("{lines:?}")
    };

    let reply = curl(&demo, send);
    reply.expect(202, "");
    let guids: Vec<_> = reply
        .headers
        .iter()
        .filter(|(name, _)| name == "x-message-id")
        .map(|(_, guid)| guid.clone())
        .collect();
    let caught = |guid: &String| {
        let mut rows = curl(&demo, captured).json()["Data"].take();
        rows.as_array_mut()
            .unwrap()
            .iter_mut()
            .find(|row| row["Guid"] == guid.as_str())
            .map(Value::take)
    };
    until("both messages are captured", || {
        guids.iter().all(|guid| caught(guid).is_some())
    });
    let both: Vec<_> = guids
        .iter()
        .map(|guid| caught(guid).unwrap())
        .map(without_id)
        .collect();
    expect_case(
        "command_line/captured.json",
        &holed(&serde_json::to_string_pretty(&both).unwrap()),
    );

    let sent = || {
        let rows = curl(&demo, log).json()["Data"].take();
        let result = |guid: &String| {
            rows.as_array()
                .unwrap()
                .iter()
                .find(|row| row["Guid"] == guid.as_str())
                .unwrap()["Status"]
                == "sent"
        };
        guids.iter().all(result)
    };
    until("the log says sent", sent);

    demo.signal(Signal::INT);
    let said = demo.ended();
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(
        names(temporary.path()),
        [""; 0],
        "the temporary directory is gone"
    );
}

/// Which of two channels is first to capture is left to the scheduler.
fn without_id(mut row: Value) -> Value {
    row.as_object_mut().unwrap().shift_remove("ID").unwrap();
    row
}

#[test]
fn it_can_stand_on_a_socket_file_and_says_how_to_reach_it() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("demo.sock").display().to_string();
    let (temporary, demo) = start(&format!("unix:{socket}"));
    let printed = demo.printed();
    let reach = format!(
        "  curl -i --unix-socket {socket} http://localhost/api/v1.3/communication/messages/"
    );
    assert!(printed.contains(&reach), "{printed}");
    assert_eq!(demo.stop().code, Some(0));
    assert_eq!(names(temporary.path()), [""; 0]);
    assert_eq!(
        names(directory.path()),
        [""; 0],
        "the socket file is gone too"
    );
}
