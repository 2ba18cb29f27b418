//! From method and path to a line of ROUTES.

use super::routes::{ROUTES, Route};
use crate::error::{Error, Result};
use std::collections::BTreeMap;

/// The versions of the send API; they behave alike. (api.md, section 3)
const SEND_VERSIONS: [&str; 3] = ["/api/v1.3", "/api/v1.2", "/api/v1.1"];

/// Finds the route of a request.
pub struct Router {
    by_path: matchit::Router<Vec<&'static Route>>,
}

/// A route and its path parameters, still percent-encoded.
pub struct Found {
    /// The line of the table.
    pub route: &'static Route,
    /// The parameters by name.
    pub params: Vec<(String, String)>,
}

impl Router {
    /// A router over ROUTES.
    #[must_use]
    pub fn new() -> Self {
        let mut patterns: BTreeMap<String, Vec<&'static Route>> = BTreeMap::new();
        for route in ROUTES {
            for path in paths(route.pattern) {
                patterns.entry(path).or_default().push(route);
            }
        }
        let mut by_path = matchit::Router::new();
        for (pattern, routes) in patterns {
            by_path
                .insert(pattern, routes)
                .expect("a test loops over ROUTES, so that no two patterns exclude each other");
        }
        Self { by_path }
    }

    /// The route for this method and path.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::MethodNotAllowed`] with the methods that the path has.
    pub fn find(&self, method: &str, path: &str) -> Result<Found> {
        let matched = self
            .by_path
            .at(path)
            .map_err(|_| Error::not_found("There is nothing at this address."))?;
        let route = matched
            .value
            .iter()
            .find(|route| route.method == method)
            .ok_or_else(|| {
                let mut allow: Vec<_> = matched.value.iter().map(|r| r.method).collect();
                if allow.contains(&"GET") {
                    allow.push("HEAD");
                }
                Error::MethodNotAllowed {
                    allow: allow.join(", "),
                }
            })?;
        let params = matched.params.iter();
        Ok(Found {
            route,
            params: params.map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        })
    }
}

impl Default for Router {
    fn default() -> Self {
        Self::new()
    }
}

/// Every path under which a pattern is served.
fn paths(pattern: &str) -> Vec<String> {
    match pattern.strip_prefix(SEND_VERSIONS[0]) {
        Some(rest) => SEND_VERSIONS
            .iter()
            .map(|version| format!("{version}{rest}"))
            .collect(),
        None => vec![pattern.to_owned()],
    }
}
