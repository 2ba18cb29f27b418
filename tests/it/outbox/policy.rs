//! The retry policy as pure functions: both ends of every random wait, and every border.

use super::{after, now};
use herald::channel::{Class, Failure};
use herald::domain::format::Channel;
use herald::domain::message::Status;
use herald::domain::retry::{Signal, Stage, TABLE};
use herald::outbox::policy::{Decided, Policy, Try, decide};
use herald::store::outbox::Verdict;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

const DAY_SECS: i64 = 86_400;

fn a_try(number: u32) -> Try {
    Try {
        channel: Channel::Email,
        number,
        expires: after(4 * DAY_SECS),
        recognises_repeats: true,
        is_probe: false,
    }
}

fn fault(class: Class, retry_after_secs: Option<u64>) -> Failure {
    Failure {
        class,
        code: None,
        answer: "Said so.".into(),
        retry_after: retry_after_secs.map(Duration::from_secs),
    }
}

fn decided(tried: Try, failure: &Failure, random: u64) -> Decided {
    decide(&Policy::default(), tried, failure, now(), random)
}

#[track_caller]
fn due(decided: &Decided) -> Timestamp {
    match decided.verdict {
        Verdict::Retry(due) => due,
        ref other => panic!("{other:?}"),
    }
}

#[track_caller]
fn over(decided: &Decided) -> (Status, &str) {
    match &decided.verdict {
        Verdict::Over(status, reason) => (*status, reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_wait_is_random_between_nothing_and_a_doubling_ceiling() {
    let temporary = fault(Class::Temporary, None);
    for (channel, number, ceiling_secs) in [
        (Channel::Email, 1, 60),
        (Channel::Email, 2, 120),
        (Channel::Email, 6, 1920),
        (Channel::Email, 7, 3600),
        (Channel::Email, 49, 3600),
        (Channel::Sms, 1, 10),
        (Channel::Sms, 6, 320),
        (Channel::Sms, 7, 600),
        (Channel::Push, 40, 600),
    ] {
        let tried = Try {
            channel,
            ..a_try(number)
        };
        let ends = [0, u64::MAX].map(|random| due(&decided(tried, &temporary, random)));
        assert_eq!(ends, [now(), after(ceiling_secs)], "{channel} {number}");
    }
}

#[test]
fn a_provider_that_names_a_time_is_not_asked_before() {
    let greylisted = fault(Class::Temporary, Some(300));
    assert_eq!(due(&decided(a_try(1), &greylisted, 0)), after(300));
    assert_eq!(due(&decided(a_try(1), &greylisted, u64::MAX)), after(300));
    // The message's own backoff may be longer.
    assert_eq!(due(&decided(a_try(7), &greylisted, u64::MAX)), after(3600));
}

#[test]
fn a_message_is_never_tried_after_its_life() {
    let short = |secs| Try {
        expires: after(secs),
        ..a_try(9)
    };
    let temporary = fault(Class::Temporary, None);
    let last = after(10) - SignedDuration::from_millis(1);
    assert_eq!(due(&decided(short(10), &temporary, u64::MAX)), last);
    let greylisted = fault(Class::Temporary, Some(300));
    assert_eq!(due(&decided(short(301), &greylisted, 0)), after(300));
    let expired = (
        Status::Expired,
        "Its life ends before it may be tried again. Said so.",
    );
    assert_eq!(over(&decided(short(300), &greylisted, 0)), expired);
    for class in [Class::Provider, Class::Configuration, Class::InDoubt] {
        assert_eq!(
            over(&decided(short(0), &fault(class, None), 0)),
            expired,
            "{class:?}"
        );
        assert_eq!(
            over(&decided(short(-5), &fault(class, None), u64::MAX)),
            expired
        );
    }
}

#[test]
fn the_last_of_fifty_attempts_is_the_last() {
    let temporary = fault(Class::Temporary, None);
    assert_eq!(due(&decided(a_try(49), &temporary, 0)), now());
    let gave_up = (Status::Failed, "Gave up after 50 attempts. Said so.");
    assert_eq!(over(&decided(a_try(50), &temporary, 0)), gave_up);
    let probe = Try {
        is_probe: true,
        ..a_try(50)
    };
    assert_eq!(
        due(&decided(probe, &fault(Class::Provider, None), 0)),
        now()
    );
    // A provider that refuses us costs no message its life.
    assert_eq!(
        due(&decided(a_try(50), &fault(Class::Configuration, None), 0)),
        now()
    );
}

#[test]
fn a_standing_still_of_the_provider_does_not_count_against_the_message() {
    let probe = |is_probe| Try {
        is_probe,
        ..a_try(1)
    };
    let counts = [
        (Class::Provider, false, true),
        (Class::Provider, true, false),
        (Class::Configuration, false, false),
        (Class::Temporary, true, true),
        (Class::Permanent, true, true),
        (Class::InDoubt, true, true),
    ];
    for (class, is_probe, expected) in counts {
        let decided = decided(probe(is_probe), &fault(class, None), 0);
        assert_eq!(decided.counts, expected, "{class:?} {is_probe}");
    }
}

#[test]
fn a_doubt_is_repeated_only_where_a_repeat_is_recognised() {
    let doubt = fault(Class::InDoubt, None);
    assert_eq!(due(&decided(a_try(1), &doubt, u64::MAX)), after(60));
    let blind = Try {
        recognises_repeats: false,
        ..a_try(1)
    };
    let reason =
        "in_doubt: the provider may have taken it, and would not recognise a repeat. Said so.";
    assert_eq!(over(&decided(blind, &doubt, 0)), (Status::Failed, reason));
}

#[test]
fn only_a_provider_that_surely_took_nothing_is_passed_over() {
    let passed = [
        Class::Provider,
        Class::Configuration,
        Class::Temporary,
        Class::Permanent,
        Class::InDoubt,
        Class::Gone,
    ]
    .map(|class| class.action().tries_next_provider);
    assert_eq!(passed, [true, true, false, false, false, false]);
}

#[test]
fn every_signal_has_its_row_and_every_row_its_signals() {
    let stages = [
        Stage::Greeting,
        Stage::Hello,
        Stage::StartTls,
        Stage::Auth,
        Stage::Reset,
        Stage::Mail,
        Stage::Rcpt,
        Stage::Data,
        Stage::Dot,
    ];
    let mut signals = vec![
        Signal::Unreachable,
        Signal::BrokenHandshake,
        Signal::BadCertificate,
        Signal::Lacking,
        Signal::NoStatus,
        Signal::Unregistered,
    ];
    signals.extend(stages.map(Signal::NoReply));
    for code in 0..=999 {
        signals.push(Signal::Status(code));
        signals.extend(stages.map(|stage| Signal::Reply(stage, code)));
    }
    let mut rows: Vec<_> = TABLE.iter().map(|rule| (rule.signals, 0)).collect();
    for signal in signals {
        let rule = signal.rule();
        let row = rows.iter_mut().find(|(words, _)| *words == rule.signals);
        row.unwrap().1 += 1;
    }
    for (words, signals) in rows {
        assert!(signals > 0, "a row above it covers all of: {words}");
    }
}
