//! Which channels: the caller's, the preferences', or the type's. (api.md, POST `/v1/messages/send`)

use super::Choice;
use crate::domain::format::Channel;
use crate::domain::message::Decision;
use crate::domain::message_type::MessageType;
use crate::domain::routing::Want;
use crate::domain::user::User;
use crate::error::Result;
use crate::store::{Db, preferences, system_preferences};

/// What was chosen and why.
pub(super) struct Chosen {
    /// What to send over; empty with a reason not to.
    pub(super) wants: Vec<Want>,
    /// The first step of every trace.
    pub(super) decision: Decision,
    /// Why nothing is to be sent at all.
    pub(super) suppressed: Option<String>,
}

/// `Formats` if given; else the system preference of a system type; else the user's preference for the notification
/// type; else the type's default formats.
pub(super) fn choose(
    db: &Db,
    user: &User,
    message_type: &MessageType,
    choice: Choice,
) -> Result<Chosen> {
    let chosen = match choice {
        Choice::Channels(channels) => by_request(channels.into_iter().map(Want::Channel).collect()),
        Choice::Formats(formats) => by_request(formats.into_iter().map(Want::Format).collect()),
        Choice::Preference => by_preference(db, user, message_type)?,
        Choice::Notification { push } => notification(by_preference(db, user, message_type)?, push),
    };
    if user.profile.is_disabled {
        return Ok(suppress(chosen.wants, "The user is disabled."));
    }
    Ok(chosen)
}

fn by_request(wants: Vec<Want>) -> Chosen {
    chosen(wants, "The request names them.")
}

/// Push goes out if and only if the caller says so; a user who wants none of it, or nothing but push, gets none: that
/// is no reason to refuse the others of the same request.
fn notification(by_preference: Chosen, push: bool) -> Chosen {
    if by_preference.suppressed.is_some() {
        return by_preference;
    }
    let mut wants = by_preference.wants;
    wants.retain(|want| want.channel() != Channel::Push);
    if push {
        wants.push(Want::Channel(Channel::Push));
    }
    if wants.is_empty() {
        let only = vec![Want::Channel(Channel::Push)];
        return suppress(only, "Only push is wanted, and sendPush is false.");
    }
    let reason = format!("{} sendPush is {push}.", by_preference.decision.reason);
    chosen(wants, &reason)
}

fn by_preference(db: &Db, user: &User, message_type: &MessageType) -> Result<Chosen> {
    if message_type.is_system
        && let Some(preference) = system_preferences::find(db, message_type.id)?
    {
        let reason = "The system message preference of this type.";
        return Ok(chosen(vec![Want::Format(preference.format)], reason));
    }
    if message_type.is_notification
        && let Some(preference) = preferences::find(db, user.id, message_type.id)?
    {
        let wants: Vec<_> = preference
            .wish
            .channels()
            .list()
            .into_iter()
            .map(Want::Channel)
            .collect();
        if wants.is_empty() {
            let defaults = message_type
                .default_formats
                .iter()
                .copied()
                .map(Want::Channel);
            return Ok(suppress(
                defaults.collect(),
                "The user has switched this type off.",
            ));
        }
        return Ok(chosen(wants, "The user's preference for this type."));
    }
    let defaults = message_type
        .default_formats
        .iter()
        .copied()
        .map(Want::Channel)
        .collect();
    Ok(chosen(
        defaults,
        "The type's default formats; no preference says otherwise.",
    ))
}

fn chosen(wants: Vec<Want>, reason: &str) -> Chosen {
    let words: Vec<_> = wants.iter().map(|want| want.word()).collect();
    Chosen {
        decision: Decision::new("channels", words.join(", "), reason),
        wants,
        suppressed: None,
    }
}

fn suppress(wants: Vec<Want>, reason: &str) -> Chosen {
    Chosen {
        wants,
        decision: Decision::new("channels", "none", reason),
        suppressed: Some(reason.to_owned()),
    }
}
