//! What is one request and what is none: a table of attacks, and the forms that are allowed.

use super::child::Child;

/// Follows each attack: must never be handled.
const SMUGGLED: &str = "GET /ok HTTP/1.1\r\nHost: x\r\n\r\n";

#[rustfmt::skip] // A table: one attack a line.
const ATTACKS: &[(&str, u16)] = &[
    ("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\nhello", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\nhello", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5 5\r\n\r\nhello", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\nhello", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\nhello", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\nhello", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\nhello", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked,\r\n\r\n0\r\n\r\n", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 501),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
    ("POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n", 400),
    ("GET /ok HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400),
    ("GET /ok HTTP/1.1\r\n Host: x\r\n\r\n", 400),
    ("GET /ok HTTP/1.1\nHost: x\n\n", 400),
    ("GET /ok HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400),
    ("GET /ok HTTP/1.1\r\nHost: x\r\nA: b\rC: d\r\n\r\n", 400),
    ("GET /ok HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", 400),
    ("GET /ok HTTP/1.1\r\nHost: x\r\nA: b\x01c\r\n\r\n", 400),
    ("GET /ok HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", 400),
    ("GET /ok HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n", 400),
    ("GET /ok HTTP/1.1\r\nHost: x\r\nA\r\n\r\n", 400),
    ("GET /ok HTTP/1.1\r\n\r\n", 400),
    ("GET /ok HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400),
    ("GET /ok HTTP/1.1\r\nHost: x/y\r\n\r\n", 400),
    ("GET /ok HTTP/1.1\r\nHost: x y\r\n\r\n", 400),
    ("GET http://u@x/ok HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("GET http:///ok HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("GET ok HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("GET /ok#part HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("GET /ök HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("GET  /ok HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("GET /ok  HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("GET\t/ok HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (" GET /ok HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("G(T /ok HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("GET /ok\r\n\r\n", 400),
    ("GET /ok HTTP/1.1x\r\nHost: x\r\n\r\n", 400),
    ("GET /ok http/1.1\r\nHost: x\r\n\r\n", 400),
    ("\r\n\r\nGET /ok HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("GET /ok HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    ("GET /ok HTTP/1.2\r\nHost: x\r\n\r\n", 505),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("\x16\x03\x01\x02\0\x01\0\x01\x0a\r\n", 400),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\nContent-Length: 5\r\n\r\nhello", 417),
];

#[test]
fn an_ambiguous_request_is_refused_and_nothing_after_it_is_handled() {
    let server = Child::start("");
    for (attack, status) in ATTACKS {
        let mut client = server.connect();
        client.send(format!("{attack}{SMUGGLED}"));
        let reply = client.reply();
        assert_eq!(reply.status, *status, "{attack:?}");
        assert_eq!(reply.header("Connection"), Some("close"), "{attack:?}");
        client.expect_closed();
    }
    assert_eq!(server.get("/count"), (200, "0".into()));
    server.serves_within(1);
}

#[test]
fn bytes_of_a_head_may_come_one_by_one() {
    let server = Child::start("");
    let mut client = server.connect();
    for byte in b"\r\nPOST http://x/echo?q HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: CHUNKED\r\n\r\n5;a=b\r\nhello\r\n0\r\nA: b\r\n\r\n" {
        client.send([*byte]);
    }
    assert_eq!(client.reply().text(), "hello");
    assert_eq!(client.get("/ok").status, 200);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Child::start("");
    let mut client = server.connect();
    let mut all = String::new();
    for n in 0..50 {
        let body = n.to_string();
        let length = body.len();
        all += &format!("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}");
        all += &format!(
            "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"
        );
    }
    client.send(all);
    for n in 0..50 {
        assert_eq!(client.reply().text(), n.to_string());
        assert_eq!(client.reply().text(), n.to_string());
    }
}

#[test]
fn head_is_answered_without_a_body_and_the_connection_stays() {
    let server = Child::start("");
    let mut client = server.connect();
    client.send("HEAD /ok HTTP/1.1\r\nHost: x\r\n\r\n");
    let reply = client.head();
    assert_eq!(
        (reply.status, reply.header("Content-Length")),
        (200, Some("2"))
    );
    assert_eq!(client.get("/ok").text(), "ok");
    client.send("HEAD /panic HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.head().status, 500);
    assert_eq!(client.get("/ok").text(), "ok");
}

#[test]
fn a_connection_closes_when_the_client_says_so_or_speaks_1_0() {
    let server = Child::start("");
    for head in [
        "GET /ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET /ok HTTP/1.0\r\n\r\n",
        "GET /ok HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    ] {
        let mut client = server.connect();
        client.send(format!("{head}{SMUGGLED}"));
        let reply = client.reply();
        assert_eq!(
            (reply.status, reply.header("Connection")),
            (200, Some("close"))
        );
        client.expect_closed();
    }
}

#[test]
fn a_client_that_expects_100_is_told_to_go_on() {
    let server = Child::start("");
    let head = |length: usize| {
        format!(
            "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let mut client = server.connect();
    for _ in 0..2 {
        client.send(head(5));
        assert_eq!(client.head().status, 100);
        client.send("hello");
        assert_eq!(client.reply().text(), "hello");
    }
    client.send(head(5) + "at 1!");
    assert_eq!(
        client.reply().text(),
        "at 1!",
        "a body that is there already needs no 100"
    );
    client.send(head(2 << 20));
    assert_eq!(client.reply().status, 413);
    client.expect_closed();
}
