//! `areyouj daemon`: starts, stops, inspects and runs the daemon.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use areyouj_protocol::{DaemonStatus, DaemonStopParams, Empty, ErrorCode, Job, Timestamp, request};
use nix::sys::stat::{Mode, umask};
use serde_json::{Value, json};

use super::arguments::DaemonCommand;
use super::screen::{Paint, Screen};
use super::table::{self, Cell, Column, Shorten};
use super::{CommandError, Context, FAILED, plain, time};
use crate::client::{Client, Failure, is_inside, start};
use crate::config::Config;
use crate::paths::Paths;

/// How long a daemon can take to exit after it accepted the request. It only finishes its writes.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// Starts, stops, restarts or describes the daemon.
pub(super) fn control(context: &Context, command: &DaemonCommand) -> Result<(), CommandError> {
    let screen = &context.screen;
    match command {
        DaemonCommand::Start => print_status(screen, &mut context.connect()?),
        DaemonCommand::Stop { sessions } => {
            let stopped = stop(&context.paths, *sessions)?;
            screen.show(&json!({"running": false, "stopped": stopped}), || {
                if stopped { "The daemon stopped." } else { "No daemon is running." }.to_owned()
            })
        }
        DaemonCommand::Status => match running(&context.paths)? {
            Some(mut client) => print_status(screen, &mut client),
            None => screen.show(&json!({"running": false}), || "No daemon is running.".to_owned()),
        },
        DaemonCommand::Restart => {
            stop(&context.paths, false)?;
            print_status(screen, &mut context.connect()?)
        }
        // `cli::run` handles it earlier: what the daemon prints is for the client that starts it.
        DaemonCommand::Run => Ok(()),
    }
}

/// Connects to the daemon; `None` if no daemon is running.
pub(super) fn running(paths: &Paths) -> Result<Option<Client>, Failure> {
    match Client::connect(paths, false) {
        Ok(client) => Ok(Some(client)),
        Err(failure) if failure == start::not_running() => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// The status of a running daemon as JSON.
pub(super) fn status_json(status: &DaemonStatus) -> Value {
    let mut value = json!({"running": true});
    if let (Some(fields), Ok(Value::Object(status))) = (value.as_object_mut(), serde_json::to_value(status)) {
        fields.extend(status);
    }
    value
}

fn print_status(screen: &Screen, client: &mut Client) -> Result<(), CommandError> {
    let status = client.call::<request::DaemonStatus>(&Empty {})?;
    screen.show(&status_json(&status), || describe(&status, time::now()))
}

pub(super) fn describe(status: &DaemonStatus, now: Timestamp) -> String {
    let mut text = format!(
        "The daemon is running: process {}, version {}, started {}.\n\
         Sessions  {}, {} of at most {} active\n\
         Clients   {}\n\
         Database  {}\n\
         Logs      {}\n",
        status.pid,
        status.version,
        time::ago(now, status.started_at),
        status.sessions,
        status.active_sessions,
        status.max_active_sessions,
        status.clients,
        status.database,
        status.log_directory
    );
    if !status.jobs.is_empty() {
        text.push('\n');
        text.push_str(&jobs_table(&status.jobs, now));
    }
    text
}

fn jobs_table(jobs: &[Job], now: Timestamp) -> String {
    let column = |title| Column { title, right: false, shorten: Shorten::Never, drop_order: 0 };
    let columns = ["JOB", "LAST RUN", "NEXT RUN", "LAST ERROR"].map(column);
    let rows: Vec<Vec<Cell>> = jobs
        .iter()
        .map(|job| {
            let last_run = job.last_run.map_or_else(|| "-".to_owned(), |at| time::ago(now, at));
            let next_run = if job.next_run > now {
                format!("in {}", time::age(job.next_run, now))
            } else {
                "due".to_owned()
            };
            let error = job.last_error.as_deref().map_or_else(|| "-".to_owned(), plain::line);
            vec![plain::line(&job.name).into(), last_run.into(), next_run.into(), error.into()]
        })
        .collect();
    table::render(&columns, &rows, None, Paint(false))
}

/// Stops the daemon and waits until its process has exited. Returns false if no daemon was running.
fn stop(paths: &Paths, sessions: bool) -> Result<bool, Failure> {
    let Some(mut client) = running(paths)? else { return Ok(false) };
    let deadline = Instant::now() + STOP_TIMEOUT;
    // While this is held nobody starts another daemon, so the lock that is waited for below is that of this one.
    let _lock = start::lock_starting(paths, deadline)?;
    client.call_once::<request::DaemonStop>(&DaemonStopParams { sessions })?;
    drop(client);
    if start::wait_for_exit(paths, Instant::now() + STOP_TIMEOUT)? {
        Ok(true)
    } else {
        Err(still_running(paths))
    }
}

pub(super) fn still_running(paths: &Paths) -> Failure {
    Failure::new(
        ErrorCode::Timeout,
        format!("the daemon did not exit within {} seconds", STOP_TIMEOUT.as_secs()),
        format!(
            "See the log in {}; the process id of the daemon is in {}.",
            paths.log_dir().display(),
            paths.daemon_lock().display()
        ),
    )
}

/// Runs the daemon until it is stopped.
pub(super) fn run(paths: &Paths) -> ExitCode {
    // Descriptors that the starter left open, such as a script's lock or a pipe, must not stay open for days.
    areyouj_host::descriptors::close_inherited();
    // With a process session of its own the daemon does not receive the signals of the starter's terminal. `setsid`
    // fails for a daemon that a shell runs in the foreground, which then stays in the shell's session, as it should.
    let _ = nix::unistd::setsid();
    // No other user can read a file of the daemon, whatever the starter's mask is, which sessions get.
    let umask = umask(Mode::S_IRWXG | Mode::S_IRWXO);
    let outside = if is_inside(paths) { Err(start::not_started_in_session()) } else { Ok(()) };
    let prepared = outside
        .and_then(|()| paths.create().map_err(Failure::from))
        .and_then(|()| Config::load(&paths.config_file()).map_err(Failure::from));
    match prepared {
        Ok(config) => crate::daemon::run(paths, config, umask),
        Err(failure) => {
            start::report_failure(&failure);
            ExitCode::from(FAILED)
        }
    }
}
