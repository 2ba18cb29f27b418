//! The release binary as a child process, and data directories for it.

use crate::Result;
use herald::accept::{self, Choice, Order, What};
use herald::app::App;
use herald::clients::{self, Draft};
use herald::clock::Clock;
use herald::config::Config;
use herald::domain::format::Channel;
use herald::domain::user::{User, UserDraft};
use herald::store::claims::Takes;
use herald::store::{self, Access, Db, waiting};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(180);
const LOOK_EVERY: Duration = Duration::from_millis(2);
const USERS: usize = 100;

/// A data directory with a client and users.
pub(crate) struct Prepared {
    directory: TempDir,
    pub(crate) key: String,
    pub(crate) users: Vec<User>,
}

impl Prepared {
    pub(crate) fn empty(disk: &Path) -> Result<Self> {
        Ok(Self {
            directory: tempfile::tempdir_in(disk)?,
            key: String::new(),
            users: Vec::new(),
        })
    }

    pub(crate) fn new(disk: &Path) -> Result<Self> {
        let mut this = Self::empty(disk)?;
        let app = this.app()?;
        let draft = Draft {
            label: "bench".into(),
            scopes: "relesys.api".into(),
            expires: None,
        };
        this.key = clients::create(&app, draft, None, "bench")?.key;
        this.users = (0..USERS)
            .map(|number| user(&app, number))
            .collect::<Result<_>>()?;
        Ok(this)
    }

    /// Puts this many welcome mails into the outbox, as the API would.
    pub(crate) fn fill(&self, mails: usize) -> Result<()> {
        let app = self.app()?;
        let welcome = app
            .store
            .read(|db| store::types::find_by_slug(db, "welcome"))?
            .ok_or("there is no welcome type")?;
        let each = &mails.div_ceil(64);
        std::thread::scope(|scope| {
            for caller in 0..64 {
                let (app, welcome) = (&app, &welcome);
                scope.spawn(move || {
                    for number in (caller * each..(caller + 1) * each).take_while(|n| *n < mails) {
                        let order = Order {
                            user: self.users[number % USERS].clone(),
                            what: What::Typed(welcome.clone(), Default::default()),
                            choice: Choice::Channels(vec![Channel::Email]),
                            send_at: None,
                            by: "bench".into(),
                        };
                        let prepared = app.store.read(|db| accept::prepare(app, db, order));
                        prepared
                            .and_then(|prepared| accept::commit(app, prepared, None))
                            .expect("a welcome mail is accepted");
                    }
                });
            }
        });
        Ok(())
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub(crate) fn app(&self) -> Result<App> {
        let mut config = Config::capturing(Vec::new(), self.data_dir())?;
        config.base_url = "http://127.0.0.1".into();
        Ok(App::open(&config, Access::Shared, Clock::System)?)
    }
}

fn user(app: &App, number: usize) -> Result<User> {
    let draft = UserDraft {
        user_name: format!("user{number}"),
        name: Some(format!("User Number {number}")),
        email: Some(format!("user{number}@example.com")),
        mobile: None,
        language: Some("en".into()),
        is_disabled: false,
        attributes: "{}".into(),
    };
    let profile = draft.check(app.store.read(store::settings::load)?.default_language)?;
    let now = app.clock.now();
    Ok(app.store.write(move |tx| {
        let id = store::users::insert(tx, &profile, Uuid::new_v4(), now)?;
        store::users::get(tx, id)
    })?)
}

/// A running `herald serve`.
pub(crate) struct Appliance {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process until `/readyz` answered.
    pub(crate) started_in: Duration,
}

impl Appliance {
    /// Starts it on a port of the system's choice; without an e-mail provider mails are captured.
    pub(crate) fn start(prepared: &Prepared, email: Option<&str>) -> Result<Self> {
        let email = email.map(|url| format!("--email={url}"));
        Self::start_with(prepared, email.as_slice())
    }

    /// The same with these words.
    pub(crate) fn start_with(prepared: &Prepared, words: &[String]) -> Result<Self> {
        let log = prepared.directory.path().join("log");
        let started = Instant::now();
        let child = Command::new(env!("CARGO_BIN_EXE_herald"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            // One client sends everything here.
            .env("HERALD_REQUESTS_PER_MINUTE", "0")
            .arg("--data-dir")
            .arg(prepared.data_dir())
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()?;
        let mut this = Self {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            started_in: Duration::ZERO,
        };
        let deadline = started + PATIENCE;
        this.address = until(deadline, || {
            let text = fs::read_to_string(&log)?;
            let address = text.split_once("Herald serves http://");
            Ok(address.and_then(|(_, rest)| rest.split_once('\n')?.0.trim().parse().ok()))
        })?;
        until(deadline, || Ok(is_ready(this.address).then_some(())))?;
        this.started_in = started.elapsed();
        Ok(this)
    }

    /// Resident memory now and at most.
    pub(crate) fn memory(&self) -> Result<(String, String)> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let mib = |key| {
            let line = status.lines().find_map(|line| line.strip_prefix(key))?;
            let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
            Some(format!("{} MiB", kib.div_ceil(1024)))
        };
        Ok((
            mib("VmRSS:").ok_or("no VmRSS")?,
            mib("VmHWM:").ok_or("no VmHWM")?,
        ))
    }

    /// Processor time used so far by the threads it has now, to the nanosecond.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        crate::backlog::cpu_of(self.child.id())
    }

    /// Processor time used so far, in microseconds.
    pub(crate) fn cpu_micros(&self) -> Result<u64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The fields behind the name in brackets; times are in hundredths of a second. (proc(5))
        let (_, rest) = stat.rsplit_once(')').ok_or("no name in stat")?;
        let times = rest.split_whitespace().skip(11).take(2);
        let ticks: Vec<u64> = times
            .map(str::parse)
            .collect::<std::result::Result<_, _>>()?;
        Ok(ticks.iter().sum::<u64>() * 10_000)
    }

    /// Waits until every message has its final state.
    pub(crate) fn wait_until_empty(&self, prepared: &Prepared) -> Result<()> {
        let app = prepared.app()?;
        // Counting what waits takes processor time from those who are being measured.
        let is_any = |db: &Db| match waiting::next_due(db, Channel::Email, Takes::All)? {
            Some(_) => Ok(true),
            None => Ok(waiting::pending(db)? > 0),
        };
        until(Instant::now() + PATIENCE, || {
            let is_any = app.store.read(is_any)?;
            if is_any {
                std::thread::park_timeout(5 * LOOK_EVERY);
            }
            Ok((!is_any).then_some(()))
        })
    }

    /// SIGTERM and the end it leads to, so that results on their way are written down.
    pub(crate) fn stop(mut self) -> Result<()> {
        let id = i32::try_from(self.child.id())?;
        let process = rustix::process::Pid::from_raw(id).ok_or("a process has an id")?;
        rustix::process::kill_process(process, rustix::process::Signal::TERM)?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Appliance {
    fn drop(&mut self) {
        // After `stop` it has gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: herald\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200"))
}

fn until<T>(deadline: Instant, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() > deadline {
            return Err("the appliance did not come so far in time; look into its log".into());
        }
        std::thread::park_timeout(LOOK_EVERY);
    }
}
