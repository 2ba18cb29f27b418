//! A provider URL taken apart and decoded, and the form of it that may be shown.

use crate::error::{Error, Result};
use percent_encoding::percent_decode_str;
use std::path::PathBuf;

/// The fewest and the most messages a second that `rate=` may ask for.
pub const RATE_RANGE: (f64, f64) = (0.001, 100_000.0);

/// A provider URL taken apart and decoded, for a provider's `read`.
pub struct Parts {
    /// The scheme's word.
    pub scheme: &'static str,
    /// The user, decoded.
    pub user: Option<String>,
    /// The password, decoded.
    pub password: Option<String>,
    /// The host in lower case, IPv6 without brackets; empty when there is none.
    pub host: String,
    /// The port, where one is given.
    pub port: Option<u16>,
    /// The URL with the password as `***`.
    pub masked: String,
    path: String,
    /// The place of each among all, from 1, its name and its value.
    params: Vec<(usize, String, String)>,
    /// Messages a second at most, where a limit is given.
    pub rate: Option<f64>,
    /// Whether nothing follows the scheme.
    pub rest_is_empty: bool,
}

impl Parts {
    pub(super) fn split(scheme: &'static str, text: &str) -> Result<Self> {
        let rest = &text[scheme.len() + 1..];
        let mut parts = Self {
            scheme,
            user: None,
            password: None,
            host: String::new(),
            port: None,
            masked: text.to_string(),
            path: String::new(),
            params: Vec::new(),
            rate: None,
            rest_is_empty: rest.is_empty(),
        };
        let Some(rest) = rest.strip_prefix("//") else {
            return Ok(parts);
        };
        if rest.contains('#') {
            return Err(Error::invalid(format!(
                "{scheme}:// takes no `#`; write a `#` in a password as %23."
            )));
        }
        let (rest, query) = rest
            .split_once('?')
            .map_or((rest, None), |(r, q)| (r, Some(q)));
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        parts.path = path.to_string();
        let host = match authority.rsplit_once('@') {
            None => authority,
            Some((credentials, host)) => {
                parts.read_credentials(credentials)?;
                host
            }
        };
        // A service may have one place, and then needs none; [`Parts::params`] tells the others.
        if !authority.is_empty() {
            parts.read_host(host)?;
        }
        for (pair, at) in query.into_iter().flat_map(|q| q.split('&')).zip(1..) {
            let (name, value) = pair.split_once('=').ok_or_else(|| {
                Error::invalid(format!(
                    "Each parameter of {scheme}:// is `name=value`, joined by `&`."
                ))
            })?;
            let value = decode(scheme, "a parameter", value)?;
            match name {
                "rate" => parts.read_rate(&value)?,
                _ => parts.params.push((at, name.to_string(), value)),
            }
        }
        Ok(parts)
    }

    /// The outbox keeps to it, so no provider need know it.
    fn read_rate(&mut self, value: &str) -> Result<()> {
        let (least, most) = RATE_RANGE;
        let rate = value.parse().ok();
        let rate = rate.filter(|rate| (least..=most).contains(rate) && self.rate.is_none());
        self.rate = Some(rate.ok_or_else(|| {
            Error::invalid(format!(
                "rate= is given once, as messages a second from {least} to {most}, such as rate=10 or rate=0.5."
            ))
        })?);
        Ok(())
    }

    fn read_credentials(&mut self, credentials: &str) -> Result<()> {
        let scheme = self.scheme;
        if credentials.contains('@') {
            return Err(Error::invalid(format!(
                "{scheme}:// has more than one `@` before the host; write an `@` in a user or password as %40."
            )));
        }
        let (user, password) = credentials
            .split_once(':')
            .map_or((credentials, None), |(u, p)| (u, Some(p)));
        self.user = Some(decode(scheme, "the user", user)?);
        if let Some(password) = password {
            if password.contains(':') {
                return Err(Error::invalid(format!(
                    "{scheme}:// has a second `:` in its password; write it as %3A."
                )));
            }
            self.password = Some(decode(scheme, "the password", password)?);
            let shown = format!("{scheme}://{user}:***@");
            let hidden = scheme.len() + 3 + credentials.len() + 1;
            self.masked = shown + &self.masked[hidden..];
        }
        Ok(())
    }

    fn read_host(&mut self, text: &str) -> Result<()> {
        let scheme = self.scheme;
        let wrong = || {
            Error::invalid(format!(
                "{scheme}:// needs a host after `//` or the `@`, as in {scheme}://user:password@host.example; \
                 a port is a number from 1 to 65535, and `/`, `?` and `:` in a password are written %2F, %3F and %3A."
            ))
        };
        let (host, port) = match text.strip_prefix('[') {
            Some(inner) => {
                let (host, after) = inner.split_once(']').ok_or_else(wrong)?;
                let address: std::net::Ipv6Addr = host.parse().map_err(|_| wrong())?;
                let port = if after.is_empty() {
                    None
                } else {
                    Some(after.strip_prefix(':').ok_or_else(wrong)?)
                };
                (address.to_string(), port)
            }
            None => {
                let (host, port) = text
                    .split_once(':')
                    .map_or((text, None), |(h, p)| (h, Some(p)));
                let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
                if host.is_empty() || host.len() > 253 || !host.bytes().all(plain) {
                    return Err(wrong());
                }
                (host.to_ascii_lowercase(), port)
            }
        };
        self.host = host;
        if let Some(port) = port {
            let digits = port.bytes().all(|b| b.is_ascii_digit());
            let number = port.parse().ok().filter(|&p: &u16| digits && p > 0);
            self.port = Some(number.ok_or_else(wrong)?);
        }
        Ok(())
    }

    /// The parameters in the order of `known`; each at most once.
    ///
    /// # Errors
    /// [`Error::Invalid`] when there is no host, a path, or a parameter that is not known or comes twice.
    pub fn params<const N: usize>(&self, known: [&'static str; N]) -> Result<[Option<String>; N]> {
        let scheme = self.scheme;
        if self.host.is_empty() {
            return Err(Error::invalid(format!(
                "{scheme}: needs `//` and a host, as in {scheme}://user:password@host.example."
            )));
        }
        if !matches!(self.path.as_str(), "" | "/") {
            return Err(Error::invalid(format!(
                "{scheme}:// takes no path after the host; write a `/` in a password as %2F."
            )));
        }
        let mut found = [const { None }; N];
        for (at, name, value) in &self.params {
            let place = known.iter().position(|k| k == name);
            let Some(place) = place.filter(|&p| found[p].is_none()) else {
                let known = match known.is_empty() {
                    true => "rate only".to_owned(),
                    false => known.join(", "),
                };
                return Err(Error::invalid(format!(
                    "Parameter {at} of {scheme}:// is not known or comes twice; known are {known}.",
                )));
            };
            found[place] = Some(value.clone());
        }
        Ok(found)
    }

    /// The path, as it was typed and without a slash at the end, for a provider that takes one.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a path that cannot stand in a request.
    pub fn take_path(&mut self) -> Result<String> {
        let path = std::mem::take(&mut self.path);
        let is_sound = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&b);
        decode(self.scheme, "the path", &path)?;
        if !path.bytes().all(is_sound) {
            return Err(Error::invalid(format!(
                "The path of {}:// holds a character that has to be percent-encoded.",
                self.scheme
            )));
        }
        Ok(path.trim_end_matches('/').to_owned())
    }

    /// The path, decoded, for a provider that is told by a file.
    ///
    /// # Errors
    /// [`Error::Invalid`] when there is none, or it is not encoded well.
    pub fn take_file(&mut self) -> Result<PathBuf> {
        let path = decode(self.scheme, "the path", &std::mem::take(&mut self.path))?;
        match path.len() {
            0 | 1 => Err(Error::invalid(format!(
                "{0}:// needs the path of a key file, as in {0}:///etc/herald/service-account.json.",
                self.scheme
            ))),
            _ => Ok(path.into()),
        }
    }

    /// The parameters whose names begin so, without that beginning, and in their order.
    pub fn take_params(&mut self, start: &str) -> Vec<(String, String)> {
        let taken = self
            .params
            .extract_if(.., |(_, name, _)| name.starts_with(start));
        taken
            .map(|(_, name, value)| (name[start.len()..].to_owned(), value))
            .collect()
    }

    /// Hides the values of such parameters.
    pub fn mask_params(&mut self, is_secret: impl Fn(&str) -> bool) {
        let Some((place, query)) = self.masked.split_once('?') else {
            return;
        };
        let shown = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, _)) if is_secret(name) => format!("{name}=***"),
            _ => pair.to_owned(),
        });
        self.masked = format!("{place}?{}", shown.collect::<Vec<_>>().join("&"));
    }

    /// Hides a user that is a secret, such as a token.
    pub fn mask_user(&mut self) {
        if let Some((_, place)) = self.masked.split_once('@') {
            self.masked = format!("{}://***@{place}", self.scheme);
        }
    }

    /// Scheme, host and port of a gateway, such as `https://api.twilio.com`; plain HTTP where the scheme ends with `+http`.
    #[must_use]
    pub fn base(&self) -> String {
        let scheme = match self.scheme.ends_with("+http") {
            true => "http",
            false => "https",
        };
        let port = self.port.map(|p| format!(":{p}")).unwrap_or_default();
        match self.host.contains(':') {
            true => format!("{scheme}://[{}]{port}", self.host),
            false => format!("{scheme}://{}{port}", self.host),
        }
    }

    /// Whether the host is this machine: 127.0.0.0/8, ::1 or `localhost`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let address = self.host.parse::<std::net::IpAddr>();
        self.host == "localhost" || address.is_ok_and(|a| a.is_loopback())
    }
}

/// Strict percent-decoding: each `%` needs two digits, the result is UTF-8 without control characters. `+` stays a plus.
fn decode(scheme: &str, what: &str, text: &str) -> Result<String> {
    let bytes = text.as_bytes();
    let digits = |at: usize| {
        bytes
            .get(at + 1..at + 3)
            .is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit))
    };
    let encoded_well = (0..bytes.len()).all(|at| bytes[at] != b'%' || digits(at));
    let decoded = percent_decode_str(text)
        .decode_utf8()
        .ok()
        .filter(|_| encoded_well);
    let Some(decoded) = decoded else {
        return Err(Error::invalid(format!(
            "In {what} of {scheme}:// a `%` must be followed by two hexadecimal digits that make UTF-8; write a `%` itself as %25."
        )));
    };
    if decoded.chars().any(char::is_control) {
        return Err(Error::invalid(format!(
            "In {what} of {scheme}:// there is a control character or line break; remove it."
        )));
    }
    Ok(decoded.into_owned())
}
