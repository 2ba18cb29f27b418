//! A request as a handler sees it: path parameters, query, headers, a decoded body.

use super::auth::Caller;
use super::guard::RawRequest;
use super::object::Object;
use crate::error::{Error, Result};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// A routed request.
#[derive(Debug)]
pub struct Request {
    raw: RawRequest,
    params: Vec<(String, String)>,
    query: Vec<(String, String)>,
    /// Who is calling; none on public routes.
    pub(super) caller: Option<Caller>,
}

impl Request {
    /// A request without parameters yet.
    #[must_use]
    pub fn new(raw: RawRequest) -> Self {
        let query = raw.target.split_once('?').map_or("", |(_, query)| query);
        let query = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        Self {
            raw,
            params: Vec::new(),
            query,
            caller: None,
        }
    }

    /// The method; HEAD is answered as GET.
    #[must_use]
    pub fn method(&self) -> &str {
        match self.raw.method.as_str() {
            "HEAD" => "GET",
            other => other,
        }
    }

    /// The path as sent, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.raw.target.split('?').next().unwrap_or_default()
    }

    /// The query's pairs, decoded, in order.
    #[must_use]
    pub fn query(&self) -> &[(String, String)] {
        &self.query
    }

    /// The first header of that lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.raw
            .headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// The address of whoever called; empty for a socket file.
    #[must_use]
    pub fn peer(&self) -> String {
        self.raw
            .peer
            .map(|peer| peer.to_string())
            .unwrap_or_default()
    }

    /// Whether the request was addressed to this machine by a name that only it answers to.
    #[must_use]
    pub fn is_for_loopback(&self) -> bool {
        let host = self.header("host").unwrap_or_default();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        let bare = name.trim_matches(['[', ']']);
        name.eq_ignore_ascii_case("localhost")
            || bare
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }

    /// The body's bytes.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.raw.body
    }

    pub(super) fn set_params(&mut self, params: Vec<(String, String)>) {
        self.params = params;
    }

    /// The caller of a route that needs one.
    ///
    /// # Errors
    /// [`Error::Internal`] on a public route: a fault in the route table.
    pub fn caller(&self) -> Result<&Caller> {
        self.caller
            .as_ref()
            .ok_or_else(|| Error::internal("a public route asked for its caller"))
    }

    /// A path parameter, decoded.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is not UTF-8.
    pub fn param(&self, name: &str) -> Result<String> {
        let raw = self
            .params
            .iter()
            .find(|(n, _)| n == name)
            .ok_or_else(|| Error::internal(format!("the pattern has no {{{name}}}")))?;
        percent_decode_str(&raw.1)
            .decode_utf8()
            .map(Into::into)
            .map_err(|_| Error::Invalid(format!("The {name} in the address is not UTF-8.")))
    }

    /// A path parameter that is an integer id.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is no whole number, [`Error::NotFound`] if no id can be that large.
    pub fn id(&self, name: &str) -> Result<i64> {
        let text = self.param(name)?;
        whole(&text).ok_or_else(|| {
            let digits = text.strip_prefix('-').unwrap_or(&text);
            if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
                Error::NotFound(format!("Nothing has the id {text}."))
            } else {
                Error::Invalid(format!("The {name} in the address must be a whole number."))
            }
        })
    }

    /// A path parameter that is a GUID.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn guid(&self, name: &str) -> Result<Uuid> {
        Uuid::try_parse(&self.param(name)?)
            .map_err(|_| Error::Invalid(format!("The {name} in the address must be a GUID.")))
    }

    /// The JSON body. Unknown fields are ignored, a wrong type is an error that names the field.
    ///
    /// # Errors
    /// [`Error::UnsupportedMediaType`], [`Error::Invalid`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        if let Some(media_type) = self.header("content-type") {
            let essence = media_type.split(';').next().unwrap_or_default().trim();
            if !essence.eq_ignore_ascii_case("application/json") {
                return Err(Error::UnsupportedMediaType(
                    "Send the body as `Content-Type: application/json`.".into(),
                ));
            }
        }
        let text = std::str::from_utf8(self.body())
            .map_err(|_| Error::invalid("The body is not UTF-8."))?;
        let mut decoder = serde_json::Deserializer::from_str(text);
        let Object(value) = serde_path_to_error::deserialize(&mut decoder).map_err(|fault| {
            let path = fault.path().to_string();
            let inner = fault.into_inner();
            match inner.classify() {
                serde_json::error::Category::Data if path != "." => {
                    Error::Invalid(format!("{path}: {}.", for_people(&inner)))
                }
                serde_json::error::Category::Data => {
                    Error::Invalid(format!("The body does not fit: {}.", for_people(&inner)))
                }
                _ => Error::Invalid(format!("The body is not JSON: {inner}.")),
            }
        })?;
        decoder
            .end()
            .map_err(|fault| Error::Invalid(format!("The body is not JSON: {fault}.")))?;
        Ok(value)
    }

    /// The body as text of this media type; a byte order mark is no part of it.
    ///
    /// # Errors
    /// [`Error::UnsupportedMediaType`], [`Error::Invalid`].
    pub fn text(&self, media_type: &str) -> Result<&str> {
        let given = self.header("content-type").unwrap_or_default();
        let essence = given.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case(media_type) {
            return Err(Error::UnsupportedMediaType(format!(
                "Send the body as `Content-Type: {media_type}`."
            )));
        }
        let text = std::str::from_utf8(self.body())
            .map_err(|_| Error::invalid("The body is not UTF-8."))?;
        Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
    }

    /// The form-encoded body's pairs.
    ///
    /// # Errors
    /// [`Error::OAuth`], because only the token endpoint takes forms.
    pub fn form(&self) -> Result<Vec<(String, String)>> {
        let media_type = self.header("content-type").unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Error::OAuth {
                error: "invalid_request",
                description: "Send the body as `Content-Type: application/x-www-form-urlencoded`."
                    .into(),
            });
        }
        Ok(form_urlencoded::parse(self.body()).into_owned().collect())
    }
}

/// A whole number as this API writes it: `+1` is not another way to say 1.
pub(super) fn whole<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok().filter(|_| !text.starts_with('+'))
}

/// serde_json's sentence without " at line 1 column 12", which says little beside the field's name, and in JSON's words
/// instead of Rust's.
fn for_people(fault: &serde_json::Error) -> String {
    let text = fault.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    [
        ("expected i64", "expected a whole number of at most 64 bits"),
        ("expected a map", "expected an object"),
        ("invalid type: map", "invalid type: object"),
        ("invalid type: sequence", "invalid type: list"),
    ]
    .iter()
    .fold(text[..end].to_owned(), |text, (rust, json)| {
        text.replace(rust, json)
    })
}
