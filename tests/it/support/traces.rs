//! Traces of secrets in raw bytes: files, logs, copies. Whatever form a mail, a URL or a line of a log gives them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::json;
use std::collections::HashSet;

/// So many bytes are told from chance, in sealed text too. A secret of twice as many has such a piece on one of two pages
/// of a database, wherever it is cut.
const PIECE: usize = 12;

/// Pieces of secrets, in each form in which they may stand somewhere.
pub(crate) struct Traces {
    pieces: HashSet<[u8; PIECE]>,
    /// Which beginnings they have: most of a file is passed over by a look at it.
    begins: Vec<bool>,
}

/// The place of a piece in [`Traces::begins`], by its first three bytes.
fn begin(piece: &[u8]) -> usize {
    usize::from(piece[0]) << 16 | usize::from(piece[1]) << 8 | usize::from(piece[2])
}

impl Traces {
    #[track_caller]
    pub(crate) fn of(secrets: &[impl AsRef<str>]) -> Self {
        let mut pieces = HashSet::new();
        for secret in secrets.iter().map(AsRef::as_ref) {
            assert!(secret.len() >= 2 * PIECE, "{secret} is too short");
            for form in forms(secret) {
                pieces.extend(form.windows(PIECE).filter_map(|w| w.first_chunk().copied()));
            }
        }
        assert!(!pieces.is_empty(), "there is nothing to look for");
        let mut begins = vec![false; 1 << 24];
        for piece in &pieces {
            begins[begin(piece)] = true;
        }
        Self { pieces, begins }
    }

    /// The first piece that is found.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> Option<String> {
        let is_one = |piece: &&[u8]| piece.first_chunk().is_some_and(|p| self.pieces.contains(p));
        let found = bytes
            .windows(PIECE)
            .find(|piece| self.begins[begin(piece)] && is_one(piece));
        found.map(|piece| String::from_utf8_lossy(piece).into_owned())
    }
}

/// As it is; percent-encoded; quoted-printable; in HTML and JSON; in base64 of both alphabets; in UTF-16, as a page may
/// hold what a library has turned into it.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let percent: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let quoted: String = secret
        .bytes()
        .map(|b| match b {
            b'=' | 0x80.. => format!("={b:02X}"),
            _ => char::from(b).to_string(),
        })
        .collect();
    let html = secret.replace('&', "&amp;").replace('/', "&#x2f;");
    let mut forms = vec![
        secret.to_owned(),
        percent.to_lowercase(),
        percent,
        quoted,
        html,
        json!(secret).to_string(),
    ];
    // In base64 the beginning and the end depend on what stands beside them.
    for offset in 0..3 {
        let text = format!("{}{secret}", "x".repeat(offset));
        for alphabet in [STANDARD, URL_SAFE] {
            let encoded = alphabet.encode(&text);
            forms.push(encoded[4..encoded.len() - 4].to_owned());
        }
    }
    let wide = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut forms: Vec<_> = forms.into_iter().map(String::into_bytes).collect();
    forms.push(wide);
    forms
}

/// All bytes of all files of a data directory, one after the other.
pub(crate) fn bytes_of(data_dir: &str) -> Vec<u8> {
    let files = std::fs::read_dir(data_dir).unwrap();
    files
        .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect()
}

#[test]
fn a_trace_is_found_in_whatever_form_it_stands() {
    let secret = "0123456789ab/é&=cdef01234567890abcdef";
    let traces = Traces::of(&[secret]);
    let percent: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let mail = format!("https://app.example/in?{secret}");
    let split = [&mail[..40], "=\r\n", &mail[40..]].concat();
    let stands = [
        secret.to_owned(),
        percent,
        split,
        STANDARD.encode(&mail),
        STANDARD.encode(format!("x{mail}")),
        URL_SAFE.encode(format!("xx{mail}")),
        json!({ "message": mail }).to_string(),
    ];
    for text in stands {
        assert!(traces.found_in(text.as_bytes()).is_some(), "{text}");
        // Cut in two wherever a page may end.
        for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            let (one, two) = text.as_bytes().split_at(at);
            assert!(
                traces.found_in(one).or(traces.found_in(two)).is_some(),
                "{text} {at}"
            );
        }
    }
    let other = secret.replace('9', "8");
    assert_eq!(
        Traces::of(&["fedcba9876543210fedcba98"]).found_in(other.as_bytes()),
        None
    );
}
