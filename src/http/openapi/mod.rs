//! OpenAPI 3.1, made from ROUTES, the list tables and the wire structs: what is served is what is documented.
//!
//! Three documents of the same lines: the admin API's, the send API's, and everything. `answers` knows what a line can
//! answer, `parameters` what it takes beside its body, `vocabulary` what a field's name says about its value, `examples`
//! how it looks, `links` where a reply leads.

mod answers;
mod examples;
mod links;
mod parameters;
mod vocabulary;

use super::auth::Access;
use super::packed::Packed;
use super::request::Request;
use super::response::Response;
use super::routes::{ROUTES, Route};
use crate::app::App;
use crate::domain::scope::Scope;
use crate::error::Result;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::{LazyLock, Once};
use std::thread;

/// Which lines a document is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Every line.
    All,
    /// The admin API, with paths below `/api/admin`.
    Admin,
    /// The send API, with paths below each of its versions.
    Send,
}

impl Part {
    /// The path of a line in this document, if it is in it.
    #[must_use]
    pub fn path(self, route: &Route) -> Option<&'static str> {
        match self {
            Self::All => Some(route.pattern),
            Self::Admin => route.pattern.strip_prefix("/api/admin"),
            Self::Send => route.pattern.strip_prefix("/api/v1.3"),
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::All => "Herald",
            Self::Admin => "Herald, admin API",
            Self::Send => "Herald, send API",
        }
    }

    fn servers(self) -> Value {
        match self {
            Self::All => json!([{ "url": "/" }]),
            Self::Admin => json!([{ "url": "/api/admin" }]),
            Self::Send => {
                json!([{ "url": "/api/v1.3" }, { "url": "/api/v1.2" }, { "url": "/api/v1.1" }])
            }
        }
    }
}

/// The document of the admin API. ("A JSON file with OpenAPI data about all core-related admin APIs can be downloaded")
pub fn admin(_app: &App, request: &Request) -> Result<Response> {
    static DOCUMENT: LazyLock<Packed> = LazyLock::new(|| packed(Part::Admin));
    Ok(DOCUMENT.answer(request))
}

/// The document of the send API.
pub fn send(_app: &App, request: &Request) -> Result<Response> {
    static DOCUMENT: LazyLock<Packed> = LazyLock::new(|| packed(Part::Send));
    Ok(DOCUMENT.answer(request))
}

/// The document of everything that is served.
pub fn all(_app: &App, request: &Request) -> Result<Response> {
    Ok(EVERYTHING.answer(request))
}

static EVERYTHING: LazyLock<Packed> = LazyLock::new(|| packed(Part::All));

/// Begins to make the document of everything, once, beside what else goes on: whoever opens a page may come to the one that
/// shows it, and should not have to wait for it.
pub(super) fn prepare() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        let make = || {
            LazyLock::force(&EVERYTHING);
        };
        // Without a thread it is made when it is asked for.
        drop(thread::Builder::new().name("document".into()).spawn(make));
    });
}

fn packed(part: Part) -> Packed {
    Packed::new("application/json", build(part).to_string().into_bytes())
}

/// What a request may leave out a reply always has, so that each direction has a generator of its own.
struct Schemas {
    taken: SchemaGenerator,
    given: SchemaGenerator,
    failures: Map<String, Value>,
}

/// Makes a document.
#[must_use]
pub fn build(part: Part) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut schemas = Schemas {
        taken: settings.clone().for_deserialize().into_generator(),
        given: settings.for_serialize().into_generator(),
        failures: Map::new(),
    };
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        if let Some(path) = part.path(route) {
            let methods = paths.entry(path).or_insert_with(|| json!({}));
            methods[route.method.to_lowercase()] = operation(route, &mut schemas);
        }
    }
    let mut definitions = schemas.taken.take_definitions(true);
    definitions.extend(schemas.given.take_definitions(true));
    for (owner, schema) in &mut definitions {
        vocabulary::describe(owner, schema);
    }
    definitions.extend(schemas.failures);
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": part.title(),
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Messaging: tell this user. The send API is served under /api/v1.3, /api/v1.2 and /api/v1.1 alike. A message that is not HTTP is answered 400, 417, 501 or 505 whatever its address, and a HEAD as a GET without its body.",
        },
        "servers": part.servers(),
        "paths": paths,
        "components": { "schemas": definitions, "securitySchemes": security_schemes() },
    });
    examples::add(&mut document);
    document
}

fn operation(route: &Route, schemas: &mut Schemas) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route),
        "tags": [tag(route)],
        "summary": route.summary,
        "parameters": parameters::of(route),
        "responses": answers::of(route, &mut schemas.given, &mut schemas.failures),
        "security": security(route),
    });
    if let Some(links) = links::of(route, operation_id) {
        operation["responses"]["200"]["links"] = links;
    }
    if let Some(body) = route.takes {
        operation["requestBody"] = json!({
            "required": true,
            "content": { body.media_type: { "schema": (body.schema)(&mut schemas.taken) } },
        });
    }
    if let Access::Needs(need) = route.access {
        let scopes = need.accepted().join(", ");
        operation["description"] = json!(format!("Scopes, any one of them: {scopes}"));
    }
    operation
}

/// Unique and speaking: `post_v1_3_communication_messages_user_id_send`.
fn operation_id(route: &Route) -> String {
    let path = route.pattern.trim_start_matches("/api/");
    let path = path.replace("userId", "user_id");
    let words = path
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words.fold(route.method.to_lowercase(), |id, word| {
        format!("{id}_{word}")
    })
}

/// The noun: the first word after the version, and for messages the one after it, which says what of them.
fn tag(route: &Route) -> &'static str {
    let admin = route.pattern.strip_prefix("/api/admin/v1/");
    let send = route.pattern.strip_prefix("/api/v1.3/");
    let mut words = admin.or(send).unwrap_or(route.pattern).split('/');
    let mut next = || words.find(|word| !word.is_empty()).unwrap_or("appliance");
    match next() {
        "messages" => next(),
        "communication" => "communication",
        "login" | "oauth" => "token",
        "livez" | "readyz" | "openapi.json" => "appliance",
        noun => noun,
    }
}

/// Both token addresses, since the grant and the scopes are the same; a key or a token as it is; an operator's session.
fn security_schemes() -> Value {
    let needs = ROUTES.iter().filter_map(|route| match route.access {
        Access::Needs(need) => Some(need),
        _ => None,
    });
    let scopes: BTreeSet<String> = needs.flat_map(Scope::accepted).collect();
    let scopes: Map<String, Value> = scopes
        .into_iter()
        .map(|scope| {
            (
                scope,
                json!(
                    "[.area][:read|:write]: no area holds all areas, the bare form reads and writes"
                ),
            )
        })
        .collect();
    let flow = |token_url| json!({ "type": "oauth2", "flows": { "clientCredentials": { "tokenUrl": token_url, "scopes": scopes } } });
    json!({
        "oauth2": flow("/oauth/token"),
        "oauth2Authorize": flow("/login/oauth/authorize"),
        "bearer": { "type": "http", "scheme": "bearer" },
        "session": { "type": "apiKey", "in": "cookie", "name": super::auth::SESSION_COOKIE },
    })
}

/// Any one of these will do.
fn security(route: &Route) -> Value {
    let need = match route.access {
        Access::Public => return json!([]),
        Access::Operator | Access::Newcomer => return json!([{ "session": [] }, { "bearer": [] }]),
        Access::Needs(need) => need,
    };
    let mut any = vec![json!({ "bearer": [] }), json!({ "session": [] })];
    for scheme in ["oauth2", "oauth2Authorize"] {
        let accepted = need.accepted();
        any.extend(accepted.iter().map(|scope| json!({ scheme: [scope] })));
    }
    Value::Array(any)
}
