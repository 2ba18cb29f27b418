//! What the simulated services have taken, and what was said to them: the newest of it, for it runs for days.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

/// The most messages that are kept; the oldest go first.
pub const MESSAGES_MAX: usize = 10_000;

/// The most bytes of messages that are kept.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The most command lines or requests that are kept.
pub(super) const LINES_MAX: usize = 100_000;

/// The most bytes of command lines or requests that are kept.
pub(super) const LINE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A message that a service took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// Counted from 1 over all services; 0 before it is in the book.
    pub number: u64,
    /// The service: `smtp`, or a look-alike's name.
    pub service: &'static str,
    /// The connection it came over, from 0 within its server.
    pub connection: usize,
    /// Whether that was encrypted.
    pub encrypted: bool,
    /// Who had signed in.
    pub user: Option<String>,
    /// What the service calls it; empty where it gives no name.
    pub id: String,
    /// Whom it is from.
    pub from: String,
    /// Whom it is for.
    pub to: Vec<String>,
    /// The mail as it came without the doubled dots, or the text.
    pub content: Vec<u8>,
}

/// The messages of all services.
#[derive(Debug, Default)]
pub struct Book {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    taken: u64,
    messages: Ring<Message>,
}

impl Book {
    /// Writes a message down; its number.
    pub(super) fn take(&self, mut message: Message) -> u64 {
        let mut state = self.lock();
        state.taken += 1;
        message.number = state.taken;
        let bytes = message.content.len();
        state
            .messages
            .push(message, bytes, MESSAGES_MAX, MESSAGE_BYTES_MAX);
        state.taken
    }

    /// How many were taken since the start.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.lock().taken
    }

    /// The newest messages of a service, or of all, in the order in which they came.
    #[must_use]
    pub fn messages(&self, service: Option<&str>) -> Vec<Message> {
        let state = self.lock();
        let wished = |message: &&Message| service.is_none_or(|service| message.service == service);
        state.messages.iter().filter(wished).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// The newest of a long row.
#[derive(Debug)]
pub(super) struct Ring<T> {
    entries: VecDeque<(usize, T)>,
    bytes: usize,
}

impl<T> Default for Ring<T> {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            bytes: 0,
        }
    }
}

impl<T> Ring<T> {
    /// Adds an entry of so many bytes; the oldest give way to it.
    pub(super) fn push(&mut self, entry: T, bytes: usize, entries_max: usize, bytes_max: usize) {
        self.bytes += bytes;
        self.entries.push_back((bytes, entry));
        while self.entries.len() > entries_max || self.bytes > bytes_max {
            match self.entries.pop_front() {
                Some((bytes, _)) => self.bytes -= bytes,
                None => return,
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|(_, entry)| entry)
    }
}
