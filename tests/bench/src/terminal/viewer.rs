//! A viewer: extracts the output of the program from its transport.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use anyhow::{Context, Result, bail, ensure};
use areyouj_host::wire::FromHost;
use nix::fcntl::{FcntlArg, OFlag, fcntl};

/// The size of one read.
const READ_BYTES: usize = 256 << 10;

/// The transport of the program's output.
#[derive(Clone, Copy)]
pub(crate) enum Transport {
    /// None: the terminal itself.
    None,
    /// The frames of a host.
    Frames,
    /// The lines of tmux in control mode, with its escapes for control characters.
    Control,
}

/// A viewer.
pub(crate) struct Viewer {
    input: File,
    transport: Transport,
    buffer: Vec<u8>,
    /// Bytes that were read and not processed yet.
    rest: Vec<u8>,
    text: Vec<u8>,
    expected: Vec<u8>,
    /// The end of the output, as much as can be the beginning of the expected text.
    tail: Vec<u8>,
    found: bool,
    /// The number of times that it received the whole screen, because it attached or was too slow.
    pub(crate) screens: usize,
}

impl Viewer {
    pub(crate) fn new(input: OwnedFd, transport: Transport) -> Result<Viewer> {
        let flags = OFlag::from_bits_retain(fcntl(&input, FcntlArg::F_GETFL)?);
        fcntl(&input, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        Ok(Viewer {
            input: input.into(),
            transport,
            buffer: vec![0; READ_BYTES],
            rest: Vec::new(),
            text: Vec::new(),
            expected: Vec::new(),
            tail: Vec::new(),
            found: true,
            screens: 0,
        })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.input.as_fd()
    }

    /// Searches the following output for this text.
    pub(crate) fn expect(&mut self, expected: &[u8]) {
        self.expected = expected.to_vec();
        self.tail.clear();
        self.found = false;
    }

    pub(crate) fn is_found(&self) -> bool {
        self.found
    }

    /// The output of the program in the next available chunk.
    pub(crate) fn read(&mut self) -> Result<&[u8]> {
        self.text.clear();
        let read = match self.input.read(&mut self.buffer) {
            Ok(0) => bail!("a terminal was closed"),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(&self.text),
            Err(error) => return Err(error).context("a terminal was closed"),
        };
        let chunk = &self.buffer[..read];
        match self.transport {
            Transport::None => self.text.extend_from_slice(chunk),
            Transport::Frames => {
                self.rest.extend_from_slice(chunk);
                let used = frames(&self.rest, &mut self.text, &mut self.screens)?;
                self.rest.drain(..used);
            }
            Transport::Control => {
                self.rest.extend_from_slice(chunk);
                let used = lines(&self.rest, &mut self.text);
                self.rest.drain(..used);
            }
        }
        if !self.found {
            self.tail.extend_from_slice(&self.text);
            self.found = memchr::memmem::find(&self.tail, &self.expected).is_some();
            let keep = self.tail.len().min(self.expected.len() - 1);
            self.tail.drain(..self.tail.len() - keep);
        }
        Ok(&self.text)
    }
}

/// Appends the output in complete frames, and returns their total length.
fn frames(bytes: &[u8], text: &mut Vec<u8>, screens: &mut usize) -> Result<usize> {
    let mut used = 0;
    loop {
        if let Some((output, length)) = FromHost::output(&bytes[used..]) {
            used += length;
            text.extend_from_slice(output);
            continue;
        }
        let Some((frame, length)) = FromHost::decode(&bytes[used..])? else { return Ok(used) };
        used += length;
        match frame {
            FromHost::Screen { bytes, .. } => {
                *screens += 1;
                text.extend_from_slice(&bytes);
            }
            FromHost::Refused(why) => bail!("the host rejected the viewer: {why}"),
            other => ensure!(matches!(other, FromHost::Unknown(_)), "a viewer received {other:?}"),
        }
    }
}

/// Appends the output of panes in complete lines, and returns their total length.
fn lines(bytes: &[u8], text: &mut Vec<u8>) -> usize {
    let mut used = 0;
    while let Some(end) = memchr::memchr(b'\n', &bytes[used..]) {
        let line = &bytes[used..used + end];
        used += end + 1;
        if let Some(output) = line.strip_prefix(b"%output %") {
            let at = memchr::memchr(b' ', output).map_or(output.len(), |at| at + 1);
            text.extend_from_slice(&output[at..]);
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_the_program_is_extracted_from_the_transport() {
        let mut bytes = Vec::new();
        for word in ["one ", "two"] {
            FromHost::Output(word.into()).encode(&mut bytes);
        }
        let (mut text, mut screens) = (Vec::new(), 0);
        let whole = bytes.len();
        bytes.extend_from_slice(&[9, 0]);
        assert_eq!(frames(&bytes, &mut text, &mut screens).unwrap(), whole);
        assert_eq!((&text[..], screens), (&b"one two"[..], 0));

        let mut text = Vec::new();
        let output = b"%begin 1 2 0\n%end 1 2 0\n%output %0 one \\015\\012\n%output %12 two\n%outp";
        assert_eq!(lines(output, &mut text), output.len() - 5);
        assert_eq!(text, b"one \\015\\012two");
    }
}
