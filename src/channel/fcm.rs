//! Push over Firebase Cloud Messaging, HTTP v1: a device is a registration token. (gateways.md, 3.3;
//! <https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages>)

use super::answer::Mask;
use super::gateway::{Gateway, Request, refusal};
use super::google::ServiceAccount;
use super::http::{Answer, Call};
use super::url::Parts;
use super::{Class, Failure, Receipt};
use crate::clock::Clock;
use crate::domain::message::Outgoing;
use crate::domain::retry::Signal;
use crate::error::{Error, Result as HeraldResult};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// The largest notification, title and text together, in bytes: with what we add, FCM takes at most 4096.
pub const NOTIFICATION_BYTES_MAX: usize = 3_600;

/// Where Google's service is.
const HOST: &str = "fcm.googleapis.com";

/// The longest that FCM keeps a message for a device that is away, in seconds. (FCM, "Set the lifespan of a message")
const LIFE_SECS_MAX: i64 = 28 * 24 * 60 * 60;

/// A service account, and where its messages go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FcmConfig {
    /// The URL, which has no secret.
    pub masked: String,
    /// Where the service is, such as `https://fcm.googleapis.com`.
    pub base: String,
    /// The service account's key file.
    pub file: PathBuf,
}

impl FcmConfig {
    /// Reads the parts of an `fcm://` or `fcm+http://` URL. Without a host it is Google's.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a sentence that says what to write instead.
    pub(super) fn read(mut parts: Parts) -> HeraldResult<Self> {
        let file = parts.take_file()?;
        if parts.scheme == "fcm" && parts.host.is_empty() {
            parts.host = HOST.to_owned();
        }
        let [] = parts.params([])?;
        if parts.user.is_some() {
            return Err(Error::invalid(
                "fcm:// takes no user: the key file says who sends, as in fcm:///etc/herald/service-account.json.",
            ));
        }
        Ok(Self {
            base: parts.base(),
            masked: parts.masked,
            file,
        })
    }
}

/// FCM, with the account that sends.
pub(super) struct Fcm {
    config: FcmConfig,
    account: ServiceAccount,
    clock: Arc<Clock>,
}

impl Fcm {
    /// Reads the key file.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a sentence about what is wrong with it.
    pub(super) fn new(config: FcmConfig, clock: Arc<Clock>) -> HeraldResult<Self> {
        let account = ServiceAccount::open(&config.file, config.base.starts_with("http:"))?;
        Ok(Self {
            config,
            account,
            clock,
        })
    }

    fn post(&self, body: &Value) -> Request {
        let Self {
            config, account, ..
        } = self;
        let token = account.token();
        let url = format!(
            "{}/v1/projects/{}/messages:send",
            config.base, account.project
        );
        let proof = format!("Bearer {}", token.expose());
        Request {
            call: Call::json(url, body).header("Authorization", proof),
            secret: Some(token.expose().to_owned()),
        }
    }

    /// A status other than 2xx, in FCM's words and with the class of its code.
    fn refused(&self, answer: &Answer, mask: &Mask) -> Option<Failure> {
        let error = read(answer).error;
        let code = error.as_ref().and_then(Refusal::code);
        let words = error.as_ref().map(Refusal::words);
        let mut failure = refusal(answer, words, mask)?;
        match code {
            Some("UNREGISTERED") => failure.class = Signal::Unregistered.rule().class?,
            // The device is one of another project: nobody else's fault.
            Some("SENDER_ID_MISMATCH") => failure.class = Class::Permanent,
            _ => {}
        }
        if answer.status == 401 {
            self.account.forget();
        }
        Some(failure)
    }
}

/// The parts of FCM's bodies that decide: the name of a message, or an error.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    name: Option<String>,
    error: Option<Refusal>,
}

/// (<https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode>)
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    status: String,
    message: String,
    details: Vec<Detail>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    error_code: Option<String>,
}

impl Refusal {
    fn code(&self) -> Option<&str> {
        self.details
            .iter()
            .find_map(|detail| detail.error_code.as_deref())
    }

    fn words(&self) -> String {
        format!("{}: {}", self.code().unwrap_or(&self.status), self.message)
    }
}

fn read(answer: &Answer) -> Body {
    serde_json::from_str(&answer.body).unwrap_or_default()
}

impl Gateway for Fcm {
    fn name(&self) -> &str {
        &self.config.masked
    }

    fn mask(&self) -> Mask {
        self.account.mask()
    }

    /// Yes: on a device a notification takes the place of the one with the same tag or collapse id.
    fn recognises_repeats(&self) -> bool {
        true
    }

    fn before(&self) -> Option<Request> {
        self.account.before(self.clock.now())
    }

    fn learn(&self, answer: &Answer, mask: &Mask) -> Result<(), Failure> {
        self.account.learn(answer, mask, self.clock.now())
    }

    fn request(&self, message: &Outgoing) -> Result<Request, String> {
        let title = message.subject.as_deref().unwrap_or_default();
        let length = title.len() + message.body.len();
        if length > NOTIFICATION_BYTES_MAX {
            return Err(format!(
                "Title and text have {length} bytes; FCM takes at most {NOTIFICATION_BYTES_MAX}."
            ));
        }
        let mut notification = json!({ "body": message.body });
        if !title.is_empty() {
            notification["title"] = title.into();
        }
        // A device that was away is not told what is no longer true.
        let now = self.clock.now();
        let life = message
            .expires
            .duration_since(now)
            .as_secs()
            .clamp(0, LIFE_SECS_MAX);
        let until = now.as_second() + life;
        let id = message.guid.to_string();
        Ok(self.post(&json!({ "message": {
            "token": message.recipient,
            "notification": notification,
            "data": { "herald_id": id },
            "android": { "priority": "HIGH", "ttl": format!("{life}s"), "notification": { "tag": id } },
            "apns": { "headers": {
                "apns-priority": "10", "apns-expiration": until.to_string(), "apns-collapse-id": id,
            } },
            "webpush": { "headers": { "TTL": life.to_string() }, "notification": { "tag": id } },
        } })))
    }

    fn judge(&self, answer: &Answer, mask: &Mask) -> Result<Receipt, Failure> {
        if let Some(failure) = self.refused(answer, mask) {
            return Err(failure);
        }
        let code = Some(answer.status);
        let Some(name) = read(answer).name else {
            let text = format!("No message name in the answer: {}", answer.body);
            return Err(mask.failure(Class::InDoubt, code, &text));
        };
        let id = name.rsplit('/').next().unwrap_or_default();
        Ok(Receipt {
            answer: mask.clean(&format!("{id} accepted")),
            provider_id: Some(mask.clean(id)),
            code,
        })
    }

    /// A message to nobody's topic that FCM looks at and does not send.
    fn check(&self) -> Request {
        self.post(&json!({ "validate_only": true, "message": {
            "topic": "herald-check", "notification": { "body": "Check" },
        } }))
    }

    fn judge_check(&self, answer: &Answer, mask: &Mask) -> Result<String, Failure> {
        match (self.refused(answer, mask), read(answer).name) {
            (Some(refused), _) => Err(refused),
            (None, Some(_)) => Ok(format!(
                "The key is known, and may send for {}.",
                self.account.project
            )),
            (None, None) => {
                let text = format!("The answer is not FCM's: {}", answer.body);
                Err(mask.failure(Class::Configuration, Some(answer.status), &text))
            }
        }
    }
}
