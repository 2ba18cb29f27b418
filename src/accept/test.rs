//! A template tried out on a recipient: sent at once, through the real channel, once. (Core - Messages, "Test message")

use super::{compose, values};
use crate::app::App;
use crate::domain::address::{EmailAddress, PhoneNumber};
use crate::domain::format::{Channel, Format};
use crate::domain::ids::{MessageId, TemplateId, UserId};
use crate::domain::message::{Decision, NewMessage, Status};
use crate::domain::placeholder::Values;
use crate::error::{Error, Result};
use crate::render::{self, Rendered};
use crate::store::{self, Db, devices, messages, pause, settings, templates, types, users};
use jiff::SignedDuration;
use std::time::{Duration, Instant};

/// How long to wait for the provider's word.
const WAIT: Duration = Duration::from_secs(60);
/// Between two looks at the log.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A template and on whom to try it.
pub struct Test {
    /// Which one.
    pub template: TemplateId,
    /// An address, a number, or for push a user name.
    pub recipient: String,
    /// On top of the samples.
    pub values: Values,
    /// Who asks, for the log.
    pub by: String,
}

/// Sends it and waits for the provider's word: whether it was accepted. A test is never tried again.
///
/// # Errors
/// [`Error::Refused`] without a recipient or without a way to reach it, [`Error::NothingToTest`] without a template,
/// [`Error::Invalid`] for a recipient or a value that cannot be, [`Error::Conflict`] while the outbox is paused.
pub fn test(app: &App, test: &Test) -> Result<bool> {
    if app.store.read(pause::is_on)? {
        return Err(Error::Conflict(
            "The outbox is paused, so nothing can be tried through its channels; resume it first."
                .into(),
        ));
    }
    let rows = prepare(app, test)?;
    let channel = rows.first().map(|row| row.format.channel());
    let ids = app.store.write(move |tx| {
        rows.iter()
            .map(|row| messages::insert(tx, row))
            .collect::<Result<Vec<_>>>()
    })?;
    if let Some(channel) = channel {
        app.bells.ring(channel);
    }
    let deadline = Instant::now() + WAIT;
    let mut delivered = true;
    for id in ids {
        delivered &= outcome(app, id, deadline)?;
    }
    Ok(delivered)
}

fn prepare(app: &App, test: &Test) -> Result<Vec<NewMessage>> {
    if test.recipient.trim().is_empty() {
        return Err(refused("err_TestNoRecipient", "Recipient is missing."));
    }
    let (template, message_type) = app.store.read(|db| {
        let template = templates::get(db, test.template).map_err(|error| match error {
            Error::NotFound(text) => Error::NothingToTest(text),
            other => other,
        })?;
        let message_type = types::get(db, template.type_id)?;
        Ok((template, message_type))
    })?;
    let (user, recipients) = app
        .store
        .read(|db| recipients(db, template.format, &test.recipient))?;
    let settings = app.store.read(settings::load)?;
    let values = values::samples(app, &settings, &message_type, None, test.values.clone())?;
    let Rendered {
        subject,
        body,
        html_body,
    } = render::render(&template.parts(), &values)?;
    let now = app.clock.now();
    let trace = vec![
        Decision::new(
            "request",
            message_type.slug.as_str(),
            format!("A test, asked for by {}.", test.by),
        ),
        Decision::new(
            "template",
            template.id.to_string(),
            "The one that is being tested.",
        ),
    ];
    let life = SignedDuration::try_from(WAIT).unwrap_or_default();
    recipients
        .into_iter()
        .map(|recipient| {
            Ok(NewMessage {
                guid: compose::guid(now),
                user_id: user,
                type_id: message_type.id,
                template_id: Some(template.id),
                format: template.format,
                status: Status::Queued,
                is_system: true,
                is_released: false,
                recipient,
                recipient_name: None,
                sender: template.sender.clone(),
                subject: subject.clone(),
                body: Some(body.clone()),
                html_body: html_body.clone(),
                is_sensitive: message_type.sensitive,
                created: now,
                created_by: test.by.clone(),
                due: now,
                expires: now.checked_add(life).unwrap_or(now),
                by_the_minute: false,
                error: None,
                cause: None,
                trace: trace.clone(),
            })
        })
        .collect()
}

/// Where a test goes: "the recipient e-mail …, the recipient mobile phone number …, the recipient user name".
fn recipients(db: &Db, format: Format, recipient: &str) -> Result<(Option<UserId>, Vec<String>)> {
    match format.channel() {
        Channel::Email => Ok((
            None,
            vec![EmailAddress::parse(recipient)?.as_str().to_owned()],
        )),
        Channel::Sms => Ok((
            None,
            vec![PhoneNumber::parse(recipient)?.as_str().to_owned()],
        )),
        Channel::Push => {
            let user = users::get_by_name(db, recipient).map_err(|error| match error {
                Error::NotFound(text) => Error::Invalid(text),
                other => other,
            })?;
            let tokens = devices::tokens(db, user.id)?;
            if tokens.is_empty() {
                return Err(refused(
                    "err_TestFormatNotTestable",
                    "The user has no device to push to.",
                ));
            }
            Ok((Some(user.id), tokens))
        }
    }
}

fn refused(slug: &'static str, details: &str) -> Error {
    Error::Refused {
        slug,
        details: details.to_owned(),
    }
}

/// Whether the first attempt succeeded; whatever is left of the message is stopped.
fn outcome(app: &App, id: MessageId, deadline: Instant) -> Result<bool> {
    loop {
        let line = app.store.read(|db| messages::line_of(db, id))?;
        if matches!(line.status, Status::Sent | Status::Delivered) {
            return Ok(true);
        }
        let has_failed = line.last_result == Some(false) && line.status != Status::Sending;
        if line.status.is_final() || has_failed || Instant::now() >= deadline {
            stop(app, id)?;
            return Ok(false);
        }
        std::thread::park_timeout(LOOK_EVERY);
    }
}

fn stop(app: &App, id: MessageId) -> Result<()> {
    let stopped = app
        .store
        .write(move |tx| store::messages::cancel(tx, id, "The test is over."));
    match stopped {
        // It ended by itself, or is in its last attempt.
        Err(Error::Conflict(_)) => Ok(()),
        other => other,
    }
}
