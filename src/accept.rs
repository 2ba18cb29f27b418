//! From "tell this user" to rows on disk: the one way in for every message, whoever asks.
//!
//! Preparing looks and renders without writing; committing is one transaction. In between nothing is promised.

use crate::app::App;
use crate::clock::shown;
use crate::domain::format::{Channel, Format};
use crate::domain::ids::{ClientId, MessageId};
use crate::domain::message::{Decision, NewMessage, Status};
use crate::domain::message_type::{self, MessageType};
use crate::domain::placeholder::{Value, Values};
use crate::domain::routing::{self, Content, Leg, Target};
use crate::domain::settings::Settings;
use crate::domain::user::User;
use crate::domain::{sms, template};
use crate::error::{Error, Result};
use crate::render::{self, Rendered};
use crate::secret;
use crate::store::{self, Db, idempotency};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What an application asks for.
#[derive(Debug, Clone)]
pub struct Order {
    /// To whom.
    pub user: User,
    /// What.
    pub what: What,
    /// Over which channels, in this order.
    pub channels: Vec<Channel>,
    /// Who asks, for the log.
    pub by: String,
}

/// The content of an order.
#[derive(Debug, Clone)]
pub enum What {
    /// A message type, with values for its words.
    Typed(MessageType, Values),
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
}

/// An order decided and rendered, nothing written yet.
#[derive(Debug)]
pub struct Prepared {
    user: User,
    messages: Vec<NewMessage>,
}

/// A message that was accepted, or failed before it could be queued.
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
    /// Keys belong to one client.
    pub client: ClientId,
    /// The `Idempotency-Key`.
    pub key: String,
    /// Of the whole request.
    pub request_hash: [u8; 32],
}

/// Decides and renders.
///
/// # Errors
/// [`Error::Conflict`] for a disabled user; [`Error::Invalid`] for a missing or unknown value, and when no channel
/// that was asked for can reach the user.
pub fn prepare(app: &App, order: Order) -> Result<Prepared> {
    let Order {
        user,
        what,
        channels,
        by,
    } = order;
    refuse_disabled(&user)?;
    let now = app.clock.now();
    let messages = app.store.read(|db| {
        let settings = store::settings::load(db)?;
        let (message_type, values) = match &what {
            What::Typed(message_type, values) => (message_type.clone(), values.clone()),
            What::Custom(_) => (announcement(db)?, Values::new()),
        };
        let job = Job {
            app,
            db,
            settings: &settings,
            user: &user,
            message_type: &message_type,
            by: &by,
            now,
        };
        match &what {
            What::Custom(custom) => job.custom(&channels, custom),
            What::Typed(..) => job.typed(&channels, values),
        }
    })?;
    if messages.iter().all(|m| m.status.is_final()) {
        let reasons: BTreeSet<_> = messages.iter().filter_map(|m| m.error.clone()).collect();
        let reasons: Vec<_> = reasons.into_iter().collect();
        return Err(Error::Invalid(format!(
            "Nothing can be sent. {}",
            reasons.join(" ")
        )));
    }
    Ok(Prepared { user, messages })
}

/// Commits all of it, or nothing; then wakes the senders.
///
/// # Errors
/// [`Error::Conflict`] if the user was disabled meanwhile, [`Error::NotFound`] if erased; faults of the database.
pub fn commit(app: &App, prepared: Prepared, once: Option<OnceKey>) -> Result<Vec<Accepted>> {
    let Prepared { user, messages } = prepared;
    let now = app.clock.now();
    let accepted = app.store.write(move |tx| {
        // A moment may have passed since the preparation.
        refuse_disabled(&store::users::get(tx, user.id)?)?;
        let mut accepted = Vec::with_capacity(messages.len());
        for message in &messages {
            accepted.push(Accepted {
                id: store::messages::insert(tx, message)?,
                guid: message.guid,
                format: message.format,
                recipient: message.recipient.clone(),
                queued: message.status == Status::Queued,
            });
        }
        if let Some(once) = once {
            let kept = idempotency::Kept {
                request_hash: once.request_hash,
                guids: queued_guids(&accepted),
                location: first_id(&accepted),
            };
            idempotency::keep(tx, once.client, &once.key, &kept, now)?;
        }
        Ok(accepted)
    })?;
    for message in accepted.iter().filter(|m| m.queued) {
        app.bells.ring(message.format.channel());
    }
    Ok(accepted)
}

fn refuse_disabled(user: &User) -> Result<()> {
    match user.profile.is_disabled {
        false => Ok(()),
        true => Err(Error::Conflict(format!(
            "The user {} is disabled; nothing is sent.",
            user.profile.user_name
        ))),
    }
}

/// GUIDs of the queued messages, space-separated.
#[must_use]
pub fn queued_guids(accepted: &[Accepted]) -> String {
    let guids: Vec<_> = accepted
        .iter()
        .filter(|m| m.queued)
        .map(|m| m.guid.to_string())
        .collect();
    guids.join(" ")
}

/// The id of the first log entry.
#[must_use]
pub fn first_id(accepted: &[Accepted]) -> String {
    accepted
        .first()
        .map(|m| m.id.to_string())
        .unwrap_or_default()
}

fn announcement(db: &Db) -> Result<MessageType> {
    store::types::get(db, message_type::ANNOUNCEMENT)
}

/// What every leg of one order shares.
struct Job<'a> {
    app: &'a App,
    db: &'a Db,
    settings: &'a Settings,
    user: &'a User,
    message_type: &'a MessageType,
    by: &'a str,
    now: Timestamp,
}

impl Job<'_> {
    fn custom(&self, channels: &[Channel], custom: &Custom) -> Result<Vec<NewMessage>> {
        let legs = self.route(channels, Content::Custom);
        legs.into_iter()
            .map(|leg| {
                let (subject, body, html_body) = match leg.channel {
                    Channel::Email => {
                        let subject = custom
                            .subject
                            .clone()
                            .unwrap_or_else(|| self.settings.app_name.clone());
                        template::check_subject_line(&subject)?;
                        let (text, html) =
                            render::custom_email(custom.email.as_deref().unwrap_or_default());
                        (Some(subject), text, Some(html))
                    }
                    Channel::Sms | Channel::Push => (
                        None,
                        sms::to_ascii(custom.sms.as_deref().unwrap_or_default()),
                        None,
                    ),
                };
                let rendered = Rendered {
                    subject,
                    body,
                    html_body,
                };
                self.message(leg, None, |_| Ok(rendered))
            })
            .collect()
    }

    fn typed(&self, channels: &[Channel], values: Values) -> Result<Vec<NewMessage>> {
        let candidates = store::templates::candidates(self.db, self.message_type.id)?;
        let values = self.values(values)?;
        self.route(channels, Content::Templates(&candidates))
            .into_iter()
            .map(|leg| {
                let template = match leg.outcome.as_ref().map(|target| target.template) {
                    Ok(Some(id)) => Some(store::templates::get(self.db, id)?),
                    _ => None,
                };
                let sender = template.as_ref().and_then(|t| t.sender.clone());
                self.message(leg, sender, |_| {
                    let template = template
                        .as_ref()
                        .ok_or_else(|| Error::internal("a target without a template"))?;
                    render::render(&template.parts(), &values)
                })
            })
            .collect()
    }

    fn route(&self, channels: &[Channel], content: Content<'_>) -> Vec<Leg> {
        routing::route(
            &self.user.profile,
            channels,
            content,
            self.settings.default_language,
        )
    }

    /// The row of one leg: queued with its content, or failed with its reason.
    fn message(
        &self,
        leg: Leg,
        sender: Option<String>,
        content: impl FnOnce(&Target) -> Result<Rendered>,
    ) -> Result<NewMessage> {
        let Leg {
            channel,
            outcome,
            trace: steps,
        } = leg;
        let asked = format!("{} over {channel}", self.message_type.slug.as_str());
        let mut trace = vec![Decision::new(
            "request",
            asked,
            format!("Asked for by {}.", self.by),
        )];
        trace.extend(steps);
        let mut message = NewMessage {
            guid: self.guid()?,
            user_id: Some(self.user.id),
            type_id: self.message_type.id,
            template_id: None,
            format: channel.formats()[0],
            status: Status::Failed,
            is_system: self.message_type.is_system,
            recipient: String::new(),
            recipient_name: Some(self.user.profile.name.clone()),
            sender,
            subject: None,
            body: None,
            html_body: None,
            is_sensitive: self.message_type.sensitive,
            created: self.now,
            created_by: self.by.to_owned(),
            due: self.now,
            expires: self.later(i64::from(self.message_type.expiry_secs)),
            error: None,
            trace,
        };
        match outcome {
            Err(reason) => message.error = Some(reason),
            Ok(target) => {
                let Rendered {
                    subject,
                    body,
                    html_body,
                } = content(&target)?;
                message.status = Status::Queued;
                message.format = target.format;
                message.template_id = target.template;
                message.recipient = target.recipient;
                message.subject = subject;
                message.body = Some(body);
                message.html_body = html_body;
            }
        }
        Ok(message)
    }

    /// The common words, the request's values, and the action links that the request leaves open.
    fn values(&self, given: Values) -> Result<Values> {
        let words = &self.message_type.words;
        for word in given.keys() {
            if !words.iter().any(|w| w.name == *word) {
                let known: Vec<_> = words.iter().map(|w| w.name.as_str()).collect();
                return Err(Error::Invalid(format!(
                    "The message type {} has no placeholder {word:?} of its own; it has: {}.",
                    self.message_type.slug.as_str(),
                    if known.is_empty() {
                        "none".into()
                    } else {
                        known.join(", ")
                    },
                )));
            }
        }
        let mut values = given;
        values.extend(self.common());
        for (word, pattern) in [
            ("loginUrl", &self.settings.login_url),
            ("resetUrl", &self.settings.reset_url),
        ] {
            let wanted = words.iter().any(|w| w.name == word);
            if wanted && !values.contains_key(word) {
                values.insert(word.into(), Value::Text(self.link(pattern, &values)?));
            }
        }
        template::check_values(self.message_type, &values)?;
        Ok(values)
    }

    fn common(&self) -> Values {
        let profile = &self.user.profile;
        let text = |text: &str| Value::Text(text.to_owned());
        let mut user = Values::from([
            ("name".to_owned(), text(&profile.name)),
            ("userName".to_owned(), text(&profile.user_name)),
            ("language".to_owned(), text(profile.language.tag())),
            ("guid".to_owned(), text(&self.user.guid.to_string())),
        ]);
        if let Some(email) = &profile.email {
            user.insert("email".into(), text(email.as_str()));
        }
        if let Some(mobile) = &profile.mobile {
            user.insert("mobile".into(), text(mobile.as_str()));
        }
        let url = self
            .settings
            .app_url
            .as_deref()
            .unwrap_or(&self.app.base_url);
        let app = Values::from([
            ("name".to_owned(), text(&self.settings.app_name)),
            ("url".to_owned(), text(url)),
        ]);
        Values::from([
            ("user".to_owned(), Value::Map(user)),
            ("app".to_owned(), Value::Map(app)),
            ("now".to_owned(), Value::Text(shown(self.now))),
        ])
    }

    fn link(&self, pattern: &str, values: &Values) -> Result<String> {
        let token = secret::action_token(
            &self.settings.link_secret,
            self.user.guid,
            self.message_type.slug.as_str(),
            self.now,
            self.later(i64::from(self.message_type.expiry_secs)),
        )?;
        let mut values = values.clone();
        values.insert("token".into(), Value::Text(token));
        render::link(pattern, &values)
    }

    fn later(&self, secs: i64) -> Timestamp {
        self.now
            .checked_add(SignedDuration::from_secs(secs))
            .unwrap_or(Timestamp::MAX)
    }

    /// Version 7: the index over messages grows at its end.
    fn guid(&self) -> Result<Uuid> {
        let millis = u64::try_from(self.now.as_millisecond()).unwrap_or_default();
        let mut random = [0; 10];
        getrandom::fill(&mut random).map_err(Error::internal)?;
        Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}
