//! One host's screen, for as long as the host is there.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::outer::{Called, Outer};
use areyouj_host::wire::{CONTRACT, FromHost, ToHost};

/// How much is read from the host at a time.
const PIECE: usize = 256 << 10;

/// Keys that may wait for the host; more are left where they are.
const MAX_UNSENT: usize = 256 << 10;

/// How a view came to its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The person left.
    Detached,
    /// A signal, or the end of input: the terminal is gone.
    Signalled,
    /// The host would not show its screen.
    Refused(String),
    /// The host is gone, and Claude with it.
    HungUp,
}

/// The view.
pub(super) struct View {
    stream: UnixStream,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    read_only: bool,
}

impl View {
    pub(super) fn new(stream: UnixStream, read_only: bool) -> io::Result<View> {
        stream.set_nonblocking(true)?;
        Ok(View { stream, incoming: Vec::new(), outgoing: Vec::new(), read_only })
    }

    /// Shows the screen, after these lines of history, until something ends it.
    pub(super) fn show(&mut self, outer: &mut Outer, history: &[u8]) -> io::Result<End> {
        self.send(&ToHost::Attach { contract: CONTRACT, size: outer.size(), read_only: self.read_only });
        let mut history = Some(history).filter(|history| !history.is_empty());
        loop {
            if self.flush().is_err() {
                return Ok(End::HungUp);
            }
            let (host, input, signals) = self.wait(outer)?;
            if host {
                let open = self.receive();
                if let Some(end) = self.paint(outer, &mut history)? {
                    return Ok(end);
                }
                if !open {
                    return Ok(End::HungUp);
                }
            }
            match outer.called().filter(|_| signals) {
                Some(Called::End) => return Ok(End::Signalled),
                Some(Called::Resized) => self.send(&ToHost::Resize(outer.size())),
                None => {}
            }
            if input {
                let Some(pressed) = outer.read()? else { return Ok(End::Signalled) };
                self.type_in(pressed.forward);
                if pressed.leaves {
                    let _ = self.flush();
                    return Ok(End::Detached);
                }
            }
            self.type_in(outer.late_prefix());
        }
    }

    fn type_in(&mut self, keys: Vec<u8>) {
        if !keys.is_empty() && !self.read_only {
            self.send(&ToHost::Typed(keys));
        }
    }

    fn send(&mut self, frame: &ToHost) {
        frame.encode(&mut self.outgoing);
    }

    /// Waits for the host, for keys or for a signal, and says for which there is something.
    fn wait(&self, outer: &Outer) -> io::Result<(bool, bool, bool)> {
        let unsent = if self.outgoing.is_empty() { PollFlags::empty() } else { PollFlags::POLLOUT };
        let heard = if self.outgoing.len() < MAX_UNSENT { PollFlags::POLLIN } else { PollFlags::empty() };
        let mut fds = [
            PollFd::new(self.stream.as_fd(), PollFlags::POLLIN | unsent),
            PollFd::new(outer.input(), heard),
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

    /// Reads a piece of what the host sent; false once it has hung up.
    fn receive(&mut self) -> bool {
        let filled = self.incoming.len();
        self.incoming.resize(filled + PIECE, 0);
        let read = self.stream.read(&mut self.incoming[filled..]);
        let (open, read) = match read {
            Ok(0) => (false, 0),
            Ok(read) => (true, read),
            Err(error) => (matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted), 0),
        };
        self.incoming.truncate(filled + read);
        open
    }

    /// Writes what came to the terminal.
    fn paint(&mut self, outer: &mut Outer, history: &mut Option<&[u8]>) -> io::Result<Option<End>> {
        let mut taken = 0;
        let end = loop {
            if let Some((bytes, length)) = FromHost::output(&self.incoming[taken..]) {
                taken += length;
                outer.write(bytes)?;
                continue;
            }
            match FromHost::decode(&self.incoming[taken..]) {
                Ok(Some((frame, length))) => {
                    taken += length;
                    match frame {
                        FromHost::Screen { bytes, .. } => {
                            if let Some(lines) = history.take() {
                                outer.write(lines)?;
                                // Out of sight, before the screen takes their place.
                                outer.write(&b"\r\n".repeat(usize::from(outer.size().rows)))?;
                            }
                            outer.write(&bytes)?;
                        }
                        FromHost::Refused(why) => break Some(End::Refused(why)),
                        _ => {}
                    }
                }
                Ok(None) => break None,
                // Whatever that is, it is no host that this program understands.
                Err(_) => break Some(End::HungUp),
            }
        };
        self.incoming.drain(..taken);
        Ok(end)
    }

    /// Sends what waits, as far as the host takes it.
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
