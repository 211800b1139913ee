//! The environment of a test: a sandbox, the scripted API, and commands with checked results.
//!
//! Every function fails the test with a complete diagnosis if `areyouj` does not behave as expected. On drop, the home
//! is removed, and the test fails if processes were left behind.

#![allow(clippy::panic, reason = "this module is only for tests: a panic is a failed test")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use nix::unistd::geteuid;
use serde_json::Value;

use crate::claude::claude_program;
use crate::cli::{Cli, Run, Running};
use crate::disk::{Disk, Kind};
use crate::messages_api::MessagesApi;
use crate::processes::{self, Process};
use crate::sandbox::{Sandbox, programs};

/// The deadline for an event that must happen: enough on a machine that is busy with other tests.
pub const EVENT_TIMEOUT: Duration = Duration::from_secs(60);

/// How long it can take until a failed start of Claude is reported: a minute without a response is a hang, and a Claude
/// that exits is restarted a few times with a back-off.
pub const START_TIMEOUT: Duration = Duration::from_secs(120);

/// The user id of `nobody`.
pub const NOBODY: u32 = 65_534;

/// An AreYouJ home for one test.
pub struct TestHome {
    sandbox: Option<Sandbox>,
    /// The API with which Claude communicates.
    pub api: MessagesApi,
    /// The program in this home's environment.
    pub cli: Cli,
}

impl TestHome {
    /// Creates a home with the real Claude CLI.
    #[track_caller]
    #[expect(clippy::new_without_default, reason = "a default must not have side effects")]
    pub fn new() -> TestHome {
        TestHome::with_claude(&expect(claude_program()))
    }

    /// Creates a home with the Claude stand-in in one of its modes; see `src/bin/claude-stand-in.rs`.
    #[track_caller]
    pub fn with_stand_in(mode: &str) -> TestHome {
        TestHome::with_claude(&expect(programs()).join("claude-stand-in")).with("AREYOUJ_STANDIN", mode)
    }

    /// Creates a home with the Claude stand-in and a user who is subject to file permissions: root runs it as nobody.
    /// The real Claude is installed in a directory that other users cannot enter.
    #[track_caller]
    pub fn with_permissions(mode: &str) -> TestHome {
        let mut home = TestHome::with_stand_in(mode);
        if geteuid().is_root()
            && let Some(sandbox) = &mut home.sandbox
        {
            expect(sandbox.change_owner(NOBODY));
            home.cli.user = sandbox.cli.user;
            home.cli.program.clone_from(&sandbox.cli.program);
            if let Some(claude) = sandbox.cli.environment.get("AREYOUJ_CLAUDE") {
                home.cli.environment.insert("AREYOUJ_CLAUDE".to_owned(), claude.clone());
            }
        }
        home
    }

    /// Creates a home with the real Claude CLI and `AREYOUJ_HOME` on a small separate disk. Returns `None`, and prints
    /// the reason, if the test does not run as root, because only root can mount.
    #[track_caller]
    pub fn on_a_disk(kind: Kind) -> Option<TestHome> {
        if !geteuid().is_root() {
            eprintln!("SKIPPED, NOTHING WAS TESTED: only root can mount a disk");
            return None;
        }
        let mut home = TestHome::new();
        expect(home.sandbox.as_mut().map_or(Ok(()), |sandbox| sandbox.mount(kind)));
        Some(home)
    }

    /// The disk of the home.
    #[track_caller]
    pub fn disk(&self) -> &Disk {
        match self.sandbox().disk() {
            Some(disk) => disk,
            None => panic!("this home has no separate disk"),
        }
    }

    /// Adds a variable to the environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> TestHome {
        self.cli = self.cli.clone().with(name, value);
        self
    }

    /// Creates a home with this program as Claude. The program does not have to exist.
    #[track_caller]
    pub fn with_claude(claude: &Path) -> TestHome {
        let api = expect(MessagesApi::start());
        let sandbox = expect(programs().and_then(|programs| Sandbox::isolated(api.url(), claude, &programs)));
        TestHome { cli: sandbox.cli.clone(), sandbox: Some(sandbox), api }
    }

    /// Creates a directory for a session.
    #[track_caller]
    pub fn project(&self, name: &str) -> PathBuf {
        expect(self.sandbox().project(name))
    }

    /// The value of `AREYOUJ_HOME`.
    #[track_caller]
    pub fn path(&self) -> &Path {
        self.sandbox().home()
    }

    /// Runs a command with any exit code.
    #[track_caller]
    pub fn areyouj(&self, arguments: &[&str]) -> Run {
        self.expect(self.cli.run(arguments))
    }

    /// Runs a command that must succeed, and returns its output.
    #[track_caller]
    pub fn ok(&self, arguments: &[&str]) -> String {
        self.expect(self.cli.run(arguments).and_then(Run::success)).stdout.trim().to_owned()
    }

    /// Runs a command with `--json` that must succeed, and returns its output.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        self.expect(self.cli.json(arguments))
    }

    /// Runs a command that must fail, and returns the error code. The error must have a message and a hint, and the
    /// exit code must be 1.
    #[track_caller]
    pub fn error_code(&self, arguments: &[&str]) -> String {
        text_of(&self.rejection(arguments), "code")
    }

    /// Like [`TestHome::error_code`], but returns the whole error.
    #[track_caller]
    pub fn rejection(&self, arguments: &[&str]) -> Value {
        self.error_of(&self.areyouj(&[arguments, &["--json"]].concat()))
    }

    /// The error of a failed run with `--json`.
    #[track_caller]
    pub fn error_of(&self, run: &Run) -> Value {
        assert_eq!(run.status, 1, "{run}");
        let error = self.expect(run.error());
        for member in ["message", "hint"] {
            assert!(error[member].as_str().is_some_and(|text| !text.is_empty()), "no {member}: {run}");
        }
        error
    }

    /// Starts a command without waiting for its exit.
    #[track_caller]
    pub fn spawn(&self, arguments: &[&str]) -> Running {
        self.expect(Running::start(&self.cli, arguments))
    }

    /// Creates a session in this directory and returns its id.
    #[track_caller]
    pub fn new_session(&self, directory: &Path, options: &[&str]) -> String {
        let directory = directory.to_string_lossy();
        self.ok(&[&["new", directory.as_ref()], options].concat())
    }

    /// Creates a session and waits until it is idle.
    #[track_caller]
    pub fn idle_session(&self, directory: &Path, options: &[&str]) -> String {
        let id = self.new_session(directory, options);
        self.wait(&id, "idle");
        id
    }

    /// The session, as printed by `areyouj show`.
    #[track_caller]
    pub fn session(&self, id: &str) -> Value {
        self.json(&["show", id])
    }

    /// The ids of the live sessions.
    #[track_caller]
    pub fn sessions(&self) -> Vec<String> {
        texts(&rows(&self.json(&["ls"]), "sessions"), "id")
    }

    /// Queues a message and returns its id.
    #[track_caller]
    pub fn send(&self, session: &str, text: &str) -> String {
        text_of(&self.json(&["send", session, text]), "id")
    }

    /// Queues a message and waits until it is done.
    #[track_caller]
    pub fn send_and_wait(&self, session: &str, text: &str) -> String {
        let message = self.send(session, text);
        self.wait_message(session, &message, "done");
        message
    }

    /// All messages of a session, including finished ones, in order.
    #[track_caller]
    pub fn messages(&self, session: &str) -> Vec<Value> {
        rows(&self.json(&["queue", session, "--all"]), "messages")
    }

    /// The texts of the queued messages, in order.
    #[track_caller]
    pub fn queued_texts(&self, session: &str) -> Vec<String> {
        let messages = rows(&self.json(&["queue", session]), "messages");
        texts(
            &messages.into_iter().filter(|message| message["state"] == "queued").collect::<Vec<_>>(),
            "text",
        )
    }

    /// One message.
    #[track_caller]
    pub fn message(&self, session: &str, message: &str) -> Value {
        let messages = self.messages(session);
        let found = messages.iter().find(|known| known["id"] == message);
        found.cloned().unwrap_or_else(|| panic!("there is no message {message} among {messages:#?}"))
    }

    /// Waits for a status with `areyouj wait`.
    #[track_caller]
    pub fn wait(&self, session: &str, status: &str) {
        let seconds = EVENT_TIMEOUT.as_secs().to_string();
        let arguments = ["wait", session, "--for", status, "--timeout", &seconds];
        self.expect(self.cli.run_within(&arguments, 2 * EVENT_TIMEOUT).and_then(Run::success));
    }

    /// Waits until the session is idle, and returns the message. Unlike [`TestHome::wait_message`], it works with any
    /// user of the daemon.
    #[track_caller]
    pub fn message_when_idle(&self, session: &str, message: &str) -> Value {
        self.wait(session, "idle");
        self.message(session, message)
    }

    /// Waits until a message is in this state.
    #[track_caller]
    pub fn wait_message(&self, session: &str, message: &str, state: &str) {
        self.until(&format!("message {message} is {state}"), || {
            let messages = rows(&self.cli.json(&["queue", session, "--all"])?, "messages");
            Ok(messages.iter().any(|known| known["id"] == message && known["state"] == state).then_some(()))
        });
    }

    /// Waits until the session fulfils a condition, and returns it. The timeout includes all attempts to start Claude.
    #[track_caller]
    pub fn wait_session(&self, session: &str, what: &str, mut holds: impl FnMut(&Value) -> bool) -> Value {
        self.expect(self.sandbox().until(what, START_TIMEOUT, || {
            let session = self.cli.json(&["show", session])?;
            Ok(holds(&session).then_some(session))
        }))
    }

    /// Waits until the session's status is `error`, and returns the error code.
    #[track_caller]
    pub fn wait_error(&self, session: &str) -> String {
        let session = self
            .wait_session(session, "the session's status is error", |session| session["status"] == "error");
        text_of(&session["error"], "code")
    }

    /// Waits until a permission request of this session is open, and returns it.
    #[track_caller]
    pub fn wait_permission_request(&self, session: &str) -> Value {
        self.until("a permission request is open", || {
            Ok(rows(&self.cli.json(&["permissions", session])?, "permissions").into_iter().next())
        })
    }

    /// The transcript, as printed by `areyouj logs --json`: one entry per line.
    #[track_caller]
    pub fn transcript(&self, session: &str) -> Vec<Value> {
        let text = self.ok(&["logs", session, "--json"]);
        text.lines().map(|line| self.expect(serde_json::from_str(line).map_err(Into::into))).collect()
    }

    /// The running processes of this home, including the daemon.
    #[track_caller]
    pub fn processes(&self) -> Vec<Process> {
        processes::of_home(self.path())
    }

    /// Kills a process and waits until it has exited.
    #[track_caller]
    pub fn kill(&self, pid: i32) {
        self.expect(processes::kill(pid));
        assert!(processes::wait_for_exit(pid, EVENT_TIMEOUT), "process {pid} does not exit");
    }

    /// The process id of the daemon. Does not start one.
    #[track_caller]
    pub fn daemon_pid(&self) -> i32 {
        let status = self.json(&["daemon", "status"]);
        assert_eq!(status["running"], true, "no daemon is running: {status}");
        process_id(&status, "pid")
    }

    /// Waits until `check` returns a value; see [`Sandbox::until`].
    #[track_caller]
    pub fn until<T>(&self, what: &str, check: impl FnMut() -> Result<Option<T>>) -> T {
        self.expect(self.sandbox().until(what, EVENT_TIMEOUT, check))
    }

    /// Returns the value, or fails the test with a diagnosis.
    #[track_caller]
    pub fn expect<T>(&self, result: Result<T>) -> T {
        match result {
            Ok(value) => value,
            Err(error) => {
                panic!("{error:?}\n--- prompts\n{:#?}\n{}", self.api.prompts(), self.sandbox().diagnosis())
            }
        }
    }

    #[track_caller]
    fn sandbox(&self) -> &Sandbox {
        match &self.sandbox {
            Some(sandbox) => sandbox,
            None => panic!("this home is closed"),
        }
    }
}

impl Drop for TestHome {
    fn drop(&mut self) {
        let Some(sandbox) = self.sandbox.take() else { return };
        if std::thread::panicking() {
            eprintln!("{}\n--- prompts\n{:#?}", sandbox.diagnosis(), self.api.prompts());
        }
        match sandbox.close() {
            Ok(()) => {}
            // A second panic would hide the first.
            Err(error) if std::thread::panicking() => eprintln!("{error:?}"),
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// The rows of a list: the command line prints an array, or an object that contains it.
pub fn rows(list: &Value, member: &str) -> Vec<Value> {
    list.get(member).unwrap_or(list).as_array().cloned().unwrap_or_default()
}

/// A member of every row, as a string.
pub fn texts(rows: &[Value], member: &str) -> Vec<String> {
    rows.iter().map(|row| row[member].as_str().unwrap_or_default().to_owned()).collect()
}

/// A member that must be a string.
#[track_caller]
pub fn text_of(value: &Value, member: &str) -> String {
    match value[member].as_str() {
        Some(text) => text.to_owned(),
        None => panic!("no string {member:?} in {value}"),
    }
}

/// A member that must be a process id.
#[track_caller]
pub fn process_id(value: &Value, member: &str) -> i32 {
    match value[member].as_i64().and_then(|pid| i32::try_from(pid).ok()) {
        Some(pid) => pid,
        None => panic!("no process id {member:?} in {value}"),
    }
}

#[track_caller]
fn expect<T>(result: Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error:?}"),
    }
}
