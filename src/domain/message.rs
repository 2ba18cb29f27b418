//! A message on its way: its states, its decision trace, and what the log keeps of it. (delivery.md, "States")

use crate::domain::cause::Cause;
use crate::domain::format::Format;
use crate::domain::ids::{MessageId, TemplateId, TypeId, UserId};
use jiff::Timestamp;
use std::fmt;
use uuid::Uuid;

/// Where a message is. All but the first three are final: what follows [`Status::Sent`] is the provider's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Waiting for its time.
    Scheduled,
    /// Waiting for a sender, or for its next try.
    Queued,
    /// In an attempt.
    Sending,
    /// A provider accepted it.
    Sent,
    /// The provider reports that it has arrived.
    Delivered,
    /// The provider reports that it has not arrived, and will not.
    Undelivered,
    /// It will not be sent; the error says why.
    Failed,
    /// A person stopped it.
    Cancelled,
    /// The user does not want it.
    Suppressed,
    /// Its life ended before a provider accepted it.
    Expired,
}

impl Status {
    /// All states.
    pub const ALL: [Self; 10] = [
        Self::Scheduled,
        Self::Queued,
        Self::Sending,
        Self::Sent,
        Self::Delivered,
        Self::Undelivered,
        Self::Failed,
        Self::Cancelled,
        Self::Suppressed,
        Self::Expired,
    ];

    /// The word for it in the API, the log and the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Suppressed => "suppressed",
            Self::Expired => "expired",
        }
    }

    /// The state with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }

    /// Whether nothing more will happen by itself.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Scheduled | Self::Queued | Self::Sending)
    }
}

/// One step of the decision trace: what was asked, what was chosen, why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What was decided, one word: `request`, `address`, `template`.
    pub about: String,
    /// What was chosen.
    pub choice: String,
    /// Why, in a sentence.
    pub reason: String,
}

impl Decision {
    /// A step of the trace.
    pub fn new(about: &'static str, choice: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            about: about.into(),
            choice: choice.into(),
            reason: reason.into(),
        }
    }
}

/// A message about to be committed: from then on it is promised.
#[derive(Clone)]
pub struct NewMessage {
    /// The send API's id and the reference in every attempt.
    pub guid: Uuid,
    /// The recipient; none for a test.
    pub user_id: Option<UserId>,
    /// The type; custom bodies count as announcements.
    pub type_id: TypeId,
    /// The template it was made from; none for custom bodies and for failures before a template was found.
    pub template_id: Option<TemplateId>,
    /// Its form.
    pub format: Format,
    /// [`Status::Queued`], or a final state with an error.
    pub status: Status,
    /// System messages never wait behind the others.
    pub is_system: bool,
    /// Released from capture by a person: only a provider that sends may take it.
    pub is_released: bool,
    /// Address, number or device; empty where none is known.
    pub recipient: String,
    /// The recipient's name for the To header.
    pub recipient_name: Option<String>,
    /// The template's sender mailbox.
    pub sender: Option<String>,
    /// Rendered subject or title.
    pub subject: Option<String>,
    /// Rendered text.
    pub body: Option<String>,
    /// Rendered HTML.
    pub html_body: Option<String>,
    /// Whether bodies are wiped after the final state and never shown.
    pub is_sensitive: bool,
    /// When it was accepted.
    pub created: Timestamp,
    /// Who asked for it.
    pub created_by: String,
    /// Not before.
    pub due: Timestamp,
    /// Not after.
    pub expires: Timestamp,
    /// A notification of the send API: a later one within the minute takes its place.
    pub by_the_minute: bool,
    /// Why it has failed already.
    pub error: Option<String>,
    /// The same as a key.
    pub cause: Option<Cause>,
    /// Why it is as it is.
    pub trace: Vec<Decision>,
}

/// Without content, which may be sensitive.
impl fmt::Debug for NewMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewMessage")
            .field("guid", &self.guid)
            .field("format", &self.format)
            .field("status", &self.status)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

/// What the log shows of a message in a list.
#[derive(Debug, Clone)]
pub struct LogLine {
    /// The admin API's id.
    pub id: MessageId,
    /// The send API's id.
    pub guid: Uuid,
    /// The recipient, unless erased or a test.
    pub user_id: Option<UserId>,
    /// The type.
    pub type_id: TypeId,
    /// The template.
    pub template_id: Option<TemplateId>,
    /// The form.
    pub format: Format,
    /// Where it is.
    pub status: Status,
    /// Where it goes.
    pub recipient: String,
    /// When it was accepted.
    pub created: Timestamp,
    /// Tries so far.
    pub attempts: u32,
    /// Start of the last try.
    pub last_attempt: Option<Timestamp>,
    /// Null before a first result, then whether a provider accepted it.
    pub last_result: Option<bool>,
    /// Why it failed, or why the last try did.
    pub error: Option<String>,
    /// The key of what failed or expired alike. ([`Cause`])
    pub cause: Option<String>,
}

/// Everything the log knows of one message.
#[derive(Debug, Clone)]
pub struct LogEntry {
    /// What a list shows.
    pub line: LogLine,
    /// Who asked for it.
    pub created_by: String,
    /// The template's sender mailbox.
    pub sender: Option<String>,
    /// Rendered subject; none for sensitive types.
    pub subject: Option<String>,
    /// Rendered text; none for sensitive types.
    pub body: Option<String>,
    /// Rendered HTML; none for sensitive types.
    pub html_body: Option<String>,
    /// Whether its content is hidden.
    pub is_sensitive: bool,
    /// Next try, while it waits.
    pub due: Timestamp,
    /// Not after.
    pub expires: Timestamp,
    /// Each try.
    pub attempts: Vec<Attempt>,
    /// Why it is as it is.
    pub trace: Vec<Decision>,
}

/// One try.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// The provider's masked URL.
    pub provider: String,
    /// When it started.
    pub started: Timestamp,
    /// How long it took; none while it runs or when the process died in it.
    pub duration_ms: Option<i64>,
    /// Whether the provider accepted; none as for the duration.
    pub result: Option<bool>,
    /// The class of the retry policy; none for a success.
    pub class: Option<String>,
    /// SMTP or HTTP status code.
    pub code: Option<u16>,
    /// The provider's words.
    pub answer: Option<String>,
    /// The provider's id of the message.
    pub provider_id: Option<String>,
    /// What the provider reported last, and when.
    pub reported: Option<(Timestamp, String)>,
}

/// What a provider reports of a message it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The provider's id of the message.
    pub provider_id: String,
    /// The provider's words: a status, with an error code if there is one.
    pub words: String,
    /// Whether it has arrived; none while it is on its way.
    pub is_delivered: Option<bool>,
}

/// One message, rendered, as a provider gets it.
#[derive(Clone)]
pub struct Outgoing {
    /// The message's GUID: the Message-ID, client reference or collapse id of every attempt.
    pub guid: Uuid,
    /// The form, which decides the MIME structure.
    pub format: Format,
    /// An e-mail address, an E.164 number, or a device.
    pub recipient: String,
    /// The recipient's name for the To header, where known.
    pub recipient_name: Option<String>,
    /// The template's sender mailbox; none means the provider's own, else `default_sender`.
    pub sender: Option<String>,
    /// The sender mailbox of the settings.
    pub default_sender: String,
    /// Subject of a mail, title of a push notification.
    pub subject: Option<String>,
    /// Text: the SMS, the push text, the plain part of a mail.
    pub body: String,
    /// The HTML part of a mail.
    pub html_body: Option<String>,
    /// Whether nothing of its content may be kept or shown.
    pub is_sensitive: bool,
    /// When the message was accepted: the Date of every attempt.
    pub created: Timestamp,
    /// When it is no longer worth sending.
    pub expires: Timestamp,
}

/// Without content, which may be sensitive.
impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("guid", &self.guid)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}
