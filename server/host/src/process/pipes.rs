//! Claude's pipes, or the one end of its terminal that stands for all of them, without blocking.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::super::recorder::Recorder;
use areyouj_journal::Kind;

/// The most output in one record: what a pipe usually holds. Longer lines are many records.
const PIECE: usize = 64 << 10;

/// Standard output or standard error of Claude.
pub(super) struct Output {
    kind: Kind,
    pipe: Option<File>,
    /// Where pieces are read to; given back when nothing more comes for a while.
    piece: Vec<u8>,
}

impl Output {
    pub(super) fn new(kind: Kind, pipe: Option<OwnedFd>) -> io::Result<Output> {
        Ok(Output { kind, pipe: pipe.map(without_blocking).transpose()?, piece: Vec::new() })
    }

    /// The descriptor, until its end.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Records what there is to read, about `most` bytes of it, as long as it can be recorded, and shows each piece that
    /// was recorded.
    pub(super) fn record(&mut self, recorder: &mut Recorder, most: usize, show: &mut dyn FnMut(&[u8])) {
        let mut taken = 0;
        while taken < most
            && !recorder.is_stuck()
            && let Some(pipe) = &self.pipe
        {
            self.piece.clear();
            self.piece.reserve_exact(PIECE);
            let result = pipe.take(PIECE as u64).read_to_end(&mut self.piece);
            if !self.piece.is_empty() {
                recorder.record(self.kind, &self.piece);
                show(&self.piece);
            }
            taken += self.piece.len();
            match result {
                Ok(PIECE) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // A terminal that nobody has open any more says EIO.
                Ok(_) | Err(_) => self.pipe = None,
            }
        }
    }

    /// Gives back memory that is not needed while nothing comes.
    pub(super) fn rest(&mut self) {
        self.piece = Vec::new();
    }
}

/// Standard input of Claude, and what waits for it.
pub(super) struct Input {
    pipe: Option<File>,
    waiting: Vec<u8>,
    /// How much of `waiting` was written.
    written: usize,
    closing: bool,
}

impl Input {
    pub(super) fn new(pipe: Option<OwnedFd>) -> io::Result<Input> {
        let pipe = pipe.map(without_blocking).transpose()?;
        Ok(Input { pipe, waiting: Vec::new(), written: 0, closing: false })
    }

    /// More can be pushed.
    pub(super) fn is_open(&self) -> bool {
        self.pipe.is_some() && !self.closing
    }

    /// Bytes that wait.
    pub(super) fn pending(&self) -> usize {
        self.waiting.len() - self.written
    }

    /// The descriptor, while something waits for room in it.
    pub(super) fn wanting_fd(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().filter(|_| self.pending() > 0).map(AsFd::as_fd)
    }

    /// Writes these bytes after what waits.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        // What was written makes room once it is the larger part, so that little is ever moved.
        if self.written > self.pending() {
            self.waiting.drain(..self.written);
            self.written = 0;
        }
        self.waiting.extend_from_slice(bytes);
        self.flush();
    }

    /// Closes it once nothing waits.
    pub(super) fn close(&mut self) {
        self.closing = true;
        self.flush();
    }

    /// Closes it at once: nobody reads it any more.
    pub(super) fn abandon(&mut self) {
        self.pipe = None;
        self.waiting = Vec::new();
        self.written = 0;
    }

    /// Writes as much as there is room for.
    pub(super) fn flush(&mut self) {
        while let Some(pipe) = &mut self.pipe
            && self.written < self.waiting.len()
        {
            match pipe.write(&self.waiting[self.written..]) {
                Ok(written) => self.written += written,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => return self.abandon(),
            }
        }
        self.waiting = Vec::new();
        self.written = 0;
        if self.closing {
            self.pipe = None;
        }
    }
}

fn without_blocking(pipe: OwnedFd) -> io::Result<File> {
    let flags = OFlag::from_bits_retain(fcntl(&pipe, FcntlArg::F_GETFL)?);
    fcntl(&pipe, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(File::from(pipe))
}
