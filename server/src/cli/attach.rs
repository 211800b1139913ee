//! `areyouj attach`: the screen of a terminal session in the terminal that it is called in.
//!
//! It talks to the session's host, so a daemon that goes away disturbs nobody who looks. The daemon is asked what session it
//! is, and again when the host hangs up.

mod history;
mod keys;
mod outer;
mod view;

use std::io;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use areyouj_protocol::{Driver, ErrorCode, Session, SessionParams, Status, request};
use serde_json::json;

use super::{CommandError, Context};
use crate::client::Failure;
use areyouj_core::orchestrator::SessionId;
use areyouj_core::text::plain;
use outer::Outer;
use view::{End, View};

/// How long after it had no host a session is looked at again: a host starts in some milliseconds, and is started again
/// within a second; each time later, up to a bound.
const FIRST_LOOK: Duration = Duration::from_millis(10);
const LAST_LOOK: Duration = Duration::from_millis(300);

/// How to look.
pub(super) struct Options {
    /// Only look.
    pub(super) read_only: bool,
    /// Lines of history that are shown first.
    pub(super) history: usize,
}

/// Shows the session's screen until the person detaches or the session ends.
pub(super) fn run(context: &Context, id: String, options: &Options) -> Result<(), CommandError> {
    let session = get(context, id)?;
    let mut outer = Outer::take().map_err(|error| no_outer_terminal(&error))?;
    let shown = show(context, &session, options, &mut outer);
    // Whatever happened: from here on the terminal is its owner's again.
    drop(outer);
    let (left, text) = shown?;
    context.screen.show(&json!({"sessionId": session.id, "left": left}), || format!("{text}\n"))
}

/// The session, which has to be one with a terminal.
fn get(context: &Context, id: String) -> Result<Session, Failure> {
    let session = context.connect()?.call::<request::SessionGet>(&SessionParams { session_id: Some(id) })?;
    match session.driver {
        Driver::Terminal => Ok(session),
        Driver::Stream => Err(not_a_terminal(&session.id)),
    }
}

pub(super) fn no_outer_terminal(error: &io::Error) -> Failure {
    let message = format!("attach needs a terminal to show the screen in: {error}");
    Failure::new(ErrorCode::InvalidParams, message, "Call it in a terminal, without pipes.")
}

pub(super) fn not_a_terminal(id: &str) -> Failure {
    Failure::new(
        ErrorCode::NotATerminal,
        format!("{id} has no terminal: its driver is stream."),
        format!("Read it with: areyouj logs {id} -f, or move it with: areyouj switch-driver {id} terminal"),
    )
}

pub(super) fn invalid_session_id() -> Failure {
    Failure::new(ErrorCode::Internal, "the daemon told an id that is none", "Update areyouj and its daemon.")
}

pub(super) fn terminal_failed(error: &io::Error) -> Failure {
    Failure::new(ErrorCode::Internal, format!("the terminal cannot be used: {error}"), "Try again.")
}

pub(super) fn refused_by_host(id: &str, reason: &str) -> Failure {
    Failure::new(
        ErrorCode::HostFailed,
        format!("The screen of {id} cannot be shown: {}.", plain::line(reason)),
        format!("See how the session stands with: areyouj show {id}"),
    )
}

pub(super) fn detached(id: &str) -> (&'static str, String) {
    ("detached", format!("Detached from {id}. Come back with: areyouj attach {id}"))
}

pub(super) fn signalled(id: &str) -> (&'static str, String) {
    ("ended", format!("The view of {id} was ended."))
}

/// The line that is shown while a session has no host.
pub(super) fn waiting_line(session: &Session) -> String {
    let reason = session.status_reason.as_deref().map(|reason| format!(": {}", plain::line(reason)));
    format!("{} is {}{} (Ctrl-\\ d leaves)", session.id, session.status.as_str(), reason.unwrap_or_default())
}

/// Shows host after host, until there is none to be expected. Returns why it ended, in a word and for people.
fn show(
    context: &Context,
    session: &Session,
    options: &Options,
    outer: &mut Outer,
) -> Result<(&'static str, String), Failure> {
    let id = &session.id;
    let own: SessionId = id.parse().map_err(|_| invalid_session_id())?;
    let (socket, journal) =
        (context.paths.host_socket(&own), context.paths.session_dir(&own).join("journal"));
    let failed = |error: io::Error| terminal_failed(&error);
    let mut lines = options.history;
    let mut waits = false;
    let mut look = FIRST_LOOK;
    loop {
        if let Ok(stream) = UnixStream::connect(&socket) {
            let history = history::latest(&journal, lines);
            let mut view = View::new(stream, options.read_only).map_err(failed)?;
            match view.show(outer, &history).map_err(failed)? {
                End::Detached => return Ok(detached(id)),
                End::Signalled => return Ok(signalled(id)),
                End::Refused(reason) if !waits => return Err(refused_by_host(id, &reason)),
                // The host of a launch that has ended: another one follows.
                End::Refused(_) => {}
                End::HungUp => (lines, look) = (0, FIRST_LOOK),
            }
        }
        let now = context
            .connect()?
            .call::<request::SessionGet>(&SessionParams { session_id: Some(id.clone()) })?;
        if let Some(over) = over(&now) {
            return Ok(over);
        }
        outer.note(&waiting_line(&now)).map_err(failed)?;
        waits = true;
        if outer.waits_for_detach(Instant::now() + look).map_err(failed)? {
            return Ok(detached(id));
        }
        look = (2 * look).min(LAST_LOOK);
    }
}

/// Why no other host is to be expected, in a word and for people.
pub(super) fn over(session: &Session) -> Option<(&'static str, String)> {
    let id = &session.id;
    match session.status {
        _ if session.driver == Driver::Stream => {
            Some(("moved", format!("{id} moved to a stream. Follow it with: areyouj logs {id} -f")))
        }
        Status::Terminated => Some(("terminated", format!("{id} was terminated."))),
        Status::Error => {
            let error = session.error.as_ref();
            let [message, hint] = [error.map(|error| &error.message), error.map(|error| &error.hint)]
                .map(|text| text.map(|text| plain::line(text)).unwrap_or_default());
            Some(("error", format!("{id} needs you: {message} {hint}")))
        }
        _ => None,
    }
}
