//! Finding the daemon, and starting one when there is none.
//!
//! lock → probe → spawn → verify: however many clients come at the same time, one of them starts the daemon and the
//! others find it. The daemon says on its standard output, a pipe, that it serves or why it cannot.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use areyouj_protocol::ErrorCode;
use serde_json::{Value, json};

use super::{Failure, connect_socket};
use crate::paths::{Paths, own_program};

/// What a daemon prints once it serves.
const READY: &str = "ready";

/// The lock and log files are for the owner alone.
const PRIVATE_FILE: u32 = 0o600;

/// How long to wait for a daemon's lock between two looks at its socket: a daemon that is going away gives up its
/// lock, one that was started by hand begins to listen.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The variable that marks everything inside of a session, which ends with the session.
pub const SESSION_MARK: &str = "AREYOUJ_SESSION_ID";

/// Tells the client that started this daemon that it serves. Nobody listening is no error: a daemon may be started
/// by hand.
pub fn report_ready() {
    report(READY);
}

/// Tells the client that started this daemon why it cannot serve.
pub fn report_failure(failure: &Failure) {
    let line = json!({"code": failure.code, "message": failure.message, "hint": failure.hint});
    report(&line.to_string());
}

fn report(line: &str) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

/// The failure of a command that needs a daemon and is not to start one.
pub(crate) fn not_running() -> Failure {
    Failure::new(ErrorCode::DaemonUnavailable, "no daemon is running", "Run `areyouj daemon start`.")
}

/// Takes the lock that keeps everybody else from starting a daemon.
pub(crate) fn lock_starting(paths: &Paths, deadline: Instant) -> Result<File, Failure> {
    let path = paths.start_lock();
    Lock::begin(&path)?.until(deadline)?.ok_or_else(|| start_lock_held(&path))
}

pub(super) fn start_lock_held(path: &Path) -> Failure {
    Failure::new(
        ErrorCode::DaemonStartFailed,
        format!(
            "another program has been starting or stopping a daemon for long (it holds {})",
            path.display()
        ),
        "Try again; `areyouj doctor` tells how the daemon is.",
    )
}

/// Waits until no daemon lives any more; false if one still does at the deadline.
pub(crate) fn wait_for_end(paths: &Paths, deadline: Instant) -> Result<bool, Failure> {
    Ok(Lock::begin(&paths.daemon_lock())?.until(deadline)?.is_some())
}

/// A connection to the daemon, started if need be.
pub(crate) fn find_or_start(paths: &Paths, deadline: Instant) -> Result<UnixStream, Failure> {
    let socket = paths.daemon_socket();
    if let Some(stream) = connect_socket(&socket)? {
        return Ok(stream);
    }
    if std::env::var_os(SESSION_MARK).is_some() {
        return Err(not_started_in_session());
    }
    let program = own_program().map_err(|error| {
        start_failed(paths, &format!("this program's own file is not known ({error})"), &[])
    })?;
    let mut command = Command::new(program);
    command.args(["daemon", "run"]);
    start_with(paths, command, deadline)
}

pub(super) fn not_started_in_session() -> Failure {
    Failure::new(
        ErrorCode::DaemonUnavailable,
        "no daemon is running, and one that is started inside of a session would end with the session",
        "Run any `areyouj` command outside of the session once; that starts the daemon.",
    )
}

fn start_with(paths: &Paths, command: Command, deadline: Instant) -> Result<UnixStream, Failure> {
    paths.create()?;
    let _lock = lock_starting(paths, deadline)?;
    let socket = paths.daemon_socket();
    let mut daemon = Lock::begin(&paths.daemon_lock())?;
    loop {
        if let Some(stream) = connect_socket(&socket)? {
            return Ok(stream);
        }
        // Given back at once: the daemon that is to be started needs it.
        if daemon.until(deadline.min(Instant::now() + LOOK_AGAIN))?.is_some() {
            break;
        }
        if Instant::now() >= deadline {
            return Err(start_failed(paths, "one is alive and does not listen", &[]));
        }
    }
    let problem = spawn(paths, command, deadline);
    // Whatever the child says: if a daemon listens, that is what was wanted.
    match (connect_socket(&socket)?, problem) {
        (Some(stream), _) => Ok(stream),
        (None, Err(failure)) => Err(failure),
        (None, Ok(())) => Err(start_failed(paths, "it went away at once", &[])),
    }
}

/// Starts the daemon and waits until it says that it serves.
fn spawn(paths: &Paths, mut command: Command, deadline: Instant) -> Result<(), Failure> {
    let mut log = OpenOptions::new();
    let log = log.append(true).create(true).mode(PRIVATE_FILE).open(paths.daemon_stderr());
    let log = log.map_err(|error| {
        let message =
            format!("the daemon's log {} cannot be opened: {error}", paths.daemon_stderr().display());
        Failure::of_file(&error, ErrorCode::DaemonStartFailed, message)
    })?;
    let logged = log.metadata().map_or(0, |metadata| metadata.len());
    // The root directory: it keeps no directory busy. No group of its own here: the leader of one could not leave this
    // terminal's session, which is the first thing that it does.
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).current_dir("/");
    if let Some(home) = paths.home() {
        command.env("AREYOUJ_HOME", home);
    }
    let mut child = command
        .spawn()
        .map_err(|error| start_failed(paths, &format!("it could not be started ({error})"), &[]))?;
    let said = first_line(&mut child, deadline);
    let ended = |child: &mut Child| match child.wait() {
        Ok(status) => format!("it ended at once with {status}"),
        Err(error) => format!("it ended at once ({error})"),
    };
    match said {
        Some(line) if line == READY => {
            // An editor's sidecar may outlive it: somebody has to wait for it then.
            thread::spawn(move || child.wait());
            Ok(())
        }
        Some(line) if !line.is_empty() => {
            let reason = ended(&mut child);
            Err(reported(&line).unwrap_or_else(|| start_failed(paths, &reason, &log_since(paths, logged))))
        }
        Some(_) => Err(start_failed(paths, &ended(&mut child), &log_since(paths, logged))),
        None => {
            // A daemon that is only slow would otherwise stand in the way of the next try.
            let _ = child.kill();
            let _ = child.wait();
            Err(start_failed(paths, "it was not ready in time", &log_since(paths, logged)))
        }
    }
}

/// The first line that the child prints; empty if it ends before, none if the deadline passes before.
fn first_line(child: &mut Child, deadline: Instant) -> Option<String> {
    let stdout = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        let _ = BufReader::new(stdout).read_line(&mut line);
        let _ = sender.send(line.trim().to_owned());
    });
    receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()
}

/// What a daemon reported: a JSON object, or `error: CODE: message`.
fn reported(line: &str) -> Option<Failure> {
    let failure = |code: &str, message: &str, hint: Option<&str>| Failure {
        code: code.to_owned(),
        message: message.to_owned(),
        hint: hint.map(str::to_owned),
        log: None,
        retryable: false,
    };
    if let Ok(value) = serde_json::from_str::<Value>(line) {
        return Some(failure(value["code"].as_str()?, value["message"].as_str()?, value["hint"].as_str()));
    }
    let (code, message) = line.strip_prefix("error: ")?.split_once(": ")?;
    Some(failure(code, message, None))
}

pub(super) fn start_failed(paths: &Paths, reason: &str, log: &[String]) -> Failure {
    Failure::new(
        ErrorCode::DaemonStartFailed,
        format!("the daemon could not be started: {reason}"),
        format!("Look into {}, and run `areyouj doctor`.", paths.daemon_stderr().display()),
    )
    .with_log(Some(log.join("\n")).filter(|log| !log.is_empty()))
}

/// The last lines that were added to the daemon's standard error since it had this length.
fn log_since(paths: &Paths, length: u64) -> Vec<String> {
    /// Enough for a panic and its place.
    const LINES: usize = 10;
    let bytes = std::fs::read(paths.daemon_stderr()).unwrap_or_default();
    let added = usize::try_from(length).ok().and_then(|length| bytes.get(length..)).unwrap_or_default();
    let text = String::from_utf8_lossy(added);
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines[lines.len().saturating_sub(LINES)..].to_vec()
}

/// A lock that is being waited for. A thread waits, as flock knows no deadline; one that waits in vain ends with this
/// short-lived program, or gives the lock back at once.
struct Lock {
    path: PathBuf,
    receiver: mpsc::Receiver<io::Result<File>>,
}

impl Lock {
    fn begin(path: &Path) -> Result<Lock, Failure> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(PRIVATE_FILE);
        let file = options.open(path).map_err(|error| lock_failed(path, &error))?;
        let (sender, receiver) = mpsc::channel();
        if file.try_lock().is_ok() {
            let _ = sender.send(Ok(file));
        } else {
            thread::spawn(move || {
                let locked = file.lock().map(|()| file);
                // If nobody waits any more the file is closed here, and with it the lock is given back.
                let _ = sender.send(locked);
            });
        }
        Ok(Lock { path: path.to_owned(), receiver })
    }

    /// The locked file; none if somebody else holds the lock until the deadline.
    fn until(&mut self, deadline: Instant) -> Result<Option<File>, Failure> {
        match self.receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Ok(file)) => Ok(Some(file)),
            Ok(Err(error)) => Err(lock_failed(&self.path, &error)),
            Err(_) => Ok(None),
        }
    }
}

pub(super) fn lock_failed(path: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot lock {}: {error}", path.display());
    Failure::of_file(error, ErrorCode::DaemonStartFailed, message)
}

#[cfg(test)]
mod tests;
