//! Requests and answers of the look-alikes on the wire. Lenient towards clients, strict about sizes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::{self, BufRead, ErrorKind, Read as _};

/// The largest request head.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;

/// The most headers of a request.
pub const HEADERS_MAX: usize = 64;

/// The largest request body.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// A request as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The connection it came over, from 0.
    pub connection: usize,
    /// `GET`, `POST` …
    pub method: String,
    /// The path, with the query if there is one.
    pub target: String,
    /// The headers, names in lower case, sorted.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// About how many bytes it holds.
    pub(super) fn size(&self) -> usize {
        let headers = self.headers.iter();
        let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
        self.method.len() + self.target.len() + headers + self.body.len()
    }

    /// Method and target.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }

    /// The target without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target
            .split_once('?')
            .map_or(&self.target, |(path, _)| path)
    }

    /// The value of a header; the name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The fields of a form, in their order.
    #[must_use]
    pub fn form(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// The first value of a form's field; none if it is not there or empty.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        let mut fields = form_urlencoded::parse(&self.body);
        let found = fields.find(|(known, value)| known == name && !value.is_empty());
        found.map(|(_, value)| value.into_owned())
    }

    /// User and password of Basic credentials.
    #[must_use]
    pub fn basic(&self) -> Option<(String, String)> {
        let proof = self.header("authorization")?.strip_prefix("Basic ")?;
        let pair = String::from_utf8(STANDARD.decode(proof).ok()?).ok()?;
        let (user, password) = pair.split_once(':')?;
        Some((user.to_owned(), password.to_owned()))
    }
}

/// An answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers beside the length.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// A JSON body.
    #[must_use]
    pub fn json(status: u16, body: String) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".into(), "application/json".into())],
            body: body.into_bytes(),
        }
    }

    /// The head, with the length of this body.
    pub(super) fn head(&self, length: usize) -> Vec<u8> {
        let status = self.status;
        let mut head = format!("HTTP/1.1 {status} Simulated\r\nContent-Length: {length}\r\n");
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        head.into_bytes()
    }
}

/// Reads the next request; none when the client has gone.
///
/// # Errors
/// [`ErrorKind::InvalidData`] with a sentence for the client; anything else is the connection's.
pub(super) fn read(reader: &mut impl BufRead, connection: usize) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    let mut limited = reader.take(HEAD_BYTES_MAX as u64);
    loop {
        let begin = head.len();
        if limited.read_until(b'\n', &mut head)? == 0 || !head.ends_with(b"\n") {
            return match (head.is_empty(), head.len() < HEAD_BYTES_MAX) {
                (true, _) => Ok(None),
                (false, true) => Err(ErrorKind::UnexpectedEof.into()),
                (false, false) => refuse("the head of the request is too long"),
            };
        }
        if matches!(&head[begin..], b"\r\n" | b"\n") {
            break;
        }
    }
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut headers);
    if let Err(why) = parsed.parse(&head) {
        return refuse(&format!("the head of the request is not HTTP/1.1: {why}"));
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let mut request = Request {
        connection,
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        headers: parsed
            .headers
            .iter()
            .map(|header| (header.name.to_ascii_lowercase(), text(header.value)))
            .collect(),
        body: Vec::new(),
    };
    request.headers.sort();
    if request.header("transfer-encoding").is_some() {
        return refuse("send the body with a Content-Length");
    }
    let length = match request.header("content-length").map(str::parse) {
        None => 0,
        Some(Ok(length)) if length <= BODY_BYTES_MAX => length,
        Some(_) => return refuse(&format!("a body has at most {BODY_BYTES_MAX} bytes")),
    };
    request.body.resize(length, 0);
    reader.read_exact(&mut request.body)?;
    Ok(Some(request))
}

fn refuse<T>(sentence: &str) -> io::Result<T> {
    Err(io::Error::new(ErrorKind::InvalidData, sentence))
}
