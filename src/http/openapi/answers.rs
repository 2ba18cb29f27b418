//! What a line of ROUTES can answer: its success, and each failure in the shape of its API.

use crate::error::Error;
use crate::http::auth::Access;
use crate::http::dispatch::{Style, status_of};
use crate::http::paging::Paging;
use crate::http::routes::{Gives, Route};
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What the guard and the router answer whatever the line: no HTTP, another method, too slow, too long, a fault of ours,
/// no room.
const ALWAYS: [u16; 7] = [400, 405, 408, 414, 431, 500, 503];

/// The `responses` of a line.
pub(super) fn of(
    route: &Route,
    generator: &mut SchemaGenerator,
    failures: &mut Map<String, Value>,
) -> Value {
    let mut responses = Map::new();
    let status = match route.gives {
        Gives::Accepted => "202",
        Gives::Nothing => "204",
        _ => "200",
    };
    responses.insert(status.into(), success(route, generator));
    for status in statuses(route) {
        responses.insert(status.to_string(), failure(route, status, failures));
    }
    Value::Object(responses)
}

/// The failures that a line can answer with, from what the line says.
fn statuses(route: &Route) -> BTreeSet<u16> {
    let mut statuses = BTreeSet::from(ALWAYS);
    if route.access != Access::Public {
        statuses.extend([401, 403, 429]);
    }
    if route.pattern.contains('{') {
        statuses.insert(404);
    }
    if let Some(body) = route.takes {
        statuses.insert(413);
        if body.media_type != "application/x-www-form-urlencoded" {
            statuses.insert(415);
        }
        if Style::of(route.pattern) == Style::OAuth {
            // Its form holds the client's credentials. (RFC 6749, section 5.2)
            statuses.insert(401);
        }
    }
    if route.idempotent {
        statuses.extend([409, 422]);
    }
    statuses.extend(route.may);
    statuses
}

/// One failure; its schema goes to the components under the name of its API and status, unless it is this line's own.
fn failure(route: &Route, status: u16, failures: &mut Map<String, Value>) -> Value {
    let (name, schema) = failure_schema(route, status);
    let is_own = status == 400 && !route.refuses.is_empty();
    let schema = match is_own {
        true => schema,
        false => {
            let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
            failures.insert(name, schema);
            reference
        }
    };
    let mut response = json!({
        "description": meaning(status),
        "content": { "application/json": { "schema": schema } },
    });
    let header = match status {
        401 => ("WWW-Authenticate", false),
        405 => ("Allow", true),
        429 => ("Retry-After", true),
        503 => ("Retry-After", false),
        _ => return response,
    };
    response["headers"] = headers(&[header]);
    response
}

fn failure_schema(route: &Route, status: u16) -> (String, Value) {
    let text = |example: &str| json!({ "type": "string", "examples": [example] });
    let (api, schema) = match Style::of(route.pattern) {
        Style::Admin => {
            let mut slugs = slugs(status);
            if status == 400 {
                slugs.extend(route.refuses);
            }
            let schema = object(json!({
                "Result": { "const": "ERR" },
                "Message": { "type": "string", "enum": slugs },
                "Details": text("One sentence for a person."),
            }));
            ("Admin", schema)
        }
        Style::Send => {
            let schema = object(json!({
                "errorCode": { "const": status.to_string() },
                "message": text("One sentence for a person."),
            }));
            ("Send", schema)
        }
        Style::OAuth => {
            let schema = object(json!({
                "error": { "type": "string", "enum": oauth_words(status) },
                "error_description": text("One sentence for a developer."),
            }));
            ("Token", schema)
        }
    };
    (format!("{api}Failure{status}"), schema)
}

/// The slugs of a status, from one failure of each kind.
fn slugs(status: u16) -> Vec<&'static str> {
    let text = String::new;
    let every = [
        Error::Invalid(text()),
        Error::Unauthorized(text()),
        Error::InvalidCredentials(text()),
        Error::CannotAccess {
            retry_after_secs: 0,
            details: text(),
        },
        Error::Forbidden {
            accepted: Vec::new(),
        },
        Error::NotFound(text()),
        Error::NothingToTest(text()),
        Error::MethodNotAllowed { allow: text() },
        Error::Duplicate(text()),
        Error::Conflict(text()),
        Error::TooLarge(text()),
        Error::UnsupportedMediaType(text()),
        Error::KeyReused(text()),
        Error::TooManyRequests {
            retry_after_secs: 0,
            details: text(),
        },
        Error::Internal(text()),
        Error::Unavailable {
            retry_after_secs: 0,
            cause: text(),
        },
    ];
    let of_status = every.iter().filter(|error| status_of(error) == status);
    let mut slugs: Vec<_> = of_status.map(Error::code).collect();
    if slugs.is_empty() {
        slugs.push(crate::http::dispatch::refusal_slug(status));
    }
    slugs
}

/// The words of RFC 6749, section 5.2; the last one is of section 4.1.2.1, which has the only word for it.
fn oauth_words(status: u16) -> &'static [&'static str] {
    match status {
        400 => &["invalid_request", "unsupported_grant_type", "invalid_scope"],
        401 => &["invalid_client"],
        500.. => &["temporarily_unavailable"],
        _ => &["invalid_request"],
    }
}

fn meaning(status: u16) -> &'static str {
    match status {
        400 => "The request breaks a rule; the sentence says which.",
        401 => "No credential, or one that is not good (any more).",
        403 => "The credential holds none of the scopes that would do.",
        404 => "Nothing is there under that name.",
        405 => "The address exists, the method does not.",
        408 => "The request took too long to arrive.",
        409 => "Another element has this one's place, or the state of what is there forbids this.",
        413 => "The body is too large.",
        414 => "The address is too long.",
        415 => "The body is of a type that is not understood.",
        422 => "This Idempotency-Key came before with another request.",
        429 => "Too many requests for now.",
        431 => "The headers are too large.",
        503 => "Not possible now, but later.",
        _ => "A fault of the appliance; its log says more.",
    }
}

fn success(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let ok = json!({ "const": "OK" });
    let (media_type, schema) = match route.gives {
        Gives::Accepted | Gives::Nothing => ("", Value::Null),
        Gives::Other(media_type) => (media_type, json!({ "type": "string" })),
        Gives::Document => ("application/json", json!({ "type": "object" })),
        Gives::Plain(schema) => ("application/json", schema(generator).to_value()),
        Gives::Done => ("application/json", object(json!({ "Result": ok }))),
        Gives::Data(schema) => {
            let data = schema(generator).to_value();
            let envelope = object(json!({ "Result": ok, "Data": data }));
            ("application/json", envelope)
        }
        Gives::Page(schema, _) => {
            let data = json!({ "type": "array", "items": schema(generator).to_value() });
            let paging = generator.subschema_for::<Paging>().to_value();
            let envelope = object(json!({ "Result": ok, "Data": data, "Paging": paging }));
            ("application/json", envelope)
        }
    };
    let mut response = match route.gives {
        Gives::Accepted => json!({ "description": "Accepted: it is on disk." }),
        Gives::Nothing => json!({ "description": "Done." }),
        _ => json!({ "description": "Done.", "content": { media_type: { "schema": schema } } }),
    };
    let mut given: Vec<_> = route.headers.iter().map(|name| (*name, true)).collect();
    if let Gives::Page(..) = route.gives {
        given.push(("Link", true));
    }
    if !given.is_empty() {
        response["headers"] = headers(&given);
    }
    response
}

/// An object all of whose properties are there.
fn object(properties: Value) -> Value {
    let names: Vec<_> = properties.as_object().into_iter().flatten().collect();
    let names: Vec<_> = names.into_iter().map(|(name, _)| name.clone()).collect();
    json!({ "type": "object", "properties": properties, "required": names })
}

fn headers(given: &[(&str, bool)]) -> Value {
    let described = given.iter().map(|(name, required)| {
        let (meaning, schema) = header(name);
        let header = json!({ "description": meaning, "required": required, "schema": schema });
        ((*name).to_owned(), header)
    });
    Value::Object(described.collect())
}

fn header(name: &str) -> (&'static str, Value) {
    let text = json!({ "type": "string" });
    match name {
        "Location" => (
            "Where the element is.",
            json!({ "type": "string", "format": "uri-reference" }),
        ),
        "X-Message-Id" => (
            "The Guid of each queued message, a header for each.",
            json!({ "type": "array", "items": { "type": "string", "format": "uuid" }, "minItems": 1 }),
        ),
        "Retry-After" => (
            "When to come back, in seconds.",
            json!({ "type": "integer", "minimum": 0 }),
        ),
        "Allow" => ("The methods of this address.", text),
        "Link" => ("The first, previous, next and last page. (RFC 8288)", text),
        "Set-Cookie" => ("The session, for pages.", text),
        "WWW-Authenticate" => ("How to authenticate. (RFC 9110)", text),
        _ => ("", text),
    }
}
