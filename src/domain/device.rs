//! Push targets: what a push provider calls a user's device. (api.md, `/v1/users/{id}/devices`)

use crate::domain::address::no_controls;
use crate::domain::ids::{DeviceId, UserId};
use crate::error::{Error, Result};
use jiff::Timestamp;
use uuid::Uuid;

/// The longest token, in bytes; Web Push subscriptions are the longest of them.
pub const TOKEN_BYTES_MAX: usize = 4096;
/// The longest label, in characters.
pub const LABEL_CHARS_MAX: usize = 100;
/// Devices of one user at most: each gets every push message.
pub const DEVICES_MAX: usize = 20;

/// A checked device, not stored yet.
#[derive(Debug, Clone)]
pub struct DeviceDraft {
    label: String,
    token: String,
}

impl DeviceDraft {
    /// Checks a device as typed.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a sentence that names the field.
    pub fn check(label: Option<String>, token: Option<String>) -> Result<Self> {
        let (label, token) = (label.unwrap_or_default(), token.unwrap_or_default());
        no_controls("Label", &label, false)?;
        if label.chars().count() > LABEL_CHARS_MAX {
            return Err(Error::Invalid(format!(
                "Label must be at most {LABEL_CHARS_MAX} characters."
            )));
        }
        let fits = (1..=TOKEN_BYTES_MAX).contains(&token.len())
            && token.bytes().all(|b| b.is_ascii_graphic());
        if !fits {
            return Err(Error::Invalid(format!(
                "Token must be 1 to {TOKEN_BYTES_MAX} visible ASCII characters."
            )));
        }
        Ok(Self { label, token })
    }

    /// What a person calls it; may be empty.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What the push provider calls it.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }
}

/// A stored device.
#[derive(Debug, Clone)]
pub struct Device {
    /// The admin API's id.
    pub id: DeviceId,
    /// Ours.
    pub guid: Uuid,
    /// Whose.
    pub user: UserId,
    /// What a person calls it.
    pub label: String,
    /// What the push provider calls it.
    pub token: String,
    /// When it was added.
    pub created: Timestamp,
}
