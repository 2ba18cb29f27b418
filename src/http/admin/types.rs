//! Message types and their placeholders. (api.md, `/v1/messages/types`)

use crate::app::App;
use crate::domain::format::Channel;
use crate::domain::ids::TypeId;
use crate::domain::message_type::{
    EXPIRY_SECS_DEFAULT, EXPIRY_SECS_MAX, MessageType, Slug, check_name, check_words,
};
use crate::domain::placeholder::Word;
use crate::error::{Error, Result};
use crate::http::Identity;
use crate::http::list::{Field, List, field};
use crate::http::object::Object;
use crate::http::request::Request;
use crate::http::response::Response;
use crate::store::types as rows;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

const FIELDS: &[Field] = &[
    field("ID", rows::ID),
    field("Slug", rows::SLUG),
    field("Name", rows::NAME),
    field("IsSystem", rows::IS_SYSTEM),
    field("IsNotification", rows::IS_NOTIFICATION),
];
/// What the list offers.
pub(in crate::http) const LIST: List = List::by_id(FIELDS);

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

/// A type as posted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SaveType {
    /// Absent, null or 0: a new record.
    #[serde(rename = "ID")]
    id: Option<i64>,
    /// Lower-case letters, digits and hyphens; unique.
    #[schemars(required)]
    slug: Option<String>,
    #[schemars(required)]
    name: Option<String>,
    /// At least one of `IsSystem` and `IsNotification`.
    is_system: Option<bool>,
    is_notification: Option<bool>,
    is_sensitive: Option<bool>,
    /// Channel words: `email`, `sms`, `push`; default: `email`.
    default_formats: Option<Vec<String>>,
    /// Default: four days.
    expiry_seconds: Option<i64>,
    /// The words of its own. The common ones, as a reply lists them, are ignored.
    #[schemars(with = "Option<Vec<SaveWord>>")]
    placeholders: Option<Vec<Object<SaveWord>>>,
}

/// A word of a type's own, as posted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SaveWord {
    #[schemars(required)]
    name: Option<String>,
    meaning: Option<String>,
    required: Option<bool>,
    sample: Option<String>,
}

/// Adds a type, or edits the one of the operator's own that a non-zero `ID` names.
pub fn save(app: &App, request: &Request) -> Result<Response> {
    let wire: SaveType = request.json()?;
    let id = wire.id.filter(|id| *id != 0).map(TypeId);
    let draft = draft(wire)?;
    let now = app.clock.now();
    let saved = app.store.write(move |tx| {
        let id = match id {
            None => rows::insert(tx, &draft, now)?,
            Some(id) => rows::update(tx, id, &draft, now).map(|()| id)?,
        };
        rows::get(tx, id)
    })?;
    let identity = Identity {
        id: saved.id.0,
        guid: saved.guid.to_string(),
    };
    Ok(Response::data(identity).location(format!("/api/admin/v1/messages/types/{}", saved.id)))
}

/// Removes a type of the operator's own that nothing uses.
pub fn delete(app: &App, request: &Request) -> Result<Response> {
    let id = TypeId(request.id("id")?);
    app.store.write(move |tx| rows::delete(tx, id))?;
    Ok(Response::done())
}

fn draft(wire: SaveType) -> Result<MessageType> {
    let SaveType {
        id: _,
        slug,
        name,
        is_system,
        is_notification,
        is_sensitive,
        default_formats,
        expiry_seconds,
        placeholders,
    } = wire;
    let slug = Slug::parse(&slug.unwrap_or_default())?;
    let name = name.unwrap_or_default();
    check_name(&name)?;
    let (is_system, is_notification) =
        (is_system.unwrap_or(false), is_notification.unwrap_or(false));
    if !is_system && !is_notification {
        return Err(Error::invalid(
            "At least one of IsSystem and IsNotification must be true.",
        ));
    }
    let words = own_words(placeholders.unwrap_or_default());
    check_words(&words)?;
    let expiry_secs =
        expiry_seconds.map_or(Some(EXPIRY_SECS_DEFAULT), |secs| u32::try_from(secs).ok());
    let expiry_secs = expiry_secs
        .filter(|secs| (1..=EXPIRY_SECS_MAX).contains(secs))
        .ok_or_else(|| Error::Invalid(format!("ExpirySeconds must be 1 to {EXPIRY_SECS_MAX}.")))?;
    Ok(MessageType {
        id: TypeId(0),
        guid: Uuid::new_v4(),
        slug,
        name,
        is_system,
        is_notification,
        words,
        default_formats: channels(default_formats)?,
        expiry_secs,
        sensitive: is_sensitive.unwrap_or(false),
    })
}

fn own_words(placeholders: Vec<Object<SaveWord>>) -> Vec<Word> {
    let word = |Object(word): Object<SaveWord>| Word {
        name: word.name.unwrap_or_default(),
        meaning: word.meaning.unwrap_or_default(),
        required: word.required.unwrap_or(false),
        sample: word.sample.unwrap_or_default(),
    };
    let common = crate::domain::placeholder::common();
    let all = placeholders.into_iter().map(word);
    all.filter(|w| !common.iter().any(|c| c.name == w.name))
        .collect()
}

fn channels(words: Option<Vec<String>>) -> Result<Vec<Channel>> {
    let Some(words) = words else {
        return Ok(vec![Channel::Email]);
    };
    let unknown = words
        .iter()
        .find(|word| !Channel::ALL.iter().any(|c| c.word() == word.as_str()));
    if unknown.is_some() || words.is_empty() {
        return Err(Error::invalid(
            "DefaultFormats must hold one or more of email, sms and push.",
        ));
    }
    Ok(Channel::ALL
        .into_iter()
        .filter(|c| words.iter().any(|word| word == c.word()))
        .collect())
}

/// A page of types.
pub fn list(app: &App, request: &Request) -> Result<Response> {
    LIST.answer(
        request,
        |query| app.store.read(|db| rows::list(db, query)),
        wire,
    )
}

/// One type.
pub fn get(app: &App, request: &Request) -> Result<Response> {
    let id = TypeId(request.id("id")?);
    Ok(Response::data(wire(Arc::unwrap_or_clone(
        app.store.read(|db| rows::get(db, id))?,
    ))))
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

/// A word on the wire.
pub(super) fn word(word: Word) -> WireWord {
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
