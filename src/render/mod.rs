//! The only place where templates and placeholder values meet. (api.md, "Placeholders")
//!
//! Templates are written by operators, values by anybody: neither may cost more than its limits or change what the other means.

mod allow;
mod compiled;
mod environment;
mod links;
mod plain;
mod text;
mod tokens;

pub use allow::{LOOP_DEPTH_MAX, inspect};
pub use environment::{FILTERS, OUTPUT_BYTES_MAX, STEPS_MAX, VALUE_DEPTH_MAX, VALUES_BYTES_MAX};
pub use links::{LINK_BYTES_MAX, LINK_WORDS, check_link, check_url_value, link};
pub use text::{HTML_DEPTH_MAX, TEXT_WIDTH_CHARS};
pub use tokens::{BLOCK_DEPTH_MAX, BLOCK_TAGS_MAX, BRACKET_DEPTH_MAX, TAG_TOKENS_MAX};

pub use crate::domain::template::{Problem, Use, Used};

use compiled::Kind;
use environment::Given;
use minijinja::{Error as EngineError, ErrorKind};

use crate::domain::address::no_controls;
use crate::domain::format::Format;
use crate::domain::placeholder::{Value, Values};
use crate::domain::template::Template;
use crate::error::Error;

/// The longest rendered subject, in bytes; a header line has at most 998. (RFC 5322, 2.1.1)
pub const RENDERED_SUBJECT_BYTES_MAX: usize = 900;

/// The sources of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts<'a> {
    /// Decides which of the sources are rendered.
    pub format: Format,
    /// Not for SMS.
    pub subject: Option<&'a str>,
    /// The text; for CombinedEmail it may be made from the HTML.
    pub body: Option<&'a str>,
    /// Only for CombinedEmail.
    pub html_body: Option<&'a str>,
}

impl<'a> From<&'a Template> for Parts<'a> {
    fn from(template: &'a Template) -> Self {
        Self {
            format: template.format(),
            subject: template.subject(),
            body: template.body(),
            html_body: template.html_body(),
        }
    }
}

/// A message ready for its channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line; none for SMS.
    pub subject: Option<String>,
    /// The text.
    pub body: String,
    /// The HTML of a CombinedEmail.
    pub html_body: Option<String>,
}

/// Puts the values into the sources. Any failure is an [`Error::Invalid`] that names the part and, where there is one, the word;
/// the message is then not sent.
pub fn render(parts: &Parts<'_>, values: &Values) -> Result<Rendered, Error> {
    for (word, value) in values.iter().filter(|(word, _)| word.ends_with("Url")) {
        check_url_value(word, value)?;
    }
    let values = given(values)?;
    let subject = parts.subject.filter(|_| parts.format != Format::Sms);
    let subject = subject
        .map(|source| render_subject(source, &values))
        .transpose()?;
    let html_body = parts
        .html_body
        .filter(|_| parts.format == Format::CombinedEmail);
    let html_body = html_body
        .map(|source| render_body("HTMLBody", Kind::Html, source, &values))
        .transpose()?;
    let body = match (parts.body, &html_body) {
        (Some(source), _) => render_body("Body", Kind::Text, source, &values)?,
        (None, Some(html)) => text::from_html(html)?,
        (None, None) => {
            return Err(Error::invalid(
                "The template has no body; the message is not sent.",
            ));
        }
    };
    Ok(Rendered {
        subject,
        body,
        html_body,
    })
}

fn given(values: &Values) -> Result<Given<'_>, Error> {
    Given::new(values).ok_or_else(|| {
        Error::invalid(format!(
            "The placeholders hold more than {VALUES_BYTES_MAX} bytes or are nested more than {VALUE_DEPTH_MAX} deep; the message is not sent."
        ))
    })
}

fn render_subject(source: &str, values: &Given<'_>) -> Result<String, Error> {
    let subject = render_source("Subject", Kind::Text, source, values)?;
    no_controls("Subject", &subject, false)?;
    let subject = subject.trim();
    if subject.is_empty() || subject.len() > RENDERED_SUBJECT_BYTES_MAX {
        return Err(Error::invalid(format!(
            "Subject with its values must have 1 to {RENDERED_SUBJECT_BYTES_MAX} bytes; the message is not sent."
        )));
    }
    Ok(subject.into())
}

fn render_body(part: &str, kind: Kind, source: &str, values: &Given<'_>) -> Result<String, Error> {
    let body = render_source(part, kind, source, values)?;
    no_controls(part, &body, true)?;
    if body.trim().is_empty() {
        return Err(Error::invalid(format!(
            "{part} is empty with its values; the message is not sent."
        )));
    }
    Ok(body)
}

/// Renders one source. It is inspected again, once in this process: what is stored may be older than the rules.
fn render_source(
    part: &str,
    kind: Kind,
    source: &str,
    values: &Given<'_>,
) -> Result<String, Error> {
    let check = || match kind {
        Kind::Link => links::check_words(source),
        Kind::Text | Kind::Html => inspect(source).map(drop).map_err(|p| {
            Error::invalid(format!(
                "{part}, line {}, column {}: {}.",
                p.line, p.column, p.what
            ))
        }),
    };
    let compiled = compiled::of(kind, source, check)?;
    compiled
        .render(source, values)
        .map_err(|error| render_error(part, source, &error))
}

fn render_error(part: &str, source: &str, error: &EngineError) -> Error {
    let line = error.line().unwrap_or(1);
    let place = error
        .range()
        .and_then(|range| source.get(range))
        .unwrap_or_default();
    let place: String = place.chars().take(60).collect();
    let is_filter = FILTERS.iter().any(|(name, _)| *name == place);
    let what = match error.kind() {
        // The engine points at the filter and not at the word in front of it.
        ErrorKind::UndefinedError if is_filter => {
            format!("the filter '{place}' stands behind a placeholder without a value")
        }
        ErrorKind::UndefinedError => format!("the placeholder '{place}' has no value"),
        ErrorKind::OutOfFuel => format!("it takes more than {STEPS_MAX} steps"),
        ErrorKind::WriteFailure => format!("it becomes larger than {OUTPUT_BYTES_MAX} bytes"),
        kind => format!(
            "'{place}' fails: {}",
            error
                .detail()
                .map_or_else(|| kind.to_string(), str::to_owned)
        ),
    };
    Error::invalid(format!(
        "{part}, line {line}: {what}; the message is not sent."
    ))
}

/// The two parts of a custom e-mail body, which is data and never a template: the text as given, and the text as HTML,
/// encoded exactly once, line ends as `<br>`. (api.md, "Send API", 3)
#[must_use]
pub fn custom_email(text: &str) -> (String, String) {
    let mut html = String::with_capacity(text.len() + text.len() / 8);
    for (index, line) in text.replace("\r\n", "\n").split(['\n', '\r']).enumerate() {
        if index > 0 {
            html.push_str("<br>\n");
        }
        environment::write_escaped(&mut html, line).expect("writing to a string does not fail");
    }
    (text.into(), html)
}

/// A word's value as plain text, where it is text.
fn as_text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}
