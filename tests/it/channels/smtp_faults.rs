//! What no fault at one stage shows: a mail lost in its middle, an attempt without an end, a server that is not there.
//! What each reply at each stage means is in `outbox::matrix`.

use super::{mail, smtp_provider, timeouts};
use crate::support::outside::{SmtpFaults as _, mail_server};
use herald::channel::{Class, Provider as _, Timeouts};
use herald::simulate::fault::{Fault, Stage};
use herald::simulate::smtp::Options;
use std::net::TcpListener;
use std::time::Duration;

/// A lost connection between 354 and the dot is safe, but a small body is gone before the loss is seen.
#[test]
fn a_connection_lost_in_the_body_is_never_called_sent() {
    for fault in [Fault::Close, Fault::Reset] {
        let server = mail_server(Options::default());
        server.fault(Stage::Body, fault);
        let mut message = mail();
        message.body = "a line of the body\n".repeat(1_000_000);
        let failure = smtp_provider(&server, "smtp://HOST", timeouts())
            .session()
            .send(&message)
            .unwrap_err();
        assert_eq!(failure.class, Class::Provider, "{}", failure.answer);
    }
}

#[test]
fn the_whole_attempt_has_an_end_though_each_step_is_quick_enough() {
    let server = mail_server(Options::default());
    server.fault(Stage::Rcpt, Fault::Silence);
    let attempt = Duration::from_millis(300);
    let provider = smtp_provider(
        &server,
        "smtp://HOST",
        Timeouts {
            attempt,
            ..timeouts()
        },
    );
    let began = std::time::Instant::now();
    let failure = provider.session().send(&mail()).unwrap_err();
    assert!(began.elapsed() < timeouts().smtp_command / 2);
    assert_eq!(failure.class, Class::Provider);
    assert_eq!(failure.answer, "No answer in time while sending RCPT.");
}

#[test]
fn a_server_that_is_not_there_is_a_fault_of_the_provider() {
    let server = mail_server(Options::default());
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    for (host, start) in [
        (
            format!("127.0.0.1:{port}"),
            format!("127.0.0.1:{port} cannot be reached: Connection refused"),
        ),
        (
            "no.such.host.invalid".into(),
            "no.such.host.invalid:587 cannot be reached:".into(),
        ),
    ] {
        let provider = smtp_provider(&server, &format!("smtp://{host}?tls=none"), timeouts());
        let failure = provider.session().send(&mail()).unwrap_err();
        assert_eq!((failure.class, failure.code), (Class::Provider, None));
        assert!(failure.answer.starts_with(&start), "{}", failure.answer);
    }
}
