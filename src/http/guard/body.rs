//! Request bodies as they arrive, plain or chunked. Memory is taken as bytes come, never because a length was announced.

use super::head::{Fault, Framing};
use super::limits::Limits;

const BAD_CHUNK: Fault = Fault(400, "The chunked body is malformed.");
const NO_ROOM: Fault = Fault(503, "Too many bodies are being sent at once; try again.");
const TOO_LARGE: Fault = Fault(413, "The body is too large.");
const TRAILERS_TOO_LONG: Fault = Fault(431, "The trailers are too long.");

/// The first allocation of a body; it doubles from there.
const BODY_BYTES_FIRST: usize = 4 * 1024;

/// The memory all bodies share.
#[derive(Debug)]
pub(super) struct Budget {
    free: usize,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        Self { free: bytes }
    }

    fn take(&mut self, bytes: usize) -> Result<(), Fault> {
        self.free = self.free.checked_sub(bytes).ok_or(NO_ROOM)?;
        Ok(())
    }

    pub(super) fn give_back(&mut self, bytes: usize) {
        self.free += bytes;
    }
}

/// A body on its way in.
#[derive(Debug)]
pub(super) struct Body {
    bytes: Vec<u8>,
    reserved: usize,
    length_max: usize,
    chunks: Option<Chunks>,
}

impl Body {
    /// `head_bytes` is what the head took of the limit that trailers share.
    pub(super) fn new(framing: Framing, head_bytes: usize, limits: &Limits) -> Result<Self, Fault> {
        let (length_max, chunks) = match framing {
            Framing::Chunked => (limits.body_bytes_max, Some(Chunks::new(head_bytes, limits))),
            Framing::Length(length) => match usize::try_from(length) {
                Ok(length) if length <= limits.body_bytes_max => (length, None),
                _ => return Err(TOO_LARGE),
            },
        };
        Ok(Self {
            bytes: Vec::new(),
            reserved: 0,
            length_max,
            chunks,
        })
    }

    /// How much may be read at once without reading far into the next request.
    pub(super) fn wanted(&self, limits: &Limits) -> usize {
        match self.chunks {
            Some(_) => limits.head_bytes_max,
            None => self.length_max - self.bytes.len(),
        }
    }

    /// What has come so far, chunk framing not counted.
    pub(super) fn received(&self) -> usize {
        self.bytes.len()
    }

    /// What was taken from the budget; whoever takes the body gives it back.
    pub(super) fn reserved(&self) -> usize {
        self.reserved
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Takes what belongs to this body from the start of `input`: how much that was, and whether the body is whole now.
    pub(super) fn take(
        &mut self,
        input: &[u8],
        budget: &mut Budget,
    ) -> Result<(usize, bool), Fault> {
        let Some(mut chunks) = self.chunks.take() else {
            let length = input.len().min(self.length_max - self.bytes.len());
            self.store(&input[..length], budget)?;
            return Ok((length, self.bytes.len() == self.length_max));
        };
        let mut used = 0;
        while used < input.len() && chunks.expect != Expect::Nothing {
            used += match chunks.expect {
                Expect::Data(left) => {
                    let length = left.min(input.len() - used);
                    self.store(&input[used..used + length], budget)?;
                    chunks.data_came(length);
                    length
                }
                _ => chunks.line_byte(input[used])?,
            };
            if let Expect::Data(left) = chunks.expect
                && left > self.length_max - self.bytes.len()
            {
                return Err(TOO_LARGE);
            }
        }
        let whole = chunks.expect == Expect::Nothing;
        self.chunks = Some(chunks);
        Ok((used, whole))
    }

    fn store(&mut self, data: &[u8], budget: &mut Budget) -> Result<(), Fault> {
        let needed = self.bytes.len() + data.len();
        if needed > self.reserved {
            let doubled = (2 * self.reserved)
                .max(BODY_BYTES_FIRST)
                .min(self.length_max);
            let target = doubled.max(needed);
            budget.take(target - self.reserved)?;
            self.reserved = target;
            self.bytes.reserve_exact(target - self.bytes.len());
        }
        self.bytes.extend_from_slice(data);
        Ok(())
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Expect {
    Size,
    Data(usize),
    DataEnd,
    Trailer,
    Nothing,
}

/// Where a chunked body stands. Extensions are ignored and trailers dropped, each within its limit.
#[derive(Debug)]
struct Chunks {
    expect: Expect,
    line: Vec<u8>,
    line_max: usize,
    trailer_bytes_left: usize,
    trailers_left: usize,
}

impl Chunks {
    fn new(head_bytes: usize, limits: &Limits) -> Self {
        Self {
            expect: Expect::Size,
            line: Vec::new(),
            line_max: limits.chunk_line_bytes_max,
            trailer_bytes_left: limits.head_bytes_max.saturating_sub(head_bytes),
            trailers_left: limits.headers_max,
        }
    }

    fn data_came(&mut self, length: usize) {
        if let Expect::Data(left) = &mut self.expect {
            *left -= length;
            if *left == 0 {
                self.expect = Expect::DataEnd;
            }
        }
    }

    /// Takes one byte of a line; 1, the bytes used.
    fn line_byte(&mut self, byte: u8) -> Result<usize, Fault> {
        let after_cr = self.line.last() == Some(&b'\r');
        if after_cr != (byte == b'\n') {
            return Err(BAD_CHUNK);
        }
        if byte == b'\n' {
            self.line.pop();
            let line = std::mem::take(&mut self.line);
            self.expect = self.after_line(&line)?;
            self.line = line;
            self.line.clear();
            return Ok(1);
        }
        if self.expect == Expect::Trailer {
            let left = self.trailer_bytes_left.checked_sub(1);
            self.trailer_bytes_left = left.ok_or(TRAILERS_TOO_LONG)?;
        } else if self.line.len() >= self.line_max {
            return Err(BAD_CHUNK);
        }
        self.line.push(byte);
        Ok(1)
    }

    fn after_line(&mut self, line: &[u8]) -> Result<Expect, Fault> {
        match self.expect {
            Expect::Size => chunk_size(line),
            Expect::DataEnd if line.is_empty() => Ok(Expect::Size),
            Expect::Trailer if line.is_empty() => Ok(Expect::Nothing),
            Expect::Trailer => {
                let left = self.trailers_left.checked_sub(1);
                self.trailers_left = left.ok_or(TRAILERS_TOO_LONG)?;
                let mut end = [httparse::EMPTY_HEADER; 1];
                match httparse::parse_headers(&[line, b"\r\n\r\n"].concat(), &mut end) {
                    Ok(httparse::Status::Complete(_)) => Ok(Expect::Trailer),
                    _ => Err(BAD_CHUNK),
                }
            }
            Expect::Data(_) | Expect::DataEnd | Expect::Nothing => Err(BAD_CHUNK),
        }
    }
}

/// What follows the line that opens a chunk.
fn chunk_size(line: &[u8]) -> Result<Expect, Fault> {
    let end = line.iter().position(|b| *b == b';').unwrap_or(line.len());
    let (digits, extension) = line.split_at(end);
    if !digits.iter().all(u8::is_ascii_hexdigit)
        || extension
            .iter()
            .any(|b| *b != b'\t' && !(b' '..=b'~').contains(b))
    {
        return Err(BAD_CHUNK);
    }
    let digits = std::str::from_utf8(digits).map_err(|_| BAD_CHUNK)?;
    match usize::from_str_radix(digits, 16) {
        Ok(0) => Ok(Expect::Trailer),
        Ok(size) => Ok(Expect::Data(size)),
        Err(_) => Err(BAD_CHUNK),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunked(input: &[u8], piece: usize) -> Result<(Vec<u8>, usize), Fault> {
        let limits = Limits::default();
        let mut budget = Budget::new(limits.bodies_bytes_max);
        let mut body = Body::new(Framing::Chunked, 100, &limits)?;
        let mut used = 0;
        for piece in input.chunks(piece) {
            let (took, whole) = body.take(piece, &mut budget)?;
            used += took;
            if whole {
                return Ok((body.into_bytes(), used));
            }
        }
        Err(Fault(0, "incomplete"))
    }

    #[test]
    fn chunks_join_however_they_arrive() {
        let whole = b"5\r\nhello\r\n00A;x=\"y\"\r\n, world!!!\r\n0\r\nTrailer: x\r\n\r\n";
        for piece in [1, 2, 3, 7, 1000] {
            let next = [whole.as_slice(), b"GET /"].concat();
            let read = chunked(&next, piece).unwrap();
            assert_eq!(read, (b"hello, world!!!".to_vec(), whole.len()));
        }
    }

    #[test]
    fn bad_chunks_are_refused() {
        let long_line = format!("5;{}\r\nhello", "x".repeat(300));
        let trailer = "0\r\nA: ".to_owned() + &"x".repeat(17_000);
        let trailers = "0\r\n".to_owned() + &"a:b\r\n".repeat(65);
        for (input, status) in [
            ("\r\n", 400),
            ("-1\r\n", 400),
            ("+1\r\nx", 400),
            ("0x5\r\nhello", 400),
            ("5 \r\nhello", 400),
            ("5\nhello", 400),
            ("5\r\nhello0\r\n", 400),
            ("5\r\nhello\n0\r\n", 400),
            ("5;\x01\r\nhello", 400),
            ("10000000000000000\r\n", 400),
            ("ffffffffffffffff\r\n", 413),
            ("100001\r\n", 413),
            ("0\r\nno colon\r\n", 400),
            ("0\r\n folded: x\r\n", 400),
            (&long_line, 400),
            (&trailer, 431),
            (&trailers, 431),
        ] {
            let fault = chunked(input.as_bytes(), 1000).unwrap_err();
            assert_eq!(fault.0, status, "{input:?}");
        }
    }

    #[test]
    fn memory_is_taken_as_bytes_come_and_within_the_budget() {
        let limits = Limits::default();
        let mut budget = Budget::new(6_000);
        let mut body = Body::new(Framing::Length(1 << 20), 100, &limits).unwrap();
        assert_eq!(body.reserved(), 0);
        assert_eq!(body.take(&[0; 100], &mut budget), Ok((100, false)));
        assert_eq!(body.reserved(), BODY_BYTES_FIRST);
        assert_eq!(body.take(&[0; 6_000], &mut budget), Err(NO_ROOM));
    }
}
