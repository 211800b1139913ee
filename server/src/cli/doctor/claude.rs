//! The Claude executable: whether it runs, and whether its version is one that AreYouJ is tested with.

use std::cmp::Ordering;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::Check;
use crate::config::find_claude;

/// The oldest version of Claude Code that AreYouJ is tested with. Older ones are not supported.
const OLDEST: Version = Version(2, 1, 330);

/// The newest version of Claude Code that AreYouJ is tested with. Newer ones usually work.
const NEWEST: Version = Version(2, 1, 332);

/// How long `claude --version` can take. It takes about 20 ms, and much longer on a busy machine.
const VERSION_DEADLINE: Duration = Duration::from_secs(5);

/// Bytes of output that are read: a version is one line.
const VERSION_BYTES: u64 = 4096;

/// Major, minor and patch number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32, u32);

impl Version {
    /// Reads the version at the start of what `claude --version` prints: `2.1.332 (Claude Code)`.
    fn of(printed: &str) -> Option<Version> {
        let mut numbers = printed.split_whitespace().next()?.split('.').map(|number| number.parse().ok());
        let version = Version(numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(version)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// Finds the executable and asks it for its version. Also returns what it printed.
pub(super) fn check(configured: Option<&Path>) -> (Check, Option<String>) {
    let found = find_claude(|name| std::env::var_os(name), configured);
    let (path, by) = match found {
        Ok(found) => found,
        Err(missing) => return (Check::failed("claude", missing.into()), None),
    };
    let place = format!("{} (by {by})", path.display());
    match version(&path, VERSION_DEADLINE) {
        Ok(version) => (supported(&version, &place), Some(version)),
        Err(reason) => (without_version(&place, &reason), None),
    }
}

/// The number in what `claude --version` printed.
pub(super) fn number_of(printed: &str) -> Option<String> {
    Version::of(printed).map(|version| version.to_string())
}

pub(super) fn without_version(place: &str, reason: &str) -> Check {
    Check::problem(
        "claude",
        format!("{place} does not print its version: {reason}"),
        "Run it by hand with --version; install Claude Code again if that fails.",
    )
}

/// The check of an executable that printed this version.
pub(super) fn supported(printed: &str, place: &str) -> Check {
    let message = format!("{printed}, {place}");
    let Some(version) = Version::of(printed) else {
        let fix = format!("AreYouJ is tested with Claude Code {OLDEST} to {NEWEST}. Is this Claude Code?");
        return Check::warning("claude", format!("{message}, an unknown version"), fix);
    };
    match (version.cmp(&OLDEST), version.cmp(&NEWEST)) {
        (Ordering::Less, _) => Check::warning(
            "claude",
            format!("{message}, older than the oldest supported version {OLDEST}"),
            "Update Claude Code, for example with `claude update`.",
        ),
        (_, Ordering::Greater) => {
            Check::ok("claude", format!("{message}, newer than the newest tested version {NEWEST}"))
        }
        _ => Check::ok("claude", message),
    }
}

fn version(program: &Path, deadline: Duration) -> Result<String, String> {
    let mut child = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|error| error.to_string())?;
    let (sender, receiver) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            let mut text = String::new();
            let read = stdout.take(VERSION_BYTES).read_to_string(&mut text);
            let _ = sender.send(read.map(|_| text));
        });
    }
    let printed = receiver.recv_timeout(deadline);
    // Claude did not answer in time: this kills it and everything that it started.
    if printed.is_err() {
        let _ = i32::try_from(child.id()).map(|pid| killpg(Pid::from_raw(pid), Signal::SIGKILL));
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    match printed {
        Err(_) => Err(format!("no answer in {} seconds", deadline.as_secs())),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(_)) if !status.success() => Err(format!("it exited with {status}")),
        Ok(Ok(text)) if text.trim().is_empty() => Err("it printed nothing".to_owned()),
        Ok(Ok(text)) => Ok(text.trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use super::super::State;
    use super::*;

    /// What pins the Claude that the tests run.
    const PIN: &str = include_str!("../../../../tests/package.json");
    const README: &str = include_str!("../../../../README.md");

    fn script(directory: &Path, text: &str) -> PathBuf {
        let path = directory.join("claude");
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn the_newest_tested_version_is_the_pinned_one() {
        assert!(PIN.contains(&format!("\"@anthropic-ai/claude-code-linux-x64\": \"{NEWEST}\"")), "{PIN}");
    }

    #[test]
    fn the_readme_states_the_supported_versions() {
        assert!(README.contains(&format!("Claude Code {OLDEST} to {NEWEST}")));
    }

    #[test]
    fn a_tested_version_is_ok_and_an_older_one_is_a_warning() {
        for tested in ["2.1.330 (Claude Code)", "2.1.331", "2.1.332 (Claude Code)"] {
            assert_eq!(supported(tested, "place"), Check::ok("claude", format!("{tested}, place")));
        }
        for older in ["2.1.329 (Claude Code)", "2.0.999", "1.9.400"] {
            let check = supported(older, "place");
            assert_eq!(check.state, State::Warning);
            assert!(check.message.ends_with("older than the oldest supported version 2.1.330"), "{check:?}");
            assert!(check.fix.is_some());
        }
    }

    #[test]
    fn a_newer_version_is_ok_with_a_note() {
        for newer in ["2.1.333 (Claude Code)", "2.2.0", "3.0.0"] {
            let check = supported(newer, "place");
            assert_eq!(check.state, State::Ok);
            assert!(check.message.ends_with("newer than the newest tested version 2.1.332"), "{check:?}");
        }
    }

    #[test]
    fn an_unknown_version_is_a_warning() {
        for unknown in ["claude", "2.1", "2.1.x", "2.1.3.4"] {
            assert_eq!(supported(unknown, "place").state, State::Warning, "{unknown}");
        }
    }

    #[test]
    fn claude_is_asked_for_its_version() {
        let directory = tempfile::tempdir().unwrap();
        let ask = |text: &str| version(&script(directory.path(), text), Duration::from_secs(10));
        assert_eq!(ask("echo '1.2.3 (Claude Code)'").unwrap(), "1.2.3 (Claude Code)");
        assert!(ask("exit 3").unwrap_err().contains("exit status: 3"));
        assert_eq!(ask("exit 0").unwrap_err(), "it printed nothing");
    }

    #[test]
    fn a_claude_that_does_not_answer_times_out() {
        let directory = tempfile::tempdir().unwrap();
        let program = script(directory.path(), "exec sleep 600");
        let reason = version(&program, Duration::from_millis(50)).unwrap_err();
        assert!(reason.starts_with("no answer"), "{reason}");
    }
}
