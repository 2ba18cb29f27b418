//! Both sides of each limit.

use super::child::{Child, until};
use std::io::Write;

const MIB: usize = 1024 * 1024;

fn post(length: usize) -> Vec<u8> {
    let mut request =
        format!("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n").into_bytes();
    request.resize(request.len() + length, b'x');
    request
}

#[test]
fn a_body_may_have_1_mib_and_no_byte_more() {
    let server = Child::start("");
    let mut client = server.connect();
    client.send(post(MIB));
    let reply = client.reply();
    assert_eq!((reply.status, reply.body.len()), (200, MIB));
    client.send(&post(MIB + 1)[..200]);
    assert_eq!(client.reply().status, 413);
    client.expect_closed();
}

#[test]
fn a_chunked_body_may_have_1_mib_and_no_byte_more() {
    let server = Child::start("");
    let mut client = server.connect();
    let head = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000)).repeat(16);
    client.send(format!("{head}{chunk}0\r\n\r\n"));
    let reply = client.reply();
    assert_eq!((reply.status, reply.body.len()), (200, MIB));
    client.send(format!("{head}{chunk}1\r\n"));
    assert_eq!(client.reply().status, 413);
    client.expect_closed();
}

#[test]
fn an_announced_petabyte_costs_nothing() {
    let server = Child::start("");
    let mut client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000000\r\n\r\n");
    assert_eq!(client.reply().status, 413);
    client.expect_closed();
    server.serves_within(1);
}

#[test]
fn a_head_may_have_16_kib_and_no_byte_more() {
    let server = Child::start("");
    let frame = "GET /ok HTTP/1.1\r\nHost: x\r\nA: \r\n\r\n".len();
    for (length, status) in [(16 * 1024, 200), (16 * 1024 + 1, 431), (100_000, 431)] {
        let mut client = server.connect();
        let filler = "x".repeat(length - frame);
        client.send(format!(
            "GET /ok HTTP/1.1\r\nHost: x\r\nA: {filler}\r\n\r\n"
        ));
        assert_eq!(client.reply().status, status, "{length}");
    }
    let mut client = server.connect();
    client.send(format!("GET /{}", "x".repeat(17_000)));
    assert_eq!(client.reply().status, 414);
}

#[test]
fn a_head_may_have_64_headers_and_no_more() {
    let server = Child::start("");
    for (count, status) in [(64, 200), (65, 431)] {
        let mut client = server.connect();
        let others = "A: b\r\n".repeat(count - 1);
        client.send(format!("GET /ok HTTP/1.1\r\nHost: x\r\n{others}\r\n"));
        assert_eq!(client.reply().status, status, "{count}");
    }
}

#[test]
fn a_head_that_takes_too_long_gets_408_and_silence_is_closed_silently() {
    let server = Child::start("head_timeout_millis=100 keep_alive_millis=100");
    let mut client = server.connect();
    client.send("GET /ok HT");
    assert_eq!(client.reply().status, 408);
    client.expect_closed();
    server.connect().expect_closed();
    let mut reused = server.connect();
    assert_eq!(reused.get("/ok").status, 200);
    reused.expect_closed();
}

#[test]
fn a_stalled_body_gets_408() {
    let server = Child::start("body_grace_millis=100");
    for head in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
        let mut client = server.connect();
        client.send(format!(
            "POST /echo HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n5\r\n"
        ));
        assert_eq!(client.reply().status, 408);
        client.expect_closed();
    }
}

#[test]
fn bodies_share_a_budget_that_comes_back() {
    let server = Child::start("bodies_bytes_max=100000");
    let mut first = server.connect();
    first.send(&post(90_000)[..80_000]);
    until("the first body fills the budget", || {
        let mut second = server.connect();
        // The refusal may come while this is still being sent.
        second.stream.write_all(&post(50_000)).ok();
        let reply = second.reply();
        assert!(
            reply.status == 200 || reply.header("Retry-After") == Some("1"),
            "{reply:?}"
        );
        reply.status == 503
    });
    first.send(&[b'x'; 90_000][..post(90_000).len() - 80_000]);
    assert_eq!(first.reply().status, 200);
    for _ in 0..3 {
        first.send(post(90_000));
        assert_eq!(first.reply().status, 200);
    }
}

#[test]
fn the_longest_waiting_connection_gives_way_to_a_newcomer() {
    for cap in ["connections_max=4", "connections_per_address_max=4"] {
        let server = Child::start(cap);
        let mut clients: Vec<_> = (0..4).map(|_| server.connect()).collect();
        for client in &mut clients {
            assert_eq!(client.get("/ok").status, 200);
            // Ranks are kept in milliseconds; two replies in one would be a tie.
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        assert_eq!(clients[0].get("/ok").status, 200);
        let mut newcomer = server.connect();
        assert_eq!(newcomer.get("/ok").status, 200);
        clients[1].expect_closed();
        for at in [0, 2, 3] {
            assert_eq!(clients[at].get("/ok").status, 200, "{at} waited less");
        }
    }
}

#[test]
fn a_newcomer_is_turned_away_when_all_connections_are_in_handlers() {
    let mut server = Child::start("connections_max=2");
    let mut busy: Vec<_> = (0..2).map(|_| server.connect()).collect();
    for client in &mut busy {
        client.send("GET /block HTTP/1.1\r\nHost: x\r\n\r\n");
        server.expect_word("BLOCKED");
    }
    let reply = server.connect().reply();
    assert_eq!(
        (reply.status, reply.header("Retry-After")),
        (503, Some("1"))
    );
    server.tell("release");
    for client in &mut busy {
        assert_eq!(client.reply().status, 200);
    }
}

#[test]
fn a_full_queue_answers_503_at_once() {
    let mut server = Child::start("handlers_max=1 queue_max=1");
    let mut busy = server.connect();
    busy.send("GET /block HTTP/1.1\r\nHost: x\r\n\r\n");
    server.expect_word("BLOCKED");
    let (results, arrivals) = std::sync::mpsc::channel();
    for _ in 0..3 {
        let (results, mut client) = (results.clone(), server.connect());
        std::thread::spawn(move || results.send(client.get("/ok")).ok());
    }
    for _ in 0..2 {
        let reply = arrivals
            .recv()
            .expect("two are refused while the handler is busy");
        assert_eq!(
            (reply.status, reply.header("Retry-After")),
            (503, Some("1"))
        );
    }
    server.tell("release");
    assert_eq!(busy.reply().text(), "released");
    assert_eq!(arrivals.recv().expect("the third had queued").status, 200);
    server.serves_within(1);
}
