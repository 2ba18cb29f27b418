//! Templates: what a caller typed ([`Draft`]) and what may be relied on ([`Template`]).
//! (Core - Messages, "Add new or edit existing message template"; api.md, the same row)
//!
//! Knows no template engine: the function that reads a template's words comes in as a parameter.

use crate::domain::address::{Mailbox, no_controls};
use crate::domain::format::Format;
use crate::domain::ids::TypeId;
use crate::domain::language::Language;
use crate::domain::message_type::MessageType;
use crate::domain::placeholder::{self, Value, Values};
use crate::error::Error;

/// The longest subject as it is written, in characters.
pub const SUBJECT_CHARS_MAX: usize = 255;
/// The longest subject, body or HTML body as it is written, in bytes.
pub const SOURCE_BYTES_MAX: usize = 64 * 1024;

/// A word that a template uses, and where it does so first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// With its attributes, such as `user.name`.
    pub word: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

/// The words a template uses, each once, in the order in which they appear.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Used(pub Vec<Use>);

/// What is wrong with the source of a template, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// One sentence for the author, without its full stop.
    pub what: String,
}

/// A template as a caller typed it; nothing is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// `Type`.
    pub type_id: i64,
    /// `Format`.
    pub format: i64,
    /// `Language`.
    pub language: String,
    /// `Sender`.
    pub sender: Option<String>,
    /// `Subject`.
    pub subject: Option<String>,
    /// `Body`.
    pub body: Option<String>,
    /// `HTMLBody`.
    pub html_body: Option<String>,
}

/// A template that keeps the rules; [`Draft::check`] is the only way to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    type_id: TypeId,
    format: Format,
    language: Language,
    sender: Option<Mailbox>,
    subject: Option<String>,
    body: Option<String>,
    html_body: Option<String>,
}

impl Template {
    /// What the message is about.
    #[must_use]
    pub fn type_id(&self) -> TypeId {
        self.type_id
    }

    /// The form of the message.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// The language it is written in.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language
    }

    /// Who it comes from; e-mails have it, others do not.
    #[must_use]
    pub fn sender(&self) -> Option<&Mailbox> {
        self.sender.as_ref()
    }

    /// The subject; only an SMS may be without.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The text; none if it is to be made from the HTML.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        self.body.as_deref()
    }

    /// The HTML; only e-mails have it.
    #[must_use]
    pub fn html_body(&self) -> Option<&str> {
        self.html_body.as_deref()
    }
}

impl Draft {
    /// Checks a draft in the order the API promises: type, format, language, sender, subject, body, placeholders.
    /// `message_type` is the one that `type_id` names, if there is one; `inspect` reads the words of one source.
    pub fn check(
        self,
        message_type: Option<&MessageType>,
        inspect: impl Fn(&str) -> Result<Used, Problem>,
    ) -> Result<Template, Error> {
        let Some(message_type) = message_type else {
            return Err(Error::invalid(format!(
                "Type {} is no message type.",
                self.type_id
            )));
        };
        let Some(format) = Format::from_number(self.format) else {
            return Err(Error::invalid(format!(
                "Format {} is not one of 0 (CombinedEmail), 1 (SimpleTextEmail), 2 (SMS) and 3 (PushNotification).",
                self.format
            )));
        };
        if self.language.trim().is_empty() {
            return Err(Error::invalid(
                "Language must not be empty; write a BCP 47 tag such as 'en-GB'.",
            ));
        }
        let language = Language::parse(&self.language)?;
        let is_email = matches!(format, Format::CombinedEmail | Format::SimpleTextEmail);
        let template = Template {
            type_id: message_type.id,
            format,
            language,
            sender: check_sender(filled(self.sender), is_email)?,
            subject: check_subject(filled(self.subject), format)?,
            body: filled(self.body),
            html_body: filled(self.html_body).filter(|_| is_email),
        };
        check_bodies(&template)?;
        check_words(&template, message_type, inspect)?;
        Ok(template)
    }
}

/// Only white space is as good as nothing.
fn filled(text: Option<String>) -> Option<String> {
    text.filter(|t| !t.trim().is_empty())
}

fn check_sender(sender: Option<String>, is_email: bool) -> Result<Option<Mailbox>, Error> {
    if !is_email {
        return Ok(None);
    }
    match sender {
        Some(text) => Mailbox::parse(&text).map(Some),
        None => Err(Error::invalid(
            "Sender must not be empty for an e-mail; write 'Name <anna@example.com>' or 'anna@example.com'.",
        )),
    }
}

fn check_subject(subject: Option<String>, format: Format) -> Result<Option<String>, Error> {
    let Some(subject) = subject else {
        return match format {
            Format::Sms => Ok(None),
            other => Err(Error::invalid(format!(
                "Subject must not be empty for {}.",
                other.name()
            ))),
        };
    };
    check_subject_line(&subject)?;
    Ok(Some(subject))
}

/// Refuses a subject that is not one line or too long; a template's as it is written, a caller's own as it is.
pub fn check_subject_line(subject: &str) -> Result<(), Error> {
    no_controls("Subject", subject, false)?;
    if subject.chars().count() > SUBJECT_CHARS_MAX {
        return Err(Error::invalid(format!(
            "Subject must have at most {SUBJECT_CHARS_MAX} characters."
        )));
    }
    Ok(())
}

fn check_bodies(template: &Template) -> Result<(), Error> {
    match (template.format, template.body(), template.html_body()) {
        (Format::CombinedEmail, None, None) => {
            return Err(Error::invalid(
                "Body and HTMLBody must not both be empty for CombinedEmail.",
            ));
        }
        (Format::CombinedEmail, None, Some(_)) | (_, Some(_), _) => {}
        (other, None, _) => {
            return Err(Error::invalid(format!(
                "Body must not be empty for {}.",
                other.name()
            )));
        }
    }
    for (part, source) in parts(template) {
        if source.len() > SOURCE_BYTES_MAX {
            return Err(Error::invalid(format!(
                "{part} must have at most {SOURCE_BYTES_MAX} bytes; it has {}.",
                source.len()
            )));
        }
    }
    Ok(())
}

fn parts(template: &Template) -> Vec<(&'static str, &str)> {
    let all = [
        ("Subject", template.subject()),
        ("Body", template.body()),
        ("HTMLBody", template.html_body()),
    ];
    all.into_iter()
        .filter_map(|(part, source)| source.map(|s| (part, s)))
        .collect()
}

fn check_words(
    template: &Template,
    message_type: &MessageType,
    inspect: impl Fn(&str) -> Result<Used, Problem>,
) -> Result<(), Error> {
    let mut all_used: Vec<Use> = Vec::new();
    for (part, source) in parts(template) {
        let Used(used) = inspect(source).map_err(|p| {
            Error::invalid(format!(
                "{part}, line {}, column {}: {}.",
                p.line, p.column, p.what
            ))
        })?;
        if let Some(unknown) = used.iter().find(|u| !knows(message_type, &u.word)) {
            let known: Vec<String> = message_type
                .catalogue()
                .into_iter()
                .map(|w| w.name)
                .collect();
            return Err(Error::invalid(format!(
                "{part}, line {}, column {}: the message type '{}' has no word '{}'; it has {}.",
                unknown.line,
                unknown.column,
                message_type.slug.as_str(),
                unknown.word,
                known.join(", ")
            )));
        }
        // A part that the format never shows cannot carry a required word.
        let shown = match template.format {
            Format::CombinedEmail => true,
            Format::SimpleTextEmail | Format::Push => part != "HTMLBody",
            Format::Sms => part == "Body",
        };
        if shown {
            all_used.extend(used);
        }
    }
    let mut required = message_type.words.iter().filter(|w| w.required);
    let missing = required.find(|w| !all_used.iter().any(|u| root(&u.word) == w.name));
    match missing {
        None => Ok(()),
        Some(word) => Err(Error::invalid(format!(
            "The message type '{}' requires the word '{}', and no part of the template uses it.",
            message_type.slug.as_str(),
            word.name
        ))),
    }
}

/// A common word counts only as it is; a word of the type's own may have attributes, because its value may be a map.
fn knows(message_type: &MessageType, used: &str) -> bool {
    placeholder::common().iter().any(|w| w.name == used)
        || message_type.words.iter().any(|w| w.name == root(used))
}

fn root(used: &str) -> &str {
    used.split('.').next().unwrap_or(used)
}

/// Refuses values with a hole: every required word of the type must have a value that is not empty.
/// (api.md, "Placeholders": a message never goes out with a hole in it)
pub fn check_values(message_type: &MessageType, values: &Values) -> Result<(), Error> {
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::Text(text) => text.trim().is_empty(),
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => false,
    };
    let mut required = message_type.words.iter().filter(|w| w.required);
    match required.find(|w| values.get(&w.name).is_none_or(empty)) {
        None => Ok(()),
        Some(word) => Err(Error::invalid(format!(
            "The placeholder '{}' has no value, and the message type '{}' requires it; the message is not sent.",
            word.name,
            message_type.slug.as_str()
        ))),
    }
}
