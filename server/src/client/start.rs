//! Finding the daemon, and starting one when there is none.
//!
//! lock → probe → spawn → verify: of any number of clients at the same time, one starts the daemon and the others find
//! it. The daemon reports on its standard output, a pipe, that it is ready or why it cannot start.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use areyouj_protocol::{ConnectionError, ErrorCode, Remedy};
use serde_json::json;

use super::{Failure, connect_socket, is_inside};
use crate::paths::{Paths, own_program};

/// What a daemon prints when it is ready.
const READY: &str = "ready";

/// The lock and log files are for the owner alone.
const PRIVATE_FILE: u32 = 0o600;

/// How long to wait for the daemon's lock before the socket is tried again: a daemon that is stopping releases its lock, a
/// daemon that was started by hand begins to listen.
const PROBE_INTERVAL: Duration = Duration::from_millis(50);

/// The variables that a daemon gets of its starter: where its files are, and what it reads at its start. It lives for
/// weeks, and the starter's others can hold secrets. Sessions get the environment of the client that creates them.
const DAEMON_VARIABLES: &[&str] = &[
    "AREYOUJ_HOME",
    "AREYOUJ_HOST",
    "AREYOUJ_MAX_ACTIVE",
    "HOME",
    "LANG",
    "LC_ALL",
    "PATH",
    "RUST_BACKTRACE",
    "TZ",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
];

/// The environment variable of every process in a session. Such a process is killed with the session.
pub const SESSION_MARK: &str = "AREYOUJ_SESSION_ID";

/// Reports to the client that started this daemon that it is ready. It is not an error if there is no such client: a daemon
/// can be started by hand.
pub fn report_ready() {
    report(READY);
}

/// Reports to the client that started this daemon why it cannot start.
pub fn report_failure(failure: &Failure) {
    report(&json!(ConnectionError::from(failure)).to_string());
}

fn report(line: &str) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

/// The failure of a command that needs a daemon and must not start one.
pub(crate) fn not_running() -> Failure {
    Failure::new(
        ErrorCode::DaemonUnavailable,
        "no daemon is running",
        "Start it with `areyouj daemon start`.",
    )
}

/// Takes the lock that prevents other processes from starting a daemon.
pub(crate) fn lock_starting(paths: &Paths, deadline: Instant) -> Result<File, Failure> {
    let path = paths.start_lock();
    Lock::begin(&path)?.until(deadline)?.ok_or_else(|| start_lock_held(&path))
}

pub(super) fn start_lock_held(path: &Path) -> Failure {
    Failure::new(
        ErrorCode::DaemonStartFailed,
        format!(
            "another process is starting or stopping a daemon and has held the lock {} too long",
            path.display()
        ),
        Remedy::doctor_after("Try again."),
    )
}

/// Waits until the daemon has exited. Returns false if it still runs at the deadline.
pub(crate) fn wait_for_exit(paths: &Paths, deadline: Instant) -> Result<bool, Failure> {
    Ok(Lock::begin(&paths.daemon_lock())?.until(deadline)?.is_some())
}

/// Connects to the daemon, and starts it if necessary.
pub(crate) fn find_or_start(paths: &Paths, deadline: Instant) -> Result<UnixStream, Failure> {
    let socket = paths.daemon_socket();
    if let Some(stream) = connect_socket(&socket)? {
        return Ok(stream);
    }
    if is_inside(paths) {
        return Err(not_started_in_session());
    }
    let program = own_program().map_err(|error| {
        start_failed(paths, &format!("the path of this program is unknown ({error})"), &[])
    })?;
    let mut command = Command::new(program);
    command.args(["daemon", "run"]);
    start_with(paths, command, deadline)
}

pub(crate) fn not_started_in_session() -> Failure {
    Failure::new(
        ErrorCode::DaemonUnavailable,
        "no daemon is running, and a command inside a session cannot start it",
        "Run any `areyouj` command outside the session; it starts the daemon.",
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
        // The lock is released at once, because the new daemon needs it.
        if daemon.until(deadline.min(Instant::now() + PROBE_INTERVAL))?.is_some() {
            break;
        }
        if Instant::now() >= deadline {
            return Err(start_failed(paths, "a daemon is running but does not listen", &[]));
        }
    }
    let spawned = spawn(paths, command, deadline);
    // A daemon that listens is a success, whatever the child reported.
    match (connect_socket(&socket)?, spawned) {
        (Some(stream), _) => Ok(stream),
        (None, Err(failure)) => Err(failure),
        (None, Ok(())) => Err(start_failed(paths, "it exited at once", &[])),
    }
}

/// Starts the daemon and waits until it reports that it is ready.
fn spawn(paths: &Paths, mut command: Command, deadline: Instant) -> Result<(), Failure> {
    let mut log = OpenOptions::new();
    let log = log.append(true).create(true).mode(PRIVATE_FILE).open(paths.daemon_stderr());
    let log = log.map_err(|error| {
        let message =
            format!("the daemon's log {} cannot be opened: {error}", paths.daemon_stderr().display());
        Failure::of_file(&error, ErrorCode::DaemonStartFailed, message)
    })?;
    let log_length = log.metadata().map_or(0, |metadata| metadata.len());
    // In the root directory the daemon keeps no other directory busy. It gets no process group here, because the leader of
    // a group could not create a process session, which is the first thing that the daemon does.
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).current_dir("/").env_clear();
    command.envs(DAEMON_VARIABLES.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    if let Some(home) = paths.home() {
        command.env("AREYOUJ_HOME", home);
    }
    let mut child = command
        .spawn()
        .map_err(|error| start_failed(paths, &format!("the program could not be run ({error})"), &[]))?;
    let reported_line = first_line(&mut child, deadline);
    let ended = |child: &mut Child| match child.wait() {
        Ok(status) => format!("it exited at once with {status}"),
        Err(error) => format!("it exited at once ({error})"),
    };
    match reported_line {
        Some(line) if line == READY => {
            // An editor's sidecar can outlive the daemon and must reap it then.
            thread::spawn(move || child.wait());
            Ok(())
        }
        Some(line) if !line.is_empty() => {
            let reason = ended(&mut child);
            Err(reported(&line)
                .unwrap_or_else(|| start_failed(paths, &reason, &log_since(paths, log_length))))
        }
        Some(_) => Err(start_failed(paths, &ended(&mut child), &log_since(paths, log_length))),
        None => {
            // A daemon that is only slow would otherwise hold the lock during the next attempt.
            let _ = child.kill();
            let _ = child.wait();
            Err(start_failed(paths, "it was not ready in time", &log_since(paths, log_length)))
        }
    }
}

/// The first line that the child prints. It is empty if the child exits before, `None` if the deadline passes before.
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

/// The failure that a daemon reported as a JSON object.
fn reported(line: &str) -> Option<Failure> {
    serde_json::from_str::<ConnectionError>(line).ok().map(Failure::from)
}

pub(super) fn start_failed(paths: &Paths, reason: &str, log: &[String]) -> Failure {
    Failure::new(
        ErrorCode::DaemonStartFailed,
        format!("the daemon could not be started: {reason}"),
        Remedy::doctor_after(format!("See {}.", paths.daemon_stderr().display())),
    )
    .with_log(Some(log.join("\n")).filter(|log| !log.is_empty()))
}

/// The last lines of the daemon's standard error after this offset in bytes.
fn log_since(paths: &Paths, offset: u64) -> Vec<String> {
    /// Enough for a panic message with its location.
    const LINES: usize = 10;
    let bytes = std::fs::read(paths.daemon_stderr()).unwrap_or_default();
    let added = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)).unwrap_or_default();
    let text = String::from_utf8_lossy(added);
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines[lines.len().saturating_sub(LINES)..].to_vec()
}

/// A lock that this process is waiting for. A thread waits, because flock has no timeout. A thread that waits too long ends
/// with this short-lived program, or releases the lock at once.
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
                // If the receiver is gone, the file is closed here, which releases the lock.
                let _ = sender.send(locked);
            });
        }
        Ok(Lock { path: path.to_owned(), receiver })
    }

    /// The locked file; `None` if another process holds the lock until the deadline.
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
