//! What the capture channel caught. (api.md, `/v1/captured`)

use crate::accept::release::{self, Release};
use crate::app::App;
use crate::clock::shown;
use crate::domain::ids::CapturedId;
use crate::error::{Error, Result};
use crate::http::Identity;
use crate::http::list::{Field, List, field};
use crate::http::request::Request;
use crate::http::response::Response;
use crate::store::captured::{self as rows, Captured};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const FIELDS: &[Field] = &[
    field("ID", rows::ID),
    field("MessageFormat", rows::FORMAT),
    field("Channel", rows::CHANNEL),
    field("Recipient", rows::RECIPIENT),
    field("CreatedDate", rows::CREATED),
];
/// What the list offers.
pub(in crate::http) const LIST: List = List {
    fields: FIELDS,
    searchable: true,
    sort: "-ID",
    page_size: crate::http::list::PAGE_SIZE_DEFAULT,
    log: Some(rows::CREATED),
};

/// Whom a captured message is released to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ReleaseCaptured {
    /// An address, a number or a device, as the format needs it.
    recipient: Option<String>,
}

/// A captured message.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireCaptured {
    #[serde(rename = "ID")]
    id: i64,
    /// The message's, as in `X-Message-Id`.
    guid: String,
    created_date: String,
    message_format: i64,
    channel: &'static str,
    recipient: String,
    sender: Option<String>,
    subject: Option<String>,
    body: String,
    #[serde(rename = "HTMLBody")]
    html_body: Option<String>,
}

/// A page of captured messages, newest first.
pub fn list(app: &App, request: &Request) -> Result<Response> {
    LIST.answer(
        request,
        |query| app.store.read(|db| rows::list(db, query)),
        wire,
    )
}

/// One captured message.
pub fn get(app: &App, request: &Request) -> Result<Response> {
    let id = CapturedId(request.id("id")?);
    Ok(Response::data(wire(
        app.store.read(|db| rows::get(db, id))?,
    )))
}

/// A captured mail as it would have been sent.
pub fn source(app: &App, request: &Request) -> Result<Response> {
    let id = CapturedId(request.id("id")?);
    let source = app.store.read(|db| rows::source(db, id))?;
    let source = source.ok_or_else(|| Error::not_found("Only e-mail has a source."))?;
    // Never shown by a browser as a page of this origin.
    Ok(Response::with_body(200, "message/rfc822", source)
        .header(
            "Content-Disposition",
            "attachment; filename=\"message.eml\"",
        )
        .header("X-Content-Type-Options", "nosniff"))
}

/// Sends a captured message to a given recipient, through a provider that sends.
pub fn release(app: &App, request: &Request) -> Result<Response> {
    let ReleaseCaptured { recipient } = request.json()?;
    let order = Release {
        captured: CapturedId(request.id("id")?),
        recipient: recipient.ok_or_else(|| Error::invalid("Recipient is missing."))?,
        by: request.caller()?.name.clone(),
    };
    let queued = release::release(app, order)?;
    let identity = Identity {
        id: queued.id.0,
        guid: queued.guid.to_string(),
    };
    let location = format!("/api/admin/v1/messages/logs/entries/{}", queued.id);
    Ok(Response::data(identity).location(location))
}

/// Removes a captured message.
pub fn delete(app: &App, request: &Request) -> Result<Response> {
    let id = CapturedId(request.id("id")?);
    app.store.write(move |tx| rows::delete(tx, id))?;
    Ok(Response::done())
}

fn wire(caught: Captured) -> WireCaptured {
    let Captured {
        id,
        guid,
        format,
        recipient,
        sender,
        subject,
        body,
        html_body,
        is_sensitive: _,
        created,
    } = caught;
    WireCaptured {
        id: id.0,
        guid: guid.to_string(),
        created_date: shown(created),
        message_format: format.number(),
        channel: format.channel().word(),
        recipient,
        sender,
        subject,
        body,
        html_body,
    }
}
