//! Words into faults; what cannot be read is answered with what could have been written.

use super::places;
use crate::simulate::fault::{Fault, Manner, Place, Reply, Stage, Twist};
use crate::simulate::orders::{Order, Times};
use std::str::FromStr;
use std::time::Duration;

/// The longest a fault may make anybody wait, or last.
pub(crate) const TIME_MAX: Duration = Duration::from_secs(24 * 60 * 60);

type Read<T> = Result<T, String>;

impl FromStr for Order {
    type Err = String;

    /// Reads one fault.
    ///
    /// # Errors
    /// A sentence that quotes it, says what is wrong and what can be written instead.
    fn from_str(text: &str) -> Read<Self> {
        read(text).map_err(|why| format!("{:?} is no fault: {why}", text.trim()))
    }
}

fn read(text: &str) -> Read<Order> {
    let Some((before, what)) = text.split_once('=') else {
        return Err(
            "write where, an equals sign and what, as in smtp.rcpt = 451 4.7.1 Try again later."
                .into(),
        );
    };
    let before = before.trim();
    let (place, times) = before.split_once(' ').unwrap_or((before, ""));
    let place = place_of(place)?;
    let order = Order {
        place,
        times: times_of(times.trim())?,
        fault: fault_of(place, what.trim_start())?,
    };
    suits(&order)?;
    Ok(order)
}

fn place_of(word: &str) -> Read<Place> {
    let places = places();
    let found = places.iter().find(|(_, known)| known == word);
    found.map(|(place, _)| *place).ok_or_else(|| {
        let known: Vec<_> = places.iter().map(|(_, word)| word.as_str()).collect();
        format!(
            "there is no place {word:?}. There are {}.",
            known.join(", ")
        )
    })
}

fn times_of(text: &str) -> Read<Times> {
    let words: Vec<_> = text.split_whitespace().collect();
    let times = match words[..] {
        [] | ["always"] => Some(Times::Always),
        ["next"] => Some(Times::Next(1)),
        ["next", count] => count.parse().ok().filter(|c| *c > 0).map(Times::Next),
        ["for", time] => duration(time).map(Times::For),
        [percent] => percent
            .strip_suffix('%')
            .and_then(|number| number.parse().ok())
            .filter(|percent| (1..=100).contains(percent))
            .map(Times::Percent),
        _ => None,
    };
    times.ok_or_else(|| {
        format!(
            "how often is {text:?}? Write always, next 3, 20% or for 5m before the equals sign."
        )
    })
}

/// `500ms`, `30s` or `5m`, up to [`TIME_MAX`].
fn duration(text: &str) -> Option<Duration> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number: u64 = text[..digits].parse().ok()?;
    let time = match &text[digits..] {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        _ => return None,
    };
    (Duration::ZERO < time && time <= TIME_MAX).then_some(time)
}

/// The first word and what comes after it.
fn first(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, ""))
}

fn fault_of(place: Place, what: &str) -> Read<Fault> {
    if let Place::Report(_) = place {
        return twist_of(what.trim()).map(Fault::Report);
    }
    let (word, rest) = first(what);
    let plain = match word.trim() {
        "close" => Fault::Close,
        "reset" => Fault::Reset,
        "silence" => Fault::Silence,
        "hold" => Fault::Hold,
        "refuse" => Fault::Refuse,
        "garbage" => Fault::Garbage,
        "raw" => return bytes(rest).map(Fault::Bytes),
        "flood" => return bytes(rest).map(Fault::Flood),
        _ => return answer_of(place, what),
    };
    match rest.trim() {
        "" => Ok(plain),
        rest => Err(format!("{plain} stands alone, without {rest:?}.")),
    }
}

fn twist_of(what: &str) -> Read<Twist> {
    let words: Vec<_> = what.split_whitespace().collect();
    let twist = match words[..] {
        ["ends", status] => Some(Twist::Ends(status.to_owned(), None)),
        ["ends", status, code] => code
            .parse()
            .ok()
            .map(|code| Twist::Ends(status.to_owned(), Some(code))),
        ["twice"] => Some(Twist::Twice),
        ["late", time] => duration(time).map(Twist::Late),
        ["reversed"] => Some(Twist::Reversed),
        ["early"] => Some(Twist::Early),
        ["lost"] => Some(Twist::Lost),
        _ => None,
    };
    twist.ok_or_else(|| {
        format!("what is {what:?}? Reports go wrong as ends undelivered 30003, twice, late 30s, reversed, early or lost.")
    })
}

/// A manner, another reply, or both.
fn answer_of(place: Place, what: &str) -> Read<Fault> {
    let (manner, rest) = manner_of(what)?;
    if rest.trim().is_empty() && manner != Manner::Whole {
        return Ok(Fault::Answer(None, manner));
    }
    let (code, text) = first(rest);
    match code.trim().parse() {
        Ok(code) if (200..600).contains(&code) => {
            let is_http = !matches!(place, Place::Smtp(_));
            Ok(Fault::Answer(Some(reply_of(code, text, is_http)), manner))
        }
        Ok(code) => Err(format!("{code} is no reply; codes go from 200 to 599.")),
        Err(_) => Err(format!(
            "what is {rest:?}? Write a reply such as 451 Try again, or close, reset, silence, hold, refuse, garbage, \
             raw, flood, late 30s, slow, huge, truncated or torn."
        )),
    }
}

/// How the answer goes out, and what comes after that.
fn manner_of(what: &str) -> Read<(Manner, &str)> {
    let (word, rest) = first(what);
    let (next, after) = first(rest);
    Ok(match word.trim() {
        "huge" => (Manner::Huge, rest),
        "truncated" => (Manner::Truncated, rest),
        "torn" => (Manner::Torn, rest),
        "late" => match duration(next.trim()) {
            Some(time) => (Manner::Late(time), after),
            None => {
                return Err(format!(
                    "how late is {next:?}? Write 500ms, 30s or 5m, up to a day."
                ));
            }
        },
        "slow" => match next.trim().strip_suffix("/s").map(str::parse) {
            Some(Ok(bytes)) if bytes > 0 => (Manner::Slow(bytes), after),
            Some(_) => {
                return Err(format!(
                    "how slow is {next:?}? Write bytes a second, such as 20/s."
                ));
            }
            None => (Manner::Slow(1), rest),
        },
        _ => (Manner::Whole, what),
    })
}

/// HTTP headers and a body with bars between, or the words of an SMTP reply.
fn reply_of(code: u16, text: &str, is_http: bool) -> Reply {
    let (mut headers, mut rest) = (Vec::new(), text);
    while is_http && let Some((name, value, after)) = header(rest) {
        headers.push((name.to_owned(), value.to_owned()));
        rest = after;
    }
    // A bar says that no header follows, however much the rest looks like one.
    let text = rest.strip_prefix("| ").unwrap_or(rest).to_owned();
    Reply {
        code,
        headers,
        text,
    }
}

/// `Name: value`, up to a bar or the end.
pub(super) fn header(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.split_once(':')?;
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    let (value, after) = rest.split_once(" | ").unwrap_or((rest, ""));
    is_name.then(|| (name, value.trim(), after))
}

/// Text with `\r`, `\n`, `\t`, `\\`, quotes and `\xff` as escapes.
fn bytes(text: &str) -> Read<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(same @ (b'\\' | b'"' | b'\'')) => same,
            Some(b'x') => hex(rest.next(), rest.next()).ok_or(ESCAPES)?,
            _ => return Err(ESCAPES.into()),
        });
    }
    match bytes.is_empty() {
        true => Err("say which bytes, as in raw 250 Ok\\r\\n.".into()),
        false => Ok(bytes),
    }
}

const ESCAPES: &str = "after a backslash stands r, n, t, another backslash, a quote, or x with two hexadecimal digits.";

fn hex(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// Whether this can happen there.
fn suits(order: &Order) -> Read<()> {
    let Order {
        place,
        times,
        fault,
    } = order;
    let begins = matches!(place, Place::Smtp(Stage::Connect) | Place::HttpConnect);
    let is_lasting = matches!(times, Times::Always | Times::For(_));
    let has_usual = !begins
        && !matches!(
            place,
            Place::Smtp(Stage::Handshake | Stage::Body | Stage::AfterDot)
        );
    match fault {
        Fault::Refuse if !begins => Err(format!(
            "a port can refuse only at smtp.connect and http.connect, not at {place}."
        )),
        Fault::Refuse if !is_lasting => Err(
            "a closed port does not see who knocks, so it cannot count; write always or for 5m.".into(),
        ),
        _ if *place == Place::HttpConnect && *times == Times::Always => Err(
            "faults are lifted over that port too, so this one has to end by itself: write next 3, 20% or for 5m.".into(),
        ),
        Fault::Answer(None, manner) if !has_usual && !matches!(manner, Manner::Late(_)) => Err(
            format!("nothing is usually said at {place}, so nothing can be {manner}; late 30s, or a reply, would do."),
        ),
        _ => Ok(()),
    }
}
