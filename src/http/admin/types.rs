//! Message types and their placeholders. (api.md, `/v1/messages/types`)

use crate::app::App;
use crate::domain::ids::TypeId;
use crate::domain::message_type::MessageType;
use crate::domain::placeholder::Word;
use crate::error::Result;
use crate::http::list::{Field, List, Paging, field};
use crate::http::request::Request;
use crate::http::response::Response;
use crate::store::types as rows;
use schemars::JsonSchema;
use serde::Serialize;

const FIELDS: &[Field] = &[
    field("ID", rows::ID),
    field("Slug", rows::SLUG),
    field("Name", rows::NAME),
    field("IsSystem", rows::IS_SYSTEM),
    field("IsNotification", rows::IS_NOTIFICATION),
];
const LIST: List = List::by_id(FIELDS);

/// A message type.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireType {
    #[serde(rename = "ID")]
    id: i64,
    /// A `communicationTemplateId` of the send API.
    guid: String,
    slug: String,
    name: String,
    is_system: bool,
    is_notification: bool,
    is_built_in: bool,
    /// Bodies are wiped after the final state.
    is_sensitive: bool,
    /// Channel words: `email`, `sms`, `push`.
    default_formats: Vec<&'static str>,
    /// How long a message of this type is worth sending.
    expiry_seconds: u32,
    /// The words its templates may use: the common ones and its own.
    placeholders: Vec<WireWord>,
}

/// A word a template may use.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireWord {
    name: String,
    meaning: String,
    required: bool,
    sample: String,
}

/// A page of types.
pub fn list(app: &App, request: &Request) -> Result<Response> {
    let query = LIST.query(request)?;
    let page = app.store.read(|db| rows::list(db, &query))?;
    let paging = Paging::new(request, &query, &page);
    Ok(Response::page(
        page.rows.into_iter().map(wire).collect::<Vec<_>>(),
        paging,
    ))
}

/// One type.
pub fn get(app: &App, request: &Request) -> Result<Response> {
    let id = TypeId(request.id("id")?);
    Ok(Response::data(wire(
        app.store.read(|db| rows::get(db, id))?,
    )))
}

fn wire(t: MessageType) -> WireType {
    WireType {
        id: t.id.0,
        guid: t.guid.to_string(),
        slug: t.slug.as_str().to_owned(),
        is_built_in: t.is_built_in(),
        placeholders: t.catalogue().into_iter().map(word).collect(),
        name: t.name,
        is_system: t.is_system,
        is_notification: t.is_notification,
        is_sensitive: t.sensitive,
        default_formats: t.default_formats.iter().map(|c| c.word()).collect(),
        expiry_seconds: t.expiry_secs,
    }
}

fn word(word: Word) -> WireWord {
    let Word {
        name,
        meaning,
        required,
        sample,
    } = word;
    WireWord {
        name,
        meaning,
        required,
        sample,
    }
}
