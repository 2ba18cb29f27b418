//! A full outbox against Postfix's `smtp-sink`, beside Postfix's own generator `smtp-source` against the same sink.

use crate::Result;
use crate::appliance::{Appliance, Prepared};
use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(10);
const POSTFIX_DIRS: [&str; 2] = ["/usr/sbin", "/usr/bin"];

/// Delivers a full outbox; mails per second, and microseconds of processor for each. The clock starts with the process
/// and ends when each mail has its final state; the sink must have counted each once.
pub(crate) fn delivered_per_sec(
    disk: &Path,
    mails: usize,
    connections: usize,
) -> Result<(f64, u64)> {
    let prepared = Prepared::new(disk)?;
    prepared.fill(mails)?;
    let sink = Sink::start(disk, &[])?;
    let started = Instant::now();
    let appliance = Appliance::start(&prepared, Some(&url(sink.port, connections)))?;
    appliance.wait_until_empty(&prepared)?;
    let secs = started.elapsed().as_secs_f64();
    let micros = appliance.cpu_micros()? / mails.max(1) as u64;
    appliance.stop()?;
    sink.must_have_taken(mails)?;
    Ok((mails as f64 / secs, micros))
}

/// Postfix's generator with mails of the same size over as many sessions, which it keeps (`-d`) as we do.
pub(crate) fn postfix_per_sec(
    disk: &Path,
    mails: usize,
    connections: usize,
    bytes: usize,
) -> Result<f64> {
    let sink = Sink::start(disk, &[])?;
    let started = Instant::now();
    let status = Command::new(postfix("smtp-source")?)
        .args(["-d", "-l", &bytes.to_string()])
        .args(["-s", &connections.to_string(), "-m", &mails.to_string()])
        .args(["-f", "herald@localhost", "-t", "user@example.com"])
        .arg(format!("127.0.0.1:{}", sink.port))
        .stdout(Stdio::null())
        .status()?;
    let secs = started.elapsed().as_secs_f64();
    if !status.success() {
        return Err(format!("smtp-source: {status}").into());
    }
    sink.must_have_taken(mails)?;
    Ok(mails as f64 / secs)
}

/// How long a mail of the full outbox is, as the sink keeps it.
pub(crate) fn bytes_of_one(disk: &Path) -> Result<usize> {
    let prepared = Prepared::new(disk)?;
    prepared.fill(1)?;
    let sink = Sink::start(disk, &["-d", "mail."])?;
    let appliance = Appliance::start(&prepared, Some(&url(sink.port, 1)))?;
    appliance.wait_until_empty(&prepared)?;
    appliance.stop()?;
    let mails = fs::read_dir(sink.directory.path())?.flatten();
    let mut mails =
        mails.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"mail."));
    let mail = mails.next().ok_or("smtp-sink kept no mail")?;
    Ok(usize::try_from(mail.metadata()?.len())?)
}

/// A running `smtp-sink`.
struct Sink {
    child: Child,
    directory: TempDir,
    port: u16,
}

impl Sink {
    fn start(disk: &Path, options: &[&str]) -> Result<Self> {
        let directory = tempfile::tempdir_in(disk)?;
        // It cannot choose a port itself.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new(postfix("smtp-sink")?);
        if rustix::process::geteuid().is_root() {
            // It refuses to run as root unless told to.
            command.args(["-u", "root"]);
        }
        let mut child = command
            .current_dir(directory.path())
            .arg("-c")
            .args(options)
            .args([&format!("127.0.0.1:{port}"), "100"])
            .stdout(File::create(directory.path().join("counts"))?)
            .spawn()?;
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if child.try_wait()?.is_some() || Instant::now() > deadline {
                return Err("smtp-sink did not start".into());
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        Ok(Self {
            child,
            directory,
            port,
        })
    }

    /// Its own last word: `sess=…  quit=…  mesg=…`.
    fn must_have_taken(&self, mails: usize) -> Result<()> {
        let counts = self.directory.path().join("counts");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = fs::read_to_string(&counts)?;
            let last = text.rsplit_once("mesg=").map_or("", |(_, rest)| rest);
            let taken = last.split(|c: char| !c.is_ascii_digit()).next();
            if taken.and_then(|taken| taken.parse().ok()) == Some(mails) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("of {mails} mails arrived: {text:?}").into());
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn url(port: u16, connections: usize) -> String {
    format!("smtp://127.0.0.1:{port}?tls=none&connections={connections}")
}

fn postfix(program: &str) -> Result<PathBuf> {
    let mut places = POSTFIX_DIRS.iter().map(|dir| Path::new(dir).join(program));
    let found = places.find(|path| path.exists());
    Ok(
        found
            .ok_or("Postfix's smtp-source and smtp-sink are missing; `make bench` fetches them")?,
    )
}
