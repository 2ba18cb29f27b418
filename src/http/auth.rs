//! Who is calling: a bearer key or token to a caller with scopes.

use super::request::Request;
use crate::app::App;
use crate::domain::ids::ClientId;
use crate::domain::scope::{Scope, Scopes};
use crate::error::{Error, Result};
use crate::secret;
use crate::store;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone.
    Public,
    /// Holders of a scope that covers this need.
    Needs(Scope),
}

/// An authenticated client.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Which client.
    pub client: ClientId,
    /// Its label, for "last updated by".
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
}

/// Lets the request pass, or says why not.
///
/// # Errors
/// [`Error::Unauthorized`] without a good credential, [`Error::Forbidden`] with one that lacks the scope.
pub fn authorize(app: &App, access: Access, request: &Request) -> Result<Option<Caller>> {
    let Access::Needs(need) = access else {
        return Ok(None);
    };
    let caller = authenticate(app, request)?;
    if !caller.scopes.allow(need) {
        return Err(Error::Forbidden {
            accepted: need.accepted(),
        });
    }
    app.note_use(caller.client);
    Ok(Some(caller))
}

fn authenticate(app: &App, request: &Request) -> Result<Caller> {
    let credential = request
        .header("authorization")
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, credential)| credential.trim())
        .ok_or_else(|| {
            Error::Unauthorized(
                "Send a key or a token as `Authorization: Bearer …`; `herald client create` makes one.".into(),
            )
        })?;
    let hash = secret::hash(credential);
    let grant = app.store.read(|db| {
        if credential.starts_with(secret::TOKEN_PREFIX) {
            store::clients::by_token(db, &hash)
        } else {
            store::clients::by_key(db, &hash)
        }
    })?;
    let ended = "This key or token is unknown, revoked or expired.";
    let grant = grant.ok_or_else(|| Error::Unauthorized(ended.into()))?;
    if grant.expires.is_some_and(|at| at <= app.clock.now()) {
        return Err(Error::Unauthorized(ended.into()));
    }
    Ok(Caller {
        client: grant.client,
        name: grant.label,
        scopes: Scopes::parse(&grant.scopes)?,
    })
}
