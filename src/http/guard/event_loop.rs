//! The guard's thread: waits for sockets, accepts, times out, makes room and stops. What one connection does next is
//! `conversation`'s business.

use super::body::Budget;
use super::connection::{Connection, Handback, Phase, Returned};
use super::limits::Limits;
use super::listen::{Listener, Stream};
use super::proxy;
use super::table::Table;
use super::{Refusal, StopSign};
use crate::http::server::Pool;
use mio::{Events, Poll, Token};
use rustix::io::Errno;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The token of the wake-up; connections count from 0, listeners from just below this downwards.
pub(super) const WAKER_TOKEN: Token = Token(usize::MAX);
const LISTENER_TOKEN_LAST: usize = usize::MAX - 1;
const EVENTS_MAX: usize = 1024;
/// How often deadlines are looked at while any connection is open.
const SWEEP_MILLIS: u64 = 250;
/// How often the loop looks up while it stops.
const STOP_CHECK_MILLIS: u64 = 20;
/// How long accepting rests when there is no descriptor and nobody to give way.
const ACCEPT_REST_MILLIS: u64 = 50;
/// New connections taken before the open ones have their turn again.
const ACCEPTS_PER_TURN_MAX: usize = 64;
/// How much is read at once.
const READ_BYTES_MAX: usize = 64 * 1024;
/// How often, at most, the log hears that connections gave way.
const EVICTION_LOG_SECS: u64 = 10;

const FULL: &str = "Too many connections are open; try again.";

/// Everything the guard's thread owns.
#[derive(Debug)]
pub(super) struct EventLoop {
    poll: Poll,
    listeners: Vec<Door>,
    pub(super) table: Table,
    pub(super) limits: Limits,
    pub(super) pool: Pool,
    pub(super) handback: Arc<Handback>,
    pub(super) budget: Budget,
    /// Unwritten replies together.
    pub(super) replies_bytes: usize,
    pub(super) scratch: Box<[u8]>,
    pub(super) now: Instant,
    stop: Arc<StopSign>,
    pub(super) stop_by: Option<Instant>,
    sweep_at: Instant,
    accept_at: Instant,
    /// A connection gave way for a descriptor, and none has been accepted since.
    made_room: bool,
    evicted: usize,
    eviction_log_at: Instant,
}

/// A listener, and whether somebody may be waiting at it.
#[derive(Debug)]
struct Door {
    listener: Listener,
    knocked: bool,
}

impl EventLoop {
    pub(super) fn new(
        poll: Poll,
        listeners: Vec<Listener>,
        limits: Limits,
        pool: Pool,
        handback: Arc<Handback>,
        stop: Arc<StopSign>,
    ) -> io::Result<Self> {
        let now = Instant::now();
        let mut doors = Vec::new();
        for (number, mut listener) in listeners.into_iter().enumerate() {
            listener.register(poll.registry(), Token(LISTENER_TOKEN_LAST - number))?;
            doors.push(Door {
                listener,
                knocked: true,
            });
        }
        Ok(Self {
            poll,
            listeners: doors,
            table: Table::new(now),
            budget: Budget::new(limits.bodies_bytes_max),
            limits,
            pool,
            handback,
            replies_bytes: 0,
            scratch: vec![0; READ_BYTES_MAX].into(),
            now,
            stop,
            stop_by: None,
            sweep_at: now,
            accept_at: now,
            made_room: false,
            evicted: 0,
            eviction_log_at: now,
        })
    }

    /// Serves until told to stop; whether every request was answered by then.
    pub(super) fn run(mut self) -> bool {
        let mut events = Events::with_capacity(EVENTS_MAX);
        let mut returned = Vec::new();
        loop {
            self.take_back(&mut returned);
            self.look_for_stop();
            if self.stop_by.is_some_and(|by| by <= self.now) || self.is_done() {
                let all = self.is_done();
                self.pool.close(all);
                return all;
            }
            self.accept_waiting();
            if let Err(error) = self.poll.poll(&mut events, self.timeout())
                && error.kind() != io::ErrorKind::Interrupted
            {
                log::error!("Waiting for sockets failed: {error}.");
            }
            self.now = Instant::now();
            // What came back goes first: its next request may be among these events.
            self.take_back(&mut returned);
            for event in &events {
                let Token(token) = event.token();
                if let Some(door) = self
                    .listeners
                    .get_mut(LISTENER_TOKEN_LAST.wrapping_sub(token))
                {
                    door.knocked = true;
                } else if let Some(mut connection) = self.table.take(token) {
                    connection.stir(event.is_readable(), event.is_read_closed());
                    self.go_on(token, connection);
                }
            }
            self.sweep();
        }
    }

    fn is_done(&self) -> bool {
        self.stop_by.is_some() && self.table.len() == 0
    }

    fn timeout(&self) -> Option<Duration> {
        if self.stop_by.is_some() {
            return Some(Duration::from_millis(STOP_CHECK_MILLIS));
        }
        let accept_at = self
            .listeners
            .iter()
            .any(|d| d.knocked)
            .then_some(self.accept_at);
        let sweep_at = (self.table.len() > 0).then_some(self.sweep_at);
        let next = accept_at.into_iter().chain(sweep_at).min()?;
        Some(next.saturating_duration_since(self.now))
    }

    fn take_back(&mut self, returned: &mut Vec<Returned>) {
        self.handback.collect(returned);
        for Returned { token, outcome } in returned.drain(..) {
            if let Some(connection) = self.table.take(token) {
                self.resume(token, connection, outcome);
            }
        }
        for token in self.handback.take_stirred() {
            if let Some(connection) = self.table.take(token) {
                self.go_on(token, connection);
            }
        }
        while self.replies_bytes > self.limits.replies_bytes_max {
            let writers = self
                .table
                .iter()
                .filter(|(_, c)| matches!(c.phase, Phase::Writing(_)));
            let Some((token, _)) = writers.min_by_key(|(_, c)| c.deadline) else {
                break;
            };
            self.evict(token);
        }
    }

    fn look_for_stop(&mut self) {
        if self.stop_by.is_some() {
            return;
        }
        self.stop_by = self.stop.deadline();
        if self.stop_by.is_some() {
            self.pool.begin_stop();
            self.listeners.clear();
            // A stream has no end of its own that could be waited for.
            let waiting = |phase: &Phase| {
                matches!(
                    phase,
                    Phase::Idle | Phase::Head | Phase::Body(_) | Phase::Streaming(_)
                )
            };
            for token in self.tokens(|c| waiting(&c.phase)) {
                self.drop_connection(token);
            }
        }
    }

    fn tokens(&self, which: impl Fn(&Connection) -> bool) -> Vec<usize> {
        let chosen = self.table.iter().filter(|(_, c)| which(c));
        chosen.map(|(token, _)| token).collect()
    }

    fn accept_waiting(&mut self) {
        if self.accept_at > self.now {
            return;
        }
        for number in 0..self.listeners.len() {
            for _ in 0..ACCEPTS_PER_TURN_MAX {
                if !self.listeners[number].knocked || self.accept_at > self.now {
                    break;
                }
                match self.listeners[number].listener.accept() {
                    Ok((stream, peer)) => {
                        self.made_room = false;
                        self.admit(stream, peer);
                    }
                    Err(error) => self.accept_failed(number, &error),
                }
            }
        }
    }

    /// Nothing here ends accepting: a scarce descriptor is got back from whoever waits longest, or waited for.
    fn accept_failed(&mut self, number: usize, error: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, Interrupted, WouldBlock};
        let scarce = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
        match error.kind() {
            WouldBlock => self.listeners[number].knocked = false,
            Interrupted | ConnectionAborted => {}
            _ => {
                let scarce = scarce.map(|e| Some(e.raw_os_error()));
                if scarce.contains(&error.raw_os_error())
                    && !self.made_room
                    && let Some(token) = self.table.first_to_go(None)
                {
                    self.made_room = true;
                    return self.evict(token);
                }
                // Whoever took the descriptor that was freed will not be outrun by freeing all of them.
                log::warn!("A connection could not be accepted: {error}.");
                self.made_room = false;
                self.accept_at = self.now + Duration::from_millis(ACCEPT_REST_MILLIS);
            }
        }
    }

    /// Takes a new connection in; at a cap, the longest-waiting one gives way.
    fn admit(&mut self, mut stream: Stream, peer: Option<IpAddr>) {
        let crowded = peer
            .filter(|ip| !proxy::is_trusted(&self.limits.trusted_proxies, *ip))
            .filter(|ip| self.table.len_of(*ip) >= self.limits.connections_per_address_max);
        if crowded.is_some() || self.table.len() >= self.limits.connections_max {
            match self.table.first_to_go(crowded) {
                Some(token) => self.evict(token),
                None => return self.turn_away(&stream, peer),
            }
        }
        let token = self.table.enter(peer);
        if let Err(error) = stream.register(self.poll.registry(), Token(token)) {
            log::warn!("A connection could not be watched: {error}.");
            return self.table.leave(token);
        }
        let deadline = self.now + self.limits.keep_alive();
        let connection = Connection::new(stream, peer, self.now, deadline);
        self.table.put(token, Box::new(connection));
    }

    /// Says 503 as far as the socket takes it at once: every connection has a request in a handler.
    fn turn_away(&self, stream: &Stream, peer: Option<IpAddr>) {
        let refusal = Refusal {
            status: 503,
            details: FULL,
            method: None,
            target: None,
            retry_after_secs: Some(1),
            peer,
        };
        let reply = self.pool.refuse(&refusal, false);
        if let Err(error) = stream.write(&reply) {
            log::debug!("A client turned away was gone already: {error}.");
        }
    }

    fn evict(&mut self, token: usize) {
        self.evicted += 1;
        self.drop_connection(token);
    }

    fn drop_connection(&mut self, token: usize) {
        if let Some(connection) = self.table.take(token) {
            self.forget(token, connection);
        }
    }

    fn sweep(&mut self) {
        if self.sweep_at > self.now {
            return;
        }
        self.sweep_at = self.now + Duration::from_millis(SWEEP_MILLIS);
        let now = self.now;
        for token in self.tokens(|c| c.deadline <= now && !matches!(c.phase, Phase::Handling)) {
            if let Some(connection) = self.table.take(token) {
                self.time_out(token, connection);
            }
        }
        if self.evicted > 0 && self.eviction_log_at <= now {
            let evicted = std::mem::take(&mut self.evicted);
            log::warn!("{evicted} waiting connections gave way to new ones.");
            self.eviction_log_at = now + Duration::from_secs(EVICTION_LOG_SECS);
        }
    }
}
