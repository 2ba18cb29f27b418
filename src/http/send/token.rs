//! Bearer tokens for the client-credentials grant. (api.md, section 3, "Token"; RFC 6749, section 4.4)

use crate::app::App;
use crate::domain::scope::Scopes;
use crate::error::{Error, Result};
use crate::http::request::Request;
use crate::http::response::Response;
use crate::secret::{self, TOKEN_PREFIX};
use crate::store::clients::{self as rows, Client};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use percent_encoding::percent_decode_str;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

/// How long a token lives.
const TOKEN_SECS: i64 = 3600;

/// The form that asks for a token.
#[derive(JsonSchema)]
#[expect(
    dead_code,
    reason = "It describes the form for OpenAPI; forms are read pair by pair."
)]
pub struct TokenRequest {
    /// `client_credentials`
    grant_type: String,
    /// The client's GUID.
    client_id: String,
    client_secret: String,
    /// Space-separated; default: all scopes of the client.
    scope: Option<String>,
}

/// The reply of `/login/oauth/authorize`, where `expires_in` is a string. (site)
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuthorizeReply {
    access_token: String,
    expires_in: String,
    token_type: &'static str,
}

/// The reply of `/oauth/token`. (RFC 6749, section 5.1)
#[derive(Debug, Serialize, JsonSchema)]
pub struct TokenReply {
    access_token: String,
    expires_in: i64,
    token_type: &'static str,
}

/// A token, `expires_in` as a string.
pub fn authorize(app: &App, request: &Request) -> Result<Response> {
    let access_token = issue(app, request)?;
    Ok(uncached(&AuthorizeReply {
        access_token,
        expires_in: TOKEN_SECS.to_string(),
        token_type: "Bearer",
    }))
}

/// A token, `expires_in` as a number.
pub fn token(app: &App, request: &Request) -> Result<Response> {
    let access_token = issue(app, request)?;
    Ok(uncached(&TokenReply {
        access_token,
        expires_in: TOKEN_SECS,
        token_type: "Bearer",
    }))
}

fn uncached(body: &impl Serialize) -> Response {
    Response::json(200, body)
        .header("Cache-Control", "no-store")
        .header("Pragma", "no-cache")
}

fn issue(app: &App, request: &Request) -> Result<String> {
    let form = request.form()?;
    let field = |name: &str| -> Result<Option<&str>> {
        let mut values = form.iter().filter(|(word, _)| word == name);
        let first = values.next();
        // RFC 6749, section 3.2: parameters must not be included more than once.
        match values.next() {
            Some(_) => Err(refuse("invalid_request", format!("{name} is there twice."))),
            // RFC 6749, section 3.2: a parameter without a value is as good as none.
            None => Ok(first
                .map(|(_, value)| value.as_str())
                .filter(|value| !value.trim().is_empty())),
        }
    };
    match field("grant_type")? {
        Some("client_credentials") => {}
        Some(_) => {
            return Err(refuse(
                "unsupported_grant_type",
                "grant_type must be client_credentials.",
            ));
        }
        None => return Err(refuse("invalid_request", "grant_type is missing.")),
    }
    let in_form = (field("client_id")?, field("client_secret")?);
    let credentials = credentials(basic(request)?, in_form)?;
    let client = client(app, &credentials)?;
    // Each token is a row: asking for one counts like any other call.
    app.rates.take(client.id, app.clock.now())?;
    let held = Scopes::parse(&client.scopes)?;
    let scopes = match field("scope")? {
        None => held,
        Some(asked) => Scopes::parse(asked)
            .ok()
            .filter(|asked| held.cover(asked))
            .ok_or_else(|| {
                refuse(
                    "invalid_scope",
                    format!("This client holds {}.", client.scopes),
                )
            })?,
    };
    let token = secret::mint(TOKEN_PREFIX)?;
    let (hash, now) = (secret::hash(&token), app.clock.now());
    let expires = now
        .checked_add(SignedDuration::from_secs(TOKEN_SECS))
        .map_err(Error::internal)?;
    let scopes = scopes.to_string();
    app.store
        .write(move |tx| rows::insert_token(tx, client.id, &hash, &scopes, expires, now))?;
    Ok(token)
}

/// The one place where the client says who it is. (RFC 6749, section 2.3: not more than one)
fn credentials(
    basic: Option<(String, String)>,
    in_form: (Option<&str>, Option<&str>),
) -> Result<(String, String)> {
    match (basic, in_form) {
        (Some(pair), (id, None)) if id.is_none_or(|id| id == pair.0) => Ok(pair),
        (None, (Some(id), Some(secret))) => Ok((id.to_owned(), secret.to_owned())),
        (Some(_), _) => Err(refuse(
            "invalid_request",
            "The credentials come in a Basic header or in the form, not in both.",
        )),
        (None, _) => Err(refuse(
            "invalid_request",
            "client_id and client_secret are needed.",
        )),
    }
}

/// The client behind an id and a secret. Every way to fail sounds the same.
fn client(app: &App, (id, secret): &(String, String)) -> Result<Client> {
    let unknown = || {
        refuse(
            "invalid_client",
            "The client is unknown, expired or revoked, or its secret is wrong.",
        )
    };
    let guid = Uuid::try_parse(id).map_err(|_| unknown())?;
    let client = app.store.read(|db| rows::find_by_guid(db, guid))?;
    let now = app.clock.now();
    client
        .filter(|client| secret::matches(secret, &client.secret_hash))
        .filter(|client| client.expires.is_none_or(|at| at > now))
        .ok_or_else(unknown)
}

/// Credentials from a Basic header, form-encoded inside. (RFC 6749, section 2.3.1)
fn basic(request: &Request) -> Result<Option<(String, String)>> {
    let Some((_, encoded)) = request
        .header("authorization")
        .and_then(|header| header.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
    else {
        return Ok(None);
    };
    let decode = |text: &str| {
        percent_decode_str(text)
            .decode_utf8()
            .map(|text| text.into_owned())
            .ok()
    };
    STANDARD
        .decode(encoded.trim())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|pair| {
            let (id, secret) = pair.split_once(':')?;
            Some((decode(id)?, decode(secret)?))
        })
        .map(Some)
        .ok_or_else(|| refuse("invalid_client", "The Basic header cannot be read."))
}

fn refuse(error: &'static str, description: impl Into<String>) -> Error {
    Error::OAuth {
        error,
        description: description.into(),
    }
}
