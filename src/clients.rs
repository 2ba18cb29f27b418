//! Making API clients: the same for the API and the command line.

use crate::app::App;
use crate::clock::shown;
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

/// What whoever asks for a client holds: nobody can give away more.
#[derive(Debug, Clone, Copy)]
pub struct Maker<'a> {
    /// What they may do.
    pub scopes: &'a Scopes,
    /// When they end by themselves.
    pub ends: Option<Timestamp>,
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

/// Adds a client; `maker` is whoever asks over the API.
///
/// # Errors
/// [`Error::Invalid`] for the label, the scopes or the time; [`Error::Exceeding`] for scopes that the
/// maker lacks and for an end after the maker's.
pub fn create(app: &App, draft: Draft, maker: Option<Maker<'_>>, by: &str) -> Result<Made> {
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
    let now = app.clock.now();
    if expires.is_some_and(|at| at <= now) {
        return Err(Error::invalid("ExpiryDate must be later than now."));
    }
    if let Some(maker) = maker {
        within(maker, &scopes, expires)?;
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

/// Refuses what the maker could not do itself, or not as long.
fn within(maker: Maker<'_>, scopes: &Scopes, expires: Option<Timestamp>) -> Result<()> {
    let Maker { scopes: held, ends } = maker;
    if !held.cover(scopes) {
        return Err(Error::Exceeding(format!(
            "Nobody can give away more than they hold; missing here: {}.",
            held.missing(scopes)
        )));
    }
    match ends {
        Some(end) if expires.is_none_or(|at| at > end) => Err(Error::Exceeding(format!(
            "A client cannot outlive its maker: ExpiryDate must be at most {}.",
            shown(end)
        ))),
        _ => Ok(()),
    }
}
