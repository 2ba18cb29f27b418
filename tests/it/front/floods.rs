//! Clients that mean harm: meanwhile a normal one is served, and memory stays bounded.

use super::child::{Child, until};
use super::client::Client;
use herald::http::guard::limits::REQUESTS_PER_CONNECTION_MAX;
use std::io::Write;

#[test]
fn a_thousand_slow_headers_hold_nobody_up() {
    let server = Child::start("");
    let mut slow: Vec<Client> = (0..1000).map(|_| server.connect()).collect();
    for _ in 0..3 {
        for client in &mut slow {
            client.send("G");
        }
        server.serves_within(1);
    }
}

#[test]
fn five_stalled_bodies_hold_nobody_up() {
    let server = Child::start("handlers_max=1");
    let mut stalled: Vec<Client> = (0..5).map(|_| server.connect()).collect();
    for client in &mut stalled {
        client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\nhello");
    }
    for _ in 0..3 {
        server.serves_within(1);
    }
}

#[test]
fn a_thousand_idle_connections_leave_descriptors_under_a_limit_of_256() {
    let server = Child::start_with("", Some(256), "");
    let mut idle = Vec::new();
    for round in 0..4 {
        idle.extend((0..250).map(|_| server.connect()));
        server.serves_within(3);
        let open = server.open_descriptors();
        assert!(
            open <= 256 - 96,
            "round {round}: {open} descriptors are open"
        );
    }
}

#[test]
fn accepting_goes_on_when_descriptors_run_out_all_the_same() {
    // Without a reserve the cap is above what there is, so accept itself fails.
    let server = Child::start_with("descriptors_reserved=0", Some(256), "");
    let mut idle = Vec::new();
    for _ in 0..4 {
        idle.extend((0..250).map(|_| server.connect()));
        server.serves_within(3);
    }
}

#[test]
fn an_endless_header_gets_431_and_is_cut_off() {
    let server = Child::start("");
    let mut client = server.connect();
    client.send("GET /ok HTTP/1.1\r\nHost: x\r\nA: ");
    let mut sender = client.stream.try_clone().expect("a socket can be cloned");
    let sending = std::thread::spawn(move || {
        let piece = [b'x'; 64 * 1024];
        (0..800).all(|_| sender.write_all(&piece).is_ok())
    });
    assert_eq!(client.reply().status, 431);
    assert!(!sending.join().expect("no panic"), "all 50 MB were taken");
    server.serves_within(1);
}

#[test]
fn a_million_pipelined_requests_are_answered_in_order_up_to_the_limit_of_a_connection() {
    let server = Child::start("");
    let mut client = server.connect();
    let mut sender = client.stream.try_clone().expect("a socket can be cloned");
    let sending = std::thread::spawn(move || {
        (0..1_000_000).step_by(1000).all(|batch| {
            let request = |n| format!("GET /query?{n:07} HTTP/1.1\r\nHost: x\r\n\r\n");
            let text: String = (batch..batch + 1000).map(request).collect();
            sender.write_all(text.as_bytes()).is_ok()
        })
    });
    let first = client.reply();
    assert_eq!(first.text(), "0000000");
    // Every reply but the last is as long as the first.
    let length = first.head.len() + first.body.len();
    for n in 1..REQUESTS_PER_CONNECTION_MAX - 1 {
        let reply = client.read_body(length);
        assert_eq!(reply[length - 7..], *format!("{n:07}").as_bytes());
        if n % (REQUESTS_PER_CONNECTION_MAX / 4) == 0 {
            server.serves_within(1);
        }
    }
    let last = client.reply();
    assert_eq!(
        last.text(),
        format!("{:07}", REQUESTS_PER_CONNECTION_MAX - 1)
    );
    assert_eq!(last.header("Connection"), Some("close"));
    client.expect_closed();
    assert!(
        !sending.join().expect("no panic"),
        "the server took requests it did not answer"
    );
    server.serves_within(1);
}

#[test]
fn connections_that_come_and_go_leave_nothing_behind() {
    let server = Child::start("");
    assert_eq!(server.get("/ok").0, 200);
    for _ in 0..300 {
        let mut client = server.connect();
        client.send("GET /ok HTTP/1.1\r\nHost: x\r\n\r\nGET /");
        assert_eq!(client.reply().status, 200);
    }
    until("all are closed", || server.open_connections() == 0);
    server.serves_within(1);
}
