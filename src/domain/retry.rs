//! The retry policy: what came back from a provider, the class it belongs to, and what is done about it.
//! (delivery.md, "Retry policy")
//!
//! [`TABLE`] reads like the table of the document and is the only place that turns a signal into a class;
//! [`Class::action`] is its third column. What a gateway's own words mean is in that gateway's file.

use std::time::Duration;

/// The step of an SMTP dialogue that a reply answers, or that got none. (RFC 5321, section 4.3.2)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The greeting.
    Greeting,
    /// EHLO or HELO.
    Hello,
    /// STARTTLS.
    StartTls,
    /// AUTH and its challenges.
    Auth,
    /// RSET before the next mail of a connection.
    Reset,
    /// MAIL.
    Mail,
    /// RCPT.
    Rcpt,
    /// DATA and the mail up to the final dot.
    Data,
    /// The final dot: from here on the server may have taken the mail.
    Dot,
}

/// What came back from a provider, or did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signal {
    /// No connection: refused, not answered in time, no address behind the name; nothing has been sent.
    Unreachable,
    /// A TLS handshake that broke or did not end in time.
    BrokenHandshake,
    /// A certificate that is not to be trusted.
    BadCertificate,
    /// The server lacks what the configuration demands: STARTTLS, or a way to sign in.
    Lacking,
    /// An SMTP reply other than the wished-for one.
    Reply(Stage, u16),
    /// An SMTP connection that was lost, timed out or answered garbage.
    NoReply(Stage),
    /// An HTTP status.
    Status(u16),
    /// An HTTP exchange that was lost or timed out after the request had begun to leave.
    NoStatus,
    /// A push service's word that the device is not registered any more.
    Unregistered,
}

/// What a signal says about the message and the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The provider is not there: try the next one, retry later, count for the breaker.
    Provider,
    /// The provider refuses us: stop it until an operator mends the configuration; no message dies.
    Configuration,
    /// Not now: retry with backoff.
    Temporary,
    /// Never: failed.
    Permanent,
    /// It may have been taken: retry only where a repeat can be recognised.
    InDoubt,
    /// Never, to this device: failed, and the device is forgotten.
    Gone,
}

/// A row of the table.
#[derive(Debug)]
pub struct Rule {
    /// The signals in words.
    pub signals: &'static str,
    covers: fn(Signal) -> bool,
    /// What they mean; none when the message was taken.
    pub class: Option<Class>,
    /// The shortest wait before the next try.
    pub not_before: Option<Duration>,
}

/// A server that puts us off with 450 or 451 is greylisting: it wants to see us again, but not soon.
pub const GREYLISTING: Duration = Duration::from_secs(5 * 60);

/// The table, first match first. (delivery.md, "Retry policy")
#[rustfmt::skip] // A table: one row a line.
pub const TABLE: &[Rule] = {
    use super::retry::Class::{Configuration, Gone, InDoubt, Permanent, Provider, Temporary};
    use super::retry::Signal::{BadCertificate, BrokenHandshake, Lacking, NoReply, NoStatus, Reply, Status, Unreachable, Unregistered};
    use super::retry::Stage::{Auth, Data, Dot, Greeting, Hello, Mail, Rcpt, Reset, StartTls};
    const fn row(signals: &'static str, class: Class, covers: fn(Signal) -> bool) -> Rule {
        Rule { signals, covers, class: Some(class), not_before: None }
    }
    &[
        row("no connection, DNS failure, broken TLS handshake",            Provider,      |s| matches!(s, Unreachable | BrokenHandshake)),
        row("421; greeting, EHLO, STARTTLS or AUTH 4xx; RSET refused",     Provider,      |s| matches!(s, Reply(_, 421) | Reply(Greeting | Hello | StartTls | Auth, 400..500) | Reply(Reset, 400..600))),
        row("greeting, EHLO, STARTTLS or AUTH 5xx; MAIL 530/534/535/538",  Configuration, |s| matches!(s, Reply(Greeting | Hello | StartTls | Auth, 500..600) | Reply(Mail, 530 | 534 | 535 | 538))),
        row("STARTTLS or AUTH missing though required, bad certificate",   Configuration, |s| matches!(s, Lacking | BadCertificate)),
        Rule { not_before: Some(GREYLISTING), ..
        row("MAIL, RCPT, DATA or dot 450/451: greylisting",                Temporary,     |s| matches!(s, Reply(Mail | Rcpt | Data | Dot, 450 | 451))) },
        row("MAIL, RCPT, DATA or dot 4xx",                                 Temporary,     |s| matches!(s, Reply(Mail | Rcpt | Data | Dot, 400..500))),
        row("MAIL, RCPT, DATA or dot 5xx",                                 Permanent,     |s| matches!(s, Reply(Mail | Rcpt | Data | Dot, 500..600))),
        row("lost, timed out or no SMTP after the final dot",              InDoubt,       |s| matches!(s, NoReply(Dot) | Reply(Dot, _))),
        row("lost, timed out or no SMTP before it",                        Provider,      |s| matches!(s, NoReply(_) | Reply(..))),
        Rule { class: None, ..
        row("HTTP 2xx",                                                    Permanent,     |s| matches!(s, Status(200..300))) },
        row("HTTP 401, 403, 3xx; 404 on the endpoint",                     Configuration, |s| matches!(s, Status(300..=399 | 401 | 403 | 404))),
        row("HTTP 408, 425, 429, 503",                                     Temporary,     |s| matches!(s, Status(408 | 425 | 429 | 503))),
        row("other HTTP 4xx",                                              Permanent,     |s| matches!(s, Status(400..500))),
        row("other HTTP statuses; reset or timed out after the request",   InDoubt,       |s| matches!(s, Status(_) | NoStatus)),
        row("push 404 UNREGISTERED, 410",                                  Gone,          |s| matches!(s, Unregistered)),
    ]
};

impl Signal {
    /// The row of [`TABLE`] that covers it.
    #[must_use]
    pub fn rule(self) -> &'static Rule {
        let covering = TABLE.iter().find(|rule| (rule.covers)(self));
        covering.expect("every signal has its row, which a test holds")
    }
}

/// What becomes of a message whose attempt was of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Once more, after its backoff.
    Retry,
    /// Once more, as soon as the provider is asked again.
    Wait,
    /// Once more where a repeat can be recognised; else failed, for a person to decide.
    RetryIfRecognised,
    /// Failed.
    Fail,
}

/// What an attempt says about its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It answered; what it said about the message does not matter here.
    Alive,
    /// It is not there.
    Fault,
    /// It refuses us until the configuration is mended.
    Misconfigured,
}

/// The third column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// What becomes of the message.
    pub fate: Fate,
    /// What the breaker is told.
    pub health: Health,
    /// Whether the next provider of the channel is tried at once: never after a doubt.
    pub tries_next_provider: bool,
    /// Whether the try counts against the message. A fault found by a probe of an open breaker never does.
    pub counts: bool,
    /// Whether the device is forgotten.
    pub forgets_device: bool,
}

impl Class {
    /// What is done.
    #[must_use]
    #[rustfmt::skip] // The same table, turned on its side.
    pub fn action(self) -> Action {
        let action = |fate, health, tries_next_provider, counts, forgets_device| Action { fate, health, tries_next_provider, counts, forgets_device };
        match self {
            //                                   fate                     health                 next   counts forgets
            Self::Provider      => action(Fate::Retry,             Health::Fault,         true,  true,  false),
            Self::Configuration => action(Fate::Wait,              Health::Misconfigured, true,  false, false),
            Self::Temporary     => action(Fate::Retry,             Health::Alive,         false, true,  false),
            Self::Permanent     => action(Fate::Fail,              Health::Alive,         false, true,  false),
            Self::InDoubt       => action(Fate::RetryIfRecognised, Health::Alive,         false, true,  false),
            Self::Gone          => action(Fate::Fail,              Health::Alive,         false, true,  true),
        }
    }

    /// The word for it in the log.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Configuration => "configuration",
            Self::Temporary => "temporary",
            Self::Permanent => "permanent",
            Self::InDoubt => "in_doubt",
            Self::Gone => "unregistered",
        }
    }
}
