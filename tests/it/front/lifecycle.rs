//! Panics, slow readers, the access log, the Unix socket, and stopping.

use super::child::{Child, until};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

const MIB: usize = 1024 * 1024;

#[test]
fn a_panic_in_a_handler_is_a_500_and_the_connection_lives_on() {
    let server = Child::start("handlers_max=1");
    let mut client = server.connect();
    for _ in 0..3 {
        assert_eq!(client.get("/panic").status, 500);
        assert_eq!(client.get("/ok").status, 200);
    }
    server.serves_within(1);
}

#[test]
fn a_reply_that_comes_later_holds_no_handler_and_one_that_never_comes_no_connection() {
    let server = Child::start("handlers_max=1");
    let mut client = server.connect();
    for _ in 0..3 {
        assert_eq!(client.get("/later").text(), "later");
        assert_eq!(client.get("/ok").status, 200);
    }
    for path in ["/never", "/panic-later"] {
        let mut lost = server.connect();
        lost.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        lost.expect_closed();
        server.serves_within(1);
    }
}

#[test]
fn a_slow_reader_holds_no_handler_and_gets_its_whole_reply() {
    let server = Child::start("handlers_max=1");
    let mut slow = server.connect();
    slow.send(format!("GET /big?{} HTTP/1.1\r\nHost: x\r\n\r\n", 16 * MIB));
    let first = slow.head();
    assert_eq!(first.status, 200);
    for _ in 0..3 {
        server.serves_within(1);
    }
    slow.send("GET /ok HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(slow.read_body(16 * MIB), vec![b'x'; 16 * MIB]);
    assert_eq!(slow.reply().text(), "ok");
}

#[test]
fn a_reader_that_takes_nothing_is_dropped() {
    for limit in ["reply_stall_millis=100", "replies_bytes_max=1000000"] {
        let server = Child::start(limit);
        let mut stuck = server.connect();
        stuck.send(format!("GET /big?{} HTTP/1.1\r\nHost: x\r\n\r\n", 16 * MIB));
        assert_eq!(stuck.head().status, 200);
        until("it is cut off", || server.open_connections() == 0);
        server.serves_within(1);
    }
}

#[test]
fn the_access_line_says_all_but_the_query() {
    let server = Child::start("");
    assert_eq!(
        server.get("/query?token=secret"),
        (200, "token=secret".into())
    );
    let mut lines = String::new();
    until("the line is written", || {
        lines = server.get("/log").1;
        lines.contains("/query")
    });
    let line = lines
        .lines()
        .find(|l| l.contains("/query"))
        .expect("just found");
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(words[..3], ["GET", "/query", "200"]);
    assert_eq!(words[4..], ["bytes", words[5], "ms", "127.0.0.1"]);
    assert!(!lines.contains("secret"));
}

#[test]
fn a_unix_socket_serves_clients_without_an_address() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("herald.sock");
    let server = Child::start_with("", None, &format!("unix:{}", path.display()));
    let mut client = UnixStream::connect(&path).expect("the server accepts");
    client
        .write_all(b"GET /peer HTTP/1.0\r\n\r\n")
        .expect("the server reads");
    let mut reply = String::new();
    client
        .read_to_string(&mut reply)
        .expect("the server answers");
    assert!(reply.ends_with("\r\n\r\nNone"), "{reply}");
    assert_eq!(server.get("/peer"), (200, "Some(127.0.0.1)".into()));
}

#[test]
fn stopping_waits_for_requests_in_handlers_and_closes_the_rest() {
    let mut server = Child::start("handlers_max=1");
    let mut idle = server.connect();
    assert_eq!(idle.get("/ok").status, 200);
    let mut begun = server.connect();
    begun.send("GET /o");
    let mut busy = server.connect();
    busy.send("GET /block HTTP/1.1\r\nHost: x\r\n\r\n");
    server.expect_word("BLOCKED");
    server.tell("stop");
    idle.expect_closed();
    begun.expect_closed();
    until("nobody is accepted", || {
        TcpStream::connect(server.address).is_err()
    });
    server.tell("release");
    let reply = busy.reply();
    assert_eq!((reply.status, reply.text()), (200, "released".into()));
    assert_eq!(reply.header("Connection"), Some("close"));
    busy.expect_closed();
    drop(busy);
    assert_eq!(server.expect_word("STOPPED"), "true");
}
