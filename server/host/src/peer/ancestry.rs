//! The ancestors of a process.

use std::ffi::{CStr, OsString};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// The name by which the kernel knows a host. A process can only change its own name, so none can hide its host.
pub(crate) const HOST_NAME: &CStr = c"areyouj-host";

/// A process has few ancestors; a chain of this length comes from process ids that change hands while it is read.
const MAX_DEPTH: usize = 1_000;

/// Times that the chain is read again because a process in it exited meanwhile.
const ATTEMPTS: usize = 16;

/// A process in the chain of ancestors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ancestor {
    pub(super) pid: i32,
    /// Clock ticks from the start of the machine to that of the process: with the process id, it names one process.
    started: u64,
    pub(super) parent: i32,
    pub(super) name: Vec<u8>,
}

/// The process with this id and its ancestors, itself first.
pub(super) fn ancestors(pid: i32) -> io::Result<Vec<Ancestor>> {
    for _ in 0..ATTEMPTS {
        if let Some(chain) = chain(pid)? {
            return Ok(chain);
        }
    }
    Err(io::Error::other(format!("the ancestors of process {pid} change too fast")))
}

/// The hosts above the first process of this chain, the nearest first.
pub(super) fn hosts(chain: &[Ancestor]) -> Vec<Ancestor> {
    chain.iter().skip(1).filter(|process| process.name == HOST_NAME.to_bytes()).cloned().collect()
}

impl Ancestor {
    /// The session's directory, from a host's own arguments.
    pub(super) fn session_dir(&self) -> Option<PathBuf> {
        let arguments = fs::read(format!("/proc/{}/cmdline", self.pid)).ok()?;
        let directory = arguments.split(|byte| *byte == 0).nth(1)?;
        Some(OsString::from_vec(directory.to_vec()).into())
    }
}

/// The chain as it was read once; `None` if it changed meanwhile.
fn chain(pid: i32) -> io::Result<Option<Vec<Ancestor>>> {
    let mut chain = vec![read(pid)?];
    while let Some(child) = chain.last()
        && child.parent != 0
        && chain.len() < MAX_DEPTH
    {
        match read(child.parent) {
            // A parent that is younger than its child is another process with the same id.
            Ok(parent) if parent.started <= child.started => chain.push(parent),
            Ok(_) => return Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // The parent has exited and the child has another one now, or it belongs to another user, whose
                // processes this system hides (`hidepid`). No host is above that one: hosts are this user's.
                return Ok((read(child.pid)? == *child).then_some(chain));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Some(chain))
}

fn read(pid: i32) -> io::Result<Ancestor> {
    let stat = match fs::read(format!("/proc/{pid}/stat")) {
        // The process was there when the file was opened.
        Err(error) if error.raw_os_error() == Some(nix::libc::ESRCH) => {
            return Err(ErrorKind::NotFound.into());
        }
        stat => stat?,
    };
    parse(pid, &stat).ok_or_else(|| io::Error::new(ErrorKind::InvalidData, format!("/proc/{pid}/stat")))
}

/// Reads `PID (NAME) STATE PARENT …`, whose 22nd field is the start. The name can hold any bytes, brackets too.
fn parse(pid: i32, stat: &[u8]) -> Option<Ancestor> {
    let (begin, end) =
        (stat.iter().position(|byte| *byte == b'(')?, stat.iter().rposition(|byte| *byte == b')')?);
    let name = stat.get(begin + 1..end)?.to_vec();
    let mut fields = std::str::from_utf8(stat.get(end + 1..)?).ok()?.split_ascii_whitespace();
    let parent = fields.nth(1)?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;
    Some(Ancestor { pid, started, parent, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_is_read_whole() {
        let tail = "S 7 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 1 1";
        let stat = format!("9 (a) (b) 5) {tail}");
        let read = parse(9, stat.as_bytes()).unwrap();
        assert_eq!((read.parent, read.started, read.name.as_slice()), (7, 4242, b"a) (b) 5".as_slice()));
    }

    #[test]
    fn the_chain_begins_with_the_process_and_ends_with_one_without_a_parent() {
        let own = std::process::id().cast_signed();
        let chain = ancestors(own).unwrap();
        assert_eq!(chain[0].pid, own);
        assert_eq!(chain.last().unwrap().parent, 0);
        assert!(chain.windows(2).all(|pair| pair[0].parent == pair[1].pid));
    }
}
