//! Random secrets, their hashes, and the signed tokens in action links.

use crate::error::{Error, Result};
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// In front of a bearer key, so that secret scanners find it.
pub const KEY_PREFIX: &str = "hrldk_";
/// In front of an access token.
pub const TOKEN_PREFIX: &str = "hrldt_";
/// In front of a client secret.
pub const CLIENT_SECRET_PREFIX: &str = "hrlds_";

/// In front of an operator's session token.
pub const SESSION_PREFIX: &str = "hrldo_";
/// In front of the token that makes the first operator.
pub const SETUP_PREFIX: &str = "hrldu_";
/// In front of the token of a link that signs an operator in once.
pub const LINK_PREFIX: &str = "hrldl_";

/// The hash of no password: argon2id with the default parameters, so that checking it takes as long as any.
pub const NO_PASSWORD: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

const RANDOM_BYTES: usize = 32;
const CHECKSUM_CHARS: usize = 6;

/// A new secret: prefix, 256 random bits, and a checksum by which a scanner can tell it from noise.
///
/// # Errors
/// [`Error::Internal`] if the system has no randomness.
pub fn mint(prefix: &str) -> Result<String> {
    let mut random = [0_u8; RANDOM_BYTES];
    getrandom::fill(&mut random).map_err(Error::internal)?;
    let mut secret = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random));
    let checksum = URL_SAFE_NO_PAD.encode(hash(&secret));
    secret.push_str(&checksum[..CHECKSUM_CHARS]);
    Ok(secret)
}

/// What is kept of a secret.
#[must_use]
pub fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// Whether this is the secret behind the hash, in a time that tells nothing.
#[must_use]
pub fn matches(secret: &str, kept: &[u8; 32]) -> bool {
    hash(secret).ct_eq(kept).into()
}

/// The argon2id hash of a password, with its salt and parameters.
///
/// # Errors
/// [`Error::Internal`] if the system has no randomness.
pub fn password_hash(password: &str) -> Result<String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(Error::internal)
}

/// Whether this is the password behind the hash.
#[must_use]
pub fn password_matches(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

/// A random number for backoff and batches; 0 if the system has none to give, which is as good as any other.
#[must_use]
pub fn random() -> u64 {
    getrandom::u64().unwrap_or(0)
}

/// What every token of an action link begins with: `{"alg":"HS256","typ":"JWT"}`, and the point behind it. (RFC 7515, 7.1)
const TOKEN_HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.";

/// The text with `***` for each token of an action link: whoever has one is let in, and a reader of the log is not the user.
#[must_use]
pub fn without_tokens(text: String) -> String {
    if !text.contains(TOKEN_HEADER) {
        return text;
    }
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut parts = text.split(TOKEN_HEADER);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for rest in parts {
        // The claims, and behind a point the signature.
        let rest = rest.trim_start_matches(is_base64);
        let rest = rest.strip_prefix('.').unwrap_or(rest);
        shown.push_str("***");
        shown.push_str(rest.trim_start_matches(is_base64));
    }
    shown
}

/// The token in an action link: a JWT (RFC 7519) signed with HS256 that says whom it is for, what it allows and until
/// when. The operator's own application verifies it. (api.md, "Placeholders")
///
/// # Errors
/// [`Error::Internal`] if the key cannot be used.
pub fn action_token(
    key: &[u8],
    user: Uuid,
    purpose: &str,
    issued: Timestamp,
    expires: Timestamp,
) -> Result<String> {
    // Each value is a GUID, a slug or a number: none needs escaping.
    let claims = format!(
        r#"{{"sub":"{user}","purpose":"{purpose}","jti":"{}","iat":{},"exp":{}}}"#,
        Uuid::new_v4(),
        issued.as_second(),
        expires.as_second(),
    );
    let mut token = TOKEN_HEADER.to_owned();
    URL_SAFE_NO_PAD.encode_string(claims, &mut token);
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(Error::internal)?;
    mac.update(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(mac.finalize().into_bytes(), &mut token);
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_action_links_are_not_shown() {
        let header = TOKEN_HEADER.trim_end_matches('.');
        let header = URL_SAFE_NO_PAD.decode(header).unwrap();
        assert_eq!(header, br#"{"alg":"HS256","typ":"JWT"}"#);
        let now = Timestamp::UNIX_EPOCH;
        let token = action_token(b"key", Uuid::nil(), "welcome", now, now).unwrap();
        let signature = token.rfind('.').unwrap();
        let table = [
            ("Hello.".to_owned(), "Hello."),
            (token.clone(), "***"),
            (
                format!("Go to x?t={token}. Or not."),
                "Go to x?t=***. Or not.",
            ),
            (
                format!("<a href='x?t={token}&amp;u=1'>{token}</a>"),
                "<a href='x?t=***&amp;u=1'>***</a>",
            ),
            // Cut short by whoever repeated it.
            (format!("{} …", &token[..signature]), "*** …"),
            (format!("{}… {token}", &token[..signature + 5]), "***… ***"),
        ];
        for (text, shown) in table {
            assert_eq!(without_tokens(text.clone()), shown, "{text}");
        }
    }
}
