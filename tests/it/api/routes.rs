//! What the route table promises of every line. (api.md, section 2, "Envelope"; design.md, "Tables are tests too")

use super::case::Asked;
use super::exchange;
use crate::support::app::TestApp;
use herald::clients::{self, Draft};
use herald::domain::scope::{Area, Scope};
use herald::http::auth::Access;
use herald::http::openapi::{self, Part};
use herald::http::router::Router;
use herald::http::routes::{Gives, ROUTES, Route};
use serde_json::Value;
use std::collections::BTreeSet;

const METHODS: [&str; 5] = ["GET", "POST", "DELETE", "PUT", "PATCH"];
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// A path that the pattern stands for.
fn path(route: &Route) -> String {
    let segments = route.pattern.split('/').map(|segment| match segment {
        "{userId}" => NOBODY,
        other if other.starts_with('{') => "987654321",
        other => other,
    });
    segments.collect::<Vec<_>>().join("/")
}

fn call(app: &TestApp, method: &str, path: &str, authorization: &str) -> String {
    exchange::send(
        app,
        &Asked {
            method: method.into(),
            path: path.into(),
            headers: vec![("Authorization".into(), authorization.into())],
            body: None,
        },
    )
}

fn error(path: &str, status: u16, headers: &str, slug: &str, details: &str) -> String {
    let body = if path.contains("/oauth/") {
        format!(
            "\n< Cache-Control: no-store\n<< {{\"error\":\"invalid_request\",\"error_description\":{details:?}}}"
        )
    } else if path.starts_with("/api/v1.") {
        format!("\n<< {{\"errorCode\":\"{status}\",\"message\":{details:?}}}")
    } else {
        format!("\n<< {{\"Result\":\"ERR\",\"Message\":{slug:?},\"Details\":{details:?}}}")
    };
    format!("< {status}\n< {headers}\n< Content-Type: application/json{body}")
}

#[test]
fn every_line_is_reachable_because_a_literal_beats_a_parameter() {
    let router = Router::new();
    for route in ROUTES {
        let found = router
            .find(route.method, &path(route))
            .unwrap_or_else(|e| panic!("{}: {e}", route.pattern));
        assert_eq!(
            (found.route.method, found.route.pattern),
            (route.method, route.pattern)
        );
    }
}

#[test]
fn every_line_that_is_not_public_answers_401_without_a_key() {
    let app = TestApp::start();
    for route in ROUTES.iter().filter(|r| r.access != Access::Public) {
        let path = path(route);
        let missing =
            "Send a key or a token as `Authorization: Bearer …`; `herald client create` makes one.";
        let expected = error(
            &path,
            401,
            "WWW-Authenticate: Bearer",
            "err_Unauthorized",
            missing,
        );
        assert_eq!(
            call(&app, route.method, &path, ""),
            expected,
            "{} {path}",
            route.method
        );
        let unknown = "This key or token is unknown, revoked or expired.";
        let expected = error(
            &path,
            401,
            "WWW-Authenticate: Bearer",
            "err_Unauthorized",
            unknown,
        );
        let reply = call(&app, route.method, &path, "Bearer hrldk_wrong");
        assert_eq!(reply, expected, "{} {path}", route.method);
    }
}

#[test]
fn every_line_that_is_not_public_answers_403_to_a_key_of_every_other_scope() {
    let app = TestApp::start();
    for route in ROUTES {
        let Access::Needs(need) = route.access else {
            continue;
        };
        // All single scopes that do not do.
        let all = Area::ALL.iter().flat_map(|area| {
            ["", ":read", ":write"].map(|mode| format!("relesys.api.{}{mode}", area.word()))
        });
        let accepted = need.accepted();
        let scopes: Vec<_> = all
            .chain(["relesys.api:read".into(), "relesys.api:write".into()])
            .filter(|scope| !accepted.contains(scope))
            .collect();
        let key = key(&app, &scopes.join(" "));
        let path = path(route);
        let reply = call(&app, route.method, &path, &format!("Bearer {key}"));
        let details = format!("One of these scopes is needed: {}.", accepted.join(", "));
        let body = match path.starts_with("/api/v1.") {
            true => format!("<< {{\"errorCode\":\"403\",\"message\":{details:?}}}"),
            false => format!(
                "<< {{\"Result\":\"ERR\",\"Message\":\"err_Forbidden\",\"Details\":{details:?}}}"
            ),
        };
        let expected = format!("< 403\n< Content-Type: application/json\n{body}");
        assert_eq!(reply, expected, "{} {path}", route.method);
    }
}

#[test]
fn every_scope_that_a_refusal_names_opens_the_line() {
    let app = TestApp::start();
    for route in ROUTES {
        let Access::Needs(need) = route.access else {
            continue;
        };
        for scope in need.accepted() {
            assert!(Scope::parse(&scope).is_ok(), "{scope}");
            // A stream has no end to wait for; its head tells enough.
            let method = match route.gives {
                Gives::Other("text/event-stream") => "HEAD",
                _ => route.method,
            };
            let reply = call(
                &app,
                method,
                &path(route),
                &format!("Bearer {}", key(&app, &scope)),
            );
            let status = &reply[2..5];
            assert!(
                !["401", "403"].contains(&status),
                "{} {} with {scope}: {reply}",
                route.method,
                route.pattern
            );
        }
    }
}

fn key(app: &TestApp, scopes: &str) -> String {
    let draft = Draft {
        label: "one".into(),
        scopes: scopes.into(),
        expires: None,
    };
    clients::create(&app.server().app, draft, None, "tests")
        .unwrap()
        .key
}

#[test]
fn every_path_answers_405_and_allow_to_a_method_it_does_not_have() {
    let app = TestApp::start();
    for route in ROUTES {
        let path = path(route);
        let of_path: Vec<_> = ROUTES
            .iter()
            .filter(|r| r.pattern == route.pattern)
            .map(|r| r.method)
            .collect();
        let mut allow = of_path.clone();
        if allow.contains(&"GET") {
            allow.push("HEAD");
        }
        let allow = allow.join(", ");
        for method in METHODS.iter().filter(|m| !of_path.contains(m)) {
            let details = format!("This address answers to {allow}.");
            let expected = error(
                &path,
                405,
                &format!("Allow: {allow}"),
                "err_MethodNotAllowed",
                &details,
            );
            assert_eq!(call(&app, method, &path, ""), expected, "{method} {path}");
        }
    }
}

#[test]
fn the_three_versions_of_the_send_api_have_the_same_lines() {
    let router = Router::new();
    for route in ROUTES {
        let Some(rest) = route.pattern.strip_prefix("/api/v1.3") else {
            continue;
        };
        for version in ["/api/v1.2", "/api/v1.1"] {
            let path = path(route).replace("/api/v1.3", version);
            let found = router
                .find(route.method, &path)
                .map(|found| found.route.pattern);
            assert_eq!(found.ok(), Some(route.pattern), "{version}{rest}");
        }
    }
}

/// The documents, where they are and what they are about.
const DOCUMENTS: [(&str, Part); 3] = [
    ("/openapi.json", Part::All),
    ("/api/admin/v1/openapi.json", Part::Admin),
    ("/api/v1.3/openapi.json", Part::Send),
];

#[test]
fn openapi_holds_exactly_the_lines_of_the_table() {
    for (address, part) in DOCUMENTS {
        let document = served(address, part);
        let mut documented = BTreeSet::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for method in operations.as_object().unwrap().keys() {
                documented.insert((method.to_uppercase(), path.clone()));
            }
        }
        let lines: Vec<_> = ROUTES
            .iter()
            .filter_map(|route| Some((route.method.to_owned(), part.path(route)?.to_owned())))
            .collect();
        let served: BTreeSet<_> = lines.iter().cloned().collect();
        assert_eq!(documented, served, "{address}");
        assert_eq!(
            served.len(),
            lines.len(),
            "{address}: a line is there twice"
        );
        assert!(lines.len() > 5, "{address}");
    }
}

#[test]
fn openapi_describes_each_line_as_it_is() {
    let document = served("/openapi.json", Part::All);
    assert_eq!(document["openapi"], "3.1.0");
    let mut operation_ids = BTreeSet::new();
    for route in ROUTES {
        let operation = &document["paths"][route.pattern][route.method.to_lowercase()];
        let what = format!("{} {}", route.method, route.pattern);
        let id = operation["operationId"].as_str().unwrap();
        assert!(operation_ids.insert(id.to_owned()), "{what}");
        assert_eq!(operation["summary"], route.summary, "{what}");
        let takes = operation["requestBody"].is_object();
        assert_eq!(takes, route.takes.is_some(), "{what}");
        let security = operation["security"].as_array().unwrap();
        let is_public = route.access == Access::Public;
        assert_eq!(security.is_empty(), is_public, "{what}");
        if let Access::Needs(need) = route.access {
            let scopes = security.iter().filter_map(|any| any["oauth2"][0].as_str());
            assert_eq!(scopes.collect::<Vec<_>>(), need.accepted(), "{what}");
        }
        let parameters = operation["parameters"].as_array().unwrap();
        let in_path: BTreeSet<_> = parameters
            .iter()
            .filter(|p| p["in"] == "path" && p["required"] == true)
            .map(|p| format!("{{{}}}", p["name"].as_str().unwrap()))
            .collect();
        let in_pattern: BTreeSet<_> = route
            .pattern
            .split('/')
            .filter(|s| s.starts_with('{'))
            .map(str::to_owned)
            .collect();
        assert_eq!(in_path, in_pattern, "{what}");
        let responses = operation["responses"].as_object().unwrap();
        for (status, there) in [
            ("400", true),
            ("401", !is_public),
            ("403", !is_public),
            ("405", true),
            ("500", true),
        ] {
            assert!(!there || responses.contains_key(status), "{what}: {status}");
        }
    }
    every_reference_leads_somewhere(&document, &document);
}

#[test]
fn openapi_names_the_fields_of_each_list() {
    let document = served("/openapi.json", Part::All);
    for route in ROUTES {
        let Gives::Page(_, list) = route.gives else {
            continue;
        };
        let operation = &document["paths"][route.pattern]["get"];
        let parameters = operation["parameters"].as_array().unwrap();
        let words: BTreeSet<_> = parameters
            .iter()
            .filter(|p| p["in"] == "query")
            .map(|p| p["name"].as_str().unwrap())
            .collect();
        let mut expected: BTreeSet<_> = list.fields.iter().map(|field| field.name).collect();
        expected.extend(["page", "pageSize", "sort"]);
        expected.extend(list.searchable.then_some("search"));
        expected.extend(list.log.map_or(vec![], |_| vec!["after", "from", "to"]));
        assert_eq!(words, expected, "{}", route.pattern);
    }
}

#[test]
fn openapi_names_the_filters_of_what_is_done_to_many() {
    let document = served("/openapi.json", Part::All);
    let mut seen = 0;
    for route in ROUTES {
        let Some(list) = route.filters else {
            continue;
        };
        seen += 1;
        let operation = &document["paths"][route.pattern][route.method.to_lowercase()];
        let parameters = operation["parameters"].as_array().unwrap();
        let words: BTreeSet<_> = parameters
            .iter()
            .map(|p| (p["in"].as_str().unwrap(), p["name"].as_str().unwrap()))
            .collect();
        let fields = list.fields.iter().map(|field| field.name);
        let others = route.query.iter().map(|word| word.name);
        let expected = fields.chain(others).chain(["from", "to"]);
        assert_eq!(
            words,
            expected.map(|word| ("query", word)).collect(),
            "{}",
            route.pattern
        );
    }
    assert_eq!(seen, 3);
}

fn every_reference_leads_somewhere(document: &Value, part: &Value) {
    match part {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference}");
            }
            fields
                .values()
                .for_each(|value| every_reference_leads_somewhere(document, value));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|value| every_reference_leads_somewhere(document, value)),
        _ => {}
    }
}

/// A document as a client without a key downloads it.
fn served(address: &str, part: Part) -> Value {
    let app = TestApp::start();
    let reply = call(&app, "GET", address, "");
    let head = "< 200\n< Content-Type: application/json\n<< ";
    let document: Value = serde_json::from_str(reply.strip_prefix(head).unwrap()).unwrap();
    assert_eq!(document, openapi::build(part));
    document
}
