//! The integer ids of the admin API, each a type of its own so that they cannot be mixed up.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta] $name:ident),* $(,)?) => {$(
        #[$doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

id! {
    /// A recipient.
    UserId,
    /// A message type; 0 is a valid one (Announcement).
    TypeId,
    /// A message template.
    TemplateId,
    /// A message: a row of the outbox and of the log.
    MessageId,
    /// An API client.
    ClientId,
    /// An operator.
    OperatorId,
    /// Whose idempotency keys: a client's id, or an operator's below zero.
    Owner,
    /// A push target of a user.
    DeviceId,
    /// A preference, of a user or for system messages.
    PreferenceId,
    /// What the capture channel caught.
    CapturedId,
    /// A stored provider of a channel.
    ProviderId,
}
