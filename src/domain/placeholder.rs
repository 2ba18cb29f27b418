//! The words a template may use, and the values that take their place. (api.md, "Placeholders")

use std::collections::BTreeMap;

/// A value for a placeholder, as plain data.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(String),
    /// Several values, for `{% for %}`.
    List(Vec<Value>),
    /// Named values.
    Map(BTreeMap<String, Value>),
}

/// Values by placeholder word; `user` and `app` are maps.
pub type Values = BTreeMap<String, Value>;

/// One word of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// As written in a template, such as `user.name` or `resetUrl`.
    pub name: String,
    /// One sentence for the author.
    pub meaning: String,
    /// Whether a template must use it and a send must have a value for it.
    pub required: bool,
    /// What previews and tests show in its place.
    pub sample: String,
}

/// The words every type has. (api.md, "Placeholders")
#[must_use]
pub fn common() -> Vec<Word> {
    [
        ("user.name", "The user's full name.", "Anna Berg"),
        ("user.userName", "The name the user signs in with.", "anna"),
        (
            "user.email",
            "The user's e-mail address.",
            "anna@example.com",
        ),
        ("user.mobile", "The user's mobile number.", "+4712345678"),
        ("user.language", "The user's language as a tag.", "en-GB"),
        (
            "app.name",
            "The application's name, from the settings.",
            "Herald",
        ),
        (
            "app.url",
            "The application's address, from the settings.",
            "https://app.example.com",
        ),
        (
            "now",
            "The time of the sending, in UTC.",
            "2001-01-01T01:01:01Z",
        ),
    ]
    .into_iter()
    .map(|(name, meaning, sample)| Word {
        name: name.into(),
        meaning: meaning.into(),
        required: false,
        sample: sample.into(),
    })
    .collect()
}
