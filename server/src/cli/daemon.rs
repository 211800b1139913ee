//! `areyouj daemon`: start, stop, look at and be the daemon.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use areyouj_protocol::{DaemonStatus, DaemonStopParams, Empty, ErrorCode, Timestamp, request};
use serde_json::{Value, json};

use super::arguments::DaemonCommand;
use super::screen::Screen;
use super::{CommandError, Context, FAILED, time};
use crate::client::{Client, Failure, start};
use crate::config::Config;
use crate::paths::Paths;

/// How long a daemon may take to go away after it has said yes: it finishes its writes, no more.
const STOP_DEADLINE: Duration = Duration::from_secs(30);

/// Starts, stops or tells about the daemon.
pub(super) fn control(context: &Context, command: &DaemonCommand) -> Result<(), CommandError> {
    let screen = &context.screen;
    match command {
        DaemonCommand::Start => tell(screen, &mut context.connect()?),
        DaemonCommand::Stop { sessions } => {
            let stopped = stop(&context.paths, *sessions)?;
            screen.show(&json!({"running": false, "stopped": stopped}), || {
                if stopped { "The daemon has stopped." } else { "No daemon is running." }.to_owned()
            })
        }
        DaemonCommand::Status => match running(&context.paths)? {
            Some(mut client) => tell(screen, &mut client),
            None => screen.show(&json!({"running": false}), || "No daemon is running.".to_owned()),
        },
        DaemonCommand::Restart => {
            stop(&context.paths, false)?;
            tell(screen, &mut context.connect()?)
        }
        // Taken before a screen was made: what the daemon prints is for the client that starts it.
        DaemonCommand::Run => Ok(()),
    }
}

/// A connection to the daemon, if one runs.
pub(super) fn running(paths: &Paths) -> Result<Option<Client>, Failure> {
    match Client::connect(paths, false) {
        Ok(client) => Ok(Some(client)),
        Err(failure) if failure == start::not_running() => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// A running daemon as JSON.
pub(super) fn status_json(status: &DaemonStatus) -> Value {
    let mut value = json!({"running": true});
    if let (Some(fields), Ok(Value::Object(status))) = (value.as_object_mut(), serde_json::to_value(status)) {
        fields.extend(status);
    }
    value
}

fn tell(screen: &Screen, client: &mut Client) -> Result<(), CommandError> {
    let status = client.call::<request::DaemonStatus>(&Empty {})?;
    screen.show(&status_json(&status), || describe(&status, time::now()))
}

pub(super) fn describe(status: &DaemonStatus, now: Timestamp) -> String {
    format!(
        "The daemon runs: process {}, version {}, started {}.\n\
         Sessions: {}, of which {} of at most {} are active. Clients: {}.\n\
         Database {}\n\
         Logs     {}\n",
        status.pid,
        status.version,
        time::ago(now, status.started_at),
        status.sessions,
        status.active_sessions,
        status.max_active_sessions,
        status.clients,
        status.database,
        status.log_directory
    )
}

/// Stops the daemon and waits until its process is gone; false if none was running.
fn stop(paths: &Paths, sessions: bool) -> Result<bool, Failure> {
    let Some(mut client) = running(paths)? else { return Ok(false) };
    let deadline = Instant::now() + STOP_DEADLINE;
    // Held until it is gone, so that what is waited for is the end of this daemon and not of the next.
    let _lock = start::lock_starting(paths, deadline)?;
    client.call_once::<request::DaemonStop>(&DaemonStopParams { sessions })?;
    drop(client);
    if start::wait_for_end(paths, Instant::now() + STOP_DEADLINE)? {
        Ok(true)
    } else {
        Err(still_running(paths))
    }
}

pub(super) fn still_running(paths: &Paths) -> Failure {
    Failure::new(
        ErrorCode::Timeout,
        format!("the daemon has not gone away in {} seconds", STOP_DEADLINE.as_secs()),
        format!(
            "Look into {}; its process id is in {}.",
            paths.log_dir().display(),
            paths.daemon_lock().display()
        ),
    )
}

/// Is the daemon, until it is told to stop.
pub(super) fn run(paths: &Paths) -> ExitCode {
    // Whatever the starter left open, a script's lock or a pipe whose end somebody waits for, is not held for days.
    areyouj_host::descriptors::close_inherited();
    // A session of its own: Ctrl-C in a terminal and closing it are not meant for it. Started by hand from a shell it
    // leads a group already and stays in the shell's session, as one would expect.
    let _ = nix::unistd::setsid();
    let prepared = paths
        .create()
        .map_err(Failure::from)
        .and_then(|()| Config::load(&paths.config_file()).map_err(Failure::from));
    match prepared {
        Ok(config) => crate::daemon::run(paths, config),
        Err(failure) => {
            start::report_failure(&failure);
            ExitCode::from(FAILED)
        }
    }
}
