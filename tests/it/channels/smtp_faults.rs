//! The retry policy, a row a case: what the server does, and what it means for the mail. (delivery.md, "Retry policy")

use super::{mail, smtp_provider, timeouts};
use crate::support::outside::{SmtpFaults as _, account, faults_left, mail_server};
use herald::channel::{Class, Provider as _, Timeouts};
use herald::simulate::fault::{Fault, Stage};
use herald::simulate::smtp::Options;
use std::net::TcpListener;
use std::time::Duration;

struct Case {
    /// The URL's parameters and whether the server knows STARTTLS and wants a password.
    set_up: SetUp,
    stage: Stage,
    fault: Fault,
    class: Class,
    code: Option<u16>,
    answer: &'static str,
    retry_after_secs: Option<u64>,
}

#[derive(Clone, Copy, PartialEq)]
enum SetUp {
    Clear,
    Encrypted,
    SignedIn,
}

fn row(
    set_up: SetUp,
    stage: Stage,
    fault: Fault,
    class: Class,
    code: u16,
    answer: &'static str,
) -> Case {
    let code = Some(code).filter(|&c| c > 0);
    Case {
        set_up,
        stage,
        fault,
        class,
        code,
        answer,
        retry_after_secs: None,
    }
}

/// A reply line; the answer kept is the same line.
fn said(set_up: SetUp, stage: Stage, line: &'static str, class: Class) -> Case {
    row(
        set_up,
        stage,
        Fault::reply(line),
        class,
        line[..3].parse().unwrap(),
        line,
    )
}

fn greylisted(stage: Stage, line: &'static str) -> Case {
    Case {
        retry_after_secs: Some(300),
        ..said(SetUp::Clear, stage, line, Class::Temporary)
    }
}

#[rustfmt::skip] // A table: one case a line.
fn cases() -> Vec<Case> {
    use Class::{Configuration, InDoubt, Permanent, Provider, Temporary};
    use SetUp::{Clear, Encrypted, SignedIn};
    use Stage::*;
    vec![
        said(Clear, Greeting, "421 4.3.2 Shutting down", Provider),
        said(Clear, Greeting, "450 4.3.2 Too busy", Provider),
        said(Clear, Greeting, "554 5.7.1 Go away", Configuration),
        row(Clear, Greeting, Fault::Close, Provider, 0, "The server closed the connection while waiting for the greeting."),
        row(Clear, Greeting, Fault::Silence, Provider, 0, "No answer in time while waiting for the greeting."),
        row(Clear, Greeting, Fault::reply("HTTP/1.1 400 Bad Request"), Provider, 0, "The answer is not SMTP while waiting for the greeting."),
        said(Clear, Ehlo, "421 4.3.2 Shutting down", Provider),
        row(Clear, Ehlo, Fault::Close, Provider, 0, "The server closed the connection while saying EHLO."),
        said(Encrypted, Ehlo, "502 5.5.1 Not implemented", Configuration),
        said(Encrypted, StartTls, "454 4.7.0 TLS not available", Provider),
        said(Encrypted, StartTls, "501 5.5.4 Syntax error", Configuration),
        row(Encrypted, Handshake, Fault::Close, Provider, 0, "TLS with localhost failed: tls handshake eof."),
        row(Encrypted, Handshake, Fault::Reset, Provider, 0, "TLS with localhost failed: Connection reset by peer (os error 104)."),
        row(Encrypted, Handshake, Fault::Silence, Provider, 0, "TLS with localhost failed: no handshake in time."),
        row(Encrypted, Handshake, Fault::reply("This is not TLS at all"), Provider, 0, "TLS with localhost failed: received corrupt message of type InvalidContentType."),
        said(SignedIn, Auth, "454 4.7.0 Temporary failure", Provider),
        said(SignedIn, Auth, "530 5.7.0 Must issue STARTTLS", Configuration),
        said(SignedIn, Auth, "534 5.7.9 Mechanism too weak", Configuration),
        said(SignedIn, Auth, "535 5.7.8 Wrong password", Configuration),
        said(SignedIn, Auth, "538 5.7.11 Encryption required", Configuration),
        row(SignedIn, Auth, Fault::Close, Provider, 0, "The server closed the connection while signing in."),
        said(Clear, Mail, "421 4.7.0 Too many connections", Provider),
        greylisted(Mail, "450 4.7.1 Greylisted"),
        greylisted(Mail, "451 4.7.1 Greylisted"),
        said(Clear, Mail, "452 4.3.1 Out of space", Temporary),
        said(Clear, Mail, "530 5.7.0 Authentication required", Configuration),
        said(Clear, Mail, "550 5.7.1 Sender refused", Permanent),
        row(Clear, Mail, Fault::Silence, Provider, 0, "No answer in time while sending MAIL."),
        row(Clear, Mail, Fault::reply("garbage"), Provider, 0, "The answer is not SMTP while sending MAIL."),
        said(Clear, Rcpt, "421 4.7.0 Slow down", Provider),
        greylisted(Rcpt, "450 4.2.0 Greylisted, come back"),
        greylisted(Rcpt, "451 4.7.1 Greylisted, come back"),
        said(Clear, Rcpt, "452 4.5.3 Too many recipients", Temporary),
        said(Clear, Rcpt, "550 5.1.1 No such user", Permanent),
        said(Clear, Rcpt, "551 5.7.1 User not local", Permanent),
        row(Clear, Rcpt, Fault::Close, Provider, 0, "The server closed the connection while sending RCPT."),
        said(Clear, Data, "421 4.3.2 Shutting down", Provider),
        said(Clear, Data, "452 4.3.1 Out of space", Temporary),
        said(Clear, Data, "554 5.5.1 No valid recipients", Permanent),
        said(Clear, Data, "250 2.0.0 Ok", Provider),
        row(Clear, Data, Fault::Close, Provider, 0, "The server closed the connection while sending DATA."),
        row(Clear, Data, Fault::Silence, Provider, 0, "No answer in time while sending DATA."),
        said(Clear, Dot, "421 4.3.2 Shutting down", Provider),
        greylisted(Dot, "451 4.7.1 Try again later"),
        said(Clear, Dot, "452 4.3.1 Out of space", Temporary),
        said(Clear, Dot, "550 5.7.1 Spam", Permanent),
        said(Clear, Dot, "554 5.6.0 Malformed", Permanent),
        said(Clear, Dot, "354 Go on", InDoubt),
        row(Clear, Dot, Fault::Close, InDoubt, 0, "The server closed the connection while waiting for the reply to the final dot."),
        row(Clear, Dot, Fault::Reset, InDoubt, 0, "The connection failed (Connection reset by peer (os error 104)) while waiting for the reply to the final dot."),
        row(Clear, Dot, Fault::Silence, InDoubt, 0, "No answer in time while waiting for the reply to the final dot."),
        row(Clear, Dot, Fault::reply("\u{1}\u{2}garbage"), InDoubt, 0, "The answer is not SMTP while waiting for the reply to the final dot."),
        row(Clear, Dot, Fault::Flood(b"250-\r\n".to_vec()), InDoubt, 0, "The connection failed (the reply is too long) while waiting for the reply to the final dot."),
        row(Clear, Dot, Fault::Flood(b"250-more and more and more\r\n".to_vec()), InDoubt, 0, "The answer is not SMTP while waiting for the reply to the final dot."),
    ]
}

/// Healthy steps get plenty; only the step that a case leaves hanging is short.
fn short(case: &Case) -> Timeouts {
    let mut timeouts = timeouts();
    if matches!(case.fault, Fault::Silence) {
        let soon = Duration::from_millis(300);
        match case.stage {
            Stage::Greeting => timeouts.smtp_greeting = soon,
            Stage::Dot => timeouts.smtp_final_dot = soon,
            _ => timeouts.smtp_command = soon,
        }
    }
    timeouts
}

#[test]
fn each_row_of_the_retry_policy_holds() {
    for case in cases() {
        let server = mail_server(Options {
            starttls: case.set_up != SetUp::Clear,
            account: account("anna", "secret").filter(|_| case.set_up == SetUp::SignedIn),
            ..Options::default()
        });
        server.fault(case.stage, case.fault.clone());
        let url = match case.set_up {
            SetUp::Clear => "smtp://HOST",
            SetUp::Encrypted => "smtp://HOST?tls=required",
            SetUp::SignedIn => "smtp://anna:secret@HOST?tls=required",
        };
        let provider = smtp_provider(&server, url, short(&case));
        let what = format!("{:?} {:?}", case.stage, case.fault);
        let failure = provider.session().send(&mail()).expect_err(&what);
        let retry = failure.retry_after.map(|d| d.as_secs());
        assert_eq!(
            (failure.class, failure.code, failure.answer.as_str(), retry),
            (case.class, case.code, case.answer, case.retry_after_secs),
            "{what}"
        );
        assert_eq!(faults_left(&server), 0, "{what}");
        assert!(server.received().is_empty(), "{what}");
    }
}

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
