//! One client connection: where its conversation stands, and how a handler thread gives it back.

use super::body::Body;
use super::head::Head;
use super::listen::Stream;
use super::stream::{self, Sink, Streaming, Tap};
use mio::Waker;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// A connection at rest keeps a read buffer of at most this size; a larger one is given back.
const BUFFER_AT_REST_BYTES_MAX: usize = 512;

/// What the guard and a handler thread share of a connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) stream: Stream,
    /// Something happened on the socket while a handler had it, so its return must wake the guard.
    pub(super) stirred: AtomicBool,
}

/// A connection as the guard sees it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) link: Arc<Link>,
    pub(super) peer: Option<IpAddr>,
    pub(super) phase: Phase,
    /// When the present phase must be over; a handler has all the time it takes.
    pub(super) deadline: Instant,
    /// Since when this connection waits for its client: its accept or its last reply.
    pub(super) waiting_since: Instant,
    /// Bytes read and not yet understood; the first `scanned` hold no end of a head.
    pub(super) buffer: Vec<u8>,
    pub(super) scanned: usize,
    /// An empty line before the request line was skipped; only one is. (RFC 9112, section 2.2)
    pub(super) skipped_line: bool,
    /// The socket may have more to read.
    pub(super) readable: bool,
    /// The client has closed its side, so reading goes on to the very end.
    pub(super) hung_up: bool,
    /// Requests handed over so far.
    pub(super) requests: usize,
    /// What the body in a handler took from the budget.
    pub(super) reserved: usize,
}

/// Where the conversation stands.
#[derive(Debug)]
pub(super) enum Phase {
    /// Between requests.
    Idle,
    /// A head has begun.
    Head,
    /// The head is whole, the body is not.
    Body(Box<Reading>),
    /// A request is queued or in a handler: nothing is read, nothing times out.
    Handling,
    /// A reply is being written.
    Writing(Box<Writing>),
    /// A reply is being made and written.
    Streaming(Box<Streaming>),
    /// The last reply is out and our side is closed; what still comes is thrown away.
    Lingering {
        /// How much will be thrown away before the client is cut off.
        bytes_left: usize,
    },
}

/// A request whose body is coming.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) head: Head,
    pub(super) body: Body,
    pub(super) since: Instant,
}

/// A reply that did not fit into the socket at once.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) bytes: Vec<u8>,
    pub(super) at: usize,
    pub(super) close: bool,
    pub(super) since: Instant,
}

impl Connection {
    pub(super) fn new(
        stream: Stream,
        peer: Option<IpAddr>,
        now: Instant,
        deadline: Instant,
    ) -> Self {
        Self {
            link: Arc::new(Link {
                stream,
                stirred: AtomicBool::new(false),
            }),
            peer,
            phase: Phase::Idle,
            deadline,
            waiting_since: now,
            buffer: Vec::new(),
            scanned: 0,
            skipped_line: false,
            readable: false,
            hung_up: false,
            requests: 0,
            reserved: 0,
        }
    }

    /// Forgets the first `length` buffered bytes.
    pub(super) fn consume(&mut self, length: usize) {
        self.buffer.drain(..length);
        self.scanned = 0;
        if self.buffer.is_empty() && self.buffer.capacity() > BUFFER_AT_REST_BYTES_MAX {
            self.buffer = Vec::new();
        }
    }

    /// Notes what the poller said. A connection in a handler is only marked.
    pub(super) fn stir(&mut self, readable: bool, hung_up: bool) {
        self.readable |= readable;
        self.hung_up |= hung_up;
        if matches!(self.phase, Phase::Handling) {
            self.link.stirred.store(true, Ordering::SeqCst);
        }
    }
}

/// A connection on its way back from a handler thread.
#[derive(Debug)]
pub(super) struct Returned {
    pub(super) token: usize,
    pub(super) outcome: Outcome,
}

/// What became of the reply.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is in the socket, up to `at`.
    Sent {
        bytes: Vec<u8>,
        at: usize,
        close: bool,
    },
    /// Its head is in the socket, up to `at`; the rest comes out of the tap.
    Streaming { head: Vec<u8>, at: usize, tap: Tap },
    /// The client is gone, or the handler thread failed.
    Broken,
}

/// Where handler threads put connections back.
#[derive(Debug)]
pub(super) struct Handback {
    returned: Mutex<Vec<Returned>>,
    /// Connections for which something more is to be written.
    stirred: Mutex<Vec<usize>>,
    waker: Waker,
}

impl Handback {
    pub(super) fn new(waker: Waker) -> Self {
        Self {
            returned: Mutex::new(Vec::new()),
            stirred: Mutex::default(),
            waker,
        }
    }

    /// Exchanges what came back with an empty list.
    pub(super) fn collect(&self, into: &mut Vec<Returned>) {
        let mut returned = self.returned.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *returned, into);
    }

    /// There is more to write to this connection. If it is another one by now, it has nothing to write, and that is all.
    pub(super) fn stir(&self, token: usize) {
        let mut stirred = self.stirred.lock().unwrap_or_else(PoisonError::into_inner);
        stirred.push(token);
        if stirred.len() == 1 {
            self.wake();
        }
    }

    /// The connections for which there is more to write.
    pub(super) fn take_stirred(&self) -> Vec<usize> {
        let mut stirred = self.stirred.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *stirred)
    }

    /// Wakes the guard.
    pub(super) fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            log::error!("The guard could not be woken: {error}.");
        }
    }

    fn put(&self, returned: Returned) {
        let mut list = self.returned.lock().unwrap_or_else(PoisonError::into_inner);
        list.push(returned);
    }
}

/// Takes one reply to one connection. Dropped without one, as by a dying thread, it closes the connection.
#[derive(Debug)]
pub(crate) struct ReplyTo {
    token: usize,
    link: Arc<Link>,
    handback: Arc<Handback>,
    urgent: bool,
    outcome: Option<Outcome>,
    withdrawn: bool,
}

impl ReplyTo {
    /// `urgent`: the guard has something to do with this connection as soon as it is back.
    pub(super) fn new(
        token: usize,
        link: Arc<Link>,
        handback: Arc<Handback>,
        urgent: bool,
    ) -> Self {
        Self {
            token,
            link,
            handback,
            urgent,
            outcome: None,
            withdrawn: false,
        }
    }

    /// Takes the connection back on the guard's own thread: no handler will have it.
    pub(super) fn withdraw(mut self) {
        self.withdrawn = true;
    }

    /// Writes a head, and gives the connection back with the end of a pipe through which the rest will come.
    pub(crate) fn stream(mut self, head: Vec<u8>, is_chunked: bool) -> Option<Sink> {
        let at = self.link.stream.write(&head).ok()?;
        let (sink, tap) = stream::pipe(self.token, self.handback.clone(), is_chunked);
        self.urgent = true;
        self.outcome = Some(Outcome::Streaming { head, at, tap });
        Some(sink)
    }

    /// Writes what the socket takes at once and gives the connection back with the rest.
    pub(crate) fn send(mut self, mut bytes: Vec<u8>, close: bool) {
        self.outcome = match self.link.stream.write(&bytes) {
            Ok(at) => {
                self.urgent |= close || at < bytes.len();
                if at == bytes.len() {
                    bytes = Vec::new();
                }
                let at = at.min(bytes.len());
                Some(Outcome::Sent { bytes, at, close })
            }
            Err(_) => None,
        };
    }
}

impl Drop for ReplyTo {
    fn drop(&mut self) {
        if self.withdrawn {
            return;
        }
        let outcome = self.outcome.take().unwrap_or(Outcome::Broken);
        self.urgent |= matches!(outcome, Outcome::Broken);
        let token = self.token;
        self.handback.put(Returned { token, outcome });
        // A client that waits for its reply before it asks again needs no wake-up of the guard, which finds the
        // connection here before it looks at the next request. The order matters: first give back, then look whether
        // the socket stirred meanwhile; the guard marks it first and then looks here before it sleeps.
        if self.urgent || self.link.stirred.load(Ordering::SeqCst) {
            self.handback.wake();
        }
    }
}
