//! From "tell this user" to rows on disk: the one way in for every message, whoever asks.
//!
//! Preparing looks, decides and renders without writing; committing is one transaction. In between nothing is promised.
//! Explaining is preparing, so that what is explained is what happens.

mod choice;
mod compose;
pub mod release;
pub mod test;
mod values;

use crate::app::App;
use crate::domain::format::{Channel, Format};
use crate::domain::ids::{MessageId, Owner};
use crate::domain::message::{NewMessage, Status};
use crate::domain::message_type::{ANNOUNCEMENT, MessageType};
use crate::domain::placeholder::Values;
use crate::domain::user::User;
use crate::error::{Error, Result};
use crate::outbox::Bells;
use crate::store::{self, Db, Store, Tx, idempotency};
use compose::Job;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// How far ahead a message may be scheduled, in days.
pub const SEND_AHEAD_DAYS_MAX: i64 = 366;

/// What an application asks for.
#[derive(Debug, Clone)]
pub struct Order {
    /// To whom.
    pub user: User,
    /// What.
    pub what: What,
    /// Over which channels.
    pub choice: Choice,
    /// Not before; none means now.
    pub send_at: Option<Timestamp>,
    /// Who asks, for the log.
    pub by: String,
}

/// Who chooses the channels.
#[derive(Debug, Clone)]
pub enum Choice {
    /// The caller, in this order; a disabled user is an error.
    Channels(Vec<Channel>),
    /// The caller, down to the format; a disabled user gets nothing.
    Formats(Vec<Format>),
    /// The preferences and the type's defaults; a disabled user gets nothing.
    Preference,
    /// The same for a notification of the send API, whose caller says whether push goes out as well. It waits for the
    /// full minute, and a later one of the same type to the same user takes its place until then.
    Notification {
        /// Whether push goes out as well.
        push: bool,
    },
}

/// The content of an order.
#[derive(Debug, Clone)]
pub enum What {
    /// A message type, with values for its words.
    Typed(Arc<MessageType>, Values),
    /// The caller's own text: data, never a template.
    Custom(Custom),
}

/// The caller's own text. (Send Message, "messageBody")
#[derive(Debug, Clone, Default)]
pub struct Custom {
    /// Subject of the mail; none means the application's name.
    pub subject: Option<String>,
    /// Text of the mail.
    pub email: Option<String>,
    /// Text of the SMS.
    pub sms: Option<String>,
    /// Text of the push notification; its title is the subject.
    pub push: Option<String>,
    /// What it counts as; none means an announcement.
    pub message_type: Option<Arc<MessageType>>,
}

/// An order decided and rendered, nothing written yet.
#[derive(Debug)]
pub struct Prepared {
    user: User,
    messages: Vec<NewMessage>,
    by_the_minute: bool,
}

/// A message that was accepted, or ended before it could be queued.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The log's id.
    pub id: MessageId,
    /// The send API's id.
    pub guid: Uuid,
    /// The form.
    pub format: Format,
    /// Where it goes.
    pub recipient: String,
    /// Whether it waits to be sent.
    pub queued: bool,
}

/// Under which key an order may come again without harm.
#[derive(Debug, Clone)]
pub struct OnceKey {
    /// Keys belong to one client or operator.
    pub owner: Owner,
    /// The `Idempotency-Key`.
    pub key: String,
    /// Of the whole request.
    pub request_hash: [u8; 32],
}

impl Prepared {
    /// The messages as they would be committed.
    #[must_use]
    pub fn messages(&self) -> &[NewMessage] {
        &self.messages
    }

    /// Whether there is something to send, or a reason why there should not be.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every reason when no channel can reach the user.
    pub fn require_a_way(self) -> Result<Self> {
        if self.messages.iter().any(|m| m.status != Status::Failed) {
            return Ok(self);
        }
        let reasons: BTreeSet<_> = self
            .messages
            .iter()
            .filter_map(|m| m.error.as_deref())
            .collect();
        let reasons: Vec<_> = reasons.into_iter().collect();
        Err(Error::Invalid(format!(
            "Nothing can be sent. {}",
            reasons.join(" ")
        )))
    }
}

/// Decides and renders, all on one snapshot.
///
/// # Errors
/// [`Error::Conflict`] for a disabled user whose channels the caller chose; [`Error::Invalid`] for a missing or unknown
/// value, or a time that is past or too far ahead.
pub fn prepare(app: &App, db: &Db, order: Order) -> Result<Prepared> {
    let Order {
        user,
        what,
        choice,
        send_at,
        by,
    } = order;
    if matches!(choice, Choice::Channels(_)) {
        user.refuse_disabled()?;
    }
    let now = app.clock.now();
    let by_the_minute = matches!(choice, Choice::Notification { .. });
    let due = match due(send_at, now)? {
        due if by_the_minute => full_minute(due, now),
        due => due,
    };
    let settings = store::settings::load(db)?;
    let (message_type, values) = match &what {
        What::Typed(message_type, values) => (message_type.clone(), values.clone()),
        What::Custom(custom) => match &custom.message_type {
            Some(message_type) => (message_type.clone(), Values::new()),
            None => (store::types::get(db, ANNOUNCEMENT)?, Values::new()),
        },
    };
    let job = Job {
        app,
        db,
        settings: &settings,
        user: &user,
        message_type: &message_type,
        by: &by,
        now,
        due,
        by_the_minute,
    };
    let chosen = choice::choose(db, &user, &message_type, choice)?;
    let messages = match &what {
        What::Custom(custom) => job.custom(chosen, custom),
        What::Typed(..) => job.typed(chosen, values),
    }?;
    Ok(Prepared {
        user,
        messages,
        by_the_minute,
    })
}

/// The first full minute from `at` on, and later than `now`, so that there is time for a later one.
fn full_minute(at: Timestamp, now: Timestamp) -> Timestamp {
    let millis = at.max(now).as_millisecond();
    let up = match at > now {
        true => (millis + 59_999).div_euclid(60_000),
        false => millis.div_euclid(60_000) + 1,
    };
    Timestamp::from_millisecond(up * 60_000).unwrap_or(at)
}

fn due(send_at: Option<Timestamp>, now: Timestamp) -> Result<Timestamp> {
    let Some(at) = send_at else { return Ok(now) };
    if at <= now || at.duration_since(now) > SignedDuration::from_hours(24 * SEND_AHEAD_DAYS_MAX) {
        return Err(Error::Invalid(format!(
            "The time to send at must be later than now and within {SEND_AHEAD_DAYS_MAX} days."
        )));
    }
    Ok(at)
}

/// Values to show a template with: the samples of the placeholder catalogue, the user's own where one is named, and on
/// top of them those given.
///
/// # Errors
/// [`Error::Invalid`] for a word the type does not have.
pub fn sample_values(
    app: &App,
    message_type: &MessageType,
    user: Option<&User>,
    given: Values,
) -> Result<Values> {
    let settings = app.store.read(store::settings::load)?;
    values::samples(app, &settings, message_type, user, given)
}

/// Commits all of it, or nothing; then wakes the senders.
///
/// # Errors
/// [`Error::Conflict`] if the user was disabled meanwhile, [`Error::NotFound`] if erased; faults of the database.
pub fn commit(app: &App, prepared: Prepared, once: Option<OnceKey>) -> Result<Vec<Accepted>> {
    let mut all = commit_all(app, vec![prepared], once)?;
    Ok(all.pop().unwrap_or_default())
}

/// Commits several orders in one transaction, all or none.
///
/// # Errors
/// As [`commit`].
pub fn commit_all(
    app: &App,
    orders: Vec<Prepared>,
    once: Option<OnceKey>,
) -> Result<Vec<Vec<Accepted>>> {
    let now = app.clock.now();
    let accepted = app
        .store
        .write(move |tx| insert(tx, &orders, once.as_ref(), now))?;
    ring(&app.bells, accepted.iter().flatten());
    Ok(accepted)
}

/// A [`commit`] that nobody waits for.
pub struct Commit {
    store: Arc<Store>,
    bells: Bells,
    now: Timestamp,
    prepared: Prepared,
    once: Option<OnceKey>,
}

impl Commit {
    /// Nothing is written before [`Commit::then`].
    #[must_use]
    pub fn new(app: &App, prepared: Prepared, once: Option<OnceKey>) -> Self {
        Self {
            store: app.store.clone(),
            bells: app.bells.clone(),
            now: app.clock.now(),
            prepared,
            once,
        }
    }

    /// Commits; `then` gets what [`commit`] would have returned, on a thread of the store.
    pub fn then(self, then: impl FnOnce(Result<Vec<Accepted>>) + Send + 'static) {
        let Self {
            store,
            bells,
            now,
            prepared,
            once,
        } = self;
        store.write_then(
            move |tx| insert(tx, &[prepared], once.as_ref(), now),
            move |accepted| {
                then(accepted.map(|mut all| {
                    let accepted = all.pop().unwrap_or_default();
                    ring(&bells, &accepted);
                    accepted
                }));
            },
        );
    }
}

fn ring<'a>(bells: &Bells, accepted: impl IntoIterator<Item = &'a Accepted>) {
    for message in accepted.into_iter().filter(|m| m.queued) {
        bells.ring(message.format.channel());
    }
}

/// What is said of an idempotency key whose first request has no answer yet.
#[must_use]
pub fn still_running() -> Error {
    Error::Conflict("A request with this Idempotency-Key is still running.".into())
}

/// Messages and idempotency record in one transaction. (delivery.md, "Engine")
fn insert(
    tx: &Tx<'_>,
    orders: &[Prepared],
    once: Option<&OnceKey>,
    now: Timestamp,
) -> Result<Vec<Vec<Accepted>>> {
    if let Some(once) = once
        && idempotency::find(tx, once.owner, &once.key, now)?.is_some()
    {
        // The first was answered after this one's snapshot was taken.
        return Err(still_running());
    }
    let mut accepted = Vec::with_capacity(orders.len());
    for Prepared {
        user,
        messages,
        by_the_minute,
    } in orders
    {
        if *by_the_minute && let Some(new) = messages.first() {
            store::of_user::replace_waiting(tx, user.id, new.type_id, new.due)?;
        }
        // A moment may have passed since the preparation.
        let is_disabled = store::users::is_disabled(tx, user.id)?;
        if is_disabled && messages.iter().any(|m| !m.status.is_final()) {
            return Err(user.disabled());
        }
        let rows = messages.iter().map(|message| {
            Ok(Accepted {
                id: store::messages::insert(tx, message)?,
                guid: message.guid,
                format: message.format,
                recipient: message.recipient.clone(),
                queued: !message.status.is_final(),
            })
        });
        accepted.push(rows.collect::<Result<Vec<_>>>()?);
    }
    if let Some(once) = once {
        let kept = idempotency::Kept {
            request_hash: once.request_hash,
            guids: queued_guids(accepted.iter().flatten()),
            location: first_id(accepted.iter().flatten()),
        };
        idempotency::keep(tx, once.owner, &once.key, &kept, now)?;
    }
    Ok(accepted)
}

/// GUIDs of the queued messages, space-separated.
#[must_use]
pub fn queued_guids<'a>(accepted: impl IntoIterator<Item = &'a Accepted>) -> String {
    let queued = accepted.into_iter().filter(|m| m.queued);
    queued
        .map(|m| m.guid.to_string())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The id of the first log entry.
#[must_use]
pub fn first_id<'a>(accepted: impl IntoIterator<Item = &'a Accepted>) -> String {
    accepted
        .into_iter()
        .next()
        .map(|m| m.id.to_string())
        .unwrap_or_default()
}
