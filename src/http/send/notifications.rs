//! `POST /communication/notifications`. (site; api.md, section 3)

use crate::accept::{self, Choice, Custom, Order, What};
use crate::app::App;
use crate::domain::address::no_controls;
use crate::domain::message_type::MessageType;
use crate::domain::placeholder::Values;
use crate::error::{Error, Result};
use crate::http::object::Object;
use crate::http::request::Request;
use crate::http::response::Response;
use crate::store::{Db, types, users};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;
use uuid::Uuid;

/// Notifications in one request at most. (site)
pub(in crate::http) const NOTIFICATIONS_MAX: usize = 100;
/// The longest title, in characters. (site)
pub(in crate::http) const TITLE_CHARS_MAX: usize = 128;
/// The longest message, in characters. (site)
pub(in crate::http) const MESSAGE_CHARS_MAX: usize = 1024;

/// What to notify whom of.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SendNotifications {
    #[schemars(required, with = "Option<Vec<Notification>>")]
    notifications: Option<Vec<Object<Notification>>>,
}

/// One notification.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// The Guid of a message type with `IsNotification`.
    #[schemars(required)]
    channel_id: Option<String>,
    #[schemars(required)]
    user_id: Option<String>,
    /// With `message`, or neither: then the type's templates speak.
    title: Option<String>,
    message: Option<String>,
    /// Later than now; default: at once.
    send_at: Option<String>,
    /// Whether to send push as well.
    send_push: Option<bool>,
}

/// Accepts all notifications or none. They go out at the next full minute; of several for one user and channel in a
/// minute the latest wins. (site)
pub fn send(app: &App, request: &Request) -> Result<Response> {
    let SendNotifications { notifications } = request.json()?;
    let notifications = notifications.unwrap_or_default();
    if !(1..=NOTIFICATIONS_MAX).contains(&notifications.len()) {
        return Err(Error::Invalid(format!(
            "notifications must hold 1 to {NOTIFICATIONS_MAX} notifications."
        )));
    }
    let by = request.caller()?.name.clone();
    let mut orders = Vec::with_capacity(notifications.len());
    for (index, Object(notification)) in notifications.into_iter().enumerate() {
        let prepared = app.store.read(|db| {
            let order = order(db, notification, &by, app.clock.now())?;
            accept::prepare(app, db, order)?.require_a_way()
        });
        orders.push(prepared.map_err(|error| at(index, error))?);
    }
    accept::commit_all(app, orders, None)?;
    Ok(Response::empty(202))
}

/// The same failure, saying which notification it is about.
fn at(index: usize, error: Error) -> Error {
    let place = |text: String| format!("notifications[{index}]: {text}");
    match error {
        Error::Invalid(text) => Error::Invalid(place(text)),
        Error::NotFound(text) => Error::NotFound(place(text)),
        Error::Conflict(text) => Error::Conflict(place(text)),
        other => other,
    }
}

fn order(db: &Db, notification: Notification, by: &str, now: Timestamp) -> Result<Order> {
    let Notification {
        channel_id,
        user_id,
        title,
        message,
        send_at,
        send_push,
    } = notification;
    let channel = guid("channelId", channel_id)?;
    let user = guid("userId", user_id)?;
    let found = types::find_by_guid(db, channel)?;
    let user = users::get_by_guid(db, user)?;
    let message_type = found
        .filter(|t| t.is_notification)
        .ok_or_else(|| Error::NotFound(format!("No notification type has the id {channel}.")))?;
    Ok(Order {
        user,
        what: content(message_type, title, message)?,
        choice: Choice::Notification {
            push: send_push.unwrap_or(false),
        },
        send_at: time(send_at, now)?,
        by: by.to_owned(),
    })
}

fn guid(field: &str, text: Option<String>) -> Result<Uuid> {
    text.and_then(|text| Uuid::try_parse(&text).ok())
        .ok_or_else(|| Error::Invalid(format!("{field} must be a GUID.")))
}

fn content(
    message_type: Arc<MessageType>,
    title: Option<String>,
    message: Option<String>,
) -> Result<What> {
    let filled = |text: Option<String>| text.filter(|t| !t.trim().is_empty());
    let (title, message) = match (filled(title), filled(message)) {
        (None, None) => return Ok(What::Typed(message_type, Values::new())),
        (Some(title), Some(message)) => (title, message),
        _ => {
            return Err(Error::invalid(
                "title and message go together: give both or neither.",
            ));
        }
    };
    no_controls("title", &title, false)?;
    for (field, text, max) in [
        ("title", &title, TITLE_CHARS_MAX),
        ("message", &message, MESSAGE_CHARS_MAX),
    ] {
        if text.chars().count() > max {
            return Err(Error::Invalid(format!(
                "{field} must be at most {max} characters."
            )));
        }
    }
    Ok(What::Custom(Custom {
        message_type: Some(message_type),
        subject: Some(title),
        email: Some(message.clone()),
        sms: Some(message.clone()),
        push: Some(message),
    }))
}

fn time(text: Option<String>, now: Timestamp) -> Result<Option<Timestamp>> {
    let Some(text) = text else { return Ok(None) };
    let at: Timestamp = text
        .parse()
        .map_err(|_| Error::invalid("sendAt must be a time such as 2001-01-01T01:01:01Z."))?;
    match at > now {
        true => Ok(Some(at)),
        false => Err(Error::invalid("sendAt must be later than now.")),
    }
}
