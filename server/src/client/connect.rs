//! Connecting to the daemon's socket, and checking that the daemon belongs to the same user.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use areyouj_protocol::{ErrorCode, Remedy};
use nix::errno::Errno;
use nix::sys::socket::sockopt::PeerCredentials;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, getsockopt, socket};
use nix::unistd::geteuid;

use super::{Failure, connection_lost};

/// How long a listener can leave connections waiting. A live daemon accepts at once.
const ACCEPT_TIMEOUT: Duration = Duration::from_secs(10);

/// The pause before the next attempt to connect.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// Connects to a socket; `None` if no process listens on it. Refuses the daemon of another user, which would receive all
/// messages to Claude and the environment.
pub(crate) fn connect_socket(path: &Path) -> Result<Option<UnixStream>, Failure> {
    use io::ErrorKind::{ConnectionRefused, NotADirectory, NotFound};
    match connect_until(path, Instant::now() + ACCEPT_TIMEOUT) {
        Ok(stream) => {
            let owner = getsockopt(&stream, PeerCredentials).map_err(|_| connection_lost())?.uid();
            if owner == geteuid().as_raw() { Ok(Some(stream)) } else { Err(foreign(path, owner)) }
        }
        Err(error) if matches!(error.kind(), NotFound | ConnectionRefused | NotADirectory) => Ok(None),
        Err(error) => Err(cannot_connect(path, &error)),
    }
}

pub(super) fn cannot_connect(path: &Path, error: &io::Error) -> Failure {
    let (code, remedy) = match error.kind() {
        io::ErrorKind::PermissionDenied => (
            ErrorCode::DirectoryNotAccessible,
            "Run the command as the owner of that socket, or set AREYOUJ_HOME to a directory of your own."
                .into(),
        ),
        _ => (ErrorCode::DaemonUnavailable, Remedy::RunDoctor { first: None }),
    };
    Failure::new(code, format!("cannot connect to {}: {error}", path.display()), remedy)
}

/// Connects a blocking stream. The connect call itself does not block: with a full backlog it would block without a limit.
fn connect_until(path: &Path, deadline: Instant) -> io::Result<UnixStream> {
    let address = UnixAddr::new(path)?;
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket: OwnedFd = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    loop {
        match connect(socket.as_raw_fd(), &address) {
            Ok(()) => break,
            Err(Errno::EAGAIN | Errno::EINTR) if Instant::now() < deadline => {
                thread::park_timeout(RETRY_PAUSE);
            }
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
    io::Error::new(io::ErrorKind::TimedOut, "the listening process does not accept connections")
}

pub(super) fn foreign(socket: &Path, owner: u32) -> Failure {
    Failure::new(
        ErrorCode::DaemonForeign,
        format!("the daemon at {} belongs to another user (uid {owner})", socket.display()),
        "Run the command as that user, or set AREYOUJ_HOME to a directory of your own.",
    )
}

#[cfg(test)]
mod tests {
    use nix::sys::socket::{Backlog, bind, listen};

    use super::*;

    #[test]
    fn connecting_to_a_listener_that_does_not_accept_times_out() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let listener = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
        bind(listener.as_raw_fd(), &UnixAddr::new(&path).unwrap()).unwrap();
        listen(&listener, Backlog::new(1).unwrap()).unwrap();
        let soon = || Instant::now() + 2 * RETRY_PAUSE;
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
