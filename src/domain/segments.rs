//! How an SMS is cut and paid for: GSM-7 or UCS-2, units and segments. (3GPP TS 23.038, section 6.2; TS 23.040, section 9.2.3.24)

/// The GSM 7-bit default alphabet, one unit a character. (TS 23.038, section 6.2.1)
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// Its extension table, two units a character. (TS 23.038, section 6.2.1.1)
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// Units of a message that fits into one segment, and of each segment of a longer one.
const GSM_UNITS: (usize, usize) = (160, 153);
/// The same for UCS-2.
const UCS_UNITS: (usize, usize) = (70, 67);

/// Segments of a long SMS at most; the header counts in one byte, but handsets and gateways give up long before.
pub const SEGMENTS_MAX: usize = 10;

/// How a text goes over the air.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// The 7-bit default alphabet with its extension.
    Gsm7,
    /// 16 bits a unit, because at least one character is outside GSM-7.
    Ucs2,
}

impl Encoding {
    /// The word for it in the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Gsm7 => "GSM-7",
            Self::Ucs2 => "UCS-2",
        }
    }
}

/// What sending a text costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// How it goes over the air.
    pub encoding: Encoding,
    /// Septets or 16-bit units.
    pub units: usize,
    /// Messages that are paid for.
    pub segments: usize,
    /// The characters that force UCS-2, each once, in order of appearance.
    pub offending: Vec<char>,
}

/// Measures a text. No character is cut in two: an escape pair or a surrogate pair moves to the next segment whole.
#[must_use]
pub fn measure(text: &str) -> Measure {
    let mut offending = Vec::new();
    for c in text.chars().filter(|c| gsm_units(*c).is_none()) {
        if !offending.contains(&c) {
            offending.push(c);
        }
    }
    let (encoding, limits) = match offending.is_empty() {
        true => (Encoding::Gsm7, GSM_UNITS),
        false => (Encoding::Ucs2, UCS_UNITS),
    };
    let units_of = |c: char| match encoding {
        Encoding::Gsm7 => gsm_units(c).unwrap_or(1),
        Encoding::Ucs2 => c.len_utf16(),
    };
    let units = text.chars().map(units_of).sum();
    Measure {
        encoding,
        units,
        segments: segments(text.chars().map(units_of), units, limits),
        offending,
    }
}

fn segments(
    each: impl Iterator<Item = usize>,
    units: usize,
    (single, part): (usize, usize),
) -> usize {
    if units <= single {
        return 1;
    }
    let (mut segments, mut used) = (1, 0);
    for units in each {
        if used + units > part {
            segments += 1;
            used = 0;
        }
        used += units;
    }
    segments
}

fn gsm_units(c: char) -> Option<usize> {
    if BASIC.contains(c) {
        Some(1)
    } else if EXTENSION.contains(c) {
        Some(2)
    } else {
        None
    }
}
