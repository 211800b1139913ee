//! Processes of a session that outlived their host.
//!
//! A process can kill its own host: it is a process of the same user. What the host was the subreaper of then belongs to
//! another process, and an environment can be cleared. The limit that marks the inside of a session remains.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid, getsid};

use super::Vantage;
use super::ancestry::{Ancestor, HOST_NAME, ancestors};
use super::mark::{hard_limit, marked_session};
use crate::tree::processes;

/// How long survivors can take to exit. One that is stuck in the kernel, or of another user, must not block its killer
/// without a limit.
const KILL_PATIENCE: Duration = Duration::from_secs(5);

/// Milliseconds between two searches: a killed process exits within a few.
const LOOK_AGAIN_MS: u8 = 5;

/// Maximum number of survivors that are named to people.
const NAMED: usize = 20;

/// A process that could not be killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// Its process id.
    pub pid: i32,
    /// Its program's name, as the process itself chose it.
    pub program: String,
}

/// Kills the processes of this session, and of other sessions whose host was lost, that no living host is above of,
/// until none is left. Returns those that do not exit in time, at most [`NAMED`].
///
/// # Errors
/// `/proc` cannot be read for this process itself.
pub fn kill_survivors(session: &str) -> io::Result<Vec<Survivor>> {
    let search = Search::new(session)?;
    let until = Instant::now() + KILL_PATIENCE;
    loop {
        let found: Vec<i32> = processes().into_iter().filter(|pid| search.finds(*pid)).collect();
        if found.is_empty() {
            return Ok(Vec::new());
        }
        if Instant::now() >= until {
            return Ok(found.into_iter().take(NAMED).map(Survivor::of).collect());
        }
        found.into_iter().for_each(|pid| search.kill(pid));
        // They are not our children, so nothing signals their exit.
        let _ = poll(&mut [], PollTimeout::from(LOOK_AGAIN_MS));
    }
}

/// What tells a survivor from other processes, as seen from this process.
struct Search<'a> {
    session: &'a str,
    vantage: Vantage,
    /// This process and its ancestors. An orphan of a host gets one of them as its parent, or the first process.
    own: Vec<Ancestor>,
    user: u32,
}

impl Search<'_> {
    fn new(session: &str) -> io::Result<Search<'_>> {
        let own = ancestors(Pid::this().as_raw())?;
        Ok(Search { session, vantage: Vantage::own()?, own, user: geteuid().as_raw() })
    }

    /// Whether this is a survivor. A process of which that cannot be found out is none.
    fn finds(&self, pid: i32) -> bool {
        // Most processes fail the first test, which reads one file.
        self.is_marked(pid) && is_alive_and_of(self.user, pid) && self.is_survivor(pid).unwrap_or(false)
    }

    fn is_survivor(&self, pid: i32) -> io::Result<bool> {
        let chain = ancestors(pid)?;
        // The process and the marked ones above it, then what is above the session.
        let marked = chain.iter().take_while(|process| self.is_marked(process.pid)).count();
        let (inside, above) = chain.split_at(marked);
        let Some(top) = inside.last() else { return Ok(false) };
        // Only a process without the mark can be a host of this daemon: a session's process can take its name.
        let is_host = |process: &Ancestor| process.name == HOST_NAME.to_bytes();
        if above.iter().any(|process| is_host(process) && !self.vantage.above.contains(process)) {
            return Ok(false);
        }
        if marked_session(hard_limit(pid)?).as_deref() == Some(self.session) {
            return Ok(true);
        }
        // The name of the session is lost, or is that of another session. A person can lower this limit too, so the
        // process must be an orphan: a person's shell or service manager is above what it started.
        let is_orphan = above.first().is_none_or(|parent| parent.parent == 0 || self.own.contains(parent));
        Ok(is_orphan && !self.is_in_an_unmarked_terminal_session(top.pid))
    }

    fn is_marked(&self, pid: i32) -> bool {
        hard_limit(pid).is_ok_and(|limit| limit < self.vantage.limit)
    }

    /// Whether another process, which is alive and not marked, leads the process's terminal session (`setsid`), as a
    /// person's shell does. A host leads that of everything below it.
    fn is_in_an_unmarked_terminal_session(&self, pid: i32) -> bool {
        getsid(Some(Pid::from_raw(pid)))
            .is_ok_and(|leader| hard_limit(leader.as_raw()).is_ok_and(|limit| limit >= self.vantage.limit))
    }

    /// Kills the process if it still is a survivor.
    fn kill(&self, pid: i32) {
        match pidfd_open(pid) {
            // Checked after the process id was fixed: the number can have been reused.
            Ok(pidfd) => {
                if self.finds(pid) {
                    pidfd_kill(&pidfd);
                }
            }
            Err(Errno::ENOSYS) if self.finds(pid) => {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
            Err(_) => {}
        }
    }
}

impl Survivor {
    fn of(pid: i32) -> Survivor {
        let program = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
        Survivor { pid, program: String::from_utf8_lossy(program.trim_ascii_end()).into_owned() }
    }
}

/// Whether the process runs with this user id. A zombie has exited: it remains for as long as its parent likes.
fn is_alive_and_of(user: u32, pid: i32) -> bool {
    fs::read(format!("/proc/{pid}/status")).is_ok_and(|status| parse(&status, user))
}

/// Reads the lines `State: LETTER (WORD)` and `Uid: REAL EFFECTIVE SAVED FILE`.
fn parse(status: &[u8], user: u32) -> bool {
    let status = String::from_utf8_lossy(status);
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
    let alive = field("State:").is_some_and(|state| !state.trim_start().starts_with(['Z', 'X']));
    let real = field("Uid:").and_then(|ids| ids.split_ascii_whitespace().next());
    alive && real.and_then(|id| id.parse().ok()) == Some(user)
}

#[expect(unsafe_code, reason = "nix has no safe call that opens a process")]
fn pidfd_open(pid: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: the call takes two numbers.
    let pidfd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    let pidfd = i32::try_from(pidfd).map_err(|_| Errno::EBADF)?;
    // SAFETY: the kernel just made this descriptor, and nothing else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(pidfd) })
}

/// An error means that the process has exited, or that it is not killable; the next search tells.
#[expect(unsafe_code, reason = "nix has no safe call that signals an open process")]
fn pidfd_kill(pidfd: &OwnedFd) {
    // SAFETY: the descriptor is open during the call, and the kernel accepts no signal information.
    unsafe {
        let none: *const libc::siginfo_t = std::ptr::null();
        libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), libc::SIGKILL, none, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zombie_and_a_process_of_another_user_are_left_alone() {
        let status = |state: &str, ids: &str| format!("Name:\ta\nState:\t{state}\nUid:\t{ids}\n");
        assert!(parse(status("S (sleeping)", "7\t7\t7\t7").as_bytes(), 7));
        assert!(!parse(status("Z (zombie)", "7\t7\t7\t7").as_bytes(), 7));
        assert!(!parse(status("S (sleeping)", "8\t7\t7\t7").as_bytes(), 7));
    }
}
