//! What an SMTP reply means, by the stage it came at. (delivery.md, "Retry policy"; RFC 5321, section 4.2)

use crate::channel::answer::Mask;
use crate::channel::{Class, Failure};
use std::time::Duration;

/// The step of the dialogue that a reply answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Greeting,
    Hello,
    StartTls,
    Auth,
    Reset,
    Mail,
    Rcpt,
    Data,
    /// The final dot: from here on the server may have taken the mail.
    Dot,
}

impl Stage {
    /// For a sentence about what did not come.
    pub(super) fn phrase(self) -> &'static str {
        match self {
            Self::Greeting => "waiting for the greeting",
            Self::Hello => "saying EHLO",
            Self::StartTls => "starting TLS",
            Self::Auth => "signing in",
            Self::Reset => "resetting the session",
            Self::Mail => "sending MAIL",
            Self::Rcpt => "sending RCPT",
            Self::Data => "sending DATA",
            Self::Dot => "waiting for the reply to the final dot",
        }
    }

    /// What silence, a lost connection or garbage means here.
    pub(super) fn without_reply(self) -> Class {
        match self {
            Self::Dot => Class::InDoubt,
            _ => Class::Provider,
        }
    }

    fn is_good(self, code: u16) -> bool {
        match self {
            Self::Greeting | Self::StartTls => code == 220,
            Self::Auth => code == 235,
            Self::Data => code == 354,
            Self::Hello | Self::Reset | Self::Mail | Self::Rcpt | Self::Dot => {
                (200..300).contains(&code)
            }
        }
    }
}

/// A server that puts us off with 450 or 451 is greylisting: it wants to see us again, but not soon.
const GREYLISTING_WAIT: Duration = Duration::from_secs(5 * 60);

/// Ok when the reply is the wished-for one, else what it means.
pub(super) fn judge(stage: Stage, code: u16, answer: &str, mask: &Mask) -> Result<(), Failure> {
    if stage.is_good(code) {
        return Ok(());
    }
    let about_us = matches!(
        stage,
        Stage::Greeting | Stage::Hello | Stage::StartTls | Stage::Auth
    );
    let class = match code {
        421 => Class::Provider,
        400..500 if about_us || stage == Stage::Reset => Class::Provider,
        400..500 => Class::Temporary,
        500..600 if about_us => Class::Configuration,
        530 | 534 | 535 | 538 if stage == Stage::Mail => Class::Configuration,
        500..600 if stage == Stage::Reset => Class::Provider,
        500..600 => Class::Permanent,
        // A good code in the wrong place: the two sides no longer speak of the same thing.
        _ => stage.without_reply(),
    };
    let mut failure = mask.failure(class, Some(code), answer);
    if class == Class::Temporary && matches!(code, 450 | 451) {
        failure.retry_after = Some(GREYLISTING_WAIT);
    }
    Err(failure)
}
