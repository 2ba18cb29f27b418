//! Why a message ended without being sent, as a key that is the same for all that ended alike, so that they can be counted
//! and acted on together. Made from what a machine can tell, never from a provider's words.

use crate::domain::message::Status;
use crate::domain::retry::Class;
use std::borrow::Cow;

/// A key such as `permanent 550` or `expired`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause(Cow<'static, str>);

impl Cause {
    /// The recipient has no address for the channel.
    pub const NO_ADDRESS: Self = Self(Cow::Borrowed("no_address"));
    /// The message type has no template that would do.
    pub const NO_TEMPLATE: Self = Self(Cow::Borrowed("no_template"));
    /// The message comes from a backup, which holds no content of sensitive messages.
    pub const NO_CONTENT: Self = Self(Cow::Borrowed("no_content"));
    /// Released from capture, and the channel has no provider that sends any more.
    pub const NO_PROVIDER: Self = Self(Cow::Borrowed("no_provider"));
    /// The process ended again and again while sending it.
    pub const CRASHED: Self = Self(Cow::Borrowed("crashed"));
    /// Its life ended first.
    pub const EXPIRED: Self = Self(Cow::Borrowed("expired"));
    /// A provider may have taken it.
    pub const IN_DOUBT: Self = Self(Cow::Borrowed("in_doubt"));

    /// The cause of an end after an attempt of this class, with the code that the provider answered.
    ///
    /// A message that failed although its class may be tried again has had all its tries.
    #[must_use]
    pub fn of_attempt(status: Status, class: Option<&str>, code: Option<u16>) -> Self {
        let class = class.unwrap_or("unknown");
        let is = |known: Class| known.word() == class;
        let kind = match status {
            Status::Expired => return Self::EXPIRED,
            _ if is(Class::InDoubt) => return Self::IN_DOUBT,
            _ if is(Class::Permanent) || is(Class::Gone) => class.to_owned(),
            _ => format!("gave_up {class}"),
        };
        Self(Cow::Owned(match code {
            Some(code) => format!("{kind} {code}"),
            None => kind,
        }))
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_ended_alike_have_one_key() {
        let (failed, expired) = (Status::Failed, Status::Expired);
        for (status, class, code, key) in [
            (failed, Some("permanent"), Some(550), "permanent 550"),
            (failed, Some("permanent"), None, "permanent"),
            (failed, Some("unregistered"), Some(404), "unregistered 404"),
            (failed, Some("in_doubt"), Some(502), "in_doubt"),
            (
                failed,
                Some("temporary"),
                Some(451),
                "gave_up temporary 451",
            ),
            (failed, Some("provider"), None, "gave_up provider"),
            (failed, None, None, "gave_up unknown"),
            (expired, Some("temporary"), Some(451), "expired"),
            (expired, None, None, "expired"),
        ] {
            assert_eq!(Cause::of_attempt(status, class, code).key(), key);
        }
    }
}
