//! The log on stderr, as text or JSON lines.
//!
//! Levels: error = a person has to act; warn = something failed and Herald deals with it; info = what happened, a line
//! per request and per attempt; debug = how. Never a body, a secret or a query string.

use crate::clock::Clock;
use log::{LevelFilter, Log, Metadata, Record};
use std::io::Write;

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// An object a line, for machines.
    Json,
}

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
        // Always three digits, so that columns stand under each other and lines sort.
        let time = format!("{:.3}", Clock::System.now());
        let line = match self.format {
            LogFormat::Text => format!(
                "{time} {:5} {}\n",
                record.level(),
                one_line(&record.args().to_string())
            ),
            LogFormat::Json => {
                let line = serde_json::json!({
                    "time": time,
                    "level": record.level().as_str().to_lowercase(),
                    "target": record.target(),
                    "message": record.args().to_string(),
                });
                format!("{line}\n")
            }
        };
        // A log that cannot be written must not stop the appliance.
        drop(std::io::stderr().lock().write_all(line.as_bytes()));
    }

    fn flush(&self) {}
}

/// What others said must not look like lines of ours.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
