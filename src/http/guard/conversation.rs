//! One connection's next step: read, frame, hand over, write. Every step is short; the guard's thread never waits here.

use super::body::Body;
use super::connection::{Connection, Outcome, Phase, Reading, ReplyTo, Writing};
use super::event_loop::EventLoop;
use super::head::{self, Fault, Head, RequestLine};
use super::proxy;
use super::{RawRequest, Refusal};
use crate::http::server::Job;
use std::io;
use std::sync::atomic::Ordering;

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
const RETRY_AFTER_SECS: u32 = 1;
const SLOW: Fault = Fault(408, "The request took too long to arrive.");
const NO_REQUEST_LINE: Fault = Fault(400, "A request must begin with its request line.");
const BUSY: Fault = Fault(503, "Too many requests are waiting; try again.");

/// What to do with a connection after a step.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Take the next step at once.
    Again,
    /// Wait for its socket or its handler.
    Wait,
    /// Drop it.
    Close,
}

impl EventLoop {
    /// Takes a connection as far as it gets without waiting.
    pub(super) fn go_on(&mut self, token: usize, mut connection: Box<Connection>) {
        loop {
            match self.step(token, &mut connection) {
                Step::Again => {}
                Step::Wait => return self.table.put(token, connection),
                Step::Close => return self.forget(token, connection),
            }
        }
    }

    /// Goes on after a handler.
    pub(super) fn resume(
        &mut self,
        token: usize,
        mut connection: Box<Connection>,
        outcome: Outcome,
    ) {
        self.budget
            .give_back(std::mem::take(&mut connection.reserved));
        match outcome {
            Outcome::Broken => self.forget(token, connection),
            Outcome::Streaming { head, at, tap } => {
                self.begin_streaming(&mut connection, head, at, tap);
                self.go_on(token, connection);
            }
            Outcome::Sent { bytes, at, close } if at < bytes.len() => {
                self.begin_writing(&mut connection, bytes, at, close);
                self.go_on(token, connection);
            }
            Outcome::Sent { close, .. } => match self.reply_done(&mut connection, close) {
                Step::Close => self.forget(token, connection),
                Step::Again | Step::Wait => self.go_on(token, connection),
            },
        }
    }

    /// Ends a phase that took too long.
    pub(super) fn time_out(&mut self, token: usize, mut connection: Box<Connection>) {
        match &connection.phase {
            Phase::Head => self.refuse(&mut connection, SLOW, RequestLine::default()),
            Phase::Body(reading) => {
                let line = reading.head.line();
                self.refuse(&mut connection, SLOW, line);
            }
            _ => return self.forget(token, connection),
        }
        self.go_on(token, connection);
    }

    /// Closes a connection and gives back what it held.
    pub(super) fn forget(&mut self, token: usize, mut connection: Box<Connection>) {
        self.leave_phase(&mut connection, Phase::Idle);
        self.budget.give_back(connection.reserved);
        self.table.leave(token);
    }

    /// Moves on to another phase; what the old one held of the shared budgets goes back.
    fn leave_phase(&mut self, connection: &mut Connection, next: Phase) -> Phase {
        let old = std::mem::replace(&mut connection.phase, next);
        match &old {
            Phase::Body(reading) => self.budget.give_back(reading.body.reserved()),
            Phase::Writing(writing) => self.replies_bytes -= writing.bytes.len(),
            Phase::Idle
            | Phase::Head
            | Phase::Handling
            | Phase::Streaming(_)
            | Phase::Lingering { .. } => {}
        }
        old
    }

    fn step(&mut self, token: usize, connection: &mut Connection) -> Step {
        match connection.phase {
            Phase::Idle | Phase::Head => self.step_head(token, connection),
            Phase::Body(_) => self.step_body(token, connection),
            Phase::Handling => Step::Wait,
            Phase::Writing(_) => self.step_writing(connection),
            Phase::Streaming(_) => self.step_streaming(connection),
            Phase::Lingering { bytes_left } => self.step_lingering(connection, bytes_left),
        }
    }

    fn step_head(&mut self, token: usize, connection: &mut Connection) -> Step {
        if connection.buffer.is_empty() {
            return self.read(connection, self.limits.head_bytes_max + 1);
        }
        if matches!(connection.phase, Phase::Idle) {
            connection.phase = Phase::Head;
            connection.deadline = self.now + self.limits.head_timeout();
        }
        if connection.buffer.starts_with(b"\r\n") {
            if connection.skipped_line {
                return self.refuse_unread(connection, NO_REQUEST_LINE);
            }
            connection.skipped_line = true;
            connection.consume(2);
            return Step::Again;
        }
        match head::end_of_head(&connection.buffer, connection.scanned) {
            Err(fault) => self.refuse_unread(connection, fault),
            Ok(Some(end)) if end <= self.limits.head_bytes_max => {
                let parsed = head::parse(&connection.buffer[..end], &self.limits);
                connection.consume(end);
                connection.skipped_line = false;
                match parsed {
                    Ok(head) => self.begin_body(token, connection, head),
                    Err((fault, line)) => {
                        self.refuse(connection, fault, line);
                        Step::Again
                    }
                }
            }
            Ok(_) if connection.buffer.len() > self.limits.head_bytes_max => {
                self.refuse_unread(connection, head::too_long(&connection.buffer))
            }
            Ok(_) => {
                connection.scanned = connection.buffer.len();
                self.read(connection, self.limits.head_bytes_max + 1)
            }
        }
    }

    fn refuse_unread(&mut self, connection: &mut Connection, fault: Fault) -> Step {
        self.refuse(connection, fault, RequestLine::default());
        Step::Again
    }

    fn begin_body(&mut self, token: usize, connection: &mut Connection, head: Head) -> Step {
        let body = match Body::new(head.framing, head.bytes, &self.limits) {
            Ok(body) => body,
            Err(fault) => {
                self.refuse(connection, fault, head.line());
                return Step::Again;
            }
        };
        if body.wanted(&self.limits) == 0 {
            return self.hand_over(token, connection, head, body);
        }
        // A client that sends its body without waiting needs no "go on".
        if head.expects_continue && connection.buffer.is_empty() {
            // All earlier replies are out, so the socket has room, unless the client plays tricks.
            match connection.link.stream.write(CONTINUE) {
                Ok(written) if written == CONTINUE.len() => {}
                _ => return Step::Close,
            }
        }
        let since = self.now;
        connection.deadline = since + self.limits.body_time(0);
        connection.phase = Phase::Body(Box::new(Reading { head, body, since }));
        Step::Again
    }

    fn step_body(&mut self, token: usize, connection: &mut Connection) -> Step {
        let Phase::Body(reading) = &mut connection.phase else {
            return Step::Close;
        };
        let taken = reading.body.take(&connection.buffer, &mut self.budget);
        connection.deadline = reading.since + self.limits.body_time(reading.body.received());
        let wanted = reading.body.wanted(&self.limits);
        match taken {
            Ok((used, false)) => {
                connection.consume(used);
                self.read(connection, wanted)
            }
            Ok((used, true)) => {
                connection.consume(used);
                let Phase::Body(reading) = std::mem::replace(&mut connection.phase, Phase::Idle)
                else {
                    return Step::Close;
                };
                let Reading { head, body, .. } = *reading;
                self.hand_over(token, connection, head, body)
            }
            Err(fault) => {
                let line = reading.head.line();
                self.refuse(connection, fault, line);
                Step::Again
            }
        }
    }

    /// Gives a complete request to the handlers.
    fn hand_over(
        &mut self,
        token: usize,
        connection: &mut Connection,
        head: Head,
        body: Body,
    ) -> Step {
        connection.phase = Phase::Handling;
        connection.requests += 1;
        connection.reserved = body.reserved();
        connection.link.stirred.store(false, Ordering::SeqCst);
        let urgent = connection.readable || !connection.buffer.is_empty();
        let peer = proxy::client_of(&self.limits.trusted_proxies, connection.peer, &head.headers);
        let job = Job {
            request: RawRequest {
                method: head.method,
                target: head.target,
                http10: head.http10,
                headers: head.headers,
                body: body.into_bytes(),
                peer,
            },
            close: head.close || connection.requests >= self.limits.requests_per_connection_max,
            reply: ReplyTo::new(
                token,
                connection.link.clone(),
                self.handback.clone(),
                urgent,
            ),
        };
        let Err(job) = self.pool.push(job) else {
            return Step::Wait;
        };
        self.budget
            .give_back(std::mem::take(&mut connection.reserved));
        let Job { request, reply, .. } = *job;
        reply.withdraw();
        let line = RequestLine {
            method: Some(request.method),
            target: Some(request.target),
            http10: request.http10,
        };
        self.refuse(connection, BUSY, line);
        Step::Again
    }

    /// Begins an error reply, the last one of this connection.
    fn refuse(
        &mut self,
        connection: &mut Connection,
        Fault(status, details): Fault,
        line: RequestLine,
    ) {
        let RequestLine {
            method,
            target,
            http10,
        } = line;
        let refusal = Refusal {
            status,
            details,
            method,
            target,
            retry_after_secs: (status == 503).then_some(RETRY_AFTER_SECS),
            peer: connection.peer,
        };
        let bytes = self.pool.refuse(&refusal, http10);
        connection.consume(connection.buffer.len());
        self.begin_writing(connection, bytes, 0, true);
    }

    fn begin_writing(
        &mut self,
        connection: &mut Connection,
        bytes: Vec<u8>,
        at: usize,
        close: bool,
    ) {
        self.replies_bytes += bytes.len();
        let since = self.now;
        connection.deadline = since + self.limits.reply_stall();
        let writing = Writing {
            bytes,
            at,
            close,
            since,
        };
        self.leave_phase(connection, Phase::Writing(Box::new(writing)));
    }

    fn step_writing(&mut self, connection: &mut Connection) -> Step {
        let Phase::Writing(writing) = &mut connection.phase else {
            return Step::Close;
        };
        let rest = &writing.bytes[writing.at..];
        match connection.link.stream.write(rest) {
            Err(_) => return Step::Close,
            Ok(0) if !rest.is_empty() => return Step::Wait,
            Ok(written) if written < rest.len() => {
                writing.at += written;
                let at_all = writing.since + self.limits.reply_time(writing.bytes.len());
                connection.deadline = at_all.min(self.now + self.limits.reply_stall());
                return Step::Wait;
            }
            Ok(_) => {}
        }
        let close = writing.close;
        self.reply_done(connection, close)
    }

    /// Waits for the next request, or closes after the last.
    pub(super) fn reply_done(&mut self, connection: &mut Connection, close: bool) -> Step {
        let close = close || self.stop_by.is_some();
        connection.waiting_since = self.now;
        if !close {
            connection.deadline = self.now + self.limits.keep_alive();
            self.leave_phase(connection, Phase::Idle);
            return Step::Again;
        }
        if connection.link.stream.finish().is_err() {
            return Step::Close;
        }
        connection.consume(connection.buffer.len());
        connection.deadline = self.now + self.limits.linger();
        let bytes_left = self.limits.linger_bytes_max;
        self.leave_phase(connection, Phase::Lingering { bytes_left });
        connection.readable = true;
        Step::Again
    }

    /// Throws away what the client still sends, so that the reply reaches it before a reset does.
    fn step_lingering(&mut self, connection: &mut Connection, bytes_left: usize) -> Step {
        let step = self.read(connection, bytes_left);
        let bytes_left = bytes_left - connection.buffer.len();
        connection.phase = Phase::Lingering { bytes_left };
        connection.consume(connection.buffer.len());
        if bytes_left == 0 { Step::Close } else { step }
    }

    /// Reads until the buffer of a head or the need of a body is met, at most one scratch buffer full.
    fn read(&mut self, connection: &mut Connection, wanted: usize) -> Step {
        if !connection.readable {
            return Step::Wait;
        }
        let wanted = wanted
            .saturating_sub(connection.buffer.len())
            .min(self.scratch.len());
        let scratch = &mut self.scratch[..wanted];
        match connection.link.stream.read(scratch) {
            Ok(0) => Step::Close,
            Ok(length) => {
                // A short read has emptied the socket; only the end of the stream would not be announced again.
                connection.readable = length == wanted || connection.hung_up;
                connection.buffer.extend_from_slice(&scratch[..length]);
                Step::Again
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                connection.readable = false;
                Step::Wait
            }
            Err(_) => Step::Close,
        }
    }
}
