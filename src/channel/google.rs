//! A service account of Google's: the key file that says who sends, and the access token it is exchanged for.
//! (gateways.md, 3.3; <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>; RFC 7523)

use super::answer::{Mask, Secret};
use super::gateway::{Request, refusal};
use super::http::{Answer, Call};
use super::{Class, Failure};
use crate::error::{Error, Result as HeraldResult};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The largest key file, in bytes; Google's have 2.4 kB.
pub const KEY_FILE_BYTES_MAX: u64 = 64 * 1024;

/// How long what is exchanged for a token is good for, at most an hour.
const ASSERTION_LIFE: SignedDuration = SignedDuration::from_mins(60);

/// How long before its end a token is no longer used: a request may take a while, and clocks differ.
const RENEWED_BEFORE: SignedDuration = SignedDuration::from_mins(5);

/// What is asked for: sending messages and nothing else.
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";

/// Who sends, and for which project.
pub(super) struct ServiceAccount {
    /// The project, as it stands in addresses.
    pub(super) project: String,
    email: String,
    token_url: String,
    key_id: String,
    key: RsaKeyPair,
    private_key: Secret,
    token: Mutex<Token>,
}

/// What the key was last exchanged for.
struct Token {
    value: Secret,
    good_until: Timestamp,
}

/// A key file, as Google's console gives it.
#[derive(Deserialize)]
struct KeyFile {
    project_id: String,
    client_email: String,
    token_uri: String,
    private_key_id: String,
    private_key: String,
}

/// The parts of an answer that decide.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    access_token: String,
    expires_in: i64,
    error: Option<String>,
    error_description: Option<String>,
}

impl ServiceAccount {
    /// Reads a key file. Without TLS is only what is named so.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a sentence that names neither the file nor what is in it.
    pub(super) fn open(path: &Path, is_plain: bool) -> HeraldResult<Self> {
        let text = read(path)?;
        let file: KeyFile = serde_json::from_str(&text).map_err(|_| {
            wrong("is not that of a service account: it needs project_id, client_email, token_uri, private_key_id and private_key")
        })?;
        let is_plain_text = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
        if file.project_id.is_empty() || !file.project_id.bytes().all(is_plain_text) {
            return Err(wrong("has a project_id that is none"));
        }
        let scheme = if is_plain { "http://" } else { "https://" };
        if !file.token_uri.starts_with(scheme) {
            return Err(wrong("has a token_uri that does not begin with https://"));
        }
        let key = PrivatePkcs8KeyDer::from_pem_slice(file.private_key.as_bytes()).ok();
        let key = key.and_then(|der| RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok());
        Ok(Self {
            project: file.project_id,
            email: file.client_email,
            token_url: file.token_uri,
            key_id: file.private_key_id,
            key: key.ok_or_else(|| wrong("has a private_key that is no RSA key"))?,
            private_key: Secret::new(file.private_key),
            token: Mutex::new(Token {
                value: Secret::new(""),
                good_until: Timestamp::MIN,
            }),
        })
    }

    /// What must not appear anywhere, beside the tokens.
    pub(super) fn mask(&self) -> Mask {
        Mask::credentials("", &self.private_key)
    }

    /// The token that was learned last.
    pub(super) fn token(&self) -> Secret {
        self.with_token(|token| token.value.clone())
    }

    /// The next call needs a new one: this one was refused.
    pub(super) fn forget(&self) {
        self.with_token(|token| token.good_until = Timestamp::MIN);
    }

    fn with_token<T>(&self, work: impl FnOnce(&mut Token) -> T) -> T {
        work(&mut self.token.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What asks for a token; none while there is a good one.
    pub(super) fn before(&self, now: Timestamp) -> Option<Request> {
        if self.with_token(|token| now < token.good_until) {
            return None;
        }
        let assertion = self.assertion(now);
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", assertion.as_str()),
        ];
        Some(Request {
            call: Call::form(&self.token_url, &form),
            secret: Some(assertion),
        })
    }

    /// Keeps the token in an answer.
    ///
    /// # Errors
    /// A fault of the configuration, or of the provider: no message has been handed over yet.
    pub(super) fn learn(
        &self,
        answer: &Answer,
        mask: &Mask,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let body: Body = serde_json::from_str(&answer.body).unwrap_or_default();
        let words = body.error.map(|error| match body.error_description {
            Some(description) => format!("{error}: {description}"),
            None => error,
        });
        if let Some(mut failure) = refusal(
            answer,
            words.map(|words| format!("No access token: {words}")),
            mask,
        ) {
            failure.class = match answer.status {
                408 | 425 | 429 | 500.. => Class::Provider,
                _ => Class::Configuration,
            };
            return Err(failure);
        }
        let is_token = |b: u8| b.is_ascii_graphic();
        if body.access_token.is_empty() || !body.access_token.bytes().all(is_token) {
            let text = "No access token in the answer of the token endpoint.";
            return Err(mask.failure(Class::Configuration, Some(answer.status), text));
        }
        let life = SignedDuration::from_secs(body.expires_in.clamp(0, ASSERTION_LIFE.as_secs()));
        // One that is hardly good for longer than that is used for what it was asked for, and asked for again.
        let good_until = now.saturating_add(life - RENEWED_BEFORE);
        self.with_token(|token| {
            *token = Token {
                value: Secret::new(body.access_token),
                good_until: good_until.unwrap_or(Timestamp::MIN),
            }
        });
        Ok(())
    }

    /// A JWT that says who asks for what. (RFC 7523, section 3)
    fn assertion(&self, now: Timestamp) -> String {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = part(json!({ "alg": "RS256", "typ": "JWT", "kid": self.key_id }));
        let issued = now.as_second();
        let claims = part(json!({
            "iss": self.email, "scope": SCOPE, "aud": self.token_url,
            "iat": issued, "exp": issued + ASSERTION_LIFE.as_secs(),
        }));
        let mut token = format!("{header}.{claims}");
        let mut signature = vec![0; self.key.public().modulus_len()];
        // It fails only without randomness; an unsigned assertion is refused in words.
        if self
            .key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                token.as_bytes(),
                &mut signature,
            )
            .is_err()
        {
            log::error!("the machine has no randomness to sign with");
        }
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        token
    }
}

fn read(path: &Path) -> HeraldResult<String> {
    let unreadable = |why| wrong(&format!("cannot be read: {why}"));
    // A pipe or a device would be waited for.
    if !path.metadata().map_err(unreadable)?.is_file() {
        return Err(wrong("is no file"));
    }
    let mut text = String::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(KEY_FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    match text.len() as u64 > KEY_FILE_BYTES_MAX {
        true => Err(wrong(&format!("has more than {KEY_FILE_BYTES_MAX} bytes"))),
        false => Ok(text),
    }
}

fn wrong(what: &str) -> Error {
    Error::invalid(format!("The key file that fcm:// names {what}."))
}
