//! One exchange with one provider: the content opened for it, its words kept, its health noted.

use super::health::{TROUBLE_CHARS_MAX, Trouble};
use super::{Guarded, Lane};
use crate::channel::{Class, Failure, Receipt, Session, without_content};
use crate::domain::retry::Health;
use crate::store::claims::Claimed;
use crate::store::outbox::AttemptResult;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// Hands the message over, and says how it went. The next one over this session has been claimed like it.
pub(super) fn attempt(
    lane: &Lane,
    guarded: &Guarded,
    session: &mut Option<Box<dyn Session>>,
    message: &Claimed,
    next: Option<&Claimed>,
) -> (AttemptResult, Option<Failure>) {
    let Guarded {
        provider, breaker, ..
    } = guarded;
    let outgoing = match lane.store.opened(&message.outgoing) {
        Ok(outgoing) => outgoing,
        // The key may be put back while the message lives; the provider has nothing to do with it.
        Err(fault) => {
            return failed(
                failure(Class::Temporary, fault.cause().unwrap_or_default()),
                0,
            );
        }
    };
    let started = Instant::now();
    let sent = catch_unwind(AssertUnwindSafe(|| {
        session
            .get_or_insert_with(|| provider.session())
            .send_before(&outgoing, next.map(|next| &next.outgoing))
    }));
    let duration_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
    let sent = sent.unwrap_or_else(|_| {
        *session = None;
        let what = "The sender crashed during this attempt.";
        Err(failure(Class::InDoubt, what))
    });
    let health = match &sent {
        Ok(_) => Health::Alive,
        Err(failure) => failure.class.action().health,
    };
    breaker.note(health, lane.clock.steady());
    let guid = message.outgoing.guid;
    match sent {
        Ok(mut receipt) => {
            receipt.answer = without_content(receipt.answer, &outgoing);
            log::info!("message {guid} accepted by {}", provider.name());
            (accepted(receipt, duration_ms), None)
        }
        Err(mut failure) => {
            failure.answer = without_content(failure.answer, &outgoing);
            // What is the message's fault may name its recipient, and says nothing about the provider.
            if health != Health::Alive {
                breaker.remember(Trouble {
                    at: lane.clock.now(),
                    class: failure.class,
                    code: failure.code,
                    text: failure.answer.chars().take(TROUBLE_CHARS_MAX).collect(),
                });
            }
            let class = failure.class.word();
            log::warn!(
                "message {guid} not accepted by {} ({class}): {}",
                provider.name(),
                failure.answer
            );
            failed(failure, duration_ms)
        }
    }
}

fn failure(class: Class, answer: &str) -> Failure {
    Failure {
        class,
        code: None,
        answer: answer.into(),
        retry_after: None,
    }
}

fn failed(failure: Failure, duration_ms: i64) -> (AttemptResult, Option<Failure>) {
    (refused(&failure, duration_ms), Some(failure))
}

fn accepted(receipt: Receipt, duration_ms: i64) -> AttemptResult {
    let Receipt {
        provider_id,
        code,
        answer,
    } = receipt;
    AttemptResult {
        duration_ms,
        accepted: true,
        class: None,
        code,
        answer,
        provider_id,
    }
}

fn refused(failure: &Failure, duration_ms: i64) -> AttemptResult {
    AttemptResult {
        duration_ms,
        accepted: false,
        class: Some(failure.class.word()),
        code: failure.code,
        answer: failure.answer.clone(),
        provider_id: None,
    }
}
