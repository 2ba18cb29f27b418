//! What is the same for everybody who asks: packed once, and given away packed to whoever takes it. (RFC 9110)

use super::request::Request;
use super::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

/// A body that never changes.
pub(super) struct Packed {
    media_type: &'static str,
    pub(super) plain: Vec<u8>,
    packed: Vec<u8>,
}

impl Packed {
    pub(super) fn new(media_type: &'static str, plain: Vec<u8>) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let packed = encoder.write_all(&plain).and_then(|()| encoder.finish());
        Self {
            media_type,
            packed: packed.expect("writing to a Vec cannot fail"),
            plain,
        }
    }

    /// The reply to a request for it, as small as the client lets it be.
    pub(super) fn answer(&self, request: &Request) -> Response {
        let response = if takes_gzip(request) {
            Response::with_body(200, self.media_type, self.packed.clone())
                .header("Content-Encoding", "gzip")
        } else {
            Response::with_body(200, self.media_type, self.plain.clone())
        };
        response.header("Vary", "Accept-Encoding")
    }
}

/// Whether the client takes gzip. (RFC 9110, section 12.5.3)
fn takes_gzip(request: &Request) -> bool {
    let offers = request.header("accept-encoding").unwrap_or_default();
    offers.split(',').any(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        let is_gzip = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        is_gzip && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read;

    #[test]
    fn what_is_packed_is_what_is_plain() {
        let plain: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let packed = Packed::new("application/json", plain.clone()).packed;
        let mut unpacked = Vec::new();
        GzDecoder::new(packed.as_slice())
            .read_to_end(&mut unpacked)
            .unwrap();
        assert_eq!(unpacked, plain);
    }
}
