//! From a complete request to a reply: route, rights, handler; and every failure in the words of its API.

use super::auth;
use super::guard::{RawRequest, Refusal, Service};
use super::pages;
use super::reply::Reply;
use super::request::Request;
use super::response::Response;
use super::router::Router;
use super::routes::Handler;
use crate::app::App;
use crate::error::{Error, Result};
use crate::hooks::path_for_log;
use serde::Serialize;
use std::sync::Arc;

/// When to come back with what took too long.
const TOOK_TOO_LONG_RETRY_SECS: u32 = 60;

/// The service behind the guard.
pub struct Api {
    app: Arc<App>,
    router: Router,
}

impl Api {
    /// Both APIs over this appliance.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self {
            app,
            router: Router::new(),
        }
    }

    fn handle(&self, request: &mut Request) -> Result<Reply<Result<Response>>> {
        if let Some(page) = pages::answer(request) {
            return page.map(|page| Reply::Now(Ok(page)));
        }
        let found = match self.router.find(request.method(), request.path()) {
            Err(Error::NotFound(text)) => {
                let page = pages::lost(request).ok_or(Error::NotFound(text))?;
                return Ok(Reply::Now(Ok(page)));
            }
            found => found?,
        };
        request.set_params(found.params);
        let (app, access) = (&self.app, found.route.access);
        match found.route.handler {
            Handler::Now(handler) => {
                request.caller = auth::authorize(app, access, request)?;
                handler(app, request).map(|now| Reply::Now(Ok(now)))
            }
            Handler::Later(handler) => app.store.read(|db| {
                request.caller = auth::authorize_on(app, db, access, request)?;
                handler(app, db, request)
            }),
        }
    }
}

impl Service for Api {
    fn answer(&self, raw: RawRequest) -> Reply<Response> {
        let mut request = Request::new(raw);
        match self.handle(&mut request) {
            Ok(Reply::Now(Ok(response))) => Reply::Now(response),
            Ok(Reply::Now(Err(error))) | Err(error) => {
                Reply::Now(failed(request.method(), request.path(), &error))
            }
            Ok(later) => {
                let (method, path) = (request.method().to_owned(), request.path().to_owned());
                later.map(move |done| done.unwrap_or_else(|error| failed(&method, &path, &error)))
            }
        }
    }

    fn refuse(&self, refusal: &Refusal) -> Response {
        let style = Style::of(refusal.target.as_deref().unwrap_or_default());
        let (slug, message) = (refusal_slug(refusal.status), refusal.details);
        let response = body(style, refusal.status, slug, message);
        match refusal.retry_after_secs {
            Some(secs) => response.header("Retry-After", secs.to_string()),
            None => response,
        }
    }
}

fn failed(method: &str, path: &str, error: &Error) -> Response {
    if let Some(cause) = error.cause() {
        log::error!("{method} {}: {cause}", path_for_log(path));
    }
    render(Style::of(path), error)
}

/// In which words a failure is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `{"Result":"ERR","Message":"err_…","Details":"…"}`
    Admin,
    /// `{"errorCode":"404","message":"…"}`
    Send,
    /// `{"error":"…","error_description":"…"}` (RFC 6749, section 5.2)
    OAuth,
}

impl Style {
    pub(super) fn of(path: &str) -> Self {
        if path.contains("/oauth/") {
            Self::OAuth
        } else if path.starts_with("/api/v1.") {
            Self::Send
        } else {
            Self::Admin
        }
    }
}

/// The status code of a failure. (api.md, "Envelope")
#[must_use]
pub fn status_of(error: &Error) -> u16 {
    match error {
        Error::Invalid(_) | Error::Refused { .. } => 400,
        Error::Unauthorized(_) | Error::InvalidCredentials(_) => 401,
        Error::Forbidden { .. } | Error::Exceeding(_) | Error::MustChangePassword => 403,
        Error::NotFound(_) | Error::NothingToTest(_) => 404,
        Error::MethodNotAllowed { .. } => 405,
        Error::Duplicate(_) | Error::Conflict(_) => 409,
        Error::TooLarge(_) => 413,
        Error::UnsupportedMediaType(_) => 415,
        Error::KeyReused(_) => 422,
        Error::TooManyRequests { .. } | Error::CannotAccess { .. } => 429,
        Error::OAuth { error, .. } if *error == "invalid_client" => 401,
        Error::OAuth { .. } => 400,
        Error::Internal(_) => 500,
        Error::Unavailable { .. } | Error::TookTooLong => 503,
    }
}

fn render(style: Style, error: &Error) -> Response {
    let response = body(style, status_of(error), error.code(), &error.details());
    match error {
        Error::Unauthorized(_) => response.header("WWW-Authenticate", "Bearer"),
        Error::OAuth { error, .. } if *error == "invalid_client" => {
            response.header("WWW-Authenticate", "Basic realm=\"Herald\"")
        }
        Error::MethodNotAllowed { allow } => response.header("Allow", allow.clone()),
        Error::Unavailable {
            retry_after_secs, ..
        }
        | Error::TooManyRequests {
            retry_after_secs, ..
        }
        | Error::CannotAccess {
            retry_after_secs, ..
        } => response.header("Retry-After", retry_after_secs.to_string()),
        // The same may be quicker when less is going on.
        Error::TookTooLong => response.header("Retry-After", TOOK_TOO_LONG_RETRY_SECS.to_string()),
        _ => response,
    }
}

#[derive(Serialize)]
struct AdminError<'a> {
    #[serde(rename = "Result")]
    result: &'static str,
    #[serde(rename = "Message")]
    message: &'a str,
    #[serde(rename = "Details")]
    details: &'a str,
}

#[derive(Serialize)]
struct SendError<'a> {
    #[serde(rename = "errorCode")]
    error_code: String,
    message: &'a str,
}

#[derive(Serialize)]
struct OAuthError<'a> {
    error: &'a str,
    error_description: &'a str,
}

fn body(style: Style, status: u16, slug: &str, details: &str) -> Response {
    match style {
        Style::Admin => Response::json(
            status,
            &AdminError {
                result: "ERR",
                message: slug,
                details,
            },
        ),
        Style::Send => Response::json(
            status,
            &SendError {
                error_code: status.to_string(),
                message: details,
            },
        ),
        Style::OAuth => Response::json(
            status,
            &OAuthError {
                error: oauth_word(status, slug),
                error_description: details,
            },
        )
        .header("Cache-Control", "no-store"),
    }
}

/// A registered error word of RFC 6749 for failures that are not the token endpoint's own.
fn oauth_word(status: u16, slug: &str) -> &str {
    match status {
        _ if !slug.starts_with("err_") && !slug.starts_with("post_") => slug,
        500.. => "temporarily_unavailable",
        _ => "invalid_request",
    }
}

pub(super) fn refusal_slug(status: u16) -> &'static str {
    match status {
        413 | 431 => "err_TooLarge",
        503 => "err_Unavailable",
        500 => "post_generic",
        _ => "err_InvalidElement",
    }
}
