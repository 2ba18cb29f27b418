//! Providers through their public interface, against real servers.

#![allow(clippy::unwrap_used)] // A test that cannot go on says so by panicking.

mod fcm;
mod gotify;
mod mail;
mod ntfy;
mod smtp;
mod smtp_faults;
mod smtp_pipeline;
mod twilio;
mod urls;
mod vonage;
mod webhook;
use herald::channel::email::SmtpProvider;
use herald::channel::url::ProviderUrl;
use herald::channel::{Means, Provider, Session, Timeouts, build};
use herald::clock::Clock;
use herald::domain::format::{Channel, Format};
use herald::domain::message::Outgoing;
use herald::hooks::Hooks;
use herald::simulate::smtp::MailServer;
use std::sync::Arc;
use std::time::Duration;

/// When everything happens.
const NOW: &str = "2026-11-22T04:05:06Z";

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
        expires: "2026-11-22T05:05:06.789Z".parse().unwrap(),
    }
}

/// A provider behind a URL that knows what time it is.
fn provider(
    channel: Channel,
    url: &str,
    timeouts: Timeouts,
    hooks: Option<Arc<Hooks>>,
) -> Arc<dyn Provider> {
    let means = Means {
        timeouts,
        clock: Arc::new(Clock::fixed(NOW.parse().unwrap())),
        hooks,
        capture: &|_| panic!("nothing is captured here"),
    };
    build(channel, url, &means).unwrap()
}

/// A push notification for this device.
fn push(device: &str) -> Outgoing {
    Outgoing {
        format: Format::Push,
        recipient: device.into(),
        subject: Some("Blåbær & \"co\"".into()),
        body: "Code: 1+1\n".into(),
        ..mail()
    }
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
    list.iter().map(owned).collect()
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
