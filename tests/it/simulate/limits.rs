//! What a simulator that runs for days may cost: each limit, on both sides.

use super::wire::{Client, DIALOGUE, order};
use crate::support::app::until;
use crate::support::outside::{gateway, mail_server};
use herald::simulate::http::{BODY_BYTES_MAX, HEAD_BYTES_MAX, HEADERS_MAX};
use herald::simulate::orders::{ORDERS_MAX, Order};
use herald::simulate::smtp::{
    COMMAND_BYTES_MAX, MAIL_BYTES_MAX, MailServer, Options, RECIPIENTS_MAX,
};

/// A client that has said and heard so much of a dialogue.
fn after(server: &MailServer, count: usize) -> Client {
    let mut client = Client::at(server.address());
    for (said, heard) in &DIALOGUE[..count] {
        client.say(said);
        client.hear(heard);
    }
    client
}

#[test]
fn a_mail_has_so_many_bytes_and_not_one_more() {
    let server = mail_server(Options::default());
    let line = format!("{}\r\n", "x".repeat(1022));
    let mut client = after(&server, 5);
    client.say(&line.repeat(MAIL_BYTES_MAX / line.len()));
    client.say(".\r\n");
    client.hear("250 2.0.0 Ok: queued as 1\r\n");
    for (said, heard) in &DIALOGUE[2..5] {
        client.say(said);
        client.hear(heard);
    }
    client.say(&line.repeat(MAIL_BYTES_MAX / line.len()));
    client.say("\r\n.\r\n");
    client.hear("552 5.3.4 The mail is too large\r\n");
    client.say("DATA\r\n");
    client.hear("503 5.5.1 RCPT first\r\n");
    let sizes: Vec<_> = server.received().iter().map(|m| m.content.len()).collect();
    assert_eq!(sizes, [MAIL_BYTES_MAX]);
}

#[test]
fn a_command_has_so_many_bytes_and_a_mail_so_many_recipients() {
    let server = mail_server(Options::default());
    let mut client = after(&server, 3);
    for _ in 0..RECIPIENTS_MAX {
        client.say(DIALOGUE[3].0);
        client.hear(DIALOGUE[3].1);
    }
    client.say(DIALOGUE[3].0);
    client.hear("452 4.5.3 Too many recipients\r\n");
    let command = |length: usize| format!("{}\r\n", "X".repeat(length - 2));
    client.say(&command(COMMAND_BYTES_MAX));
    client.hear("500 5.5.1 Unknown command\r\n");
    client.say(&"X".repeat(COMMAND_BYTES_MAX));
    assert_eq!(client.end(), (String::new(), true));
}

#[test]
fn a_request_has_so_many_bytes_and_headers() {
    let gateway = gateway();
    let answer = |request: &str| {
        let mut client = Client::at(gateway.address());
        client.say(request);
        let mut heard = String::new();
        if !request.is_empty() {
            client.hear("HTTP/1.1 ");
            heard = client.end().0;
        }
        heard
    };
    let headers = |count: usize| "A: 1\r\n".repeat(count);
    let head = |bytes: usize| {
        let rest = bytes - "POST /a HTTP/1.1\r\nA: \r\n\r\n".len();
        format!("POST /a HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(rest))
    };
    let body = |bytes: usize| format!("POST /a HTTP/1.1\r\nContent-Length: {bytes}\r\n\r\n");
    let fits = |request: &str| {
        let mut client = Client::at(gateway.address());
        client.say(request);
        client.hear("HTTP/1.1 404 ");
    };
    fits(&format!("GET /a HTTP/1.1\r\n{}\r\n", headers(HEADERS_MAX)));
    fits(&head(HEAD_BYTES_MAX));
    fits(&(body(BODY_BYTES_MAX) + &"x".repeat(BODY_BYTES_MAX)));
    for (request, sentence) in [
        (
            format!("GET /a HTTP/1.1\r\n{}\r\n", headers(HEADERS_MAX + 1)),
            "too many headers",
        ),
        (
            head(HEAD_BYTES_MAX + 1),
            "the head of the request is too long",
        ),
        (body(BODY_BYTES_MAX + 1), "a body has at most 1048576 bytes"),
        (
            "GET /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".into(),
            "send the body with a Content-Length",
        ),
        (
            "nonsense\r\n\r\n".into(),
            "the head of the request is not HTTP/1.1",
        ),
    ] {
        let heard = answer(&request);
        assert!(
            heard.starts_with("400 ") && heard.contains(sentence),
            "{heard}"
        );
    }
}

#[test]
fn so_many_faults_stand_at_once_and_an_order_of_more_is_refused_whole() {
    let server = mail_server(Options::default());
    let some = |count| vec!["smtp.rcpt = 451".parse::<Order>().unwrap(); count];
    server.orders().add(some(ORDERS_MAX - 1)).unwrap();
    let refused = server.orders().add(some(2));
    let sentence = "More than 1000 faults would stand at once; lift those that you have seen.";
    assert_eq!(refused, Err(sentence.to_owned()));
    assert_eq!(server.orders().standing().len(), ORDERS_MAX - 1);
    server.orders().add(some(1)).unwrap();
    assert_eq!(server.orders().standing().len(), ORDERS_MAX);
}

#[test]
fn so_many_connections_are_served_at_once() {
    let server = mail_server(Options::default());
    order(server.orders(), "smtp.mail = 451");
    let mut clients: Vec<_> = (0..herald::simulate::CONNECTIONS_MAX)
        .map(|_| after(&server, 1))
        .collect();
    assert_eq!(Client::at(server.address()).end(), (String::new(), true));
    clients.pop();
    until("there is room for one more", || {
        let mut client = Client::at(server.address());
        client.hears(DIALOGUE[0].1)
    });
}
