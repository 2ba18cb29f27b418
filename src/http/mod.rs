//! The HTTP front: sockets, routes, rights and the JSON of both APIs. Only this module knows JSON names and status codes.

pub mod admin;
pub mod auth;
pub mod dispatch;
pub mod guard;
mod health;
pub mod hooks;
pub mod list;
mod object;
pub mod openapi;
mod packed;
pub mod pages;
mod paging;
pub mod reply;
pub mod request;
pub mod response;
pub mod router;
pub mod routes;
pub mod send;
pub mod server;

use crate::domain::placeholder::{Value, Values};
use schemars::JsonSchema;
use serde::Serialize;

/// Both ids of a new element. (api.md, "Every insert answers with `Location`")
#[derive(Debug, Serialize, JsonSchema)]
pub struct Identity {
    /// The admin API's id.
    #[serde(rename = "ID")]
    pub id: i64,
    /// The send API's id.
    #[serde(rename = "Guid")]
    pub guid: String,
}

/// Placeholder values of a request as plain data.
fn values(json: Option<serde_json::Map<String, serde_json::Value>>) -> Values {
    json.into_iter()
        .flatten()
        .map(|(word, json)| (word, value(json)))
        .collect()
}

fn value(json: serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(truth),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::Text(text),
        Json::Array(items) => Value::List(items.into_iter().map(value).collect()),
        Json::Object(map) => Value::Map(map.into_iter().map(|(k, v)| (k, value(v))).collect()),
    }
}
