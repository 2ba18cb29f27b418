//! A provider that is configured and cannot be used, such as one whose stored URL cannot be read any more.
//!
//! It stands in its place so that nobody takes its channel for one without providers: its messages wait for an operator
//! instead of being captured.

use super::{Class, Failure, Provider, Receipt, Session};
use crate::domain::message::Outgoing;

/// Fails every attempt as a fault of the configuration, which costs no message its life.
#[derive(Debug, Clone)]
pub struct Unusable {
    name: String,
    why: String,
}

impl Unusable {
    /// A provider under its masked URL, and the sentence that says what to do.
    #[must_use]
    pub fn new(name: String, why: String) -> Self {
        Self { name, why }
    }

    fn failure(&self) -> Failure {
        Failure {
            class: Class::Configuration,
            code: None,
            answer: self.why.clone(),
            retry_after: None,
        }
    }
}

impl Provider for Unusable {
    fn name(&self) -> &str {
        &self.name
    }

    fn connections(&self) -> usize {
        1
    }

    fn recognises_repeats(&self) -> bool {
        true
    }

    fn session(&self) -> Box<dyn Session> {
        Box::new(self.clone())
    }

    fn check(&self) -> Result<String, Failure> {
        Err(self.failure())
    }
}

impl Session for Unusable {
    fn send(&mut self, _: &Outgoing) -> Result<Receipt, Failure> {
        Err(self.failure())
    }

    fn rest(&mut self) {}
}
