//! The daemon's door: the lock that makes it the only one of its home, its socket, and who may come in.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};
use tokio::net::UnixStream;

use crate::paths::Paths;

/// How long clients that only check whether a daemon lives may hold the lock.
const LOCK_PATIENCE: Duration = Duration::from_millis(200);

/// Pause between two tries to take the lock.
const LOCK_RETRY: Duration = Duration::from_millis(10);

/// Takes the lock that a daemon holds for as long as it lives, and writes the process id into its file.
///
/// # Errors
/// When another daemon holds it, or the file cannot be written.
pub(super) fn lock(paths: &Paths) -> std::io::Result<Flock<File>> {
    let file = OpenOptions::new()
        .create(true)
        .read(true)
        .write(true)
        .truncate(false)
        .mode(0o600)
        .open(paths.daemon_lock())?;
    let mut lock = wait_for_lock(file)?;
    lock.set_len(0)?;
    write!(lock, "{}", std::process::id())?;
    Ok(lock)
}

/// A client that checks whether a daemon lives holds the lock for a moment, so one refusal proves nothing.
fn wait_for_lock(mut file: File) -> std::io::Result<Flock<File>> {
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((_, error)) if Instant::now() > deadline => return Err(error.into()),
            Err((returned, _)) => file = returned,
        }
        std::thread::park_timeout(LOCK_RETRY);
    }
}

/// Opens the daemon's socket, for this user only. A stale socket is removed: we hold the lock, so no process serves it.
///
/// # Errors
/// When the stale socket cannot be removed or the new one cannot be made.
pub(super) fn listen(paths: &Paths) -> std::io::Result<UnixListener> {
    let path = paths.daemon_socket();
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Whether the peer is a process of this user. The daemon rejects every other peer.
pub(super) fn is_own_user(stream: &UnixStream) -> bool {
    let own = nix::unistd::geteuid().as_raw();
    match stream.peer_cred() {
        Ok(peer) if peer.uid() == own => return true,
        Ok(peer) => tracing::warn!(uid = peer.uid(), "rejected a client of another user"),
        Err(error) => tracing::warn!(%error, "rejected a client without credentials"),
    }
    false
}
