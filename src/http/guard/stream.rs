//! Replies that are written while they come into being: a pipe between the thread that makes one and the guard, which
//! writes it. A slow client holds up its own thread, and only so long; a client that is gone ends it.

use super::connection::{Connection, Handback, Phase};
use super::conversation::Step;
use super::event_loop::EventLoop;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What waits in a pipe at most, in bytes: the next piece has to wait for room.
pub const STREAM_BYTES_MAX: usize = 256 * 1024;

/// Nobody is there to read any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

#[derive(Debug, Default)]
struct Pipe {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    pieces: VecDeque<Vec<u8>>,
    bytes: usize,
    /// The maker has ended; whole says whether it had come to its end.
    ended: Option<bool>,
    /// The guard has let go.
    is_gone: bool,
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The maker's end.
#[derive(Debug)]
pub struct Sink {
    pipe: Arc<Pipe>,
    token: usize,
    handback: Arc<Handback>,
    is_chunked: bool,
    is_whole: bool,
}

/// The guard's end.
#[derive(Debug)]
pub(crate) struct Tap(Arc<Pipe>);

/// What there is to write.
pub(super) enum Flow {
    Piece(Vec<u8>),
    Later,
    /// Nothing more; true if it had come to its end.
    End(bool),
}

/// A new pipe for the connection with this token. Chunked: each piece is framed, so that the client sees whether it got
/// all. (RFC 9112, section 7.1)
pub(super) fn pipe(token: usize, handback: Arc<Handback>, is_chunked: bool) -> (Sink, Tap) {
    let pipe = Arc::<Pipe>::default();
    let sink = Sink {
        pipe: pipe.clone(),
        token,
        handback,
        is_chunked,
        is_whole: false,
    };
    (sink, Tap(pipe))
}

impl Sink {
    /// Hands over a piece; waits while too much waits already.
    ///
    /// # Errors
    /// [`Gone`].
    pub fn send(&self, piece: &[u8]) -> Result<(), Gone> {
        match (piece.is_empty(), self.is_chunked) {
            // An empty chunk would be the end.
            (true, _) => Ok(()),
            (false, true) => {
                let size = format!("{:x}\r\n", piece.len());
                self.put([size.as_bytes(), piece, b"\r\n"].concat())
            }
            (false, false) => self.put(piece.to_vec()),
        }
    }

    /// Waits, but not for a client that is gone.
    ///
    /// # Errors
    /// [`Gone`].
    pub fn rest(&self, time: Duration) -> Result<(), Gone> {
        let is_there = |state: &mut State| !state.is_gone;
        let waited = self
            .pipe
            .changed
            .wait_timeout_while(self.pipe.lock(), time, is_there);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match state.is_gone {
            true => Err(Gone),
            false => Ok(()),
        }
    }

    /// Nothing more comes, and that was all. A sink dropped without it leaves the client with a reply that breaks off.
    ///
    /// # Errors
    /// [`Gone`].
    pub fn finish(mut self) -> Result<(), Gone> {
        if self.is_chunked {
            self.put(b"0\r\n\r\n".to_vec())?;
        }
        self.is_whole = true;
        Ok(())
    }

    fn put(&self, piece: Vec<u8>) -> Result<(), Gone> {
        let is_full = |state: &mut State| !state.is_gone && state.bytes >= STREAM_BYTES_MAX;
        let waited = self.pipe.changed.wait_while(self.pipe.lock(), is_full);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if state.is_gone {
            return Err(Gone);
        }
        state.bytes += piece.len();
        state.pieces.push_back(piece);
        drop(state);
        self.handback.stir(self.token);
        Ok(())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.pipe.lock().ended = Some(self.is_whole);
        self.handback.stir(self.token);
    }
}

impl Tap {
    fn next(&self) -> Flow {
        let mut state = self.0.lock();
        match (state.pieces.pop_front(), state.ended) {
            (Some(piece), _) => {
                state.bytes -= piece.len();
                self.0.changed.notify_all();
                Flow::Piece(piece)
            }
            (None, None) => Flow::Later,
            (None, Some(is_whole)) => Flow::End(is_whole),
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_gone = true;
        state.pieces.clear();
        self.0.changed.notify_all();
    }
}

/// A reply that is being made and written.
#[derive(Debug)]
pub(super) struct Streaming {
    pub(super) tap: Tap,
    pub(super) bytes: Vec<u8>,
    pub(super) at: usize,
}

impl EventLoop {
    /// Writes what there is. A client that takes nothing for too long is dropped; one to whom there is nothing to say may
    /// stay as long as the maker likes.
    pub(super) fn step_streaming(&mut self, connection: &mut Connection) -> Step {
        let Phase::Streaming(streaming) = &mut connection.phase else {
            return Step::Close;
        };
        if connection.hung_up {
            return Step::Close;
        }
        loop {
            let rest = &streaming.bytes[streaming.at..];
            match connection.link.stream.write(rest) {
                Err(_) => return Step::Close,
                Ok(written) if written < rest.len() => {
                    if written > 0 {
                        connection.deadline = self.now + self.limits.reply_stall();
                    }
                    streaming.at += written;
                    return Step::Wait;
                }
                Ok(_) => {}
            }
            streaming.at = 0;
            streaming.bytes = match streaming.tap.next() {
                Flow::Piece(piece) => {
                    connection.deadline = self.now + self.limits.reply_stall();
                    piece
                }
                Flow::Later => {
                    streaming.bytes = Vec::new();
                    connection.deadline = self.now + FOR_EVER;
                    return Step::Wait;
                }
                Flow::End(true) => return self.reply_done(connection, true),
                Flow::End(false) => return Step::Close,
            };
        }
    }

    /// Makes a connection one whose reply is still coming.
    pub(super) fn begin_streaming(
        &mut self,
        connection: &mut Connection,
        head: Vec<u8>,
        at: usize,
        tap: Tap,
    ) {
        connection.deadline = self.now + self.limits.reply_stall();
        let streaming = Streaming {
            tap,
            bytes: head,
            at,
        };
        connection.phase = Phase::Streaming(Box::new(streaming));
    }
}

/// Longer than any process runs; the maker says when it is over.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;
    use mio::{Poll, Token, Waker};
    use std::time::Instant;

    fn pipe_of(is_chunked: bool) -> (Poll, Sink, Tap) {
        let poll = Poll::new().expect("a poll");
        let waker = Waker::new(poll.registry(), Token(0)).expect("a waker");
        let (sink, tap) = pipe(7, Arc::new(Handback::new(waker)), is_chunked);
        (poll, sink, tap)
    }

    fn drained(tap: &Tap) -> (String, Option<bool>) {
        let mut text = Vec::new();
        loop {
            match tap.next() {
                Flow::Piece(piece) => text.extend(piece),
                Flow::Later => return (String::from_utf8(text).expect("text"), None),
                Flow::End(whole) => return (String::from_utf8(text).expect("text"), Some(whole)),
            }
        }
    }

    #[test]
    fn chunks_are_framed_and_only_a_whole_reply_has_its_end() {
        let (_poll, sink, tap) = pipe_of(true);
        sink.send(b"hello").expect("somebody reads");
        sink.send(b"").expect("somebody reads");
        assert_eq!(drained(&tap), ("5\r\nhello\r\n".into(), None));
        sink.finish().expect("somebody reads");
        assert_eq!(drained(&tap), ("0\r\n\r\n".into(), Some(true)));
        let (_poll, sink, tap) = pipe_of(false);
        sink.send(b"hello").expect("somebody reads");
        drop(sink);
        assert_eq!(drained(&tap), ("hello".into(), Some(false)));
    }

    #[test]
    fn a_maker_waits_for_a_slow_reader_and_not_for_one_who_is_gone() {
        let (_poll, sink, tap) = pipe_of(false);
        let half = vec![0; STREAM_BYTES_MAX / 2];
        sink.send(&half).expect("room");
        sink.send(&half).expect("room");
        let waiting = std::thread::spawn(move || (sink.send(&[1]), sink));
        assert!(!waiting.is_finished());
        assert!(matches!(tap.next(), Flow::Piece(_)));
        let (sent, sink) = waiting.join().expect("no panic");
        assert_eq!(sent, Ok(()));
        let began = Instant::now();
        let resting = std::thread::spawn(move || sink.rest(Duration::from_secs(60)));
        drop(tap);
        assert_eq!(resting.join().expect("no panic"), Err(Gone));
        assert!(began.elapsed() < Duration::from_secs(60));
    }
}
