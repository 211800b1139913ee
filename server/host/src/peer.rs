//! Who is at the other end of a socket: a person's process, or one inside a session.
//!
//! Decided by facts of the kernel alone, never by what a process says about itself. Each session's host is the
//! subreaper of everything below it, so a process inside a session has a host among its ancestors as long as that host
//! lives. A host also marks Claude, before it runs, with a limit that no process can raise again; so a process whose
//! host was killed is known as well.

mod ancestry;
mod mark;
mod survivors;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{getsockopt, sockopt};
use nix::unistd::Pid;

pub(crate) use ancestry::HOST_NAME;
use ancestry::{Ancestor, ancestors, hosts};
pub(crate) use mark::mark_children;
use mark::{hard_limit, marked_session};
pub use survivors::{Survivor, kill_survivors};

/// The process at the other end of a socket when it connected.
#[derive(Debug)]
pub struct Peer {
    /// Its process id; 0 if it is in a PID namespace that this process cannot see.
    pub pid: i32,
    /// Its effective user id.
    pub uid: u32,
    /// Keeps the process id from being taken for that of a later process. Linux before 6.5 has none.
    pidfd: Option<OwnedFd>,
}

/// Where a process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not inside any session: a person's.
    Outside,
    /// Inside a session.
    Inside(Inside),
}

/// The session that a process is inside of. Both fields say what is known; a process whose host was killed has no host,
/// and one that lowered its limit has no name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// The directories of the sessions whose hosts are above the process, the outermost first, as the hosts' own
    /// arguments name them. A host that is itself marked does not count: a process inside a session can call itself a
    /// host of another one.
    pub session_dirs: Vec<PathBuf>,
    /// The session that the mark names.
    pub marked: Option<String>,
}

/// Where this process stands itself: what is above it does not count for others.
#[derive(Clone, Debug)]
pub struct Vantage {
    above: Vec<Ancestor>,
    limit: u64,
}

/// Identifies the process that connected.
///
/// # Errors
/// The kernel does not name it.
pub fn of(socket: &impl AsFd) -> io::Result<Peer> {
    let credentials = getsockopt(socket, sockopt::PeerCredentials)?;
    let pidfd = match getsockopt(socket, sockopt::PeerPidfd) {
        Ok(pidfd) => Some(pidfd),
        // A kernel without the option. ESRCH, ENODATA and the like mean that the process was reaped.
        Err(Errno::ENOPROTOOPT | Errno::EINVAL) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Peer { pid: credentials.pid(), uid: credentials.uid(), pidfd })
}

impl Peer {
    /// Whether the process still exists, so that what was read about its id was about it. True where the kernel cannot
    /// tell.
    fn is_alive(&self) -> bool {
        let Some(pidfd) = &self.pidfd else { return true };
        // Readable once the process has exited.
        matches!(poll(&mut [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO), Ok(0))
    }
}

impl Vantage {
    /// That of this process.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub fn own() -> io::Result<Vantage> {
        let own = Pid::this().as_raw();
        Ok(Vantage { above: hosts(&ancestors(own)?), limit: hard_limit(own)? })
    }

    /// The directories of the sessions that this process is inside of, the outermost first.
    pub fn session_dirs(&self) -> impl Iterator<Item = PathBuf> {
        self.above.iter().rev().filter_map(|host| host.session_dir())
    }

    /// The session that this process is marked with.
    pub fn marked(&self) -> Option<String> {
        marked_session(self.limit)
    }

    /// Where the peer stands, seen from this process.
    ///
    /// # Errors
    /// It cannot be found out: the process has exited, or `/proc` cannot be read.
    pub fn standing(&self, peer: &Peer) -> io::Result<Standing> {
        // Everything below a host is in the host's namespace or one below, which this process sees.
        if peer.pid == 0 {
            return Ok(Standing::Outside);
        }
        let standing = self.standing_of(peer.pid)?;
        if !peer.is_alive() {
            return Err(io::Error::other(format!("process {} has exited", peer.pid)));
        }
        Ok(standing)
    }

    /// The hosts that are not themselves inside a session, the outermost first.
    fn genuine<'a>(&self, hosts: &'a [Ancestor]) -> impl Iterator<Item = &'a Ancestor> {
        hosts.iter().rev().filter(|host| hard_limit(host.pid).is_ok_and(|limit| limit >= self.limit))
    }

    /// Whether this process is above the peer.
    ///
    /// # Errors
    /// See [`Vantage::standing`].
    pub fn is_above(&self, peer: &Peer) -> io::Result<bool> {
        let own = Pid::this().as_raw();
        let above = ancestors(peer.pid)?.iter().skip(1).any(|ancestor| ancestor.pid == own);
        Ok(above && peer.is_alive())
    }

    /// Where the process with this id stands.
    ///
    /// # Errors
    /// See [`Vantage::standing`].
    pub fn standing_of(&self, pid: i32) -> io::Result<Standing> {
        let mut between = hosts(&ancestors(pid)?);
        between.retain(|host| !self.above.contains(host));
        let limit = hard_limit(pid)?;
        if between.is_empty() && limit >= self.limit {
            return Ok(Standing::Outside);
        }
        Ok(Standing::Inside(Inside {
            session_dirs: self.genuine(&between).filter_map(Ancestor::session_dir).collect(),
            marked: marked_session(limit),
        }))
    }
}

#[cfg(test)]
mod survivor_tests;
#[cfg(test)]
mod tests;
