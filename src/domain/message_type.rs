//! Message types: what a message is about, which words its templates may use, and how long it is worth sending.
//! (api.md, "Message types")

use uuid::Uuid;

use crate::domain::address::no_controls;
use crate::domain::format::Channel;
use crate::domain::ids::TypeId;
use crate::domain::placeholder::{self, Word};
use crate::error::Error;

/// The longest slug, in bytes.
pub const SLUG_BYTES_MAX: usize = 64;
/// The longest name, in characters.
pub const NAME_CHARS_MAX: usize = 100;
/// The most words a type has besides the common ones.
pub const WORDS_MAX: usize = 50;
/// The longest word, in bytes.
pub const WORD_BYTES_MAX: usize = 40;
/// The longest meaning or sample of a word, in characters.
pub const WORD_TEXT_CHARS_MAX: usize = 500;
/// The built-in type that custom bodies count as.
pub const ANNOUNCEMENT: TypeId = TypeId(0);
/// The id of the first type an operator makes.
pub const FIRST_OWN_ID: TypeId = TypeId(100);

/// How long a message of an operator's own type is worth sending, unless they say otherwise, in seconds.
pub const EXPIRY_SECS_DEFAULT: u32 = FOUR_DAYS_SECS;
/// The longest life of a message, in seconds: a year.
pub const EXPIRY_SECS_MAX: u32 = 366 * 24 * HOUR_SECS;

const HOUR_SECS: u32 = 60 * 60;
const FOUR_DAYS_SECS: u32 = 4 * 24 * HOUR_SECS;

/// A message type; at the same time the send API's communication template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageType {
    /// The admin API's `Type`, `NotificationType`, `MessageType`.
    pub id: TypeId,
    /// The send API's `communicationTemplateId`.
    pub guid: Uuid,
    /// The word for it, such as `welcome`; unique.
    pub slug: Slug,
    /// The name for people.
    pub name: String,
    /// One that the application sends on its own account; in *SystemMessageType*.
    pub is_system: bool,
    /// One that a user can have preferences for; in *NotificationType*.
    pub is_notification: bool,
    /// The words of its own, besides the common ones.
    pub words: Vec<Word>,
    /// Where it goes when no preference says otherwise.
    pub default_formats: Vec<Channel>,
    /// How long after its time a message is still worth sending, in seconds.
    pub expiry_secs: u32,
    /// Holds links that let their reader in: rendered bodies are not kept in the log.
    pub sensitive: bool,
}

impl MessageType {
    /// Whether Herald brought it along: such a type can neither be changed nor deleted.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        self.id < FIRST_OWN_ID
    }

    /// Every word its templates may use: the common ones, then its own.
    #[must_use]
    pub fn catalogue(&self) -> Vec<Word> {
        let mut words = placeholder::common();
        words.extend(self.words.iter().cloned());
        words
    }
}

/// The word for a message type: lower-case ASCII letters, digits and hyphens, a letter first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(String);

impl Slug {
    /// Checks a slug.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let good = text.len() <= SLUG_BYTES_MAX
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text
                .bytes()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
        if good {
            return Ok(Self(text.into()));
        }
        Err(Error::invalid(format!(
            "Slug must be 1 to {SLUG_BYTES_MAX} lower-case letters, digits and hyphens, a letter first, such as 'order-shipped'."
        )))
    }

    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Checks the name of a type for people: not blank, one line, at most [`NAME_CHARS_MAX`] characters.
pub fn check_name(name: &str) -> Result<(), Error> {
    no_controls("Name", name, false)?;
    if name.trim().is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(Error::invalid(format!(
            "Name must be 1 to {NAME_CHARS_MAX} characters."
        )));
    }
    Ok(())
}

/// Checks the words an operator gives a type of their own.
pub fn check_words(words: &[Word]) -> Result<(), Error> {
    if words.len() > WORDS_MAX {
        return Err(Error::invalid(format!(
            "A message type has at most {WORDS_MAX} words of its own."
        )));
    }
    for (index, word) in words.iter().enumerate() {
        check_word(word)?;
        if words[..index].iter().any(|other| other.name == word.name) {
            return Err(Error::invalid(format!(
                "The word '{}' is there twice.",
                word.name
            )));
        }
    }
    Ok(())
}

fn check_word(word: &Word) -> Result<(), Error> {
    // Words that every template already understands in another way.
    const TAKEN: [&str; 19] = [
        "user", "app", "now", "token", "loop", "self", "true", "false", "none", "True", "False",
        "None", "and", "or", "not", "in", "is", "if", "else",
    ];
    let name = &word.name;
    let good = (1..=WORD_BYTES_MAX).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
    if !good || TAKEN.contains(&name.as_str()) {
        let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
        return Err(Error::invalid(format!(
            "'{shown}' cannot be a word; it must be 1 to {WORD_BYTES_MAX} letters, digits and underscores, a letter first, \
             and none of {}.",
            TAKEN.join(", ")
        )));
    }
    for (field, text) in [("Meaning", &word.meaning), ("Sample", &word.sample)] {
        no_controls(field, text, true)?;
        if text.chars().count() > WORD_TEXT_CHARS_MAX {
            return Err(Error::invalid(format!(
                "{field} of the word '{name}' has more than {WORD_TEXT_CHARS_MAX} characters."
            )));
        }
    }
    Ok(())
}

/// The types of a new database. Their ids and GUIDs never change: clients keep them.
///
/// All go by e-mail unless a preference or a request says otherwise: it is the one channel that needs no extra consent,
/// costs nothing and holds a whole announcement.
#[must_use]
pub fn built_in() -> Vec<MessageType> {
    vec![
        MessageType {
            is_system: false,
            is_notification: true,
            words: vec![
                word(
                    "title",
                    "The announcement's heading.",
                    false,
                    "Summer party",
                ),
                word(
                    "text",
                    "The announcement itself; line ends are kept.",
                    true,
                    "The office closes at noon on Friday.\nSee you in the garden!",
                ),
            ],
            ..base(
                0,
                "5a4b2f5c-6e0d-4b1e-9c37-1d2f0c8a7e10",
                "announcement",
                "Announcement",
            )
        },
        MessageType {
            is_notification: true,
            words: vec![login_url(false)],
            ..base(
                1,
                "c1f6d3a2-0b94-4d2f-8a65-7e3b9f1c2d41",
                "welcome",
                "Welcome",
            )
        },
        MessageType {
            words: vec![login_url(true)],
            expiry_secs: HOUR_SECS,
            sensitive: true,
            ..base(
                2,
                "8e27b0d4-93c5-4f68-b1ae-52d6c0f7a382",
                "logininfo",
                "Login information",
            )
        },
        MessageType {
            words: vec![word(
                "resetUrl",
                "The link at which the user chooses a new password.",
                true,
                "https://app.example.com/reset?token=sample",
            )],
            expiry_secs: HOUR_SECS,
            sensitive: true,
            ..base(
                3,
                "f03c9b6e-417a-4a8d-a2d9-6c81e5b4d7f3",
                "forgottenpassword",
                "Forgotten password",
            )
        },
    ]
}

fn base(id: i64, guid: &str, slug: &str, name: &str) -> MessageType {
    MessageType {
        id: TypeId(id),
        guid: Uuid::parse_str(guid).expect("a GUID written in this file"),
        slug: Slug(slug.into()),
        name: name.into(),
        is_system: true,
        is_notification: false,
        words: Vec::new(),
        default_formats: vec![Channel::Email],
        expiry_secs: FOUR_DAYS_SECS,
        sensitive: false,
    }
}

fn login_url(required: bool) -> Word {
    word(
        "loginUrl",
        "The link at which the user signs in.",
        required,
        "https://app.example.com/login",
    )
}

fn word(name: &str, meaning: &str, required: bool, sample: &str) -> Word {
    Word {
        name: name.into(),
        meaning: meaning.into(),
        required,
        sample: sample.into(),
    }
}
