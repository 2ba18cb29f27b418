//! Providers through their public interface, against real servers.

#![allow(clippy::unwrap_used)] // A test that cannot go on says so by panicking.

mod mail;
mod smtp;
mod smtp_faults;
mod smtp_pipeline;
mod twilio;
mod urls;
use herald::channel::email::SmtpProvider;
use herald::channel::url::ProviderUrl;
use herald::channel::{Provider, Session, Timeouts};
use herald::domain::format::{Channel, Format};
use herald::domain::message::Outgoing;
use herald::simulate::smtp::MailServer;
use std::time::Duration;

/// Time-outs far above what a healthy local server needs.
fn timeouts() -> Timeouts {
    let step = Duration::from_secs(20);
    Timeouts {
        smtp_connect: step,
        smtp_greeting: step,
        smtp_command: step,
        smtp_final_dot: step,
        http_connect: step,
        http_total: step,
        attempt: step,
    }
}

fn mail() -> Outgoing {
    Outgoing {
        guid: "0199c0de-0000-7000-8000-000000000001".parse().unwrap(),
        format: Format::SimpleTextEmail,
        recipient: "bo@example.net".into(),
        recipient_name: Some("Bo".into()),
        sender: None,
        default_sender: "App <app@example.com>".into(),
        subject: Some("Hello".into()),
        body: "Hello, Bo.\n".into(),
        html_body: None,
        is_sensitive: false,
        created: "2026-11-22T04:05:06.789Z".parse().unwrap(),
    }
}

/// A provider for this fake server, from a URL in which `HOST` stands for its address.
fn smtp_provider(server: &MailServer, url: &str, timeouts: Timeouts) -> SmtpProvider {
    let url = url.replace("HOST", &format!("localhost:{}", server.port()));
    let ProviderUrl::Smtp(config) = ProviderUrl::parse(Channel::Email, &url).unwrap() else {
        panic!("{url} is no mail server");
    };
    SmtpProvider::trusting(config, timeouts, &[server.authority().der.clone()]).unwrap()
}

fn smtp_session(server: &MailServer, url: &str) -> Box<dyn Session> {
    smtp_provider(server, url, timeouts()).session()
}
