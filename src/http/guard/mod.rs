//! The only thing that touches a client socket. One thread watches every listener and connection, reads heads and
//! bodies, frames them strictly and hands **complete** requests to the handler threads of `http::server`; what a client
//! is slow to take of a reply, it writes too. So no client, however slow, holds a handler thread.
//!
//! - `limits`: what a client is held to. `listen`: addresses and sockets. `head`, `body`: framing.
//! - `connection`: one conversation's state. `table`: all of them, and who gives way.
//! - `stream`: replies that are written while they come into being.
//! - `event_loop`: waiting, accepting, timing out, stopping. `conversation`: one connection's next step.
//!
//! While a request is queued or in a handler, nothing is read from its connection: a pipelining client is answered in
//! order and held back by its own socket. Knows no routes, rights or JSON: those are behind [`Service`].

mod body;
mod connection;
mod conversation;
mod event_loop;
mod head;
pub mod limits;
mod listen;
mod proxy;
pub mod stream;
mod table;

pub(super) use connection::ReplyTo;
pub use limits::Limits;
pub use listen::Listen;
pub use proxy::Network;
pub use stream::{Gone, Sink};

use super::reply::Reply;
use super::response::Response;
use super::server::Pool;
use connection::Handback;
use event_loop::{EventLoop, WAKER_TOKEN};
use listen::Listener;
use mio::{Poll, Waker};
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A complete request whose framing is beyond doubt.
#[derive(Debug)]
pub struct RawRequest {
    /// As sent, `HEAD` included.
    pub method: String,
    /// Path and query as sent; the scheme and authority of an absolute target are cut off.
    pub target: String,
    /// Whether it came as HTTP/1.0.
    pub http10: bool,
    /// Lower-case names and trimmed values, in the order sent. An absolute target's authority stands in `host`.
    pub headers: Vec<(String, String)>,
    /// The body without its framing; trailers are dropped.
    pub body: Vec<u8>,
    /// Who called: behind a trusted proxy, whom the proxy names. `None` on a Unix socket.
    pub peer: Option<IpAddr>,
}

/// Why the guard answers instead of a handler.
#[derive(Debug)]
pub struct Refusal {
    /// The status to answer with.
    pub status: u16,
    /// One English sentence for the client.
    pub details: &'static str,
    /// The method, if the request line was understood.
    pub method: Option<String>,
    /// The target, if the request line was understood.
    pub target: Option<String>,
    /// For a `Retry-After` header.
    pub retry_after_secs: Option<u32>,
    /// The other end; `None` on a Unix socket.
    pub peer: Option<IpAddr>,
}

/// What answers requests.
pub trait Service: Send + Sync + 'static {
    /// The reply to a request. Runs on a handler thread and may take its time; a panic becomes a 500.
    fn answer(&self, request: RawRequest) -> Reply<Response>;

    /// The reply to a request that no handler sees: framing errors, overload, a handler's panic. Must be cheap, for it
    /// runs on the guard's thread; the connection closes after it (except after a panic).
    fn refuse(&self, refusal: &Refusal) -> Response;
}

/// Bound listeners, not yet accepting.
#[derive(Debug)]
pub struct Guard {
    listeners: Vec<Listener>,
    limits: Limits,
}

impl Guard {
    /// Binds every address, or none.
    pub fn bind(addresses: &[Listen], limits: Limits) -> io::Result<Self> {
        let bind = |listen| {
            let explain = |e: io::Error| io::Error::new(e.kind(), format!("{listen}: {e}"));
            Listener::bind(listen).map_err(explain)
        };
        let listeners = addresses.iter().map(bind).collect::<io::Result<_>>()?;
        Ok(Self { listeners, limits })
    }

    /// Where it listens, ports chosen by the system filled in.
    pub fn local_addrs(&self) -> io::Result<Vec<Listen>> {
        self.listeners.iter().map(Listener::local).collect()
    }

    /// Starts the guard thread and the handler threads. Raises the descriptor limit as far as it may.
    pub fn serve(self, service: Arc<dyn Service>) -> io::Result<Running> {
        let poll = Poll::new()?;
        let handback = Arc::new(Handback::new(Waker::new(poll.registry(), WAKER_TOKEN)?));
        let stop = Arc::new(StopSign::default());
        let cap = self
            .limits
            .connections_under(limits::raise_descriptor_limit());
        log::debug!("At most {cap} connections are kept open.");
        let pool = Pool::start(service, &self.limits)?;
        let event_loop = EventLoop::new(
            poll,
            self.listeners,
            Limits {
                connections_max: cap,
                ..self.limits
            },
            pool,
            handback.clone(),
            stop.clone(),
        )?;
        let thread = thread::Builder::new()
            .name("http-guard".into())
            .spawn(move || event_loop.run())?;
        Ok(Running {
            thread,
            handback,
            stop,
        })
    }
}

/// A guard at work. Dropping it lets it run on, to the end of the process.
#[derive(Debug)]
pub struct Running {
    thread: JoinHandle<bool>,
    handback: Arc<Handback>,
    stop: Arc<StopSign>,
}

impl Running {
    /// Stops accepting, closes connections that wait for their client, lets queued requests and those in handlers finish
    /// and their replies be written, for at most `drain`. Whether all of them did.
    #[must_use]
    pub fn stop(self, drain: Duration) -> bool {
        self.stop.raise(Instant::now() + drain);
        self.handback.wake();
        self.thread.join().unwrap_or(false)
    }
}

/// Tells the guard thread by when to be done.
#[derive(Debug, Default)]
pub(super) struct StopSign(Mutex<Option<Instant>>);

impl StopSign {
    fn raise(&self, deadline: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(deadline);
    }

    fn deadline(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
