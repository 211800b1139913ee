//! Connecting to the daemon's socket, if the daemon is there and is ours.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use areyouj_protocol::ErrorCode;
use nix::errno::Errno;
use nix::sys::socket::sockopt::PeerCredentials;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, getsockopt, socket};
use nix::unistd::geteuid;

use super::{Failure, connection_lost};

/// How long whoever listens may take no connections. One that is alive does at once.
const DEADLINE: Duration = Duration::from_secs(10);

/// The pause before a connection that is not taken is tried again.
const PAUSE: Duration = Duration::from_millis(50);

/// Connects to a socket; none if nobody listens there. One of another user is refused: it would be told everything
/// that is said to Claude, and the environment.
pub(crate) fn connect_socket(path: &Path) -> Result<Option<UnixStream>, Failure> {
    use io::ErrorKind::{ConnectionRefused, NotADirectory, NotFound};
    match connect_until(path, Instant::now() + DEADLINE) {
        Ok(stream) => {
            let owner = getsockopt(&stream, PeerCredentials).map_err(|_| connection_lost())?.uid();
            if owner == geteuid().as_raw() { Ok(Some(stream)) } else { Err(foreign(path, owner)) }
        }
        Err(error) if matches!(error.kind(), NotFound | ConnectionRefused | NotADirectory) => Ok(None),
        Err(error) => Err(cannot_connect(path, &error)),
    }
}

pub(super) fn cannot_connect(path: &Path, error: &io::Error) -> Failure {
    let (code, hint) = match error.kind() {
        io::ErrorKind::PermissionDenied => (
            ErrorCode::DirectoryNotAccessible,
            "Run as the user it belongs to, or set AREYOUJ_HOME to a directory of your own.",
        ),
        _ => (ErrorCode::DaemonUnavailable, "Run `areyouj doctor`."),
    };
    Failure::new(code, format!("cannot connect to {}: {error}", path.display()), hint)
}

/// Connects, and blocks from then on. Connecting itself must not: if nobody takes the connections that wait, it would
/// wait for ever.
fn connect_until(path: &Path, deadline: Instant) -> io::Result<UnixStream> {
    let address = UnixAddr::new(path)?;
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket: OwnedFd = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    loop {
        match connect(socket.as_raw_fd(), &address) {
            Ok(()) => break,
            Err(Errno::EAGAIN | Errno::EINTR) if Instant::now() < deadline => thread::park_timeout(PAUSE),
            Err(Errno::EAGAIN) => {
                return Err(no_connection_accepted());
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

pub(super) fn no_connection_accepted() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "whoever listens takes no connections")
}

pub(super) fn foreign(socket: &Path, owner: u32) -> Failure {
    Failure::new(
        ErrorCode::DaemonForeign,
        format!("the daemon at {} belongs to another user (uid {owner})", socket.display()),
        "Run as that user, or set AREYOUJ_HOME to a directory of your own.",
    )
}

#[cfg(test)]
mod tests {
    use nix::sys::socket::{Backlog, bind, listen};

    use super::*;

    #[test]
    fn a_listener_that_takes_no_connections_is_not_waited_for_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let listener = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
        bind(listener.as_raw_fd(), &UnixAddr::new(&path).unwrap()).unwrap();
        listen(&listener, Backlog::new(1).unwrap()).unwrap();
        let soon = || Instant::now() + 2 * PAUSE;
        let mut waiting = Vec::new();
        let error = loop {
            match connect_until(&path, soon()) {
                Ok(stream) => waiting.push(stream),
                Err(error) => break error,
            }
        };
        assert!(!waiting.is_empty());
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
