//! Which formats, which address, which template: the decisions behind a message, each with its reason.
//!
//! Sending and explaining run the same function, so that what is explained is what happens. (api.md, "Which language")

use crate::domain::cause::Cause;
use crate::domain::format::{Channel, Format};
use crate::domain::ids::TemplateId;
use crate::domain::language::{self, Language, LanguageReason};
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

/// What is asked for: any format of a channel, or one format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// The best of the channel's formats.
    Channel(Channel),
    /// This one.
    Format(Format),
}

impl Want {
    /// What carries it.
    #[must_use]
    pub fn channel(self) -> Channel {
        match self {
            Self::Channel(channel) => channel,
            Self::Format(format) => format.channel(),
        }
    }

    /// The format it stands for as long as no template has been chosen.
    #[must_use]
    pub fn format(self) -> Format {
        match self {
            Self::Channel(channel) => channel.formats()[0],
            Self::Format(format) => format,
        }
    }

    /// The word for it in the trace.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Channel(channel) => channel.word(),
            Self::Format(format) => format.name(),
        }
    }

    fn takes(self, format: Format) -> bool {
        match self {
            Self::Channel(channel) => format.channel() == channel,
            Self::Format(wanted) => format == wanted,
        }
    }
}

/// Whom a message is for.
#[derive(Debug, Clone, Copy)]
pub struct Addressee<'a> {
    /// Addresses and language.
    pub profile: &'a UserProfile,
    /// Push targets, the oldest first; each gets the message.
    pub devices: &'a [String],
}

/// Why there is no way over a channel.
#[derive(Debug, Clone)]
pub struct Obstacle {
    /// As a key.
    pub cause: Cause,
    /// As a sentence.
    pub reason: String,
}

/// The way over one channel: a target, or why there is none; and how that came about.
#[derive(Debug, Clone)]
pub struct Leg {
    /// What was asked for.
    pub want: Want,
    /// Where it leads.
    pub outcome: Result<Target, Obstacle>,
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

/// Decides each of the wants for itself. Push goes to every device, each a leg of its own.
#[must_use]
pub fn route(
    to: Addressee<'_>,
    wants: &[Want],
    content: Content<'_>,
    default_language: Language,
) -> Vec<Leg> {
    wants
        .iter()
        .flat_map(|want| {
            let addresses = addresses(to, want.channel());
            addresses
                .into_iter()
                .map(|address| leg(to.profile, *want, address, content, default_language))
        })
        .collect()
}

/// An address, or why there is none.
type Address = Result<String, String>;

fn addresses(to: Addressee<'_>, channel: Channel) -> Vec<Address> {
    let one = |address: Option<&str>, what: &str| {
        vec![
            address
                .map(str::to_owned)
                .ok_or_else(|| format!("The user has no {what}.")),
        ]
    };
    match channel {
        Channel::Email => one(
            to.profile.email.as_ref().map(|e| e.as_str()),
            "e-mail address",
        ),
        Channel::Sms => one(
            to.profile.mobile.as_ref().map(|m| m.as_str()),
            "mobile number",
        ),
        Channel::Push if to.devices.is_empty() => one(None, "device"),
        Channel::Push => to.devices.iter().cloned().map(Ok).collect(),
    }
}

fn leg(
    user: &UserProfile,
    want: Want,
    address: Address,
    content: Content<'_>,
    default_language: Language,
) -> Leg {
    let mut trace = vec![match &address {
        Ok(address) => Decision::new(
            "address",
            address,
            format!("The user's, for {}.", want.channel()),
        ),
        Err(reason) => Decision::new("address", "none", reason),
    }];
    let no_address = |reason| Obstacle {
        cause: Cause::NO_ADDRESS,
        reason,
    };
    let outcome = address.map_err(no_address).and_then(|recipient| {
        let (format, template) = match content {
            Content::Custom => {
                trace.push(Decision::new(
                    "template",
                    "none",
                    "The request carries the text itself.",
                ));
                (want.format(), None)
            }
            Content::Templates(candidates) => {
                let chosen = template(user, want, candidates, default_language, &mut trace)?;
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
        want,
        outcome,
        trace,
    }
}

/// The template that a user of this language would get, and why: the best language first, then the richer format.
#[must_use]
pub fn best(
    want: Want,
    candidates: &[Candidate],
    language: Language,
    default_language: Language,
) -> Option<(Candidate, LanguageReason)> {
    let fitting = || candidates.iter().filter(|c| want.takes(c.format));
    let languages: Vec<_> = fitting().map(|c| c.language).collect();
    let (chosen, why) = language::choose(&languages, language, default_language)?;
    let of_language = fitting().filter(|c| c.language == chosen);
    let best = of_language.min_by_key(|c| c.format)?;
    Some((*best, why))
}

fn template(
    user: &UserProfile,
    want: Want,
    candidates: &[Candidate],
    default_language: Language,
    trace: &mut Vec<Decision>,
) -> Result<Candidate, Obstacle> {
    match best(want, candidates, user.language, default_language) {
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
            let wanted = match want {
                Want::Channel(channel) => format!("{channel} template"),
                Want::Format(format) => format!("template of the format {}", format.name()),
            };
            let reason = format!("The message type has no {wanted} in any language.");
            trace.push(Decision::new("template", "none", &reason));
            Err(Obstacle {
                cause: Cause::NO_TEMPLATE,
                reason,
            })
        }
    }
}
