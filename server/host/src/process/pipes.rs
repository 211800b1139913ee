//! Claude's pipes, or the one descriptor of its terminal that replaces all of them, without blocking.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::super::recorder::Recorder;
use areyouj_journal::Kind;

/// Maximum output in one record: the usual capacity of a pipe. A longer line takes several records.
const PIECE: usize = 64 << 10;

/// Standard output or standard error of Claude.
pub(super) struct Output {
    kind: Kind,
    pipe: Option<File>,
    /// The read buffer; released when no more output comes for a while.
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

    /// Records about `most` bytes of the available output, as long as it can be recorded, and shows each recorded
    /// piece.
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
                // A terminal that no process has open returns EIO.
                Ok(_) | Err(_) => self.pipe = None,
            }
        }
    }

    /// Releases memory that is not needed while there is no output.
    pub(super) fn trim(&mut self) {
        self.piece = Vec::new();
    }
}

/// Standard input of Claude, and the bytes that wait for it.
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

    /// Waiting bytes.
    pub(super) fn pending(&self) -> usize {
        self.waiting.len() - self.written
    }

    /// The descriptor, while bytes wait for room in it.
    pub(super) fn wanting_fd(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().filter(|_| self.pending() > 0).map(AsFd::as_fd)
    }

    /// Appends bytes to the waiting ones.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        // Written bytes make room once they are the larger part, so that little is ever moved.
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

    /// Closes it at once: no process reads it any more.
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
