//! The policy is one for all gateways: each has Twilio's lines, but for its own words.

use super::{Case, cases, expect_all, gateway_trial, meets};
use herald::domain::format::Channel;

/// How a gateway's lines differ from Twilio's, which the file has.
struct Dialect {
    service: &'static str,
    channel: Channel,
    /// What it misses in a good status that is nothing else; none if a good status is all it takes.
    misses: Option<&'static str>,
    /// Whether it would notice a message that comes twice: then a message in doubt is sent again.
    notices_repeats: bool,
}

/// The error that a line's gateway answers with, which only Twilio says like that.
const ERROR: &str = r#"{"code":21211,"message":"Said so","status":"#;

impl Dialect {
    /// The line as this gateway has it; none for what only Twilio says.
    fn line<'a>(&self, case: &Case<'a>, log: &'a str) -> Option<Case<'a>> {
        let mut line = Case { log, ..*case };
        if line.fault.contains(r#""sid":"#) {
            return None;
        }
        let is_good = case.log.starts_with(MISSES) && self.misses.is_none();
        if is_good {
            (line.class, line.state, line.counts, line.next) = ("none", "sent", "-", "-");
        } else if case.class == "in_doubt" && self.notices_repeats {
            (line.state, line.counts, line.next) = ("queued", "counts", "0..10");
        }
        Some(line)
    }

    /// What the log has where Twilio's has this.
    fn log(&self, case: &Case<'_>) -> String {
        match (case.log.strip_prefix(MISSES), self.misses) {
            (Some(rest), Some(misses)) => format!("{misses}{rest}"),
            (Some(_), None) => "…".into(),
            // It does not understand the words, and keeps them all.
            _ if case.log == "21211 Said so" => {
                let (_, status) = case.fault.split_once(ERROR).unwrap();
                format!("{ERROR}{status}")
            }
            _ => case.log.into(),
        }
    }
}

/// What Twilio misses.
const MISSES: &str = "No message SID in the answer:";

/// Tries all lines of the file as this gateway has them.
fn means_the_same(dialect: &Dialect) {
    let cases = cases(include_str!("../../../cases/retry/http.tsv"));
    let logs: Vec<_> = cases.iter().map(|case| dialect.log(case)).collect();
    let lines = cases.iter().zip(&logs);
    let lines: Vec<_> = lines
        .filter_map(|(case, log)| dialect.line(case, log))
        .collect();
    assert_eq!(lines.len(), cases.len() - 2);
    expect_all(&lines, |line| {
        let Dialect {
            service, channel, ..
        } = *dialect;
        meets(line, || gateway_trial(service, channel, line.fault))
    });
}

#[test]
fn whatever_vonage_answers_means_what_the_retry_policy_says() {
    means_the_same(&Dialect {
        service: "vonage",
        channel: Channel::Sms,
        misses: Some("No message in the answer:"),
        notices_repeats: true,
    });
}

#[test]
fn whatever_ntfy_answers_means_what_the_retry_policy_says() {
    means_the_same(&Dialect {
        service: "ntfy",
        channel: Channel::Push,
        misses: Some("No message id in the answer:"),
        notices_repeats: true,
    });
}

#[test]
fn whatever_gotify_answers_means_what_the_retry_policy_says() {
    means_the_same(&Dialect {
        service: "gotify",
        channel: Channel::Push,
        misses: Some("No message id in the answer:"),
        notices_repeats: true,
    });
}

#[test]
fn whatever_fcm_answers_means_what_the_retry_policy_says() {
    means_the_same(&Dialect {
        service: "fcm",
        channel: Channel::Push,
        misses: Some("No message name in the answer:"),
        notices_repeats: true,
    });
}

#[test]
fn whatever_any_gateway_answers_means_what_the_retry_policy_says() {
    means_the_same(&Dialect {
        service: "webhook",
        channel: Channel::Sms,
        misses: None,
        notices_repeats: true,
    });
}
