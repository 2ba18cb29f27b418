//! Providers like to repeat what they refuse. Of a sensitive message nothing is kept that it says. (delivery.md, promise 5)

use crate::domain::message::Outgoing;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;
use std::collections::HashSet;

/// How many bytes in a row an answer and the content share before one is taken for a copy of the other.
const SHARED_BYTES: usize = 12;
/// How many digits in a row are taken for a code.
const CODE_DIGITS: usize = 4;
/// How much of each part of the content is looked at, in bytes.
const PART_BYTES_MAX: usize = 64 * 1024;
/// The shortest run of letters and digits that may be base64.
const BASE64_CHARS: usize = 16;

const INSTEAD: &str = "*** The provider repeated the content, which is not kept.";

/// The answer as it may be kept of this message.
#[must_use]
pub fn without_content(answer: String, message: &Outgoing) -> String {
    if !message.is_sensitive || answer.is_empty() {
        return answer;
    }
    let parts = [message.subject.as_deref(), message.html_body.as_deref()];
    let long = parts.into_iter().flatten();
    let content: Vec<Vec<u8>> = long
        // A short subject gives nothing away and may stand in any answer; a short text may be nothing but a code.
        .filter(|part| part.len() >= SHARED_BYTES)
        .chain([message.body.as_str()])
        .map(|part| lower(&part.as_bytes()[..part.len().min(PART_BYTES_MAX)]))
        .collect();
    let windows: HashSet<&[u8]> = content
        .iter()
        .flat_map(|part| part.windows(SHARED_BYTES.min(part.len().max(1))))
        .collect();
    // The recipient stands in most answers and in many mails: that is no copy.
    let recipient = message.recipient.to_ascii_lowercase();
    let told = String::from_utf8_lossy(&lower(answer.as_bytes())).replace(&recipient, " ");
    let is_copied = |form: &[u8]| {
        (1..=SHARED_BYTES).any(|length| {
            let mut own = form.windows(length);
            own.any(|window| windows.contains(window))
        })
    };
    let is_short = content.iter().any(|part| part.len() < SHARED_BYTES);
    let shares = |form: &[u8]| match is_short {
        true => is_copied(form),
        false => form.windows(SHARED_BYTES).any(|w| windows.contains(w)),
    };
    if forms(&told, &answer).iter().any(|form| shares(form)) {
        return INSTEAD.into();
    }
    hide_codes(answer, &content)
}

/// The answer as it is and as it may have been encoded.
fn forms(told: &str, answer: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![
        told.as_bytes().to_vec(),
        lower(&percent_decode_str(told).collect::<Vec<u8>>()),
        // Quoted-printable is percent-encoding with another sign and lines that are cut.
        lower(&percent_decode_str(&told.replace("= ", "").replace('=', "%")).collect::<Vec<u8>>()),
        told.replace('\\', "").into_bytes(),
    ];
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/-_".contains(c);
    for run in answer.split(|c| !is_base64(c)) {
        if run.len() < BASE64_CHARS {
            continue;
        }
        // A cut may have taken the last characters: what is left of whole groups is decoded.
        let whole = &run[..run.len() / 4 * 4];
        let decoded = [STANDARD_NO_PAD.decode(whole), URL_SAFE_NO_PAD.decode(whole)];
        forms.extend(decoded.into_iter().flatten().map(|bytes| lower(&bytes)));
    }
    forms
}

/// A code of a few digits is too short to be noticed as a copy.
fn hide_codes(answer: String, content: &[Vec<u8>]) -> String {
    let mut kept = answer.clone();
    for run in answer.split(|c: char| !c.is_ascii_digit()) {
        let is_code = run.len() >= CODE_DIGITS
            && content
                .iter()
                .any(|part| part.windows(run.len()).any(|w| w == run.as_bytes()));
        if is_code {
            kept = kept.replace(run, "***");
        }
    }
    kept
}

fn lower(bytes: &[u8]) -> Vec<u8> {
    bytes.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::format::Format;
    use jiff::Timestamp;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use uuid::Uuid;

    const LINK: &str = "https://app.example.com/reset?token=eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl";

    fn message(body: &str) -> Outgoing {
        Outgoing {
            guid: Uuid::nil(),
            format: Format::Sms,
            recipient: "bo@example.net".into(),
            recipient_name: None,
            sender: None,
            default_sender: String::new(),
            subject: Some("Your new password".into()),
            body: body.into(),
            html_body: None,
            is_sensitive: true,
            created: Timestamp::UNIX_EPOCH,
            expires: Timestamp::MAX,
        }
    }

    #[test]
    fn an_answer_that_repeats_the_content_in_any_form_is_not_kept() {
        let sensitive = message(&format!("Sent to bo@example.net: {LINK}"));
        let percent = utf8_percent_encode(LINK, NON_ALPHANUMERIC).to_string();
        let echoes = [
            LINK.to_owned(),
            LINK.to_uppercase(),
            percent,
            LINK.replace('=', "=3D"),
            LINK.replace('/', "\\/"),
            base64::engine::general_purpose::STANDARD.encode(LINK),
            URL_SAFE_NO_PAD.encode(format!("{{\"text\":\"{LINK}\"}}")),
            LINK[..LINK.len() - 9].to_owned(),
        ];
        for echo in echoes {
            let kept = without_content(format!("554 5.7.1 Spam: {echo}"), &sensitive);
            assert_eq!(kept, INSTEAD, "{echo}");
        }
    }

    #[test]
    fn an_answer_about_something_else_is_kept_but_for_the_codes() {
        let sensitive = message(&format!("Your code is 482913. {LINK}"));
        for (answer, kept) in [
            (
                "550 5.1.1 <bo@example.net> User unknown",
                "550 5.1.1 <bo@example.net> User unknown",
            ),
            ("Refused (482913), see 4829", "Refused (***), see ***"),
            ("", ""),
        ] {
            assert_eq!(without_content(answer.into(), &sensitive), kept);
        }
        let harmless = Outgoing {
            is_sensitive: false,
            ..sensitive
        };
        assert_eq!(without_content(LINK.into(), &harmless), LINK);
    }

    #[test]
    fn a_short_text_is_noticed_too() {
        let sensitive = message("K7-qX2");
        assert_eq!(without_content("no: K7-qX2".into(), &sensitive), INSTEAD);
        assert_eq!(without_content("no: K7".into(), &sensitive), "no: K7");
    }
}
