//! Request heads: httparse plus the rules it leaves open. Strict, because a proxy that frames a request differently
//! lets a client smuggle one past it. (RFC 9112, sections 2.2, 3.2, 6.1, 6.3 and 11.2)

use super::limits::Limits;
use httparse::{Header, Request, Status};

/// How many bytes of body follow a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// `Content-Length`, or none: 0.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// A head that passed every rule.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) http10: bool,
    pub(super) headers: Vec<(String, String)>,
    pub(super) framing: Framing,
    pub(super) close: bool,
    pub(super) expects_continue: bool,
    /// What the head took of [`Limits::head_bytes_max`]; trailers may have the rest.
    pub(super) bytes: usize,
}

/// Why a request is refused: a status and an English sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault(pub(super) u16, pub(super) &'static str);

/// As much of a request line as was understood, for a refusal.
#[derive(Debug, Default)]
pub(super) struct RequestLine {
    pub(super) method: Option<String>,
    pub(super) target: Option<String>,
    pub(super) http10: bool,
}

impl Head {
    pub(super) fn line(&self) -> RequestLine {
        RequestLine {
            method: Some(self.method.clone()),
            target: Some(self.target.clone()),
            http10: self.http10,
        }
    }
}

/// Where the head that begins `buffer` ends; the first `scanned` bytes have been looked at before.
pub(super) fn end_of_head(buffer: &[u8], scanned: usize) -> Result<Option<usize>, Fault> {
    for at in scanned..buffer.len() {
        let after_cr = at > 0 && buffer[at - 1] == b'\r';
        let line_feed = buffer[at] == b'\n';
        if after_cr != line_feed {
            return Err(Fault(400, "Each line of the head must end with CR LF."));
        }
        if line_feed && buffer[..=at].ends_with(b"\r\n\r\n") {
            return Ok(Some(at + 1));
        }
    }
    Ok(None)
}

/// What to say of a head that is longer than the limit.
pub(super) fn too_long(buffer: &[u8]) -> Fault {
    if buffer.contains(&b'\n') {
        Fault(431, "The headers are too long.")
    } else {
        Fault(414, "The address is too long.")
    }
}

/// Reads one whole head, its empty line included.
pub(super) fn parse(bytes: &[u8], limits: &Limits) -> Result<Head, (Fault, RequestLine)> {
    let mut headers = vec![httparse::EMPTY_HEADER; limits.headers_max];
    let mut request = Request::new(&mut headers);
    let outcome = request.parse(bytes);
    let bad = |fault| {
        let line = RequestLine {
            method: request.method.map(str::to_owned),
            target: request.path.map(str::to_owned),
            http10: request.version == Some(0),
        };
        (fault, line)
    };
    match outcome {
        Ok(Status::Complete(length)) if length == bytes.len() => {}
        Ok(_) => return Err(bad(Fault(400, "The head is malformed."))),
        Err(error) => return Err(bad(syntax_fault(error, bytes))),
    }
    understand(&request, bytes.len()).map_err(bad)
}

fn syntax_fault(error: httparse::Error, bytes: &[u8]) -> Fault {
    match error {
        httparse::Error::TooManyHeaders => Fault(431, "There are too many headers."),
        httparse::Error::Version if names_http(bytes) => {
            Fault(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here.")
        }
        httparse::Error::HeaderName | httparse::Error::HeaderValue => {
            Fault(400, "A header is malformed.")
        }
        _ => Fault(400, "The request line is malformed."),
    }
}

/// Whether the request line ends with a version of HTTP, if not with ours.
fn names_http(bytes: &[u8]) -> bool {
    let line = bytes.split(|b| *b == b'\r').next().unwrap_or_default();
    let parts: Vec<&[u8]> = line.split(|b| *b == b' ').collect();
    matches!(parts[..], [_, _, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]]
        if major.is_ascii_digit() && minor.is_ascii_digit())
}

fn understand(request: &Request<'_, '_>, bytes: usize) -> Result<Head, Fault> {
    let http10 = request.version == Some(0);
    let mut headers = Vec::with_capacity(request.headers.len());
    for Header { name, value } in request.headers.iter() {
        let value = std::str::from_utf8(value)
            .map_err(|_| Fault(400, "A header is not valid UTF-8."))?
            .trim_matches([' ', '\t']);
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let (target, authority) = origin_form(request.path.unwrap_or_default())?;
    check_host(&mut headers, http10, authority)?;
    let framing = framing(&headers, http10)?;
    let expects_continue = expects_continue(&headers, http10)?;
    // An HTTP/1.0 connection always closes: keeping it needs a reply header that few such clients miss.
    let close = http10 || tokens(&headers, "connection").any(|t| t.eq_ignore_ascii_case("close"));
    Ok(Head {
        method: request.method.unwrap_or_default().to_owned(),
        target,
        http10,
        headers,
        framing,
        close,
        expects_continue,
        bytes,
    })
}

/// The target as path and query, and the authority if it named one.
fn origin_form(target: &str) -> Result<(String, Option<&str>), Fault> {
    if !target.is_ascii() || target.contains('#') {
        return Err(Fault(400, "The address has a byte that must be encoded."));
    }
    if target.starts_with('/') {
        return Ok((target.to_owned(), None));
    }
    let rest = ["http://", "https://"]
        .iter()
        .find_map(|scheme| {
            let (start, rest) = target.split_at_checked(scheme.len())?;
            start.eq_ignore_ascii_case(scheme).then_some(rest)
        })
        .ok_or(Fault(400, "The address must begin with \"/\"."))?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.is_empty() {
        return Err(Fault(400, "The address names no host."));
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok((format!("{slash}{path}"), Some(authority)))
}

/// Holds `Host` to its rules; an absolute target overrides it. (RFC 9112, section 3.2)
fn check_host(
    headers: &mut [(String, String)],
    http10: bool,
    authority: Option<&str>,
) -> Result<(), Fault> {
    let mut hosts = headers.iter_mut().filter(|(name, _)| name == "host");
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(Fault(400, "There is more than one Host header."));
    }
    let Some((_, host)) = host else {
        return if http10 {
            Ok(())
        } else {
            Err(Fault(400, "A Host header is missing."))
        };
    };
    let named = authority.unwrap_or(host);
    if !named.bytes().all(is_host_byte) || !host.bytes().all(is_host_byte) {
        return Err(Fault(400, "The Host header is malformed."));
    }
    if let Some(authority) = authority {
        *host = authority.to_owned();
    }
    Ok(())
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+;=:[]".contains(&byte)
}

fn framing(headers: &[(String, String)], http10: bool) -> Result<Framing, Fault> {
    let mut lengths = values(headers, "content-length");
    let mut codings = values(headers, "transfer-encoding");
    match (lengths.next(), codings.next()) {
        (None, None) => Ok(Framing::Length(0)),
        (Some(_), Some(_)) => Err(Fault(
            400,
            "Content-Length and Transfer-Encoding exclude each other.",
        )),
        (Some(_), None) if lengths.next().is_some() => {
            Err(Fault(400, "There is more than one Content-Length header."))
        }
        (Some(length), None) => content_length(length),
        (None, Some(_)) if http10 => Err(Fault(400, "HTTP/1.0 has no Transfer-Encoding.")),
        (None, Some(_)) if codings.next().is_some() => Err(Fault(
            400,
            "There is more than one Transfer-Encoding header.",
        )),
        (None, Some(coding)) => transfer_coding(coding),
    }
}

fn content_length(text: &str) -> Result<Framing, Fault> {
    // `parse` alone would take a plus sign.
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(length) if digits => Ok(Framing::Length(length)),
        _ => Err(Fault(400, "Content-Length must be a plain number.")),
    }
}

fn transfer_coding(text: &str) -> Result<Framing, Fault> {
    if text.eq_ignore_ascii_case("chunked") {
        return Ok(Framing::Chunked);
    }
    let codings: Vec<&str> = text
        .split(',')
        .map(|c| c.trim_matches([' ', '\t']))
        .collect();
    let mut before_last = codings.iter().rev().skip(1);
    let misplaced = |c: &&str| c.is_empty() || c.eq_ignore_ascii_case("chunked");
    if codings.last() == Some(&"") || before_last.any(misplaced) {
        return Err(Fault(400, "Transfer-Encoding must be \"chunked\"."));
    }
    Err(Fault(501, "Only the transfer coding \"chunked\" is known."))
}

fn expects_continue(headers: &[(String, String)], http10: bool) -> Result<bool, Fault> {
    let mut any = false;
    for value in values(headers, "expect") {
        if !value.eq_ignore_ascii_case("100-continue") {
            return Err(Fault(417, "Only \"Expect: 100-continue\" can be met."));
        }
        any = true;
    }
    Ok(any && !http10)
}

fn values<'a>(headers: &'a [(String, String)], name: &'a str) -> impl Iterator<Item = &'a str> {
    let of_name = move |(n, v): &'a (String, String)| (n == name).then_some(v.as_str());
    headers.iter().filter_map(of_name)
}

fn tokens<'a>(headers: &'a [(String, String)], name: &'a str) -> impl Iterator<Item = &'a str> {
    values(headers, name).flat_map(|v| v.split(',').map(|t| t.trim_matches([' ', '\t'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Result<Head, (Fault, RequestLine)> {
        parse(text.as_bytes(), &Limits::default())
    }

    #[test]
    fn a_head_is_found_however_it_arrives() {
        let whole = b"GET / HTTP/1.1\r\nHost: x\r\n\r\nrest";
        for cut in 0..whole.len() - 4 {
            assert_eq!(end_of_head(&whole[..cut], 0), Ok(None));
            assert_eq!(end_of_head(whole, cut), Ok(Some(whole.len() - 4)));
        }
    }

    #[test]
    fn an_absolute_target_gives_its_path_and_host() {
        let head = head("GET HTTP://a:1?q=1 HTTP/1.1\r\nHost: b\r\nX: \t y \r\n\r\n").unwrap();
        assert_eq!(head.target, "/?q=1");
        let expected = [("host", "a:1"), ("x", "y")].map(|(n, v)| (n.into(), v.into()));
        assert_eq!(head.headers, expected);
    }

    #[test]
    fn connection_close_is_a_token_of_any_connection_header() {
        for (lines, close) in [
            ("", false),
            ("Connection: keep-alive\r\n", false),
            ("Connection: x, CLOSE\r\n", true),
            ("Connection: x\r\nConnection: close\r\n", true),
        ] {
            let text = format!("GET / HTTP/1.1\r\nHost: b\r\n{lines}\r\n");
            assert_eq!(head(&text).unwrap().close, close, "{lines}");
        }
        assert!(head("GET / HTTP/1.0\r\n\r\n").unwrap().close);
    }
}
