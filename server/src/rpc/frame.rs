//! The framing of the Language Server Protocol: `Content-Length: N`, a blank line, N bytes.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// The maximum size of a body, in bytes. The largest real one is a document that an editor opens; a page of a
/// transcript is smaller by an order of magnitude.
pub const MAX_BODY: usize = 64 * 1024 * 1024;

/// The maximum size of a body from a client that has not introduced itself, in bytes. An `initialize` has a few hundred,
/// and more with many workspace folders.
pub(crate) const STRANGER_BODY: usize = 64 * 1024;

/// The maximum size of a header, in bytes. Real ones have about 60.
const MAX_HEADER_BYTES: usize = 8 * 1024;

/// The number of bytes reserved for a body before it arrives. The buffer grows as the body arrives, so that a length
/// alone uses little memory.
const RESERVED_BYTES: usize = 64 * 1024;

/// An invalid frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The header has no end.
    #[error("the header of a message has no end")]
    EndlessHeader,
    /// The header has no usable `Content-Length`, or a line that does not end with CR and LF.
    #[error("the header of a message has no usable Content-Length")]
    NoLength,
    /// The body is larger than the limit. Its length, and the limit.
    #[error("a message of {0} bytes is larger than the limit of {1}")]
    TooLarge(usize, usize),
}

impl From<FrameError> for io::Error {
    fn from(error: FrameError) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }
}

/// Encodes a body with its header.
pub fn encode(body: &[u8]) -> Vec<u8> {
    let header = format!("Content-Length: {}\r\n\r\n", body.len());
    let mut frame = Vec::with_capacity(header.len() + body.len());
    frame.extend_from_slice(header.as_bytes());
    frame.extend_from_slice(body);
    frame
}

/// Decodes frames from bytes that arrive in arbitrary chunks.
///
/// It stores the last pushed bytes, and the body that is arriving. The buffer of a body grows as it arrives, never
/// beyond its length.
#[derive(Debug)]
pub struct Decoder {
    /// The maximum size of a body.
    limit: usize,
    bytes: Vec<u8>,
    /// The number of bytes at the start that were already processed.
    used: usize,
    part: Part,
}

/// The expected input.
#[derive(Debug)]
enum Part {
    /// Lines of a header.
    Header {
        /// The number of bytes read.
        read: usize,
        /// The `Content-Length`, if it was read.
        length: Option<usize>,
    },
    /// The rest of a body of this length.
    Body { body: Vec<u8>, length: usize },
    /// The remaining bytes of a body that is too large.
    Skipped(usize),
}

impl Default for Part {
    fn default() -> Part {
        Part::Header { read: 0, length: None }
    }
}

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder { limit: MAX_BODY, bytes: Vec::new(), used: 0, part: Part::default() }
    }
}

impl Decoder {
    /// Adds bytes. All frames must be taken with [`Decoder::next_frame`] before the next call.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.used);
        self.used = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether all bytes so far belong to complete frames.
    pub fn is_between_frames(&self) -> bool {
        self.used == self.bytes.len() && matches!(self.part, Part::Header { read: 0, .. })
    }

    /// The body of the next frame, if it is complete. After an error the following bytes are invalid, except after
    /// [`FrameError::TooLarge`]: that body is skipped, and the next frame follows it.
    pub fn next_frame(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        loop {
            let rest = &self.bytes[self.used..];
            match &mut self.part {
                Part::Header { .. } => {
                    let Some(length) = self.header()? else { return Ok(None) };
                    let limit = self.limit;
                    self.part = if length > limit {
                        Part::Skipped(length)
                    } else {
                        Part::Body { body: Vec::new(), length }
                    };
                    if length > limit {
                        return Err(FrameError::TooLarge(length, limit));
                    }
                }
                Part::Body { body, length } => {
                    let missing = *length - body.len();
                    let arrived = missing.min(rest.len());
                    if body.capacity() - body.len() < arrived {
                        // Doubles the capacity, up to the length of the body.
                        body.reserve_exact(missing.min(body.len().max(RESERVED_BYTES).max(arrived)));
                    }
                    body.extend_from_slice(&rest[..arrived]);
                    self.used += arrived;
                    if arrived < missing {
                        return Ok(None);
                    }
                    let body = std::mem::take(body);
                    self.part = Part::default();
                    return Ok(Some(body));
                }
                Part::Skipped(left) => {
                    let arrived = rest.len().min(*left);
                    self.used += arrived;
                    *left -= arrived;
                    if *left > 0 {
                        return Ok(None);
                    }
                    self.part = Part::default();
                }
            }
        }
    }

    /// The length in the header, when the header is complete.
    fn header(&mut self) -> Result<Option<usize>, FrameError> {
        let Part::Header { read, length } = &mut self.part else { return Ok(None) };
        loop {
            let rest = &self.bytes[self.used..];
            let searched = &rest[..rest.len().min(MAX_HEADER_BYTES - *read)];
            let Some(end) = searched.iter().position(|byte| *byte == b'\n') else {
                let endless = *read + searched.len() == MAX_HEADER_BYTES;
                return if endless { Err(FrameError::EndlessHeader) } else { Ok(None) };
            };
            let line = searched[..end].strip_suffix(b"\r").ok_or(FrameError::NoLength)?;
            let value = content_length(line)?;
            let is_end = line.is_empty();
            *read += end + 1;
            self.used += end + 1;
            match (is_end, value) {
                (true, _) => return length.map(Some).ok_or(FrameError::NoLength),
                // With two lengths, the start of the next frame is ambiguous.
                (false, Some(_)) if length.is_some() => return Err(FrameError::NoLength),
                (false, Some(value)) => *length = Some(value),
                (false, None) => {}
            }
        }
    }
}

/// The length in this line of a header, or `None` for other headers.
fn content_length(line: &[u8]) -> Result<Option<usize>, FrameError> {
    let line = std::str::from_utf8(line).map_err(|_| FrameError::NoLength)?;
    match line.split_once(':') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("content-length") => {
            value.trim().parse().map(Some).map_err(|_| FrameError::NoLength)
        }
        _ => Ok(None),
    }
}

/// Reads the frames of a stream.
#[derive(Debug)]
pub(crate) struct FrameReader<R> {
    input: R,
    decoder: Decoder,
}

impl<R: AsyncBufRead + Unpin> FrameReader<R> {
    /// A reader of bodies of at most this many bytes.
    pub(crate) fn new(input: R, limit: usize) -> FrameReader<R> {
        FrameReader { input, decoder: Decoder { limit, ..Decoder::default() } }
    }

    /// Later bodies have at most this many bytes.
    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.decoder.limit = limit;
    }

    /// The next body, or `None` at the end of the stream.
    ///
    /// # Errors
    /// An invalid frame, a frame that is too large, or the end of the stream inside a frame.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(body) = self.decoder.next_frame()? {
                return Ok(Some(body));
            }
            let arrived = self.input.fill_buf().await?;
            if arrived.is_empty() {
                let whole = self.decoder.is_between_frames();
                return if whole { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
            self.decoder.push(arrived);
            let length = arrived.len();
            self.input.consume(length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_with_any_split_of_the_input() {
        let mut stream = encode(b"{}");
        stream.extend(encode("{\"a\":\"\u{e4}\r\n\r\n\"}".as_bytes()));
        stream.extend(encode(b""));
        for size in 1..stream.len() {
            let mut decoder = Decoder::default();
            let mut bodies = Vec::new();
            for chunk in stream.chunks(size) {
                decoder.push(chunk);
                while let Some(body) = decoder.next_frame().unwrap() {
                    bodies.push(String::from_utf8(body).unwrap());
                }
            }
            assert_eq!(bodies, ["{}", "{\"a\":\"\u{e4}\r\n\r\n\"}", ""], "chunks of {size}");
            assert!(decoder.is_between_frames());
        }
    }

    #[test]
    fn the_frame_after_a_body_that_is_too_large_is_found() {
        let mut stream = encode(b"before");
        stream.extend(encode(&vec![b'x'; MAX_BODY + 1]));
        stream.extend(encode(b"behind"));
        let (mut decoder, mut seen) = (Decoder::default(), Vec::new());
        for chunk in stream.chunks(1 << 20) {
            decoder.push(chunk);
            loop {
                match decoder.next_frame() {
                    Ok(Some(body)) => seen.push(String::from_utf8(body).unwrap()),
                    Ok(None) => break,
                    Err(error) => seen.push(error.to_string()),
                }
            }
        }
        let too_large = FrameError::TooLarge(MAX_BODY + 1, MAX_BODY).to_string();
        assert_eq!(seen, ["before", &too_large, "behind"]);
        assert!(decoder.bytes.capacity() < 8 << 20, "skipped bytes are not stored");
    }

    #[test]
    fn the_largest_body_uses_its_own_length_and_is_not_kept() {
        let (mut decoder, mut found) = (Decoder::default(), None);
        for chunk in encode(&vec![b'x'; MAX_BODY]).chunks(8 << 10) {
            decoder.push(chunk);
            found = decoder.next_frame().unwrap();
        }
        let found = found.unwrap();
        assert_eq!((found.len(), found.capacity()), (MAX_BODY, MAX_BODY));
        assert!(decoder.bytes.capacity() < 64 << 10);
    }

    #[test]
    fn a_length_alone_reserves_little() {
        let mut decoder = Decoder::default();
        decoder.push(format!("Content-Length: {MAX_BODY}\r\n\r\n{{").as_bytes());
        assert_eq!(decoder.next_frame(), Ok(None));
        let Part::Body { body, .. } = &decoder.part else { panic!("{decoder:?}") };
        assert!(body.capacity() <= RESERVED_BYTES);
    }

    #[test]
    fn other_headers_and_letter_case_do_not_matter() {
        let mut decoder = Decoder::default();
        decoder.push(b"Content-Type: application/json\r\ncontent-length:2\r\n\r\n{}");
        assert_eq!(decoder.next_frame(), Ok(Some(b"{}".to_vec())));
        assert_eq!(decoder.next_frame(), Ok(None));
    }

    #[test]
    fn garbage_is_an_error() {
        for (garbage, error) in [
            (b"GET / HTTP/1.1\r\n\r\n".to_vec(), FrameError::NoLength),
            (b"Content-Length: many\r\n\r\n".to_vec(), FrameError::NoLength),
            (b"Content-Length: -1\r\n\r\n".to_vec(), FrameError::NoLength),
            (b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x".to_vec(), FrameError::NoLength),
            (b"Content-Length: 2\n\n{}".to_vec(), FrameError::NoLength),
            (b"\xff\xfe: 1\r\n\r\n".to_vec(), FrameError::NoLength),
            (b"Content-Length: 99999999999\r\n\r\n".to_vec(), FrameError::TooLarge(99_999_999_999, MAX_BODY)),
            (vec![b'x'; MAX_HEADER_BYTES], FrameError::EndlessHeader),
            (b"x: y\r\n".repeat(MAX_HEADER_BYTES / 6 + 1), FrameError::EndlessHeader),
        ] {
            let mut decoder = Decoder::default();
            decoder.push(&garbage);
            assert_eq!(decoder.next_frame(), Err(error));
        }
    }

    async fn bodies(input: &[u8]) -> Vec<Result<Option<Vec<u8>>, io::ErrorKind>> {
        let mut reader = FrameReader::new(input, MAX_BODY);
        let mut bodies = Vec::new();
        loop {
            let body = reader.next().await.map_err(|error| error.kind());
            let done = !matches!(body, Ok(Some(_)));
            bodies.push(body);
            if done {
                return bodies;
            }
        }
    }

    #[tokio::test]
    async fn messages_are_read_one_after_the_other() {
        let input = b"Content-Length: 2\r\n\r\n{}content-length:3\r\nContent-Type: x\r\n\r\n[1]";
        assert_eq!(bodies(input).await, [Ok(Some(b"{}".to_vec())), Ok(Some(b"[1]".to_vec())), Ok(None)]);
    }

    #[tokio::test]
    async fn invalid_frames_end_the_connection() {
        for input in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            b"Content-Length: -1\r\n\r\n",
            b"Content-Length: 99999999999\r\n\r\n",
            b"Content-Length: 5\r\n\r\n{}",
            b"\xff\xff\xff\xff",
            b"Content-Length: 2\n\n{}",
            b"Content-Length: 2\n\r\n{}",
            b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
            b"Content-Length: 2\r\n",
            &[b'x'; 4096],
        ] {
            assert!(bodies(input).await.last().is_some_and(Result::is_err), "{}", input.escape_ascii());
        }
    }
}
