//! What a template was after each save, and going back to it. (Ours)

use super::templates::put;
use crate::app::App;
use crate::clock::shown;
use crate::domain::ids::TemplateId;
use crate::domain::template::Draft;
use crate::error::Result;
use crate::http::request::Request;
use crate::http::response::Response;
use crate::store::versions::{self as rows, Version};
use schemars::JsonSchema;
use serde::Serialize;

/// A template after a save, without its bodies.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireVersion {
    /// From 1 within the template.
    version: i64,
    saved_date: String,
    saved_by: String,
    /// Whether it is the present one.
    is_current: bool,
    r#type: i64,
    message_format: i64,
    language: String,
    #[serde(rename = "LCID")]
    lcid: i64,
    /// Null: the default sender of the settings.
    sender: Option<String>,
    subject: Option<String>,
}

/// A template after a save.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WholeVersion {
    #[serde(flatten)]
    version: WireVersion,
    body: Option<String>,
    #[serde(rename = "HTMLBody")]
    html_body: Option<String>,
}

/// The versions of a template, the newest first, at most 50.
pub fn list(app: &App, request: &Request) -> Result<Response> {
    let id = TemplateId(request.id("id")?);
    let versions = app.store.read(|db| rows::list(db, id))?;
    let versions: Vec<_> = versions
        .into_iter()
        .map(|version| whole(version).version)
        .collect();
    Ok(Response::data(versions))
}

/// One version of a template.
pub fn get(app: &App, request: &Request) -> Result<Response> {
    Ok(Response::data(whole(named(app, request)?)))
}

/// Makes a version the present one again, as a save of it would: what it needs may have changed since.
pub fn restore(app: &App, request: &Request) -> Result<Response> {
    let id = TemplateId(request.id("id")?);
    let version = named(app, request)?;
    let draft = Draft {
        type_id: version.type_id.0,
        format: version.format.number(),
        language: version.language,
        sender: version.sender,
        subject: version.subject,
        body: version.body,
        html_body: version.html_body,
    };
    put(app, request, Some(id), draft)
}

fn named(app: &App, request: &Request) -> Result<Version> {
    let id = TemplateId(request.id("id")?);
    let version = request.id("version")?;
    app.store.read(|db| rows::get(db, id, version))
}

fn whole(version: Version) -> WholeVersion {
    let Version {
        version,
        saved,
        by,
        is_current,
        type_id,
        format,
        lcid,
        language,
        sender,
        subject,
        body,
        html_body,
    } = version;
    WholeVersion {
        version: WireVersion {
            version,
            saved_date: shown(saved),
            saved_by: by,
            is_current,
            r#type: type_id.0,
            message_format: format.number(),
            language,
            lcid,
            sender,
            subject,
        },
        body,
        html_body,
    }
}
