//! What the writer is asked to do, in order. A channel would wake it for every piece; because waking costs as much as the
//! piece where a processor is idle, it looks around for a moment before it sleeps, and is woken for a few at a time while
//! a flush is under way.

use super::Db;
use super::writer::{Job, Kind, Run};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// How long the writer looks for more before it sleeps.
const LOOKS_FOR: Duration = Duration::from_micros(30);

/// Where work for the writer is put.
#[derive(Clone)]
pub(super) struct Jobs(Arc<Shared>);

/// Where the writer takes it from. When this is dropped, whatever waits is dropped, and what comes after.
pub(super) struct Waiting(Arc<Shared>);

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// How many pieces the writer waits for; 0 while it does not wait. Whatever is no piece wakes it at once.
    wanted: usize,
    is_closed: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Both ends.
pub(super) fn queue() -> (Jobs, Waiting) {
    let shared = Arc::<Shared>::default();
    (Jobs(shared.clone()), Waiting(shared))
}

impl Jobs {
    /// Has the writer do something between two groups, and waits for it; none if the writer has ended.
    pub(super) fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Db) -> T + Send + 'static,
    ) -> Option<T> {
        let (reply, receiver) = mpsc::channel();
        self.put(Job::Alone(Box::new(move |db| drop(reply.send(work(db))))));
        receiver.recv().ok()
    }

    /// A piece of a group.
    pub(super) fn write(&self, kind: Kind, run: Run) {
        self.put(Job::Write(kind, run));
    }

    /// A writer that has ended drops the job, and with it whatever was to hear of it.
    pub(super) fn put(&self, job: Job) {
        let mut queue = self.0.lock();
        if queue.is_closed {
            // Dropped without the lock: whoever hears of it may ask for more.
            drop(queue);
            return drop(job);
        }
        let is_piece = matches!(job, Job::Write(..));
        queue.jobs.push_back(job);
        let wakes = queue.wanted > 0 && (!is_piece || queue.jobs.len() >= queue.wanted);
        if wakes {
            queue.wanted = 0;
        }
        drop(queue);
        if wakes {
            self.0.wake.notify_one();
        }
    }
}

impl Waiting {
    /// What is there, without waiting.
    pub(super) fn next_there(&self) -> Option<Job> {
        self.0.lock().jobs.pop_front()
    }

    /// What is there, or waits until so many pieces are, or anything else is; none when that takes longer than this.
    pub(super) fn next(&self, pieces: usize, at_most: Option<Duration>) -> Option<Job> {
        let began = Instant::now();
        loop {
            match self.next_there() {
                None if began.elapsed() < LOOKS_FOR => thread::yield_now(),
                None => break,
                job => return job,
            }
        }
        let deadline = at_most.map(|at_most| began + at_most);
        let mut queue = self.0.lock();
        if queue.jobs.is_empty() {
            queue.wanted = pieces;
            while queue.wanted > 0 {
                let left = deadline.map(|deadline| deadline - Instant::now().min(deadline));
                queue = match left {
                    Some(Duration::ZERO) => break,
                    Some(left) => {
                        let waited = self.0.wake.wait_timeout(queue, left);
                        waited.unwrap_or_else(PoisonError::into_inner).0
                    }
                    None => {
                        let waited = self.0.wake.wait(queue);
                        waited.unwrap_or_else(PoisonError::into_inner)
                    }
                };
            }
            queue.wanted = 0;
        }
        queue.jobs.pop_front()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.is_closed = true;
        let left = std::mem::take(&mut queue.jobs);
        drop(queue);
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::RecvTimeoutError;

    /// Nobody waits for an answer that cannot come.
    #[test]
    fn whoever_asks_a_writer_that_has_ended_hears_at_once() {
        let (jobs, waiting) = queue();
        let (reply, before) = mpsc::channel::<()>();
        let piece = |reply: mpsc::Sender<()>| -> Run {
            Box::new(move |_| {
                drop(reply);
                unreachable!("nobody runs it")
            })
        };
        jobs.write(Kind::USUAL, piece(reply));
        drop(waiting);
        let heard = |reply: &mpsc::Receiver<()>| reply.recv_timeout(Duration::from_secs(5));
        assert_eq!(
            heard(&before),
            Err(RecvTimeoutError::Disconnected),
            "what waited"
        );
        let (reply, after) = mpsc::channel::<()>();
        jobs.write(Kind::USUAL, piece(reply));
        assert_eq!(
            heard(&after),
            Err(RecvTimeoutError::Disconnected),
            "what came later"
        );
        assert_eq!(jobs.alone(|_| ()), None);
    }
}
