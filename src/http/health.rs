//! `livez` and `readyz`: no key, no detail.

use super::request::Request;
use super::response::Response;
use crate::app::{self, App};
use crate::error::Result;

/// The process answers.
pub(super) fn livez(_app: &App, _request: &Request) -> Result<Response> {
    Ok(ok())
}

/// The database answers and its writer takes work.
pub(super) fn readyz(app: &App, _request: &Request) -> Result<Response> {
    app::ready(app)?;
    Ok(ok())
}

fn ok() -> Response {
    Response::with_body(200, "text/plain; charset=utf-8", "ok\n")
}
