//! What was captured, sent after all: to a recipient that a person names, through a provider that sends.

use super::{Accepted, compose};
use crate::app::App;
use crate::domain::address::{EmailAddress, PhoneNumber};
use crate::domain::device::DeviceDraft;
use crate::domain::format::{Channel, Format};
use crate::domain::ids::CapturedId;
use crate::domain::message::{Decision, NewMessage, Status};
use crate::domain::message_type::ANNOUNCEMENT;
use crate::error::Result;
use crate::providers;
use crate::store::{captured, messages, settings, types};
use jiff::SignedDuration;

/// What to release, and to whom.
pub struct Release {
    /// Which one.
    pub captured: CapturedId,
    /// An address, a number or a device, as the format needs it.
    pub recipient: String,
    /// Who asks, for the log.
    pub by: String,
}

/// Queues a copy with a GUID of its own. It waits for a provider that sends, and is never captured again.
///
/// # Errors
/// [`crate::error::Error::NotFound`], [`crate::error::Error::Invalid`] for a recipient the format does not have,
/// [`crate::error::Error::Conflict`] when its channel is only captured.
pub fn release(app: &App, release: Release) -> Result<Accepted> {
    let message = copy(app, release)?;
    let (guid, format) = (message.guid, message.format);
    let recipient = message.recipient.clone();
    let id = providers::while_sent(app, format.channel(), || {
        app.store.write(move |tx| messages::insert(tx, &message))
    })?;
    app.bells.ring(format.channel());
    Ok(Accepted {
        id,
        guid,
        format,
        recipient,
        queued: true,
    })
}

fn copy(app: &App, release: Release) -> Result<NewMessage> {
    let Release {
        captured: id,
        recipient,
        by,
    } = release;
    let now = app.clock.now();
    app.store.read(|db| {
        let caught = captured::get(db, id)?;
        let recipient = recipient_of(caught.format, &recipient)?;
        let origin = messages::origin(db, caught.guid)?;
        let type_id = origin
            .as_ref()
            .map_or(ANNOUNCEMENT, |origin| origin.type_id);
        let message_type = match types::find(db, type_id)? {
            Some(found) => found,
            None => types::get(db, ANNOUNCEMENT)?,
        };
        // A sender that only the settings named gives way to the provider's own, as it would have in sending.
        let settings = settings::load(db)?;
        let life = SignedDuration::from_secs(i64::from(message_type.expiry_secs));
        Ok(NewMessage {
            guid: compose::guid(now),
            user_id: origin.as_ref().and_then(|origin| origin.user_id),
            type_id: message_type.id,
            template_id: origin.as_ref().and_then(|origin| origin.template_id),
            format: caught.format,
            status: Status::Queued,
            is_system: false,
            is_released: true,
            recipient_name: None,
            sender: caught
                .sender
                .filter(|sender| *sender != settings.default_sender),
            subject: caught.subject,
            body: Some(caught.body),
            html_body: caught.html_body,
            // Whatever is not known any more is not shown either.
            is_sensitive: origin.is_none_or(|origin| origin.is_sensitive),
            created: now,
            created_by: by.clone(),
            due: now,
            expires: now.checked_add(life).unwrap_or(now),
            by_the_minute: false,
            error: None,
            cause: None,
            trace: vec![
                Decision::new(
                    "request",
                    message_type.slug.as_str(),
                    format!("Released from captured {id} by {by}."),
                ),
                Decision::new("address", recipient.clone(), "Named in the release."),
            ],
            recipient,
        })
    })
}

fn recipient_of(format: Format, text: &str) -> Result<String> {
    Ok(match format.channel() {
        Channel::Email => EmailAddress::parse(text)?.as_str().to_owned(),
        Channel::Sms => PhoneNumber::parse(text)?.as_str().to_owned(),
        Channel::Push => DeviceDraft::check(None, Some(text.to_owned()))?
            .token()
            .to_owned(),
    })
}
