//! What services tell a sender later: that its message has gone on, has arrived, or has not.

use super::book::{Book, Message, Report};
use super::fault::{Fault, Place, Twist};
use super::http::Request;
use super::orders::Orders;
use crate::channel::Timeouts;
use crate::channel::answer::Mask;
use crate::channel::http::{Call, HttpClient};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most reports that wait; what comes beyond is lost.
pub const REPORTS_MAX: usize = 10_000;

/// The longest that the receiver of a report may take.
pub const REPORT_TIME_MAX: Duration = Duration::from_secs(10);

/// The most faults that strike one message's reports together.
const TWISTS_MAX: usize = 10;

/// How a service reports.
pub struct Reports {
    /// The statuses of a message that arrives, in their order.
    pub course: &'static [&'static str],
    /// The calls that tell one of them, or another with its error code, of each part of the message; none if the request
    /// asked for no reports.
    pub calls: fn(&Request, &Message, &str, Option<u32>) -> Vec<Call>,
}

/// The reports of one message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Statuses and error codes, as they are told one after the other.
    statuses: Vec<(String, Option<u32>)>,
    late: Duration,
    pub(super) is_early: bool,
}

impl Plan {
    /// The usual course, as the faults that stand for the place change it.
    pub(super) fn new(course: &[&str], orders: &Orders, place: Place) -> Self {
        let mut plan = Self {
            statuses: course.iter().map(|word| (word.to_string(), None)).collect(),
            late: Duration::ZERO,
            is_early: false,
        };
        for struck in orders.strikes(place, TWISTS_MAX) {
            if let Fault::Report(twist) = struck.fault {
                plan.twist(twist);
            }
        }
        plan
    }

    fn twist(&mut self, twist: Twist) {
        match twist {
            Twist::Ends(status, code) => {
                self.statuses.pop();
                self.statuses.push((status, code));
            }
            Twist::Twice => {
                let twice = |status: &(String, Option<u32>)| [status.clone(), status.clone()];
                self.statuses = self.statuses.iter().flat_map(twice).collect();
            }
            Twist::Late(late) => self.late += late,
            Twist::Reversed => self.statuses.reverse(),
            Twist::Early => self.is_early = true,
            Twist::Lost => self.statuses.clear(),
        }
    }
}

/// Who carries the reports, one after the other on a thread of its own.
#[derive(Debug)]
pub(super) struct Postman {
    bag: Arc<Bag>,
}

#[derive(Debug, Default)]
struct Bag {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// By the time at which they are due, and in the order in which they were put in.
    letters: BTreeMap<(Instant, u64), Letter>,
    numbered: u64,
    is_over: bool,
}

#[derive(Debug)]
struct Letter {
    message: u64,
    status: String,
    call: Call,
}

impl Postman {
    pub(super) fn start(book: &Arc<Book>) -> io::Result<Self> {
        let bag = Arc::new(Bag::default());
        let (own, book) = (Arc::clone(&bag), Arc::clone(book));
        // It is not waited for: the receiver of a report may take its time.
        std::thread::Builder::new()
            .name("simulate-report".into())
            .spawn(move || {
                let mut client = client();
                while let Some(letter) = own.next() {
                    letter.deliver(&mut client, &book);
                }
            })?;
        Ok(Self { bag })
    }

    /// Carries what a message's plan has to tell; early reports before this returns.
    pub(super) fn carry(
        &self,
        reports: &Reports,
        plan: Plan,
        request: &Request,
        message: &Message,
        book: &Book,
    ) {
        let letters = plan.statuses.into_iter().flat_map(|(status, code)| {
            let calls = (reports.calls)(request, message, &status, code);
            calls.into_iter().map(move |call| Letter {
                message: message.number,
                status: status.clone(),
                call,
            })
        });
        if plan.is_early {
            let mut client = client();
            letters.for_each(|letter| letter.deliver(&mut client, book));
        } else {
            self.bag.put(letters, Instant::now() + plan.late);
        }
    }
}

impl Drop for Postman {
    fn drop(&mut self) {
        self.bag.lock().is_over = true;
        self.bag.changed.notify_all();
    }
}

impl Letter {
    fn deliver(self, client: &mut HttpClient, book: &Book) {
        let answer = client.call(self.call, Timestamp::UNIX_EPOCH);
        let report = Report {
            status: self.status,
            answer: answer
                .map(|answer| answer.status)
                .map_err(|failure| failure.answer),
        };
        book.report(self.message, report);
    }
}

impl Bag {
    fn put(&self, letters: impl Iterator<Item = Letter>, due: Instant) {
        let mut state = self.lock();
        for letter in letters {
            if state.letters.len() >= REPORTS_MAX {
                log::warn!("more than {REPORTS_MAX} reports wait; one of them is lost");
                return;
            }
            state.numbered += 1;
            let place = (due, state.numbered);
            state.letters.insert(place, letter);
        }
        self.changed.notify_all();
    }

    /// The next letter when it is due; none at the end.
    fn next(&self) -> Option<Letter> {
        let mut state = self.lock();
        loop {
            if state.is_over {
                return None;
            }
            let now = Instant::now();
            let wait = match state.letters.first_entry() {
                Some(first) if first.key().0 <= now => return Some(first.remove()),
                Some(first) => first.key().0 - now,
                None => Duration::MAX,
            };
            let waited = self.changed.wait_timeout(state, wait);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn client() -> HttpClient {
    let timeouts = Timeouts {
        http_connect: REPORT_TIME_MAX,
        http_total: REPORT_TIME_MAX,
        ..Timeouts::default()
    };
    HttpClient::new(&timeouts, Mask::nothing())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_twist_changes_the_course_in_its_way() {
        use Twist::{Early, Ends, Late, Lost, Reversed, Twice};
        let ends = || Ends("failed".into(), Some(7));
        let late = || Late(Duration::from_secs(2));
        #[rustfmt::skip] // A table: one case a line.
        let cases = [
            (vec![], "sent delivered", 0, false),
            (vec![ends()], "sent failed7", 0, false),
            (vec![Twice], "sent sent delivered delivered", 0, false),
            (vec![Reversed], "delivered sent", 0, false),
            (vec![late(), late()], "sent delivered", 4, false),
            (vec![Early], "sent delivered", 0, true),
            (vec![Lost], "", 0, false),
            (vec![ends(), Twice, Reversed, late(), Early], "failed7 failed7 sent sent", 2, true),
        ];
        for (twists, words, late, is_early) in cases {
            let orders = Orders::default();
            for twist in &twists {
                let fault = Fault::Report(twist.clone());
                orders
                    .next(Place::Report(None), fault)
                    .expect("there is room");
            }
            let plan = Plan::new(
                &["sent", "delivered"],
                &orders,
                Place::Report(Some("twilio")),
            );
            let told = plan.statuses.iter().map(|(status, code)| {
                let code = code.map(|code| code.to_string());
                status.clone() + &code.unwrap_or_default()
            });
            let told = told.collect::<Vec<_>>().join(" ");
            let late = Duration::from_secs(late);
            let wished = (words.to_owned(), late, is_early);
            assert_eq!((told, plan.late, plan.is_early), wished, "{twists:?}");
            assert_eq!(orders.standing(), []);
        }
    }

    fn letters(count: u64) -> impl Iterator<Item = Letter> {
        (0..count).map(|message| Letter {
            message,
            status: "sent".into(),
            call: Call::default(),
        })
    }

    #[test]
    fn letters_are_carried_when_they_are_due_and_in_their_order() {
        let bag = Bag::default();
        let now = Instant::now();
        bag.put(letters(2), now + Duration::from_millis(20));
        bag.put(
            letters(2).map(|l| Letter {
                message: l.message + 10,
                ..l
            }),
            now,
        );
        let order = [(); 4].map(|()| bag.next().expect("it is not over").message);
        assert_eq!(order, [10, 11, 0, 1]);
        assert!(now.elapsed() >= Duration::from_millis(20));
    }

    #[test]
    fn so_many_letters_wait_and_not_one_more() {
        let bag = Bag::default();
        bag.put(letters(REPORTS_MAX as u64 - 1), Instant::now());
        assert_eq!(bag.lock().letters.len(), REPORTS_MAX - 1);
        bag.put(letters(2), Instant::now());
        assert_eq!(bag.lock().letters.len(), REPORTS_MAX);
    }
}
