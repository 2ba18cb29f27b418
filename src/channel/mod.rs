//! The border to the outside: one file per provider, and the words they share with the outbox.
//!
//! Only this module opens outgoing connections. A provider knows nothing of users, templates or the store:
//! it is given an [`Outgoing`] and answers with a [`Receipt`] or a [`Failure`] whose class decides what the outbox does.

pub mod answer;
pub mod capture;
mod echo;
pub mod email;
pub mod fcm;
mod gateway;
pub mod google;
pub mod gotify;
pub mod http;
pub mod mime;
pub mod ntfy;
mod tls;
pub mod twilio;
pub mod unusable;
pub mod url;
pub mod vonage;
pub mod webhook;

use crate::clock::Clock;
use crate::domain::format::Channel;
use crate::domain::message::{Outgoing, Report};
pub use crate::domain::retry::Class;
use crate::error::Result as HeraldResult;
use crate::hooks::Hooks;
pub use echo::without_content;
use email::SmtpProvider;
use fcm::Fcm;
use gateway::{Gateway, HttpProvider};
use std::sync::Arc;
use std::time::Duration;
use twilio::Twilio;
use url::ProviderUrl;
use vonage::Vonage;

/// A provider's word that it has taken the message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The provider's id of the message, where it gives one.
    pub provider_id: Option<String>,
    /// SMTP or HTTP status code.
    pub code: Option<u16>,
    /// The provider's answer, at most [`ANSWER_CHARS_MAX`] characters, secrets masked.
    pub answer: String,
}

/// Why a message was not taken, and what that means for it. (delivery.md, "Retry policy")
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the outbox does about it.
    pub class: Class,
    /// SMTP or HTTP status code, where one was answered.
    pub code: Option<u16>,
    /// The provider's answer or what happened to the connection; at most [`ANSWER_CHARS_MAX`] characters, secrets masked.
    pub answer: String,
    /// Not before this long: `Retry-After`, or greylisting.
    pub retry_after: Option<Duration>,
}

/// The longest provider answer that is kept.
pub const ANSWER_CHARS_MAX: usize = 1000;

/// How long a check may take: a person waits for it.
pub const CHECK_TIME_MAX: Duration = Duration::from_secs(20);

/// One configured provider, shared by the sender threads.
pub trait Provider: Send + Sync {
    /// Its URL with secrets masked; the name in attempts and logs.
    fn name(&self) -> &str;
    /// How many sessions may be open at once.
    fn connections(&self) -> usize;
    /// Whether a repeat after [`Class::InDoubt`] carries a reference by which it can be recognised.
    fn recognises_repeats(&self) -> bool;
    /// Whether what it takes stays in this appliance.
    fn keeps_here(&self) -> bool {
        false
    }
    /// A new session for one sender thread; connects lazily, at the first send.
    fn session(&self) -> Box<dyn Session>;
    /// What a callback says, if it bears this provider's proof.
    fn report(&self, _callback: &Callback<'_>) -> Option<Report> {
        None
    }
    /// Proves address and credentials without sending anything; the provider's words, as a [`Receipt`] holds them.
    /// Bounded by [`CHECK_TIME_MAX`].
    ///
    /// # Errors
    /// A [`Failure`] as for an attempt.
    fn check(&self) -> Result<String, Failure>;
}

/// One sender thread's use of a provider: it keeps its connection between messages.
pub trait Session {
    /// Hands over one message and waits for the provider's word. Bounded by [`Timeouts::attempt`].
    ///
    /// # Errors
    /// A [`Failure`] whose class says what it means for the message.
    fn send(&mut self, message: &Outgoing) -> Result<Receipt, Failure>;
    /// The same where it is known which message will probably be sent next: what does not commit to it may go out early.
    ///
    /// # Errors
    /// As [`Session::send`]; never for the sake of the next.
    fn send_before(
        &mut self,
        message: &Outgoing,
        _next: Option<&Outgoing>,
    ) -> Result<Receipt, Failure> {
        self.send(message)
    }
    /// Called when there is nothing to send for now: say goodbye and let go of the connection.
    fn rest(&mut self);
}

/// How long each step may take. (delivery.md, "Retry policy"; RFC 5321, section 4.5.3.2)
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// TCP connection to an SMTP server.
    pub smtp_connect: Duration,
    /// The server's greeting.
    pub smtp_greeting: Duration,
    /// The reply to one SMTP command, the TLS handshake included.
    pub smtp_command: Duration,
    /// The reply after the final dot.
    pub smtp_final_dot: Duration,
    /// TCP connection to an HTTP gateway.
    pub http_connect: Duration,
    /// A whole HTTP exchange.
    pub http_total: Duration,
    /// A whole attempt, whatever its steps.
    pub attempt: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            smtp_connect: Duration::from_secs(30),
            smtp_greeting: Duration::from_secs(60),
            smtp_command: Duration::from_secs(300),
            smtp_final_dot: Duration::from_secs(600),
            http_connect: Duration::from_secs(10),
            http_total: Duration::from_secs(30),
            attempt: Duration::from_secs(15 * 60),
        }
    }
}

impl Timeouts {
    /// The same, none longer than a check may take.
    fn for_check(&self) -> Self {
        let short = |time: Duration| time.min(CHECK_TIME_MAX);
        Self {
            smtp_connect: short(self.smtp_connect),
            smtp_greeting: short(self.smtp_greeting),
            smtp_command: short(self.smtp_command),
            smtp_final_dot: short(self.smtp_final_dot),
            http_connect: short(self.http_connect),
            http_total: short(self.http_total),
            attempt: short(self.attempt),
        }
    }
}

/// A call of somebody who claims to be a provider.
#[derive(Debug, Clone, Copy)]
pub struct Callback<'a> {
    /// The service whose address was called.
    pub service: &'a str,
    /// The address that the provider was given for it.
    pub url: &'a str,
    /// Its proof; empty where there is none.
    pub signature: &'a str,
    /// What follows the address, decoded.
    pub query: &'a [(String, String)],
    /// The body.
    pub body: &'a [u8],
}

/// What providers are made from besides their URLs.
pub struct Means<'a> {
    /// How long each step may take.
    pub timeouts: Timeouts,
    /// Tells the time where an answer names a date.
    pub clock: Arc<Clock>,
    /// Where they report back; none without a public address.
    pub hooks: Option<Arc<Hooks>>,
    /// Makes the provider behind `capture:`, which needs the store and so is not made here.
    pub capture: &'a dyn Fn(Channel) -> Arc<dyn Provider>,
}

/// The provider of a channel behind a URL.
///
/// # Errors
/// [`crate::error::Error::Invalid`] with a sentence about what in the URL cannot be used; it holds no secret.
pub fn build(channel: Channel, url: &str, means: &Means<'_>) -> HeraldResult<Arc<dyn Provider>> {
    let timeouts = means.timeouts.clone();
    let hooks = means.hooks.clone();
    Ok(match ProviderUrl::parse(channel, url)? {
        ProviderUrl::Smtp(config) => Arc::new(SmtpProvider::new(config, timeouts)?),
        ProviderUrl::Twilio(config) => over_http(Twilio { config, hooks }, means),
        ProviderUrl::Vonage(config) => over_http(Vonage { config, hooks }, means),
        ProviderUrl::Ntfy(config) => over_http(config, means),
        ProviderUrl::Gotify(config) => over_http(config, means),
        ProviderUrl::Fcm(config) => over_http(Fcm::new(config, means.clock.clone())?, means),
        ProviderUrl::Webhook(config) => over_http(config, means),
        ProviderUrl::Capture => (means.capture)(channel),
    })
}

fn over_http(gateway: impl Gateway, means: &Means<'_>) -> Arc<dyn Provider> {
    let (timeouts, clock) = (means.timeouts.clone(), means.clock.clone());
    Arc::new(HttpProvider::new(gateway, timeouts, clock))
}
