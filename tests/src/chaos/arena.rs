//! The place of a trial: a sandbox with sessions in it. What goes wrong here is an error, never a panic, so that a
//! trial can go on and say everything that broke.

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

/// How long something may take that is sure to happen, on a machine that does much else.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// A sandbox and what runs in it.
pub(super) struct Arena {
    sandbox: Sandbox,
    pub(super) api: MessagesApi,
    pub(super) cli: Cli,
    closed: bool,
}

/// A session as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) status: String,
    pub(super) pid: Option<i32>,
    pub(super) host: Option<i32>,
    pub(super) conversation: String,
    pub(super) error: Option<String>,
    /// The message that a person is to decide about.
    pub(super) undecided: Option<String>,
}

impl Arena {
    /// With the real Claude, and room for that many sessions.
    pub(super) fn new(sessions: u32) -> Result<Arena> {
        Arena::with(None, &claude_program()?, sessions)
    }

    /// With the stand-in for Claude in one of its modes, and room for that many sessions.
    pub(super) fn stand_in(mode: &str, sessions: u32) -> Result<Arena> {
        let program = programs()?.join("claude-stand-in");
        let mut arena = Arena::with(None, &program, sessions)?;
        arena.set("AREYOUJ_STANDIN", mode);
        Ok(arena)
    }

    /// With the real Claude, and AreYouJ's home in a place of its own.
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

    /// What `AREYOUJ_HOME` is.
    pub(super) fn home(&self) -> &Path {
        self.sandbox.home()
    }

    pub(super) fn project(&self, name: &str) -> Result<PathBuf> {
        self.sandbox.project(name)
    }

    pub(super) fn ok(&self, arguments: &[&str]) -> Result<String> {
        Ok(self.cli.run_within(arguments, PATIENCE).and_then(Run::success)?.stdout.trim().to_owned())
    }

    /// Sets a variable for every command that follows, and for the daemon that one of them starts.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.cli = self.cli.clone().with(name, value);
    }

    pub(super) fn json(&self, arguments: &[&str]) -> Result<Value> {
        self.cli.json(arguments)
    }

    /// Creates a session in a directory of its own.
    pub(super) fn create(&self, name: &str) -> Result<String> {
        let directory = self.project(name)?;
        self.ok(&["new", &directory.to_string_lossy()])
    }

    /// Creates so many sessions and waits until all are idle.
    pub(super) fn sessions(&self, count: usize) -> Result<Vec<String>> {
        let ids: Vec<String> =
            (0..count).map(|number| self.create(&format!("project-{number}"))).collect::<Result<_>>()?;
        for id in &ids {
            self.wait(id, "idle")?;
        }
        Ok(ids)
    }

    pub(super) fn wait(&self, session: &str, status: &str) -> Result<()> {
        let seconds = PATIENCE.as_secs().to_string();
        let arguments = ["wait", session, "--for", status, "--timeout", &seconds];
        self.cli.run_within(&arguments, 2 * PATIENCE).and_then(Run::success)?;
        Ok(())
    }

    pub(super) fn find(&self, session: &str) -> Result<Found> {
        let shown = self.json(&["show", session])?;
        let pid = |member: &str| shown[member].as_i64().and_then(|pid| i32::try_from(pid).ok());
        let attention = &shown["attention"];
        let undecided = matches!(attention["kind"].as_str(), Some("interrupted" | "failed"));
        Ok(Found {
            status: text_of(&shown, "status"),
            pid: pid("pid"),
            host: pid("hostPid"),
            conversation: text_of(&shown, "claudeSessionId"),
            error: shown["error"]["code"].as_str().map(str::to_owned),
            undecided: attention["messageId"].as_str().filter(|_| undecided).map(str::to_owned),
        })
    }

    /// All messages of a session, finished ones too.
    pub(super) fn messages(&self, session: &str) -> Result<Vec<Value>> {
        Ok(rows(&self.json(&["queue", session, "--all"])?, "messages"))
    }

    pub(super) fn until<T>(&self, what: &str, check: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        self.sandbox.until(what, PATIENCE, check)
    }

    /// Waits until a session looks like that.
    pub(super) fn until_session(
        &self,
        session: &str,
        what: &str,
        mut holds: impl FnMut(&Found) -> bool,
    ) -> Result<Found> {
        self.until(&format!("session {session} {what}"), || Ok(Some(self.find(session)?).filter(&mut holds)))
            .with_context(|| format!("it is {:?}\n{}", self.find(session).ok(), self.sandbox.diagnosis()))
    }

    pub(super) fn processes(&self) -> Vec<Process> {
        processes::of_home(self.home())
    }

    /// The daemon that serves; one is started if there is none.
    pub(super) fn daemon(&self) -> Result<i32> {
        let status = self.json(&["daemon", "start"]).and_then(|_| self.json(&["daemon", "status"]))?;
        let pid = status["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok());
        pid.with_context(|| format!("no daemon runs: {status}"))
    }

    /// Kills one process and waits until it is gone.
    pub(super) fn kill(&self, pid: i32) -> Result<()> {
        processes::kill(pid)?;
        if processes::wait_for_exit(pid, PATIENCE) { Ok(()) } else { Err(anyhow!("{pid} does not die")) }
    }

    /// How long the daemon takes to answer now; one that is not there is started.
    pub(super) fn answers(&self) -> Result<Duration> {
        let asked = Instant::now();
        self.ok(&["ls"])?;
        Ok(asked.elapsed())
    }

    /// Ends everything.
    ///
    /// # Errors
    /// When something was left behind. It is gone in any case.
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
