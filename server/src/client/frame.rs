//! The framing of the Language Server Protocol: `Content-Length: N`, a blank line, N bytes.

use std::io;

/// The largest body: beyond a page of a transcript by an order of magnitude.
pub const MAX_BODY: usize = 64 * 1024 * 1024;

/// The largest header. Real ones have some 60 bytes; what has no end in sight is not a header.
const MAX_HEADER: usize = 8 * 1024;

const HEADER_END: &[u8] = b"\r\n\r\n";

/// What arrived is not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The header has no end.
    #[error("the header of a message has no end")]
    EndlessHeader,
    /// The header has no usable `Content-Length`.
    #[error("the header of a message has no usable Content-Length")]
    NoLength,
    /// The body is larger than [`MAX_BODY`].
    #[error("a message of {0} bytes is larger than the limit of {MAX_BODY}")]
    TooLarge(usize),
}

impl From<FrameError> for io::Error {
    fn from(error: FrameError) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }
}

/// A body with its header.
pub fn encode(body: &[u8]) -> Vec<u8> {
    let mut frame = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    frame.extend_from_slice(body);
    frame
}

/// Finds the frames in bytes that arrive in any pieces.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
    /// How many bytes at the beginning were given out already.
    used: usize,
    /// The length of the body that is being awaited, once its header is in.
    body: Option<usize>,
    /// How many bytes of a body that is too large are still to be passed over.
    skip: usize,
}

impl Decoder {
    /// Takes in what arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.used);
        self.used = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The body of the next frame, if all of it is here. After an error nothing that follows can be trusted, except after
    /// [`FrameError::TooLarge`]: that body is passed over, and what comes next is behind it.
    pub fn next_frame(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        let skipped = self.skip.min(self.bytes.len() - self.used);
        self.used += skipped;
        self.skip -= skipped;
        if self.skip > 0 {
            return Ok(None);
        }
        let length = match self.body {
            Some(length) => length,
            None => {
                let rest = &self.bytes[self.used..];
                let searched = &rest[..rest.len().min(MAX_HEADER)];
                match searched.windows(HEADER_END.len()).position(|window| window == HEADER_END) {
                    None if searched.len() < MAX_HEADER => return Ok(None),
                    None => return Err(FrameError::EndlessHeader),
                    Some(end) => {
                        let length = content_length(&searched[..end])?;
                        self.used += end + HEADER_END.len();
                        if length > MAX_BODY {
                            self.skip = length;
                            return Err(FrameError::TooLarge(length));
                        }
                        self.body = Some(length);
                        length
                    }
                }
            }
        };
        if self.bytes.len() - self.used < length {
            return Ok(None);
        }
        let body = self.bytes[self.used..self.used + length].to_vec();
        self.used += length;
        self.body = None;
        Ok(Some(body))
    }
}

fn content_length(header: &[u8]) -> Result<usize, FrameError> {
    let header = std::str::from_utf8(header).map_err(|_| FrameError::NoLength)?;
    let mut lengths = header
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("content-length"));
    let (Some((_, length)), None) = (lengths.next(), lengths.next()) else {
        return Err(FrameError::NoLength);
    };
    length.trim().parse().map_err(|_| FrameError::NoLength)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_however_they_arrive() {
        let mut stream = encode(b"{}");
        stream.extend(encode("{\"a\":\"\u{e4}\r\n\r\n\"}".as_bytes()));
        stream.extend(encode(b""));
        for size in 1..stream.len() {
            let mut decoder = Decoder::default();
            let mut bodies = Vec::new();
            for piece in stream.chunks(size) {
                decoder.push(piece);
                while let Some(body) = decoder.next_frame().unwrap() {
                    bodies.push(String::from_utf8(body).unwrap());
                }
            }
            assert_eq!(bodies, ["{}", "{\"a\":\"\u{e4}\r\n\r\n\"}", ""], "pieces of {size}");
        }
    }

    #[test]
    fn what_is_behind_a_body_that_is_too_large_is_found() {
        let mut stream = encode(b"before");
        stream.extend(encode(&vec![b'x'; MAX_BODY + 1]));
        stream.extend(encode(b"behind"));
        let (mut decoder, mut seen) = (Decoder::default(), Vec::new());
        for piece in stream.chunks(1 << 20) {
            decoder.push(piece);
            loop {
                match decoder.next_frame() {
                    Ok(Some(body)) => seen.push(String::from_utf8(body).unwrap()),
                    Ok(None) => break,
                    Err(error) => seen.push(error.to_string()),
                }
            }
        }
        let too_large = FrameError::TooLarge(MAX_BODY + 1).to_string();
        assert_eq!(seen, ["before", &too_large, "behind"]);
        assert!(decoder.bytes.capacity() < 8 << 20, "what is passed over is not kept");
    }

    #[test]
    fn other_headers_and_letter_case_do_not_matter() {
        let mut decoder = Decoder::default();
        decoder.push(b"Content-Type: application/json\r\ncontent-length:2\r\n\r\n{}");
        assert_eq!(decoder.next_frame(), Ok(Some(b"{}".to_vec())));
        assert_eq!(decoder.next_frame(), Ok(None));
    }

    #[test]
    fn garbage_is_an_error_and_never_waited_for() {
        for (garbage, error) in [
            (b"GET / HTTP/1.1\r\n\r\n".to_vec(), FrameError::NoLength),
            (b"Content-Length: many\r\n\r\n".to_vec(), FrameError::NoLength),
            (b"Content-Length: -1\r\n\r\n".to_vec(), FrameError::NoLength),
            (b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x".to_vec(), FrameError::NoLength),
            (b"\xff\xfe: 1\r\n\r\n".to_vec(), FrameError::NoLength),
            (b"Content-Length: 99999999999\r\n\r\n".to_vec(), FrameError::TooLarge(99_999_999_999)),
            (vec![b'x'; MAX_HEADER], FrameError::EndlessHeader),
        ] {
            let mut decoder = Decoder::default();
            decoder.push(&garbage);
            assert_eq!(decoder.next_frame(), Err(error));
        }
    }
}
