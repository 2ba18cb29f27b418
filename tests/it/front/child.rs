//! A guard with a small service in a child process: this very test binary, started again.

use super::client::Client;
use crate::support::binary::memory_peak_kib;
use herald::http::guard::{Gone, Guard, Limits, Listen, RawRequest, Refusal, Service, Sink};
use herald::http::reply::Reply;
use herald::http::response::{Feed, Response};
use herald::http::server::ACCESS_TARGET;
use std::fs;
use std::io::{BufRead, BufReader, Write, stdin, stdout};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// What the child process may take at most, at its worst moment.
const MEMORY_KIB_MAX: usize = 200 * 1024;
const LIMITS_VARIABLE: &str = "FRONT_TEST_LIMITS";
const UNIX_VARIABLE: &str = "FRONT_TEST_UNIX";

/// A server process; it ends when this is dropped.
pub(super) struct Child {
    process: std::process::Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    pub(super) address: SocketAddr,
    descriptors_at_start: usize,
}

impl Child {
    /// With the default limits but for those named: `handlers_max=1 queue_max=1`.
    pub(super) fn start(limits: &str) -> Self {
        Self::start_with(limits, None, "")
    }

    pub(super) fn start_with(limits: &str, descriptors: Option<u32>, unix: &str) -> Self {
        let binary = std::env::current_exe().expect("a running test has a path");
        let mut command = match descriptors {
            None => Command::new(&binary),
            Some(n) => {
                let mut shell = Command::new("sh");
                shell
                    .args(["-c", &format!("ulimit -n {n}; exec \"$0\" \"$@\"")])
                    .arg(&binary);
                shell
            }
        };
        command.args([
            "front::child::server",
            "--exact",
            "--ignored",
            "--nocapture",
        ]);
        command
            .env(LIMITS_VARIABLE, limits)
            .env(UNIX_VARIABLE, unix);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = command.spawn().expect("the child starts");
        let input = process.stdin.take().expect("stdin is piped");
        let output = BufReader::new(process.stdout.take().expect("stdout is piped"));
        let address = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut child = Self {
            process,
            input,
            output,
            address,
            descriptors_at_start: 0,
        };
        child.address = child
            .expect_word("LISTENING")
            .parse()
            .expect("the child prints its address");
        child.descriptors_at_start = child.open_descriptors();
        child
    }

    /// What follows this word on the line that begins with it.
    pub(super) fn expect_word(&mut self, word: &str) -> String {
        loop {
            let mut line = String::new();
            let length = self
                .output
                .read_line(&mut line)
                .expect("the child's output is readable");
            assert!(length > 0, "the child ended before it said {word}");
            if let Some(rest) = line.strip_prefix(word) {
                return rest.trim().to_owned();
            }
        }
    }

    /// Gives the child a command: `release` or `stop`.
    pub(super) fn tell(&mut self, command: &str) {
        writeln!(self.input, "{command}").expect("the child listens");
    }

    pub(super) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// A whole exchange on a connection of its own: status and body.
    #[track_caller]
    pub(super) fn get(&self, target: &str) -> (u16, String) {
        let mut client = self.connect();
        client.send(format!(
            "GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        ));
        let reply = client.reply();
        (reply.status, reply.text())
    }

    /// A normal client is served in this time whatever the others do, and memory stays bounded.
    #[track_caller]
    pub(super) fn serves_within(&self, secs: u64) {
        let started = Instant::now();
        assert_eq!(self.get("/ok"), (200, "ok".into()));
        let elapsed = started.elapsed();
        assert!(
            elapsed < Duration::from_secs(secs),
            "a normal client waited {elapsed:?}"
        );
        let memory = self.memory_peak_kib();
        assert!(memory < MEMORY_KIB_MAX, "the server took {memory} KiB");
    }

    fn memory_peak_kib(&self) -> usize {
        memory_peak_kib(&self.process)
    }

    /// Descriptors beyond those of a server without clients.
    pub(super) fn open_connections(&self) -> usize {
        self.open_descriptors()
            .saturating_sub(self.descriptors_at_start)
    }

    pub(super) fn open_descriptors(&self) -> usize {
        let path = format!("/proc/{}/fd", self.process.id());
        fs::read_dir(path).expect("the child lives").count()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Polls until this holds; fails after a generous time.
#[track_caller]
pub(super) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[derive(Default)]
struct TestService {
    handled: AtomicUsize,
    /// Streams whose makers have not ended.
    streams: Arc<AtomicUsize>,
    released: Mutex<bool>,
    release: Condvar,
}

impl Service for TestService {
    fn answer(&self, request: RawRequest) -> Reply<Response> {
        match request.target.as_str() {
            "/later" => Reply::later(|finish| {
                drop(std::thread::spawn(move || finish(text("later"))));
            }),
            "/never" => Reply::later(drop),
            path if path.starts_with("/stream/") => Reply::Now(self.stream(path)),
            "/panic-later" => Reply::later(|_| panic!("as asked, later")),
            _ => Reply::Now(self.answer_now(request)),
        }
    }

    fn refuse(&self, refusal: &Refusal) -> Response {
        let response = Response::with_body(refusal.status, "text/plain", refusal.details);
        match refusal.retry_after_secs {
            Some(secs) => response.header("Retry-After", secs.to_string()),
            None => response,
        }
    }
}

impl TestService {
    fn answer_now(&self, request: RawRequest) -> Response {
        let (path, query) = request
            .target
            .split_once('?')
            .unwrap_or((&request.target, ""));
        if path == "/streams" {
            return text(self.streams.load(Ordering::SeqCst).to_string());
        }
        if path == "/count" {
            return text(self.handled.load(Ordering::SeqCst).to_string());
        }
        self.handled.fetch_add(1, Ordering::SeqCst);
        match path {
            "/ok" => text("ok"),
            "/echo" => text(request.body),
            "/query" => text(query),
            "/peer" => text(format!("{:?}", request.peer)),
            "/panic" => panic!("as asked"),
            "/big" => text(vec![b'x'; query.parse().expect("a length")]),
            "/log" => text(ACCESS_LINES.lock().expect("no panic").join("\n")),
            "/block" => {
                say("BLOCKED", "");
                let mut released = self.released.lock().expect("no panic");
                while !*released {
                    released = self.release.wait(released).expect("no panic");
                }
                text("released")
            }
            _ => Response::with_body(404, "text/plain", "no such thing"),
        }
    }
}

impl TestService {
    /// `/stream/whole/LENGTH`, or `ticks`, `flood`, `some` or `panic`, which tell no length.
    fn stream(&self, path: &str) -> Response {
        let what = path.trim_start_matches("/stream/").to_owned();
        let length = what
            .strip_prefix("whole/")
            .map(|n| n.parse().expect("a length"));
        let streams = self.streams.clone();
        streams.fetch_add(1, Ordering::SeqCst);
        let run = move |sink: Sink| {
            // However it ends, it is counted.
            drop(catch_unwind(AssertUnwindSafe(|| make(&what, sink))));
            streams.fetch_sub(1, Ordering::SeqCst);
        };
        let run = Box::new(run);
        Response::streamed("text/plain", Feed { length, run })
    }
}

fn make(what: &str, sink: Sink) -> Result<(), Gone> {
    let piece = vec![b'x'; 64 * 1024];
    match what {
        "ticks" => loop {
            sink.send(b"tick")?;
            sink.rest(Duration::from_millis(5))?;
        },
        "flood" => loop {
            sink.send(&piece)?;
        },
        "some" => sink.send(b"some").and_then(|()| sink.finish()),
        "panic" => {
            sink.send(b"some")?;
            panic!("as asked, in a stream");
        }
        whole => {
            let length: usize = whole
                .trim_start_matches("whole/")
                .parse()
                .expect("a length");
            for _ in 0..length / piece.len() {
                sink.send(&piece)?;
            }
            sink.send(&piece[..length % piece.len()])?;
            sink.finish()
        }
    }
}

fn text(body: impl Into<Vec<u8>>) -> Response {
    Response::with_body(200, "text/plain", body)
}

fn say(word: &str, rest: impl std::fmt::Display) {
    // libtest leaves its own line open, so this one begins with an end.
    writeln!(stdout(), "\n{word} {rest}").expect("the parent listens");
}

static ACCESS_LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct AccessLog;

impl log::Log for AccessLog {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target() == ACCESS_TARGET
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let mut lines = ACCESS_LINES.lock().expect("no panic");
            // The last few are enough, and a flood must not fill the memory that is measured.
            if lines.len() >= 10 {
                lines.remove(0);
            }
            lines.push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

fn limits_of_environment() -> Limits {
    let mut limits = Limits::default();
    let text = std::env::var(LIMITS_VARIABLE).unwrap_or_default();
    for pair in text.split_whitespace() {
        let (name, value) = pair.split_once('=').expect("name=value");
        let value: usize = value.parse().expect("a number");
        match name {
            "connections_max" => limits.connections_max = value,
            "connections_per_address_max" => limits.connections_per_address_max = value,
            "descriptors_reserved" => limits.descriptors_reserved = value,
            "head_timeout_millis" => limits.head_timeout_millis = value as u64,
            "keep_alive_millis" => limits.keep_alive_millis = value as u64,
            "body_grace_millis" => limits.body_grace_millis = value as u64,
            "bodies_bytes_max" => limits.bodies_bytes_max = value,
            "reply_stall_millis" => limits.reply_stall_millis = value as u64,
            "replies_bytes_max" => limits.replies_bytes_max = value,
            "handlers_max" => limits.handlers_max = value,
            "queue_max" => limits.queue_max = value,
            "streams_max" => limits.streams_max = value,
            _ => panic!("no limit is called {name}"),
        }
    }
    limits
}

#[test]
#[ignore = "the server process of the other tests, not a test"]
fn server() {
    log::set_logger(&AccessLog).expect("the only logger");
    log::set_max_level(log::LevelFilter::Info);
    let mut addresses = vec!["127.0.0.1:0".parse::<Listen>().expect("an address")];
    let unix = std::env::var(UNIX_VARIABLE).unwrap_or_default();
    if !unix.is_empty() {
        addresses.push(unix.parse().expect("a socket path"));
    }
    let guard = Guard::bind(&addresses, limits_of_environment()).expect("port 0 is free");
    let address = guard
        .local_addrs()
        .expect("a bound socket has an address")
        .remove(0);
    let service = Arc::new(TestService::default());
    let running = guard.serve(service.clone()).expect("threads start");
    say("LISTENING", address);
    let mut running = Some(running);
    for command in stdin().lines().map_while(Result::ok) {
        match command.as_str() {
            "release" => {
                *service.released.lock().expect("no panic") = true;
                service.release.notify_all();
            }
            "stop" => {
                let running = running.take().expect("stopping once");
                std::thread::spawn(|| {
                    say("STOPPED", running.stop(Duration::from_secs(10)));
                    std::process::exit(0);
                });
            }
            _ => panic!("no command is called {command}"),
        }
    }
}
