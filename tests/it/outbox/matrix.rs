//! The retry policy over everything that providers do: a line a case, in `tests/cases/retry/`. (delivery.md)

mod gateways;

use super::{Bench, Puppet, after, claim, entry, mail, now, push, put, sms, stop};
use crate::support::outside::{account, gateway, mail_server, url_of};
use herald::channel::{Means, Provider, Receipt, Timeouts, build};
use herald::domain::format::Channel;
use herald::domain::message::{LogEntry, Status};
use herald::outbox::Outbox;
use herald::outbox::policy::Policy;
use herald::simulate::orders::{Order, Times};
use herald::simulate::smtp::Options;
use herald::store::Tx;
use herald::store::claims::Takes;
use jiff::Timestamp;
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const STAGES: [&str; 9] = [
    "connect", "greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "dot",
];
#[rustfmt::skip]
const BEHAVIOURS: [&str; 24] = [
    "421", "450", "451", "452", "454", "500", "501", "502", "503", "504", "530", "534", "535", "550", "551", "552", "553",
    "554", "556", "close", "reset", "silence", "garbage", "huge",
];

/// Cases that run at once: most of their time they wait for a disk or for a time-out.
const WORKERS: usize = 12;

/// The step that a case leaves hanging ends after this long; all others have minutes.
const SHORT: Duration = Duration::from_secs(3);

/// A line of a file.
#[derive(Debug, PartialEq)]
struct Case<'a> {
    fault: &'a str,
    class: &'a str,
    state: &'a str,
    counts: &'a str,
    next: &'a str,
    breaker: &'a str,
    log: &'a str,
}

fn cases(text: &str) -> Vec<Case<'_>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let read = |line| {
        let columns: Vec<_> = str::split(line, '\t').collect();
        let [fault, class, state, counts, next, breaker, log] = columns[..] else {
            panic!("{line:?} has not seven columns");
        };
        Case {
            fault,
            class,
            state,
            counts,
            next,
            breaker,
            log,
        }
    };
    lines.map(read).collect()
}

/// Runs all cases and shows every one that is not as its line says.
fn expect_all<C: Sync>(cases: &[C], run: impl Fn(&C) -> Result<(), String> + Sync) {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = run(case) {
                        wrong.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "{} lines:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// A provider that meets the fault with its first message, alone in its channel.
struct Trial {
    bench: Bench,
    outbox: Outbox,
    channel: Channel,
    provider: Arc<dyn Provider>,
    /// What it sends to.
    _outside: Box<dyn Any>,
}

impl Trial {
    fn start(channel: Channel, url: &str, outside: impl Any, timeouts: Timeouts) -> Self {
        let bench = Bench::new();
        let means = Means {
            timeouts,
            clock: bench.app.clock.clone(),
            hooks: None,
            capture: &|_| panic!("nothing is captured here"),
        };
        let provider = build(channel, url, &means).unwrap();
        let policy = Policy {
            breaker_faults: 1,
            ..Policy::default()
        };
        let app = &bench.app;
        let providers = BTreeMap::from([(channel, vec![provider.clone().into()])]);
        let outbox = Outbox::start(&app.store, &app.clock, &app.bells, &policy, providers);
        Self {
            outbox: outbox.unwrap(),
            bench,
            channel,
            provider,
            _outside: Box::new(outside),
        }
    }

    /// Sends a message, which is tried and rests.
    fn tried(&self) -> LogEntry {
        let message = match self.channel {
            Channel::Email => mail(),
            Channel::Sms => sms(),
            Channel::Push => push(),
        };
        let id = put(&self.bench.app, message);
        self.bench.until("it is tried", || {
            let line = entry(&self.bench.app, id).line;
            line.attempts > 0 && line.status != Status::Sending
        });
        entry(&self.bench.app, id)
    }

    /// Takes the message that waits out of the senders' hands, and says whether its try counts.
    fn counted(&self) -> &'static str {
        let (channel, far) = (self.channel, after(24 * 3600));
        let take = move |tx: &Tx<'_>| {
            let sender = "app@example.com";
            claim(tx, channel, Takes::All, 2, "test", sender, far)
        };
        let claimed = self.bench.app.store.write(take).unwrap();
        match claimed
            .iter()
            .map(|message| message.tries - 1)
            .collect::<Vec<_>>()[..]
        {
            [] => "-",
            [0] => "free",
            [1] => "counts",
            _ => panic!("{claimed:?}"),
        }
    }

    /// What the breaker was told, from when its provider is used again. Another provider takes what it does not let in.
    fn told(&self) -> &'static str {
        let mut second = Puppet::new("second:", |_| Ok(Receipt::default()));
        second.connections = self.provider.connections();
        let second: Arc<dyn Provider> = Arc::new(second);
        let both = vec![self.provider.clone().into(), second.into()];
        self.outbox.set(self.channel, both).unwrap();
        for (step, told) in [
            (0, "alive"),
            (29, "fault too early"),
            (1, "fault"),
            (29, "misconfigured too early"),
            (1, "misconfigured"),
        ] {
            self.bench.app.clock.advance(Duration::from_secs(step));
            // A sender that looked at the clock before it moved may take the first of them.
            let mut providers = (0..3).map(|_| self.tried().attempts[0].provider.clone());
            if providers.any(|provider| provider != "second:") {
                return told;
            }
        }
        "something else"
    }
}

/// A sender that was let in before the fault may try a message that is due at once a second time. That shows nothing:
/// another trial is made then, up to so many.
const TRIALS_MAX: usize = 5;

/// Meets the fault, and takes the message away before anything else happens to it.
fn one(start: impl Fn() -> Trial) -> (Trial, LogEntry, &'static str) {
    let trial = start();
    let first = trial.tried();
    let counted = trial.counted();
    (trial, first, counted)
}

/// Meets the fault, and compares everything that follows from it with the line.
fn meets(case: &Case<'_>, start: impl Fn() -> Trial) -> Result<(), String> {
    let (mut trial, mut first, mut counted) = one(&start);
    for _ in 0..TRIALS_MAX {
        let is_alone = first.attempts.len() == 1;
        if is_alone && (counted != "-" || first.line.status != Status::Queued) {
            break;
        }
        stop(trial.outbox);
        (trial, first, counted) = one(&start);
    }
    let attempt = &first.attempts[0];
    let answer = attempt.answer.clone().unwrap_or_default();
    let error = first.line.error.clone().unwrap_or_default();
    let secs = |until: Timestamp| until.duration_since(now()).as_secs_f64();
    let (least, most) = case.next.split_once("..").unwrap_or((case.next, case.next));
    let is_in_time = match (least.parse::<f64>(), most.parse::<f64>()) {
        (Ok(least), Ok(most)) => (least..=most).contains(&secs(first.due)),
        _ => case.next == "-",
    };
    // What was sent has an answer and no error.
    let is_told = is_like(&answer, case.log) && (error.is_empty() || error.ends_with(&answer));
    let is_doubt = error.starts_with(
        "in_doubt: the provider may have taken it, and would not recognise a repeat. ",
    );
    let state = first.line.status.word();
    let is_left_to_a_person = case.class == "in_doubt" && state == "failed";
    let found = Case {
        fault: case.fault,
        class: attempt.class.as_deref().unwrap_or("none"),
        state,
        counts: counted,
        next: if is_in_time { case.next } else { "another" },
        breaker: trial.told(),
        log: if is_told { case.log } else { &answer },
    };
    stop(trial.outbox);
    if found != *case || is_doubt != is_left_to_a_person {
        return Err(format!(
            "{}\n  is {found:?},\n  due after {} s, with the error {error:?}",
            case.fault,
            secs(first.due)
        ));
    }
    Ok(())
}

/// Whether a text is as wished, where … stands for any text.
fn is_like(text: &str, wished: &str) -> bool {
    match wished.split_once('…') {
        None => text == wished,
        Some((start, rest)) => {
            let after = text.strip_prefix(start);
            after.is_some_and(|after| match rest.strip_suffix('…') {
                Some(middle) => after.contains(middle),
                None => after.ends_with(rest),
            })
        }
    }
}

/// All steps have minutes, but for the one that the fault leaves hanging.
fn timeouts(fault: &str) -> Timeouts {
    let mut timeouts = Timeouts::default();
    if fault.contains("silence") || fault.contains("slow") {
        *match fault {
            fault if fault.starts_with("smtp.dot") => &mut timeouts.smtp_final_dot,
            fault if fault.starts_with("smtp.connect") => &mut timeouts.smtp_greeting,
            fault if fault.starts_with("smtp.greeting") => &mut timeouts.smtp_greeting,
            fault if fault.starts_with("smtp.") => &mut timeouts.smtp_command,
            _ => &mut timeouts.http_total,
        } = SHORT;
    }
    timeouts
}

/// The fault, which strikes once.
fn once(fault: &str) -> Order {
    let mut order: Order = fault.parse().unwrap();
    order.times = Times::Next(1);
    order
}

#[test]
fn whatever_a_mail_server_does_at_any_stage_means_what_the_retry_policy_says() {
    let cases = cases(include_str!("../../cases/retry/smtp.tsv"));
    let faults: BTreeSet<_> = cases.iter().map(|case| case.fault).collect();
    for (stage, behaviour) in STAGES.iter().flat_map(|s| BEHAVIOURS.map(|b| (s, b))) {
        let start = format!("smtp.{stage} = {behaviour}");
        assert!(
            faults.iter().any(|fault| fault.starts_with(&start)),
            "{start}"
        );
    }
    assert!(faults.len() == cases.len() && faults.len() >= 9 * 24);
    // Commands that go out together are judged one by one, so it makes no difference whether they do.
    let both: Vec<_> = cases
        .iter()
        .flat_map(|case| [(case, true), (case, false)])
        .collect();
    expect_all(&both, |(case, pipelining)| {
        meets(case, || {
            let is_tls = ["smtp.starttls", "smtp.handshake"]
                .iter()
                .any(|s| case.fault.starts_with(s));
            let server = mail_server(Options {
                starttls: is_tls,
                pipelining: *pipelining,
                account: account("anna", "secret"),
                ..Options::default()
            });
            server.orders().add(vec![once(case.fault)]).unwrap();
            let (url, timeouts) = (server.url(is_tls), timeouts(case.fault));
            Trial::start(Channel::Email, &url, server, timeouts)
        })
    });
}

/// Sends through this service of a gateway, which meets the fault.
fn gateway_trial(service: &str, channel: Channel, fault: &str) -> Trial {
    let gateway = gateway();
    let order = once(&format!("http.{service} = {fault}"));
    gateway.orders().add(vec![order]).unwrap();
    let url = url_of(&gateway, service);
    Trial::start(channel, &url, gateway, timeouts(fault))
}

#[test]
fn whatever_a_gateway_answers_means_what_the_retry_policy_says() {
    let cases = cases(include_str!("../../cases/retry/http.tsv"));
    let statuses = cases
        .iter()
        .filter(|case| case.fault.contains("21211") || case.fault.len() == 3);
    assert_eq!(statuses.count(), 30 * 6);
    assert!(
        cases
            .iter()
            .filter(|case| case.fault.contains("Retry-After"))
            .count()
            >= 12
    );
    expect_all(&cases, |case| {
        meets(case, || gateway_trial("twilio", Channel::Sms, case.fault))
    });
}
