//! An example beside every body, made from its schema, so that it cannot name a field that is not there.

use serde_json::{Map, Value, json};

/// Adds an example to every media type of a document.
pub(super) fn add(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    let Some(paths) = document["paths"].as_object_mut() else {
        return;
    };
    let operations = paths
        .values_mut()
        .filter_map(Value::as_object_mut)
        .flat_map(|methods| methods.values_mut());
    for operation in operations {
        if let Some(body) = operation.get_mut("requestBody") {
            add_to(body, &schemas, true);
        }
        let responses = operation["responses"].as_object_mut();
        for response in responses.into_iter().flat_map(|all| all.values_mut()) {
            add_to(response, &schemas, false);
        }
    }
}

fn add_to(place: &mut Value, schemas: &Value, taken: bool) {
    let content = place.get_mut("content").and_then(Value::as_object_mut);
    for (media_type, body) in content.into_iter().flatten() {
        if media_type == "application/json" || taken {
            body["example"] = example(&body["schema"], schemas, taken);
        }
    }
}

/// A value that fits. What a request may leave out is left out unless its name has an example.
fn example(schema: &Value, schemas: &Value, taken: bool) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return example(&schemas[name], schemas, taken);
    }
    if let Some(first) = schema["examples"].get(0) {
        return first.clone();
    }
    for choice in ["enum", "anyOf", "oneOf"] {
        if let Some(first) = schema[choice].get(0) {
            return match choice {
                "enum" => first.clone(),
                _ => example(first, schemas, taken),
            };
        }
    }
    if let Some(fixed) = schema.get("const") {
        return fixed.clone();
    }
    let (kind, nullable) = match &schema["type"] {
        Value::Array(kinds) => (kinds[0].as_str(), kinds.contains(&json!("null"))),
        kind => (kind.as_str(), false),
    };
    match kind {
        _ if nullable => Value::Null,
        Some("object") => Value::Object(properties(schema, schemas, taken)),
        Some("array") => json!([example(&schema["items"], schemas, taken)]),
        Some("string") => match schema["format"].as_str() {
            Some("date-time") => json!("2001-01-01T01:01:01Z"),
            Some("uuid") => json!("8c5f7a6e-6f0b-4a7a-9a55-1d0c3a7f2b10"),
            _ => json!("text"),
        },
        Some("boolean") => json!(true),
        _ => json!(schema["minimum"].as_i64().unwrap_or(0).max(1)),
    }
}

fn properties(schema: &Value, schemas: &Value, taken: bool) -> Map<String, Value> {
    let required = schema["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|names| names.contains(&json!(name)));
    let all = schema["properties"].as_object().into_iter().flatten();
    all.map(|(name, property)| (name.clone(), example(property, schemas, taken), name))
        .filter(|(_, value, name)| !taken || is_required(name) || !value.is_null())
        .map(|(name, value, _)| (name, value))
        .collect()
}
