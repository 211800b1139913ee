//! The view of one host's screen, until the host exits or the person detaches.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::Options;
use super::outer::{OuterTerminal, SignalKind};
use super::passage::Passage;
use areyouj_host::wire::{CONTRACT, FromHost, ToHost};

/// Bytes that are read from the host at a time.
const READ_BYTES: usize = 256 << 10;

/// Bytes of keys that can wait for the host: room for a large paste. Further keys are lost while Claude does not read,
/// because all must be read: a person can always detach, even if the terminal answers a flood of queries.
const MAX_UNSENT_BYTES: usize = 16 << 20;

/// Why a view ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The person detached.
    Detached,
    /// A signal or the end of input: the terminal was closed.
    Signalled,
    /// The host refused to show its screen, for this reason.
    Refused(String),
    /// The host exited, and Claude with it.
    HungUp,
}

/// A connection to a host as a viewer.
pub(super) struct View {
    stream: UnixStream,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    passage: Passage,
    read_only: bool,
}

impl View {
    pub(super) fn new(stream: UnixStream, options: &Options) -> io::Result<View> {
        stream.set_nonblocking(true)?;
        Ok(View {
            stream,
            incoming: Vec::new(),
            outgoing: Vec::new(),
            passage: Passage::new(options.allowed),
            read_only: options.read_only,
        })
    }

    /// Shows these lines of history, then the screen, until the view ends.
    pub(super) fn show(&mut self, outer: &mut OuterTerminal, history: &[u8]) -> io::Result<End> {
        self.send(&ToHost::Attach { contract: CONTRACT, size: outer.size(), read_only: self.read_only });
        let mut history = Some(history).filter(|history| !history.is_empty());
        loop {
            if self.flush().is_err() {
                return Ok(End::HungUp);
            }
            let (host, input, signals) = self.wait(outer)?;
            if host {
                let open = self.receive();
                if let Some(end) = self.display(outer, &mut history)? {
                    return Ok(end);
                }
                if !open {
                    return Ok(End::HungUp);
                }
            }
            match outer.pending_signal().filter(|_| signals) {
                Some(SignalKind::End) => return Ok(End::Signalled),
                Some(SignalKind::Resized) => self.send(&ToHost::Resize(outer.size())),
                None => {}
            }
            if input {
                let Some(pressed) = outer.read()? else { return Ok(End::Signalled) };
                self.type_in(pressed.forward);
                if pressed.detach {
                    let _ = self.flush();
                    return Ok(End::Detached);
                }
            }
            self.type_in(outer.late_prefix());
        }
    }

    fn type_in(&mut self, keys: Vec<u8>) {
        if !keys.is_empty() && !self.read_only && self.outgoing.len() < MAX_UNSENT_BYTES {
            self.send(&ToHost::Typed(keys));
        }
    }

    fn send(&mut self, frame: &ToHost) {
        frame.encode(&mut self.outgoing);
    }

    /// Waits for the host, for keys or for a signal. Returns which of the three are ready, in this order.
    fn wait(&self, outer: &OuterTerminal) -> io::Result<(bool, bool, bool)> {
        let unsent = if self.outgoing.is_empty() { PollFlags::empty() } else { PollFlags::POLLOUT };
        let mut fds = [
            PollFd::new(self.stream.as_fd(), PollFlags::POLLIN | unsent),
            PollFd::new(outer.input(), PollFlags::POLLIN),
            PollFd::new(outer.signals.as_fd(), PollFlags::POLLIN),
        ];
        let timeout = outer.prefix_at().map_or(PollTimeout::NONE, |at| {
            let left = at.saturating_duration_since(Instant::now()).as_millis() + 1;
            PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
        });
        match poll(&mut fds, timeout) {
            Ok(_) => {}
            Err(Errno::EINTR) => return Ok((false, false, false)),
            Err(error) => return Err(error.into()),
        }
        let [host, input, signals] = fds.map(|fd| fd.any().unwrap_or(true));
        Ok((host, input, signals))
    }

    /// Reads bytes from the host. Returns false once the host has closed the connection.
    fn receive(&mut self) -> bool {
        let filled = self.incoming.len();
        self.incoming.resize(filled + READ_BYTES, 0);
        let read = self.stream.read(&mut self.incoming[filled..]);
        let (open, read) = match read {
            Ok(0) => (false, 0),
            Ok(read) => (true, read),
            Err(error) => (matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted), 0),
        };
        self.incoming.truncate(filled + read);
        open
    }

    /// Writes the received output to the terminal. Returns the end of the view, if the host ended it.
    fn display(&mut self, outer: &mut OuterTerminal, history: &mut Option<&[u8]>) -> io::Result<Option<End>> {
        let mut decoded = 0;
        let end = loop {
            if let Some((bytes, length)) = FromHost::output(&self.incoming[decoded..]) {
                decoded += length;
                pass(&mut self.passage, bytes, outer)?;
                continue;
            }
            match FromHost::decode(&self.incoming[decoded..]) {
                Ok(Some((frame, length))) => {
                    decoded += length;
                    match frame {
                        FromHost::Screen { bytes, .. } => {
                            if let Some(lines) = history.take() {
                                pass(&mut self.passage, lines, outer)?;
                                // The history scrolls out of sight before the screen is drawn over it.
                                outer.write(&b"\r\n".repeat(usize::from(outer.size().rows)))?;
                            }
                            pass(&mut self.passage, &bytes, outer)?;
                        }
                        FromHost::Refused(reason) => break Some(End::Refused(reason)),
                        _ => {}
                    }
                }
                Ok(None) => break None,
                // This program does not understand the frame: the host has another contract version.
                Err(_) => break Some(End::HungUp),
            }
        };
        self.incoming.drain(..decoded);
        Ok(end)
    }

    /// Sends pending frames, as far as the host accepts them.
    fn flush(&mut self) -> io::Result<()> {
        while !self.outgoing.is_empty() {
            match self.stream.write(&self.outgoing) {
                Ok(written) => drop(self.outgoing.drain(..written)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Writes to the terminal what passes of this output.
fn pass(passage: &mut Passage, output: &[u8], outer: &mut OuterTerminal) -> io::Result<()> {
    outer.write(&passage.pass(output))?;
    if passage.take_asked() {
        outer.expect_answers();
    }
    Ok(())
}
