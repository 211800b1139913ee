//! The environment of a trial: a sandbox with sessions. Failures are errors and never panics, so that a trial can
//! continue and report every violation.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use crate::claude::claude_program;
use crate::cli::{Cli, Run};
use crate::home::{rows, text_of};
use crate::messages_api::MessagesApi;
use crate::processes::{self, Process};
use crate::sandbox::{Sandbox, programs};

/// The deadline for an event that must happen, on a heavily loaded machine.
pub(super) const EVENT_TIMEOUT: Duration = Duration::from_secs(120);

/// A sandbox and the programs that run in it.
pub(super) struct Arena {
    sandbox: Sandbox,
    pub(super) api: MessagesApi,
    pub(super) cli: Cli,
    closed: bool,
}

/// The state of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SessionState {
    pub(super) status: String,
    pub(super) pid: Option<i32>,
    pub(super) host: Option<i32>,
    pub(super) conversation: String,
    pub(super) error: Option<String>,
    /// The message about which a person must decide.
    pub(super) undecided: Option<String>,
}

impl Arena {
    /// Creates an arena with the real Claude and this limit of active sessions.
    pub(super) fn new(sessions: u32) -> Result<Arena> {
        Arena::with(None, &claude_program()?, sessions)
    }

    /// Creates an arena with the Claude stand-in in one of its modes, and this limit of active sessions.
    pub(super) fn stand_in(mode: &str, sessions: u32) -> Result<Arena> {
        let program = programs()?.join("claude-stand-in");
        let mut arena = Arena::with(None, &program, sessions)?;
        arena.set("AREYOUJ_STANDIN", mode);
        Ok(arena)
    }

    /// Creates an arena with the real Claude and this AreYouJ home.
    pub(super) fn at(home: &Path, sessions: u32) -> Result<Arena> {
        Arena::with(Some(home), &claude_program()?, sessions)
    }

    fn with(home: Option<&Path>, claude: &Path, sessions: u32) -> Result<Arena> {
        let api = MessagesApi::start()?;
        let sandbox = Sandbox::isolated_with_home(home, api.url(), claude, &programs()?)?;
        let directory = sandbox.home().join("config");
        fs::create_dir_all(&directory)?;
        fs::write(directory.join("config.toml"), format!("max_active_sessions = {sessions}\n"))?;
        Ok(Arena { cli: sandbox.cli.clone(), sandbox, api, closed: false })
    }

    /// The value of `AREYOUJ_HOME`.
    pub(super) fn home(&self) -> &Path {
        self.sandbox.home()
    }

    pub(super) fn project(&self, name: &str) -> Result<PathBuf> {
        self.sandbox.project(name)
    }

    pub(super) fn ok(&self, arguments: &[&str]) -> Result<String> {
        Ok(self.cli.run_within(arguments, EVENT_TIMEOUT).and_then(Run::success)?.stdout.trim().to_owned())
    }

    /// Sets a variable for all following commands, and for the daemon that one of them starts.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.cli = self.cli.clone().with(name, value);
    }

    pub(super) fn json(&self, arguments: &[&str]) -> Result<Value> {
        self.cli.json(arguments)
    }

    /// Creates a session in a separate directory.
    pub(super) fn create(&self, name: &str) -> Result<String> {
        let directory = self.project(name)?;
        self.ok(&["new", &directory.to_string_lossy()])
    }

    /// Creates this many sessions and waits until all are idle.
    pub(super) fn sessions(&self, count: usize) -> Result<Vec<String>> {
        let ids: Vec<String> =
            (0..count).map(|number| self.create(&format!("project-{number}"))).collect::<Result<_>>()?;
        for id in &ids {
            self.wait(id, "idle")?;
        }
        Ok(ids)
    }

    pub(super) fn wait(&self, session: &str, status: &str) -> Result<()> {
        let seconds = EVENT_TIMEOUT.as_secs().to_string();
        let arguments = ["wait", session, "--for", status, "--timeout", &seconds];
        self.cli.run_within(&arguments, 2 * EVENT_TIMEOUT).and_then(Run::success)?;
        Ok(())
    }

    pub(super) fn session_state(&self, session: &str) -> Result<SessionState> {
        let shown = self.json(&["show", session])?;
        let pid = |member: &str| shown[member].as_i64().and_then(|pid| i32::try_from(pid).ok());
        let attention = &shown["attention"];
        let undecided = matches!(attention["kind"].as_str(), Some("interrupted" | "failed"));
        Ok(SessionState {
            status: text_of(&shown, "status"),
            pid: pid("pid"),
            host: pid("hostPid"),
            conversation: text_of(&shown, "claudeSessionId"),
            error: shown["error"]["code"].as_str().map(str::to_owned),
            undecided: attention["messageId"].as_str().filter(|_| undecided).map(str::to_owned),
        })
    }

    /// All messages of a session, including finished ones.
    pub(super) fn messages(&self, session: &str) -> Result<Vec<Value>> {
        Ok(rows(&self.json(&["queue", session, "--all"])?, "messages"))
    }

    pub(super) fn until<T>(&self, what: &str, check: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        self.sandbox.until(what, EVENT_TIMEOUT, check)
    }

    /// Waits until the state of a session fulfils a condition.
    pub(super) fn until_session(
        &self,
        session: &str,
        what: &str,
        mut holds: impl FnMut(&SessionState) -> bool,
    ) -> Result<SessionState> {
        self.until(&format!("session {session} {what}"), || {
            Ok(Some(self.session_state(session)?).filter(&mut holds))
        })
        .with_context(|| {
            format!("its state is {:?}\n{}", self.session_state(session).ok(), self.sandbox.diagnosis())
        })
    }

    pub(super) fn processes(&self) -> Vec<Process> {
        processes::of_home(self.home())
    }

    /// The process id of the daemon. Starts one if none is running.
    pub(super) fn daemon(&self) -> Result<i32> {
        let status = self.json(&["daemon", "start"]).and_then(|_| self.json(&["daemon", "status"]))?;
        let pid = status["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok());
        pid.with_context(|| format!("no daemon is running: {status}"))
    }

    /// Kills a process and waits until it has exited.
    pub(super) fn kill(&self, pid: i32) -> Result<()> {
        processes::kill(pid)?;
        if processes::wait_for_exit(pid, EVENT_TIMEOUT) {
            Ok(())
        } else {
            Err(anyhow!("process {pid} does not exit"))
        }
    }

    /// The time that the daemon takes to answer. Starts the daemon if none is running.
    pub(super) fn response_time(&self) -> Result<Duration> {
        let start = Instant::now();
        self.ok(&["ls"])?;
        Ok(start.elapsed())
    }

    /// Ends all processes and removes the sandbox.
    ///
    /// # Errors
    /// When processes or files were left behind. They are removed in any case.
    pub(super) fn close(mut self) -> Result<()> {
        self.closed = true;
        self.sandbox.close()
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        if !self.closed
            && let Err(error) = self.sandbox.close()
        {
            eprintln!("{error:?}");
        }
    }
}
