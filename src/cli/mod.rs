//! The command line: a verb a file. Exit codes: 0 done, 1 failed, 2 wrong usage. (cli.md)

mod admin;
mod backup;
mod check;
mod client;
mod demo;
mod health;
mod outbox;
mod progress;
mod restore;
mod send;
mod serve;
mod simulate;
mod version;

use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, DataDir, LogArgs};
use crate::domain::format::Channel;
use crate::logger;
use crate::store::Access;
use clap::{Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;

/// What a command that failed says on stderr.
type Outcome = Result<(), String>;

/// The messaging appliance in one file: an application says "tell this user", and Herald picks template, language and
/// channel, sends, tries again, and can show for every message what happened and why.
#[derive(Debug, Parser)]
#[command(
    name = "herald",
    version,
    arg_required_else_help = true,
    max_term_width = 120
)]
#[command(
    after_help = "Try it without any set-up: herald demo\nEvery verb explains itself: herald serve --help"
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// A complete appliance in a temporary directory with samples; nothing leaves the machine
    Demo(demo::Args),
    /// Serve the APIs and send what they accept
    Serve(Box<serve::Args>),
    /// The people who run the appliance
    #[command(subcommand)]
    Admin(admin::Verb),
    /// API clients and their keys
    #[command(subcommand)]
    Client(client::Verb),
    /// Send a message to a user, on the same path as the API
    Send(send::Args),
    /// Whether the outbox is paused and what waits in it; pause it, let it go, throw away what waits
    Outbox(outbox::Args),
    /// Back up the database into a file, beside a running server too
    Backup(backup::Args),
    /// Put a backup in the place of the database; it starts paused
    Restore(restore::Args),
    /// Look through the database, or through a backup, for anything that is wrong
    Check(check::Args),
    /// Ask a running server whether it is ready: exit code 0 when it is
    Health(health::Args),
    /// A mail server and look-alikes of SMS and push services, with faults on order
    Simulate(simulate::Args),
    /// Version, platform and the SQLite inside
    Version(version::Args),
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    // Whatever this process makes is for its own user only.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let done = match Cli::parse().verb {
        Verb::Demo(args) => demo::run(args),
        Verb::Serve(args) => serve::run(*args),
        Verb::Admin(verb) => admin::run(verb),
        Verb::Client(verb) => client::run(verb),
        Verb::Send(args) => send::run(args),
        Verb::Outbox(args) => outbox::run(args),
        Verb::Backup(args) => backup::run(args),
        Verb::Restore(args) => restore::run(args),
        Verb::Check(args) => check::run(args),
        Verb::Health(args) => health::run(args),
        Verb::Simulate(args) => simulate::run(args),
        Verb::Version(args) => version::run(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            complain(&format!("herald: {sentence}"));
            ExitCode::FAILURE
        }
    }
}

/// A line on stdout. A reader that has gone away is no failure of ours.
fn say(line: &str) {
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// A line on stderr.
fn complain(line: &str) {
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// The appliance as a command sees it, beside a running server or before one.
fn open(data: DataDir, base_url: String) -> Result<App, String> {
    let mut config = Config::capturing(Vec::new(), data.data_dir)?;
    config.base_url = base_url;
    App::open(&config, Access::Shared, Clock::System)
}

/// A channel's word on the command line.
fn channel(text: &str) -> Result<Channel, String> {
    Channel::parse(text).ok_or_else(|| "write email, sms or push".into())
}

fn start_log(log: &LogArgs) {
    logger::init(log.log_format, log.log_level);
}
