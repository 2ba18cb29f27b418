//! Applications that know their trade: who hears no answer asks again, with the same key, until there is one.

use crate::support::app::{Caller, Reply};
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// How long a client waits before it asks again.
const PAUSE: Duration = Duration::from_millis(5);

/// Over what a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    Email,
    Sms,
    Push,
}

/// A message that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) channel: Channel,
    /// What its text says.
    pub(super) number: usize,
    pub(super) guid: String,
    /// Where its log entry is.
    pub(super) entry: String,
}

/// Where the server is, as long as it is there.
#[derive(Default)]
pub(super) struct Door {
    api: Mutex<Option<Arc<Caller>>>,
    opened: Condvar,
    is_over: AtomicBool,
    /// Requests that had no answer.
    pub(super) unanswered: AtomicUsize,
}

impl Door {
    pub(super) fn open(&self, api: Caller) {
        *self.api.lock().unwrap() = Some(Arc::new(api));
        self.opened.notify_all();
    }

    /// Nobody comes in any more: another server may be given the address of one that is killed.
    pub(super) fn shut(&self) {
        *self.api.lock().unwrap() = None;
    }

    /// The server, once it is there.
    pub(super) fn api(&self) -> Arc<Caller> {
        let api = self.api.lock().unwrap();
        let waits = |api: &mut Option<_>| api.is_none() && !self.is_over();
        let api = self.opened.wait_while(api, waits).unwrap();
        Arc::clone(api.as_ref().expect("the test goes on"))
    }

    /// Whether no client is to do anything more.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Does this while the clients work; if it fails, they end too.
    pub(super) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|fault| {
            let mut api = self.api.lock().unwrap();
            self.is_over.store(true, Ordering::Release);
            *api = None;
            drop(api);
            self.opened.notify_all();
            resume_unwind(fault)
        })
    }

    /// Asks until there is an answer other than "later" and "the first with this key is still running".
    pub(super) fn ask(&self, path: &str, key: Option<&str>, body: &str) -> Reply {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        loop {
            match self.api().try_call("POST", path, &headers, body.as_bytes()) {
                Ok(reply) if !matches!(reply.status, 409 | 503) => return reply,
                Ok(_) => {}
                Err(_) => _ = self.unanswered.fetch_add(1, Ordering::Relaxed),
            }
            std::thread::park_timeout(PAUSE);
        }
    }

    /// Sends message number so-and-so, until it is accepted. There are no keys for push, so who asks again asks for another.
    pub(super) fn send(&self, path: &str, channel: Channel, number: usize) -> Accepted {
        let (text, key) = (text(number), format!("key-{number}"));
        let reply = match channel {
            Channel::Push => {
                let body = json!({ "UserId": 1, "MessageType": 0, "Formats": [3], "Placeholders": { "text": text } });
                self.ask("/api/admin/v1/messages/send", None, &body.to_string())
            }
            _ => self.ask(path, Some(&key), &order(channel, &text)),
        };
        let guid = match channel {
            Channel::Push => {
                assert_eq!(reply.status, 200, "{}", reply.body);
                let queued = reply.json()["Data"].take();
                assert_eq!(queued.as_array().unwrap().len(), 1, "{}", reply.body);
                queued[0]["Guid"].as_str().unwrap().to_owned()
            }
            _ => reply.expect(202, "").header("x-message-id").to_owned(),
        };
        Accepted {
            channel,
            number,
            guid,
            entry: reply.header("location").to_owned(),
        }
    }
}

pub(super) fn text(number: usize) -> String {
    format!("Number {number}")
}

/// What is posted for a mail or an SMS with this text.
pub(super) fn order(channel: Channel, text: &str) -> String {
    let (method, body): (_, Value) = match channel {
        Channel::Email => ("email", json!({ "email": { "body": text } })),
        Channel::Sms => ("sms", json!({ "sms": { "body": text } })),
        Channel::Push => unreachable!("the send API has no push"),
    };
    json!({ "deliveryMethod": method, "messageBody": body }).to_string()
}
