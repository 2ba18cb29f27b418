//! Replies that are written while they come into being.

use super::child::{Child, until};
use super::client::Client;

const MIB: usize = 1024 * 1024;

fn begin(server: &Child, what: &str) -> Client {
    let mut client = server.connect();
    client.send(format!("GET /stream/{what} HTTP/1.1\r\nHost: x\r\n\r\n"));
    client
}

/// Streams whose makers have not ended.
fn streams(server: &Child) -> String {
    server.get("/streams").1
}

#[test]
fn a_stream_of_known_length_comes_whole_and_holds_no_handler() {
    let server = Child::start("handlers_max=1");
    let mut client = begin(&server, &format!("whole/{}", 16 * MIB + 5));
    let head = client.head();
    let length = (16 * MIB + 5).to_string();
    let said = [
        "Content-Length",
        "Transfer-Encoding",
        "Connection",
        "Content-Type",
    ];
    assert_eq!(
        (head.status, said.map(|name| head.header(name))),
        (
            200,
            [
                Some(length.as_str()),
                None,
                Some("close"),
                Some("text/plain")
            ]
        )
    );
    for _ in 0..3 {
        server.serves_within(1);
    }
    assert_eq!(client.read_body(16 * MIB + 5), vec![b'x'; 16 * MIB + 5]);
    client.expect_closed();
}

#[test]
fn a_stream_of_unknown_length_shows_whether_it_is_whole() {
    let server = Child::start("");
    for (what, end) in [("some", "0\r\n\r\n"), ("panic", "")] {
        let mut client = begin(&server, what);
        let head = client.head();
        assert_eq!(head.header("Transfer-Encoding"), Some("chunked"), "{what}");
        let body = format!("4\r\nsome\r\n{end}");
        assert_eq!(client.read_body(body.len()), body.as_bytes(), "{what}");
        client.expect_closed();
    }
    // HTTP/1.0 has no chunks.
    let mut old = server.connect();
    old.send("GET /stream/some HTTP/1.0\r\n\r\n");
    assert_eq!(old.head().header("Transfer-Encoding"), None);
    assert_eq!(old.read_body(4), b"some");
    old.expect_closed();
    until("all have ended", || streams(&server) == "0");
}

#[test]
fn the_head_alone_makes_nothing() {
    let server = Child::start("");
    let mut client = server.connect();
    client.send("HEAD /stream/flood HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.head().header("Content-Type"), Some("text/plain"));
    assert_eq!(client.get("/ok").text(), "ok");
}

#[test]
fn a_reader_that_takes_nothing_is_dropped_and_ends_its_stream() {
    let server = Child::start("reply_stall_millis=100");
    let mut stuck = begin(&server, "flood");
    assert_eq!(stuck.head().status, 200);
    until("it is cut off", || streams(&server) == "0");
    server.serves_within(1);
}

#[test]
fn a_reader_to_whom_nothing_was_to_be_said_for_long_stays() {
    let server = Child::start("reply_stall_millis=1 keep_alive_millis=1");
    let mut client = begin(&server, "ticks");
    assert_eq!(client.head().status, 200);
    // Far longer than both limits, and than the sweep that looks for them.
    for _ in 0..100 {
        assert_eq!(client.read_body(9), b"4\r\ntick\r\n");
    }
}

#[test]
fn a_reader_who_leaves_ends_its_stream() {
    let server = Child::start("");
    let mut client = begin(&server, "ticks");
    assert_eq!(client.head().status, 200);
    assert_eq!(streams(&server), "1");
    drop(client);
    until("its maker has ended", || streams(&server) == "0");
}

#[test]
fn streams_are_few_and_one_too_many_is_told_when_to_come_back() {
    let server = Child::start("streams_max=2");
    let mut open: Vec<_> = (0..2).map(|_| begin(&server, "ticks")).collect();
    for client in &mut open {
        assert_eq!(client.head().status, 200);
    }
    let reply = begin(&server, "ticks").reply();
    assert_eq!(
        (reply.status, reply.header("Retry-After")),
        (503, Some("5"))
    );
    server.serves_within(1);
    open.pop();
    until("there is room again", || {
        begin(&server, "ticks").head().status == 200
    });
}

#[test]
fn a_stop_closes_streams_at_once() {
    let mut server = Child::start("");
    let mut ticks = begin(&server, "ticks");
    let mut stuck = begin(&server, "flood");
    assert_eq!((ticks.head().status, stuck.head().status), (200, 200));
    server.tell("stop");
    // It breaks off, and does not look whole.
    let rest = ticks.rest_of_it();
    assert!(!rest.ends_with(b"0\r\n\r\n"), "{rest:?}");
    assert_eq!(server.expect_word("STOPPED"), "true");
}
