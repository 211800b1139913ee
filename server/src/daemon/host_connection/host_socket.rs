//! The socket of a host: frames in and out.

use std::io;

use tokio::net::UnixStream;

use areyouj_host::key::Key;
use areyouj_host::wire::{CONTRACT, FromHost, ToHost};

/// A host's introduction.
pub(super) struct Welcome {
    pub(super) host_pid: u32,
    /// Claude's process id while it runs.
    pub(super) claude_pid: Option<u32>,
    /// The length of the journal.
    pub(super) end: u64,
    /// It has a key, and obeys no daemon without it.
    pub(super) keyed: bool,
}

/// A connection to a host, with unsent frames and the beginning of the next incoming one.
pub(super) struct HostSocket {
    stream: UnixStream,
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
}

/// Introduces the daemon to the host, which from then on serves this connection alone. The key is that of the launch, if
/// the daemon has it.
///
/// # Errors
/// [`io::ErrorKind::PermissionDenied`]: the host has another key.
pub(super) async fn hello(stream: UnixStream, key: Option<Key>) -> io::Result<(HostSocket, Welcome)> {
    let mut socket = HostSocket::new(stream);
    socket.send(&ToHost::Hello { contract: CONTRACT, key });
    loop {
        match socket.next().await? {
            FromHost::Welcome { host_pid, claude_pid, end, keyed, .. } => {
                return Ok((socket, Welcome { host_pid, claude_pid, end, keyed }));
            }
            FromHost::Refused(why) => return Err(io::Error::new(io::ErrorKind::PermissionDenied, why)),
            _ => {}
        }
    }
}

impl HostSocket {
    pub(super) fn new(stream: UnixStream) -> HostSocket {
        HostSocket { stream, outgoing: Vec::new(), incoming: Vec::new() }
    }

    /// Queues a frame; [`HostSocket::next`] sends it.
    pub(super) fn send(&mut self, frame: &ToHost) {
        frame.encode(&mut self.outgoing);
    }

    /// Sends the queued frames, and returns the next incoming one. Cancellation loses nothing.
    pub(super) async fn next(&mut self) -> io::Result<FromHost> {
        loop {
            let decoded = FromHost::decode(&self.incoming).map_err(io::Error::other)?;
            if let Some((frame, consumed)) = decoded {
                self.incoming.drain(..consumed);
                return Ok(frame);
            }
            let stream = &self.stream;
            tokio::select! {
                ready = stream.writable(), if !self.outgoing.is_empty() => {
                    ready?;
                    match stream.try_write(&self.outgoing) {
                        Ok(written) => drop(self.outgoing.drain(..written)),
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        Err(error) => return Err(error),
                    }
                }
                ready = stream.readable() => {
                    ready?;
                    let mut buffer = [0; 4_096];
                    match stream.try_read(&mut buffer) {
                        Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                        Ok(read) => self.incoming.extend_from_slice(&buffer[..read]),
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
    }
}
