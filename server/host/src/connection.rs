//! One connection of a daemon, a viewer or a hook: frames in and out, without blocking.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use nix::sys::socket::{getsockopt, sockopt};
use nix::unistd::geteuid;

use super::wire::{FromHost, ToHost, WireError};

/// How much is read at a time.
const PIECE: u64 = 64 << 10;

/// How much may wait for a daemon to read it. Its frames are small and few; one that lets this much pile up does not
/// read at all.
const MAX_UNSENT: usize = 64 << 10;

/// A connection. Once it is of no more use, [`Connection::is_over`].
pub(super) struct Connection {
    stream: UnixStream,
    incoming: Vec<u8>,
    /// How much of `incoming` was taken out.
    taken: usize,
    /// What waits to be sent. Who is always behind never takes all of it, so what was sent makes room at once.
    outgoing: VecDeque<u8>,
    over: bool,
    /// The end of the journal that the daemon was told; none unless it subscribed.
    pub(super) announced: Option<u64>,
    /// The contract that both sides speak, once that is settled.
    pub(super) contract: u32,
    /// The trouble with the journal that the daemon was told.
    pub(super) told_trouble: Option<String>,
}

impl Connection {
    /// Takes a connection if it comes from this user or from root.
    pub(super) fn accept(stream: UnixStream) -> io::Result<Connection> {
        let peer = getsockopt(&stream, sockopt::PeerCredentials)?.uid();
        if peer != geteuid().as_raw() && peer != 0 {
            return Err(io::Error::other(format!("a connection from user {peer} is refused")));
        }
        stream.set_nonblocking(true)?;
        Ok(Connection {
            stream,
            incoming: Vec::new(),
            taken: 0,
            outgoing: VecDeque::new(),
            over: false,
            announced: None,
            contract: 0,
            told_trouble: None,
        })
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// The other side has gone or broken the rules. What it sent before can still be taken.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    pub(super) fn has_unsent(&self) -> bool {
        self.unsent() > 0
    }

    /// Bytes that the other side has yet to take.
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

    /// Takes the next complete frame; none if there is none yet. Gives back memory that is not needed then.
    pub(super) fn next_frame(&mut self) -> Option<ToHost> {
        match ToHost::decode(&self.incoming[self.taken..]) {
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

    /// Sends frames that were encoded, as far as the other side has room now; the rest waits, however much it is.
    pub(super) fn send_encoded(&mut self, bytes: &[u8]) {
        self.send_parts(&[], bytes);
    }

    /// Sends a frame that stands in two places, as [`Connection::send_encoded`] does.
    pub(super) fn send_parts(&mut self, header: &[u8], payload: &[u8]) {
        self.flush();
        let taken = if self.has_unsent() { 0 } else { self.write(header, payload) };
        self.outgoing.extend(header.get(taken..).unwrap_or_default());
        self.outgoing.extend(&payload[taken.saturating_sub(header.len())..]);
    }

    /// Sends what waits, as far as the other side has room.
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

    /// Writes what the other side has room for, and returns how much that was.
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
                // Whatever else the other side sent is still taken; reading tells when it is over.
                Err(_) => return header.len() + payload.len(),
            }
        }
        written
    }
}
