//! The one place that makes outbound HTTP calls: no redirects, no proxy variables, deadlines, a bounded answer.
//!
//! Knows the classes of transport errors and of bare status codes; what a gateway's body means is the provider's business.

mod sent;

use super::answer::{Mask, Secret};
use super::tls::{is_about_certificate, is_certificate_fault};
use super::{Class, Failure, Timeouts};
use crate::domain::retry::Signal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use sent::{SentMark, connector};
use std::fmt;
use std::io::Read as _;
use std::time::Duration;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::resolver::DefaultResolver;

/// The most of an answer's body that is read; the rest is cut off, not an error, for the status already says enough.
pub const BODY_BYTES_MAX: u64 = 64 * 1024;

/// An idle connection is dropped before the five seconds after which many servers close theirs:
/// a request that meets a closing server is in doubt, and for an SMS nobody can repeat that.
const IDLE_MAX: Duration = Duration::from_secs(4);

/// The border of what is believed of a `Retry-After`. (delivery.md, "Retry policy")
const RETRY_AFTER_RANGE_SECS: (u64, u64) = (1, 3600);

/// An HTTP client for one sender thread; it keeps its connection between calls.
pub struct HttpClient {
    agent: ureq::Agent,
    mark: SentMark,
    mask: Mask,
}

/// A call to make.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Call {
    /// `GET`, `POST` …
    pub method: &'static str,
    /// Where to.
    pub url: String,
    /// The headers, beside those of every call.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Call {
    /// A call that only looks.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: "GET",
            url: url.into(),
            ..Self::default()
        }
    }

    /// A call with a form.
    #[must_use]
    pub fn form<N: AsRef<str>, V: AsRef<str>>(url: impl Into<String>, fields: &[(N, V)]) -> Self {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        Self::post(
            url,
            "application/x-www-form-urlencoded",
            form.finish().into_bytes(),
        )
    }

    /// A call with a JSON body.
    #[must_use]
    pub fn json(url: impl Into<String>, body: &serde_json::Value) -> Self {
        Self::post(url, "application/json", body.to_string().into_bytes())
    }

    fn post(url: impl Into<String>, media_type: &str, body: Vec<u8>) -> Self {
        Self {
            method: "POST",
            url: url.into(),
            headers: vec![("Content-Type".into(), media_type.into())],
            body,
        }
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With Basic credentials. (RFC 7617)
    #[must_use]
    pub fn basic(self, user: &str, password: &Secret) -> Self {
        let pair = format!("{user}:{}", password.expose());
        self.header("Authorization", format!("Basic {}", STANDARD.encode(pair)))
    }
}

/// Without headers and body, which hold secrets.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

/// What a gateway answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code; never an error by itself.
    pub status: u16,
    /// The first [`BODY_BYTES_MAX`] bytes of the body as text; what is not UTF-8 becomes U+FFFD.
    pub body: String,
    /// `Retry-After`, where it makes sense, clamped to 1 s..1 h.
    pub retry_after: Option<Duration>,
}

impl HttpClient {
    /// A client that trusts the authorities of the operating system and masks these secrets in failures.
    #[must_use]
    pub fn new(timeouts: &Timeouts, mask: Mask) -> Self {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(std::sync::Arc::new(
                rustls::crypto::ring::default_provider(),
            ))
            .build();
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_resolve(Some(timeouts.http_connect))
            .timeout_connect(Some(timeouts.http_connect))
            .timeout_global(Some(timeouts.http_total.min(timeouts.attempt)))
            .max_response_header_size(64 * 1024)
            .max_idle_connections(1)
            .max_idle_connections_per_host(1)
            .max_idle_age(IDLE_MAX)
            .user_agent(concat!("herald/", env!("CARGO_PKG_VERSION")))
            .build();
        let mark = SentMark::default();
        let agent =
            ureq::Agent::with_parts(config, connector(mark.clone()), DefaultResolver::default());
        Self { agent, mark, mask }
    }

    /// Makes one call; `now` is for a `Retry-After` that names a date.
    ///
    /// # Errors
    /// A [`Failure`] when there was no status: provider or configuration fault when the request had not been sent,
    /// in doubt when it had. A configuration fault for an address or a header that cannot be.
    pub fn call(&mut self, call: Call, now: Timestamp) -> Result<Answer, Failure> {
        let mut request = ureq::http::Request::builder()
            .method(call.method)
            .uri(call.url);
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        let request = request.body(call.body).map_err(|why| {
            let text = why.to_string();
            self.mask.failure(Class::Configuration, None, &text)
        })?;
        self.mark.clear();
        let response = self.agent.run(request).map_err(|why| self.failure(&why))?;
        let status = response.status().as_u16();
        let waits = response.headers().get_all("retry-after").iter();
        // There should be one; of several the longest keeps whatever was meant.
        let retry_after = waits
            .filter_map(|value| retry_after(value.to_str().ok()?, now))
            .max();
        let mut body = Vec::new();
        let mut reader = response.into_body().into_reader().take(BODY_BYTES_MAX);
        if let Err(why) = reader.read_to_end(&mut body) {
            // The status has come and says what became of the request; the provider sees that the body is not whole.
            log::debug!("the body of an answer broke off: {why}");
        }
        Ok(Answer {
            status,
            body: String::from_utf8_lossy(&body).into_owned(),
            retry_after,
        })
    }

    fn failure(&self, why: &ureq::Error) -> Failure {
        let (signal, when) = match self.mark.is_set() {
            true => (Signal::NoStatus, "after"),
            false if is_certificate(why) => (Signal::BadCertificate, "before"),
            false => (Signal::Unreachable, "before"),
        };
        let text = format!("The call failed {when} the request was sent: {why}.");
        self.mask.signal(signal, &text)
    }
}

fn is_certificate(why: &ureq::Error) -> bool {
    match why {
        ureq::Error::Rustls(why) => is_about_certificate(why),
        ureq::Error::Io(why) => is_certificate_fault(why),
        _ => false,
    }
}

/// The status of one plain GET, for `herald health`.
///
/// # Errors
/// A sentence: no such address, no connection, no answer in time.
pub fn status_of_get(url: &str, timeout: Duration) -> Result<u16, String> {
    let timeouts = Timeouts {
        http_connect: timeout,
        http_total: timeout,
        ..Timeouts::default()
    };
    HttpClient::new(&timeouts, Mask::nothing())
        .call(Call::get(url), Timestamp::UNIX_EPOCH)
        .map(|answer| answer.status)
        .map_err(|failure| failure.answer)
}

/// `Retry-After` as seconds or as a date (RFC 9110, section 10.2.3), clamped to 1 s..1 h; none when it is neither.
#[must_use]
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let (least, most) = RETRY_AFTER_RANGE_SECS;
    let value = value.trim();
    let secs = if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        value.parse().unwrap_or(u64::MAX)
    } else {
        let date = httpdate::parse_http_date(value).ok()?;
        let date = Timestamp::try_from(date).ok()?;
        u64::try_from(date.as_second() - now.as_second()).unwrap_or(0)
    };
    Some(Duration::from_secs(secs.clamp(least, most)))
}
