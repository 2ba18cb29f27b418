//! Push over Gotify: everything goes to the application whose token the URL has, once for each device of the user, for
//! Gotify knows no devices. (gateways.md, 3.5; <https://gotify.net/docs/pushmsg>)

use super::answer::{Mask, Secret};
use super::gateway::{Gateway, Request, refusal};
use super::http::{Answer, Call};
use super::url::Parts;
use super::{Class, Failure, Receipt};
use crate::domain::message::Outgoing;
use crate::error::{Error, Result as HeraldResult};
use serde::Deserialize;
use serde_json::json;

/// A Gotify server and an application there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GotifyConfig {
    /// The URL with the token as `***`.
    pub masked: String,
    /// Where the server is, without a slash at the end, such as `https://gotify.example.com`.
    pub base: String,
    /// The application's token.
    pub token: Secret,
}

impl GotifyConfig {
    /// Reads the parts of a `gotify://` or `gotify+http://` URL.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a sentence that says what to write instead.
    pub(super) fn read(mut parts: Parts) -> HeraldResult<Self> {
        let path = parts.take_path()?;
        let [] = parts.params([])?;
        let base = parts.base() + &path;
        let (Some(token), None) = (parts.user.take(), &parts.password) else {
            return Err(no_token());
        };
        if token.is_empty() {
            return Err(no_token());
        }
        parts.mask_user();
        Ok(Self {
            masked: parts.masked,
            base,
            token: Secret::new(token),
        })
    }

    fn post(&self, body: &serde_json::Value) -> Call {
        Call::json(format!("{}/message", self.base), body)
            .header("X-Gotify-Key", self.token.expose())
    }
}

fn no_token() -> Error {
    Error::invalid(
        "gotify:// needs the token of an application before the host, as in gotify://TOKEN@host, and no password.",
    )
}

/// The parts of Gotify's bodies that decide: a message, or an error.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Body {
    id: Option<u64>,
    error: Option<String>,
    error_description: Option<String>,
}

fn read(answer: &Answer) -> Body {
    serde_json::from_str(&answer.body).unwrap_or_default()
}

/// A status other than 2xx, in Gotify's words.
fn refused(answer: &Answer, mask: &Mask) -> Option<Failure> {
    let Body {
        error,
        error_description,
        ..
    } = read(answer);
    let words = error
        .zip(error_description)
        .map(|(error, description)| format!("{error}: {description}"));
    refusal(answer, words, mask)
}

impl Gateway for GotifyConfig {
    fn name(&self) -> &str {
        &self.masked
    }

    fn mask(&self) -> Mask {
        Mask::credentials("", &self.token)
    }

    /// Yes: each message carries our id among its extras. (<https://gotify.net/docs/msgextras>)
    fn recognises_repeats(&self) -> bool {
        true
    }

    fn request(&self, message: &Outgoing) -> Result<Request, String> {
        let mut body = json!({
            "message": message.body,
            "extras": { "herald::message": { "id": message.guid.to_string() } },
        });
        if let Some(title) = &message.subject {
            body["title"] = title.as_str().into();
        }
        Ok(self.post(&body).into())
    }

    fn judge(&self, answer: &Answer, mask: &Mask) -> Result<Receipt, Failure> {
        if let Some(failure) = refused(answer, mask) {
            return Err(failure);
        }
        let code = Some(answer.status);
        let Some(id) = read(answer).id else {
            let text = format!("No message id in the answer: {}", answer.body);
            return Err(mask.failure(Class::InDoubt, code, &text));
        };
        Ok(Receipt {
            answer: format!("{id} created"),
            provider_id: Some(id.to_string()),
            code,
        })
    }

    /// A message without a text: Gotify looks at the token first, and then refuses it.
    fn check(&self) -> Request {
        self.post(&json!({})).into()
    }

    fn judge_check(&self, answer: &Answer, mask: &Mask) -> Result<String, Failure> {
        match (answer.status, refused(answer, mask)) {
            (400, Some(refused)) if read(answer).error.is_some() => {
                Ok(format!("The token is known. {}", refused.answer))
            }
            (_, Some(refused)) => Err(refused),
            (status, None) => {
                let text = format!("The answer is not Gotify's: {}", answer.body);
                Err(mask.failure(Class::Configuration, Some(status), &text))
            }
        }
    }
}
