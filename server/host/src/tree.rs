//! Finding processes: a host's own children, and processes with a session's mark in their environment.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use nix::poll::{PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long killed processes can take to exit. One that is stuck in the kernel, or of another user, must not block
/// its killer without a limit.
const KILL_PATIENCE: Duration = Duration::from_secs(5);

/// Milliseconds between two searches: a killed process exits within a few.
const LOOK_AGAIN_MS: u8 = 5;

/// The processes other than this one whose environment at their start holds exactly this `NAME=VALUE`. Processes of
/// other users, which cannot be read, are not among them.
pub fn descendants_marked(name_value: &str) -> Vec<i32> {
    let own = Pid::this().as_raw();
    processes().into_iter().filter(|pid| *pid != own && is_marked(*pid, name_value)).collect()
}

/// Kills all processes that [`descendants_marked`] finds, until none is left. Returns false if some do not exit in
/// time.
pub fn kill_marked(name_value: &str) -> bool {
    let until = Instant::now() + KILL_PATIENCE;
    loop {
        let marked = descendants_marked(name_value);
        if marked.is_empty() {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
        for pid in marked {
            // Checked again immediately before, because the number can have been reused.
            if is_marked(pid, name_value) {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
        // They are not our children, so nothing signals their exit.
        let _ = poll(&mut [], PollTimeout::from(LOOK_AGAIN_MS));
    }
}

/// The children of this process, which has one thread. Can miss some while they come and go.
pub(super) fn children() -> Vec<Pid> {
    let own = Pid::this();
    let listed = fs::read_to_string(format!("/proc/self/task/{own}/children")).map_or_else(
        // Kernels without checkpoint and restore have no such file.
        |_| processes().into_iter().filter(|pid| parent(*pid) == Some(own.as_raw())).collect(),
        |listed| listed.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<i32>>(),
    );
    listed.into_iter().map(Pid::from_raw).collect()
}

/// The ids of all processes that this process can see.
pub(super) fn processes() -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

fn is_marked(pid: i32, name_value: &str) -> bool {
    let environment: io::Result<Vec<u8>> = fs::read(format!("/proc/{pid}/environ"));
    environment.is_ok_and(|bytes| bytes.split(|byte| *byte == 0).any(|entry| entry == name_value.as_bytes()))
}

fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The program's name is in brackets and can hold any bytes, brackets and spaces too.
    let after = stat.iter().rposition(|byte| *byte == b')')?;
    std::str::from_utf8(stat.get(after + 1..)?).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::process::{Child, Command, Stdio};

    fn started(mark: &str, script: &str) -> Child {
        let (name, value) = mark.split_once('=').unwrap();
        let mut child = Command::new("/bin/sh")
            .args(["-c", script])
            .env(name, value)
            .stdout(Stdio::piped())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        // Once it prints something, it runs its own program and has its own environment.
        child.stdout.as_mut().unwrap().read_exact(&mut [0; 2]).unwrap();
        child
    }

    #[test]
    fn a_marked_tree_is_found_and_killed_and_others_are_not() {
        let mark = format!("AREYOUJ_TREE_TEST={}", std::process::id());
        let longer = format!("{mark}0");
        let mut marked = started(&mark, "setsid sleep 1000 & trap '' TERM; echo x; wait");
        let mut other = started(&longer, "echo x; read -r line");
        assert!(descendants_marked(&mark).contains(&(marked.id() as i32)));
        assert!(!descendants_marked(&mark).contains(&(other.id() as i32)));

        assert_eq!(parent(other.id() as i32), Some(std::process::id() as i32));
        assert!(kill_marked(&mark));
        assert!(descendants_marked(&mark).is_empty());
        assert!(!marked.wait().unwrap().success());
        assert!(other.try_wait().unwrap().is_none());
        drop(other.stdin.take());
        other.wait().unwrap();
    }
}
