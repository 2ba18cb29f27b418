//! Whether an SMTP reply is the wished-for one; what any other means is the retry policy's. (RFC 5321, section 4.2)

use crate::channel::Failure;
use crate::channel::answer::Mask;
use crate::domain::retry::{Signal, Stage};

/// For a sentence about what did not come.
pub(super) fn phrase(stage: Stage) -> &'static str {
    match stage {
        Stage::Greeting => "waiting for the greeting",
        Stage::Hello => "saying EHLO",
        Stage::StartTls => "starting TLS",
        Stage::Auth => "signing in",
        Stage::Reset => "resetting the session",
        Stage::Mail => "sending MAIL",
        Stage::Rcpt => "sending RCPT",
        Stage::Data => "sending DATA",
        Stage::Dot => "waiting for the reply to the final dot",
    }
}

fn is_good(stage: Stage, code: u16) -> bool {
    match stage {
        Stage::Greeting | Stage::StartTls => code == 220,
        Stage::Auth => code == 235,
        Stage::Data => code == 354,
        Stage::Hello | Stage::Reset | Stage::Mail | Stage::Rcpt | Stage::Dot => {
            (200..300).contains(&code)
        }
    }
}

/// Ok when the reply is the wished-for one, else what it means.
pub(super) fn judge(stage: Stage, code: u16, answer: &str, mask: &Mask) -> Result<(), Failure> {
    match is_good(stage, code) {
        true => Ok(()),
        false => Err(mask.signal(Signal::Reply(stage, code), answer)),
    }
}
