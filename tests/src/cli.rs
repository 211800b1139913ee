//! Runs the `areyouj` program as a person or a script does.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use crate::processes;

/// The deadline for a command that waits for nothing: enough on a busy machine, and short enough to detect a hang.
const DEADLINE: Duration = Duration::from_secs(60);

/// The program, and its environment. It inherits nothing else from the caller's environment.
#[derive(Clone, Debug)]
pub struct Cli {
    /// The path of `areyouj`.
    pub program: PathBuf,
    /// The complete environment.
    pub environment: BTreeMap<String, OsString>,
    /// The working directory.
    pub directory: PathBuf,
    /// The user id, if not the caller's; only root can set it.
    pub user: Option<u32>,
}

/// A finished run.
#[derive(Clone, Debug)]
pub struct Run {
    /// The command line, for messages.
    pub command: String,
    /// The exit code: 0 done, 1 failed, 2 usage, 3 timed out; for a signal 128 plus its number, as in a shell.
    pub status: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Cli {
    /// Runs until the program exits.
    ///
    /// # Errors
    /// If it cannot be started, or does not exit within a minute; then it is killed.
    pub fn run(&self, arguments: &[&str]) -> Result<Run> {
        self.run_within(arguments, DEADLINE)
    }

    /// Runs until the program exits, with this deadline.
    ///
    /// # Errors
    /// If it cannot be started, or does not exit in time; then it is killed.
    pub fn run_within(&self, arguments: &[&str], deadline: Duration) -> Result<Run> {
        Running::start(self, arguments)?.finish(deadline)
    }

    /// Runs until the program exits, with this standard input.
    ///
    /// # Errors
    /// If it cannot be started, or does not exit within a minute; then it is killed.
    pub fn run_with_input(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Result<Run> {
        let mut file = tempfile::tempfile()?;
        file.write_all(input.as_ref())?;
        file.rewind()?;
        Running::start_with_input(self, arguments, file.into())?.finish(DEADLINE)
    }

    /// Runs with `--json` and returns the output.
    ///
    /// # Errors
    /// If it fails, or prints anything other than one JSON value.
    pub fn json(&self, arguments: &[&str]) -> Result<Value> {
        let run = self.run(&[arguments, &["--json"]].concat())?.success()?;
        run.json()
    }

    /// The same program, with this variable in the environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<OsString>) -> Cli {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    /// The same program, run as another user.
    #[must_use]
    pub fn as_user(mut self, user: u32) -> Cli {
        self.user = Some(user);
        self
    }

    /// The same program, in another working directory.
    #[must_use]
    pub fn within(mut self, directory: &Path) -> Cli {
        self.directory = directory.to_owned();
        self
    }
}

impl Run {
    /// Returns the run if it succeeded.
    ///
    /// # Errors
    /// If its exit code is not 0; the error contains its output.
    pub fn success(self) -> Result<Run> {
        if self.status == 0 { Ok(self) } else { Err(anyhow!("{self}")) }
    }

    /// The JSON value on standard output.
    ///
    /// # Errors
    /// If there is none.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.stdout).with_context(|| format!("no JSON on standard output: {self}"))
    }

    /// The `error` object that a failed command with `--json` prints on standard error.
    ///
    /// # Errors
    /// If it succeeded, or did not print this object.
    pub fn error(&self) -> Result<Value> {
        if self.status == 0 {
            bail!("the command was expected to fail: {self}");
        }
        let line = self.stderr.lines().rev().find(|line| line.starts_with('{')).unwrap_or_default();
        let error: Value =
            serde_json::from_str(line).with_context(|| format!("no JSON on standard error: {self}"))?;
        Ok(error["error"].clone())
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "`{}` exited with {}\n--- standard output\n{}\n--- standard error\n{}",
            self.command, self.status, self.stdout, self.stderr
        )
    }
}

/// A running command. It is killed on drop.
pub struct Running {
    command: String,
    child: Child,
    lines: Receiver<String>,
    stderr: Receiver<String>,
}

impl Running {
    /// Starts the command. Threads read its output, so that it never blocks.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(cli: &Cli, arguments: &[&str]) -> Result<Running> {
        Running::start_with_input(cli, arguments, Stdio::null())
    }

    fn start_with_input(cli: &Cli, arguments: &[&str], input: Stdio) -> Result<Running> {
        let mut command = Command::new(&cli.program);
        if let Some(user) = cli.user {
            command.uid(user).gid(user);
        }
        let mut child = command
            .args(arguments)
            .env_clear()
            .envs(&cli.environment)
            .current_dir(&cli.directory)
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", cli.program.display()))?;
        let stdout = child.stdout.take().context("no standard output")?;
        let stderr = child.stderr.take().context("no standard error")?;
        let command = format!("areyouj {}", arguments.join(" ")).chars().take(300).collect();
        Ok(Running { command, child, lines: lines_of(stdout)?, stderr: lines_of(stderr)? })
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the next line of its standard output, without the line break.
    ///
    /// # Errors
    /// If no line arrives in time, or its output has ended.
    pub fn line(&mut self, deadline: Duration) -> Result<String> {
        let line = self.lines.recv_timeout(deadline);
        line.map(|line| line.trim_end_matches('\n').to_owned())
            .with_context(|| format!("`{}` printed no more lines", self.command))
    }

    /// Waits until it exits.
    ///
    /// # Errors
    /// If it does not exit in time; then it is killed, and the error contains its output.
    pub fn finish(mut self, deadline: Duration) -> Result<Run> {
        let end = Instant::now() + deadline;
        let exited = i32::try_from(self.child.id()).is_ok_and(|pid| processes::wait_for_exit(pid, deadline));
        if !exited {
            self.child.kill()?;
        }
        let status = exit_code(self.child.wait()?);
        let run = Run {
            command: self.command.clone(),
            status,
            stdout: rest(&self.lines, end),
            stderr: rest(&self.stderr, end),
        };
        if exited { Ok(run) } else { Err(anyhow!("it did not exit within {deadline:?}: {run}")) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail if it has already exited, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long to wait for output after the exit: another process can keep the pipe open indefinitely, which is a defect
/// that must not look like a hang of the test.
const OUTPUT_AFTER_END: Duration = Duration::from_secs(5);

fn rest(lines: &Receiver<String>, end: Instant) -> String {
    let end = end.max(Instant::now() + OUTPUT_AFTER_END);
    let mut text = String::new();
    while let Ok(line) = lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
        text.push_str(&line);
    }
    text
}

fn lines_of(pipe: impl Read + Send + 'static) -> io::Result<Receiver<String>> {
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new().name("output".into()).spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
            line.clear();
        }
    })?;
    Ok(receiver)
}

fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bash() -> Cli {
        let environment = BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".into())]);
        Cli { program: "/bin/bash".into(), environment, directory: "/".into(), user: None }
    }

    #[test]
    fn a_run_has_its_complete_output_and_its_exit_code() {
        let run = bash().run(&["-c", "echo out; echo err >&2; exit 3"]).unwrap();
        assert_eq!((run.status, run.stdout.as_str(), run.stderr.as_str()), (3, "out\n", "err\n"));
    }

    #[test]
    fn the_environment_of_the_caller_is_not_inherited() {
        let run = bash().with("MARK", "mine").run(&["-c", "echo $MARK${HOME:-nothing}"]).unwrap();
        assert_eq!(run.stdout, "minenothing\n");
    }

    #[test]
    fn a_run_that_does_not_exit_is_killed_and_its_output_is_reported() {
        let error = bash()
            .run_within(&["-c", "echo begun; exec sleep 1000"], Duration::from_millis(500))
            .unwrap_err();
        assert!(error.to_string().contains("begun"), "{error}");
    }

    #[test]
    fn input_reaches_the_program() {
        let run = bash().run_with_input(&["-c", "cat"], "x".repeat(200_000)).unwrap();
        assert_eq!(run.stdout.len(), 200_000);
    }
}
