//! Connections to a mail server that behaves: TLS, signing in, and one connection for many mails.

use super::{mail, smtp_provider, smtp_session, timeouts};
use crate::support::outside::{SmtpFaults as _, account, faults_left, mail_server, mails_begun};
use herald::channel::{Class, Provider as _, Receipt, Timeouts};
use herald::simulate::book::Message;
use herald::simulate::fault::{Fault, Stage};
use herald::simulate::smtp::{MailServer, Options};
use std::time::Duration;

const ACCOUNT: (&str, &str) = ("anna", "p@ss w0rd");
const SIGNED_IN: &str = "smtp://anna:p%40ss%20w0rd@HOST?tls=required";

fn with_account(mechanisms: &'static str) -> Options {
    Options {
        starttls: true,
        account: account(ACCOUNT.0, ACCOUNT.1),
        mechanisms,
        ..Options::default()
    }
}

/// What the server kept, without the mails themselves.
fn envelopes(server: &MailServer) -> Vec<Message> {
    let mut received = server.received();
    for mail in &mut received {
        mail.content.clear();
        mail.number = 0;
    }
    received
}

fn envelope(connection: usize, tls: bool, user: Option<&str>) -> Message {
    Message {
        connection,
        encrypted: tls,
        user: user.map(str::to_string),
        from: "app@example.com".into(),
        to: vec!["bo@example.net".into()],
        service: "smtp",
        ..Message::default()
    }
}

/// What the word for the mail of this number becomes.
fn taken(number: u64) -> Receipt {
    Receipt {
        provider_id: None,
        code: Some(250),
        answer: format!("250 2.0.0 Ok: queued as {number}"),
    }
}

#[test]
fn starttls_comes_before_the_password() {
    for mechanisms in ["PLAIN LOGIN", "LOGIN"] {
        let server = mail_server(with_account(mechanisms));
        let mut session = smtp_session(&server, SIGNED_IN);
        assert_eq!(session.send(&mail()), Ok(taken(1)));
        session.rest();
        assert_eq!(envelopes(&server), [envelope(0, true, Some("anna"))]);
        let proof = match mechanisms {
            "LOGIN" => "AUTH LOGIN",
            _ => "AUTH PLAIN AGFubmEAcEBzcyB3MHJk",
        };
        assert_eq!(
            server.commands(),
            [[
                "EHLO example.com",
                "STARTTLS",
                "EHLO example.com",
                proof,
                "MAIL FROM:<app@example.com>",
                "RCPT TO:<bo@example.net>",
                "DATA",
                "QUIT"
            ]]
        );
    }
}

#[test]
fn implicit_tls_is_encrypted_from_the_first_byte() {
    let server = mail_server(Options {
        implicit_tls: true,
        account: account(ACCOUNT.0, ACCOUNT.1),
        ..Options::default()
    });
    let mut session = smtp_session(&server, "smtps://anna:p%40ss%20w0rd@HOST?helo=me.example");
    assert_eq!(session.send(&mail()), Ok(taken(1)));
    assert_eq!(envelopes(&server), [envelope(0, true, Some("anna"))]);
    assert_eq!(server.commands()[0][0], "EHLO me.example");
}

#[test]
fn opportunistic_encrypts_where_it_can() {
    for starttls in [true, false] {
        let server = mail_server(Options {
            starttls,
            ..Options::default()
        });
        let mut session = smtp_session(&server, "smtp://HOST?tls=opportunistic");
        assert_eq!(session.send(&mail()), Ok(taken(1)));
        assert_eq!(envelopes(&server), [envelope(0, starttls, None)]);
    }
}

#[test]
fn a_wrong_password_is_our_fault_and_is_not_repeated_in_the_answer() {
    let server = mail_server(with_account("PLAIN"));
    server.fault(
        Stage::Auth,
        Fault::reply("535 5.7.8 No entry with hunter22"),
    );
    let mut session = smtp_session(&server, "smtp://anna:hunter22@HOST?tls=required");
    let failure = session.send(&mail()).unwrap_err();
    assert_eq!(failure.class, Class::Configuration);
    assert_eq!(failure.code, Some(535));
    assert_eq!(failure.answer, "535 5.7.8 No entry with ***");
    assert_eq!(mails_begun(&server), 0);
}

#[test]
fn without_starttls_nothing_is_said_in_the_clear() {
    let server = mail_server(Options::default());
    let failure = smtp_session(&server, "smtp://HOST?tls=required")
        .send(&mail())
        .unwrap_err();
    assert_eq!(failure.class, Class::Configuration);
    assert_eq!(
        failure.answer,
        "The server does not offer STARTTLS, which tls=required needs."
    );
    assert_eq!(server.commands(), [["EHLO example.com"]]);
}

#[test]
fn a_certificate_nobody_vouches_for_is_refused() {
    let server = mail_server(with_account("PLAIN"));
    let stranger = mail_server(with_account("PLAIN"));
    let url = SIGNED_IN.replace("HOST", &format!("localhost:{}", server.port()));
    // The provider trusts the authority of the other server.
    let failure = smtp_provider(&stranger, &url, timeouts())
        .session()
        .send(&mail())
        .unwrap_err();
    assert_eq!(failure.class, Class::Configuration);
    assert_eq!(
        failure.answer,
        "TLS with localhost failed: invalid peer certificate: UnknownIssuer."
    );
    assert_eq!(server.commands(), [["EHLO example.com", "STARTTLS"]]);
}

#[test]
fn two_mails_share_a_connection_and_rest_says_goodbye() {
    let server = mail_server(Options::default());
    let mut session = smtp_session(&server, "smtp://HOST");
    assert_eq!(session.send(&mail()), Ok(taken(1)));
    assert_eq!(session.send(&mail()), Ok(taken(2)));
    session.rest();
    assert_eq!(session.send(&mail()), Ok(taken(3)));
    let mails = [
        "MAIL FROM:<app@example.com>",
        "RCPT TO:<bo@example.net>",
        "DATA",
    ];
    let first = [
        &["EHLO example.com"],
        &mails[..],
        &["RSET"],
        &mails[..],
        &["QUIT"],
    ]
    .concat();
    let second = [&["EHLO example.com"], &mails[..]].concat();
    assert_eq!(server.commands(), [first, second]);
}

#[test]
fn a_connection_that_died_idle_is_replaced_without_a_word() {
    let idle_ends = [
        (Stage::AfterDot, Fault::Close),
        (Stage::AfterDot, Fault::Reset),
        (Stage::Rset, Fault::Close),
        (Stage::Rset, Fault::reply("421 4.4.2 Idle too long")),
        (
            Stage::Mail,
            Fault::reply("421 4.7.0 Enough for one connection"),
        ),
        (Stage::Mail, Fault::Close),
    ];
    for (stage, fault) in idle_ends {
        let server = mail_server(Options::default());
        let mut session = smtp_session(&server, "smtp://HOST");
        if stage == Stage::AfterDot {
            server.fault(stage, fault.clone());
        }
        assert_eq!(session.send(&mail()), Ok(taken(1)));
        if stage != Stage::AfterDot {
            server.fault(stage, fault.clone());
        }
        assert_eq!(session.send(&mail()), Ok(taken(2)), "{stage:?} {fault:?}");
        assert_eq!(
            envelopes(&server),
            [envelope(0, false, None), envelope(1, false, None)],
            "{stage:?} {fault:?}"
        );
        assert_eq!(faults_left(&server), 0);
    }
}

#[test]
fn a_mail_that_had_begun_is_not_quietly_sent_over_another_connection() {
    for stage in [Stage::Rcpt, Stage::Data, Stage::Dot] {
        let server = mail_server(Options::default());
        let mut session = smtp_session(&server, "smtp://HOST");
        assert_eq!(session.send(&mail()), Ok(taken(1)));
        server.fault(stage, Fault::Close);
        let failure = session.send(&mail()).unwrap_err();
        let class = match stage {
            Stage::Dot => Class::InDoubt,
            _ => Class::Provider,
        };
        assert_eq!(failure.class, class, "{stage:?}");
        assert_eq!(mails_begun(&server), 2, "{stage:?}");
    }
}

#[test]
fn a_refused_mail_does_not_spoil_the_connection() {
    let server = mail_server(Options::default());
    server.fault(Stage::Rcpt, Fault::reply("550 5.1.1 No such user"));
    let mut session = smtp_session(&server, "smtp://HOST");
    let failure = session.send(&mail()).unwrap_err();
    assert_eq!(failure.class, Class::Permanent);
    assert_eq!(failure.answer, "550 5.1.1 No such user");
    assert_eq!(session.send(&mail()), Ok(taken(1)));
    assert_eq!(envelopes(&server), [envelope(0, false, None)]);
}

#[test]
fn a_server_from_before_ehlo_is_greeted_with_helo() {
    let server = mail_server(Options::default());
    server.fault(Stage::Ehlo, Fault::reply("502 Not implemented"));
    let mut session = smtp_session(&server, "smtp://HOST");
    assert_eq!(session.send(&mail()), Ok(taken(1)));
    assert_eq!(
        server.commands()[0][..2],
        ["EHLO example.com", "HELO example.com"]
    );
}

/// Trust comes from `SSL_CERT_FILE`, which is read once per process: so the sending is done by a child.
#[test]
fn ssl_cert_file_names_the_authorities() {
    if let Ok(port) = std::env::var("HERALD_TEST_SMTP_PORT") {
        let url = SIGNED_IN.replace("HOST", &format!("localhost:{port}"));
        let parsed =
            herald::channel::url::ProviderUrl::parse(herald::domain::format::Channel::Email, &url);
        let Ok(herald::channel::url::ProviderUrl::Smtp(config)) = parsed else {
            panic!("{url} is a mail server");
        };
        let provider = herald::channel::email::SmtpProvider::new(config, timeouts()).unwrap();
        assert_eq!(provider.session().send(&mail()), Ok(taken(1)));
        return;
    }
    let server = mail_server(with_account("PLAIN"));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("authority.pem");
    std::fs::write(&file, &server.authority().pem).unwrap();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "channels::smtp::ssl_cert_file_names_the_authorities",
        ])
        .env("SSL_CERT_FILE", &file)
        .env("HERALD_TEST_SMTP_PORT", server.port().to_string())
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    assert_eq!(envelopes(&server), [envelope(0, true, Some("anna"))]);
}

#[test]
fn a_check_encrypts_first_and_ends_in_time() {
    let server = mail_server(Options {
        starttls: true,
        account: account("anna", "s3cret"),
        ..Options::default()
    });
    let url = "smtp://anna:s3cret@HOST?tls=required&from=shop@shop.example";
    let provider = smtp_provider(&server, url, timeouts());
    assert_eq!(provider.check(), Ok("235 2.7.0 Welcome".into()));
    let expected = [
        "EHLO shop.example",
        "STARTTLS",
        "EHLO shop.example",
        "AUTH PLAIN AGFubmEAczNjcmV0",
        "QUIT",
    ];
    assert_eq!(server.commands(), [expected.map(str::to_owned)]);
    let short = Timeouts {
        attempt: Duration::from_millis(200),
        ..timeouts()
    };
    server.fault(Stage::Greeting, Fault::Silence);
    let failure = smtp_provider(&server, url, short).check().unwrap_err();
    let expected = "No answer in time while waiting for the greeting.";
    assert_eq!(failure.answer, expected);
}
