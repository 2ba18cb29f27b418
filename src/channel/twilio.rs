//! SMS over Twilio Messages. (gateways.md, 3.1; <https://www.twilio.com/docs/messaging/api/message-resource>)

use super::answer::{Mask, Secret};
use super::http::{Answer, HttpClient};
use super::url::Parts;
use super::{Class, Failure, Provider, Receipt, Session, Timeouts};
use crate::clock::Clock;
use crate::domain::message::Outgoing;
use crate::domain::retry::Signal;
use crate::error::{Error, Result as HeraldResult};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
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

/// Concurrent calls; Twilio answers each within a second and queues by itself.
const CONNECTIONS: usize = 4;

impl TwilioConfig {
    /// Reads the parts of a `twilio://` or, with `plain`, `twilio+http://` URL.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a sentence that says what to write instead.
    pub(super) fn read(parts: Parts, plain: bool) -> HeraldResult<Self> {
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
        let scheme = if plain { "http" } else { "https" };
        let host = if parts.host.contains(':') {
            format!("[{}]", parts.host)
        } else {
            parts.host
        };
        let port = parts.port.map(|p| format!(":{p}")).unwrap_or_default();
        Ok(Self {
            masked: parts.masked,
            base: format!("{scheme}://{host}{port}"),
            account,
            token: Secret::new(token),
            origin,
        })
    }
}

impl TwilioConfig {
    /// The address of the account, or of what is in it.
    fn address(&self, rest: &str) -> String {
        format!("{}/2010-04-01/Accounts/{}{rest}", self.base, self.account)
    }

    /// The value of `Authorization`.
    fn proof(&self) -> String {
        let pair = format!("{}:{}", self.account, self.token.expose());
        format!("Basic {}", STANDARD.encode(pair))
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

/// Twilio, as a provider.
pub struct TwilioProvider {
    config: Arc<TwilioConfig>,
    timeouts: Timeouts,
    clock: Arc<Clock>,
}

impl TwilioProvider {
    /// A provider; the clock is for a `Retry-After` that names a date.
    #[must_use]
    pub fn new(config: TwilioConfig, timeouts: Timeouts, clock: Arc<Clock>) -> Self {
        Self {
            config: Arc::new(config),
            timeouts,
            clock,
        }
    }
}

impl Provider for TwilioProvider {
    fn name(&self) -> &str {
        &self.config.masked
    }

    fn connections(&self) -> usize {
        CONNECTIONS
    }

    /// No: Twilio takes no reference of ours, so a repeat is a second message.
    fn recognises_repeats(&self) -> bool {
        false
    }

    fn session(&self) -> Box<dyn Session> {
        let mask = Mask::credentials(&self.config.account, &self.config.token);
        Box::new(TwilioSession {
            client: HttpClient::new(&self.timeouts, mask.clone()),
            config: Arc::clone(&self.config),
            clock: Arc::clone(&self.clock),
            mask,
        })
    }

    /// Reads the account, which costs nothing. (<https://www.twilio.com/docs/iam/api/account>)
    fn check(&self) -> Result<String, Failure> {
        let mask = Mask::credentials(&self.config.account, &self.config.token);
        let request = ureq::http::Request::get(self.config.address(".json"))
            .header("Authorization", self.config.proof())
            .header("Accept", "application/json")
            .body(Vec::new())
            .map_err(|why| mask.failure(Class::Configuration, None, &why.to_string()))?;
        let answer = HttpClient::new(&self.timeouts.for_check(), mask.clone())
            .call(request, self.clock.now())?;
        judge_account(&answer, &self.config.account, &mask)
    }
}

struct TwilioSession {
    client: HttpClient,
    config: Arc<TwilioConfig>,
    clock: Arc<Clock>,
    mask: Mask,
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

impl Session for TwilioSession {
    fn send(&mut self, message: &Outgoing) -> Result<Receipt, Failure> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("To", &message.recipient);
        match &self.config.origin {
            Origin::From(from) => form.append_pair("From", from),
            Origin::Service(service) => form.append_pair("MessagingServiceSid", service),
        };
        form.append_pair("Body", &message.body);
        let config = &self.config;
        let request = ureq::http::Request::post(config.address("/Messages.json"))
            .header("Authorization", config.proof())
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Accept", "application/json")
            .body(form.finish().into_bytes())
            .map_err(|why| {
                self.mask
                    .failure(Class::Configuration, None, &why.to_string())
            })?;
        let answer = self.client.call(request, self.clock.now())?;
        judge(&answer, &self.mask)
    }

    /// Nothing to say goodbye to: an idle connection is dropped by its age.
    fn rest(&mut self) {}
}

/// Whether the answer is this account, open for business.
fn judge_account(answer: &Answer, account: &str, mask: &Mask) -> Result<String, Failure> {
    let refused = |text: &str| mask.failure(Class::Configuration, Some(answer.status), text);
    if let Some(failure) = refusal(answer, mask) {
        return Err(failure);
    }
    let body: Body = serde_json::from_str(&answer.body).unwrap_or_default();
    if body.sid.as_deref() != Some(account) {
        return Err(refused(&format!(
            "The answer is not the account: {}",
            answer.body
        )));
    }
    let status = body.status.as_ref().and_then(|s| s.as_str());
    let name = body.friendly_name.unwrap_or_default();
    let words = format!("{name} {}", status.unwrap_or_default());
    match status {
        Some("active") => Ok(mask.clean(&words)),
        _ => Err(refused(&words)),
    }
}

/// What Twilio's answer means: the status first, then the message's own state. (gateways.md, 3.1)
fn judge(answer: &Answer, mask: &Mask) -> Result<Receipt, Failure> {
    let code = Some(answer.status);
    if let Some(failure) = refusal(answer, mask) {
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

/// What a status other than 2xx means, in Twilio's words; none for 2xx.
fn refusal(answer: &Answer, mask: &Mask) -> Option<Failure> {
    let class = Signal::Status(answer.status).rule().class?;
    let text = match serde_json::from_str(&answer.body).unwrap_or_default() {
        Body {
            code: Some(number),
            message: Some(message),
            ..
        } => format!("{number} {message}"),
        _ => answer.body.clone(),
    };
    let mut failure = mask.signal(Signal::Status(answer.status), &text);
    failure.retry_after = answer.retry_after.filter(|_| class == Class::Temporary);
    Some(failure)
}
