//! One request over a socket of its own, byte by byte as the case says, and its reply as text.

use super::case::Asked;
use crate::support::app::TestApp;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// The headers a reply is compared by, in the order in which they are shown.
pub(super) const SHOWN: [&str; 12] = [
    "Location",
    "Allow",
    "Retry-After",
    "WWW-Authenticate",
    "Link",
    "X-Message-Id",
    "Content-Type",
    "Content-Disposition",
    "X-Content-Type-Options",
    "Cache-Control",
    "Pragma",
    "Set-Cookie",
];

/// Without an `Authorization` line the key with every scope goes along; without a `Content-Type` a body is JSON.
pub(super) fn send(app: &TestApp, asked: &Asked) -> String {
    let mut head = format!(
        "{} {} HTTP/1.1\r\nHost: herald\r\nConnection: close\r\n",
        asked.method, asked.path
    );
    let has = |name: &str| {
        asked
            .headers
            .iter()
            .any(|(n, _)| n.eq_ignore_ascii_case(name))
    };
    let mut line = |name: &str, value: &str| write!(head, "{name}: {value}\r\n").unwrap();
    if !has("authorization") {
        line("Authorization", &format!("Bearer {}", app.key));
    }
    if asked.body.is_some() && !has("content-type") {
        line("Content-Type", "application/json");
    }
    let sent = |name: &str, value: &str| match name.to_ascii_lowercase().as_str() {
        "authorization" | "content-type" => !value.is_empty(),
        _ => true,
    };
    for (name, value) in asked.headers.iter().filter(|(n, v)| sent(n, v)) {
        line(name, value);
    }
    let body = asked.body.as_deref().unwrap_or_default();
    if !body.is_empty() || asked.method == "POST" {
        line("Content-Length", &body.len().to_string());
    }
    let address = app.url().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    // A server that refuses a body may have closed before all of it is written; what counts is its reply.
    let written = stream
        .write_all(&[head.as_bytes(), b"\r\n", body].concat())
        .and_then(|()| stream.flush());
    let mut reply = Vec::new();
    let read = stream.read_to_end(&mut reply);
    assert!(
        !reply.is_empty(),
        "no reply to {} {}: {written:?}, {read:?}",
        asked.method,
        asked.path
    );
    drop(stream.shutdown(Shutdown::Both));
    shown(&reply)
}

/// Status, headers and body in the form of a case file.
fn shown(reply: &[u8]) -> String {
    let end = reply.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&reply[..end]).unwrap();
    let body = std::str::from_utf8(&reply[end + 4..]).unwrap();
    let status = head.split(' ').nth(1).unwrap();
    let mut text = format!("< {status}");
    let headers: Vec<_> = head.lines().filter_map(|l| l.split_once(": ")).collect();
    for wanted in SHOWN {
        for (name, value) in &headers {
            if name.eq_ignore_ascii_case(wanted) {
                write!(text, "\n< {wanted}: {value}").unwrap();
            }
        }
    }
    if !body.is_empty() {
        for line in body.split('\n') {
            text.push_str(format!("\n<< {}", line.replace('\r', "<cr>")).trim_end());
        }
    }
    text
}
