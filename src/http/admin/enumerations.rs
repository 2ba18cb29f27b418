//! What the numbers and words of the API mean. (api.md, `/v1/messages/enumerations`, `/v1/messages/placeholders`)

use super::types::{WireWord, word};
use crate::app::App;
use crate::domain::format::Format;
use crate::domain::ids::TypeId;
use crate::domain::message_type::MessageType;
use crate::domain::placeholder;
use crate::error::{Error, Result};
use crate::http::list::{Takes, Word};
use crate::http::request::{Request, whole};
use crate::http::response::Response;
use crate::store::types;
use schemars::JsonSchema;
use serde::Serialize;

/// The four enumerations that the admin document names.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Enumerations {
    message_format: Vec<Member>,
    /// All message types.
    message_type: Vec<Member>,
    /// Those with `IsNotification`.
    notification_type: Vec<Member>,
    /// Those with `IsSystem`.
    system_message_type: Vec<Member>,
}

/// A number and its name.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Member {
    value: i64,
    name: String,
}

/// The enumerations.
pub fn enumerations(app: &App, _request: &Request) -> Result<Response> {
    let all = app.store.read(types::all)?;
    let members = |of: fn(&MessageType) -> bool| {
        let member = |t: &MessageType| Member {
            value: t.id.0,
            name: t.name.clone(),
        };
        all.iter().filter(|t| of(t)).map(member).collect()
    };
    let format = |format: Format| Member {
        value: format.number(),
        name: format.name().to_owned(),
    };
    Ok(Response::data(Enumerations {
        message_format: Format::ALL.map(format).into(),
        message_type: members(|_| true),
        notification_type: members(|t| t.is_notification),
        system_message_type: members(|t| t.is_system),
    }))
}

/// The words of the query of [`placeholders`].
pub(in crate::http) const PLACEHOLDERS_QUERY: &[Word] = &[Word {
    name: "Type",
    meaning: "A MessageType; without it, the words that every type has.",
    takes: Takes::Whole {
        min: 0,
        max: i64::MAX,
        default: None,
    },
}];

/// The words that templates of a type may use; without `Type`, the words that every type has.
pub fn placeholders(app: &App, request: &Request) -> Result<Response> {
    let mut type_id = None;
    for (name, value) in request.query() {
        match name.as_str() {
            "Type" => {
                type_id = Some(
                    whole(value)
                        .map(TypeId)
                        .ok_or_else(|| Error::invalid("Type must be a whole number."))?,
                )
            }
            other => {
                return Err(Error::Invalid(format!(
                    "{other:?} is no word of this address; there is Type."
                )));
            }
        }
    }
    let words = match type_id {
        None => placeholder::common(),
        Some(id) => app.store.read(|db| types::get(db, id))?.catalogue(),
    };
    Ok(Response::data(
        words.into_iter().map(word).collect::<Vec<WireWord>>(),
    ))
}
