//! The worker gate: a fixed number of handler threads behind a bounded queue. Catches panics and writes one access line
//! per request; knows no sockets, which are `http::guard`'s.

use super::guard::{Limits, RawRequest, Refusal, ReplyTo, Service};
use super::reply::Reply;
use super::response::{Feed, Response};
use crate::hooks::path_for_log;
use std::any::Any;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::Instant;
use std::{fmt, io};

/// The log target of access lines.
pub const ACCESS_TARGET: &str = "herald::access";

/// When a client that found all streams taken may try again.
const RETRY_AFTER_SECS: u32 = 5;

/// A complete request and where its reply goes.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) request: RawRequest,
    pub(crate) close: bool,
    pub(crate) reply: ReplyTo,
}

/// The handler threads and their queue.
pub(crate) struct Pool {
    gate: Arc<Gate>,
    threads: Vec<JoinHandle<()>>,
}

struct Gate {
    service: Arc<dyn Service>,
    queue: Mutex<Queue>,
    stopping: AtomicBool,
    queue_max: usize,
    streams_max: usize,
    /// The threads that make replies while they are written.
    streams: Mutex<Vec<JoinHandle<()>>>,
}

struct Queue {
    jobs: VecDeque<Job>,
    /// The last to fall idle is the first to be woken: its stack and memory are still in the processor's cache.
    idle: Vec<Thread>,
    /// A thread was woken and has not looked yet; it wakes the next, so the guard need not wake many at once.
    waking: bool,
    closed: bool,
}

impl Queue {
    /// The thread to wake for what waits, unless one is on its way.
    fn wake_one(&mut self) -> Option<Thread> {
        let thread = match self.waking {
            true => None,
            false => self.idle.pop(),
        };
        self.waking |= thread.is_some();
        thread
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

impl Pool {
    /// Starts the handler threads.
    pub(crate) fn start(service: Arc<dyn Service>, limits: &Limits) -> io::Result<Self> {
        let gate = Arc::new(Gate {
            service,
            queue: Mutex::new(Queue {
                jobs: VecDeque::new(),
                idle: Vec::new(),
                waking: false,
                closed: false,
            }),
            stopping: AtomicBool::new(false),
            queue_max: limits.queue_max,
            streams_max: limits.streams_max,
            streams: Mutex::default(),
        });
        let mut pool = Self {
            gate,
            threads: Vec::new(),
        };
        for number in 0..limits.handlers_max.max(1) {
            let gate = pool.gate.clone();
            let thread = thread::Builder::new()
                .name(format!("http-{number}"))
                .stack_size(limits.handler_stack_bytes)
                .spawn(move || gate.work());
            match thread {
                Ok(thread) => pool.threads.push(thread),
                Err(error) => {
                    pool.close(true);
                    return Err(error);
                }
            }
        }
        Ok(pool)
    }

    /// Queues a request, or gives it back if too many wait already.
    pub(crate) fn push(&self, job: Job) -> Result<(), Box<Job>> {
        let mut queue = self.gate.lock();
        // As many as there are idle threads do not wait: those are on their way to the queue.
        if queue.jobs.len() >= self.gate.queue_max + queue.idle.len() {
            return Err(Box::new(job));
        }
        queue.jobs.push_back(job);
        let woken = queue.wake_one();
        drop(queue);
        if let Some(thread) = woken {
            thread.unpark();
        }
        Ok(())
    }

    /// The reply to a request that no handler is to see, always with `Connection: close`.
    pub(crate) fn refuse(&self, refusal: &Refusal, http10: bool) -> Vec<u8> {
        let started = Instant::now();
        let bytes = self.gate.print_refusal(refusal, http10, true);
        let line = AccessLine {
            method: refusal.method.clone().unwrap_or_else(|| "-".into()),
            path: refusal
                .target
                .as_deref()
                .map_or_else(|| "-".into(), path_of),
            peer: refusal.peer,
            started,
        };
        line.write(refusal.status, bytes.len());
        bytes
    }

    /// From now on every reply says that the connection closes.
    pub(crate) fn begin_stop(&self) {
        self.gate.stopping.store(true, Ordering::SeqCst);
    }

    /// Ends the threads. Those inside a handler are waited for only if `join`; queued requests are dropped.
    pub(crate) fn close(self, join: bool) {
        let mut queue = self.gate.lock();
        queue.closed = true;
        let dropped = std::mem::take(&mut queue.jobs);
        let idle = std::mem::take(&mut queue.idle);
        drop(queue);
        drop(dropped);
        idle.iter().for_each(Thread::unpark);
        if join {
            let mut threads = self.threads;
            // Their connections are gone, which ends them.
            threads.append(&mut self.gate.streams());
            for thread in threads {
                if thread.join().is_err() {
                    log::error!("A handler thread ended in a panic.");
                }
            }
        }
    }
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(self: &Arc<Self>) {
        while let Some(job) = self.next() {
            let Job {
                request,
                close,
                reply,
            } = job;
            let line = AccessLine {
                method: request.method.clone(),
                path: path_of(&request.target),
                peer: request.peer,
                started: Instant::now(),
            };
            let exchange = Exchange {
                gate: self.clone(),
                http10: request.http10,
                close,
                reply,
                line,
            };
            exchange.answer(request);
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                let woken = match queue.jobs.is_empty() {
                    true => None,
                    false => queue.wake_one(),
                };
                drop(queue);
                if let Some(thread) = woken {
                    thread.unpark();
                }
                return Some(job);
            }
            if queue.closed {
                return None;
            }
            let own = thread::current();
            let id = own.id();
            queue.idle.push(own);
            drop(queue);
            thread::park();
            queue = self.lock();
            // Whoever woke this thread took it off the list; if it is still there, nobody did.
            match queue.idle.iter().position(|thread| thread.id() == id) {
                Some(at) => drop(queue.idle.remove(at)),
                None => queue.waking = false,
            }
        }
    }

    fn streams(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    fn print_refusal(&self, refusal: &Refusal, http10: bool, close: bool) -> Vec<u8> {
        let head_only = refusal.method.as_deref() == Some("HEAD");
        let refuse = || self.service.refuse(refusal).print(http10, head_only, close);
        catch_unwind(AssertUnwindSafe(refuse)).unwrap_or_else(|panic| {
            log::error!("Refusing a request panicked: {}", words_of(&*panic));
            Response::empty(refusal.status).print(http10, head_only, close)
        })
    }
}

/// A request that has come and a reply on its way, whichever thread it comes from.
struct Exchange {
    gate: Arc<Gate>,
    http10: bool,
    close: bool,
    reply: ReplyTo,
    line: AccessLine,
}

impl Exchange {
    /// Sends what the service says, or a 500 if it panics.
    fn answer(self, request: RawRequest) {
        match catch_unwind(AssertUnwindSafe(|| self.gate.service.answer(request))) {
            Ok(Reply::Now(response)) => self.finish(response),
            Ok(Reply::Later(begin)) => {
                let begun = catch_unwind(AssertUnwindSafe(|| {
                    begin(Box::new(move |response| self.finish(response)));
                }));
                if let Err(panic) = begun {
                    // The exchange went down with it, which has closed the connection.
                    let words = words_of(&*panic);
                    log::error!("a handler panicked before its reply could come: {words}");
                }
            }
            Err(panic) => self.panicked(&*panic),
        }
    }

    fn finish(self, mut response: Response) {
        let (head_only, close) = (self.line.method == "HEAD", self.closes());
        if let Some(feed) = response.take_feed()
            && !head_only
        {
            return self.stream(response, feed);
        }
        let status = response.status();
        let http10 = self.http10;
        match catch_unwind(AssertUnwindSafe(|| {
            response.print(http10, head_only, close)
        })) {
            Ok(bytes) => self.send(status, bytes, close),
            Err(panic) => self.panicked(&*panic),
        }
    }

    /// Begins a reply that is made while it is written.
    fn stream(self, response: Response, feed: Feed) {
        let mut streams = self.gate.streams();
        streams.retain(|thread| !thread.is_finished());
        if streams.len() >= self.gate.streams_max || self.gate.is_stopping() {
            drop(streams);
            return self.refused(
                503,
                "Too many streams are open; try again.",
                Some(RETRY_AFTER_SECS),
            );
        }
        let (status, http10) = (response.status(), self.http10);
        let Feed { length, run } = feed;
        let head = response.print_head(http10, length);
        self.line.write(status, head.len());
        let Some(sink) = self.reply.stream(head, length.is_none() && !http10) else {
            return;
        };
        let make = move || {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(sink))) {
                log::error!("making a reply panicked: {}", words_of(&*panic));
            }
        };
        // If there is no thread, the sink is dropped with what was to run, and the connection closes.
        match thread::Builder::new()
            .name("http-stream".into())
            .spawn(make)
        {
            Ok(thread) => streams.push(thread),
            Err(fault) => log::error!("no more threads: {fault}"),
        }
    }

    fn panicked(self, panic: &(dyn Any + Send)) {
        let AccessLine { method, path, .. } = &self.line;
        let words = words_of(panic);
        log::error!("{method} {path}: the handler panicked: {words}");
        let details = "Something went wrong inside Herald; its log says what.";
        self.refused(500, details, None);
    }

    fn refused(self, status: u16, details: &'static str, retry_after_secs: Option<u32>) {
        let AccessLine {
            method, path, peer, ..
        } = &self.line;
        let refusal = Refusal {
            status,
            details,
            method: Some(method.clone()),
            target: Some(path.clone()),
            retry_after_secs,
            peer: *peer,
        };
        let close = self.closes();
        let bytes = self.gate.print_refusal(&refusal, self.http10, close);
        self.send(status, bytes, close);
    }

    fn send(self, status: u16, bytes: Vec<u8>, close: bool) {
        let length = bytes.len();
        self.reply.send(bytes, close);
        self.line.write(status, length);
    }

    fn closes(&self) -> bool {
        self.close || self.gate.is_stopping()
    }
}

/// What the access log says of a request; the query is left out, for it may hold secrets.
struct AccessLine {
    method: String,
    path: String,
    peer: Option<IpAddr>,
    started: Instant,
}

impl AccessLine {
    fn write(&self, status: u16, length: usize) {
        let Self { method, path, .. } = self;
        let millis = self.started.elapsed().as_secs_f64() * 1000.0;
        let peer: &dyn fmt::Display = match &self.peer {
            Some(ip) => ip,
            None => &"unix",
        };
        log::info!(target: ACCESS_TARGET, "{method} {path} {status} {length} bytes {millis:.1} ms {peer}");
    }
}

fn path_of(target: &str) -> String {
    path_for_log(target.split('?').next().unwrap_or_default())
}

fn words_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no words")
}
