//! Making API clients: the same for the API and the command line.

use crate::app::App;
use crate::domain::address::no_controls;
use crate::domain::ids::ClientId;
use crate::domain::scope::Scopes;
use crate::error::{Error, Result};
use crate::secret::{self, CLIENT_SECRET_PREFIX, KEY_PREFIX};
use crate::store::clients::{self as rows, NewClient};
use jiff::Timestamp;
use uuid::Uuid;

/// The longest label, in characters.
pub const LABEL_CHARS_MAX: usize = 100;

/// A client as asked for.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What a person calls it.
    pub label: String,
    /// Space-separated.
    pub scopes: String,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
}

/// A new client with its secrets, which are not kept.
pub struct Made {
    /// The admin API's id.
    pub id: ClientId,
    /// The `client_id`.
    pub guid: Uuid,
    /// The `client_secret`.
    pub client_secret: String,
    /// A bearer key with the same scopes.
    pub key: String,
}

/// Adds a client; `held` are the scopes of whoever asks, where a client asks.
///
/// # Errors
/// [`Error::Invalid`] for the label, the scopes or the time; [`Error::Forbidden`] for scopes that the caller lacks.
pub fn create(app: &App, draft: Draft, held: Option<&Scopes>, by: &str) -> Result<Made> {
    let Draft {
        label,
        scopes,
        expires,
    } = draft;
    no_controls("Label", &label, false)?;
    if label.trim().is_empty() || label.chars().count() > LABEL_CHARS_MAX {
        return Err(Error::Invalid(format!(
            "Label must be 1 to {LABEL_CHARS_MAX} characters."
        )));
    }
    let scopes = Scopes::parse(&scopes)?;
    if held.is_some_and(|held| !held.cover(&scopes)) {
        return Err(Error::Forbidden {
            accepted: vec![scopes.to_string()],
        });
    }
    let now = app.clock.now();
    if expires.is_some_and(|at| at <= now) {
        return Err(Error::invalid("ExpiryDate must be later than now."));
    }
    let client_secret = secret::mint(CLIENT_SECRET_PREFIX)?;
    let key = secret::mint(KEY_PREFIX)?;
    let new = NewClient {
        guid: Uuid::new_v4(),
        label,
        secret_hash: secret::hash(&client_secret),
        key_hash: secret::hash(&key),
        scopes: scopes.to_string(),
        expires,
    };
    let (guid, by) = (new.guid, by.to_owned());
    let id = app
        .store
        .write(move |tx| rows::insert(tx, &new, &by, now))?;
    Ok(Made {
        id,
        guid,
        client_secret,
        key,
    })
}
