//! The four message formats and the three channels that carry them. (Core - Messages, "MessageFormat")

use std::fmt;

/// The form of one message; the number is the API's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// HTML with a text part.
    CombinedEmail = 0,
    /// Text only.
    SimpleTextEmail = 1,
    /// A short message to a mobile number.
    Sms = 2,
    /// A push notification to the user's devices.
    Push = 3,
}

impl Format {
    /// All formats in the order of their numbers.
    pub const ALL: [Self; 4] = [
        Self::CombinedEmail,
        Self::SimpleTextEmail,
        Self::Sms,
        Self::Push,
    ];

    /// The format with this number, if there is one.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.number() == number)
    }

    /// The API's number.
    #[must_use]
    pub fn number(self) -> i64 {
        self as i64
    }

    /// The API's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CombinedEmail => "CombinedEmail",
            Self::SimpleTextEmail => "SimpleTextEmail",
            Self::Sms => "SMS",
            Self::Push => "PushNotification",
        }
    }

    /// What carries it.
    #[must_use]
    pub fn channel(self) -> Channel {
        match self {
            Self::CombinedEmail | Self::SimpleTextEmail => Channel::Email,
            Self::Sms => Channel::Sms,
            Self::Push => Channel::Push,
        }
    }
}

/// A way to reach a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// E-mail.
    Email,
    /// Short messages.
    Sms,
    /// Push notifications.
    Push,
}

impl Channel {
    /// All channels.
    pub const ALL: [Self; 3] = [Self::Email, Self::Sms, Self::Push];

    /// The word for it on the command line, in the send API and in the log.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Push => "push",
        }
    }

    /// The channel with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.word() == word)
    }

    /// The formats it carries, the richer first.
    #[must_use]
    pub fn formats(self) -> &'static [Format] {
        match self {
            Self::Email => &[Format::CombinedEmail, Format::SimpleTextEmail],
            Self::Sms => &[Format::Sms],
            Self::Push => &[Format::Push],
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
