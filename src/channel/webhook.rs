//! Any gateway that takes a message as a form or as JSON: the URL says under which names. (cli.md, "Provider URLs")

use super::answer::{Mask, Secret};
use super::gateway::{Gateway, Request, refusal};
use super::http::{Answer, Call};
use super::url::Parts;
use super::{Failure, Receipt};
use crate::domain::format::Channel;
use crate::domain::message::Outgoing;
use crate::error::{Error, Result as HeraldResult};

/// The longest name of a field, in characters.
pub const NAME_CHARS_MAX: usize = 64;

/// A value shorter than this is no secret, and stands in every other answer.
const SECRET_BYTES_MIN: usize = 4;

/// A gateway, and how it wants its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookConfig {
    /// The URL with its secrets as `***`.
    pub masked: String,
    /// Where to.
    pub address: String,
    /// `POST` or `PUT`.
    pub method: &'static str,
    /// What the body is.
    pub form: bool,
    /// What the parts of a message are called; what has no name is left out.
    pub names: Names,
    /// Headers of every call.
    pub headers: Vec<(String, Secret)>,
    /// Fields of every body.
    pub fields: Vec<(String, Secret)>,
    /// User and password.
    pub account: Option<(String, Secret)>,
}

/// What the parts of a message are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Address, number or device.
    pub to: Option<String>,
    /// The text.
    pub text: Option<String>,
    /// The subject of a mail, the title of a push notification.
    pub subject: Option<String>,
    /// The HTML of a mail.
    pub html: Option<String>,
    /// The sender of a mail.
    pub from: Option<String>,
    /// Our id, by which the gateway knows a repeat; it is asked for, or there is none.
    pub id: Option<String>,
}

/// Headers that are made by what is sent.
const OWN_HEADERS: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "transfer-encoding",
    "upgrade",
];

impl WebhookConfig {
    /// Reads the parts of a `webhook+https://` or `webhook+http://` URL.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a sentence that says what to write instead.
    pub(super) fn read(mut parts: Parts) -> HeraldResult<Self> {
        parts.mask_params(|name| name.starts_with("header.") || name.starts_with("field."));
        let secret = |(name, value): (String, String)| (name, Secret::new(value));
        let headers: Vec<_> = parts.take_params("header.");
        let fields: Vec<_> = parts.take_params("field.");
        let address = parts.take_path()?;
        // A field of a fixed value takes the place of the part that is usually called so.
        let name = |given: Option<String>, usual: &str| {
            let is_fixed = || fields.iter().any(|(name, _)| name == usual);
            match given {
                None => (!is_fixed()).then(|| usual.to_owned()),
                Some(name) => (!name.is_empty()).then_some(name),
            }
        };
        // The last two are taken already: they stand here for the sentence about what is not known.
        let [method, format, to, text, subject, html, from, id, _, _] = parts.params([
            "method",
            "format",
            "to",
            "text",
            "subject",
            "html",
            "from",
            "id",
            "header.NAME",
            "field.NAME",
        ])?;
        let config = Self {
            address: parts.base() + &address,
            method: match method.as_deref() {
                None | Some("POST") => "POST",
                Some("PUT") => "PUT",
                Some(_) => return Err(Error::invalid("method= of a webhook is POST or PUT.")),
            },
            form: match format.as_deref() {
                None | Some("json") => false,
                Some("form") => true,
                Some(_) => return Err(Error::invalid("format= of a webhook is json or form.")),
            },
            names: Names {
                to: name(to, "to"),
                text: name(text, "text"),
                subject: name(subject, "subject"),
                html: name(html, "html"),
                from: name(from, "from"),
                id: id.filter(|id| !id.is_empty()),
            },
            account: match (parts.user, parts.password) {
                (None, None) => None,
                (Some(user), Some(password)) if !user.is_empty() && !password.is_empty() => {
                    Some((user, Secret::new(password)))
                }
                _ => {
                    return Err(Error::invalid(
                        "A webhook takes a user and a password together, as in webhook+https://user:password@host/path, or neither.",
                    ));
                }
            },
            masked: parts.masked,
            headers: headers.into_iter().map(secret).collect(),
            fields: fields.into_iter().map(secret).collect(),
        };
        config.check_headers()?;
        config.check_names()?;
        Ok(config)
    }

    fn check_headers(&self) -> HeraldResult<()> {
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        for (at, (name, value)) in self.headers.iter().enumerate() {
            let lower = name.to_ascii_lowercase();
            let is_own = OWN_HEADERS.contains(&lower.as_str())
                || lower == "authorization" && self.account.is_some();
            let twice = self.headers[..at]
                .iter()
                .any(|(before, _)| before.eq_ignore_ascii_case(name));
            let is_sound = !name.is_empty() && name.bytes().all(is_token);
            let has_value = value.expose().bytes().all(|b| (b' '..=b'~').contains(&b));
            if is_own || twice || !is_sound || !has_value {
                return Err(Error::invalid(format!(
                    "Header {} of a webhook is not one that can be set: it is `header.NAME=value`, once, in ASCII, \
                     and not one that the body, the connection or the user makes.",
                    at + 1
                )));
            }
        }
        Ok(())
    }

    fn check_names(&self) -> HeraldResult<()> {
        if self.names.text.is_none() {
            return Err(Error::invalid(
                "text= of a webhook names the field of the text; it cannot be left out.",
            ));
        }
        let Names {
            to,
            text,
            subject,
            html,
            from,
            id,
        } = &self.names;
        let names = [to, text, subject, html, from, id].into_iter().flatten();
        let names: Vec<_> = names
            .chain(self.fields.iter().map(|(name, _)| name))
            .collect();
        let fits = |name: &&String| (1..=NAME_CHARS_MAX).contains(&name.chars().count());
        let twice = (1..names.len()).any(|at| names[..at].contains(&names[at]));
        if twice || !names.iter().all(fits) {
            return Err(Error::invalid(format!(
                "The fields of a webhook each have a name of their own, of 1 to {NAME_CHARS_MAX} characters; \
                 `subject=` without a name leaves that field out."
            )));
        }
        Ok(())
    }

    fn call(&self, method: &'static str) -> Call {
        let mut call = Call {
            method,
            url: self.address.clone(),
            ..Call::default()
        };
        for (name, value) in &self.headers {
            call = call.header(name, value.expose());
        }
        match &self.account {
            Some((user, password)) => call.basic(user, password),
            None => call,
        }
    }

    /// The fields of a message, in the order in which they are documented.
    fn body(&self, message: &Outgoing) -> Vec<(&str, String)> {
        let is_mail = message.format.channel() == Channel::Email;
        let sender = message.sender.as_ref().unwrap_or(&message.default_sender);
        let Names {
            to,
            text,
            subject,
            html,
            from,
            id,
        } = &self.names;
        let parts = [
            (to, Some(message.recipient.clone())),
            (text, Some(message.body.clone())),
            (subject, message.subject.clone()),
            (html, message.html_body.clone()),
            (from, Some(sender.clone()).filter(|_| is_mail)),
            (id, Some(message.guid.to_string())),
        ];
        let parts = parts.into_iter();
        let parts = parts.filter_map(|(name, value)| Some((name.as_deref()?, value?)));
        let fixed = self.fields.iter();
        let fixed = fixed.map(|(name, value)| (name.as_str(), value.expose().to_owned()));
        parts.chain(fixed).collect()
    }
}

impl Gateway for WebhookConfig {
    fn name(&self) -> &str {
        &self.masked
    }

    fn mask(&self) -> Mask {
        let values = self.headers.iter().chain(&self.fields);
        let secrets = values
            .map(|(_, value)| value)
            .filter(|value| value.expose().len() >= SECRET_BYTES_MIN);
        let mask = match &self.account {
            Some((user, password)) => Mask::credentials(user, password),
            None => Mask::nothing(),
        };
        secrets.fold(mask, |mask, secret| {
            mask.with(Mask::credentials("", secret))
        })
    }

    /// Where it is told our id of a message: who asks for that knows what it is for.
    fn recognises_repeats(&self) -> bool {
        self.names.id.is_some()
    }

    fn request(&self, message: &Outgoing) -> Result<Request, String> {
        let fields = self.body(message);
        let content = match self.form {
            true => Call::form("", &fields),
            false => {
                let fields = fields.into_iter();
                let fields = fields.map(|(name, value)| (name.to_owned(), value.into()));
                Call::json("", &serde_json::Value::Object(fields.collect()))
            }
        };
        let mut call = self.call(self.method);
        call.headers.extend(content.headers);
        call.body = content.body;
        Ok(call.into())
    }

    /// A good status is all that such a gateway is known to say.
    fn judge(&self, answer: &Answer, mask: &Mask) -> Result<Receipt, Failure> {
        match refusal(answer, None, mask) {
            Some(failure) => Err(failure),
            None => Ok(Receipt {
                provider_id: None,
                code: Some(answer.status),
                answer: mask.clean(&answer.body),
            }),
        }
    }

    /// What may be done there, which is asked with the credentials and sends nothing. (RFC 9110, section 9.3.7)
    fn check(&self) -> Request {
        self.call("OPTIONS").into()
    }

    fn judge_check(&self, answer: &Answer, mask: &Mask) -> Result<String, Failure> {
        let status = answer.status;
        let is_there = format!(
            "It is there, and answers OPTIONS with HTTP status {status}. Whether it takes messages shows with the first."
        );
        match refusal(answer, None, mask) {
            None => Ok(is_there),
            // It knows no OPTIONS, or wants a message with it.
            Some(_) if matches!(status, 400 | 405 | 406 | 411 | 415 | 422 | 501) => Ok(is_there),
            Some(failure) => Err(failure),
        }
    }
}
