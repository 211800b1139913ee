//! Programs that a row starts, and the kernel's statistics of processes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use areyouj_tests::cli::Cli;

/// A child process that is killed on drop.
pub(crate) struct Owned(pub(crate) Child);

impl Drop for Owned {
    fn drop(&mut self) {
        // Both fail if it has already exited, which is fine.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Owned {
    /// Starts the command with a pipe as standard output and an empty standard input.
    pub(crate) fn start(command: &mut Command) -> Result<Owned> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        Ok(Owned(command.spawn().with_context(|| format!("cannot start {command:?}"))?))
    }

    /// Starts a command that runs until its standard input is closed; returns when it has printed a line.
    pub(crate) fn waiting(command: &mut Command) -> Result<Owned> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = Owned(command.spawn().with_context(|| format!("cannot start {command:?}"))?);
        let mut line = String::new();
        BufReader::new(child.0.stdout.take().context("no standard output")?).read_line(&mut line)?;
        ensure!(!line.is_empty(), "{command:?} exited immediately");
        Ok(child)
    }

    /// Waits until it exits, which must be successful, and returns its output.
    pub(crate) fn finish(mut self) -> Result<String> {
        let stdout = self.0.stdout.take().context("no standard output")?;
        let printed = std::io::read_to_string(stdout)?;
        let status = self.0.wait()?;
        ensure!(status.success(), "a program exited with {status}, after: {printed}");
        Ok(printed)
    }
}

/// A command with these arguments and only the environment of the home.
pub(crate) fn command(cli: &Cli, program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(&cli.environment).current_dir(&cli.directory);
    command
}

/// Runs a program; returns the time from its start to its exit, and its output.
pub(crate) fn timed(command: &mut Command) -> Result<(Duration, String)> {
    let begun = Instant::now();
    let printed = Owned::start(command)?.finish()?;
    Ok((begun.elapsed(), printed))
}

/// The resources that a process has used since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Used {
    /// Clock ticks of user and system time.
    pub(crate) ticks: u64,
    /// Nanoseconds on a core, which include times shorter than a tick.
    pub(crate) nanoseconds: u64,
    /// The number of times that it went to sleep, which is the number of wake-ups.
    pub(crate) sleeps: u64,
}

impl Used {
    /// The usage of all threads of this process, without its children.
    pub(crate) fn by(pid: i32) -> Result<Used> {
        let read = |path: String| fs::read_to_string(&path).with_context(|| format!("cannot read {path}"));
        let mut used = Used { ticks: ticks(&read(format!("/proc/{pid}/stat"))?)?, ..Used::default() };
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            let task = task?.path();
            let scheduled = read(format!("{}/schedstat", task.display()))?;
            let status = read(format!("{}/status", task.display()))?;
            used.nanoseconds += number(scheduled.split_whitespace().next())?;
            let sleeps = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            used.sleeps += number(sleeps.map(str::trim))?;
        }
        Ok(used)
    }

    /// The difference from an earlier measurement.
    pub(crate) fn since(self, earlier: Used) -> Used {
        Used {
            ticks: self.ticks.saturating_sub(earlier.ticks),
            nanoseconds: self.nanoseconds.saturating_sub(earlier.nanoseconds),
            sleeps: self.sleeps.saturating_sub(earlier.sleeps),
        }
    }

    /// The sum of both.
    pub(crate) fn plus(self, other: Used) -> Used {
        Used {
            ticks: self.ticks + other.ticks,
            nanoseconds: self.nanoseconds + other.nanoseconds,
            sleeps: self.sleeps + other.sleeps,
        }
    }
}

/// utime and stime: the 12th and 13th field after the name, which is in parentheses and can contain parentheses.
fn ticks(stat: &str) -> Result<u64> {
    let (_, fields) = stat.rsplit_once(") ").context("the process does not exist")?;
    let mut fields = fields.split_whitespace().skip(11);
    Ok(number(fields.next())? + number(fields.next())?)
}

fn number(text: Option<&str>) -> Result<u64> {
    let text = text.context("a number is missing in /proc")?;
    text.parse().with_context(|| format!("{text:?} is not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_found_with_any_process_name() {
        let stat = "7 (a) (b) S 1 7 7 0 -1 4194560 1 2 3 4 50 60 70 80 20 0 1 0 9";
        assert_eq!(ticks(stat).unwrap(), 110);
        assert!(ticks("").is_err());
    }

    #[test]
    fn cpu_time_is_measured() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let before = Used::by(pid).unwrap();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(30) {
            std::hint::spin_loop();
        }
        assert!(Used::by(pid).unwrap().since(before).nanoseconds > 0);
    }
}
