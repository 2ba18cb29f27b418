//! System message preferences. (Core - Messages, "Get system message preferences", "Add new or edit existing system message preference")

use crate::app::App;
use crate::clock::shown;
use crate::domain::format::Format;
use crate::domain::ids::{PreferenceId, TypeId};
use crate::domain::preference::SystemPreference;
use crate::error::{Error, Result};
use crate::http::list::{Field, List, PAGE_SIZE_DEFAULT, field};
use crate::http::request::Request;
use crate::http::response::Response;
use crate::store::{system_preferences as rows, templates, types};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const FIELDS: &[Field] = &[
    field("ID", rows::ID),
    field("CreatedDate", rows::CREATED),
    field("CreatedBy", rows::CREATED_BY),
    field("LastUpdated", rows::UPDATED),
    field("LastUpdatedBy", rows::UPDATED_BY),
    field("Type", rows::TYPE),
    field("Format", rows::FORMAT),
];
/// What the list offers.
pub(in crate::http) const LIST: List = List {
    fields: FIELDS,
    searchable: false,
    sort: "ID",
    page_size: PAGE_SIZE_DEFAULT,
    log: None,
};

/// A preference as posted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SaveSystemPreference {
    /// Absent, null or 0: a new record.
    #[serde(rename = "ID")]
    id: Option<i64>,
    /// A SystemMessageType.
    #[schemars(required)]
    message_type: Option<i64>,
    /// A MessageFormat.
    #[schemars(required)]
    message_format: Option<i64>,
}

/// A preference: our id, then the document's six fields.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireSystemPreference {
    #[serde(rename = "ID")]
    id: i64,
    created_date: String,
    created_by: String,
    last_updated: String,
    last_updated_by: Option<String>,
    r#type: i64,
    format: i64,
}

/// All preferences. (Core - Messages, "Get system message preferences")
pub fn list(app: &App, request: &Request) -> Result<Response> {
    LIST.answer(
        request,
        |query| app.store.read(|db| rows::list(db, query)),
        wire,
    )
}

/// Adds a preference, or edits one. (Core - Messages, "Add new or edit existing system message preference")
pub fn save(app: &App, request: &Request) -> Result<Response> {
    let wire: SaveSystemPreference = request.json()?;
    let id = wire.id.filter(|id| *id != 0).map(PreferenceId);
    let (type_id, format) = check(app, &wire)?;
    let (by, now) = (request.caller()?.name.clone(), app.clock.now());
    app.store.write(move |tx| match id {
        None => rows::insert(tx, type_id, format, &by, now).map(drop),
        Some(id) => rows::update(tx, id, type_id, format, &by, now),
    })?;
    Ok(Response::done().location("/api/admin/v1/messages/system-message-preferences"))
}

/// The type must be a system message with a live template of exactly this format.
fn check(app: &App, wire: &SaveSystemPreference) -> Result<(TypeId, Format)> {
    let type_id = wire
        .message_type
        .map(TypeId)
        .ok_or_else(|| Error::invalid("MessageType is missing."))?;
    let number = wire
        .message_format
        .ok_or_else(|| Error::invalid("MessageFormat is missing."))?;
    let format = Format::from_number(number).ok_or_else(|| {
        Error::Invalid(format!("{number} is no MessageFormat; there are 0 to 3."))
    })?;
    app.store.read(|db| {
        let found = types::find(db, type_id)?.filter(|t| t.is_system);
        let found = found.ok_or_else(|| {
            Error::Invalid(format!("No system message type has the ID {type_id}."))
        })?;
        let live = templates::candidates(db, type_id)?;
        if live.iter().any(|candidate| candidate.format == format) {
            return Ok((type_id, format));
        }
        Err(Error::Refused {
            slug: "err_NoTemplateFound",
            details: format!(
                "{} has no template of the format {}.",
                found.name,
                format.name()
            ),
        })
    })
}

/// Removes a preference, so that the type's default counts again. (Ours: the document has no way back.)
pub fn delete(app: &App, request: &Request) -> Result<Response> {
    let id = PreferenceId(request.id("id")?);
    app.store.write(move |tx| rows::delete(tx, id))?;
    Ok(Response::done())
}

fn wire(preference: SystemPreference) -> WireSystemPreference {
    let SystemPreference {
        id,
        type_id,
        format,
        created,
        created_by,
        updated,
        updated_by,
    } = preference;
    WireSystemPreference {
        id: id.0,
        created_date: shown(created),
        created_by,
        last_updated: shown(updated),
        last_updated_by: updated_by,
        r#type: type_id.0,
        format: format.number(),
    }
}
