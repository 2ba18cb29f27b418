//! The rows of one order: each leg queued with its content, or failed with its reason.

use super::choice::Chosen;
use super::{Custom, values};
use crate::app::App;
use crate::domain::format::Channel;
use crate::domain::message::{Decision, NewMessage, Status};
use crate::domain::message_type::MessageType;
use crate::domain::placeholder::Values;
use crate::domain::routing::{self, Addressee, Content, Leg, Obstacle, Target, Want};
use crate::domain::settings::Settings;
use crate::domain::user::User;
use crate::domain::{sms, template};
use crate::error::{Error, Result};
use crate::render::{self, Rendered};
use crate::store::{Db, devices, templates};
use jiff::{SignedDuration, Timestamp};
use uuid::{NoContext, Uuid};

/// What every leg of one order shares.
pub(super) struct Job<'a> {
    pub(super) app: &'a App,
    pub(super) db: &'a Db,
    pub(super) settings: &'a Settings,
    pub(super) user: &'a User,
    pub(super) message_type: &'a MessageType,
    pub(super) by: &'a str,
    pub(super) now: Timestamp,
    pub(super) due: Timestamp,
    pub(super) by_the_minute: bool,
}

impl Job<'_> {
    /// Messages with the caller's own text.
    pub(super) fn custom(&self, chosen: Chosen, custom: &Custom) -> Result<Vec<NewMessage>> {
        self.compose(chosen, Content::Custom, |target| {
            let rendered = match target.format.channel() {
                Channel::Email => {
                    let subject = custom
                        .subject
                        .as_ref()
                        .unwrap_or(&self.settings.app_name)
                        .clone();
                    template::check_subject_line(&subject)?;
                    let (body, html) =
                        render::custom_email(custom.email.as_deref().unwrap_or_default());
                    Rendered {
                        subject: Some(subject),
                        body,
                        html_body: Some(html),
                    }
                }
                Channel::Sms => Rendered {
                    subject: None,
                    body: sms::to_ascii(custom.sms.as_deref().unwrap_or_default()),
                    html_body: None,
                },
                Channel::Push => Rendered {
                    subject: custom.subject.clone(),
                    body: custom.push.clone().unwrap_or_default(),
                    html_body: None,
                },
            };
            Ok((rendered, None))
        })
    }

    /// Messages from the type's templates.
    pub(super) fn typed(&self, chosen: Chosen, given: Values) -> Result<Vec<NewMessage>> {
        let candidates = templates::candidates(self.db, self.message_type.id)?;
        let values = values::complete(self, given)?;
        self.compose(chosen, Content::Templates(&candidates), |target| {
            let id = target
                .template
                .ok_or_else(|| Error::internal("a target without a template"))?;
            let template = templates::get(self.db, id)?;
            let rendered = render::render(&template.parts(), &values)?;
            Ok((rendered, template.sender.clone()))
        })
    }

    fn compose(
        &self,
        chosen: Chosen,
        content: Content<'_>,
        render: impl Fn(&Target) -> Result<(Rendered, Option<String>)>,
    ) -> Result<Vec<NewMessage>> {
        if let Some(reason) = chosen.suppressed {
            return Ok(vec![self.suppressed(
                &chosen.wants,
                chosen.decision,
                reason,
            )?]);
        }
        let devices = match chosen
            .wants
            .iter()
            .any(|want| want.channel() == Channel::Push)
        {
            true => devices::tokens(self.db, self.user.id)?,
            false => Vec::new(),
        };
        let to = Addressee {
            profile: &self.user.profile,
            devices: &devices,
        };
        routing::route(to, &chosen.wants, content, self.settings.default_language)
            .into_iter()
            .map(|leg| self.message(leg, chosen.decision.clone(), &render))
            .collect()
    }

    fn message(
        &self,
        leg: Leg,
        chosen: Decision,
        render: impl Fn(&Target) -> Result<(Rendered, Option<String>)>,
    ) -> Result<NewMessage> {
        let Leg {
            want,
            outcome,
            trace,
        } = leg;
        let mut message = self.blank(want, chosen)?;
        message.trace.extend(trace);
        match outcome {
            Err(Obstacle { cause, reason }) => {
                message.cause = Some(cause);
                message.error = Some(reason);
            }
            Ok(target) => {
                let (rendered, sender) = render(&target)?;
                let Rendered {
                    subject,
                    body,
                    html_body,
                } = rendered;
                message.status = match self.due > self.now {
                    true => Status::Scheduled,
                    false => Status::Queued,
                };
                message.format = target.format;
                message.template_id = target.template;
                message.recipient = target.recipient;
                message.sender = sender;
                message.subject = subject;
                message.body = Some(body);
                message.html_body = html_body;
            }
        }
        Ok(message)
    }

    fn suppressed(&self, wants: &[Want], chosen: Decision, reason: String) -> Result<NewMessage> {
        let want = wants
            .first()
            .copied()
            .unwrap_or(Want::Channel(Channel::Email));
        let mut message = self.blank(want, chosen)?;
        message.status = Status::Suppressed;
        message.error = Some(reason);
        Ok(message)
    }

    /// A row without content: failed until something better is known.
    fn blank(&self, want: Want, chosen: Decision) -> Result<NewMessage> {
        let asked = format!(
            "{} for {}",
            self.message_type.slug.as_str(),
            self.user.profile.user_name
        );
        let request = Decision::new("request", asked, format!("Asked for by {}.", self.by));
        Ok(NewMessage {
            guid: guid(self.now),
            user_id: Some(self.user.id),
            type_id: self.message_type.id,
            template_id: None,
            format: want.format(),
            status: Status::Failed,
            is_system: self.message_type.is_system,
            is_released: false,
            recipient: String::new(),
            recipient_name: Some(self.user.profile.name.clone()),
            sender: None,
            subject: None,
            body: None,
            html_body: None,
            is_sensitive: self.message_type.sensitive,
            created: self.now,
            created_by: self.by.to_owned(),
            due: self.due,
            expires: self.expires(),
            by_the_minute: self.by_the_minute,
            error: None,
            cause: None,
            trace: vec![request, chosen],
        })
    }

    /// When the message is no longer worth sending, counted from the time it is due.
    pub(super) fn expires(&self) -> Timestamp {
        let life = SignedDuration::from_secs(i64::from(self.message_type.expiry_secs));
        self.due.checked_add(life).unwrap_or(Timestamp::MAX)
    }
}

/// A message's GUID. Version 7: the index over messages grows at its end.
pub(super) fn guid(now: Timestamp) -> Uuid {
    let secs = u64::try_from(now.as_second()).unwrap_or_default();
    let nanos = now.subsec_nanosecond().unsigned_abs();
    Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, secs, nanos))
}
