//! Operators: the people who run the appliance. (Ours)

use crate::app::App;
use crate::clock::shown;
use crate::domain::ids::OperatorId;
use crate::error::{Error, Result};
use crate::http::Identity;
use crate::http::auth::Who;
use crate::http::list::{Field, List, field};
use crate::http::request::Request;
use crate::http::response::Response;
use crate::operators;
use crate::store::operators::{self as rows, Operator};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const FIELDS: &[Field] = &[
    field("ID", rows::ID),
    field("UserName", rows::USER_NAME),
    field("CreatedDate", rows::CREATED),
];
/// What the list offers.
pub(in crate::http) const LIST: List = List::by_id(FIELDS);

/// A new operator.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct CreateOperator {
    /// Unique whatever the case.
    #[schemars(required)]
    user_name: Option<String>,
    /// At least 10 characters; they have to change it before they can do anything.
    #[schemars(required)]
    password: Option<String>,
}

/// An operator.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WireOperator {
    #[serde(rename = "ID")]
    id: i64,
    guid: String,
    user_name: String,
    created_date: String,
    /// Whether it is the one who asks.
    is_self: bool,
}

/// A page of operators.
pub fn list(app: &App, request: &Request) -> Result<Response> {
    let own = own_id(request)?;
    let fetch = |query: &_| app.store.read(|db| rows::page(db, query));
    LIST.answer(request, fetch, |operator| wire(operator, own))
}

/// Adds an operator.
pub fn create(app: &App, request: &Request) -> Result<Response> {
    let CreateOperator {
        user_name,
        password,
    } = request.json()?;
    let name = user_name.unwrap_or_default().trim().to_owned();
    operators::check_name(&name)?;
    let hash = operators::new_password(&password.unwrap_or_default())?;
    let now = app.clock.now();
    let operator = app.store.write(move |tx| {
        let id = rows::insert(tx, &name, &hash, now)?;
        rows::set_must_change(tx, id)?;
        let all = rows::list(tx)?;
        let added = all.into_iter().find(|operator| operator.id == id);
        added.ok_or_else(|| Error::internal("the new operator is not there"))
    })?;
    let location = format!("/api/admin/v1/operators/{}", operator.id);
    Ok(Response::data(Identity {
        id: operator.id.0,
        guid: operator.guid.to_string(),
    })
    .location(location))
}

/// Removes an operator and ends their sessions. Nobody removes themselves, so that somebody is left.
pub fn delete(app: &App, request: &Request) -> Result<Response> {
    let id = OperatorId(request.id("id")?);
    if id == own_id(request)? {
        return Err(Error::Conflict(
            "You cannot remove yourself; another operator can.".into(),
        ));
    }
    app.store.write(move |tx| rows::delete_by_id(tx, id))?;
    Ok(Response::done())
}

fn own_id(request: &Request) -> Result<OperatorId> {
    match request.caller()?.who {
        Who::Operator(id) => Ok(id),
        Who::Client(_) => Err(Error::internal("a client came where operators are let in")),
    }
}

fn wire(operator: Operator, own: OperatorId) -> WireOperator {
    let Operator {
        id,
        guid,
        user_name,
        created,
    } = operator;
    WireOperator {
        id: id.0,
        guid: guid.to_string(),
        user_name,
        created_date: shown(created),
        is_self: id == own,
    }
}
