//! Settings. (api.md, `/v1/settings`)

use crate::app::App;
use crate::config::{Key, TABLE};
use crate::domain::ids::TypeId;
use crate::domain::settings::{Settings, SettingsDraft};
use crate::error::{Error, Result};
use crate::http::object::Object;
use crate::http::request::Request;
use crate::http::response::Response;
use crate::render;
use crate::store::{settings as rows, types};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Settings as posted: what is absent or null stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SaveSettings {
    app_name: Option<String>,
    /// Empty: this appliance's own address.
    app_url: Option<String>,
    /// A language tag such as `en-GB`.
    default_language: Option<String>,
    /// `Name <a@b>` or `a@b`.
    default_sender: Option<String>,
    /// May hold `{{ app.url }}`, `{{ user.guid }}`, `{{ user.language }}` and `{{ token }}`.
    login_url: Option<String>,
    /// As `LoginUrl`.
    reset_url: Option<String>,
    /// The HS256 key of the tokens in action links, at least 32 bytes. Never shown.
    link_secret: Option<String>,
    /// How many days the log and what was captured are kept; 0: for ever.
    retention_days: Option<u32>,
    /// How large the database may become, in MiB, before the oldest is let go; 0: no limit.
    retention_megabytes: Option<u32>,
    #[schemars(with = "Option<SaveMessageTypes>")]
    message_types: Option<Object<SaveMessageTypes>>,
}

/// The settings in force, secrets left out.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireSettings {
    app_name: String,
    /// Null: this appliance's own address.
    app_url: Option<String>,
    default_language: String,
    default_sender: String,
    login_url: String,
    reset_url: String,
    retention_days: u32,
    retention_megabytes: u32,
    message_types: MessageTypes,
    /// Limits and times; they are set in the environment, and so cannot be changed here.
    limits: Vec<Limit>,
}

/// A limit or a time.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Limit {
    /// Its name in the environment.
    name: &'static str,
    meaning: &'static str,
    value: u64,
    default: u64,
}

/// The message type behind each word of the send API's `messageType`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MessageTypes {
    welcome: i64,
    logininfo: i64,
    forgottenpassword: i64,
}

/// The same as posted.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct SaveMessageTypes {
    welcome: Option<i64>,
    logininfo: Option<i64>,
    forgottenpassword: Option<i64>,
}

/// The settings in force.
pub fn get(app: &App, _request: &Request) -> Result<Response> {
    Ok(Response::data(wire(
        app,
        Arc::unwrap_or_clone(app.store.read(rows::load)?),
    )))
}

/// Changes settings.
pub fn save(app: &App, request: &Request) -> Result<Response> {
    let draft = draft(request.json()?);
    // Read inside the write, so that two changes at once do not undo each other.
    app.store.write(move |tx| {
        for type_id in draft.words.iter().flatten() {
            if types::find(tx, *type_id)?.is_none() {
                return Err(Error::Invalid(format!(
                    "MessageTypes: no message type has the ID {type_id}."
                )));
            }
        }
        let settings = draft.apply(Arc::unwrap_or_clone(rows::load(tx)?), render::check_link)?;
        rows::save(tx, &settings)
    })?;
    Ok(Response::done())
}

fn draft(wire: SaveSettings) -> SettingsDraft {
    let SaveSettings {
        app_name,
        app_url,
        default_language,
        default_sender,
        login_url,
        reset_url,
        link_secret,
        retention_days,
        retention_megabytes,
        message_types,
    } = wire;
    let SaveMessageTypes {
        welcome,
        logininfo,
        forgottenpassword,
    } = message_types.map_or_else(SaveMessageTypes::default, |Object(types)| types);
    SettingsDraft {
        app_name,
        app_url,
        default_language,
        default_sender,
        login_url,
        reset_url,
        link_secret,
        retention_days,
        retention_megabytes,
        words: [welcome, logininfo, forgottenpassword].map(|id| id.map(TypeId)),
    }
}

fn limit(app: &App, key: &Key) -> Limit {
    Limit {
        name: key.env,
        meaning: key.meaning,
        value: app.limits_set.get(key.env).copied().unwrap_or(key.default),
        default: key.default,
    }
}

fn wire(app: &App, settings: Settings) -> WireSettings {
    let Settings {
        app_name,
        app_url,
        default_language,
        default_sender,
        login_url,
        reset_url,
        link_secret: _,
        retention_days,
        retention_megabytes,
        words: [(_, welcome), (_, logininfo), (_, forgottenpassword)],
    } = settings;
    WireSettings {
        app_name,
        app_url,
        default_language: default_language.tag().to_owned(),
        default_sender,
        login_url,
        reset_url,
        retention_days,
        retention_megabytes,
        message_types: MessageTypes {
            welcome: welcome.0,
            logininfo: logininfo.0,
            forgottenpassword: forgottenpassword.0,
        },
        limits: TABLE.iter().map(|key| limit(app, key)).collect(),
    }
}
