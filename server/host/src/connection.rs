//! One connection of a daemon, a viewer or a hook: frames in and out, without blocking.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use nix::unistd::geteuid;

use super::peer::{self, Peer};
use super::wire::{self, FromHost, Introduction, MAX_FRAME, ToHost, WireError};

/// Bytes to read at a time.
const PIECE: u64 = 64 << 10;

/// Maximum unread bytes of a daemon. Its frames are small and few: a daemon with this backlog does not read at all.
const MAX_UNSENT: usize = 64 << 10;

/// A connection. [`Connection::is_over`] says when it is of no more use.
pub(super) struct Connection {
    stream: UnixStream,
    incoming: Vec<u8>,
    /// How much of `incoming` was consumed.
    taken: usize,
    /// Bytes to send. A side that is always behind never reads all of it, so sent bytes make room at once.
    outgoing: VecDeque<u8>,
    over: bool,
    /// Maximum bytes after the length of a frame.
    pub(super) max_frame: usize,
    /// The length of the journal that the daemon was sent last; `None` unless it subscribed.
    pub(super) announced: Option<u64>,
    /// The contract that both sides speak, once it is negotiated.
    pub(super) contract: u32,
    /// The journal error that the daemon was sent last.
    pub(super) reported_error: Option<String>,
}

impl Connection {
    /// Accepts a connection if it comes from this user or from root, and says from which process.
    pub(super) fn accept(stream: UnixStream) -> io::Result<(Connection, Peer)> {
        let peer = peer::of(&stream)?;
        if peer.uid != geteuid().as_raw() && peer.uid != 0 {
            return Err(io::Error::other(format!("rejected a connection from user {}", peer.uid)));
        }
        stream.set_nonblocking(true)?;
        let connection = Connection {
            stream,
            incoming: Vec::new(),
            taken: 0,
            outgoing: VecDeque::new(),
            over: false,
            max_frame: MAX_FRAME,
            announced: None,
            contract: 0,
            reported_error: None,
        };
        Ok((connection, peer))
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// The other side has closed the connection or broken the rules. Frames that it sent before can still be read.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    pub(super) fn has_unsent(&self) -> bool {
        self.unsent() > 0
    }

    /// Bytes that the other side has not read.
    pub(super) fn unsent(&self) -> usize {
        self.outgoing.len()
    }

    /// Reads one piece, if there is one, and returns its size.
    pub(super) fn receive(&mut self) -> usize {
        self.incoming.drain(..self.taken);
        self.taken = 0;
        if self.incoming.is_empty() {
            self.incoming = Vec::with_capacity(PIECE as usize);
        }
        let before = self.incoming.len();
        match (&self.stream).take(PIECE).read_to_end(&mut self.incoming) {
            Ok(read) if read as u64 == PIECE => {}
            Ok(_) => self.over = true,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => self.over = true,
        }
        self.incoming.len() - before
    }

    /// Bytes that were received and are not taken.
    pub(super) fn received(&self) -> usize {
        self.incoming.len() - self.taken
    }

    /// What the next frame is, and the number of bytes after its length, as soon as its kind was received.
    pub(super) fn introduction(&self) -> Option<(Introduction, usize)> {
        wire::introduction(&self.incoming[self.taken..])
    }

    /// Takes the next complete frame, or returns `None`. Releases memory that is not needed then.
    pub(super) fn next_frame(&mut self) -> Option<ToHost> {
        let too_long = self.introduction().filter(|(_, length)| *length > self.max_frame);
        let decoded = match too_long {
            Some((_, length)) => Err(WireError::Length(u32::try_from(length).unwrap_or(u32::MAX))),
            None => ToHost::decode(&self.incoming[self.taken..]),
        };
        match decoded {
            Ok(Some((frame, length))) => {
                self.taken += length;
                Some(frame)
            }
            Ok(None) => {
                if self.taken == self.incoming.len() {
                    self.incoming = Vec::new();
                    self.taken = 0;
                }
                None
            }
            Err(WireError::Length(_) | WireError::Short(_)) => {
                self.over = true;
                self.incoming = Vec::new();
                self.taken = 0;
                None
            }
        }
    }

    /// Sends a frame, as far as the other side has room now.
    pub(super) fn send(&mut self, frame: &FromHost) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        self.send_encoded(&bytes);
        if self.unsent() > MAX_UNSENT {
            self.over = true;
        }
    }

    /// Sends encoded frames, as far as the other side has room now; the rest waits, whatever its size.
    pub(super) fn send_encoded(&mut self, bytes: &[u8]) {
        self.send_parts(&[], bytes);
    }

    /// Sends a frame whose bytes are in two places, as [`Connection::send_encoded`] does.
    pub(super) fn send_parts(&mut self, header: &[u8], payload: &[u8]) {
        self.flush();
        let taken = if self.has_unsent() { 0 } else { self.write(header, payload) };
        self.outgoing.extend(header.get(taken..).unwrap_or_default());
        self.outgoing.extend(&payload[taken.saturating_sub(header.len())..]);
    }

    /// Sends waiting bytes, as far as the other side has room.
    pub(super) fn flush(&mut self) {
        if self.has_unsent() {
            let (first, second) = self.outgoing.as_slices();
            let sent = self.write(first, second);
            self.outgoing.drain(..sent);
        }
        if !self.has_unsent() {
            self.outgoing = VecDeque::new();
        }
    }

    /// Writes as much as the other side has room for, and returns how much that was.
    fn write(&self, header: &[u8], payload: &[u8]) -> usize {
        let mut slices = [IoSlice::new(header), IoSlice::new(payload)];
        let mut rest = &mut slices[..];
        IoSlice::advance_slices(&mut rest, 0);
        let mut written = 0;
        while !rest.is_empty() {
            match (&self.stream).write_vectored(rest) {
                Ok(more) => {
                    written += more;
                    IoSlice::advance_slices(&mut rest, more);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // Bytes that the other side sent before can still be read; a read finds out that the connection is
                // over.
                Err(_) => return header.len() + payload.len(),
            }
        }
        written
    }
}
