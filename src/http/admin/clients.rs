//! API clients and keys. (api.md, `/v1/clients`)

use crate::app::App;
use crate::clients::{self, Draft, Maker};
use crate::clock::shown;
use crate::domain::ids::ClientId;
use crate::error::{Error, Result};
use crate::http::list::{Field, List, field};
use crate::http::request::Request;
use crate::http::response::Response;
use crate::store::clients::{self as rows, Client};
use crate::store::page::Query;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const FIELDS: &[Field] = &[
    field("ID", rows::ID),
    field("Label", rows::LABEL),
    field("CreatedDate", rows::CREATED),
    field("LastUsedDate", rows::LAST_USED),
    field("ExpiryDate", rows::EXPIRES),
];
/// What the list offers.
pub(in crate::http) const LIST: List = List::by_id(FIELDS);

/// A client as posted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct CreateClient {
    /// What a person calls it.
    #[schemars(required)]
    label: Option<String>,
    /// Such as `relesys.api.users:write`.
    #[schemars(required)]
    scopes: Option<Vec<String>>,
    /// When it ends by itself, such as `2001-01-01T01:01:01Z`.
    expiry_date: Option<String>,
}

/// A new client's credentials: shown once.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct NewCredentials {
    #[serde(rename = "ID")]
    id: i64,
    /// The `client_id` of the token endpoint.
    guid: String,
    /// The `client_secret` of the token endpoint.
    client_secret: String,
    /// A bearer key with the same scopes.
    key: String,
}

/// A client.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireClient {
    #[serde(rename = "ID")]
    id: i64,
    guid: String,
    label: String,
    scopes: Vec<String>,
    created_date: String,
    created_by: String,
    expiry_date: Option<String>,
    last_used_date: Option<String>,
}

/// A page of clients.
pub fn list(app: &App, request: &Request) -> Result<Response> {
    let fetch = |query: &Query| {
        app.write_uses()?;
        app.store.read(|db| rows::list(db, query))
    };
    LIST.answer(request, fetch, wire)
}

/// Adds a client.
pub fn create(app: &App, request: &Request) -> Result<Response> {
    let wire: CreateClient = request.json()?;
    let caller = request.caller()?;
    let draft = Draft {
        label: wire.label.unwrap_or_default(),
        scopes: wire.scopes.unwrap_or_default().join(" "),
        expires: wire
            .expiry_date
            .map(|date| date.parse())
            .transpose()
            .map_err(|_| {
                Error::invalid("ExpiryDate must be a time such as 2001-01-01T01:01:01Z.")
            })?,
    };
    let maker = Maker {
        scopes: &caller.scopes,
        ends: caller.ends,
    };
    let made = clients::create(app, draft, Some(maker), &caller.name)?;
    let location = format!("/api/admin/v1/clients/{}", made.id);
    Ok(Response::data(NewCredentials {
        id: made.id.0,
        guid: made.guid.to_string(),
        client_secret: made.client_secret,
        key: made.key,
    })
    .location(location)
    .header("Cache-Control", "no-store"))
}

/// Revokes a client with its key and its tokens.
pub fn delete(app: &App, request: &Request) -> Result<Response> {
    let id = ClientId(request.id("id")?);
    app.store.write(move |tx| rows::delete(tx, id))?;
    Ok(Response::done())
}

fn wire(client: Client) -> WireClient {
    let Client {
        id,
        guid,
        label,
        secret_hash: _,
        scopes,
        created,
        created_by,
        expires,
        last_used,
    } = client;
    WireClient {
        id: id.0,
        guid: guid.to_string(),
        label,
        scopes: scopes.split(' ').map(str::to_owned).collect(),
        created_date: shown(created),
        created_by,
        expiry_date: expires.map(shown),
        last_used_date: last_used.map(shown),
    }
}
