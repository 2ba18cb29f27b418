//! What a line takes beside its body: the ids of its path, the words of its query, its headers.

use crate::http::list::{Field, List, PAGE_SIZE_MAX, Takes, Word};
use crate::http::routes::{Gives, Route};
use crate::store::page::Kind;
use serde_json::{Value, json};

/// The `parameters` of a line.
pub(super) fn of(route: &Route) -> Value {
    let in_path = route
        .pattern
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<_> = in_path
        .map(|name| {
            // The ids of the send API are GUIDs, those of the admin API numbers. (api.md, "Ids")
            let schema = match route.pattern.starts_with("/api/v1.") {
                true => json!({ "type": "string", "format": "uuid" }),
                false => id(),
            };
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .collect();
    if let Gives::Page(_, list) = route.gives {
        parameters.extend(of_list(list));
    }
    if let Some(list) = route.filters {
        parameters.extend(ends(list));
        parameters.extend(list.fields.iter().map(of_field));
    }
    parameters.extend(route.query.iter().map(of_word));
    if route.idempotent {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Makes a repeat harmless: the same answer for 24 hours.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
        }));
    }
    Value::Array(parameters)
}

fn id() -> Value {
    json!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX })
}

fn query(name: &str, description: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": "query", "description": description, "schema": schema })
}

fn of_list(list: &List) -> Vec<Value> {
    let page = json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX, "default": 1 });
    let size = json!({ "type": "integer", "minimum": 1, "maximum": PAGE_SIZE_MAX, "default": list.page_size });
    let mut words = vec![
        query("page", "Which page, from 1.", &page),
        query("pageSize", "Rows on a page.", &size),
        query(
            "sort",
            "Fields of the reply, comma-separated; - in front for descending.",
            &sort(list.fields, list.sort, true),
        ),
    ];
    if list.searchable {
        let meaning = match list.log {
            None => "Part of what a person would look for.",
            Some(_) => {
                "Part of what a person would look for; the newest first, as far back as one request may: see SearchedTo."
            }
        };
        words.push(query("search", meaning, &json!({ "type": "string" })));
    }
    if list.log.is_some() {
        words.push(query(
            "after",
            "The Next of a page, instead of page and sort.",
            &json!({ "type": "string", "pattern": "^[0-9]{1,18}$" }),
        ));
    }
    words.extend(ends(list));
    words.extend(list.fields.iter().map(of_field));
    words
}

/// The ends of the time that a log is asked for.
fn ends(list: &List) -> Vec<Value> {
    list.log.map_or(Vec::new(), |_| {
        vec![
            query("from", "Not before.", &time()),
            query("to", "Before.", &time()),
        ]
    })
}

fn of_field(field: &Field) -> Value {
    let schema = match field.column.kind {
        Kind::Int => {
            json!({ "type": "integer", "format": "int64", "minimum": i64::MIN, "maximum": i64::MAX })
        }
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Time => time(),
        Kind::Text | Kind::Key | Kind::Word(_) | Kind::Pattern(_) => json!({ "type": "string" }),
    };
    let meaning = match field.column.kind {
        Kind::Pattern(_) => "Only rows with this value; * stands for any text.",
        _ => "Only rows with this value.",
    };
    query(field.name, meaning, &schema)
}

fn time() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

fn of_word(word: &Word) -> Value {
    let schema = match word.takes {
        Takes::Whole { min, max, default } => {
            let mut schema = json!({ "type": "integer", "minimum": min, "maximum": max });
            if let Some(default) = default {
                schema["default"] = default.into();
            }
            schema
        }
        Takes::Time => time(),
        Takes::Text => json!({ "type": "string" }),
        Takes::Flag => json!({ "type": "boolean", "default": false }),
        Takes::Sort(fields) => sort(fields, fields[0].name, false),
    };
    query(word.name, word.meaning, &schema)
}

fn sort(fields: &[Field], default: &str, several: bool) -> Value {
    let names: Vec<_> = fields.iter().map(|field| field.name).collect();
    let one = format!("-?({})", names.join("|"));
    let pattern = match several {
        true => format!("^{one}(,{one})*$"),
        false => format!("^{one}$"),
    };
    json!({ "type": "string", "pattern": pattern, "default": default })
}
