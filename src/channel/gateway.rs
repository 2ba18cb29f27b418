//! What all gateways over HTTP have in common: a request for each message, an answer, a check. What differs between them
//! is a [`Gateway`].

use super::answer::Mask;
use super::http::{Answer, Call, HttpClient};
use super::{Callback, Class, Failure, Provider, Receipt, Session, Timeouts};
use crate::clock::Clock;
use crate::domain::message::{Outgoing, Report};
use crate::domain::retry::Signal;
use std::sync::Arc;

/// Concurrent calls; gateways answer each within a second and queue by themselves.
const CONNECTIONS: usize = 4;

/// A gateway's own part: how a message becomes a request, and what the answers mean.
pub(super) trait Gateway: Send + Sync + 'static {
    /// See [`Provider::name`].
    fn name(&self) -> &str;
    /// What must not appear in what is kept of its answers.
    fn mask(&self) -> Mask;
    /// See [`Provider::recognises_repeats`].
    fn recognises_repeats(&self) -> bool;
    /// What has to be asked first, such as for a token; none for most, and while what was learned is good.
    fn before(&self) -> Option<Request> {
        None
    }
    /// Keeps what was answered to that.
    ///
    /// # Errors
    /// A [`Failure`] of the provider or of its configuration, for no message has been handed over yet.
    fn learn(&self, _answer: &Answer, _mask: &Mask) -> Result<(), Failure> {
        Ok(())
    }
    /// What hands over a message.
    ///
    /// # Errors
    /// A sentence about why it never takes such a message; nothing is asked then.
    fn request(&self, message: &Outgoing) -> Result<Request, String>;
    /// What the answer to it means. The mask is that of the request.
    ///
    /// # Errors
    /// A [`Failure`] whose class is the gateway's own where it says more than the status.
    fn judge(&self, answer: &Answer, mask: &Mask) -> Result<Receipt, Failure>;
    /// What proves address and credentials and sends nothing.
    fn check(&self) -> Request;
    /// What the answer to that means, in words for a person.
    ///
    /// # Errors
    /// As [`Gateway::judge`].
    fn judge_check(&self, answer: &Answer, mask: &Mask) -> Result<String, Failure>;
    /// See [`Provider::report`].
    fn report(&self, _callback: &Callback<'_>) -> Option<Report> {
        None
    }
}

/// What hands over a message.
#[derive(Debug)]
pub(super) struct Request {
    /// The call.
    pub(super) call: Call,
    /// What in it is a secret beside the credentials.
    pub(super) secret: Option<String>,
}

impl From<Call> for Request {
    fn from(call: Call) -> Self {
        Self { call, secret: None }
    }
}

/// What a status other than 2xx means, in the gateway's own words or in its whole answer; none for 2xx.
pub(super) fn refusal(answer: &Answer, words: Option<String>, mask: &Mask) -> Option<Failure> {
    let class = Signal::Status(answer.status).rule().class?;
    let text = words.as_ref().unwrap_or(&answer.body);
    let mut failure = mask.signal(Signal::Status(answer.status), text);
    failure.retry_after = answer.retry_after.filter(|_| class == Class::Temporary);
    Some(failure)
}

/// A gateway, as a provider.
pub(super) struct HttpProvider<G> {
    gateway: Arc<G>,
    timeouts: Timeouts,
    clock: Arc<Clock>,
}

impl<G: Gateway> HttpProvider<G> {
    /// The clock is for a `Retry-After` that names a date.
    pub(super) fn new(gateway: G, timeouts: Timeouts, clock: Arc<Clock>) -> Self {
        Self {
            gateway: Arc::new(gateway),
            timeouts,
            clock,
        }
    }

    fn open(&self, timeouts: &Timeouts) -> HttpSession<G> {
        let mask = self.gateway.mask();
        HttpSession {
            client: HttpClient::new(timeouts, mask.clone()),
            gateway: Arc::clone(&self.gateway),
            clock: Arc::clone(&self.clock),
            mask,
        }
    }
}

impl<G: Gateway> Provider for HttpProvider<G> {
    fn name(&self) -> &str {
        self.gateway.name()
    }

    fn connections(&self) -> usize {
        CONNECTIONS
    }

    fn recognises_repeats(&self) -> bool {
        self.gateway.recognises_repeats()
    }

    fn session(&self) -> Box<dyn Session> {
        Box::new(self.open(&self.timeouts))
    }

    fn report(&self, callback: &Callback<'_>) -> Option<Report> {
        self.gateway.report(callback)
    }

    fn check(&self) -> Result<String, Failure> {
        let mut session = self.open(&self.timeouts.for_check());
        session.prepare()?;
        let (answer, mask) = session.ask(self.gateway.check())?;
        self.gateway.judge_check(&answer, &mask)
    }
}

struct HttpSession<G> {
    client: HttpClient,
    gateway: Arc<G>,
    clock: Arc<Clock>,
    mask: Mask,
}

impl<G: Gateway> HttpSession<G> {
    /// The answer, and what must not be kept of it.
    fn ask(&mut self, request: Request) -> Result<(Answer, Mask), Failure> {
        let Request { call, secret } = request;
        let mask = match secret {
            Some(secret) => self.mask.and(&secret),
            None => self.mask.clone(),
        };
        Ok((self.client.call(call, self.clock.now())?, mask))
    }

    fn prepare(&mut self) -> Result<(), Failure> {
        let Some(request) = self.gateway.before() else {
            return Ok(());
        };
        let (answer, mask) = self.ask(request).map_err(|mut failure| {
            // Whatever became of this: the message has not been handed over.
            if failure.class == Class::InDoubt {
                failure.class = Class::Provider;
            }
            failure
        })?;
        self.gateway.learn(&answer, &mask)
    }
}

impl<G: Gateway> Session for HttpSession<G> {
    fn send(&mut self, message: &Outgoing) -> Result<Receipt, Failure> {
        self.prepare()?;
        let request = self.gateway.request(message);
        let request = request.map_err(|why| self.mask.failure(Class::Permanent, None, &why))?;
        let (answer, mask) = self.ask(request)?;
        self.gateway.judge(&answer, &mask)
    }

    /// Nothing to say goodbye to: an idle connection is dropped by its age.
    fn rest(&mut self) {}
}
