//! Envelopes in one packet, against a server that follows a script byte by byte. (RFC 2920)

use super::{mail, timeouts};
use herald::channel::email::SmtpProvider;
use herald::channel::url::ProviderUrl;
use herald::channel::{Class, Failure, Provider as _, Receipt, Session};
use herald::domain::format::Channel;
use herald::domain::message::Outgoing;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{JoinHandle, spawn};

const HELLO: &str = "EHLO example.com\r\n";
const OFFER: &str = "250-here\r\n250 PIPELINING\r\n";
const ENVELOPE: &str = "MAIL FROM:<app@example.com>\r\nRCPT TO:<bo@example.net>\r\nDATA\r\n";
const AGAIN: &str = "RSET\r\nMAIL FROM:<app@example.com>\r\nRCPT TO:<bo@example.net>\r\nDATA\r\n";

/// A step: what must come, whole and in one packet where it is short, then what is answered, a packet each.
type Step = (&'static str, &'static [&'static str]);

/// Whatever ends with a final dot.
const A_MAIL: &str = "\r\n.\r\n";

/// Whatever ends with a final dot and the next envelope behind it.
const A_MAIL_AND_CARL: &str =
    "\r\n.\r\nMAIL FROM:<app@example.com>\r\nRCPT TO:<carl@example.net>\r\nDATA\r\n";

/// Plays one script a connection, in their order.
fn scripted(connections: &'static [&'static [Step]]) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let played = spawn(move || {
        for script in connections {
            let (mut socket, _) = listener.accept().unwrap();
            socket.set_nodelay(true).unwrap();
            socket.write_all(b"220 here\r\n").unwrap();
            for (wished, replies) in *script {
                hear(&mut socket, wished);
                for reply in *replies {
                    socket.write_all(reply.as_bytes()).unwrap();
                }
            }
            assert_eq!(socket.read(&mut [0; 64]).unwrap(), 0, "nothing more comes");
        }
    });
    (port, played)
}

fn hear(socket: &mut TcpStream, wished: &str) {
    let mut buffer = [0; 4096];
    let mut heard = String::new();
    loop {
        let length = socket.read(&mut buffer).unwrap();
        assert_ne!(length, 0, "gone after {heard:?}, before {wished:?}");
        heard.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
        match wished {
            A_MAIL | A_MAIL_AND_CARL if !heard.ends_with(wished) => {}
            A_MAIL | A_MAIL_AND_CARL => return,
            _ => return assert_eq!(heard, wished, "in one packet"),
        }
    }
}

/// Sends so many mails over a session, each without knowing of the next.
fn send(port: u16, mails: usize) -> Vec<Result<Receipt, Failure>> {
    let mut session = session(port);
    (0..mails).map(|_| session.send(&mail())).collect()
}

/// Sends these mails over a session, each with the one that is said to be next.
fn send_before(port: u16, mails: &[(Outgoing, Option<Outgoing>)]) -> Vec<Result<Receipt, Failure>> {
    let mut session = session(port);
    let sent = mails
        .iter()
        .map(|(mail, next)| session.send_before(mail, next.as_ref()));
    let sent = sent.collect();
    session.rest();
    sent
}

fn session(port: u16) -> Box<dyn Session> {
    let url = format!("smtp://127.0.0.1:{port}?tls=none");
    let ProviderUrl::Smtp(config) = ProviderUrl::parse(Channel::Email, &url).unwrap() else {
        panic!("{url} is no mail server");
    };
    let provider = SmtpProvider::new(config, timeouts()).unwrap();
    provider.session()
}

fn to_carl() -> Outgoing {
    Outgoing {
        recipient: "carl@example.net".into(),
        ..mail()
    }
}

fn taken() -> Result<Receipt, Failure> {
    Ok(Receipt {
        provider_id: None,
        code: Some(250),
        answer: "250 taken".into(),
    })
}

fn refused() -> Result<Receipt, Failure> {
    Err(Failure {
        class: Class::Permanent,
        code: Some(550),
        answer: "550 nobody".into(),
        retry_after: None,
    })
}

#[test]
fn an_envelope_is_one_packet_and_its_replies_may_come_in_any_pieces() {
    let (port, played) = scripted(&[&[
        (HELLO, &[OFFER]),
        (
            ENVELOPE,
            &["250 ok\r\n250-o", "ne\r\n250 two\r\n3", "54 go on\r\n"],
        ),
        (A_MAIL, &["250 taken\r\n"]),
        (AGAIN, &["250 ok\r\n250 ok\r\n250 ok\r\n354\r\n"]),
        (A_MAIL, &["2", "5", "0 taken\r\n"]),
    ]]);
    assert_eq!(send(port, 2), [taken(), taken()]);
    played.join().unwrap();
}

#[test]
fn a_server_that_does_not_offer_it_gets_each_command_alone() {
    let (port, played) = scripted(&[&[
        (HELLO, &["250 here\r\n"]),
        ("MAIL FROM:<app@example.com>\r\n", &["250 ok\r\n"]),
        ("RCPT TO:<bo@example.net>\r\n", &["250 ok\r\n"]),
        ("DATA\r\n", &["354 go on\r\n"]),
        (A_MAIL, &["250 taken\r\n"]),
    ]]);
    assert_eq!(send(port, 1), [taken()]);
    played.join().unwrap();
}

#[test]
fn after_a_refused_recipient_the_other_replies_are_heard_and_the_connection_goes_on() {
    let (port, played) = scripted(&[&[
        (HELLO, &[OFFER]),
        (
            ENVELOPE,
            &["250 ok\r\n", "550 nobody\r\n", "503 no recipients\r\n"],
        ),
        (AGAIN, &["250 ok\r\n250 ok\r\n250 ok\r\n354 go on\r\n"]),
        (A_MAIL, &["250 taken\r\n"]),
    ]]);
    assert_eq!(send(port, 2), [refused(), taken()]);
    played.join().unwrap();
}

#[test]
fn a_server_that_wants_a_mail_for_nobody_is_left() {
    let (port, played) = scripted(&[
        &[
            (HELLO, &[OFFER]),
            (ENVELOPE, &["250 ok\r\n550 nobody\r\n354 go on\r\n"]),
        ],
        &[
            (HELLO, &[OFFER]),
            (ENVELOPE, &["250 ok\r\n250 ok\r\n354 go on\r\n"]),
            (A_MAIL, &["250 taken\r\n"]),
        ],
    ]);
    assert_eq!(send(port, 2), [refused(), taken()]);
    played.join().unwrap();
}

#[test]
fn a_reply_that_nobody_asked_for_answers_nothing() {
    let (port, played) = scripted(&[&[
        (HELLO, &[OFFER]),
        (ENVELOPE, &["250 ok\r\n250 ok\r\n354 go on\r\n"]),
        (A_MAIL, &["250 taken\r\n421 nobody asked\r\n"]),
        (
            AGAIN,
            &["250 ok\r\n250 ok\r\n550 nobody\r\n503 no recipients\r\n"],
        ),
    ]]);
    assert_eq!(send(port, 2), [taken(), refused()]);
    played.join().unwrap();
}

#[test]
fn the_next_envelope_goes_out_behind_a_mail_and_each_reply_is_for_its_own() {
    let (port, played) = scripted(&[&[
        (HELLO, &[OFFER]),
        (ENVELOPE, &["250 ok\r\n250 ok\r\n354 go on\r\n"]),
        (
            A_MAIL_AND_CARL,
            &["550 nobody\r\n250 ok\r\n250 o", "k\r\n354 go on\r\n"],
        ),
        (A_MAIL, &["250 taken\r\n"]),
        ("QUIT\r\n", &["221 bye\r\n"]),
    ]]);
    let mails = [(mail(), Some(to_carl())), (to_carl(), None)];
    assert_eq!(send_before(port, &mails), [refused(), taken()]);
    played.join().unwrap();
}

#[test]
fn an_envelope_that_was_early_may_be_refused_and_the_connection_goes_on() {
    let (port, played) = scripted(&[&[
        (HELLO, &[OFFER]),
        (ENVELOPE, &["250 ok\r\n250 ok\r\n354 go on\r\n"]),
        (
            A_MAIL_AND_CARL,
            &[
                "250 taken\r\n",
                "250 ok\r\n550 nobody\r\n503 no recipients\r\n",
            ],
        ),
        (AGAIN, &["250 ok\r\n250 ok\r\n250 ok\r\n354 go on\r\n"]),
        (A_MAIL, &["250 taken\r\n"]),
        ("QUIT\r\n", &["221 bye\r\n"]),
    ]]);
    let mails = [(mail(), Some(to_carl())), (to_carl(), None), (mail(), None)];
    assert_eq!(send_before(port, &mails), [taken(), refused(), taken()]);
    played.join().unwrap();
}

#[test]
fn a_mail_that_was_begun_and_is_not_sent_after_all_ends_the_connection_without_its_dot() {
    let (port, played) = scripted(&[
        &[
            (HELLO, &[OFFER]),
            (ENVELOPE, &["250 ok\r\n250 ok\r\n354 go on\r\n"]),
            (
                A_MAIL_AND_CARL,
                &["250 taken\r\n250 ok\r\n250 ok\r\n354 go on\r\n"],
            ),
        ],
        &[
            (HELLO, &[OFFER]),
            (ENVELOPE, &["250 ok\r\n250 ok\r\n354 go on\r\n"]),
            (
                A_MAIL_AND_CARL,
                &["250 taken\r\n250 ok\r\n250 ok\r\n354 go on\r\n"],
            ),
        ],
    ]);
    let mails = [(mail(), Some(to_carl())), (mail(), Some(to_carl()))];
    assert_eq!(send_before(port, &mails), [taken(), taken()]);
    played.join().unwrap();
}
