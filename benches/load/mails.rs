//! A full outbox against a mail server on this machine, and Postfix's own load tools where they are installed.

use crate::Result;
use crate::appliance::{Appliance, Prepared};
use crate::sink::Sink;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(120);
const POSTFIX_DIRS: [&str; 2] = ["/usr/sbin", "/usr/bin"];

/// Delivers a full outbox to our own sink; mails per second, and microseconds of processor for each. Each mail must have
/// its final state afterwards, and none come twice.
pub(crate) fn delivered_per_sec(
    disk: &Path,
    mails: usize,
    connections: usize,
) -> Result<(f64, u64)> {
    let prepared = Prepared::new(disk)?;
    prepared.fill(mails)?;
    let sink = Sink::start(mails)?;
    let appliance = Appliance::start(&prepared, Some(&url(sink.address.port(), connections)))?;
    let secs = wait_for(&sink)?;
    appliance.wait_until_empty(&prepared)?;
    let micros = appliance.cpu_micros()? / mails.max(1) as u64;
    appliance.stop()?;
    let (taken, pending) = (sink.taken(), prepared.pending()?);
    if (taken, pending) != (mails, 0) {
        return Err(format!("of {mails} mails {taken} arrived and {pending} are pending").into());
    }
    Ok((mails as f64 / secs, micros))
}

/// Postfix's generator against the same sink; none if it is not installed.
pub(crate) fn postfix_source(mails: usize, connections: usize) -> Result<Option<f64>> {
    let Some(program) = postfix("smtp-source") else {
        return Ok(None);
    };
    let sink = Sink::start(mails)?;
    let mut source = Command::new(program)
        .args(["-d", "-l", "2000"])
        .args(["-s", &connections.to_string(), "-m", &mails.to_string()])
        .args(["-f", "herald@localhost", "-t", "user@example.com"])
        .arg(sink.address.to_string())
        .stdout(Stdio::null())
        .spawn()?;
    let secs = wait_for(&sink);
    stop(&mut source);
    Ok(Some(mails as f64 / secs?))
}

/// A full outbox against Postfix's sink; none if it is not installed.
pub(crate) fn to_postfix_sink(
    disk: &Path,
    mails: usize,
    connections: usize,
) -> Result<Option<f64>> {
    let Some(program) = postfix("smtp-sink") else {
        return Ok(None);
    };
    let prepared = Prepared::new(disk)?;
    prepared.fill(mails)?;
    // It cannot choose a port itself.
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut sink = Command::new(program)
        .args([&format!("127.0.0.1:{port}"), "100"])
        .stdout(Stdio::null())
        .spawn()?;
    while TcpStream::connect(("127.0.0.1", port)).is_err() && sink.try_wait()?.is_none() {
        std::thread::park_timeout(Duration::from_millis(10));
    }
    let started = Instant::now();
    let measured = Appliance::start(&prepared, Some(&url(port, connections)))
        .and_then(|appliance| appliance.wait_until_empty(&prepared));
    stop(&mut sink);
    measured?;
    Ok(Some(mails as f64 / started.elapsed().as_secs_f64()))
}

fn url(port: u16, connections: usize) -> String {
    format!("smtp://127.0.0.1:{port}?tls=none&connections={connections}")
}

fn wait_for(sink: &Sink) -> Result<f64> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(secs) = sink.secs() {
            return Ok(secs);
        }
        if Instant::now() > deadline {
            return Err(format!("only {} mails arrived in time", sink.taken()).into());
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

fn postfix(program: &str) -> Option<PathBuf> {
    let mut places = POSTFIX_DIRS.iter().map(|dir| Path::new(dir).join(program));
    places.find(|path| path.exists())
}

fn stop(child: &mut Child) {
    // It may have ended by itself.
    drop(child.kill());
    drop(child.wait());
}
