//! Devices: the push targets of a user. (api.md, `/v1/users/{id}/devices`)

use crate::app::App;
use crate::clock::shown;
use crate::domain::device::{Device, DeviceDraft};
use crate::domain::ids::{DeviceId, UserId};
use crate::error::Result;
use crate::http::Identity;
use crate::http::list::{Field, List, PAGE_SIZE_DEFAULT, field};
use crate::http::request::Request;
use crate::http::response::Response;
use crate::store::devices as rows;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const FIELDS: &[Field] = &[
    field("ID", rows::ID),
    field("Label", rows::LABEL),
    field("Token", rows::TOKEN),
    field("CreatedDate", rows::CREATED),
];
/// What the list offers.
pub(in crate::http) const LIST: List = List {
    fields: FIELDS,
    searchable: false,
    sort: "ID",
    page_size: PAGE_SIZE_DEFAULT,
    log: None,
};

/// A device as posted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SaveDevice {
    /// What a person calls it.
    label: Option<String>,
    /// What the push provider calls it: a registration token, a topic, a subscription.
    #[schemars(required)]
    token: Option<String>,
}

/// A device.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireDevice {
    #[serde(rename = "ID")]
    id: i64,
    guid: String,
    user_id: i64,
    label: String,
    token: String,
    created_date: String,
}

/// A user's devices.
pub fn list(app: &App, request: &Request) -> Result<Response> {
    let user = UserId(request.id("id")?);
    LIST.answer(
        request,
        |query| app.store.read(|db| rows::list_of_user(db, user, query)),
        wire,
    )
}

/// Adds a device.
pub fn add(app: &App, request: &Request) -> Result<Response> {
    let user = UserId(request.id("id")?);
    let SaveDevice { label, token } = request.json()?;
    let draft = DeviceDraft::check(label, token)?;
    let (guid, now) = (Uuid::new_v4(), app.clock.now());
    let id = app
        .store
        .write(move |tx| rows::insert(tx, user, &draft, guid, now))?;
    let identity = Identity {
        id: id.0,
        guid: guid.to_string(),
    };
    Ok(Response::data(identity).location(format!("/api/admin/v1/users/{user}/devices/{id}")))
}

/// Removes a device.
pub fn delete(app: &App, request: &Request) -> Result<Response> {
    let (user, id) = (UserId(request.id("id")?), DeviceId(request.id("device")?));
    app.store.write(move |tx| rows::delete(tx, user, id))?;
    Ok(Response::done())
}

fn wire(device: Device) -> WireDevice {
    let Device {
        id,
        guid,
        user,
        label,
        token,
        created,
    } = device;
    WireDevice {
        id: id.0,
        guid: guid.to_string(),
        user_id: user.0,
        label,
        token,
        created_date: shown(created),
    }
}
