//! One who looks: takes what its program wrote out of whatever it comes in.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use anyhow::{Context, Result, bail, ensure};
use areyouj_host::wire::FromHost;
use nix::fcntl::{FcntlArg, OFlag, fcntl};

/// How much is read at once.
const READ_BYTES: usize = 256 << 10;

/// What the program's output comes in.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// Nothing: the terminal itself.
    Plain,
    /// The frames of a host.
    Frames,
    /// The lines of tmux in control mode. Control characters stay as it writes them.
    Control,
}

/// A viewer.
pub(crate) struct Viewer {
    input: File,
    form: Form,
    buffer: Vec<u8>,
    /// What was read and not taken out yet.
    rest: Vec<u8>,
    text: Vec<u8>,
    wanted: Vec<u8>,
    /// The end of what was seen, as much as may begin what is wanted.
    tail: Vec<u8>,
    found: bool,
    /// How often it was shown the whole screen, because it came or was too slow.
    pub(crate) paints: usize,
}

impl Viewer {
    pub(crate) fn new(input: OwnedFd, form: Form) -> Result<Viewer> {
        let flags = OFlag::from_bits_retain(fcntl(&input, FcntlArg::F_GETFL)?);
        fcntl(&input, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        Ok(Viewer {
            input: input.into(),
            form,
            buffer: vec![0; READ_BYTES],
            rest: Vec::new(),
            text: Vec::new(),
            wanted: Vec::new(),
            tail: Vec::new(),
            found: true,
            paints: 0,
        })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.input.as_fd()
    }

    /// From now on it looks for this.
    pub(crate) fn look_for(&mut self, wanted: &[u8]) {
        self.wanted = wanted.to_vec();
        self.tail.clear();
        self.found = false;
    }

    pub(crate) fn has_found(&self) -> bool {
        self.found
    }

    /// What the program wrote, out of the next piece that there is to read.
    pub(crate) fn read(&mut self) -> Result<&[u8]> {
        self.text.clear();
        let read = match self.input.read(&mut self.buffer) {
            Ok(0) => bail!("a terminal is gone"),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(&self.text),
            Err(error) => return Err(error).context("a terminal is gone"),
        };
        let piece = &self.buffer[..read];
        match self.form {
            Form::Plain => self.text.extend_from_slice(piece),
            Form::Frames => {
                self.rest.extend_from_slice(piece);
                let taken = frames(&self.rest, &mut self.text, &mut self.paints)?;
                self.rest.drain(..taken);
            }
            Form::Control => {
                self.rest.extend_from_slice(piece);
                let taken = lines(&self.rest, &mut self.text);
                self.rest.drain(..taken);
            }
        }
        if !self.found {
            self.tail.extend_from_slice(&self.text);
            self.found = memchr::memmem::find(&self.tail, &self.wanted).is_some();
            let kept = self.tail.len().min(self.wanted.len() - 1);
            self.tail.drain(..self.tail.len() - kept);
        }
        Ok(&self.text)
    }
}

/// Appends what is in whole frames, and returns how far they go.
fn frames(bytes: &[u8], text: &mut Vec<u8>, paints: &mut usize) -> Result<usize> {
    let mut taken = 0;
    loop {
        if let Some((output, length)) = FromHost::output(&bytes[taken..]) {
            taken += length;
            text.extend_from_slice(output);
            continue;
        }
        let Some((frame, length)) = FromHost::decode(&bytes[taken..])? else { return Ok(taken) };
        taken += length;
        match frame {
            FromHost::Screen { bytes, .. } => {
                *paints += 1;
                text.extend_from_slice(&bytes);
            }
            FromHost::Refused(why) => bail!("the host refused: {why}"),
            other => ensure!(matches!(other, FromHost::Unknown(_)), "a viewer was sent {other:?}"),
        }
    }
}

/// Appends what panes wrote, out of whole lines, and returns how far they go.
fn lines(bytes: &[u8], text: &mut Vec<u8>) -> usize {
    let mut taken = 0;
    while let Some(end) = memchr::memchr(b'\n', &bytes[taken..]) {
        let line = &bytes[taken..taken + end];
        taken += end + 1;
        if let Some(output) = line.strip_prefix(b"%output %") {
            let at = memchr::memchr(b' ', output).map_or(output.len(), |at| at + 1);
            text.extend_from_slice(&output[at..]);
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_wrote_is_taken_out_of_what_it_comes_in() {
        let mut bytes = Vec::new();
        for word in ["one ", "two"] {
            FromHost::Output(word.into()).encode(&mut bytes);
        }
        let (mut text, mut paints) = (Vec::new(), 0);
        let whole = bytes.len();
        bytes.extend_from_slice(&[9, 0]);
        assert_eq!(frames(&bytes, &mut text, &mut paints).unwrap(), whole);
        assert_eq!((&text[..], paints), (&b"one two"[..], 0));

        let mut text = Vec::new();
        let said = b"%begin 1 2 0\n%end 1 2 0\n%output %0 one \\015\\012\n%output %12 two\n%outp";
        assert_eq!(lines(said, &mut text), said.len() - 5);
        assert_eq!(text, b"one \\015\\012two");
    }
}
