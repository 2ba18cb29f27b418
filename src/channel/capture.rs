//! The capture channel: keeps messages in the appliance instead of sending them.

use super::{Class, Failure, Provider, Receipt, Session, mime};
use crate::clock::Clock;
use crate::domain::format::Channel;
use crate::domain::ids::CapturedId;
use crate::domain::message::Outgoing;
use crate::store::Store;
use crate::store::captured::{self, Captured};
use std::sync::Arc;

/// Keeps what it is given; never fails but for the disk.
pub struct Capture {
    store: Arc<Store>,
    clock: Arc<Clock>,
}

impl Capture {
    /// The name in attempts, and the URL.
    pub const NAME: &'static str = "capture:";

    /// A capture channel over this store.
    #[must_use]
    pub fn new(store: Arc<Store>, clock: Arc<Clock>) -> Self {
        Self { store, clock }
    }
}

impl Provider for Capture {
    fn name(&self) -> &str {
        Self::NAME
    }

    /// One, so that what is captured stands in the order in which it would have been sent.
    fn connections(&self) -> usize {
        1
    }

    fn recognises_repeats(&self) -> bool {
        true
    }

    fn keeps_here(&self) -> bool {
        true
    }

    fn session(&self) -> Box<dyn Session> {
        Box::new(Self {
            store: self.store.clone(),
            clock: self.clock.clone(),
        })
    }

    fn check(&self) -> Result<String, Failure> {
        Ok("Messages are kept in this appliance.".into())
    }
}

impl Session for Capture {
    fn send(&mut self, message: &Outgoing) -> Result<Receipt, Failure> {
        let is_mail = message.format.channel() == Channel::Email;
        let source = is_mail.then(|| mime::raw_mail(message, None)).transpose()?;
        let sender = message
            .sender
            .clone()
            .unwrap_or_else(|| message.default_sender.clone());
        let caught = Captured {
            id: CapturedId(0),
            guid: message.guid,
            format: message.format,
            recipient: message.recipient.clone(),
            sender: is_mail.then_some(sender),
            subject: message.subject.clone(),
            body: message.body.clone(),
            html_body: message.html_body.clone(),
            is_sensitive: message.is_sensitive,
            created: self.clock.now(),
        };
        let kept = self
            .store
            .write(move |tx| captured::insert(tx, &caught, source.as_deref()));
        match kept {
            Ok(id) => Ok(Receipt {
                provider_id: Some(id.to_string()),
                code: None,
                answer: format!("Captured as {id}; nothing has left this machine."),
            }),
            Err(fault) => Err(Failure {
                class: Class::Temporary,
                code: None,
                answer: fault.details(),
                retry_after: None,
            }),
        }
    }

    fn rest(&mut self) {}
}
