//! The status of a session, its reason, and what needs a person. Pure functions of the session's parts.

use super::Session;
use super::phase::{Phase, Then};
use crate::orchestrator::{
    Attention, AttentionKind, Goal, PauseReason, PermissionKind, Status, StatusSource,
};

/// What needs a person.
pub(super) fn attention(session: &Session) -> Option<Attention> {
    if session.lifecycle.goal() == Goal::Terminate {
        return None;
    }
    let open = u32::try_from(session.permissions.open().count()).unwrap_or(u32::MAX);
    let plain = |kind, title| Attention { kind, permission: None, message: None, title, open };
    if let Some(row) = session.permissions.open().next() {
        let kind = match row.request.kind {
            PermissionKind::Tool | PermissionKind::Trust => AttentionKind::Permission,
            PermissionKind::Question => AttentionKind::Question,
            PermissionKind::Plan => AttentionKind::Plan,
        };
        return Some(Attention { permission: Some(row.id), ..plain(kind, row.request.title.clone()) });
    }
    if let Some(dialog) = session.terminal.dialog() {
        return Some(plain(AttentionKind::Terminal, dialog.to_owned()));
    }
    if let Some(error) = session.lifecycle.error() {
        return Some(plain(AttentionKind::Error, error.message.clone()));
    }
    let kind = match session.queue.pause().reason()? {
        PauseReason::MessageInterrupted => AttentionKind::Interrupted,
        PauseReason::Failed => AttentionKind::Failed,
        PauseReason::TurnInterrupted => return None,
    };
    let message = session.queue.undecided();
    let error = message.and_then(|id| session.queue.get(id)?.error.clone());
    let title = error.unwrap_or_else(|| "A message was interrupted.".to_owned());
    Some(Attention { message, ..plain(kind, title) })
}

/// The status and its source.
pub(super) fn status(session: &Session) -> (Status, StatusSource) {
    let unchanged = (session.status.status, session.status.source);
    match session.lifecycle.phase() {
        Phase::Launching | Phase::Initializing { .. } | Phase::Ready
            if session.terminal.dialog().is_some() =>
        {
            (Status::Waiting, StatusSource::Process)
        }
        Phase::Queued | Phase::Stopping { then: Then::Restart | Then::RetryStart(_), .. } => {
            (Status::Starting, StatusSource::Request)
        }
        Phase::Inspecting | Phase::Launching | Phase::Initializing { .. } | Phase::BackOff { .. } => {
            (Status::Starting, StatusSource::Process)
        }
        Phase::Untrusted => (Status::Waiting, StatusSource::Request),
        Phase::Adopting { ready: false } | Phase::Stopping { then: Then::Terminate, .. } => unchanged,
        Phase::Stopping { then: Then::Fail(_), .. } => (Status::Error, StatusSource::Control),
        Phase::Failed(_) => (Status::Error, StatusSource::Process),
        Phase::Terminated => (Status::Terminated, StatusSource::Request),
        // Also while the daemon looks for the host: the next daemon learns Claude's activity from the status.
        Phase::Ready | Phase::Adopting { ready: true } => {
            let status = if session.permissions.is_asking() {
                Status::Waiting
            } else if session.turn.is_idle() && session.queue.running().next().is_none() {
                Status::Idle
            } else {
                Status::Active
            };
            (status, if session.is_terminal() { StatusSource::Hook } else { StatusSource::Control })
        }
    }
}

/// The reason of the status, for people.
pub(super) fn status_reason(session: &Session) -> Option<String> {
    if let Some(note) = &session.note {
        return Some(note.clone());
    }
    if session.status.status == Status::Waiting
        && let Some(dialog) = session.terminal.dialog()
    {
        return Some(dialog.to_owned());
    }
    let pause = session.queue.pause();
    match session.lifecycle.phase() {
        Phase::Queued => Some("waits for its turn to start".to_owned()),
        Phase::Untrusted => Some("Claude starts when a person trusts the directory".to_owned()),
        Phase::Stopping { then: Then::Terminate, .. } => Some("is being terminated".to_owned()),
        Phase::Stopping { then: Then::Restart, .. } => Some("is being restarted".to_owned()),
        _ if session.switch_to.is_some() => Some("switches its driver when the turn has ended".to_owned()),
        Phase::Ready
            if !pause.is_paused() && session.terminal.is_drafting() && session.queue.has_waiting() =>
        {
            Some("the queue waits until the text in the terminal has been sent or cleared".to_owned())
        }
        Phase::Ready => pause.explanation().map(|why| format!("queue paused: {why}")),
        Phase::Inspecting
        | Phase::Launching
        | Phase::Initializing { .. }
        | Phase::BackOff { .. }
        | Phase::Adopting { .. }
        | Phase::Stopping { then: Then::RetryStart(_) | Then::Fail(_), .. }
        | Phase::Failed(_)
        | Phase::Terminated => None,
    }
}
