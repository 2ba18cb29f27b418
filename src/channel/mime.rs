//! From a rendered message to the bytes of a mail. (conventions 4.14; RFC 5322, RFC 2045)
//!
//! Nothing in the mail depends on this machine or on the attempt: every attempt carries the same Message-ID and Date.

use super::{Class, Failure};
use crate::domain::address::{EmailAddress, Mailbox, no_controls};
use crate::domain::message::Outgoing;
use crate::error::Error;
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::raw::Raw;
use memchr::memmem;

/// From whom a mail is and to whom, in header and envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The sender.
    pub from: Mailbox,
    /// The recipient.
    pub to: EmailAddress,
}

/// A mail with its envelope, both safe for the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// From whom and to whom.
    pub envelope: Envelope,
    /// Headers and body, lines ending in CRLF, each at most 998 characters, all ASCII.
    pub raw: Vec<u8>,
}

/// The mail's bytes, for a channel that keeps mails instead of sending them.
///
/// # Errors
/// As [`compose`].
pub fn raw_mail(message: &Outgoing, provider_from: Option<&str>) -> Result<Vec<u8>, Failure> {
    compose(message, provider_from).map(|mail| mail.raw)
}

/// The envelope. The sender is the message's, else the provider's `from=`, else the default of the settings.
///
/// # Errors
/// A permanent [`Failure`] when sender or recipient could not stand in a mail.
pub fn envelope(message: &Outgoing, provider_from: Option<&str>) -> Result<Envelope, Failure> {
    let sender = message.sender.as_deref().filter(given);
    let sender = sender
        .or(provider_from.filter(given))
        .unwrap_or(&message.default_sender);
    // Checked long before; here it is the last line of defence.
    Ok(Envelope {
        from: Mailbox::parse(sender).map_err(because("sender"))?,
        to: EmailAddress::parse(&message.recipient).map_err(because("recipient"))?,
    })
}

/// Builds the mail.
///
/// # Errors
/// As [`envelope`], and when name or subject could not stand in a mail.
pub fn compose(message: &Outgoing, provider_from: Option<&str>) -> Result<Mail, Failure> {
    let envelope = envelope(message, provider_from)?;
    let Envelope { from, to } = &envelope;
    let to_name = message.recipient_name.as_deref().filter(given);
    no_controls("The name", to_name.unwrap_or_default(), false).map_err(because("recipient"))?;
    let subject = message.subject.as_deref().unwrap_or_default();
    no_controls("The subject", subject, false).map_err(because("subject"))?;

    let mut builder = MessageBuilder::new()
        .from(Address::new_address(from.name(), from.address().as_str()))
        .to(Address::new_address(to_name, to.as_str()))
        .subject(subject)
        .message_id(format!("{}@{}", message.guid, from.address().domain()))
        .date(message.created.as_second())
        .header("Auto-Submitted", Raw::new("auto-generated"))
        .text_body(lines(&message.body));
    if let Some(html) = &message.html_body {
        builder = builder.html_body(lines(html));
    }
    let raw = builder
        .write_to_vec()
        .map_err(|why| refused("mail", &why.to_string()))?;
    Ok(Mail { envelope, raw })
}

fn given(text: &&str) -> bool {
    !text.trim().is_empty()
}

fn because(what: &'static str) -> impl FnOnce(Error) -> Failure {
    move |why| refused(what, &why.details())
}

fn refused(what: &str, why: &str) -> Failure {
    Failure {
        class: Class::Permanent,
        code: None,
        answer: format!("The {what} was refused before sending. {why}"),
        retry_after: None,
    }
}

/// Every line break as CRLF, which is what encoded text has too (RFC 2045, section 6.8); a control character
/// that has no place in a mail becomes U+FFFD, so that a server cannot trip over it.
fn lines(text: &str) -> String {
    // Without early return, so that many bytes are looked at together. 0xC2 begins the control characters beyond ASCII.
    let is_odd = |byte: u8| {
        (byte < b' ' && byte != b'\n' && byte != b'\t') | (byte == 0x7f) | (byte == 0xc2)
    };
    if !text.bytes().fold(false, |found, byte| found | is_odd(byte)) {
        return text.replace('\n', "\r\n");
    }
    let mut out = String::with_capacity(text.len() + text.len() / 32);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                chars.next_if_eq(&'\n');
                out.push_str("\r\n");
            }
            '\n' => out.push_str("\r\n"),
            '\t' => out.push('\t'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// The mail as DATA sends it: a dot at the start of a line is doubled, the last line ends, and a dot follows.
/// (RFC 5321, section 4.5.2)
#[must_use]
pub fn with_final_dot(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() + 64);
    if raw.starts_with(b".") {
        out.push(b'.');
    }
    let mut copied = 0;
    for place in memmem::find_iter(raw, b"\n.") {
        out.extend_from_slice(&raw[copied..=place]);
        out.push(b'.');
        copied = place + 1;
    }
    out.extend_from_slice(&raw[copied..]);
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}
