//! Which messages have changed, told to whoever watches the log. SQLite says which rows the writer touches; they are told
//! when their commit can be seen. What another process writes is not heard of here; its messages are when they are sent.

use super::Db;
use crate::domain::ids::MessageId;
use jiff::Timestamp;
use rusqlite::hooks::Action;
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Changes that are remembered for those who come back after an interruption.
pub const NEWS_KEPT_MAX: usize = 4096;

/// What has changed, the last of it.
pub struct News {
    /// Tells this process's counting from another's.
    epoch: i64,
    paper: Mutex<Paper>,
    printed: Condvar,
}

#[derive(Default)]
struct Paper {
    /// How many changes there have been.
    count: u64,
    last: VecDeque<MessageId>,
}

/// How much somebody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    epoch: i64,
    count: u64,
}

impl Mark {
    /// As [`Mark::parse`] reads it.
    #[must_use]
    pub fn shown(self) -> String {
        format!("{}-{}", self.epoch, self.count)
    }

    /// What was shown before.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (epoch, count) = text.split_once('-')?;
        Some(Self {
            epoch: epoch.parse().ok()?,
            count: count.parse().ok()?,
        })
    }
}

/// What has changed since a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since {
    /// These, each once, in the order in which they changed last.
    Changed(Vec<MessageId>),
    /// More than is remembered.
    TooMuch,
}

impl News {
    pub(super) fn new(now: Timestamp) -> Arc<Self> {
        Arc::new(Self {
            epoch: now.as_millisecond(),
            paper: Mutex::default(),
            printed: Condvar::new(),
        })
    }

    /// All that there is to know now.
    #[must_use]
    pub fn latest(&self) -> Mark {
        self.mark(&self.lock())
    }

    /// What has changed since the mark, as soon as something has but not later than after this time; and the mark for the
    /// next time.
    #[must_use]
    pub fn wait(&self, known: Mark, at_most: Duration) -> (Since, Mark) {
        let is_known = |paper: &mut Paper| self.mark(paper) == known;
        let waited = self
            .printed
            .wait_timeout_while(self.lock(), at_most, is_known);
        let (paper, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let latest = self.mark(&paper);
        let missing = paper.count.checked_sub(known.count);
        let missing = missing.and_then(|missing| usize::try_from(missing).ok());
        let since = match missing.filter(|_| known.epoch == self.epoch) {
            Some(missing) if missing <= paper.last.len() => {
                let news = paper.last.iter().skip(paper.last.len() - missing);
                Since::Changed(each_once(news))
            }
            _ => Since::TooMuch,
        };
        (since, latest)
    }

    fn mark(&self, paper: &Paper) -> Mark {
        Mark {
            epoch: self.epoch,
            count: paper.count,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Paper> {
        self.paper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Each once, where it stands last.
fn each_once<'a>(news: impl DoubleEndedIterator<Item = &'a MessageId>) -> Vec<MessageId> {
    let mut seen = HashSet::new();
    let mut changed: Vec<_> = news.rev().filter(|id| seen.insert(**id)).copied().collect();
    changed.reverse();
    changed
}

/// Hears what the writer's connection touches, and has it told when it can be seen.
pub(super) struct Reporter {
    news: Arc<News>,
    heard: Arc<Mutex<Vec<MessageId>>>,
}

impl Reporter {
    /// Begins to listen.
    pub(super) fn listen(db: &mut Db, news: Arc<News>) -> rusqlite::Result<Self> {
        let heard = Arc::<Mutex<Vec<MessageId>>>::default();
        let notes = heard.clone();
        db.0.update_hook(Some(move |action, _: &str, table: &str, row| {
            // What retention lets go of is no news.
            if table == "message" && action != Action::SQLITE_DELETE {
                let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
                // The same row again is no news, and a write that touches very many is told as many.
                if notes.last() != Some(&MessageId(row)) {
                    notes.push(MessageId(row));
                }
            }
        }))?;
        Ok(Self { news, heard })
    }

    /// What was touched since the last time can be seen, or was undone: then it is as it was.
    pub(super) fn print(&self) {
        let heard = std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner));
        if heard.is_empty() {
            return;
        }
        let mut paper = self.news.lock();
        paper.count += heard.len() as u64;
        let fits = heard.len().saturating_sub(NEWS_KEPT_MAX);
        paper.last.extend(&heard[fits..]);
        let old = paper.last.len().saturating_sub(NEWS_KEPT_MAX);
        paper.last.drain(..old);
        drop(paper);
        self.news.printed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reporter() -> Reporter {
        let now = "2026-11-22T12:00:00Z".parse().expect("a time");
        Reporter {
            news: News::new(now),
            heard: Arc::default(),
        }
    }

    fn tell(reporter: &Reporter, ids: impl IntoIterator<Item = i64>) {
        let ids = ids.into_iter().map(MessageId);
        reporter.heard.lock().expect("no panic").extend(ids);
        reporter.print();
    }

    fn since(news: &News, mark: Mark) -> Since {
        news.wait(mark, Duration::ZERO).0
    }

    #[test]
    fn each_change_is_told_once_to_whoever_does_not_know_it() {
        let reporter = reporter();
        let news = &reporter.news;
        let start = news.latest();
        assert_eq!(since(news, start), Since::Changed(Vec::new()));
        tell(&reporter, [1, 2, 1]);
        let (changed, then) = news.wait(start, Duration::ZERO);
        assert_eq!(changed, Since::Changed(vec![MessageId(2), MessageId(1)]));
        tell(&reporter, [3]);
        assert_eq!(since(news, then), Since::Changed(vec![MessageId(3)]));
        assert_eq!(Mark::parse(&then.shown()), Some(then));
        for text in ["", "1", "a-1", "1-", "1-b"] {
            assert_eq!(Mark::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_too_long_ago_or_another_process_s_is_not_made_up() {
        let reporter = reporter();
        let news = &reporter.news;
        let start = news.latest();
        tell(&reporter, 1..=NEWS_KEPT_MAX as i64);
        let all: Vec<_> = (1..=NEWS_KEPT_MAX as i64).map(MessageId).collect();
        assert_eq!(since(news, start), Since::Changed(all));
        tell(&reporter, [1]);
        assert_eq!(since(news, start), Since::TooMuch);
        let epoch = start.epoch - 1;
        assert_eq!(since(news, Mark { epoch, ..start }), Since::TooMuch);
        let count = news.latest().count + 1;
        assert_eq!(since(news, Mark { count, ..start }), Since::TooMuch);
    }
}
