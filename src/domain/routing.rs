//! Which formats, which address, which template: the decisions behind a message, each with its reason.
//!
//! Sending and explaining run the same function, so that what is explained is what happens. (api.md, "Which language")

use crate::domain::format::{Channel, Format};
use crate::domain::ids::TemplateId;
use crate::domain::language::{self, Language};
use crate::domain::message::Decision;
use crate::domain::user::UserProfile;

/// A live template of the message's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Which one.
    pub id: TemplateId,
    /// Its form.
    pub format: Format,
    /// Its language.
    pub language: Language,
}

/// Where the content comes from.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// One of the type's live templates.
    Templates(&'a [Candidate]),
    /// The caller's own text.
    Custom,
}

/// The way over one channel: a target, or the reason why there is none; and how that came about.
#[derive(Debug, Clone)]
pub struct Leg {
    /// The channel that was asked for.
    pub channel: Channel,
    /// Where it leads.
    pub outcome: Result<Target, String>,
    /// The steps, in order.
    pub trace: Vec<Decision>,
}

/// A channel's address and form.
#[derive(Debug, Clone)]
pub struct Target {
    /// Address, number or device.
    pub recipient: String,
    /// The form.
    pub format: Format,
    /// The template; none for custom content.
    pub template: Option<TemplateId>,
}

/// Decides each channel for itself.
#[must_use]
pub fn route(
    user: &UserProfile,
    channels: &[Channel],
    content: Content<'_>,
    default_language: Language,
) -> Vec<Leg> {
    channels
        .iter()
        .map(|channel| leg(user, *channel, content, default_language))
        .collect()
}

fn leg(
    user: &UserProfile,
    channel: Channel,
    content: Content<'_>,
    default_language: Language,
) -> Leg {
    let mut trace = Vec::with_capacity(3);
    let outcome = address(user, channel, &mut trace).and_then(|recipient| {
        let (format, template) = match content {
            Content::Custom => (custom_format(channel, &mut trace), None),
            Content::Templates(candidates) => {
                let chosen = template(user, channel, candidates, default_language, &mut trace)?;
                (chosen.format, Some(chosen.id))
            }
        };
        Ok(Target {
            recipient,
            format,
            template,
        })
    });
    Leg {
        channel,
        outcome,
        trace,
    }
}

fn address(
    user: &UserProfile,
    channel: Channel,
    trace: &mut Vec<Decision>,
) -> Result<String, String> {
    let (found, what) = match channel {
        Channel::Email => (user.email.as_ref().map(|e| e.as_str()), "e-mail address"),
        Channel::Sms => (user.mobile.as_ref().map(|m| m.as_str()), "mobile number"),
        Channel::Push => (None, "device"),
    };
    match found {
        Some(address) => {
            trace.push(Decision::new(
                "address",
                address,
                format!("The user's {what}, for {channel}."),
            ));
            Ok(address.to_owned())
        }
        None => {
            let reason = format!("The user has no {what}.");
            trace.push(Decision::new("address", "none", reason.clone()));
            Err(reason)
        }
    }
}

fn custom_format(channel: Channel, trace: &mut Vec<Decision>) -> Format {
    trace.push(Decision::new(
        "template",
        "none",
        "The request carries the text itself.",
    ));
    channel.formats()[0]
}

/// The best language first, then the richer format.
fn template(
    user: &UserProfile,
    channel: Channel,
    candidates: &[Candidate],
    default_language: Language,
    trace: &mut Vec<Decision>,
) -> Result<Candidate, String> {
    let of_channel: Vec<_> = candidates
        .iter()
        .filter(|c| c.format.channel() == channel)
        .copied()
        .collect();
    let languages: Vec<_> = of_channel.iter().map(|c| c.language).collect();
    let chosen =
        language::choose(&languages, user.language, default_language).and_then(|(lang, why)| {
            let best = of_channel
                .iter()
                .filter(|c| c.language == lang)
                .min_by_key(|c| c.format)?;
            Some((*best, why))
        });
    match chosen {
        Some((best, why)) => {
            let choice = format!(
                "{} ({}, {})",
                best.id,
                best.format.name(),
                best.language.tag()
            );
            let reason = format!(
                "{} The user's language is {}.",
                why.sentence(),
                user.language.tag()
            );
            trace.push(Decision::new("template", choice, reason));
            Ok(best)
        }
        None => {
            let reason = format!("The message type has no {channel} template in any language.");
            trace.push(Decision::new("template", "none", reason.clone()));
            Err(reason)
        }
    }
}
