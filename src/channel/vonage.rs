//! SMS over Vonage's classic API, which answers 200 to everything. (gateways.md, 3.2;
//! <https://developer.vonage.com/en/api/sms>)

use super::answer::{Mask, Secret};
use super::gateway::{Gateway, Request, refusal};
use super::http::{Answer, Call};
use super::url::Parts;
use super::{Callback, Class, Failure, Receipt};
use crate::domain::message::{Outgoing, Report};
use crate::error::{Error, Result as HeraldResult};
use crate::hooks::Hooks;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// The longest address for reports, in characters.
pub const CALLBACK_CHARS_MAX: usize = 100;

/// A Vonage account and what its messages come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VonageConfig {
    /// The URL with the secret as `***`.
    pub masked: String,
    /// Scheme, host and port, such as `https://rest.nexmo.com`.
    pub base: String,
    /// The API key.
    pub key: String,
    /// The API secret.
    pub secret: Secret,
    /// A number in digits, or a name of up to 11 letters and digits.
    pub from: String,
}

impl VonageConfig {
    /// Reads the parts of a `vonage://` or `vonage+http://` URL.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a sentence that says what to write instead.
    pub(super) fn read(parts: Parts) -> HeraldResult<Self> {
        let [from] = parts.params(["from"])?;
        let Some(from) = from.as_deref().and_then(sender) else {
            return Err(Error::invalid(
                "vonage:// needs from= with a number such as %2B15550001111 or a name of up to 11 letters and digits.",
            ));
        };
        let base = parts.base();
        let is_key = |key: &String| {
            (1..=64).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        let (Some(key), Some(secret)) = (
            parts.user.filter(is_key),
            parts.password.filter(|secret| !secret.is_empty()),
        ) else {
            return Err(Error::invalid(
                "vonage:// needs the API key, of letters and digits, and its secret before the host, as in \
                 vonage://KEY:SECRET@rest.nexmo.com.",
            ));
        };
        Ok(Self {
            masked: parts.masked,
            base,
            key,
            secret: Secret::new(secret),
            from,
        })
    }
}

/// A sender as Vonage writes it: a number has no plus.
fn sender(text: &str) -> Option<String> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = (2..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let name = |b: u8| b.is_ascii_alphanumeric() || b == b' ';
    let is_name = (1..=11).contains(&text.len()) && text.bytes().all(name);
    match (is_number, is_name) {
        (true, _) => Some(digits.to_owned()),
        (false, true) => Some(text.to_owned()),
        (false, false) => None,
    }
}

/// What the statuses of a message mean. What is not listed was not taken, and will not be.
/// (<https://developer.vonage.com/en/api-errors/sms>)
#[rustfmt::skip] // A table: one status a line.
pub const STATUSES: &[(&str, Class, &str)] = &[
    ("1",  Class::Temporary,     "throttled"),
    ("2",  Class::Permanent,     "missing parameters"),
    ("3",  Class::Permanent,     "invalid parameters"),
    ("4",  Class::Configuration, "invalid credentials"),
    ("5",  Class::Temporary,     "internal error"),
    ("6",  Class::Permanent,     "invalid message"),
    ("7",  Class::Permanent,     "number barred"),
    ("8",  Class::Configuration, "account barred"),
    ("9",  Class::Configuration, "no credit"),
    ("10", Class::Temporary,     "too many binds"),
    ("11", Class::Configuration, "account not enabled for HTTP"),
    ("12", Class::Permanent,     "message too long"),
    ("14", Class::Configuration, "invalid signature"),
    ("15", Class::Permanent,     "invalid sender address"),
];

/// The status of a part that was taken.
const TAKEN: &str = "0";

/// The characters of the GSM alphabet, its extension included: other texts have to be sent as Unicode. (3GPP TS 23.038, 6.2.1)
const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿\
     abcdefghijklmnopqrstuvwxyzäöñüà\u{c}^{}\\[~]|€";

/// Whether a text can be sent in the GSM alphabet.
#[must_use]
pub fn is_gsm(text: &str) -> bool {
    text.chars().all(|c| GSM.contains(c))
}

/// A Vonage account that may report back.
pub(super) struct Vonage {
    /// The account.
    pub(super) config: VonageConfig,
    /// Where it reports; none without a public address.
    pub(super) hooks: Option<Arc<Hooks>>,
}

/// The name of its hooks.
pub const HOOK: &str = "vonage";

/// The body of an answer.
#[derive(Debug, Default, Deserialize)]
struct Body {
    messages: Vec<Part>,
}

/// What became of a part: a long text goes out in several.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Part {
    status: String,
    message_id: Option<String>,
    error_text: Option<String>,
}

/// The answer to a check.
#[derive(Debug, Deserialize)]
struct Balance {
    value: f64,
}

impl Vonage {
    /// The address for reports on a message, where there is one that Vonage takes.
    fn callback(&self, message: &Outgoing) -> Option<(String, String)> {
        let hooks = self.hooks.as_ref()?;
        let address = hooks.address(HOOK, message.guid);
        let fits = address.len() <= CALLBACK_CHARS_MAX;
        fits.then(|| (address, hooks.token(HOOK, message.guid)))
    }
}

impl Gateway for Vonage {
    fn name(&self) -> &str {
        &self.config.masked
    }

    fn mask(&self) -> Mask {
        Mask::credentials(&self.config.key, &self.config.secret)
    }

    /// Yes: Vonage takes our reference with the message.
    fn recognises_repeats(&self) -> bool {
        true
    }

    fn request(&self, message: &Outgoing) -> Result<Request, String> {
        let config = &self.config;
        let to = message.recipient.trim_start_matches('+').to_owned();
        let mut fields = vec![
            ("api_key", config.key.clone()),
            ("api_secret", config.secret.expose().to_owned()),
            ("from", config.from.clone()),
            ("to", to),
            ("text", message.body.clone()),
            ("client-ref", message.guid.to_string()),
        ];
        if !is_gsm(&message.body) {
            fields.push(("type", "unicode".into()));
        }
        let callback = self.callback(message);
        let secret = callback.map(|(address, token)| {
            fields.push(("callback", address));
            token
        });
        let call = Call::form(format!("{}/sms/json", config.base), &fields);
        Ok(Request { call, secret })
    }

    /// What the answer means: the status first, then that of each part. (gateways.md, 3.2)
    fn judge(&self, answer: &Answer, mask: &Mask) -> Result<Receipt, Failure> {
        if let Some(failure) = refusal(answer, None, mask) {
            return Err(failure);
        }
        let code = Some(answer.status);
        let Body { messages: parts } = serde_json::from_str(&answer.body).unwrap_or_default();
        let taken = parts.iter().filter(|part| part.status == TAKEN).count();
        let Some(refused) = parts.iter().find(|part| part.status != TAKEN) else {
            if parts.is_empty() {
                let text = format!("No message in the answer: {}", answer.body);
                return Err(mask.failure(Class::InDoubt, code, &text));
            }
            let ids = parts.iter().filter_map(|part| part.message_id.as_deref());
            let ids = mask.clean(&ids.collect::<Vec<_>>().join(" "));
            return Ok(Receipt {
                answer: format!("{ids} accepted"),
                provider_id: Some(ids).filter(|ids| !ids.is_empty()),
                code,
            });
        };
        let Part {
            status, error_text, ..
        } = refused;
        let known = STATUSES.iter().find(|(known, ..)| known == status);
        let (class, meaning) =
            known.map_or((Class::Permanent, ""), |(_, class, words)| (*class, *words));
        let text = format!("{status} {}", error_text.as_deref().unwrap_or(meaning));
        if taken > 0 {
            // Sent again, what was taken of it would come twice.
            let text = format!("{taken} of {} parts were taken: {text}", parts.len());
            return Err(mask.failure(Class::Permanent, code, &text));
        }
        let mut failure = mask.failure(class, code, &text);
        failure.retry_after = answer.retry_after.filter(|_| class == Class::Temporary);
        Err(failure)
    }

    /// Reads the balance, which costs nothing. (<https://developer.vonage.com/en/api/account>)
    fn check(&self) -> Request {
        let config = &self.config;
        Call::get(format!("{}/account/get-balance", config.base))
            .basic(&config.key, &config.secret)
            .into()
    }

    fn judge_check(&self, answer: &Answer, mask: &Mask) -> Result<String, Failure> {
        if let Some(failure) = refusal(answer, None, mask) {
            return Err(failure);
        }
        match serde_json::from_str(&answer.body) {
            Ok(Balance { value }) => Ok(format!("The balance is {value:.2}.")),
            Err(_) => {
                let text = format!("The answer is not the balance: {}", answer.body);
                Err(mask.failure(Class::Configuration, Some(answer.status), &text))
            }
        }
    }

    /// A delivery receipt, as the account wants it: a query, a form or JSON. The address is the proof, for it is a secret
    /// of the message. (<https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts>)
    fn report(&self, callback: &Callback<'_>) -> Option<Report> {
        if callback.service != HOOK {
            return None;
        }
        let fields = fields(callback);
        let field = |name: &str| {
            let found = fields.iter().find(|(known, _)| known == name);
            found.map_or("", |(_, value)| value.as_str())
        };
        if !["", self.config.key.as_str()].contains(&field("api-key")) {
            return None;
        }
        let status = field("status");
        let code = Some(field("err-code")).filter(|code| !matches!(*code, "" | "0"));
        let words = format!("{status} {}", code.unwrap_or_default());
        Some(Report {
            provider_id: field("messageId").to_owned(),
            words: self.mask().clean(&words),
            is_delivered: match status {
                "delivered" => Some(true),
                "expired" | "failed" | "rejected" => Some(false),
                _ => None,
            },
        })
    }
}

fn fields(callback: &Callback<'_>) -> Vec<(String, String)> {
    if callback.body.is_empty() {
        return callback.query.to_vec();
    }
    let Ok(Value::Object(object)) = serde_json::from_slice(callback.body) else {
        return form_urlencoded::parse(callback.body).into_owned().collect();
    };
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    object
        .into_iter()
        .map(|(name, value)| (name, text(value)))
        .collect()
}
