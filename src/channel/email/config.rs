//! What `smtp://` and `smtps://` may say. (cli.md, "Provider URLs")

use crate::channel::answer::Secret;
use crate::channel::url::Parts;
use crate::domain::address::Mailbox;
use crate::error::{Error, Result};

/// A mail server and how to speak to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpConfig {
    /// The URL with the password as `***`.
    pub masked: String,
    /// Host name or address; the name in the server's certificate.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: Tls,
    /// User and password for AUTH.
    pub credentials: Option<(String, Secret)>,
    /// The sender for messages whose template names none; a mailbox that [`Mailbox::parse`] takes.
    pub from: Option<String>,
    /// What EHLO says; none means the domain of the sender, so that this machine's name stays private.
    pub helo: Option<String>,
    /// How many connections may be open at once.
    pub connections: usize,
}

/// How an SMTP connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// From the first byte (`smtps://`).
    Implicit,
    /// By STARTTLS, or not at all.
    Required,
    /// By STARTTLS where the server offers it. The certificate is checked even then.
    Opportunistic,
    /// Never.
    None,
}

const CONNECTIONS_DEFAULT: usize = 4;
const CONNECTIONS_MAX: usize = 64;

impl SmtpConfig {
    /// Reads the parts of an `smtp://` or, with `implicit`, `smtps://` URL.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a sentence that says what to write instead.
    pub(in crate::channel) fn read(parts: Parts, implicit: bool) -> Result<Self> {
        let (tls, [from, helo, connections]) = if implicit {
            let params = parts.params(["from", "helo", "connections"])?;
            (Tls::Implicit, params)
        } else {
            let [tls, from, helo, connections] =
                parts.params(["tls", "from", "helo", "connections"])?;
            (
                read_tls(tls, parts.is_loopback())?,
                [from, helo, connections],
            )
        };
        let loopback = parts.is_loopback();
        let credentials = match (parts.user, parts.password) {
            (None, None) => None,
            (Some(user), Some(password)) if !user.is_empty() && !password.is_empty() => {
                Some((user, Secret::new(password)))
            }
            _ => {
                return Err(Error::invalid(
                    "smtp:// takes a user and a password together, as in smtp://user:password@host, or neither.",
                ));
            }
        };
        let may_be_clear = matches!(tls, Tls::None | Tls::Opportunistic);
        if credentials.is_some() && may_be_clear && !loopback {
            return Err(Error::invalid(
                "A password is not sent over a connection that may be unencrypted: use tls=required or smtps://, \
                 or leave out user and password.",
            ));
        }
        if let Some(from) = &from {
            Mailbox::parse(from).map_err(|why| {
                Error::invalid(format!("from= of smtp:// is no mailbox. {}", why.details()))
            })?;
        }
        Ok(Self {
            masked: parts.masked,
            host: parts.host,
            port: parts.port.unwrap_or(if implicit { 465 } else { 587 }),
            tls,
            credentials,
            from,
            helo: helo.map(read_helo).transpose()?,
            connections: connections
                .map(read_connections)
                .transpose()?
                .unwrap_or(CONNECTIONS_DEFAULT),
        })
    }
}

impl SmtpConfig {
    /// What EHLO says when there is no mail whose sender could tell: the domain of `from=`, or of a user that is an
    /// address.
    pub(super) fn helo_without_mail(&self) -> String {
        let from = self.from.as_deref().and_then(|f| Mailbox::parse(f).ok());
        let user = self.credentials.as_ref().map(|(user, _)| user.as_str());
        let user = user.and_then(|user| Mailbox::parse(user).ok());
        let domain = from
            .or(user)
            .map(|mailbox| mailbox.address().domain().to_owned());
        let helo = self.helo.clone().or(domain);
        helo.unwrap_or_else(|| "localhost".into())
    }
}

fn read_tls(word: Option<String>, loopback: bool) -> Result<Tls> {
    match word.as_deref() {
        None if loopback => Ok(Tls::None),
        None | Some("required") => Ok(Tls::Required),
        Some("opportunistic") => Ok(Tls::Opportunistic),
        Some("none") => Ok(Tls::None),
        Some(_) => Err(Error::invalid(
            "tls= of smtp:// is required, opportunistic or none.",
        )),
    }
}

fn read_helo(name: String) -> Result<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b);
    if name.is_empty() || name.len() > 253 || !name.bytes().all(plain) {
        return Err(Error::invalid(
            "helo= of smtp:// is a host name such as mail.example.com, or an address such as [192.0.2.1].",
        ));
    }
    Ok(name)
}

fn read_connections(number: String) -> Result<usize> {
    let number = number.parse().ok();
    number
        .filter(|n| (1..=CONNECTIONS_MAX).contains(n))
        .ok_or_else(|| {
            Error::invalid(format!(
                "connections= of smtp:// is a number from 1 to {CONNECTIONS_MAX}."
            ))
        })
}
