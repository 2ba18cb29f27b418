//! Replies: a status, headers and a body, written by tiny_http's `Response`; or a status, headers and what will make the
//! body while it is written.

use super::guard::Sink;
use super::paging::Paging;
use serde::Serialize;
use std::fmt;
use std::io::Cursor;
use tiny_http::{HTTPVersion, Header, StatusCode};

/// A reply before it is written. The body is whole, or comes from a feed.
#[derive(Debug)]
pub struct Response {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    feed: Option<Feed>,
}

/// What makes a body while it is written, on a thread of its own.
pub struct Feed {
    /// How long the body will be; none if nobody knows.
    pub length: Option<u64>,
    /// Makes it, until it is at its end or nobody reads any more.
    pub run: Box<dyn FnOnce(Sink) + Send>,
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Positive<T> {
    #[serde(rename = "Result")]
    result: &'static str,
    #[serde(rename = "Data", skip_serializing_if = "Option::is_none")]
    data: Option<T>,
    #[serde(rename = "Paging", skip_serializing_if = "Option::is_none")]
    paging: Option<Paging>,
}

impl Response {
    /// A reply with this status and no body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            feed: None,
        }
    }

    /// A reply whose body is made while it is written.
    #[must_use]
    pub fn streamed(media_type: &str, feed: Feed) -> Self {
        let mut response = Self::empty(200).header("Content-Type", media_type);
        response.feed = Some(feed);
        response
    }

    /// Takes out what makes the body, if something has to.
    pub(super) fn take_feed(&mut self) -> Option<Feed> {
        self.feed.take()
    }

    /// The head of a reply whose body comes from a feed; the connection closes behind it. Chunked where nobody knows how
    /// long the body will be and the client understands that.
    pub(super) fn print_head(self, http10: bool, length: Option<u64>) -> Vec<u8> {
        let version = if http10 { "HTTP/1.0" } else { "HTTP/1.1" };
        let mut head = format!(
            "{version} {} OK\r\nServer: Herald\r\nConnection: close\r\n",
            self.status
        );
        match length {
            Some(length) => head.push_str(&format!("Content-Length: {length}\r\n")),
            None if http10 => {}
            None => head.push_str("Transfer-Encoding: chunked\r\n"),
        }
        for (name, value) in &self.headers {
            if !value.bytes().any(|b| b.is_ascii_control()) {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// A reply with a body of this media type.
    #[must_use]
    pub fn with_body(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::empty(status)
            .header("Content-Type", media_type)
            .body(body.into())
    }

    /// A JSON reply.
    #[must_use]
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        let body =
            serde_json::to_vec(body).expect("wire structs have string keys and no failing parts");
        Self::with_body(status, "application/json", body)
    }

    /// The admin API's plain positive. (api.md, "Envelope")
    #[must_use]
    pub fn done() -> Self {
        Self::json(
            200,
            &Positive::<()> {
                result: "OK",
                data: None,
                paging: None,
            },
        )
    }

    /// The admin API's positive with data.
    #[must_use]
    pub fn data(data: impl Serialize) -> Self {
        Self::json(
            200,
            &Positive {
                result: "OK",
                data: Some(data),
                paging: None,
            },
        )
    }

    /// The admin API's positive with a page of a list.
    #[must_use]
    pub fn page<T: Serialize>(data: Vec<T>, paging: Paging) -> Self {
        let link = paging.link();
        Self::json(
            200,
            &Positive {
                result: "OK",
                data: Some(data),
                paging: Some(paging),
            },
        )
        .header("Link", link)
    }

    /// Where the new element is.
    #[must_use]
    pub fn location(self, path: impl Into<String>) -> Self {
        self.header("Location", path)
    }

    fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    /// Adds a header. A value with a byte that no header may hold is dropped when written.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The bytes for the socket. `head_only` for HEAD; `close` adds `Connection: close`, which tiny_http would drop.
    #[must_use]
    pub fn print(self, http10: bool, head_only: bool, close: bool) -> Vec<u8> {
        let length = self.body.len();
        let mut out = Vec::with_capacity(length + 256);
        let headers = self
            .headers
            .iter()
            // tiny_http takes any ASCII, and a line end would begin another header.
            .filter(|(_, value)| !value.bytes().any(|b| b.is_ascii_control()))
            .filter_map(|(name, value)| Header::from_bytes(name.as_bytes(), value.as_bytes()).ok())
            .chain(Header::from_bytes("Server", "Herald"))
            .collect();
        let response = tiny_http::Response::new(
            StatusCode(self.status),
            headers,
            Cursor::new(self.body),
            Some(length),
            None,
        )
        .with_chunked_threshold(usize::MAX);
        let version = if http10 {
            HTTPVersion(1, 0)
        } else {
            HTTPVersion(1, 1)
        };
        response
            .raw_print(&mut out, version, &[], head_only, None)
            .expect("writing to a Vec cannot fail");
        if close {
            let line_end = out.iter().position(|b| *b == b'\n').map_or(0, |at| at + 1);
            out.splice(line_end..line_end, *b"Connection: close\r\n");
        }
        out
    }
}
