//! Providers of the channels. (api.md, `/v1/providers`; cli.md, "Provider URLs")

use crate::app::App;
use crate::channel::Failure;
use crate::clock::shown;
use crate::domain::format::Channel;
use crate::domain::ids::ProviderId;
use crate::error::{Error, Result};
use crate::http::Identity;
use crate::http::list::{Field, List, PAGE_SIZE_DEFAULT, field};
use crate::http::request::Request;
use crate::http::response::Response;
use crate::providers::{self, Draft};
use crate::store::providers::{self as rows, Listed};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const FIELDS: &[Field] = &[
    field("ID", rows::ID),
    field("Channel", rows::CHANNEL),
    field("Position", rows::POSITION),
    field("IsLocked", rows::IS_LOCKED),
    field("CreatedDate", rows::CREATED),
    field("LastUpdated", rows::UPDATED),
];
pub(in crate::http) const LIST: List = List {
    fields: FIELDS,
    searchable: false,
    sort: "Channel,Position",
    page_size: PAGE_SIZE_DEFAULT,
    log: None,
};

/// A provider as posted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SaveProvider {
    /// Absent, null or 0: a new provider.
    #[serde(rename = "ID")]
    id: Option<i64>,
    /// `email`, `sms` or `push`.
    channel: Option<String>,
    /// Such as `smtp://user:password@host`; when editing, the masked one keeps what is stored.
    url: Option<String>,
    /// From 1 within the channel; absent or null: where it is, or the last.
    position: Option<i64>,
}

/// A provider to be checked without being stored.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct CheckProvider {
    /// `email`, `sms` or `push`.
    channel: Option<String>,
    /// A URL, or the masked one of a provider in use.
    url: Option<String>,
}

/// A provider.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireProvider {
    /// Null for one given by flag or environment.
    #[serde(rename = "ID")]
    id: Option<i64>,
    guid: Option<String>,
    channel: &'static str,
    /// From 1 within the channel: its place in the failover order.
    position: i64,
    /// With `***` for its secrets.
    url: String,
    /// Whether it was given by flag or environment, and so cannot be changed here.
    is_locked: bool,
    created_date: Option<String>,
    last_updated: Option<String>,
}

/// What a check found.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Checked {
    /// Whether the provider lets us in.
    ok: bool,
    /// Its words, or what happened to the connection.
    detail: String,
}

/// A page of providers, each channel's in failover order.
pub fn list(app: &App, request: &Request) -> Result<Response> {
    LIST.answer(
        request,
        |query| app.store.read(|db| rows::list(db, query)),
        wire,
    )
}

/// Adds a provider, or edits the one that a non-zero `ID` names; it is used at once.
pub fn save(app: &App, request: &Request) -> Result<Response> {
    let SaveProvider {
        id,
        channel,
        url,
        position,
    } = request.json()?;
    let id = id.filter(|id| *id != 0).map(ProviderId);
    if position.is_some_and(|position| position < 1) {
        return Err(Error::invalid("Position must be 1 or more."));
    }
    let draft = Draft {
        channel: read_channel(channel)?,
        url: read_url(url)?,
        position,
    };
    let (saved, guid) = providers::save(app, id, draft)?;
    let response = match id {
        Some(_) => Response::done(),
        None => Response::data(Identity {
            id: saved.0,
            guid: guid.to_string(),
        }),
    };
    Ok(response.location(format!("/api/admin/v1/providers/{saved}")))
}

/// Removes a stored provider.
pub fn delete(app: &App, request: &Request) -> Result<Response> {
    providers::delete(app, ProviderId(request.id("id")?))?;
    Ok(Response::done())
}

/// Proves the credentials of a stored provider without sending.
pub fn check_stored(app: &App, request: &Request) -> Result<Response> {
    let found = providers::check_stored(app, ProviderId(request.id("id")?))?;
    Ok(Response::data(checked(found)))
}

/// Proves the credentials in a URL without sending or storing.
pub fn check_url(app: &App, request: &Request) -> Result<Response> {
    let CheckProvider { channel, url } = request.json()?;
    let found = providers::check_url(app, read_channel(channel)?, &read_url(url)?)?;
    Ok(Response::data(checked(found)))
}

fn read_channel(word: Option<String>) -> Result<Channel> {
    let channel = word.as_deref().and_then(Channel::parse);
    channel.ok_or_else(|| Error::invalid("Channel must be email, sms or push."))
}

fn read_url(url: Option<String>) -> Result<String> {
    url.filter(|url| !url.is_empty())
        .ok_or_else(|| Error::invalid("Url is missing."))
}

fn checked(found: std::result::Result<String, Failure>) -> Checked {
    match found {
        Ok(detail) => Checked { ok: true, detail },
        Err(failure) => Checked {
            ok: false,
            detail: failure.answer,
        },
    }
}

fn wire(provider: Listed) -> WireProvider {
    let Listed {
        id,
        guid,
        channel,
        position,
        masked,
        is_locked,
        created,
        updated,
    } = provider;
    let if_stored = |value: String| (!is_locked).then_some(value);
    WireProvider {
        id: (!is_locked).then_some(id.0),
        guid: if_stored(guid.to_string()),
        channel: channel.word(),
        position,
        url: masked,
        is_locked,
        created_date: if_stored(shown(created)),
        last_updated: if_stored(shown(updated)),
    }
}
