//! How each fault looks to a client, byte by byte.

use crate::support::app::until;
use crate::support::outside::{gateway, mail_server};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use herald::simulate::fault::HUGE_BYTES;
use herald::simulate::gateway::Gateway;
use herald::simulate::orders::{Order, Orders};
use herald::simulate::smtp::{MailServer, Options};
use herald::simulate::twilio::{ACCOUNT, TOKEN};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long a client waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn order(orders: &Orders, text: &str) {
    orders.add(vec![text.parse::<Order>().unwrap()]).unwrap();
}

pub(super) struct Client(TcpStream);

impl Client {
    pub(super) fn at(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    pub(super) fn say(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).unwrap();
    }

    /// As much as this, which must come.
    pub(super) fn hear(&mut self, text: &str) {
        let mut heard = vec![0; text.len()];
        self.0.read_exact(&mut heard).unwrap();
        assert_eq!(String::from_utf8_lossy(&heard), text);
    }

    /// All that comes, and whether a close (or else a reset) was the end.
    pub(super) fn end(&mut self) -> (String, bool) {
        let mut heard = Vec::new();
        let closed = match self.0.read_to_end(&mut heard) {
            Ok(_) => true,
            Err(why) if why.kind() == ErrorKind::ConnectionReset => false,
            Err(why) => panic!("{why} after {} bytes", heard.len()),
        };
        (String::from_utf8_lossy(&heard).into_owned(), closed)
    }

    /// Whether this comes, or nothing.
    pub(super) fn hears(&mut self, text: &str) -> bool {
        let mut heard = vec![0; text.len()];
        self.0.read_exact(&mut heard).is_ok() && heard == text.as_bytes()
    }

    /// Nothing for a moment, and no end.
    fn silence(&mut self) {
        self.0
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        let heard = self.0.read(&mut [0]);
        assert!(
            matches!(&heard, Err(why) if why.kind() == ErrorKind::WouldBlock),
            "{heard:?}"
        );
        self.0.set_read_timeout(Some(PATIENCE)).unwrap();
    }
}

/// The dialogue up to a stage, where the fault is to strike; the client has heard all that comes before.
pub(super) const DIALOGUE: [(&str, &str); 8] = [
    ("", "220 fake.example ESMTP\r\n"),
    (
        "EHLO me\r\n",
        "250-fake.example greets you\r\n250-8BITMIME\r\n250-PIPELINING\r\n250 SIZE 10485760\r\n",
    ),
    ("MAIL FROM:<a@example.com>\r\n", "250 2.1.0 Ok\r\n"),
    ("RCPT TO:<b@example.com>\r\n", "250 2.1.5 Ok\r\n"),
    ("DATA\r\n", "354 End with a dot\r\n"),
    (
        "Subject: x\r\n\r\n..dot\r\n.\r\n",
        "250 2.0.0 Ok: queued as 1\r\n",
    ),
    ("RSET\r\n", "250 2.0.0 Ok\r\n"),
    ("QUIT\r\n", "221 2.0.0 Bye\r\n"),
];

fn smtp(fault: &str, before: usize) -> (MailServer, Client) {
    let server = mail_server(Options::default());
    order(server.orders(), fault);
    let mut client = Client::at(server.address());
    for (said, heard) in &DIALOGUE[..before] {
        client.say(said);
        client.hear(heard);
    }
    client.say(DIALOGUE[before].0);
    (server, client)
}

#[test]
fn without_faults_a_mail_is_taken_whole() {
    let server = mail_server(Options::default());
    let mut client = Client::at(server.address());
    for (said, heard) in DIALOGUE {
        client.say(said);
        client.hear(heard);
    }
    assert_eq!(client.end(), (String::new(), true));
    let [mail] = server.received().try_into().unwrap();
    assert_eq!(mail.content, b"Subject: x\r\n\r\n.dot\r\n");
    assert_eq!(
        (mail.number, mail.from.as_str(), &mail.to[..]),
        (1, "a@example.com", &["b@example.com".to_owned()][..])
    );
}

#[test]
#[rustfmt::skip] // A table: one case a line.
fn each_fault_of_mail_ends_the_dialogue_in_its_way() {
    let garbage = String::from_utf8_lossy(b"\x00\x01\xfe\xffgarbage\x7f\r\n").into_owned();
    let garbage = garbage.as_str();
    // The fault, how many replies are heard before it, what is heard then, whether the end is a close, and mails taken.
    for (fault, before, heard, closed, kept) in [
        ("smtp.connect = close", 0, "", true, 0),
        ("smtp.connect = reset", 0, "", false, 0),
        ("smtp.connect = 421 Full", 0, "421 Full\r\n", true, 0),
        ("smtp.greeting = close", 0, "", true, 0),
        ("smtp.greeting = truncated", 0, "220 fake.exa", true, 0),
        ("smtp.greeting = torn", 0, "220 fake.exa", false, 0),
        ("smtp.greeting = torn 554 No", 0, "554 ", false, 0),
        ("smtp.ehlo = reset", 1, "", false, 0),
        ("smtp.mail = truncated 452 Full", 2, "452 F", true, 0),
        ("smtp.data = close", 4, "", true, 0),
        ("smtp.body = close", 4, "354 End with a dot\r\n", true, 0),
        ("smtp.dot = close", 5, "", true, 0),
        ("smtp.kept = close", 5, "", true, 1),
        ("smtp.kept = torn 451 No", 5, "451 ", false, 1),
        ("smtp.dot = truncated", 5, "250 2.0.0 Ok:", true, 1),
        ("smtp.after-dot = reset", 5, "250 2.0.0 Ok: queued as 1\r\n", false, 1),
        ("smtp.quit = close", 7, "", true, 1),
        ("smtp.quit = garbage", 7, garbage, true, 1),
        (r"smtp.quit = raw \x00\r\n", 7, "\0\r\n", true, 1),
    ] {
        let (server, mut client) = smtp(fault, before);
        assert_eq!(client.end(), (heard.to_owned(), closed), "{fault}");
        assert_eq!(server.received().len(), kept, "{fault}");
        assert_eq!(server.orders().standing()[0].struck, 1, "{fault}");
    }
}

#[test]
#[rustfmt::skip] // A table: one case a line.
fn after_another_reply_the_dialogue_goes_on_as_that_reply_says() {
    // The fault, how many replies are heard before it, and then what is said and heard.
    for (fault, before, then) in [
        ("smtp.mail next 1 = 450 No", 2, &[("", "450 No\r\n"), ("RCPT TO:<b@c>\r\n", "503 5.5.1 MAIL first\r\n"), DIALOGUE[2]][..]),
        ("smtp.rcpt next 1 = 550 No", 3, &[("", "550 No\r\n"), ("DATA\r\n", "503 5.5.1 RCPT first\r\n"), DIALOGUE[3], DIALOGUE[4]]),
        ("smtp.rcpt next 1 = 251 Will forward", 3, &[("", "251 Will forward\r\n"), DIALOGUE[4]]),
        ("smtp.data next 1 = 451 No", 4, &[("", "451 No\r\n"), ("NOOP\r\n", "500 5.5.1 Unknown command\r\n")]),
        ("smtp.data next 1 = 354 Speak", 4, &[("", "354 Speak\r\n"), DIALOGUE[5]]),
        ("smtp.dot next 1 = 554 No", 5, &[("", "554 No\r\n"), ("DATA\r\n", "503 5.5.1 RCPT first\r\n"), DIALOGUE[2]]),
        ("smtp.dot next 1 = 250 Mine", 5, &[("", "250 Mine\r\n"), DIALOGUE[6]]),
        ("smtp.body next 1 = 421 Late", 4, &[("", "354 End with a dot\r\n421 Late\r\n"), DIALOGUE[5]]),
        ("smtp.rset = garbage", 6, &[("", "\0\u{1}")]),
        ("smtp.greeting = late 1ms", 0, &DIALOGUE[..1]),
        ("smtp.greeting = slow 1000/s", 0, &DIALOGUE[..1]),
    ] {
        let (_server, mut client) = smtp(fault, before);
        for (said, heard) in then {
            client.say(said);
            client.hear(heard);
        }
    }
}

#[test]
fn a_huge_reply_is_whole_lines_of_one_reply() {
    let (server, mut client) = smtp("smtp.dot = huge", 5);
    let mut lines = 0;
    let line = format!("250-{}\r\n", "x".repeat(72));
    while lines * line.len() < HUGE_BYTES {
        client.hear(&line);
        lines += 1;
    }
    client.hear(DIALOGUE[5].1);
    assert_eq!(server.received().len(), 1);
}

#[test]
fn a_flood_ends_only_with_the_client() {
    let (_server, mut client) = smtp("smtp.ehlo = flood 250-\\r\\n", 1);
    for _ in 0..10_000 {
        client.hear("250-\r\n");
    }
}

#[test]
fn silence_lasts_and_a_hold_ends_when_the_faults_are_lifted() {
    let (server, mut silent) = smtp("smtp.rcpt next 1 = silence", 3);
    silent.silence();
    order(server.orders(), "smtp.greeting = hold");
    let mut held = Client::at(server.address());
    held.silence();
    server.orders().lift();
    held.hear(DIALOGUE[0].1);
    silent.silence();
}

#[test]
fn a_port_that_refuses_is_closed_until_that_is_lifted_or_over() {
    let server = mail_server(Options::default());
    let reaches = || TcpStream::connect(server.address()).is_ok();
    for fault in ["smtp.connect = refuse", "smtp.connect for 200ms = refuse"] {
        let mut open = Client::at(server.address());
        open.hear(DIALOGUE[0].1);
        order(server.orders(), fault);
        assert_eq!(open.end(), (String::new(), true), "what was open ends");
        if !fault.contains("for") {
            assert!(!reaches());
            server.orders().lift();
        }
        until("the port is open again", reaches);
    }
}

/// A message for the Twilio look-alike.
fn sms() -> String {
    let form = "To=%2B4712345678&From=Shop&Body=Hello";
    let proof = STANDARD.encode(format!("{ACCOUNT}:{TOKEN}"));
    format!(
        "POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {proof}\r\n\
         Content-Length: {}\r\n\r\n{form}",
        form.len()
    )
}

fn http(fault: &str) -> (Gateway, Client) {
    let gateway = gateway();
    order(gateway.orders(), fault);
    let mut client = Client::at(gateway.address());
    if !fault.starts_with("http.connect") {
        client.say(&sms());
    }
    (gateway, client)
}

fn head(status: u16, length: usize, headers: &str) -> String {
    format!("HTTP/1.1 {status} Simulated\r\nContent-Length: {length}\r\n{headers}\r\n")
}

#[test]
#[rustfmt::skip] // A table: one case a line.
fn each_fault_of_a_gateway_is_answered_in_its_way() {
    // The fault, what is heard, what ends the connection (a close, a reset or nothing), and messages taken.
    for (fault, heard, end, kept) in [
        ("http.connect next 1 = close", String::new(), Some(true), 0),
        ("http.connect next 1 = reset", String::new(), Some(false), 0),
        ("http.connect next 1 = 503 Full", head(503, 4, "") + "Full", Some(true), 0),
        ("http = close", String::new(), Some(true), 0),
        ("http.twilio = reset", String::new(), Some(false), 0),
        ("http.twilio = 503", head(503, 0, ""), None, 0),
        ("http = 429 Retry-After: 7 | Busy", head(429, 4, "Retry-After: 7\r\n") + "Busy", None, 0),
        ("http.twilio = truncated 500 abcd", head(500, 100, "") + "ab", Some(true), 0),
        ("http.twilio = torn 500", head(500, 100, ""), Some(false), 0),
        ("http.twilio = huge 502 oops", head(502, HUGE_BYTES + 4, "") + &"x".repeat(HUGE_BYTES) + "oops", None, 0),
        ("http.twilio = slow 1000/s 500 abcd", head(500, 4, "") + "abcd", None, 0),
        ("http = garbage", String::from_utf8_lossy(b"\x00\x01\xfe\xffgarbage\x7f\r\n").into_owned(), Some(true), 0),
        ("http.twilio.kept = 503 Lost", head(503, 4, "") + "Lost", None, 1),
        ("http.kept = reset", String::new(), Some(false), 1),
        ("http.kept = close", String::new(), Some(true), 1),
    ] {
        let (gateway, mut client) = http(fault);
        match end {
            None => client.hear(&heard),
            Some(closed) => assert_eq!(client.end(), (heard, closed), "{fault}"),
        }
        assert_eq!(gateway.messages().len(), kept, "{fault}");
    }
}

#[test]
fn the_usual_answer_is_given_when_the_fault_has_struck_and_the_next_connection_strikes_the_next() {
    let (gateway, mut client) = http("http.twilio next 1 = 500");
    client.hear(&head(500, 0, ""));
    client.say(&sms());
    client.hear("HTTP/1.1 201 ");
    assert_eq!(gateway.messages().len(), 1);
    assert_eq!(gateway.orders().standing(), []);
}

#[test]
fn slow_bytes_take_their_time() {
    let (_server, mut client) = smtp("smtp.greeting = slow 100/s", 0);
    let began = Instant::now();
    client.hear(DIALOGUE[0].1);
    // 24 bytes with a pause of 10 ms after each but the last: a machine can be slower than that, never faster.
    assert!(began.elapsed() >= Duration::from_millis(230));
}

#[test]
fn chance_strikes_as_the_seed_says() {
    let strikes = |seed| {
        let gateway = Gateway::start(
            SocketAddr::from(([127, 0, 0, 1], 0)),
            Orders::seeded(seed).into(),
            std::sync::Arc::default(),
        )
        .unwrap();
        order(gateway.orders(), "http 30% = 503");
        let mut client = Client::at(gateway.address());
        let strike = |_| {
            client.say("GET / HTTP/1.1\r\n\r\n");
            let mut answer = String::new();
            while !answer.ends_with("\r\n\r\n") {
                let mut byte = [0];
                client.0.read_exact(&mut byte).unwrap();
                answer.push(char::from(byte[0]));
            }
            let is_struck = answer.starts_with("HTTP/1.1 503");
            if !is_struck {
                let length = answer.split("Content-Length: ").nth(1).unwrap();
                let length = length.split("\r\n").next().unwrap().parse().unwrap();
                client.0.read_exact(&mut vec![0; length]).unwrap();
            }
            is_struck
        };
        (0..200).map(strike).collect::<Vec<_>>()
    };
    let first = strikes(1);
    assert_eq!(strikes(1), first);
    assert_ne!(strikes(2), first);
    let count = first.iter().filter(|struck| **struck).count();
    assert!((40..80).contains(&count), "{count} of 200 are about 30%");
}
