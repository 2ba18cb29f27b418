//! Who is calling: a bearer key or token to a caller with scopes.

use super::request::Request;
use crate::app::App;
use crate::domain::ids::{ClientId, OperatorId, Owner};
use crate::domain::scope::{Scope, Scopes};
use crate::error::{Error, Result};
use crate::secret::{self, SESSION_PREFIX, TOKEN_PREFIX};
use crate::store::operators::{self, Session};
use crate::store::{Db, Store, clients};
use jiff::Timestamp;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone.
    Public,
    /// Holders of a scope that covers this need.
    Needs(Scope),
    /// A signed-in operator, whatever the scopes.
    Operator,
    /// The same, even while somebody else knows the password; until it is changed, no other line lets them in.
    Newcomer,
}

/// The name of the session cookie.
pub const SESSION_COOKIE: &str = "herald_session";

/// Who is behind a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// An API client.
    Client(ClientId),
    /// An operator.
    Operator(OperatorId),
}

impl Who {
    /// Whose idempotency keys: the client's id, or the operator's below zero.
    #[must_use]
    pub fn owner(self) -> Owner {
        match self {
            Self::Client(id) => Owner(id.0),
            Self::Operator(id) => Owner(-id.0),
        }
    }
}

/// An authenticated client or operator.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Which one.
    pub who: Who,
    /// The client's label or the operator's name, for "last updated by".
    pub name: String,
    /// What they may do.
    pub scopes: Scopes,
    /// When the client ends by itself: not its token, nor an operator's session, which are made anew.
    pub ends: Option<Timestamp>,
}

/// Lets the request pass, or says why not.
///
/// # Errors
/// [`Error::Unauthorized`] without a good credential, [`Error::Forbidden`] with one that lacks the scope,
/// [`Error::MustChangePassword`] for an operator who has to, [`Error::TooManyRequests`] past the client's rate.
pub fn authorize(app: &App, access: Access, request: &Request) -> Result<Option<Caller>> {
    match access {
        Access::Public => Ok(None),
        _ => app.store.read(|db| authorize_on(app, db, access, request)),
    }
}

/// As [`authorize`], on a snapshot that is there already.
///
/// # Errors
/// As [`authorize`].
pub fn authorize_on(
    app: &App,
    db: &Db,
    access: Access,
    request: &Request,
) -> Result<Option<Caller>> {
    if access == Access::Public {
        return Ok(None);
    }
    let (caller, must_change) = authenticate(app, db, request)?;
    if must_change && access != Access::Newcomer {
        return Err(Error::MustChangePassword);
    }
    if let Who::Client(client) = caller.who {
        app.rates.take(client, app.clock.now())?;
        app.note_use(client);
    }
    let accepted = match access {
        Access::Public => return Ok(None),
        Access::Needs(need) if caller.scopes.allow(need) => return Ok(Some(caller)),
        Access::Operator | Access::Newcomer if matches!(caller.who, Who::Operator(_)) => {
            return Ok(Some(caller));
        }
        Access::Needs(need) => need.accepted(),
        Access::Operator | Access::Newcomer => vec!["an operator's session".into()],
    };
    Err(Error::Forbidden { accepted })
}

/// The caller, and whether they have to change their password first.
fn authenticate(app: &App, db: &Db, request: &Request) -> Result<(Caller, bool)> {
    if let Some(credential) = bearer(request) {
        return match credential.starts_with(SESSION_PREFIX) {
            true => operator(app, db, credential),
            false => client(app, db, credential).map(|client| (client, false)),
        };
    }
    if let Some(token) = cookie(request) {
        let caller = operator(app, db, token)?;
        if !matches!(request.method(), "GET" | "HEAD") && !is_same_origin(request) {
            // A browser sends the cookie along whoever wrote the page: only our own pages may use it to change things.
            return Err(forged());
        }
        return Ok(caller);
    }
    Err(Error::Unauthorized(
        "Send a key or a token as `Authorization: Bearer …`; `herald client create` makes one."
            .into(),
    ))
}

fn client(app: &App, db: &Db, credential: &str) -> Result<Caller> {
    let hash = secret::hash(credential);
    let grant = match credential.starts_with(TOKEN_PREFIX) {
        true => clients::by_token(db, &hash),
        false => clients::by_key(db, &hash),
    }?;
    let now = app.clock.now();
    let grant = grant
        .filter(|grant| grant.expires.is_none_or(|at| at > now))
        .ok_or_else(ended)?;
    Ok(Caller {
        who: Who::Client(grant.client),
        name: grant.label.clone(),
        scopes: Scopes::parse(&grant.scopes)?,
        ends: grant.client_expires,
    })
}

fn operator(app: &App, db: &Db, token: &str) -> Result<(Caller, bool)> {
    let (hash, now) = (secret::hash(token), app.clock.now());
    let session = operators::by_session(db, &hash, now)?.ok_or_else(ended)?;
    let caller = Caller {
        who: Who::Operator(session.operator),
        name: session.name,
        scopes: Scopes::all(),
        ends: None,
    };
    Ok((caller, session.must_change))
}

fn ended() -> Error {
    Error::Unauthorized("This key or token is unknown, revoked or expired.".into())
}

fn bearer(request: &Request) -> Option<&str> {
    let (scheme, credential) = request.header("authorization")?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| credential.trim())
}

fn cookie(request: &Request) -> Option<&str> {
    let pairs = request.header("cookie")?.split(';');
    let mut tokens =
        pairs.filter_map(|pair| pair.trim().strip_prefix(SESSION_COOKIE)?.strip_prefix('='));
    tokens.next()
}

/// The token of the session behind this request.
pub fn session_token(request: &Request) -> Option<&str> {
    bearer(request).or_else(|| cookie(request))
}

/// Refuses what a browser sends for another site's page. What is no browser says nothing of the kind, and has no cookie.
///
/// # Errors
/// [`Error::Exceeding`].
pub fn refuse_other_sites(request: &Request) -> Result<()> {
    let from_a_page = ["sec-fetch-site", "origin"]
        .iter()
        .any(|name| request.header(name).is_some());
    match from_a_page && !is_same_origin(request) {
        true => Err(forged()),
        false => Ok(()),
    }
}

fn forged() -> Error {
    let text = "A session begins, ends and changes things only from this appliance's own pages.";
    Error::Exceeding(text.into())
}

/// By what a caller came in: to be looked at again while a reply lasts.
pub struct Pass {
    hash: [u8; 32],
    kind: PassKind,
}

enum PassKind {
    Session,
    Token,
    Key,
}

/// By what the caller of this request came in.
///
/// # Errors
/// [`Error::Internal`] on a public route: a fault in the route table.
pub fn pass(request: &Request) -> Result<Pass> {
    request.caller()?;
    let credential = session_token(request).unwrap_or_default();
    let kind = match credential {
        session if session.starts_with(SESSION_PREFIX) => PassKind::Session,
        token if token.starts_with(TOKEN_PREFIX) => PassKind::Token,
        _ => PassKind::Key,
    };
    let hash = secret::hash(credential);
    Ok(Pass { hash, kind })
}

impl Pass {
    /// Whether it would still let them in.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn is_good(&self, store: &Store, now: Timestamp) -> Result<bool> {
        let grant = store.read(|db| match self.kind {
            PassKind::Session => {
                let session = operators::by_session(db, &self.hash, now)?;
                Ok(session.map(|_| None))
            }
            PassKind::Token => Ok(clients::by_token(db, &self.hash)?.map(|grant| grant.expires)),
            PassKind::Key => Ok(clients::by_key(db, &self.hash)?.map(|grant| grant.expires)),
        })?;
        Ok(grant.is_some_and(|expires| expires.is_none_or(|at| at > now)))
    }
}

/// The operator who is signed in, if the request carries a session that has not ended.
///
/// # Errors
/// A fault of the database.
pub fn signed_in(app: &App, db: &Db, request: &Request) -> Result<Option<Session>> {
    match session_token(request) {
        Some(token) => operators::by_session(db, &secret::hash(token), app.clock.now()),
        None => Ok(None),
    }
}

/// Fetch metadata where the browser sends it, else the origin against the host. (Fetch Metadata Request Headers, section 2.4)
fn is_same_origin(request: &Request) -> bool {
    if let Some(site) = request.header("sec-fetch-site") {
        return site == "same-origin";
    }
    let origin = request
        .header("origin")
        .and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, host)| Some(host) == request.header("host"))
}
