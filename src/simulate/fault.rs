//! What can go wrong, and where: one vocabulary for the tests and for `herald simulate --fault`.

use std::time::Duration;

/// Where a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A moment of an SMTP dialogue.
    Smtp(Stage),
    /// The gateways' listener, as soon as a connection is there.
    HttpConnect,
    /// The answer to a request; the message is not taken if another answer is given. None is every service.
    Answer(Option<&'static str>),
    /// The answer to a request whose message has been taken.
    Kept(Option<&'static str>),
    /// What the service tells the sender later of a message it took.
    Report(Option<&'static str>),
}

impl Place {
    /// Whether a fault that was ordered for this place strikes at that one.
    #[must_use]
    pub fn covers(self, there: Self) -> bool {
        match (self, there) {
            (Self::Answer(None), Self::Answer(_))
            | (Self::Kept(None), Self::Kept(_))
            | (Self::Report(None), Self::Report(_)) => true,
            _ => self == there,
        }
    }
}

/// A moment of an SMTP dialogue; a fault strikes in place of the reply to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// As soon as the connection is there, as a doorkeeper before the server: a reply is said, then it closes.
    Connect,
    /// The server's first words.
    Greeting,
    /// EHLO.
    Ehlo,
    /// HELO.
    Helo,
    /// STARTTLS.
    StartTls,
    /// In place of the TLS handshake.
    Handshake,
    /// AUTH, when the password has come.
    Auth,
    /// MAIL.
    Mail,
    /// RCPT.
    Rcpt,
    /// DATA.
    Data,
    /// After 354, before the body is read.
    Body,
    /// The final dot; the mail is not kept if another reply is given.
    Dot,
    /// The mail is kept, the reply to the final dot is still to come.
    Kept,
    /// After the reply to the final dot has gone out.
    AfterDot,
    /// RSET.
    Rset,
    /// QUIT.
    Quit,
}

/// What happens instead of what usually does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Another answer, or the usual one when there is none, sent in a manner of its own.
    Answer(Option<Reply>, Manner),
    /// These bytes, whatever they are.
    Bytes(Vec<u8>),
    /// Bytes that are no protocol at all.
    Garbage,
    /// These bytes over and over, until the client goes.
    Flood(Vec<u8>),
    /// Closes the connection.
    Close,
    /// Resets the connection.
    Reset,
    /// Says nothing until the client goes.
    Silence,
    /// Waits until the faults are lifted, then goes on as usual.
    Hold,
    /// As a server that is not there: open connections end and the port is closed. Only where connections begin, and for as
    /// long as it is ordered.
    Refuse,
    /// Reports go another way; all that stand for a service strike together.
    Report(Twist),
}

/// How reports of what became of a message go wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Twist {
    /// They end with another status than that all is well, and with an error code if there is one.
    Ends(String, Option<u32>),
    /// Each comes twice.
    Twice,
    /// They come this much later.
    Late(Duration),
    /// The first comes last.
    Reversed,
    /// They come before the answer to the request.
    Early,
    /// None comes.
    Lost,
}

/// An answer that a fault gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// SMTP or HTTP status code.
    pub code: u16,
    /// Further HTTP headers.
    pub headers: Vec<(String, String)>,
    /// The words after an SMTP code, or an HTTP body.
    pub text: String,
}

/// How an answer goes out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Manner {
    /// At once.
    #[default]
    Whole,
    /// After a while.
    Late(Duration),
    /// Byte by byte, so many a second.
    Slow(u32),
    /// With [`HUGE_BYTES`] more than anybody needs.
    Huge,
    /// One half of it, then a close.
    Truncated,
    /// One half of it, then a reset.
    Torn,
}

/// How much longer a huge answer is.
pub const HUGE_BYTES: usize = 1024 * 1024;

/// What [`Fault::Garbage`] sends.
pub const GARBAGE: &[u8] = b"\x00\x01\xfe\xffgarbage\x7f\r\n";

impl Fault {
    /// An SMTP reply line. One that does not begin with a code is sent as it stands.
    #[must_use]
    pub fn reply(line: &str) -> Self {
        let (code, text) = line.split_once(' ').unwrap_or((line, ""));
        match code.parse() {
            Ok(code) if (100..1000).contains(&code) => Self::http(code, &[], text),
            _ => Self::Bytes(format!("{line}\r\n").into_bytes()),
        }
    }

    /// An HTTP answer.
    #[must_use]
    pub fn http(code: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        let reply = Reply {
            code,
            headers: headers.iter().map(owned).collect(),
            text: body.to_owned(),
        };
        Self::Answer(Some(reply), Manner::Whole)
    }

    /// The same answer in another manner; other faults stay as they are.
    #[must_use]
    pub fn sent(self, manner: Manner) -> Self {
        match self {
            Self::Answer(reply, _) => Self::Answer(reply, manner),
            other => other,
        }
    }
}
