//! The process of a host, as the daemon sees it from outside.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A host's process.
pub(super) struct HostProcess {
    /// The file that the host keeps locked as long as it lives.
    pub(super) lock: PathBuf,
    pub(super) pid: Option<i32>,
}

impl HostProcess {
    pub(super) fn is_gone(&self) -> bool {
        let file = match OpenOptions::new().read(true).write(true).mode(0o600).open(&self.lock) {
            Ok(file) => file,
            Err(error) => return error.kind() == io::ErrorKind::NotFound,
        };
        Flock::lock(file, FlockArg::LockExclusiveNonblock).is_ok()
    }

    /// Kills a host that does not act. The daemon cleans up as after any host that is lost.
    pub(super) fn kill(&self) {
        if let Some(pid) = self.pid.filter(|_| !self.is_gone()) {
            tracing::warn!(pid, lock = %self.lock.display(), "the host does not stop and is killed");
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}
