//! What a long outbox costs: claiming a message and recording its result, with a thousand, a hundred thousand and a
//! million pending; and the process over the longest of them, at its start and at rest.

use crate::Result;
use crate::appliance::{Appliance, Prepared};
use crate::group_commit;
use herald::app::App;
use herald::domain::format::Channel;
use herald::domain::message::NewMessage;
use herald::store::claims::{self, Claim, Claimed, Takes};
use herald::store::outbox::{self, AttemptResult, Verdict};
use herald::store::{messages, waiting};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

const PENDING: [usize; 3] = [1_000, 100_000, 1_000_000];

/// Messages measured each time; as many are added before, so that the backlog stays as long as it is called.
const ROUND: usize = 500;
const ROUNDS: usize = 10;

/// As many as a sender thread claims at once. (outbox::sender, `BATCH_MAX`)
const BATCH: usize = 16;

/// Rows that one write adds.
const FILL: usize = 5_000;

/// The table's rows.
pub(crate) fn print(disk: &Path, rest: Duration) -> Result<()> {
    let prepared = Prepared::new(disk)?;
    let app = prepared.app()?;
    let mut first = f64::NAN;
    for pending in PENDING {
        let mut times = Vec::with_capacity(ROUNDS);
        let before = own_cpu()?;
        let mut filling = Duration::ZERO;
        for _ in 0..ROUNDS {
            let started = own_cpu()?;
            fill(&app, pending, |message| message)?;
            filling += own_cpu()? - started;
            let started = Instant::now();
            work_off(&app, ROUND)?;
            times.push(started.elapsed().as_secs_f64() * 1e6 / ROUND as f64);
        }
        let cpu = (own_cpu()? - before - filling).as_secs_f64() * 1e6 / (ROUND * ROUNDS) as f64;
        times.sort_by(f64::total_cmp);
        let median = times[ROUNDS / 2];
        if first.is_nan() {
            first = median;
        }
        println!(
            "| claim and record a message, {pending} pending, {cpu:.0} us of processor each | {median:.0} us | \
             1000 pending {first:.0} us | {:.2} |",
            median / first
        );
    }
    drop(app);
    for what in ["an empty directory", "a million pending"] {
        let prepared = match what {
            "an empty directory" => &Prepared::empty(disk)?,
            _ => &prepared,
        };
        print_process(prepared, what, rest)?;
    }
    Ok(())
}

/// Tops the outbox up to so many messages.
pub(crate) fn fill(
    app: &App,
    pending: usize,
    change: impl Fn(NewMessage) -> NewMessage,
) -> Result<()> {
    let there = usize::try_from(app.store.read(waiting::pending)?)?;
    let mut missing = pending.saturating_sub(there);
    while missing > 0 {
        let some = missing.min(FILL);
        let new: Vec<_> = (0..some).map(|_| change(group_commit::message())).collect();
        app.store.write(move |tx| {
            new.iter()
                .try_for_each(|new| messages::insert(tx, new).map(drop))
        })?;
        missing -= some;
    }
    Ok(())
}

/// What a sender does but for sending: looks, claims a batch, and records a result for each as it comes.
fn work_off(app: &App, count: usize) -> Result<()> {
    let result = AttemptResult {
        duration_ms: 1,
        accepted: true,
        class: None,
        code: Some(250),
        answer: "250 2.0.0 Ok: queued as 4ZxY2b1Qz9".into(),
        provider_id: None,
    };
    let mut done = 0;
    while done < count {
        let now = app.clock.now();
        app.store
            .read(|db| waiting::next_due(db, Channel::Email, Takes::All))?;
        let claim = Claim {
            channel: Channel::Email,
            takes: Takes::All,
            limit: BATCH.min(count - done),
            provider: "smtp://mail.example.com:587".into(),
            default_sender: "Herald <herald@example.com>".into(),
            now,
        };
        let claimed: Vec<Claimed> = app
            .store
            .write(move |tx| claims::claim(tx, &claim, |_| None))?;
        if claimed.is_empty() {
            return Err("nothing was due".into());
        }
        done += claimed.len();
        let recorded: Vec<_> = claimed
            .into_iter()
            .map(|message| {
                let result = result.clone();
                app.store.begin_record(move |tx| {
                    outbox::end_attempt(tx, message.id, message.attempt, &result)?;
                    outbox::settle(tx, message.id, &Verdict::Sent, None, true)
                })
            })
            .collect();
        for recorded in recorded {
            recorded.recv()??;
        }
    }
    Ok(())
}

/// Start, memory and idle processor of the real program; its outbox stands, because nobody listens where it sends to.
fn print_process(prepared: &Prepared, what: &str, rest: Duration) -> Result<()> {
    let appliance = Appliance::start(prepared, Some(crate::DEAD_SERVER))?;
    let started = appliance.started_in.as_secs_f64() * 1000.0;
    // Its first tries in vain are over by then.
    std::thread::sleep(rest);
    let before = appliance.cpu()?;
    std::thread::sleep(rest);
    let idle = (appliance.cpu()? - before).as_secs_f64() * 1e6 / rest.as_secs_f64();
    let (now, most) = appliance.memory()?;
    println!(
        "| at rest over {what}: start until /readyz {started:.0} ms | {idle:.0} us of processor a second | memory {now}, most {most} | |"
    );
    appliance.stop()
}

/// Processor time that this process has used, to the nanosecond.
fn own_cpu() -> Result<Duration> {
    cpu_of(std::process::id())
}

/// Processor time of all threads of a process that still run, to the nanosecond. (proc(5), schedstat)
pub(crate) fn cpu_of(process: u32) -> Result<Duration> {
    let mut nanos = 0;
    for task in fs::read_dir(format!("/proc/{process}/task"))? {
        // A thread may end meanwhile.
        let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else {
            continue;
        };
        nanos += text
            .split(' ')
            .next()
            .unwrap_or_default()
            .parse::<u64>()
            .unwrap_or_default();
    }
    Ok(Duration::from_nanos(nanos))
}
