//! Where providers report back: an address for each message, which nobody can guess and which opens nothing but a word
//! on that message. Nothing is kept for it: the address holds the message's GUID and a proof that it is ours.

use crate::error::{Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

/// The path in front of all hooks; what follows the service's name is a secret.
pub const PATH: &str = "/hooks/";

/// The bytes of a key.
pub const KEY_BYTES: usize = 32;

const GUID_BYTES: usize = 16;
/// Half of an HMAC-SHA256, as RFC 2104, section 5, allows.
const PROOF_BYTES: usize = 16;

/// The hooks of an appliance whose public address is known.
#[derive(Clone)]
pub struct Hooks {
    base_url: String,
    proof: Hmac<Sha256>,
}

impl Hooks {
    /// The hooks below a public address.
    ///
    /// # Errors
    /// None that can happen: a key may have any length.
    pub fn new(base_url: &str, key: &[u8; KEY_BYTES]) -> Result<Self> {
        Ok(Self {
            base_url: base_url.to_owned(),
            proof: Hmac::new_from_slice(key).map_err(Error::internal)?,
        })
    }

    /// Where a service reports on a message: [`Hooks::token`] is the secret in it.
    #[must_use]
    pub fn address(&self, service: &str, message: Uuid) -> String {
        let token = self.token(service, message);
        format!("{}{PATH}{service}/{token}", self.base_url)
    }

    /// What opens the hook of a service for a message.
    #[must_use]
    pub fn token(&self, service: &str, message: Uuid) -> String {
        let proof = self.proof(service, message).finalize().into_bytes();
        let mut token = message.as_bytes().to_vec();
        token.extend_from_slice(&proof[..PROOF_BYTES]);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The message that a token is for, in a time that tells nothing; none if it is not ours.
    #[must_use]
    pub fn message(&self, service: &str, token: &str) -> Option<Uuid> {
        let token = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (guid, proof) = token.split_at_checked(GUID_BYTES)?;
        let message = Uuid::from_slice(guid).ok()?;
        let is_ours = proof.len() == PROOF_BYTES
            && self
                .proof(service, message)
                .verify_truncated_left(proof)
                .is_ok();
        is_ours.then_some(message)
    }

    fn proof(&self, service: &str, message: Uuid) -> Hmac<Sha256> {
        let mut proof = self.proof.clone();
        proof.update(service.as_bytes());
        proof.update(message.as_bytes());
        proof
    }
}

/// A request path as a log may show it: the tokens of hooks are secrets.
#[must_use]
pub fn path_for_log(path: &str) -> String {
    let service = path
        .strip_prefix(PATH)
        .and_then(|rest| rest.split_once('/'));
    match service {
        Some((service, _)) => format!("{PATH}{service}/***"),
        None => path.to_owned(),
    }
}
