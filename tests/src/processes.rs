//! The processes of a home, identified by their environment and arguments, with any parent.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, pidfd_open};

/// A process, for diagnosis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// The process id.
    pub pid: i32,
    /// The command line, shortened.
    pub command: String,
}

/// The maximum length of a displayed command line.
const COMMAND_CHARACTERS: usize = 160;

/// The processes whose environment has `AREYOUJ_HOME` set to this home, or that have a path in it as an argument.
pub fn of_home(home: &Path) -> Vec<Process> {
    let variable = format!("AREYOUJ_HOME={}", home.display()).into_bytes();
    let inside = format!("{}/", home.display()).into_bytes();
    let fields = |pid: i32, file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            fields(*pid, "environ").split(|byte| *byte == 0).any(|field| field == variable)
                || fields(*pid, "cmdline").split(|byte| *byte == 0).any(|field| field.starts_with(&inside))
        })
        .map(|pid| Process { pid, command: command_line(pid) })
        .collect()
}

/// Waits until all processes of a home have exited, including new ones. Returns those that remain after the deadline.
pub fn wait_until_gone(home: &Path, deadline: Duration) -> Vec<Process> {
    let end = Instant::now() + deadline;
    loop {
        let left = of_home(home);
        let time = end.saturating_duration_since(Instant::now());
        let Some(first) = left.first() else { return left };
        if !wait_for_exit(first.pid, time) {
            return left;
        }
    }
}

/// Kills all processes of a home, including those that they start in the meantime. Returns those that remain after the
/// deadline.
pub fn kill_all(home: &Path, deadline: Duration) -> Vec<Process> {
    let end = Instant::now() + deadline;
    loop {
        let left = of_home(home);
        if left.is_empty() || Instant::now() >= end {
            return left;
        }
        for process in &left {
            // An error means that the process has already exited.
            let _ = kill(process.pid);
        }
        for process in &left {
            wait_for_exit(process.pid, end.saturating_duration_since(Instant::now()));
        }
    }
}

/// Waits until a process has exited; it does not have to be a child. Returns false after the deadline.
pub fn wait_for_exit(pid: i32, deadline: Duration) -> bool {
    let Some(id) = rustix::process::Pid::from_raw(pid) else { return true };
    // An error means that the process does not exist.
    let Ok(pidfd) = pidfd_open(id, PidfdFlags::empty()) else { return true };
    let timeout = Timespec::try_from(deadline).ok();
    let mut exits = [PollFd::new(&pidfd, PollFlags::IN)];
    matches!(poll(&mut exits, timeout.as_ref()), Ok(1..))
}

/// Kills this process.
///
/// # Errors
/// If the process does not exist.
pub fn kill(pid: i32) -> Result<()> {
    // Other numbers address process groups, such as the caller's.
    anyhow::ensure!(pid > 0, "{pid} is not the id of a process");
    let id = nix::unistd::Pid::from_raw(pid);
    nix::sys::signal::kill(id, Signal::SIGKILL).with_context(|| format!("cannot kill process {pid}"))
}

/// Whether the process is running. Zombies do not count.
pub fn is_running(pid: i32) -> bool {
    // The state follows the name, which is in parentheses and can contain parentheses. The command line is not
    // suitable: it is empty for a moment after the start.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

fn command_line(pid: i32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<_> = bytes.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    words.join(" ").trim().chars().take(COMMAND_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::process::{Child, Command, Stdio};

    use super::*;

    const EVENT_TIMEOUT: Duration = Duration::from_secs(10);

    /// Starts a `cat`, and waits for its first output: until its `exec` has ended, a process shows no environment.
    fn running(command: &mut Command) -> Child {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.as_mut().unwrap().write_all(b"!").unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        child
    }

    #[test]
    fn processes_of_a_home_are_found_by_their_environment_and_their_arguments() {
        let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let session = home.path().join("session");
        let mut by_environment = running(Command::new("cat").env("AREYOUJ_HOME", home.path()));
        let mut by_argument = running(Command::new("cat").arg("-").arg(session).stderr(Stdio::null()));
        let mut unrelated = running(Command::new("cat").env("AREYOUJ_HOME", other.path()));
        let found: Vec<u32> = of_home(home.path()).iter().map(|process| process.pid.unsigned_abs()).collect();
        for child in [&mut by_environment, &mut by_argument, &mut unrelated] {
            let _ = child.kill();
            child.wait().unwrap();
        }
        assert!(found.contains(&by_environment.id()) && found.contains(&by_argument.id()), "{found:?}");
        assert!(!found.contains(&unrelated.id()), "{found:?}");
        assert_eq!(wait_until_gone(home.path(), EVENT_TIMEOUT), []);
    }

    #[test]
    fn waiting_for_the_exit_of_a_process() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        assert!(is_running(pid));
        assert!(!wait_for_exit(pid, Duration::from_millis(1)));
        kill(pid).unwrap();
        assert!(wait_for_exit(pid, EVENT_TIMEOUT));
        child.wait().unwrap();
        assert!(!is_running(pid));
    }
}
