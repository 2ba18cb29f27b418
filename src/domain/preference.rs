//! Who wants what over which channel. (Core - Messages, "Add new or edit existing notification preference")

use crate::domain::format::{Channel, Format};
use crate::domain::ids::{PreferenceId, TypeId, UserId};
use crate::error::{Error, Result};
use jiff::Timestamp;

/// A set of channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Channels {
    /// E-mail.
    pub email: bool,
    /// SMS.
    pub sms: bool,
    /// Push.
    pub push: bool,
}

impl Channels {
    /// The channels that carry these formats.
    pub fn of(formats: impl IntoIterator<Item = Format>) -> Self {
        let mut set = Self::default();
        for format in formats {
            match format.channel() {
                Channel::Email => set.email = true,
                Channel::Sms => set.sms = true,
                Channel::Push => set.push = true,
            }
        }
        set
    }

    /// Those in this set and not in the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self {
            email: self.email && !other.email,
            sms: self.sms && !other.sms,
            push: self.push && !other.push,
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// In the order e-mail, SMS, push.
    #[must_use]
    pub fn list(self) -> Vec<Channel> {
        let all = [
            (self.email, Channel::Email),
            (self.sms, Channel::Sms),
            (self.push, Channel::Push),
        ];
        all.into_iter()
            .filter(|(is_in, _)| *is_in)
            .map(|(_, channel)| channel)
            .collect()
    }

    /// The slug that says these have no template; none where nothing is missing.
    /// (Core - Messages, "Possible error messages")
    #[must_use]
    pub fn missing_slug(self) -> Option<&'static str> {
        const SLUGS: [Option<&str>; 8] = [
            None,
            Some("err_NoEmailTemplateFound"),
            Some("err_NoSMSTemplateFound"),
            Some("err_NoEmailSMSTemplateFound"),
            Some("err_NoPushTemplateFound"),
            Some("err_NoEmailPushTemplateFound"),
            Some("err_NoSMSPushTemplateFound"),
            Some("err_NoNotificationTemplateFound"),
        ];
        SLUGS[usize::from(self.email) | usize::from(self.sms) << 1 | usize::from(self.push) << 2]
    }
}

/// What a user wants of a notification type: some channels, or none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    channels: Channels,
}

impl Wish {
    /// A wish for these channels, or (`off`) for none.
    ///
    /// # Errors
    /// [`Error::Invalid`] when no channel is wanted without saying that it is meant, or both.
    pub fn new(channels: Channels, off: bool) -> Result<Self> {
        match (channels.is_empty(), off) {
            (true, false) => Err(Error::invalid(
                "At least one of IsEmail, IsSMS and IsPush must be true; IsOff: true alone switches the type off.",
            )),
            (false, true) => Err(Error::invalid("IsOff goes with no channel.")),
            _ => Ok(Self { channels }),
        }
    }

    /// The channels; none means switched off.
    #[must_use]
    pub fn channels(self) -> Channels {
        self.channels
    }

    /// Whether the type has a template for every channel that is wanted.
    ///
    /// # Errors
    /// [`Error::NoTemplate`] with the slug that names the channels without one.
    pub fn covered_by(self, live: Channels, type_name: &str) -> Result<()> {
        let missing = self.channels.without(live);
        match missing.missing_slug() {
            None => Ok(()),
            Some(slug) => {
                let words: Vec<_> = missing.list().iter().map(|c| c.word()).collect();
                Err(Error::NoTemplate {
                    slug,
                    details: format!("{type_name} has no template for {}.", words.join(", ")),
                })
            }
        }
    }
}

/// A user's stored preference.
#[derive(Debug, Clone)]
pub struct Preference {
    /// The admin API's id.
    pub id: PreferenceId,
    /// Whose.
    pub user: UserId,
    /// Of which notification type.
    pub type_id: TypeId,
    /// What is wanted.
    pub wish: Wish,
    /// When it was last changed.
    pub updated: Timestamp,
    /// By whom.
    pub updated_by: String,
}

/// The stored preference for a system message.
#[derive(Debug, Clone)]
pub struct SystemPreference {
    /// Ours.
    pub id: PreferenceId,
    /// Of which system message type.
    pub type_id: TypeId,
    /// Over which format it goes.
    pub format: Format,
    /// When it was added.
    pub created: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it was last changed.
    pub updated: Timestamp,
    /// By whom; none before the first change.
    pub updated_by: Option<String>,
}
