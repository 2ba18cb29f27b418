//! What the simulated services have taken, and what was said to them: the newest of it, for it runs for days.

use std::collections::VecDeque;
use std::fmt;
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
    /// What its sender calls it, where the service takes that.
    pub reference: Option<String>,
    /// What the service calls it; empty where it gives no name.
    pub id: String,
    /// Whom it is from.
    pub from: String,
    /// Whom it is for.
    pub to: Vec<String>,
    /// The mail as it came without the doubled dots, or the text.
    pub content: Vec<u8>,
    /// What its sender was told of it later, in the order in which that happened.
    pub reports: Vec<Report>,
}

impl Message {
    /// About how many bytes it holds; its reports are few.
    fn size(&self) -> usize {
        let to: usize = self.to.iter().map(String::len).sum();
        let owned = [&self.user, &self.reference].into_iter().flatten();
        let owned: usize = owned.map(String::len).sum();
        self.id.len() + owned + self.from.len() + to + self.content.len()
    }
}

/// What the sender of a message was told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The service's word for what became of it.
    pub status: String,
    /// The status code that the sender answered, or why there was none.
    pub answer: Result<u16, String>,
}

/// Something that is in the book now.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A message was taken.
    Taken(&'a Message),
    /// The message of this number was reported on.
    Reported(u64, &'a Report),
}

/// Who is told of everything that happens.
type Witness = Box<dyn Fn(Event<'_>) + Send + Sync>;

/// The messages of all services.
#[derive(Default)]
pub struct Book {
    state: Mutex<State>,
    witness: Option<Witness>,
}

#[derive(Default)]
struct State {
    taken: u64,
    messages: Ring<Message>,
}

impl Book {
    /// A book that tells somebody of everything, in the order in which it happens.
    #[must_use]
    pub fn witnessed(witness: impl Fn(Event<'_>) + Send + Sync + 'static) -> Self {
        Self {
            witness: Some(Box::new(witness)),
            ..Self::default()
        }
    }

    /// Writes a message down; its number.
    pub(super) fn take(&self, message: &mut Message) -> u64 {
        let mut state = self.lock();
        state.taken += 1;
        message.number = state.taken;
        let bytes = message.size();
        state
            .messages
            .push(message.clone(), bytes, MESSAGES_MAX, MESSAGE_BYTES_MAX);
        self.tell(Event::Taken(message));
        message.number
    }

    /// Writes down what the sender of a message was told, if the message is still in the book.
    pub(super) fn report(&self, number: u64, report: Report) {
        let mut state = self.lock();
        self.tell(Event::Reported(number, &report));
        let mut messages = state.messages.iter_mut();
        if let Some(message) = messages.find(|message| message.number == number) {
            message.reports.push(report);
        }
    }

    /// Forgets all messages; their numbers go on.
    pub fn clear(&self) {
        self.lock().messages = Ring::default();
    }

    fn tell(&self, event: Event<'_>) {
        if let Some(witness) = &self.witness {
            witness(event);
        }
    }

    /// How many were taken since the start.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.lock().taken
    }

    /// The messages after this number, in the order in which they came, at most so many.
    #[must_use]
    pub fn messages(&self, after: u64, at_most: usize) -> Vec<Message> {
        let state = self.lock();
        let wished = state.messages.iter().filter(|m| m.number > after);
        wished.take(at_most).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Book of {} messages", self.taken())
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

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.entries.iter().map(|(_, entry)| entry)
    }

    /// The newest first.
    fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().rev().map(|(_, entry)| entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_keeps_the_newest_within_both_limits() {
        let kept = |entries: &[(char, usize)]| {
            let mut ring = Ring::default();
            for (entry, bytes) in entries {
                ring.push(*entry, *bytes, 3, 10);
            }
            ring.iter().collect::<String>()
        };
        assert_eq!(kept(&[('a', 1), ('b', 1), ('c', 1)]), "abc");
        assert_eq!(kept(&[('a', 1), ('b', 1), ('c', 1), ('d', 1)]), "bcd");
        assert_eq!(kept(&[('a', 4), ('b', 6)]), "ab");
        assert_eq!(kept(&[('a', 4), ('b', 7)]), "b");
        assert_eq!(kept(&[('a', 4), ('b', 6), ('c', 5)]), "c");
        assert_eq!(kept(&[('a', 11)]), "");
    }

    #[test]
    fn a_message_is_as_large_as_all_that_a_stranger_can_make_long() {
        let text = || "x".repeat(1000);
        let message = Message {
            user: Some(text()),
            reference: Some(text()),
            id: text(),
            from: text(),
            to: vec![text(), text()],
            content: text().into_bytes(),
            ..Message::default()
        };
        assert_eq!(message.size(), 7000);
    }

    #[test]
    fn a_book_keeps_so_many_messages_and_counts_them_all() {
        let book = Book::default();
        for _ in 0..=MESSAGES_MAX {
            book.take(&mut Message::default());
        }
        let kept = book.messages(0, usize::MAX);
        assert_eq!((kept.len(), kept[0].number), (MESSAGES_MAX, 2));
        assert_eq!(book.taken(), MESSAGES_MAX as u64 + 1);
        assert_eq!(
            book.messages(MESSAGES_MAX as u64, 10)[0].number,
            book.taken()
        );
        // A report on a message that is not kept any more is lost, not an error.
        let answer = Ok(204);
        let status = "sent".to_owned();
        book.report(
            1,
            Report {
                status: status.clone(),
                answer: answer.clone(),
            },
        );
        book.report(2, Report { status, answer });
        assert_eq!(book.messages(0, 1)[0].reports.len(), 1);
    }
}
