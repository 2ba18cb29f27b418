//! What a test orders of the fake mail server, and what it reads back.

use std::sync::{Arc, Barrier};

/// How the server behaves when nothing goes wrong.
#[derive(Clone)]
pub(crate) struct Options {
    /// Whether TLS begins at once.
    pub(crate) implicit_tls: bool,
    /// Whether EHLO offers STARTTLS.
    pub(crate) starttls: bool,
    /// The user and password it lets in; with them it refuses MAIL from anybody else.
    pub(crate) account: Option<(&'static str, &'static str)>,
    /// The mechanisms that EHLO offers.
    pub(crate) mechanisms: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            implicit_tls: false,
            starttls: false,
            account: None,
            mechanisms: "PLAIN LOGIN",
        }
    }
}

/// The moment at which a fault strikes: in place of the reply to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Greeting,
    Ehlo,
    Helo,
    StartTls,
    /// In place of the TLS handshake.
    Handshake,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// After 354, before the body is read.
    Body,
    /// The final dot; the mail is kept only if the fault is a 2xx reply.
    Dot,
    /// The mail is kept, the reply to the final dot is still to come.
    Kept,
    Rset,
    Quit,
    /// After the reply to the final dot has gone out.
    AfterDot,
}

/// What it does instead of answering.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Sends these bytes and goes on.
    Reply(Vec<u8>),
    /// Closes the connection.
    Close,
    /// Resets the connection.
    Reset,
    /// Says nothing until the client goes.
    Silence,
    /// Waits until the test is at the barrier too, then goes on as usual.
    Hold(Arc<Barrier>),
    /// Sends the bytes over and over until the client goes.
    Flood(&'static [u8]),
}

impl Fault {
    /// A reply line; CRLF is added.
    pub(crate) fn reply(line: &str) -> Self {
        Self::Reply(format!("{line}\r\n").into_bytes())
    }
}

/// A mail that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    /// The connection it came over, from 0.
    pub(crate) connection: usize,
    /// Whether that was encrypted.
    pub(crate) tls: bool,
    /// Who had signed in.
    pub(crate) user: Option<String>,
    /// The address of MAIL.
    pub(crate) from: String,
    /// The addresses of RCPT.
    pub(crate) to: Vec<String>,
    /// The mail without the doubled dots.
    pub(crate) data: Vec<u8>,
}
