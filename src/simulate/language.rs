//! The words for faults: `WHERE [HOW OFTEN] = WHAT`, as in `smtp.rcpt next 3 = 451 4.7.1 Try again later`.
//!
//! Reading and writing are each other's reverse, so that what stands is shown in the words it can be ordered with.

mod read;
mod write;

use super::LOOK_ALIKES;
use super::fault::{Place, Stage};

/// The stages of an SMTP dialogue and their words, in its order.
#[rustfmt::skip] // A table: one stage a line.
const STAGES: &[(Stage, &str)] = &[
    (Stage::Connect, "connect"),
    (Stage::Greeting, "greeting"),
    (Stage::Ehlo, "ehlo"),
    (Stage::Helo, "helo"),
    (Stage::StartTls, "starttls"),
    (Stage::Handshake, "handshake"),
    (Stage::Auth, "auth"),
    (Stage::Mail, "mail"),
    (Stage::Rcpt, "rcpt"),
    (Stage::Data, "data"),
    (Stage::Body, "body"),
    (Stage::Dot, "dot"),
    (Stage::Kept, "kept"),
    (Stage::AfterDot, "after-dot"),
    (Stage::Rset, "rset"),
    (Stage::Quit, "quit"),
];

/// Every place with the words for it.
fn places() -> Vec<(Place, String)> {
    let smtp = STAGES
        .iter()
        .map(|(stage, word)| (Place::Smtp(*stage), format!("smtp.{word}")));
    let mut places: Vec<_> = smtp.collect();
    places.push((Place::HttpConnect, "http.connect".into()));
    let names = LOOK_ALIKES.iter().map(|known| Some(known.name));
    for name in [None].into_iter().chain(names) {
        let word = name.map_or_else(|| "http".to_owned(), |name| format!("http.{name}"));
        places.push((Place::Kept(name), format!("{word}.kept")));
        places.push((Place::Report(name), format!("{word}.report")));
        places.push((Place::Answer(name), word));
    }
    places
}

/// The language in words, with examples; lines short enough for any terminal.
#[must_use]
pub fn help() -> String {
    let services: Vec<_> = LOOK_ALIKES.iter().map(|known| known.name).collect();
    let services = services.join(", ");
    let examples = EXAMPLES.iter().map(|example| format!("  {example}\n"));
    let examples: String = examples.collect();
    format!(
        "\
A fault is WHERE [HOW OFTEN] = WHAT, as in
{examples}
WHERE:
  smtp.connect, greeting, ehlo, helo, starttls, handshake, auth, mail, rcpt,
  data, body, dot, kept, after-dot, rset, quit: each after smtp. and a dot.
  At smtp.dot the mail is not kept, at smtp.kept it is.
  http.connect   as soon as there is a connection
  http.SERVICE   in place of its answer; the message is not taken
  http.SERVICE.kept      the same, but the message is taken
  http.SERVICE.report    what it tells later of a message
  http, http.kept, http.report   every SERVICE
  SERVICE is one of {services}

HOW OFTEN: always (unless said), next 3, 20%, for 5m

WHAT:
  451 Try again   a reply; for HTTP, bars between headers and a body
  close, reset, silence   the connection ends, breaks, says nothing more
  refuse          the port is closed: smtp.connect; http.connect for a while
  hold            waits until the faults are lifted, then goes on as usual
  garbage, raw TEXT, flood TEXT   no answer, these bytes, and for ever;
                  escapes are \\r, \\n and \\xff
  late 30s, slow 20/s, huge, truncated, torn   the usual answer, or the one
                  that follows: later, so many bytes a second, 1 MiB longer,
                  cut in two by a close, cut in two by a reset
  ends undelivered 30003, twice, late 30s, reversed, early, lost   of reports:
                  another end, each twice, later, out of order, before the
                  answer to the message, never
"
    )
}

/// Faults that show what there is.
const EXAMPLES: &[&str] = &[
    "smtp.connect = refuse",
    "smtp.rcpt next 3 = 451 4.7.1 Try again later",
    "smtp.kept 5% = reset",
    "http.twilio for 5m = 503 Retry-After: 60 | Busy",
    "http.twilio.kept 20% = truncated",
    "http.twilio.report = ends undelivered 30003",
];

#[cfg(test)]
mod tests {
    use super::super::orders::Order;
    use super::*;

    #[test]
    fn what_the_help_says_can_be_ordered() {
        for example in EXAMPLES {
            let order: Order = example.parse().expect(example);
            assert_eq!(order.to_string(), *example);
        }
        let help = help();
        for (_, word) in STAGES {
            let place = format!("smtp.{word} next 1 = late 1s");
            assert_eq!(place.parse::<Order>().expect(word).to_string(), place);
            assert!(help.contains(word), "{word}");
        }
        assert!(help.lines().all(|line| line.len() < 80), "{help}");
    }
}
