//! Where a message goes to and comes from: e-mail addresses, phone numbers and mailboxes.
//!
//! Whatever passes here is safe on a line of SMTP or in a header: no control character, no space, no angle bracket.

use std::fmt;

use crate::error::Error;

/// The longest part before the `@`, in bytes. (RFC 5321, 4.5.3.1.1)
pub const LOCAL_PART_BYTES_MAX: usize = 64;
/// The longest e-mail address, in bytes. (RFC 5321, 4.5.3.1.3, less the angle brackets)
pub const EMAIL_BYTES_MAX: usize = 254;
/// The longest label of a domain, in bytes. (RFC 1035, 2.3.4)
pub const LABEL_BYTES_MAX: usize = 63;
/// The fewest digits of a phone number with its country code; shorter ones are national short codes.
pub const PHONE_DIGITS_MIN: usize = 7;
/// The most digits of a phone number with its country code. (E.164)
pub const PHONE_DIGITS_MAX: usize = 15;
/// The longest name in front of a mailbox's address, in characters.
pub const DISPLAY_NAME_CHARS_MAX: usize = 128;

/// Refuses control characters (and Unicode's own line separators) in a text, naming the field.
/// With `newline_ok`, line ends and tabs may stay.
pub fn no_controls(field: &str, text: &str, newline_ok: bool) -> Result<(), Error> {
    let bad = |c: &char| match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => !newline_ok,
        other => other.is_control(),
    };
    // Most text is plain ASCII, where a look at the bytes says enough. Without an early end the loop is vectorised.
    let plain =
        |b: u8| matches!(b, 0x20..=0x7e) | (newline_ok & matches!(b, b'\n' | b'\r' | b'\t'));
    if text.bytes().fold(true, |all, b| all & plain(b)) {
        return Ok(());
    }
    match text.chars().find(bad) {
        None => Ok(()),
        Some('\n' | '\r' | '\u{2028}' | '\u{2029}') => {
            Err(Error::invalid(format!("{field} must be one line.")))
        }
        Some(c) => Err(Error::invalid(format!(
            "{field} must not hold the control character U+{:04X}.",
            u32::from(c)
        ))),
    }
}

/// An address for e-mail, such as `anna@example.com`. (RFC 5321, "Mailbox", without quoted local parts and IP addresses)
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Checks an address; blanks around it are not part of it. A domain without a dot, such as `localhost`, is fine.
    ///
    /// Only ASCII: other letters need SMTPUTF8 all the way to the mailbox, which nobody can promise for a stranger's server.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim_matches(' ');
        no_controls("An e-mail address", text, false)?;
        if text.len() > EMAIL_BYTES_MAX {
            return Err(Error::invalid(format!(
                "An e-mail address has at most {EMAIL_BYTES_MAX} characters."
            )));
        }
        let Some((local, domain)) = text.rsplit_once('@') else {
            return Err(refused(text, "it has no @; the form is 'anna@example.com'"));
        };
        check_local(text, local)?;
        check_domain(text, domain)?;
        Ok(Self(text.into()))
    }

    /// The address as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn refused(text: &str, why: &str) -> Error {
    Error::invalid(format!("'{text}' is not an e-mail address: {why}."))
}

fn check_local(text: &str, local: &str) -> Result<(), Error> {
    if local.starts_with('"') {
        return Err(refused(text, "a quoted part before the @ is not supported"));
    }
    if local.is_empty() || local.len() > LOCAL_PART_BYTES_MAX {
        return Err(refused(text, "before the @ are 1 to 64 characters"));
    }
    if !local.is_ascii() {
        return Err(refused(
            text,
            "before the @ only ASCII characters can be delivered everywhere",
        ));
    }
    let atom = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&c);
    if let Some(c) = local.bytes().find(|c| *c != b'.' && !atom(*c)) {
        let why = format!("'{}' must not stand before the @", char::from(c));
        return Err(refused(text, &why));
    }
    if local.split('.').any(str::is_empty) {
        return Err(refused(
            text,
            "a dot before the @ stands between two characters",
        ));
    }
    Ok(())
}

fn check_domain(text: &str, domain: &str) -> Result<(), Error> {
    if domain.starts_with('[') {
        return Err(refused(text, "an IP address after the @ is not supported"));
    }
    if !domain.is_ascii() {
        return Err(refused(text, "write the domain in its ASCII form (xn--…)"));
    }
    let good = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if !domain.split('.').all(good) {
        return Err(refused(
            text,
            "after the @ stands a domain such as 'example.com'",
        ));
    }
    Ok(())
}

/// A mobile number in the international form, such as `+4712345678`. (E.164)
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Checks a number; blanks around it are not part of it, and nothing is guessed: a national number is refused.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim_matches(' ');
        no_controls("A phone number", text, false)?;
        let digits = text.strip_prefix('+').unwrap_or_default();
        let good = (PHONE_DIGITS_MIN..=PHONE_DIGITS_MAX).contains(&digits.len())
            && digits.bytes().all(|c| c.is_ascii_digit())
            && !digits.starts_with('0');
        if good {
            return Ok(Self(text.into()));
        }
        let shown: String = text.chars().take(40).collect();
        Err(Error::invalid(format!(
            "'{shown}' is not an international phone number; write + and {PHONE_DIGITS_MIN} to {PHONE_DIGITS_MAX} digits \
             from the country code on, without spaces or dashes, such as '+4712345678'."
        )))
    }

    /// The number with its `+`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who a message comes from: `Name <a@b>` or `a@b`. (RFC 5322, "mailbox"; names may hold any letters, not only ASCII)
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mailbox {
    name: Option<String>,
    address: EmailAddress,
    text: String,
}

impl Mailbox {
    /// Checks a mailbox; a name with special characters such as a comma has to be in quotes.
    pub fn parse(text: &str) -> Result<Self, Error> {
        no_controls("A sender", text, false)?;
        let text = text.trim();
        let Some(before) = text.strip_suffix('>') else {
            let address = EmailAddress::parse(text).map_err(|e| {
                Error::invalid(format!(
                    "{} A sender is 'Name <anna@example.com>' or 'anna@example.com'.",
                    e.details()
                ))
            })?;
            return Ok(Self {
                name: None,
                address,
                text: text.into(),
            });
        };
        let Some((name, address)) = before.rsplit_once('<') else {
            return Err(Error::invalid(
                "A sender that ends with '>' needs a '<' before the address.",
            ));
        };
        let name = display_name(name.trim())?;
        Ok(Self {
            name: (!name.is_empty()).then_some(name),
            address: EmailAddress::parse(address)?,
            text: text.into(),
        })
    }

    /// The name, without its quotes.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> &EmailAddress {
        &self.address
    }

    /// The mailbox as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn display_name(text: &str) -> Result<String, Error> {
    if text.chars().count() > DISPLAY_NAME_CHARS_MAX {
        return Err(Error::invalid(format!(
            "A sender's name has at most {DISPLAY_NAME_CHARS_MAX} characters."
        )));
    }
    if !text.starts_with('"') {
        let special = |c: &char| "()<>[]:;@\\,\"".contains(*c);
        return match text.chars().find(special) {
            None => Ok(text.into()),
            Some(c) => Err(Error::invalid(format!(
                "A sender's name with '{c}' in it has to be in double quotes."
            ))),
        };
    }
    unquoted(text).ok_or_else(|| {
        Error::invalid("A sender's quoted name ends with the second of its double quotes.")
    })
}

/// The inside of a quoted string, if the text is one. (RFC 5322, 3.2.4)
fn unquoted(text: &str) -> Option<String> {
    let mut inside = String::new();
    let mut rest = text.strip_prefix('"')?.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' => return rest.next().is_none().then_some(inside),
            '\\' => inside.push(rest.next()?),
            other => inside.push(other),
        }
    }
    None
}
