//! Users: the recipients. (api.md, `/v1/users`)

use crate::app::App;
use crate::clock::shown;
use crate::domain::ids::UserId;
use crate::domain::user::{User, UserDraft};
use crate::error::Result;
use crate::http::Identity;
use crate::http::list::{Field, List, field};
use crate::http::request::Request;
use crate::http::response::Response;
use crate::store::{settings, users as rows};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

const FIELDS: &[Field] = &[
    field("ID", rows::ID),
    field("UserName", rows::USER_NAME),
    field("Name", rows::NAME),
    field("Email", rows::EMAIL),
    field("Mobile", rows::MOBILE),
    field("Language", rows::LANGUAGE),
    field("LCID", rows::LCID),
    field("IsDisabled", rows::IS_DISABLED),
    field("CreatedDate", rows::CREATED),
    field("LastUpdated", rows::UPDATED),
];
/// What the list offers.
pub(in crate::http) const LIST: List = List::by_id(FIELDS);

/// A user as posted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SaveUser {
    /// Absent, null or 0: a new record.
    #[serde(rename = "ID")]
    id: Option<i64>,
    /// Unique whatever the case.
    #[schemars(required)]
    user_name: Option<String>,
    /// Default: the user name.
    name: Option<String>,
    email: Option<String>,
    /// E.164, such as `+4712345678`.
    mobile: Option<String>,
    /// A language tag; default: the settings' default language.
    language: Option<String>,
    is_disabled: Option<bool>,
    /// Anything the application wants to keep with the user.
    attributes: Option<Map<String, Value>>,
}

/// A user.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireUser {
    #[serde(rename = "ID")]
    id: i64,
    /// The send API's `userId`.
    guid: String,
    user_name: String,
    name: String,
    email: Option<String>,
    mobile: Option<String>,
    language: String,
    #[serde(rename = "LCID")]
    lcid: u32,
    is_disabled: bool,
    attributes: Map<String, Value>,
    created_date: String,
    last_updated: String,
}

/// A page of users.
pub fn list(app: &App, request: &Request) -> Result<Response> {
    LIST.answer(
        request,
        |query| app.store.read(|db| rows::list(db, query)),
        wire,
    )
}

/// One user.
pub fn get(app: &App, request: &Request) -> Result<Response> {
    let id = UserId(request.id("id")?);
    Ok(Response::data(wire(
        app.store.read(|db| rows::get(db, id))?,
    )))
}

/// Adds a user, or edits the one that a non-zero `ID` names.
pub fn save(app: &App, request: &Request) -> Result<Response> {
    let wire: SaveUser = request.json()?;
    let id = wire.id.filter(|id| *id != 0).map(UserId);
    let default_language = app.store.read(settings::load)?.default_language;
    let profile = UserDraft::from(wire).check(default_language)?;
    let now = app.clock.now();
    let user = app.store.write(move |tx| {
        let id = match id {
            None => rows::insert(tx, &profile, Uuid::new_v4(), now)?,
            Some(id) => rows::update(tx, id, &profile, now).map(|()| id)?,
        };
        rows::get(tx, id)
    })?;
    let identity = Identity {
        id: user.id.0,
        guid: user.guid.to_string(),
    };
    Ok(Response::data(identity).location(format!("/api/admin/v1/users/{}", user.id)))
}

/// Erases a person: addresses, bodies and attributes go, counters stay.
pub fn delete(app: &App, request: &Request) -> Result<Response> {
    let id = UserId(request.id("id")?);
    app.store.write(move |tx| rows::erase(tx, id))?;
    Ok(Response::done())
}

fn wire(user: User) -> WireUser {
    let User {
        id,
        guid,
        profile,
        created,
        updated,
    } = user;
    WireUser {
        id: id.0,
        guid: guid.to_string(),
        user_name: profile.user_name,
        name: profile.name,
        email: profile.email.map(|e| e.as_str().to_owned()),
        mobile: profile.mobile.map(|m| m.as_str().to_owned()),
        language: profile.language.tag().to_owned(),
        lcid: profile.language.lcid(),
        is_disabled: profile.is_disabled,
        attributes: serde_json::from_str(&profile.attributes).unwrap_or_default(),
        created_date: shown(created),
        last_updated: shown(updated),
    }
}

impl From<SaveUser> for UserDraft {
    fn from(wire: SaveUser) -> Self {
        let SaveUser {
            id: _,
            user_name,
            name,
            email,
            mobile,
            language,
            is_disabled,
            attributes,
        } = wire;
        Self {
            user_name: user_name.unwrap_or_default(),
            name,
            email,
            mobile,
            language,
            is_disabled: is_disabled.unwrap_or(false),
            attributes: Value::Object(attributes.unwrap_or_default()).to_string(),
        }
    }
}
