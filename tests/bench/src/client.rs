//! A client of the daemon with minimal overhead: frames are bytes, and JSON is parsed only on request.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

/// The deadline for a message that must arrive.
const EVENT_TIMEOUT: Duration = Duration::from_secs(60);

/// The size of one read.
const READ_BYTES: usize = 64 << 10;

/// The start of every response; notifications have a method in this position.
const ANSWER: &[u8] = br#"{"jsonrpc":"2.0","id":"#;

/// One connection.
pub(crate) struct Client {
    /// The stream, for callers that poll several clients.
    pub(crate) stream: UnixStream,
    frames: Frames,
    next_id: u64,
}

impl Client {
    /// Connects to the daemon of this home and sends `initialize`.
    pub(crate) fn connect(home: &Path) -> Result<Client> {
        Client::initialized(home, false)
    }

    /// Connects as a quiet client, which receives only responses.
    pub(crate) fn connect_quiet(home: &Path) -> Result<Client> {
        Client::initialized(home, true)
    }

    fn initialized(home: &Path, quiet: bool) -> Result<Client> {
        let stream = UnixStream::connect(home.join("run/daemon-v1.sock")).context("no daemon listens")?;
        stream.set_read_timeout(Some(EVENT_TIMEOUT))?;
        let mut client = Client { stream, frames: Frames::default(), next_id: 0 };
        let parameters =
            json!({ "clientInfo": { "name": "areyouj-bench" }, "quiet": quiet, "statusChanges": !quiet });
        client.request("initialize", &parameters)?;
        Ok(client)
    }

    /// Sends a request, and waits for the result. Earlier notifications are skipped.
    pub(crate) fn request(&mut self, method: &str, params: &Value) -> Result<Value> {
        self.next_id += 1;
        self.send(&request(self.next_id, method, params))?;
        let mut answer: Value = serde_json::from_slice(self.answer()?)?;
        match answer.get("error") {
            Some(error) => bail!("{method} failed: {error}"),
            None => Ok(answer["result"].take()),
        }
    }

    /// Sends an encoded frame.
    pub(crate) fn send(&mut self, frame: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(frame)?)
    }

    /// Waits for the next response to any request, and skips notifications before it.
    pub(crate) fn answer(&mut self) -> Result<&[u8]> {
        loop {
            // The borrow checker does not yet accept a borrow that is returned from a loop.
            let body = self.frames.next(&mut self.stream)?;
            if self.frames.bytes[body.clone()].starts_with(ANSWER) {
                return Ok(&self.frames.bytes[body]);
            }
        }
    }

    /// Waits for the next frame of any kind, and returns its body.
    pub(crate) fn frame(&mut self) -> Result<&[u8]> {
        let body = self.frames.next(&mut self.stream)?;
        Ok(&self.frames.bytes[body])
    }
}

/// Encodes a request as a frame.
pub(crate) fn request(id: u64, method: &str, params: &Value) -> Vec<u8> {
    let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Splits the input into frames.
#[derive(Default)]
pub(crate) struct Frames {
    /// The buffer. Only the first `filled` bytes are valid; the rest is zeroed once, when the buffer grows.
    bytes: Vec<u8>,
    filled: usize,
    used: usize,
}

impl Frames {
    /// The range of the next body in `bytes`; reads until it is complete.
    fn next(&mut self, stream: &mut UnixStream) -> Result<std::ops::Range<usize>> {
        loop {
            if let Some(body) = self.take()? {
                return Ok(body);
            }
            self.read(stream)?;
        }
    }

    /// The range of the next body in the bytes that were read.
    fn take(&mut self) -> Result<Option<std::ops::Range<usize>>> {
        let Some((header, length)) = header(&self.bytes[self.used..self.filled])? else { return Ok(None) };
        let body = self.used + header..self.used + header + length;
        if body.end > self.filled {
            return Ok(None);
        }
        self.used = body.end;
        Ok(Some(body))
    }

    fn read(&mut self, stream: &mut UnixStream) -> Result<()> {
        self.bytes.copy_within(self.used..self.filled, 0);
        self.filled -= self.used;
        self.used = 0;
        if self.bytes.len() < self.filled + READ_BYTES {
            self.bytes.resize(self.filled + READ_BYTES, 0);
        }
        let read = stream.read(&mut self.bytes[self.filled..]).context("the daemon does not respond")?;
        ensure!(read > 0, "the daemon closed the connection");
        self.filled += read;
        Ok(())
    }
}

/// The lengths of the header at the start and of the body after it, or `None` if the header is incomplete.
pub(crate) fn header(bytes: &[u8]) -> Result<Option<(usize, usize)>> {
    const BEGIN: &[u8] = b"Content-Length: ";
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
    let digits = bytes[..end].strip_prefix(BEGIN).context("a header without a length")?;
    let length = std::str::from_utf8(digits.trim_ascii_end())?.parse()?;
    // The blank line.
    Ok((bytes.len() >= end + 3).then_some((end + 3, length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_with_any_split_of_the_input() {
        let bytes = b"Content-Length: 2\r\n\r\n{}Content-Length: 3\r\n\r\n[1]";
        for split in 0..bytes.len() {
            let mut frames = Frames::default();
            let mut found = Vec::new();
            for part in [&bytes[..split], &bytes[split..]] {
                frames.bytes.extend_from_slice(part);
                frames.filled += part.len();
                while let Some(body) = frames.take().unwrap() {
                    found.push(frames.bytes[body].to_vec());
                }
            }
            assert_eq!(found, [b"{}".to_vec(), b"[1]".to_vec()], "split at {split}");
        }
    }

    #[test]
    fn invalid_frames_are_an_error() {
        assert!(header(b"HTTP/1.1 200\r\n\r\n").is_err());
    }
}
