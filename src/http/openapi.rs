//! OpenAPI 3.1, made from ROUTES and the wire structs: what is served is what is documented.

use super::auth::Access;
use super::request::Request;
use super::response::Response;
use super::routes::{Gives, ROUTES, Route};
use crate::app::App;
use crate::error::Result;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The document of both APIs. (api.md, `/v1/openapi.json`)
pub fn document(_app: &App, _request: &Request) -> Result<Response> {
    Ok(Response::json(200, &build()))
}

/// Makes the document.
#[must_use]
pub fn build() -> Value {
    let settings = SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.pattern).or_insert_with(|| json!({}));
        path[route.method.to_lowercase()] = operation(route, &mut generator);
    }
    let schemas = generator.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Herald",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Messaging: tell this user. The send API is served under /api/v1.3, /api/v1.2 and /api/v1.1 alike.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" }, "session": { "type": "apiKey", "in": "cookie", "name": super::auth::SESSION_COOKIE } },
        },
    })
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "parameters": parameters(route),
        "responses": { success_status(route): success(route, generator), "default": { "description": "A failure, in the shape of its API." } },
    });
    if let Some(body) = route.takes {
        operation["requestBody"] = json!({
            "required": true,
            "content": { body.media_type: { "schema": (body.schema)(generator) } },
        });
    }
    operation["security"] = match route.access {
        Access::Public => json!([]),
        Access::Operator => json!([{ "session": [] }]),
        Access::Needs(need) => {
            operation["description"] = json!(format!("Scopes: {}", need.accepted().join(", ")));
            json!([{ "bearer": [] }])
        }
    };
    operation
}

/// Unique and speaking: `post_communication_messages_userId_send`.
fn operation_id(route: &Route) -> String {
    let path = route.pattern.trim_start_matches("/api/");
    let words = path
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words.fold(route.method.to_lowercase(), |id, word| {
        format!("{id}_{word}")
    })
}

fn parameters(route: &Route) -> Value {
    let mut parameters: Vec<_> = route
        .pattern
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            let schema = match name {
                "userId" => json!({ "type": "string", "format": "uuid" }),
                _ => json!({ "type": "integer", "format": "int64" }),
            };
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .collect();
    if let Gives::Page(_) = route.gives {
        for (name, schema) in [
            ("page", json!({ "type": "integer", "minimum": 1 })),
            (
                "pageSize",
                json!({ "type": "integer", "minimum": 1, "maximum": super::list::PAGE_SIZE_MAX }),
            ),
            ("sort", json!({ "type": "string" })),
        ] {
            parameters.push(json!({ "name": name, "in": "query", "schema": schema }));
        }
    }
    Value::Array(parameters)
}

fn success_status(route: &Route) -> &'static str {
    match route.gives {
        Gives::Accepted => "202",
        _ => "200",
    }
}

fn success(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let envelope = |properties: Value, required: Value| json!({ "type": "object", "properties": properties, "required": required });
    let ok = json!({ "const": "OK" });
    let (media_type, schema) = match route.gives {
        Gives::Accepted => return json!({ "description": "Accepted: it is on disk." }),
        Gives::Other(media_type) => (media_type, json!({})),
        Gives::Plain(schema) => ("application/json", schema(generator).to_value()),
        Gives::Done => (
            "application/json",
            envelope(json!({ "Result": ok }), json!(["Result"])),
        ),
        Gives::Data(schema) => {
            let data = schema(generator).to_value();
            (
                "application/json",
                envelope(
                    json!({ "Result": ok, "Data": data }),
                    json!(["Result", "Data"]),
                ),
            )
        }
        Gives::Page(schema) => {
            let data = json!({ "type": "array", "items": schema(generator).to_value() });
            let paging = generator.subschema_for::<super::list::Paging>().to_value();
            (
                "application/json",
                envelope(
                    json!({ "Result": ok, "Data": data, "Paging": paging }),
                    json!(["Result", "Data", "Paging"]),
                ),
            )
        }
    };
    json!({ "description": "Done.", "content": { media_type: { "schema": schema } } })
}
