//! Notification preferences. (Core - Messages, "Get notification preferences", "Add new or edit existing notification preference")

use crate::app::App;
use crate::clock::shown;
use crate::domain::ids::{PreferenceId, TypeId, UserId};
use crate::domain::preference::{Channels, Preference, Wish};
use crate::error::{Error, Result};
use crate::http::list::{Field, List, PAGE_SIZE_DEFAULT, field};
use crate::http::request::Request;
use crate::http::response::Response;
use crate::store::{preferences as rows, templates, types, users};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const FIELDS: &[Field] = &[
    field("ID", rows::ID),
    field("NotificationType", rows::TYPE),
    field("IsEmail", rows::IS_EMAIL),
    field("IsSMS", rows::IS_SMS),
    field("IsPush", rows::IS_PUSH),
    field("LastUpdated", rows::UPDATED),
    field("LastUpdatedBy", rows::UPDATED_BY),
];
/// What the list offers.
pub(in crate::http) const LIST: List = List {
    fields: FIELDS,
    searchable: false,
    sort: "ID",
    page_size: PAGE_SIZE_DEFAULT,
    log: None,
};

/// A preference as posted. Null is false.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SavePreference {
    /// Absent, null or 0: a new record.
    #[serde(rename = "ID")]
    id: Option<i64>,
    #[schemars(required)]
    notification_type: Option<i64>,
    is_email: Option<bool>,
    #[serde(rename = "IsSMS")]
    is_sms: Option<bool>,
    is_push: Option<bool>,
    /// Ours: with no channel, switches the type off for the user.
    is_off: Option<bool>,
}

/// A preference: the document's eight fields, then ours.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WirePreference {
    #[serde(rename = "ID")]
    id: i64,
    user_id: i64,
    last_updated: String,
    last_updated_by: String,
    notification_type: i64,
    is_email: bool,
    #[serde(rename = "IsSMS")]
    is_sms: bool,
    is_push: bool,
    /// Ours: the user wants none of it.
    is_off: bool,
}

/// A user's preferences. (Core - Messages, "Get notification preferences")
pub fn list(app: &App, request: &Request) -> Result<Response> {
    let user = UserId(request.id("id")?);
    LIST.answer(
        request,
        |query| app.store.read(|db| rows::list_of_user(db, user, query)),
        wire,
    )
}

/// Adds a preference, or edits one. (Core - Messages, "Add new or edit existing notification preference")
pub fn save(app: &App, request: &Request) -> Result<Response> {
    let user = UserId(request.id("id")?);
    let wire: SavePreference = request.json()?;
    let id = wire.id.filter(|id| *id != 0).map(PreferenceId);
    let (type_id, wish) = check(app, user, wire)?;
    let (by, now) = (request.caller()?.name.clone(), app.clock.now());
    app.store.write(move |tx| match id {
        None => rows::insert(tx, user, type_id, wish, &by, now).map(drop),
        Some(id) => rows::update(tx, id, user, type_id, wish, &by, now),
    })?;
    Ok(Response::done().location(format!("/api/admin/v1/messages/preferences/{user}")))
}

/// Removes a preference, so that the type's default counts for the user again. (Ours: the document has no way back.)
pub fn delete(app: &App, request: &Request) -> Result<Response> {
    let user = UserId(request.id("id")?);
    let id = PreferenceId(request.id("preference")?);
    app.store.write(move |tx| rows::delete(tx, user, id))?;
    Ok(Response::done())
}

/// The type must be a notification, and have a live template for every channel that is wanted.
fn check(app: &App, user: UserId, wire: SavePreference) -> Result<(TypeId, Wish)> {
    let type_id = TypeId(
        wire.notification_type
            .ok_or_else(|| Error::invalid("NotificationType is missing."))?,
    );
    let channels = Channels {
        email: wire.is_email.unwrap_or(false),
        sms: wire.is_sms.unwrap_or(false),
        push: wire.is_push.unwrap_or(false),
    };
    app.store.read(|db| {
        users::get(db, user)?;
        let found = types::find(db, type_id)?.filter(|t| t.is_notification);
        let found = found
            .ok_or_else(|| Error::Invalid(format!("No notification type has the ID {type_id}.")))?;
        let wish = Wish::new(channels, wire.is_off.unwrap_or(false))?;
        let live = templates::candidates(db, type_id)?;
        wish.covered_by(Channels::of(live.iter().map(|c| c.format)), &found.name)?;
        Ok((type_id, wish))
    })
}

fn wire(preference: Preference) -> WirePreference {
    let Preference {
        id,
        user,
        type_id,
        wish,
        updated,
        updated_by,
    } = preference;
    let Channels { email, sms, push } = wish.channels();
    WirePreference {
        id: id.0,
        user_id: user.0,
        last_updated: shown(updated),
        last_updated_by: updated_by,
        notification_type: type_id.0,
        is_email: email,
        is_sms: sms,
        is_push: push,
        is_off: wish.channels().is_empty(),
    }
}
