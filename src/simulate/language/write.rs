//! Faults in words.

use super::places;
use super::read::header;
use crate::simulate::fault::{Fault, Manner, Place, Reply, Twist};
use crate::simulate::orders::{Order, Times};
use std::fmt::{Display, Formatter, Result};
use std::time::Duration;

impl Display for Order {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self {
            place,
            times,
            fault,
        } = self;
        match times {
            Times::Always => write!(f, "{place} = {fault}"),
            Times::Next(count) => write!(f, "{place} next {count} = {fault}"),
            Times::Percent(percent) => write!(f, "{place} {percent}% = {fault}"),
            Times::For(time) => write!(f, "{place} for {} = {fault}", in_words(*time)),
        }
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let places = places();
        let word = places.iter().find(|(place, _)| place == self);
        f.write_str(word.map_or("nowhere", |(_, word)| word))
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Answer(None, manner) => write!(f, "{manner}"),
            Self::Answer(Some(reply), Manner::Whole) => write!(f, "{reply}"),
            Self::Answer(Some(reply), manner) => write!(f, "{manner} {reply}"),
            Self::Bytes(bytes) => write!(f, "raw {}", bytes.escape_ascii()),
            Self::Flood(bytes) => write!(f, "flood {}", bytes.escape_ascii()),
            Self::Garbage => f.write_str("garbage"),
            Self::Close => f.write_str("close"),
            Self::Reset => f.write_str("reset"),
            Self::Silence => f.write_str("silence"),
            Self::Hold => f.write_str("hold"),
            Self::Refuse => f.write_str("refuse"),
            Self::Report(twist) => write!(f, "{twist}"),
        }
    }
}

impl Display for Reply {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}", self.code)?;
        let mut between = " ";
        for (name, value) in &self.headers {
            write!(f, "{between}{name}: {value}")?;
            between = " | ";
        }
        match self.text.as_str() {
            "" => Ok(()),
            text if header(text).is_some() || text.starts_with("| ") => {
                write!(f, "{between}| {text}")
            }
            text => write!(f, "{between}{text}"),
        }
    }
}

impl Display for Manner {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Whole => f.write_str("usual"),
            Self::Late(time) => write!(f, "late {}", in_words(*time)),
            Self::Slow(bytes) => write!(f, "slow {bytes}/s"),
            Self::Huge => f.write_str("huge"),
            Self::Truncated => f.write_str("truncated"),
            Self::Torn => f.write_str("torn"),
        }
    }
}

impl Display for Twist {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Ends(status, None) => write!(f, "ends {status}"),
            Self::Ends(status, Some(code)) => write!(f, "ends {status} {code}"),
            Self::Twice => f.write_str("twice"),
            Self::Late(time) => write!(f, "late {}", in_words(*time)),
            Self::Reversed => f.write_str("reversed"),
            Self::Early => f.write_str("early"),
            Self::Lost => f.write_str("lost"),
        }
    }
}

/// `1500ms`, `30s` or `5m`, whichever says it whole.
fn in_words(time: Duration) -> String {
    let millis = time.as_millis();
    match (millis % 60_000, millis % 1000) {
        (0, _) if millis > 0 => format!("{}m", millis / 60_000),
        (_, 0) => format!("{}s", millis / 1000),
        _ => format!("{millis}ms"),
    }
}
