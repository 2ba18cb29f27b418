//! Mailboxes as they may stand in a mail and on the SMTP wire: the last line of defence, whatever was checked before.
//!
//! SMTPUTF8 (RFC 6531) is not spoken: a domain outside ASCII is written in its `xn--` form, which every server
//! understands; a local part outside ASCII has no such form and is refused.

/// A name and an address in ASCII, safe to put into a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The display name, in Unicode, without control characters.
    pub name: Option<String>,
    /// `local@domain`, ASCII, at most 254 characters (RFC 5321, section 4.5.3.1).
    pub address: String,
}

/// The longest address that fits a path. (RFC 5321, section 4.5.3.1.3, less the angle brackets)
const ADDRESS_CHARS_MAX: usize = 254;

impl Mailbox {
    /// Reads `Name <local@domain>`, `"Name, quoted" <local@domain>` or `local@domain`.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.chars().any(char::is_control) {
            return Err("A mailbox must not contain control characters or line breaks.".into());
        }
        let text = text.trim();
        let Some((name, rest)) = text.rsplit_once('<') else {
            return Self::new(None, text);
        };
        let address = rest
            .strip_suffix('>')
            .ok_or("A mailbox with a `<` must end with `>`, as in `Name <name@example.com>`.")?;
        let name = unquote(name.trim());
        Self::new(Some(name.as_str()).filter(|n| !n.is_empty()), address)
    }

    /// A mailbox from a name and a bare address.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what to write instead.
    pub fn new(name: Option<&str>, address: &str) -> Result<Self, String> {
        if name.is_some_and(|n| n.chars().any(char::is_control)) {
            return Err("A name must not contain control characters or line breaks.".into());
        }
        Ok(Self {
            name: name.map(str::to_string),
            address: wire_address(address)?,
        })
    }

    /// The part after the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.address
            .rsplit_once('@')
            .map_or("", |(_, domain)| domain)
    }
}

fn unquote(name: &str) -> String {
    let Some(inner) = name.strip_prefix('"').and_then(|n| n.strip_suffix('"')) else {
        return name.to_string();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    plain
}

/// The address as it goes on the wire.
fn wire_address(address: &str) -> Result<String, String> {
    if address.chars().any(char::is_control) {
        return Err("An address must not contain control characters or line breaks.".into());
    }
    let (local, domain) = address
        .rsplit_once('@')
        .ok_or("An address needs an `@`, as in `name@example.com`.")?;
    if !local.is_ascii() {
        return Err(
            "The part before the `@` has letters outside ASCII (SMTPUTF8), which cannot be sent; use an ASCII alias."
                .into(),
        );
    }
    // Quoted local parts are refused with the rest: nobody has one, and each of these characters ends a path somewhere.
    let odd = |c: char| c.is_ascii_whitespace() || "<>()[]\\,;:\"@".contains(c);
    if local.is_empty() || local.len() > 64 || local.contains(odd) {
        return Err("The part before the `@` must be 1 to 64 plain characters.".into());
    }
    let domain = ascii_domain(domain).ok_or(
        "The part after the `@` must be a domain such as `example.com`; write an unusual one in its `xn--` form.",
    )?;
    let address = format!("{local}@{domain}");
    if address.len() > ADDRESS_CHARS_MAX {
        return Err(format!(
            "An address has at most {ADDRESS_CHARS_MAX} characters."
        ));
    }
    Ok(address)
}

/// The domain in ASCII: as it is, or each label outside ASCII in its `xn--` form (RFC 5891); none when it is no domain.
///
/// Only what needs no tables is converted: precomposed letters and digits, lowercased. A combining mark is refused.
fn ascii_domain(domain: &str) -> Option<String> {
    let labels: Option<Vec<String>> = domain
        .split('.')
        .map(|label| {
            let label = if label.is_ascii() {
                label.to_string()
            } else {
                let lower: Vec<char> = label.chars().flat_map(char::to_lowercase).collect();
                let simple = |c: &char| (c.is_alphanumeric() && !is_combining(*c)) || *c == '-';
                if !lower.iter().all(simple) {
                    return None;
                }
                format!("xn--{}", punycode(&lower)?)
            };
            let fine = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            let good = !label.is_empty() && label.len() <= 63 && label.bytes().all(fine);
            good.then_some(label)
        })
        .collect();
    labels.map(|labels| labels.join("."))
}

fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{20d0}'..='\u{20ff}')
}

/// Punycode with the parameters of IDNA. (RFC 3492, section 6.3); none when it would overflow.
fn punycode(input: &[char]) -> Option<String> {
    const BASE: u32 = 36;
    let mut output: String = input.iter().filter(|c| c.is_ascii()).collect();
    let basic = u32::try_from(output.len()).ok()?;
    let mut handled = basic;
    if basic > 0 {
        output.push('-');
    }
    let (mut n, mut delta, mut bias) = (128u32, 0u32, 72u32);
    while (handled as usize) < input.len() {
        let next = input.iter().map(|&c| c as u32).filter(|&c| c >= n).min()?;
        delta = delta.checked_add((next - n).checked_mul(handled + 1)?)?;
        n = next;
        for c in input.iter().map(|&c| c as u32) {
            if c < n {
                delta = delta.checked_add(1)?;
            }
            if c != n {
                continue;
            }
            let mut q = delta;
            for k in (BASE..).step_by(BASE as usize) {
                let t = k.saturating_sub(bias).clamp(1, 26);
                if q < t {
                    break;
                }
                output.push(digit(t + (q - t) % (BASE - t))?);
                q = (q - t) / (BASE - t);
            }
            output.push(digit(q)?);
            bias = adapt(delta, handled + 1, handled == basic);
            delta = 0;
            handled += 1;
        }
        delta = delta.checked_add(1)?;
        n += 1;
    }
    Some(output)
}

/// The digits of Punycode: a to z, then 0 to 9.
fn digit(value: u32) -> Option<char> {
    char::from_u32(if value < 26 {
        'a' as u32 + value
    } else {
        '0' as u32 + value - 26
    })
}

/// Bias adaptation. (RFC 3492, section 6.1)
fn adapt(delta: u32, points: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / points;
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_are_read() {
        for (text, name, address) in [
            ("a@b.example", None, "a@b.example"),
            ("Anna Berg <a@b.example>", Some("Anna Berg"), "a@b.example"),
            (
                r#""Berg, \"A\"" <a@b.example>"#,
                Some(r#"Berg, "A""#),
                "a@b.example",
            ),
            ("<a@b.example>", None, "a@b.example"),
            ("o'brien+x@b.example", None, "o'brien+x@b.example"),
            ("a@Bücher.example", None, "a@xn--bcher-kva.example"),
            ("a@blåbærsyltetøy.no", None, "a@xn--blbrsyltety-y8ao3x.no"),
            ("a@例え.テスト", None, "a@xn--r8jz45g.xn--zckzah"),
        ] {
            let mailbox = Mailbox::parse(text).unwrap();
            assert_eq!(
                (mailbox.name.as_deref(), mailbox.address.as_str()),
                (name, address)
            );
        }
    }

    #[test]
    fn what_could_end_a_command_is_refused() {
        for text in [
            "",
            "anna",
            "@b.example",
            "a@",
            "a b@c.example",
            "a@b.example>\r\nRCPT TO:<x@y.example",
            "a@b.example\0",
            "a\u{1}@b.example",
            "\u{7f}a@b.example",
            "a>b@c.example",
            "a@b@c.example",
            "Name <a@b.example",
            "a@b..example",
            "a@bu\u{308}cher.example",
            "ünal@b.example",
            "a@[127.0.0.1]",
        ] {
            assert!(Mailbox::parse(text).is_err(), "{text:?}");
        }
    }
}
