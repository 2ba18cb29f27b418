//! What is kept of a provider's answer: short, on one line, and without our secrets.

use super::{ANSWER_CHARS_MAX, Class, Failure};
use crate::domain::retry::Signal;
use crate::secret::without_tokens;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// A password or token; prints as `***` whatever the format.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes charge of a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for the wire only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The strings that must not appear in a kept answer.
#[derive(Clone)]
pub struct Mask(Vec<String>);

impl Mask {
    /// Masks the password, and every form in which we send it: a server may echo our own line back.
    #[must_use]
    pub fn credentials(user: &str, password: &Secret) -> Self {
        let password = password.expose();
        let mut forms = vec![
            STANDARD.encode(format!("\0{user}\0{password}")),
            STANDARD.encode(format!("{user}:{password}")),
            STANDARD.encode(password),
            form_urlencoded::byte_serialize(password.as_bytes()).collect(),
            password.to_string(),
        ];
        // As JSON has it, where that is another form: without the quotes around it.
        let quoted = serde_json::Value::from(password).to_string();
        forms.push(quoted[1..quoted.len() - 1].to_owned());
        forms.retain(|form| !form.is_empty());
        Self(forms)
    }

    /// The same, with the secrets of another; the longest goes first, for one may be a part of the other.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self.0.sort_by_key(|form| std::cmp::Reverse(form.len()));
        self
    }

    /// The same, with another secret.
    #[must_use]
    pub fn and(&self, secret: &str) -> Self {
        let mut forms = self.0.clone();
        forms.push(secret.to_owned());
        Self(forms)
    }

    /// Masks nothing, for a provider without credentials.
    #[must_use]
    pub fn nothing() -> Self {
        Self(Vec::new())
    }

    /// The text with secrets and tokens of action links as `***`, control characters as spaces, cut to [`ANSWER_CHARS_MAX`] characters.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        // Masking comes before cutting, so that no half of a secret is left at the end.
        let mut text = text.to_string();
        for secret in &self.0 {
            text = text.replace(secret, "***");
        }
        without_tokens(text)
            .trim()
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(ANSWER_CHARS_MAX)
            .collect()
    }

    /// A failure of the class that the retry policy has for the signal, with the cleaned answer.
    pub(super) fn signal(&self, signal: Signal, answer: &str) -> Failure {
        let rule = signal.rule();
        let code = match signal {
            Signal::Reply(_, code) | Signal::Status(code) => Some(code),
            _ => None,
        };
        let mut failure = self.failure(rule.class.unwrap_or(Class::InDoubt), code, answer);
        if let (Signal::Status(status), "") = (signal, failure.answer.as_str()) {
            // A failure names itself. (delivery.md, promise 4)
            failure.answer = format!("HTTP status {status} without an explanation.");
        }
        failure.retry_after = rule.not_before;
        failure
    }

    /// A failure with the cleaned answer, of a class that the gateway's own words decide.
    pub(super) fn failure(&self, class: Class, code: Option<u16>, answer: &str) -> Failure {
        Failure {
            class,
            code,
            answer: self.clean(answer),
            retry_after: None,
        }
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask({} secrets)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_password_is_masked() {
        let mask = Mask::credentials("anna", &Secret::new("s3 cr\"et"));
        let echoed = format!(
            "535 {} {} {} s3+cr%22et s3 cr\\\"et s3 cr\"et",
            STANDARD.encode("\0anna\0s3 cr\"et"),
            STANDARD.encode("anna:s3 cr\"et"),
            STANDARD.encode("s3 cr\"et"),
        );
        assert_eq!(mask.clean(&echoed), "535 *** *** *** *** *** ***");
    }

    #[test]
    fn an_answer_is_one_bounded_line() {
        let long = format!("a\r\nb\0c{}", "æ".repeat(5000));
        let clean = Mask::nothing().clean(&long);
        assert_eq!(clean.chars().count(), ANSWER_CHARS_MAX);
        assert!(clean.starts_with("a  b cæ"));
    }
}
