//! The template engine as Herald runs it: empty but for what is added here, strict, and bounded in time and memory.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::io;

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior};

use crate::domain::placeholder;

/// The largest rendered part, in bytes.
pub const OUTPUT_BYTES_MAX: usize = 256 * 1024;
/// The most text all values of one message hold together, in bytes; each value counts 16 more.
pub const VALUES_BYTES_MAX: usize = 256 * 1024;
/// The deepest nesting of lists and maps in a value.
pub const VALUE_DEPTH_MAX: usize = 8;
/// The most steps one part may take, as the engine counts them; a usual mail takes a few hundred.
pub const STEPS_MAX: u64 = 50_000;
/// The most text that the filters of one part may go through, in bytes.
const FILTERED_BYTES_MAX: usize = 1024 * 1024;

/// The filters of a template and how many arguments each takes.
pub const FILTERS: [(&str, usize); 9] = [
    ("upper", 0),
    ("lower", 0),
    ("capitalize", 0),
    ("trim", 0),
    ("length", 0),
    ("first", 0),
    ("last", 0),
    ("default", 1),
    ("join", 1),
];

/// A new environment; with `escape`, whatever a tag prints is HTML-encoded, exactly once.
pub(super) fn environment<'s>(escape: bool) -> Environment<'s> {
    let mut env = Environment::empty();
    env.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    env.set_fuel(Some(STEPS_MAX));
    // Debug mode would copy source and values into every error.
    env.set_debug(false);
    env.set_formatter(move |out, _, value| print(out, value, escape));
    env.add_test("defined", |v: &Value| !v.is_undefined());
    env.add_test("undefined", |v: &Value| v.is_undefined());
    // A null of the request has become an undefined value.
    env.add_test("none", |v: &Value| v.is_undefined() || v.is_none());
    add_filters(&mut env);
    env
}

fn print(out: &mut Output<'_>, value: &Value, escape: bool) -> Result<(), Error> {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::Bool | ValueKind::Number => Ok(out.write_fmt(format_args!("{value}"))?),
        ValueKind::String if escape => Ok(write_escaped(out, value.as_str().unwrap_or_default())?),
        ValueKind::String => Ok(out.write_str(value.as_str().unwrap_or_default())?),
        _ => Err(invalid(
            "a list or a map cannot be printed; use 'for', 'join' or an attribute",
        )),
    }
}

/// The bytes that HTML takes for its own. Looked up, for comparing each byte of a long text with all of them costs more than
/// writing it.
const ESCAPED: [bool; 256] = {
    let mut escaped = [false; 256];
    let mut at = 0;
    while at < HTML.len() {
        escaped[HTML[at] as usize] = true;
        at += 1;
    }
    escaped
};
const HTML: &[u8] = b"&<>\"'";

/// Writes text so that HTML shows it as it is, in text and in quoted attributes.
pub(super) fn write_escaped(out: &mut impl std::fmt::Write, text: &str) -> std::fmt::Result {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| ESCAPED[usize::from(byte)]) {
        out.write_str(&rest[..at])?;
        out.write_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "&#39;",
        })?;
        rest = &rest[at + 1..];
    }
    out.write_str(rest)
}

fn invalid(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, what)
}

fn text(value: &Value) -> Result<&str, Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    value
        .as_str()
        .ok_or_else(|| invalid("this filter takes text"))
}

/// What the filters of one render have gone through, in bytes: they are the one place where few steps can touch much text.
/// It lives with the render, because the environment is shared.
#[derive(Default)]
struct Spent(usize);

fn spend(state: &mut State<'_, '_>, bytes: usize) -> Result<(), Error> {
    let Spent(spent) = state.get_or_insert_extension(Spent::default());
    *spent = spent.saturating_add(bytes);
    match *spent > FILTERED_BYTES_MAX {
        true => Err(Error::from(ErrorKind::OutOfFuel)),
        false => Ok(()),
    }
}

fn add_filters(env: &mut Environment<'_>) {
    let over_text = |name: &'static str, env: &mut Environment<'_>, change: fn(&str) -> String| {
        env.add_filter(
            name,
            move |state: &mut State<'_, '_>, value: &Value| -> Result<String, Error> {
                let text = text(value)?;
                spend(state, text.len())?;
                Ok(change(text))
            },
        );
    };
    over_text("upper", env, str::to_uppercase);
    over_text("lower", env, str::to_lowercase);
    over_text("trim", env, |text| text.trim().to_owned());
    over_text("capitalize", env, |text| {
        let mut chars = text.chars();
        let first = chars.next().map(char::to_uppercase);
        first
            .into_iter()
            .flatten()
            .chain(chars.flat_map(char::to_lowercase))
            .collect()
    });
    env.add_filter(
        "length",
        |state: &mut State<'_, '_>, value: &Value| -> Result<usize, Error> {
            match (value.is_undefined(), value.as_str()) {
                (true, _) => Err(Error::from(ErrorKind::UndefinedError)),
                (_, Some(text)) => spend(state, text.len()).map(|()| text.chars().count()),
                _ => value
                    .len()
                    .ok_or_else(|| invalid("only text, lists and maps have a length")),
            }
        },
    );
    env.add_filter("first", |value: &Value| end_of(value, false));
    env.add_filter("last", |value: &Value| end_of(value, true));
    env.add_filter("default", |value: Value, other: Value| {
        match value.is_undefined() {
            true => other,
            false => value,
        }
    });
    env.add_filter(
        "join",
        |state: &mut State<'_, '_>, list: &Value, separator: &Value| {
            join(state, list, text(separator)?)
        },
    );
}

/// The first or the last item of a list; undefined if it is empty.
fn end_of(list: &Value, last: bool) -> Result<Value, Error> {
    match list.kind() {
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::Seq => {
            let index = if last {
                list.len().unwrap_or(0).saturating_sub(1)
            } else {
                0
            };
            Ok(list.get_item_by_index(index).unwrap_or_default())
        }
        _ => Err(invalid("'first' and 'last' take a list")),
    }
}

fn join(state: &mut State<'_, '_>, list: &Value, separator: &str) -> Result<String, Error> {
    match list.kind() {
        ValueKind::Undefined => return Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::Seq => {}
        _ => return Err(invalid("'join' takes a list")),
    }
    let mut joined = String::new();
    for (index, item) in list.try_iter()?.enumerate() {
        let item = match item.kind() {
            ValueKind::Undefined => return Err(Error::from(ErrorKind::UndefinedError)),
            ValueKind::Bool | ValueKind::Number | ValueKind::String => item.to_string(),
            _ => return Err(invalid("'join' takes a list of texts and numbers")),
        };
        let separator = if index == 0 { "" } else { separator };
        spend(state, separator.len() + item.len() + 1)?;
        joined.push_str(separator);
        joined.push_str(&item);
    }
    Ok(joined)
}

/// The values of one message, within their limits.
pub(super) struct Given<'v> {
    pub(super) given: &'v placeholder::Values,
    of_engine: OnceCell<Value>,
}

impl<'v> Given<'v> {
    /// None if the values are too many, too large or nested too deeply.
    pub(super) fn new(given: &'v placeholder::Values) -> Option<Self> {
        weigh(given, VALUE_DEPTH_MAX + 1, &mut { VALUES_BYTES_MAX })?;
        let of_engine = OnceCell::new();
        Some(Self { given, of_engine })
    }

    /// The values as the engine takes them; most messages do without.
    pub(super) fn of_engine(&self) -> Value {
        self.of_engine
            .get_or_init(|| engine_map(self.given))
            .clone()
    }
}

/// None when a limit is reached.
fn weigh(map: &placeholder::Values, depth: usize, left: &mut usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    for (key, value) in map {
        *left = left.checked_sub(key.len())?;
        weigh_value(value, depth, left)?;
    }
    Some(())
}

fn weigh_value(value: &placeholder::Value, depth: usize, left: &mut usize) -> Option<()> {
    *left = left.checked_sub(16)?;
    match value {
        placeholder::Value::Text(text) => *left = left.checked_sub(text.len())?,
        placeholder::Value::List(list) => {
            let depth = depth.checked_sub(1)?;
            list.iter().try_for_each(|v| weigh_value(v, depth, left))?;
        }
        placeholder::Value::Map(map) => weigh(map, depth, left)?,
        _ => {}
    }
    Some(())
}

/// A null becomes undefined, so that printing it is an error and not the word "none".
fn engine_value(value: &placeholder::Value) -> Value {
    match value {
        placeholder::Value::Null => Value::UNDEFINED,
        placeholder::Value::Bool(b) => Value::from(*b),
        placeholder::Value::Int(i) => Value::from(*i),
        placeholder::Value::Float(f) => Value::from(*f),
        placeholder::Value::Text(text) => Value::from(text.as_str()),
        placeholder::Value::List(list) => list.iter().map(engine_value).collect::<Vec<_>>().into(),
        placeholder::Value::Map(map) => engine_map(map),
    }
}

/// With keys of the engine's own kind, which hold a short word themselves and are not converted once more.
fn engine_map(map: &placeholder::Values) -> Value {
    let items = map.iter();
    let items = items.map(|(key, value)| (Value::from(key.as_str()), engine_value(value)));
    Value::from(items.collect::<BTreeMap<_, _>>())
}

/// Takes the output and stops the render when it becomes too large.
pub(super) struct Capped {
    pub(super) bytes: Vec<u8>,
}

impl io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > OUTPUT_BYTES_MAX {
            return Err(io::Error::other("the output is too large"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
