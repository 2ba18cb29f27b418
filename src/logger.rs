//! The log on stderr, as text or JSON lines.
//!
//! Levels: error = a person has to act; warn = something failed and Herald deals with it; info = what happened, a line
//! per request and per attempt; debug = how. Never a body, a secret or a query string.

use crate::clock::Clock;
use log::{LevelFilter, Log, Metadata, Record};
use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::io::Write as _;

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// An object a line, for machines.
    Json,
}

/// What most lines have room in.
const LINE_BYTES: usize = 200;

struct Logger {
    format: LogFormat,
}

/// Sets up the log; only the first call counts.
pub fn init(format: LogFormat, level: LevelFilter) {
    if log::set_boxed_logger(Box::new(Logger { format })).is_ok() {
        log::set_max_level(level);
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Libraries speak up only when something is wrong.
        metadata.target().starts_with("herald") || metadata.level() <= log::Level::Warn
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut line = String::with_capacity(LINE_BYTES);
        let written = match self.format {
            LogFormat::Text => write_text(&mut line, record),
            LogFormat::Json => write_json(&mut line, record),
        };
        if written.is_err() {
            return;
        }
        HELD.with_borrow_mut(|held| match held {
            Some(held) => held.push_str(&line),
            None => write(&line),
        });
    }

    fn flush(&self) {}
}

thread_local! {
    /// Lines that are written together; none while each is written by itself.
    static HELD: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Does work whose lines are written together at its end, whatever that is: each writing is a call of the system.
pub fn together(work: impl FnOnce()) {
    struct Release;
    impl Drop for Release {
        fn drop(&mut self) {
            write(&HELD.take().unwrap_or_default());
        }
    }
    HELD.set(Some(String::new()));
    let _release = Release;
    work();
}

/// A log that cannot be written must not stop the appliance.
fn write(lines: &str) {
    drop(std::io::stderr().lock().write_all(lines.as_bytes()));
}

fn write_text(line: &mut String, record: &Record<'_>) -> fmt::Result {
    // Always three digits, so that columns stand under each other and lines sort.
    write!(line, "{:.3} {:5} ", Clock::System.now(), record.level())?;
    let start = line.len();
    line.write_fmt(*record.args())?;
    // What others said must not look like lines of ours.
    if line[start..].contains(char::is_control) {
        let said = line.split_off(start);
        line.push_str(&said.replace(char::is_control, " "));
    }
    line.write_char('\n')
}

fn write_json(line: &mut String, record: &Record<'_>) -> fmt::Result {
    let object = serde_json::json!({
        "time": format!("{:.3}", Clock::System.now()),
        "level": record.level().as_str().to_lowercase(),
        "target": record.target(),
        "message": record.args().to_string(),
    });
    writeln!(line, "{object}")
}
