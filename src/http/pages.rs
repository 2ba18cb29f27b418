//! The admin pages: one shell for the address of every page, the files it loads, and the frame that shows HTML mail.
//!
//! They are static. Whatever they show comes through the API, with the operator's session.

use super::openapi;
use super::packed::Packed;
use super::request::Request;
use super::response::Response;
use crate::app::App;
use crate::assets;
use crate::error::{Error, Result};
use schemars::JsonSchema;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::LazyLock;

/// The addresses of the pages; the shell finds out by itself which view belongs to which.
#[rustfmt::skip] // A table: one view a line.
pub const PAGES: &[&str] = &[
    "/", "/setup", "/signin", "/password",
    "/log", "/log/{id}",
    "/users", "/users/import", "/users/new", "/users/{id}", "/users/{id}/{tab}",
    "/templates", "/templates/new", "/templates/{id}", "/types", "/types/new", "/types/{id}",
    "/captured", "/captured/{id}",
    "/settings", "/settings/{section}",
    "/reference", "/reference/{operation}",
];

/// What the shell may do: load our own files, ask our own API, and show frames that we serve. Scripts cannot turn text
/// into markup, because there is no Trusted Types policy that would let them.
pub const SHELL_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// What a shown mail may do: have styles and the images inside it. No script, no form, no other host, no origin.
pub const PREVIEW_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'self'; sandbox";

/// HTML to be shown.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it describes the body for OpenAPI")]
pub struct Preview {
    /// The HTML of a mail.
    html: String,
}

/// Stands in the shell for the version of all files together.
const VERSION_MARK: &str = "{version}";

static SITE: LazyLock<Site> = LazyLock::new(Site::new);

/// All files of the pages, packed once.
struct Site {
    shell: File,
    /// By path, `/pages/<version>/<name>`: modules name each other relatively, so all of them change their address at once.
    files: HashMap<String, File>,
    pages: matchit::Router<()>,
}

struct File {
    content: Packed,
    tag: String,
}

/// The reply to a request for a page or one of its files; `None` for the paths of the API.
pub(super) fn answer(request: &Request) -> Option<Result<Response>> {
    let path = request.path();
    let (file, policy, caching) = if let Some(file) = SITE.files.get(path) {
        (file, None, "public, max-age=31536000, immutable")
    } else if SITE.pages.at(path).is_ok() {
        openapi::prepare();
        (&SITE.shell, Some(SHELL_POLICY), "no-cache")
    } else {
        return None;
    };
    if request.method() != "GET" {
        let allow = "GET, HEAD".into();
        return Some(Err(Error::MethodNotAllowed { allow }));
    }
    let response = file.answer(request).header("Cache-Control", caching);
    Some(Ok(guarded(match policy {
        Some(policy) => response.header("Content-Security-Policy", policy),
        None => response,
    })))
}

/// The shell with this status, for a browser that asks for an address that nothing has.
pub(super) fn lost(request: &Request) -> Option<Response> {
    let is_for_a_person = request.method() == "GET"
        && request.header("sec-fetch-dest") == Some("document")
        && !request.path().starts_with("/api/");
    is_for_a_person.then(|| {
        let body = SITE.shell.content.plain.clone();
        let response = Response::with_body(404, media_type("index.html"), body);
        guarded(response.header("Content-Security-Policy", SHELL_POLICY))
    })
}

/// Gives HTML back as a document that can do nothing, for a frame of the pages. They cannot make it themselves: what a
/// page puts into a frame has the page's own policy, under which a mail would lose its styles.
pub(super) fn preview(_app: &App, request: &Request) -> Result<Response> {
    let mut pairs = form_urlencoded::parse(request.body());
    let (_, html) = pairs
        .find(|(name, _)| name == "html")
        .ok_or_else(|| Error::invalid("html is missing."))?;
    let response = Response::with_body(200, "text/html; charset=utf-8", html.into_owned());
    let response = response.header("Content-Security-Policy", PREVIEW_POLICY);
    Ok(guarded(response.header("Cache-Control", "no-store")))
}

fn guarded(response: Response) -> Response {
    response
        .header("X-Content-Type-Options", "nosniff")
        .header("Referrer-Policy", "no-referrer")
        .header("Cross-Origin-Opener-Policy", "same-origin")
        .header("Cross-Origin-Resource-Policy", "same-origin")
}

impl Site {
    fn new() -> Self {
        let (shell, others): (Vec<_>, Vec<_>) = assets::pages()
            .into_iter()
            .partition(|(name, _)| name == "index.html");
        let mut all = Sha256::new();
        for (name, content) in shell.iter().chain(&others) {
            all.update(name.as_bytes());
            all.update(Sha256::digest(content));
        }
        let version = short(&all.finalize());
        let html: Vec<u8> = shell.into_iter().flat_map(|(_, html)| html).collect();
        let html = String::from_utf8_lossy(&html).replace(VERSION_MARK, &version);
        let files = others.into_iter().map(|(name, content)| {
            let file = File::new(media_type(&name), content);
            (format!("/pages/{version}/{name}"), file)
        });
        let mut pages = matchit::Router::new();
        for pattern in PAGES {
            pages
                .insert(*pattern, ())
                .expect("a test asks for each of PAGES, so that no two exclude each other");
        }
        Self {
            shell: File::new(media_type("index.html"), html.into_bytes()),
            files: files.collect(),
            pages,
        }
    }
}

impl File {
    fn new(media_type: &'static str, plain: Vec<u8>) -> Self {
        Self {
            tag: format!("\"{}\"", short(&Sha256::digest(&plain))),
            content: Packed::new(media_type, plain),
        }
    }

    fn answer(&self, request: &Request) -> Response {
        let is_known = request.header("if-none-match") == Some(self.tag.as_str());
        let response = match is_known {
            true => Response::empty(304).header("Vary", "Accept-Encoding"),
            false => self.content.answer(request),
        };
        response.header("ETag", self.tag.clone())
    }
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

fn short(digest: &[u8]) -> String {
    use std::fmt::Write as _;
    digest.iter().take(10).fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
        hex
    })
}
