//! Sending by preference, and the explanation of what it would do. (api.md, `/v1/messages/send`, `/v1/messages/explain`)

use crate::accept::{self, Accepted, Choice, Commit, Order, Prepared, What};
use crate::app::App;
use crate::domain::format::Format;
use crate::domain::ids::{TypeId, UserId};
use crate::domain::message::NewMessage;
use crate::error::{Error, Result};
use crate::http::admin::logs::{WireDecision, decision};
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::http::response::Response;
use crate::http::values;
use crate::store::{Db, types, users};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What to send to whom; how is up to the preferences.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SendByPreference {
    #[schemars(required)]
    user_id: Option<i64>,
    /// A MessageType.
    #[schemars(required)]
    message_type: Option<i64>,
    /// Values for the type's own words.
    placeholders: Option<Map<String, Value>>,
    /// Not before, such as `2001-01-01T01:01:01Z`.
    send_at: Option<String>,
    /// MessageFormats that win over every preference.
    formats: Option<Vec<i64>>,
}

/// A queued message.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Queued {
    #[serde(rename = "ID")]
    id: i64,
    guid: String,
    message_format: i64,
    recipient: String,
}

/// A message that a sending would make.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Explained {
    message_format: i64,
    /// queued or scheduled; failed or suppressed with a reason in `Error`.
    status: &'static str,
    recipient: String,
    #[serde(rename = "TemplateID")]
    template_id: Option<i64>,
    error: Option<String>,
    trace: Vec<WireDecision>,
}

/// Sends by preference. A user who wants none of it, or is disabled, gets nothing: the log says why.
pub fn send(app: &App, db: &Db, request: &Request) -> Result<Reply<Result<Response>>> {
    let prepared = prepare(app, db, request)?.require_a_way()?;
    let commit = Commit::new(app, prepared, None);
    Ok(Reply::later(move |finish| {
        commit.then(move |accepted| finish(accepted.map(answer)));
    }))
}

/// The queued messages, the first log entry as `Location`.
fn answer(accepted: Vec<Accepted>) -> Response {
    let location = format!(
        "/api/admin/v1/messages/logs/entries/{}",
        accept::first_id(&accepted)
    );
    let queued = accepted.into_iter().filter(|m| m.queued).map(|m| Queued {
        id: m.id.0,
        guid: m.guid.to_string(),
        message_format: m.format.number(),
        recipient: m.recipient,
    });
    Response::data(queued.collect::<Vec<_>>()).location(location)
}

/// Says what [`send`] would do, and does not do it.
pub fn explain(app: &App, request: &Request) -> Result<Response> {
    let prepared = app.store.read(|db| prepare(app, db, request))?;
    Ok(Response::data(
        prepared
            .messages()
            .iter()
            .map(explained)
            .collect::<Vec<_>>(),
    ))
}

fn prepare(app: &App, db: &Db, request: &Request) -> Result<Prepared> {
    let (wire, by) = (request.json()?, &request.caller()?.name);
    accept::prepare(app, db, order(db, wire, by)?)
}

fn order(db: &Db, wire: SendByPreference, by: &str) -> Result<Order> {
    let SendByPreference {
        user_id,
        message_type,
        placeholders,
        send_at,
        formats,
    } = wire;
    let user_id = UserId(user_id.ok_or_else(|| Error::invalid("UserId is missing."))?);
    let type_id = TypeId(message_type.ok_or_else(|| Error::invalid("MessageType is missing."))?);
    let send_at = send_at
        .map(|at| at.parse())
        .transpose()
        .map_err(|_| Error::invalid("SendAt must be a time such as 2001-01-01T01:01:01Z."))?;
    let user = users::get(db, user_id)?;
    let message_type = types::find(db, type_id)?
        .ok_or_else(|| Error::Invalid(format!("No message type has the ID {type_id}.")))?;
    Ok(Order {
        user,
        what: What::Typed(message_type, values(placeholders)),
        choice: choice(formats)?,
        send_at,
        by: by.to_owned(),
    })
}

fn choice(formats: Option<Vec<i64>>) -> Result<Choice> {
    let Some(numbers) = formats else {
        return Ok(Choice::Preference);
    };
    let mut formats = Vec::new();
    for number in numbers {
        let format = Format::from_number(number).ok_or_else(|| {
            Error::Invalid(format!(
                "Formats: {number} is no MessageFormat; there are 0 to 3."
            ))
        })?;
        if formats.contains(&format) {
            return Err(Error::Invalid(format!("Formats holds {number} twice.")));
        }
        formats.push(format);
    }
    if formats.is_empty() {
        return Err(Error::invalid(
            "Formats must hold a MessageFormat; leave it out to follow the preferences.",
        ));
    }
    Ok(Choice::Formats(formats))
}

fn explained(message: &NewMessage) -> Explained {
    Explained {
        message_format: message.format.number(),
        status: message.status.word(),
        recipient: message.recipient.clone(),
        template_id: message.template_id.map(|t| t.0),
        error: message.error.clone(),
        trace: message.trace.iter().cloned().map(decision).collect(),
    }
}
