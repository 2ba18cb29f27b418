//! What is inside the binary: the built-in templates (`assets/messages/<type>/`) and the admin pages (`assets/pages/`).

use rust_embed::RustEmbed;

use crate::domain::format::Format;
use crate::domain::message_type;

#[derive(RustEmbed)]
#[folder = "assets/messages"]
struct Messages;

#[derive(RustEmbed)]
#[folder = "assets/pages"]
struct Pages;

/// The files of the admin pages: path and content, by path.
#[must_use]
pub fn pages() -> Vec<(String, Vec<u8>)> {
    let read = |path: std::borrow::Cow<'static, str>| {
        let file = Pages::get(&path).expect("the list is of what is embedded");
        (path.into_owned(), file.data.into_owned())
    };
    let mut files: Vec<_> = Pages::iter().map(read).collect();
    files.sort();
    files
}

/// The language of the built-in templates.
pub const BUILT_IN_LANGUAGE: &str = "en";

/// A template that a new database gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltIn {
    /// The message type's slug.
    pub slug: String,
    /// The form of the message.
    pub format: Format,
    /// A BCP 47 tag.
    pub language: &'static str,
    /// The subject; none for SMS.
    pub subject: Option<String>,
    /// The text.
    pub body: String,
    /// The HTML of a CombinedEmail.
    pub html_body: Option<String>,
}

/// The built-in templates: each built-in message type as CombinedEmail, SMS and push notification.
#[must_use]
pub fn built_in_templates() -> Vec<BuiltIn> {
    let mut templates = Vec::new();
    for message_type in message_type::built_in() {
        let slug = message_type.slug.as_str().to_owned();
        for (format, subject, body, html_body) in [
            (
                Format::CombinedEmail,
                Some("email.subject"),
                "email.txt",
                Some("email.html"),
            ),
            (Format::Sms, None, "sms.txt", None),
            (Format::Push, Some("push.subject"), "push.txt", None),
        ] {
            let read = |file: &str| text(&format!("{slug}/{file}"));
            templates.push(BuiltIn {
                slug: slug.clone(),
                format,
                language: BUILT_IN_LANGUAGE,
                subject: subject.map(|file| read(file).trim_end().to_owned()),
                body: read(body),
                html_body: html_body.map(read),
            });
        }
    }
    templates
}

fn text(path: &str) -> String {
    let file =
        Messages::get(path).expect("each built-in type has these files; a test reads them all");
    String::from_utf8(file.data.into_owned()).expect("the built-in templates are UTF-8")
}
