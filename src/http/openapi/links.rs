//! Where a reply leads: from an element just saved, or the first of a list, to the lines below it that take its id.

use crate::http::routes::{Gives, ROUTES, Route};
use serde_json::{Map, Value, json};

/// The links of a line's success, by the operation they lead to.
pub(super) fn of(route: &Route, operation_id: impl Fn(&Route) -> String) -> Option<Value> {
    let id = match route.gives {
        Gives::Page(..) => "$response.body#/Data/0/ID",
        Gives::Data(_) if route.headers.contains(&"Location") && route.method == "POST" => {
            "$response.body#/Data/ID"
        }
        _ => return None,
    };
    let mut links = Map::new();
    for below in ROUTES {
        let Some(name) = first_parameter(route, below) else {
            continue;
        };
        // The ids above the element are those of the request.
        let mut parameters: Map<String, Value> = parameters(route)
            .map(|above| (above.to_owned(), json!(format!("$request.path.{above}"))))
            .collect();
        parameters.insert(name.to_owned(), json!(id));
        let operation = operation_id(below);
        links.insert(
            operation.clone(),
            json!({ "operationId": operation, "parameters": parameters }),
        );
    }
    (!links.is_empty()).then_some(Value::Object(links))
}

/// The parameter with which a line goes on where another one ends.
fn first_parameter(route: &Route, below: &Route) -> Option<&'static str> {
    let rest = below.pattern.strip_prefix(route.pattern)?;
    let (name, _) = rest.strip_prefix("/{")?.split_once('}')?;
    // Of everyone's log, it is not the entry but the user.
    (name != "user").then_some(name)
}

fn parameters(route: &Route) -> impl Iterator<Item = &'static str> {
    let segments = route.pattern.split('/');
    segments.filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}
