//! SMS over Twilio Messages. (gateways.md, 3.1; <https://www.twilio.com/docs/messaging/api/message-resource>)

use super::answer::{Mask, Secret};
use super::gateway::{Gateway, Request, refusal};
use super::http::{Answer, Call};
use super::url::Parts;
use super::{Callback, Class, Failure, Receipt};
use crate::domain::message::{Outgoing, Report};
use crate::error::{Error, Result as HeraldResult};
use crate::hooks::Hooks;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha1::Sha1;
use std::sync::Arc;

/// A Twilio account and the number or service it sends from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwilioConfig {
    /// The URL with the token as `***`.
    pub masked: String,
    /// Scheme, host and port, such as `https://api.twilio.com`.
    pub base: String,
    /// The account's SID.
    pub account: String,
    /// The auth token.
    pub token: Secret,
    /// What the message is sent from.
    pub origin: Origin,
}

/// What a message is sent from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A number in E.164 or an alphanumeric sender.
    From(String),
    /// The SID of a messaging service.
    Service(String),
}

/// The proof that a callback is Twilio's, as its `X-Twilio-Signature` has it.
///
/// # Errors
/// None that can happen: a key may have any length.
pub fn signature<N: AsRef<str>>(
    token: &str,
    url: &str,
    fields: &[(N, String)],
) -> HeraldResult<String> {
    let proof = proof(token, url, fields)?.finalize();
    Ok(STANDARD.encode(proof.into_bytes()))
}

/// An address with its port and without: Twilio signs one or the other, and its own libraries take both.
fn spellings(url: &str) -> [String; 2] {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // The last colon of [::1] is no port's.
    let bare = host
        .rsplit_once(':')
        .filter(|(_, port)| !port.contains(']'));
    let port = match scheme {
        "http" => 80,
        _ => 443,
    };
    let other = match bare {
        Some((bare, _)) => bare.to_owned(),
        None => format!("{host}:{port}"),
    };
    [url.to_owned(), format!("{scheme}://{other}{path}")]
}

/// HMAC-SHA1 over the address as it was called and the fields sorted by name.
/// (<https://www.twilio.com/docs/usage/webhooks/webhooks-security>)
fn proof<N: AsRef<str>>(
    token: &str,
    url: &str,
    fields: &[(N, String)],
) -> HeraldResult<Hmac<Sha1>> {
    let mut proof = Hmac::<Sha1>::new_from_slice(token.as_bytes()).map_err(Error::internal)?;
    proof.update(url.as_bytes());
    let fields = fields.iter().map(|(name, value)| (name.as_ref(), value));
    let mut fields: Vec<_> = fields.collect();
    fields.sort_unstable();
    fields.dedup();
    for (name, value) in fields {
        proof.update(name.as_bytes());
        proof.update(value.as_bytes());
    }
    Ok(proof)
}

impl TwilioConfig {
    /// Reads the parts of a `twilio://` or `twilio+http://` URL.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a sentence that says what to write instead.
    pub(super) fn read(parts: Parts) -> HeraldResult<Self> {
        let origin = match parts.params(["from", "service"])? {
            [Some(from), None] if is_sender(&from) => Origin::From(from),
            [None, Some(service)] if is_sid(&service) => Origin::Service(service),
            _ => {
                return Err(Error::invalid(
                    "twilio:// needs either from= with a number such as %2B15550001111 or a name of up to 11 characters, \
                     or service= with a messaging service such as MG0123.",
                ));
            }
        };
        let base = parts.base();
        let (Some(account), Some(token)) = (parts.user, parts.password.filter(|p| !p.is_empty()))
        else {
            return Err(Error::invalid(
                "twilio:// needs the account's SID and its token before the host, as in twilio://SID:TOKEN@api.twilio.com.",
            ));
        };
        if !is_sid(&account) {
            return Err(Error::invalid(
                "The SID of twilio:// is made of letters and digits, as in AC0123456789.",
            ));
        }
        Ok(Self {
            masked: parts.masked,
            base,
            account,
            token: Secret::new(token),
            origin,
        })
    }

    /// The address of the account, or of what is in it.
    fn address(&self, rest: &str) -> String {
        format!("{}/2010-04-01/Accounts/{}{rest}", self.base, self.account)
    }
}

fn is_sid(text: &str) -> bool {
    (2..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn is_sender(text: &str) -> bool {
    let number = text
        .strip_prefix('+')
        .is_some_and(|d| (2..=15).contains(&d.len()) && d.bytes().all(|b| b.is_ascii_digit()));
    let name = |b: u8| b.is_ascii_alphanumeric() || b" -_&".contains(&b);
    number || ((1..=11).contains(&text.len()) && text.bytes().all(name))
}

/// A Twilio account that may report back.
pub(super) struct Twilio {
    /// The account.
    pub(super) config: TwilioConfig,
    /// Where it reports; none without a public address.
    pub(super) hooks: Option<Arc<Hooks>>,
}

/// The name of its hooks.
pub const HOOK: &str = "twilio";

impl Gateway for Twilio {
    fn name(&self) -> &str {
        &self.config.masked
    }

    fn mask(&self) -> Mask {
        Mask::credentials(&self.config.account, &self.config.token)
    }

    /// No: Twilio takes no reference of ours, so a repeat is a second message.
    fn recognises_repeats(&self) -> bool {
        false
    }

    fn request(&self, message: &Outgoing) -> Result<Request, String> {
        let config = &self.config;
        let origin = match &config.origin {
            Origin::From(from) => ("From", from.clone()),
            Origin::Service(service) => ("MessagingServiceSid", service.clone()),
        };
        let mut fields = vec![
            ("To", message.recipient.clone()),
            origin,
            ("Body", message.body.clone()),
        ];
        let hooks = self.hooks.as_ref();
        fields.extend(hooks.map(|hooks| ("StatusCallback", hooks.address(HOOK, message.guid))));
        let call = Call::form(config.address("/Messages.json"), &fields)
            .basic(&config.account, &config.token)
            .header("Accept", "application/json");
        // Twilio repeats an address that it does not like.
        let secret = hooks.map(|hooks| hooks.token(HOOK, message.guid));
        Ok(Request { call, secret })
    }

    /// What Twilio's answer means: the status first, then the message's own state. (gateways.md, 3.1)
    fn judge(&self, answer: &Answer, mask: &Mask) -> Result<Receipt, Failure> {
        let code = Some(answer.status);
        if let Some(failure) = refused(answer, mask) {
            return Err(failure);
        }
        let body: Option<Body> = serde_json::from_str(&answer.body).ok();
        let Some((sid, body)) = body.and_then(|mut b| Some((b.sid.take()?, b))) else {
            let text = format!("No message SID in the answer: {}", answer.body);
            return Err(mask.failure(Class::InDoubt, code, &text));
        };
        let status = body
            .status
            .as_ref()
            .and_then(|s| s.as_str())
            .unwrap_or_default();
        if matches!(status, "failed" | "undelivered" | "canceled") {
            let number = body.error_code.unwrap_or_default();
            let text = format!(
                "{status} {number} {}",
                body.error_message.unwrap_or_default()
            );
            return Err(mask.failure(Class::Permanent, code, &text));
        }
        Ok(Receipt {
            answer: mask.clean(&format!("{sid} {status}")),
            provider_id: Some(mask.clean(&sid)),
            code,
        })
    }

    /// Reads the account, which costs nothing. (<https://www.twilio.com/docs/iam/api/account>)
    fn check(&self) -> Request {
        let config = &self.config;
        Call::get(config.address(".json"))
            .basic(&config.account, &config.token)
            .header("Accept", "application/json")
            .into()
    }

    fn judge_check(&self, answer: &Answer, mask: &Mask) -> Result<String, Failure> {
        judge_account(answer, &self.config.account, mask)
    }

    /// A status callback.
    /// (<https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks>)
    fn report(&self, callback: &Callback<'_>) -> Option<Report> {
        let fields: Vec<_> = form_urlencoded::parse(callback.body).into_owned().collect();
        let signature = STANDARD.decode(callback.signature).ok()?;
        let is_signed = spellings(callback.url).iter().any(|url| {
            let proof = proof(self.config.token.expose(), url, &fields);
            proof.is_ok_and(|proof| proof.verify_slice(&signature).is_ok())
        });
        if !is_signed {
            return None;
        }
        let field = |name: &str| {
            let found = fields.iter().find(|(known, _)| known == name);
            found.map_or("", |(_, value)| value.as_str())
        };
        let status = field("MessageStatus");
        let words = format!("{status} {}", field("ErrorCode"));
        Some(Report {
            provider_id: field("MessageSid").to_owned(),
            words: self.mask().clean(&words),
            is_delivered: match status {
                "delivered" | "read" => Some(true),
                "undelivered" | "failed" | "canceled" => Some(false),
                _ => None,
            },
        })
    }
}

/// The parts of Twilio's bodies that decide: a message, or an error.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    sid: Option<String>,
    status: Option<serde_json::Value>,
    error_code: Option<i64>,
    error_message: Option<String>,
    code: Option<i64>,
    message: Option<String>,
    friendly_name: Option<String>,
}

/// Whether the answer is this account, open for business.
fn judge_account(answer: &Answer, account: &str, mask: &Mask) -> Result<String, Failure> {
    let closed = |text: &str| mask.failure(Class::Configuration, Some(answer.status), text);
    if let Some(failure) = refused(answer, mask) {
        return Err(failure);
    }
    let body: Body = serde_json::from_str(&answer.body).unwrap_or_default();
    if body.sid.as_deref() != Some(account) {
        return Err(closed(&format!(
            "The answer is not the account: {}",
            answer.body
        )));
    }
    let status = body.status.as_ref().and_then(|s| s.as_str());
    let name = body.friendly_name.unwrap_or_default();
    let words = format!("{name} {}", status.unwrap_or_default());
    match status {
        Some("active") => Ok(mask.clean(&words)),
        _ => Err(closed(&words)),
    }
}

/// A status other than 2xx, in Twilio's words.
fn refused(answer: &Answer, mask: &Mask) -> Option<Failure> {
    let words = match serde_json::from_str(&answer.body).unwrap_or_default() {
        Body {
            code: Some(number),
            message: Some(message),
            ..
        } => Some(format!("{number} {message}")),
        _ => None,
    };
    refusal(answer, words, mask)
}
