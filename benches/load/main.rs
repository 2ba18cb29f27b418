//! The figures of README, as ratios within one run: `make bench`.
//!
//! A load driver, not a test: it starts the release binary as a child process with a data directory on the real disk,
//! drives it over sockets, and prints a Markdown table. Nothing fails for being slow. Sizes come from the environment:
//! `HERALD_BENCH_SECS` (each measurement), `HERALD_BENCH_MAILS` (per delivery run), `HERALD_BENCH_DIR` (which disk),
//! `HERALD_BENCH_LOG_ROWS` (how long a log), `HERALD_BENCH_ONLY` (`group`, `accepts`, `mails`, `tarpit`, `backlog`, `log`
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

const CONNECTIONS: [usize; 3] = [1, 16, 64];
const CALLERS: [usize; 2] = [1, 64];
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
    let mut group = f64::NAN;
    if wanted("group") {
        group = group_commit_rows(&sizes)?;
    }
    if wanted("accepts") {
        accept_rows(&sizes, group)?;
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

/// The yardstick: what the store takes when nothing stands in front of it.
fn group_commit_rows(sizes: &Sizes) -> Result<f64> {
    let mut last = 0.0;
    for callers in CALLERS {
        last = group_commit::inserts_per_sec(&sizes.disk, callers, sizes.span)?;
        row(
            &format!("group-commit insert loop, {callers} callers"),
            last,
            "",
            None,
        );
    }
    Ok(last)
}

/// Accepted sends beside `GET /livez`, each pair side by side in time.
fn accept_rows(sizes: &Sizes, group: f64) -> Result<()> {
    let held = Prepared::new(&sizes.disk)?;
    let running = Prepared::new(&sizes.disk)?;
    let holding = Appliance::start(&held, Some(DEAD_SERVER))?;
    let capturing = Appliance::start(&running, None)?;
    for connections in CONNECTIONS {
        let measure = |what: &str, appliance: &Appliance, load: &Load, beside: f64| {
            let before = appliance.cpu_micros()?;
            let measured = driver::drive(appliance.address, load, connections, sizes.span)?;
            let micros = (appliance.cpu_micros()? - before) / measured.total.max(1);
            let what = format!("{what}, {connections} connections, {micros} us of processor each");
            match beside.is_nan() {
                true => row(&what, measured.per_sec, "", None),
                false => row(
                    &what,
                    measured.per_sec,
                    &format!("/livez {beside:.0}"),
                    Some(measured.per_sec / beside),
                ),
            }
            Ok::<_, Box<dyn Error>>(measured.per_sec)
        };
        let livez = measure("GET /livez", &holding, &Load::livez(), f64::NAN)?;
        for (kind, body) in [
            ("welcome mail", WELCOME),
            ("mail in the caller's words", OWN_WORDS),
        ] {
            let what = format!("accepted: a {kind}, outbox held");
            let sends = measure(&what, &holding, &Load::sends(&held, body), livez)?;
            if connections == 64 && !group.is_nan() {
                let beside = format!("group commit {group:.0}");
                row("the same", sends, &beside, Some(sends / group));
            }
        }
        // The backlog of this one is worked off meanwhile, so it comes after what must not be disturbed.
        let what = "accepted: a welcome mail, while delivering to `capture:`";
        measure(what, &capturing, &Load::sends(&running, WELCOME), livez)?;
        capturing.wait_until_empty(&running)?;
    }
    for (what, appliance) in [("outbox held", holding), ("delivering", capturing)] {
        let (now, most) = appliance.memory()?;
        println!("| memory after these sends, {what} | {now} | most {most} | |");
    }
    Ok(())
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
