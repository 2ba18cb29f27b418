//! The real program in a process of its own, as an operator starts it: nothing of this environment reaches it.

use super::app::{Caller, until};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What a command that has ended said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The program with these words, in an environment of nothing but `env`.
pub(crate) fn command(words: &[&str], env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_herald"));
    command.args(words).env_clear().envs(env.iter().copied());
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn herald(words: &[&str], env: &[(&str, &str)]) -> Said {
    let output = command(words, env).output().unwrap();
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs a command that must succeed without a complaint, and gives back what it printed.
#[track_caller]
pub(crate) fn done(words: &[&str], env: &[(&str, &str)]) -> String {
    let said = herald(words, env);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{words:?}");
    said.out
}

/// The most memory that a running process has had resident at once.
pub(crate) fn memory_peak_kib(process: &std::process::Child) -> usize {
    let path = format!("/proc/{}/status", process.id());
    let status = std::fs::read_to_string(path).expect("the child lives");
    let line = status
        .lines()
        .find(|l| l.starts_with("VmHWM:"))
        .expect("Linux reports VmHWM");
    let number = line.split_whitespace().nth(1).expect("VmHWM has a value");
    number.parse().expect("VmHWM is a number")
}

/// A running server or demo; killed when dropped.
pub(crate) struct Running {
    process: std::process::Child,
    out: Transcript,
    err: Transcript,
}

impl Running {
    /// Starts `herald serve` on a free port over this directory and waits until it serves.
    pub(crate) fn serve(data_dir: &str, words: &[&str], env: &[(&str, &str)]) -> Self {
        let mut all = vec!["serve", "--data-dir", data_dir];
        if !words.contains(&"--listen") && !env.iter().any(|(name, _)| *name == "HERALD_LISTEN") {
            all.extend(["--listen", "127.0.0.1:0"]);
        }
        all.extend(words);
        let running = Self::start(&all, env);
        running.until_it_logs("Herald serves ");
        running
    }

    pub(crate) fn start(words: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = command(words, env);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let out = Transcript::of(process.stdout.take().unwrap());
        let err = Transcript::of(process.stderr.take().unwrap());
        Self { process, out, err }
    }

    /// The addresses that the log names.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let log = self.log();
        let lines = log.lines();
        let named = lines.filter_map(|line| line.split_once("Herald serves "));
        // A line of JSON ends with a quote and a brace.
        named
            .map(|(_, address)| address.trim_end_matches("\"}").to_owned())
            .collect()
    }

    /// The API with this key.
    pub(crate) fn caller(&self, key: &str) -> Caller {
        Caller::new(&self.addresses()[0], key)
    }

    /// What it has printed so far.
    pub(crate) fn printed(&self) -> String {
        self.out.text()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.err.text()
    }

    #[track_caller]
    pub(crate) fn until_it_logs(&self, words: &str) {
        until(&format!("the log says {words:?}:\n{}", self.log()), || {
            self.log().contains(words) || self.err.is_over()
        });
        assert!(self.log().contains(words), "{}", self.log());
    }

    #[track_caller]
    pub(crate) fn until_it_prints(&self, words: &str) {
        until(&format!("{words:?} is printed"), || {
            self.printed().contains(words) || self.out.is_over()
        });
        assert!(self.printed().contains(words), "{}", self.log());
    }

    pub(crate) fn memory_peak_kib(&self) -> usize {
        memory_peak_kib(&self.process)
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(id, signal).unwrap();
    }

    /// Kills it as a power cut would, and gives back what it logged.
    pub(crate) fn kill(mut self) -> String {
        self.process.kill().unwrap();
        self.ended().err
    }

    /// Asks it to stop, and gives back all that it said.
    pub(crate) fn stop(self) -> Said {
        self.signal(rustix::process::Signal::TERM);
        self.ended()
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn ended(mut self) -> Said {
        let mut status: Option<ExitStatus> = None;
        until("the process ends", || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        });
        Said {
            code: status.and_then(|status| status.code()),
            out: self.out.whole(),
            err: self.err.whole(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already, as most do.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// What a process writes, read as it comes so that a full pipe never stops it.
struct Transcript {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Transcript {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let shared = text.clone();
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let mut text = shared.lock().unwrap();
                text.push_str(&line);
                text.push('\n');
            }
        });
        Self {
            text,
            reader: Some(reader),
        }
    }

    fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    fn is_over(&self) -> bool {
        self.reader.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// All of it, once the process has ended.
    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.text()
    }
}
