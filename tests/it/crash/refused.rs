//! Clients of an appliance that cannot write for a while: who is refused comes again with the same key.

use super::LOGS;
use super::clients::{Channel, order, text};
use crate::support::app::Caller;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

pub(super) const CLIENTS: usize = 4;
/// How long a client rests between two messages: a small disk is to be filled by a file, not by messages.
const PACE: Duration = Duration::from_millis(10);

/// What the clients have heard.
#[derive(Default)]
pub(super) struct Seen {
    accepted: Mutex<BTreeSet<String>>,
    refused: AtomicUsize,
    next: AtomicUsize,
    is_over: AtomicBool,
}

impl Seen {
    pub(super) fn accepted(&self) -> usize {
        self.accepted.lock().unwrap().len()
    }

    pub(super) fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }

    /// The GUIDs of what was accepted.
    pub(super) fn into_accepted(self) -> BTreeSet<String> {
        self.accepted.into_inner().unwrap()
    }

    /// Sends a new message, once; whether it was accepted.
    pub(super) fn send(&self, api: &Caller, path: &str) -> bool {
        self.send_number(api, path, self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether it was accepted; if not, it was refused as it should be.
    fn send_number(&self, api: &Caller, path: &str, number: usize) -> bool {
        let (key, order) = (
            format!("key-{number}"),
            order(Channel::Email, &text(number)),
        );
        let json = ("content-type", "application/json");
        let headers = [json, ("idempotency-key", key.as_str())];
        let reply = api.call("POST", path, &headers, order.as_bytes());
        if reply.status == 202 {
            let guid = reply.header("x-message-id").to_owned();
            self.accepted.lock().unwrap().insert(guid);
            return true;
        }
        let later = r#"{"errorCode":"503","message":"Herald cannot take this just now; try again in 5 seconds."}"#;
        assert_eq!(reply.expect(503, later).header("retry-after"), "5");
        self.refused.fetch_add(1, Ordering::Relaxed);
        false
    }
}

/// Sends one message after the other; one that is refused is sent again, under its key.
fn client(api: &Caller, path: &str, seen: &Seen) {
    while !seen.is_over.load(Ordering::Relaxed) {
        let number = seen.next.fetch_add(1, Ordering::Relaxed);
        while !seen.send_number(api, path, number) && !seen.is_over.load(Ordering::Relaxed) {
            std::thread::park_timeout(PACE);
        }
        std::thread::park_timeout(PACE);
    }
}

/// Does this while clients send.
pub(super) fn under_load(api: &Caller, path: &str, seen: &Seen, work: impl FnOnce()) {
    seen.is_over.store(false, Ordering::Relaxed);
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| client(api, path, seen));
        }
        // However the work ends, the clients end too.
        let done = catch_unwind(AssertUnwindSafe(work));
        seen.is_over.store(true, Ordering::Relaxed);
        done.unwrap_or_else(|fault| resume_unwind(fault));
    });
}

/// It is alive and can be read, and says that it is not ready.
pub(super) fn expect_no_writing(api: &Caller) {
    assert_eq!(api.get(LOGS).status, 200, "reading goes on");
    api.get("/livez").expect(200, "ok\n");
    let later = r#"{"Result":"ERR","Message":"err_Unavailable","Details":"Herald cannot take this just now; try again in 5 seconds."}"#;
    assert_eq!(
        api.get("/readyz").expect(503, later).header("retry-after"),
        "5"
    );
}
