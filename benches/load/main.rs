//! The figures of README, as ratios within one run: `make bench`.
//!
//! A load driver, not a test: it starts the release binary as a child process with a data directory on the real disk,
//! drives it over sockets, and prints a Markdown table. Nothing fails for being slow. Sizes come from the environment:
//! `HERALD_BENCH_SECS` (each measurement), `HERALD_BENCH_MAILS` (per delivery run), `HERALD_BENCH_DIR` (which disk),
//! `HERALD_BENCH_LOG_ROWS` (how long a log), `HERALD_BENCH_ONLY` (`accepts`, `mails`, `tarpit`, `backlog`, `log`
//! or `process`).
#![allow(missing_docs, clippy::print_stdout)] // The table on stdout is what this program is for.

mod appliance;
mod backlog;
mod driver;
mod group_commit;
mod log;
mod machine;
mod mails;
mod tarpit;

use appliance::{Appliance, Prepared};
use driver::{Load, OWN_WORDS, WELCOME};
use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How many, and in how many rounds.
const CONNECTIONS: [(usize, usize); 3] = [(1, 1), (16, 1), (64, 5)];
const SMTP_CONNECTIONS: [usize; 2] = [4, 16];
const MAIL_ROUNDS: usize = 5;

/// Nobody listens there: the breaker opens and accepted messages stay in the outbox.
const DEAD_SERVER: &str = "smtp://127.0.0.1:1?tls=none";

/// Sizes of a run.
struct Sizes {
    span: Duration,
    mails: usize,
    log_rows: u64,
    disk: PathBuf,
}

fn main() -> Result<()> {
    let number = |name, default| match std::env::var(name) {
        Ok(text) => text.parse(),
        Err(_) => Ok(default),
    };
    let sizes = Sizes {
        span: Duration::from_millis(number("HERALD_BENCH_SECS", 3)? * 1000),
        mails: usize::try_from(number("HERALD_BENCH_MAILS", 20_000)?)?,
        log_rows: number("HERALD_BENCH_LOG_ROWS", 10_000_000)?,
        disk: std::env::var_os("HERALD_BENCH_DIR")
            .map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from),
    };
    std::fs::create_dir_all(&sizes.disk)?;
    machine::print(&sizes.disk)?;
    println!("| what | per second | beside it | ratio |\n|---|---:|---|---:|");
    // One part alone is for a profiler.
    let only = std::env::var("HERALD_BENCH_ONLY").ok();
    let wanted = |part| only.as_deref().is_none_or(|only| only == part);
    if wanted("accepts") {
        accept_rows(&sizes)?;
    }
    if wanted("mails") {
        mail_rows(&sizes)?;
    }
    if wanted("tarpit") {
        tarpit::print(&sizes.disk, sizes.mails / 4)?;
    }
    if wanted("backlog") {
        backlog::print(&sizes.disk, sizes.span)?;
    }
    if wanted("log") {
        log_rows(&sizes)?;
    }
    if wanted("process") {
        process_rows(&sizes)?;
    }
    Ok(())
}

/// Accepted sends beside `GET /livez` and beside the group-commit loop with as many callers: all in turn, so that what the
/// machine does meanwhile meets each of them, and of several rounds the medians.
fn accept_rows(sizes: &Sizes) -> Result<()> {
    let held = Prepared::new(&sizes.disk)?;
    let running = Prepared::new(&sizes.disk)?;
    let holding = Appliance::start(&held, Some(DEAD_SERVER))?;
    let capturing = Appliance::start(&running, None)?;
    let welcome = "a welcome mail, outbox held";
    for (connections, rounds) in CONNECTIONS {
        let mut table = Rounds::default();
        for _ in 0..rounds {
            let mut measure = |what: &'static str, appliance: &Appliance, load: &Load| {
                let before = appliance.cpu_micros()?;
                let measured = driver::drive(appliance.address, load, connections, sizes.span)?;
                let micros = (appliance.cpu_micros()? - before) as f64;
                let micros = micros / measured.total.max(1) as f64;
                table.add(what, measured.per_sec, micros);
                Ok::<_, Box<dyn Error>>(())
            };
            measure(LIVEZ, &holding, &Load::livez())?;
            measure(welcome, &holding, &Load::sends(&held, WELCOME))?;
            let own_words = Load::sends(&held, OWN_WORDS);
            measure("a mail in the caller's words", &holding, &own_words)?;
            // The backlog of this one is worked off meanwhile, so it comes after what must not be disturbed.
            let delivering = "a welcome mail, while delivering to `capture:`";
            measure(delivering, &capturing, &Load::sends(&running, WELCOME))?;
            capturing.wait_until_empty(&running)?;
            let group = group_commit::inserts_per_sec(&sizes.disk, connections, sizes.span)?;
            table.add(GROUP, group, f64::NAN);
        }
        table.print(connections);
    }
    for (what, appliance) in [("outbox held", holding), ("delivering", capturing)] {
        let (now, most) = appliance.memory()?;
        println!("| memory after these sends, {what} | {now} | most {most} | |");
    }
    Ok(())
}

/// What was measured in turn.
#[derive(Default)]
struct Rounds(Vec<(&'static str, Vec<f64>, Vec<f64>)>);

const LIVEZ: &str = "GET /livez";
/// The yardstick: what the store takes when nothing stands in front of it.
const GROUP: &str = "group-commit insert loop";

impl Rounds {
    fn add(&mut self, what: &'static str, per_sec: f64, micros: f64) {
        let index = self.0.iter().position(|row| row.0 == what);
        let index = index.unwrap_or_else(|| {
            self.0.push((what, Vec::new(), Vec::new()));
            self.0.len() - 1
        });
        self.0[index].1.push(per_sec);
        self.0[index].2.push(micros);
    }

    fn of(&self, what: &str) -> &[f64] {
        let found = self.0.iter().find(|row| row.0 == what);
        found.map_or(&[], |row| &row.1)
    }

    /// A ratio is the median of the rounds' ratios, not the ratio of the medians.
    fn print(&self, connections: usize) {
        for (what, rates, micros) in &self.0 {
            let micros = median(micros.clone());
            let cost = match micros.is_nan() {
                true => String::new(),
                false => format!(", {micros:.0} us of processor each"),
            };
            let what_row = format!("{what}, {connections} connections{cost}");
            let rate = median(rates.clone());
            if [LIVEZ, GROUP].contains(what) {
                row(&what_row, rate, "", None);
                continue;
            }
            for (name, label) in [(LIVEZ, what_row.as_str()), (GROUP, "the same")] {
                let beside = self.of(name);
                let ratios = rates.iter().zip(beside).map(|(rate, beside)| rate / beside);
                let ratio = median(ratios.collect());
                let beside = format!("{name} {:.0}", median(beside.to_vec()));
                row(label, rate, &beside, Some(ratio));
            }
        }
    }
}

/// As many mails of the same size over as many sessions, by Postfix's own generator and by us in turn: the medians, for
/// one run of either takes seconds, in which these machines may be a third slower or faster.
fn mail_rows(sizes: &Sizes) -> Result<()> {
    let bytes = mails::bytes_of_one(&sizes.disk)?;
    for connections in SMTP_CONNECTIONS {
        let (mut theirs, mut ours, mut micros) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..MAIL_ROUNDS {
            theirs.push(mails::postfix_per_sec(
                &sizes.disk,
                sizes.mails,
                connections,
                bytes,
            )?);
            let (rate, cost) = mails::delivered_per_sec(&sizes.disk, sizes.mails, connections)?;
            ours.push(rate);
            micros.push(cost as f64);
        }
        let [theirs, ours, micros] = [theirs, ours, micros].map(median);
        row(
            &format!(
                "mails of {bytes} bytes to smtp-sink, {connections} connections, {micros:.0} us of processor each"
            ),
            ours,
            &format!("smtp-source {theirs:.0}"),
            Some(ours / theirs),
        );
    }
    Ok(())
}

/// The one in the middle.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// A page deep in a log costs what the first one costs.
fn log_rows(sizes: &Sizes) -> Result<()> {
    let mut first = f64::NAN;
    for (what, time) in log::page_times(&sizes.disk, sizes.log_rows)? {
        let micros = time.as_secs_f64() * 1e6;
        if what.ends_with("first page") {
            first = micros;
        }
        let rows = sizes.log_rows;
        println!(
            "| {what}, {rows} rows | {micros:.0} us | first page {first:.0} us | {:.2} |",
            micros / first
        );
    }
    Ok(())
}

fn process_rows(sizes: &Sizes) -> Result<()> {
    let prepared = Prepared::empty(&sizes.disk)?;
    for what in ["on an empty directory", "again"] {
        let appliance = Appliance::start(&prepared, None)?;
        let (now, most) = appliance.memory()?;
        let started = appliance.started_in.as_secs_f64() * 1000.0;
        println!(
            "| start until /readyz answers, {what} | {started:.0} ms | memory {now}, most {most} | |"
        );
    }
    Ok(())
}

fn row(what: &str, per_sec: f64, beside: &str, ratio: Option<f64>) {
    let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
    println!("| {what} | {per_sec:.0} | {beside} | {ratio} |");
}
