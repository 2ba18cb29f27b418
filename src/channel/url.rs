//! One string is one provider: from `smtp://user:password@host` to a typed configuration. (cli.md, "Provider URLs")
//!
//! [`Parts`] is a URL taken apart; what a provider makes of it is in the provider's own file.
//! No error here repeats what was typed, beyond the scheme: a password with a stray `/`, `?` or `@` ends up in any part.

mod parts;

use super::email::SmtpConfig;
use super::fcm::FcmConfig;
use super::gotify::GotifyConfig;
use super::ntfy::NtfyConfig;
use super::twilio::TwilioConfig;
use super::vonage::VonageConfig;
use super::webhook::WebhookConfig;
use crate::domain::format::Channel;
use crate::error::{Error, Result};
pub use parts::{Parts, RATE_RANGE};

/// What a provider URL says, by kind of provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderUrl {
    /// A mail server.
    Smtp(SmtpConfig),
    /// Twilio Messages, or what looks like it.
    Twilio(TwilioConfig),
    /// Vonage SMS, or what looks like it.
    Vonage(VonageConfig),
    /// ntfy.
    Ntfy(NtfyConfig),
    /// Gotify.
    Gotify(GotifyConfig),
    /// Firebase Cloud Messaging.
    Fcm(FcmConfig),
    /// Any gateway.
    Webhook(WebhookConfig),
    /// Kept in the appliance instead of sent.
    Capture,
}

/// A line of the table of schemes.
#[derive(Debug)]
pub struct Scheme {
    /// What stands before the first colon.
    pub word: &'static str,
    /// The channels it can carry.
    pub channels: &'static [Channel],
    read: fn(Parts) -> Result<ProviderUrl>,
}

/// Every scheme: word, channels, constructor.
#[rustfmt::skip] // A table: one scheme a line.
pub const SCHEMES: &[Scheme] = &[
    Scheme { word: "smtp", channels: &[Channel::Email], read: |parts| SmtpConfig::read(parts, false).map(ProviderUrl::Smtp) },
    Scheme { word: "smtps", channels: &[Channel::Email], read: |parts| SmtpConfig::read(parts, true).map(ProviderUrl::Smtp) },
    Scheme { word: "twilio", channels: &[Channel::Sms], read: |parts| TwilioConfig::read(parts).map(ProviderUrl::Twilio) },
    Scheme { word: "twilio+http", channels: &[Channel::Sms], read: |parts| TwilioConfig::read(parts).map(ProviderUrl::Twilio) },
    Scheme { word: "vonage", channels: &[Channel::Sms], read: |parts| VonageConfig::read(parts).map(ProviderUrl::Vonage) },
    Scheme { word: "vonage+http", channels: &[Channel::Sms], read: |parts| VonageConfig::read(parts).map(ProviderUrl::Vonage) },
    Scheme { word: "ntfy", channels: &[Channel::Push], read: |parts| NtfyConfig::read(parts).map(ProviderUrl::Ntfy) },
    Scheme { word: "ntfy+http", channels: &[Channel::Push], read: |parts| NtfyConfig::read(parts).map(ProviderUrl::Ntfy) },
    Scheme { word: "gotify", channels: &[Channel::Push], read: |parts| GotifyConfig::read(parts).map(ProviderUrl::Gotify) },
    Scheme { word: "gotify+http", channels: &[Channel::Push], read: |parts| GotifyConfig::read(parts).map(ProviderUrl::Gotify) },
    Scheme { word: "fcm", channels: &[Channel::Push], read: |parts| FcmConfig::read(parts).map(ProviderUrl::Fcm) },
    Scheme { word: "fcm+http", channels: &[Channel::Push], read: |parts| FcmConfig::read(parts).map(ProviderUrl::Fcm) },
    Scheme { word: "webhook+https", channels: &Channel::ALL, read: |parts| WebhookConfig::read(parts).map(ProviderUrl::Webhook) },
    Scheme { word: "webhook+http", channels: &Channel::ALL, read: |parts| WebhookConfig::read(parts).map(ProviderUrl::Webhook) },
    Scheme { word: "capture", channels: &Channel::ALL, read: capture },
];

/// A URL of each kind and what it is for, for `--help`.
pub const EXAMPLES: &[(&str, &str)] = &[
    (
        "smtp://user:password@mail.example.com:587",
        "mail server with STARTTLS, also tls=none, from=, helo=, connections=",
    ),
    (
        "smtps://user:password@mail.example.com",
        "mail server with TLS from the start",
    ),
    (
        "twilio://SID:TOKEN@api.twilio.com?from=%2B15550001111",
        "SMS, or service=MG… in place of from=",
    ),
    ("vonage://KEY:SECRET@rest.nexmo.com?from=Acme", "SMS"),
    (
        "ntfy://TOKEN@ntfy.example.com",
        "push, also user:password@; each device is a topic",
    ),
    (
        "gotify://TOKEN@gotify.example.com",
        "push to the application of that token",
    ),
    (
        "fcm:///etc/herald/service-account.json",
        "push over Firebase; each device is a registration token",
    ),
    (
        "webhook+https://gateway.example.com/path?header.X-Key=KEY",
        "any channel, any gateway: method=PUT, format=form, names of fields as\n      \
         to=, text=, subject=, html=, from=, id=, fixed ones as field.NAME=",
    ),
    ("capture:", "kept here"),
];

/// The kinds of URLs in words.
#[must_use]
pub fn help() -> String {
    let lines = EXAMPLES.iter();
    let lines: String = lines
        .map(|(url, meaning)| format!("  {url}\n      {meaning}\n"))
        .collect();
    format!(
        "Providers (URLs):\n{lines}\
         \x20 Plain HTTP is +http after the word, as in ntfy+http://localhost:8080. A path\n\
         \x20 after the host is where it stands. rate=10 is ten messages a second. Special\n\
         \x20 characters are percent-encoded.\n"
    )
}

impl ProviderUrl {
    /// Reads the URL of a provider for this channel.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a sentence that says what to write instead; it never holds a secret.
    pub fn parse(channel: Channel, text: &str) -> Result<Self> {
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(Error::invalid(
                "A provider URL must not contain spaces or control characters; write a space as %20.",
            ));
        }
        let word = text.split_once(':').map_or("", |(word, _)| word);
        let Some(scheme) = SCHEMES.iter().find(|s| s.word == word) else {
            return Err(unknown_scheme(word));
        };
        if !scheme.channels.contains(&channel) {
            let fitting: Vec<String> = SCHEMES
                .iter()
                .filter(|s| s.channels.contains(&channel))
                .map(|s| format!("{}:", s.word))
                .collect();
            return Err(Error::invalid(format!(
                "{word}: does not carry {channel}; for {channel} there are {}.",
                fitting.join(", ")
            )));
        }
        (scheme.read)(Parts::split(scheme.word, text)?)
    }

    /// The URL with its secrets as `***`: the provider's name on pages and in logs.
    #[must_use]
    pub fn masked(&self) -> &str {
        match self {
            Self::Smtp(config) => &config.masked,
            Self::Twilio(config) => &config.masked,
            Self::Vonage(config) => &config.masked,
            Self::Ntfy(config) => &config.masked,
            Self::Gotify(config) => &config.masked,
            Self::Fcm(config) => &config.masked,
            Self::Webhook(config) => &config.masked,
            Self::Capture => "capture:",
        }
    }
}

/// How many messages a second the provider behind a URL may be given (`rate=`); none means no limit.
///
/// # Errors
/// As [`ProviderUrl::parse`].
pub fn rate_of(text: &str) -> Result<Option<f64>> {
    let word = text.split_once(':').map_or("", |(word, _)| word);
    let scheme = SCHEMES.iter().find(|s| s.word == word);
    let scheme = scheme.ok_or_else(|| unknown_scheme(word))?;
    Ok(Parts::split(scheme.word, text)?.rate)
}

fn unknown_scheme(word: &str) -> Error {
    let known: Vec<&str> = SCHEMES.iter().map(|s| s.word).collect();
    let known = known.join(", ");
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'+';
    if word.is_empty() || word.len() > 20 || !word.bytes().all(plain) {
        return Error::invalid(format!(
            "A provider URL begins with a scheme and a colon; known are {known}."
        ));
    }
    Error::invalid(format!(
        "unknown provider scheme {word}; known are {known}."
    ))
}

fn capture(parts: Parts) -> Result<ProviderUrl> {
    if parts.rest_is_empty {
        return Ok(ProviderUrl::Capture);
    }
    Err(Error::invalid(
        "capture: takes nothing after the colon; write `capture:` alone.",
    ))
}
