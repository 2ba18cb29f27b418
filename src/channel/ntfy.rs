//! Push over ntfy: a device is a topic. (gateways.md, 3.4; <https://docs.ntfy.sh/publish/>)

use super::answer::{Mask, Secret};
use super::gateway::{Gateway, Request, refusal};
use super::http::{Answer, Call};
use super::url::Parts;
use super::{Class, Failure, Receipt};
use crate::domain::message::Outgoing;
use crate::error::{Error, Result as HeraldResult};
use serde::Deserialize;
use serde_json::json;

/// The longest message, in bytes: of a longer one ntfy makes a file to be fetched.
pub const MESSAGE_BYTES_MAX: usize = 4096;

/// The longest topic, in characters.
pub const TOPIC_CHARS_MAX: usize = 64;

/// An ntfy server, and who publishes there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NtfyConfig {
    /// The URL with its secret as `***`.
    pub masked: String,
    /// Where the server is, without a slash at the end, such as `https://ntfy.example.com`.
    pub base: String,
    /// Who publishes.
    pub account: Account,
}

/// Who publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// Whoever comes.
    Anyone,
    /// The owner of an access token.
    Token(Secret),
    /// A user with a password.
    User(String, Secret),
}

impl NtfyConfig {
    /// Reads the parts of an `ntfy://` or `ntfy+http://` URL.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a sentence that says what to write instead.
    pub(super) fn read(mut parts: Parts) -> HeraldResult<Self> {
        let path = parts.take_path()?;
        let [] = parts.params([])?;
        let base = parts.base() + &path;
        let account = match (parts.user.take(), parts.password.take()) {
            (None, None) => Account::Anyone,
            (Some(token), None) if !token.is_empty() => {
                parts.mask_user();
                Account::Token(Secret::new(token))
            }
            (Some(user), Some(password)) if !user.is_empty() && !password.is_empty() => {
                Account::User(user, Secret::new(password))
            }
            _ => {
                return Err(Error::invalid(
                    "ntfy:// takes an access token, as in ntfy://TOKEN@host, or user:password@, or nothing before the host.",
                ));
            }
        };
        Ok(Self {
            masked: parts.masked,
            base,
            account,
        })
    }

    fn signed(&self, call: Call) -> Call {
        match &self.account {
            Account::Anyone => call,
            Account::Token(token) => {
                call.header("Authorization", format!("Bearer {}", token.expose()))
            }
            Account::User(user, password) => call.basic(user, password),
        }
    }
}

/// ntfy's own codes that say more than their status, or something else.
/// (<https://github.com/binwiederhier/ntfy/blob/main/server/errors.go>)
const CODES: &[(u32, Class)] = &[
    // A UnifiedPush topic to which nobody has subscribed yet: the status is 507, but nothing was taken.
    (50_701, Class::Temporary),
];

/// "forbidden": the account may not write to this topic.
const FORBIDDEN: u32 = 40_301;

/// The parts of ntfy's bodies that decide: a message, an error, or what a check finds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    id: Option<String>,
    code: Option<u32>,
    error: Option<String>,
    healthy: Option<bool>,
    username: Option<String>,
}

fn read(answer: &Answer) -> Body {
    serde_json::from_str(&answer.body).unwrap_or_default()
}

fn is_topic(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (1..=TOPIC_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_plain)
}

impl Gateway for NtfyConfig {
    fn name(&self) -> &str {
        &self.masked
    }

    fn mask(&self) -> Mask {
        match &self.account {
            Account::Anyone => Mask::nothing(),
            Account::Token(token) => Mask::credentials("", token),
            Account::User(user, password) => Mask::credentials(user, password),
        }
    }

    /// Yes: a later message of the same sequence takes the place of the first.
    /// (<https://docs.ntfy.sh/publish/#updating-notifications>)
    fn recognises_repeats(&self) -> bool {
        true
    }

    fn request(&self, message: &Outgoing) -> Result<Request, String> {
        if !is_topic(&message.recipient) {
            return Err(format!(
                "The device is no topic of ntfy, which is 1 to {TOPIC_CHARS_MAX} letters, digits, - and _."
            ));
        }
        let length = message.body.len();
        if length > MESSAGE_BYTES_MAX {
            return Err(format!(
                "The text has {length} bytes; ntfy shows at most {MESSAGE_BYTES_MAX}."
            ));
        }
        let mut body = json!({
            "topic": message.recipient,
            "message": message.body,
            "sequence_id": message.guid.to_string(),
        });
        if let Some(title) = &message.subject {
            body["title"] = title.as_str().into();
        }
        let call = Call::json(format!("{}/", self.base), &body);
        Ok(self.signed(call).into())
    }

    fn judge(&self, answer: &Answer, mask: &Mask) -> Result<Receipt, Failure> {
        if let Some(failure) = self.refused(answer, mask) {
            return Err(failure);
        }
        let code = Some(answer.status);
        let Some(id) = read(answer).id else {
            let text = format!("No message id in the answer: {}", answer.body);
            return Err(mask.failure(Class::InDoubt, code, &text));
        };
        Ok(Receipt {
            answer: mask.clean(&format!("{id} published")),
            provider_id: Some(mask.clean(&id)),
            code,
        })
    }

    /// Whether the server is well, or for an account who that is: both cost nothing.
    fn check(&self) -> Request {
        let path = match self.account {
            Account::Anyone => "/v1/health",
            Account::Token(_) | Account::User(..) => "/v1/account",
        };
        self.signed(Call::get(format!("{}{path}", self.base)))
            .into()
    }

    fn judge_check(&self, answer: &Answer, mask: &Mask) -> Result<String, Failure> {
        if let Some(failure) = self.refused(answer, mask) {
            return Err(failure);
        }
        match (&self.account, read(answer)) {
            (
                Account::Anyone,
                Body {
                    healthy: Some(true),
                    ..
                },
            ) => Ok("healthy".into()),
            (
                Account::Token(_) | Account::User(..),
                Body {
                    username: Some(user),
                    ..
                },
            ) => Ok(mask.clean(&format!("signed in as {user}"))),
            _ => {
                let text = format!("The answer is not ntfy's: {}", answer.body);
                Err(mask.failure(Class::Configuration, Some(answer.status), &text))
            }
        }
    }
}

impl NtfyConfig {
    /// A status other than 2xx, in ntfy's words and with the class of its code.
    fn refused(&self, answer: &Answer, mask: &Mask) -> Option<Failure> {
        let Body { code, error, .. } = read(answer);
        let words = code
            .zip(error)
            .map(|(code, error)| format!("{code} {error}"));
        let mut failure = refusal(answer, words, mask)?;
        let known = CODES.iter().find(|(known, _)| Some(*known) == code);
        if let Some((_, class)) = known {
            failure.class = *class;
        }
        // Who is signed in and may not write there can write elsewhere: it is the device that is wrong.
        if code == Some(FORBIDDEN) && self.account != Account::Anyone {
            failure.class = Class::Permanent;
        }
        Some(failure)
    }
}
