//! `areyouj attach`: the screen of a terminal session, in the terminal that the command runs in.
//!
//! The command is connected to the session's host, so viewers do not depend on the daemon. It asks the daemon for the
//! session at the start, and again when the host closes the connection.

mod history;
mod keys;
mod outer;
mod passage;
mod view;

use std::io;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use areyouj_protocol::{Driver, ErrorCode, Remedy, Session, SessionParams, Status, request};
use serde_json::json;

use super::{CommandError, Context, remedy};
use crate::client::Failure;
use crate::config::Config;
use areyouj_core::orchestrator::SessionId;
use areyouj_core::text::plain;
use outer::OuterTerminal;
use passage::Allowed;
use view::{End, View};

/// The first pause before a session without a host is checked again: a host starts within milliseconds. Each pause is
/// twice as long as the one before.
const FIRST_POLL_DELAY: Duration = Duration::from_millis(10);

/// The longest such pause: the daemon restarts a host within a second.
const MAX_POLL_DELAY: Duration = Duration::from_millis(300);

/// How a screen is shown.
struct Options {
    /// Whether keys are not sent to Claude.
    read_only: bool,
    /// Lines of history to show first.
    history: usize,
    /// What programs in the session may do to the terminal.
    allowed: Allowed,
}

/// Shows the session's screen until the person detaches or the session ends.
pub(super) fn run(
    context: &Context,
    id: String,
    read_only: bool,
    history: usize,
) -> Result<(), CommandError> {
    // With a configuration that cannot be used nothing more is allowed, and the screen can be shown.
    let config = Config::load(&context.paths.config_file());
    let allowed = Allowed { clipboard: config.is_ok_and(|config| config.terminal_clipboard) };
    let options = &Options { read_only, history, allowed };
    let session = terminal_session(context, id)?;
    let mut outer = OuterTerminal::acquire().map_err(|error| no_outer_terminal(&error))?;
    let shown = show(context, &session, options, &mut outer);
    // This restores the terminal, in every case.
    drop(outer);
    let (left, text) = shown?;
    context.screen.show(&json!({"sessionId": session.id, "left": left}), || format!("{text}\n"))
}

/// The session, which must have a terminal.
fn terminal_session(context: &Context, id: String) -> Result<Session, Failure> {
    let session = context.connect()?.call::<request::SessionGet>(&SessionParams { session_id: Some(id) })?;
    match session.driver {
        Driver::Terminal => Ok(session),
        Driver::Stream => Err(not_a_terminal(&session.id)),
    }
}

pub(super) fn no_outer_terminal(error: &io::Error) -> Failure {
    let message = format!("`areyouj attach` must run in a terminal: {error}");
    Failure::new(
        ErrorCode::InvalidParams,
        message,
        "Run it in a terminal, with neither input nor output redirected.",
    )
}

pub(super) fn not_a_terminal(id: &str) -> Failure {
    Failure::new(
        ErrorCode::NotATerminal,
        format!("session {id} has no terminal: its driver is stream"),
        format!(
            "Run `areyouj logs {id} -f`, or switch its driver with `areyouj switch-driver {id} terminal`."
        ),
    )
}

pub(super) fn invalid_session_id() -> Failure {
    Failure::new(ErrorCode::Internal, "the daemon returned an invalid session id", Remedy::RestartDaemon)
}

pub(super) fn terminal_failed(error: &io::Error) -> Failure {
    Failure::new(
        ErrorCode::Internal,
        format!("the terminal cannot be used: {error}"),
        "Try again in another terminal.",
    )
}

pub(super) fn refused_by_host(id: &str, reason: &str) -> Failure {
    Failure::new(
        ErrorCode::HostFailed,
        format!("the screen of session {id} cannot be shown: {}", plain::line(reason)),
        format!("Run `areyouj show {id}` to see the state of the session."),
    )
}

pub(super) fn detached(id: &str) -> (&'static str, String) {
    ("detached", format!("Detached from {id}. Attach again with: areyouj attach {id}"))
}

pub(super) fn signalled(id: &str) -> (&'static str, String) {
    ("ended", format!("The terminal of this view of {id} was closed."))
}

/// The line that is shown while the session has no host.
pub(super) fn waiting_line(session: &Session) -> String {
    let reason = session.status_reason.as_deref().map(|reason| format!(": {}", plain::line(reason)));
    format!(
        "{} is {}{} (Ctrl-\\ d detaches)",
        session.id,
        session.status.as_str(),
        reason.unwrap_or_default()
    )
}

/// Shows the screen of each host of the session, until no other host will follow. Returns why the view ended: the word
/// for `--json` and a sentence.
fn show(
    context: &Context,
    session: &Session,
    options: &Options,
    outer: &mut OuterTerminal,
) -> Result<(&'static str, String), Failure> {
    let id = &session.id;
    let session_id: SessionId = id.parse().map_err(|_| invalid_session_id())?;
    let (socket, journal) =
        (context.paths.host_socket(&session_id), context.paths.session_dir(&session_id).join("journal"));
    let failed = |error: io::Error| terminal_failed(&error);
    let mut lines = options.history;
    let mut had_no_host = false;
    let mut poll_delay = FIRST_POLL_DELAY;
    loop {
        if let Ok(stream) = UnixStream::connect(&socket) {
            let history = history::latest(&journal, lines);
            let mut view = View::new(stream, options).map_err(failed)?;
            match view.show(outer, &history).map_err(failed)? {
                End::Detached => return Ok(detached(id)),
                End::Signalled => return Ok(signalled(id)),
                End::Refused(reason) if !had_no_host => return Err(refused_by_host(id, &reason)),
                // This host belongs to a launch that has ended; another host follows.
                End::Refused(_) => {}
                End::HungUp => (lines, poll_delay) = (0, FIRST_POLL_DELAY),
            }
        }
        let now = context
            .connect()?
            .call::<request::SessionGet>(&SessionParams { session_id: Some(id.clone()) })?;
        if let Some(end) = end_of(&now) {
            return Ok(end);
        }
        outer.note(&waiting_line(&now)).map_err(failed)?;
        had_no_host = true;
        if outer.wait_for_detach(Instant::now() + poll_delay).map_err(failed)? {
            return Ok(detached(id));
        }
        poll_delay = (2 * poll_delay).min(MAX_POLL_DELAY);
    }
}

/// Why no other host will follow, as in [`show`]; `None` if one will.
pub(super) fn end_of(session: &Session) -> Option<(&'static str, String)> {
    let id = &session.id;
    match session.status {
        _ if session.driver == Driver::Stream => Some((
            "moved",
            format!("{id} switched to the stream driver. Follow it with: areyouj logs {id} -f"),
        )),
        Status::Terminated => Some(("terminated", format!("{id} was terminated."))),
        Status::Error => {
            let error = session.error.as_ref();
            let message = error.map(|error| plain::line(&error.message)).unwrap_or_default();
            let hint = error.map(|error| plain::line(&remedy::hint_of_session(error))).unwrap_or_default();
            Some(("error", format!("{id} needs you: {message} {hint}")))
        }
        _ => None,
    }
}
