//! What clients can change.

use std::collections::BTreeMap;

use super::{Answer, Driver, MessageId, Role, SessionRef, SessionSpec};

/// A change that a client requests.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Create a session.
    Create(Box<Create>),
    /// Change a session.
    Session(Idempotent<SessionRef>, SessionOperation),
    /// Queue a message. Its id is the id of the request, too.
    Send {
        /// The session.
        session: SessionRef,
        /// The message's id.
        id: MessageId,
        /// Its text.
        text: String,
        /// Put it into the running turn.
        steer: bool,
    },
    /// Change the message with this id, or with an id that begins like this.
    Message(Idempotent<String>, MessageOperation),
    /// Answer a permission request.
    Answer(Idempotent<SeenPermission>, Answer),
    /// Add a note to a session's transcript.
    Note(Idempotent<SessionRef>, String),
    /// Mark everything in a session as read.
    MarkRead(SessionRef),
    /// Watch a session's output.
    Attach {
        /// The session.
        session: SessionRef,
        /// The newest transcript entry that the client has.
        since: Option<u64>,
    },
    /// Stop watching a session's output.
    Detach(SessionRef),
    /// Stop the daemon.
    StopDaemon {
        /// Terminate every session first.
        sessions: bool,
    },
}

/// What to change in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionOperation {
    /// End it.
    Terminate,
    /// Interrupt the running turn.
    Interrupt,
    /// Restart Claude.
    Restart,
    /// Switch the conversation to another driver.
    Switch(Switch),
    /// Name it.
    Rename(String),
    /// Remove it, once it is terminated.
    Delete,
    /// Deliver no more messages.
    PauseQueue,
    /// Deliver messages again.
    ResumeQueue,
    /// Cancel all waiting messages.
    ClearQueue,
}

/// What to change in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageOperation {
    /// Replace the text of a waiting message.
    Edit(String),
    /// Cancel a waiting message.
    Remove,
    /// Move a waiting message to this place among the waiting ones, counted from 0.
    Move(u32),
    /// Decide about a message that failed or was interrupted.
    Recover(Recovery),
}

/// The target of an operation, with the id that the client chose for the request: a repeat changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotent<T> {
    /// The request's id.
    pub request_id: String,
    /// The target.
    pub target: T,
}

/// A permission request as the person who answers has seen it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenPermission {
    /// Its whole id.
    pub id: String,
    /// The digest of what was displayed (see [`Displayed`](super::Displayed)).
    pub digest: String,
}

/// A new session. Its directory and its Claude have been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// The request's id.
    pub request_id: String,
    /// What the session is.
    pub spec: SessionSpec,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// Its name.
    pub name: Option<String>,
    /// Its first messages.
    pub messages: Vec<(MessageId, String)>,
}

/// How a conversation switches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// To this driver.
    pub driver: Driver,
    /// Interrupt the running turn for it.
    pub interrupt: bool,
}

/// What to do about a message that failed or was interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Ask Claude to continue.
    Continue,
    /// Send it again.
    Again,
    /// Leave it as it is.
    Skip,
}

impl Operation {
    /// The name in the audit trail and in the record of requests: the noun and the verb of the method. `None`: the
    /// operation only affects what the client watches, and is not audited.
    pub fn audit_name(&self) -> Option<&'static str> {
        Some(match self {
            Operation::Create(_) => "session/create",
            Operation::Session(_, operation) => operation.audit_name(),
            Operation::Send { steer: false, .. } => "queue/add",
            Operation::Send { steer: true, .. } => "queue/steer",
            Operation::Message(_, operation) => operation.audit_name(),
            Operation::Answer(..) => "permission/answer",
            Operation::StopDaemon { .. } => "daemon/stop",
            Operation::Note(..) => "session/note",
            Operation::MarkRead(_) | Operation::Attach { .. } | Operation::Detach(_) => return None,
        })
    }

    /// The name in the audit trail if the operation is refused to a process inside a session.
    pub fn refusal_name(&self) -> &'static str {
        match self {
            Operation::MarkRead(_) => "session/read",
            Operation::Attach { .. } => "session/attach",
            Operation::Detach(_) => "session/detach",
            operation => operation.audit_name().unwrap_or_default(),
        }
    }

    /// The session that the client named, if the operation has one.
    pub(super) fn session_mut(&mut self) -> Option<&mut SessionRef> {
        match self {
            Operation::Session(Idempotent { target: session, .. }, _)
            | Operation::Note(Idempotent { target: session, .. }, _)
            | Operation::Send { session, .. }
            | Operation::MarkRead(session)
            | Operation::Attach { session, .. }
            | Operation::Detach(session) => Some(session),
            Operation::Create(_)
            | Operation::Message(..)
            | Operation::Answer(..)
            | Operation::StopDaemon { .. } => None,
        }
    }

    /// The role that the operation needs.
    pub fn role(&self) -> Role {
        match self {
            Operation::MarkRead(_) | Operation::Attach { .. } | Operation::Detach(_) => Role::Viewer,
            Operation::Send { .. } | Operation::Message(..) | Operation::Answer(..) | Operation::Note(..) => {
                Role::Operator
            }
            Operation::Session(_, operation) => operation.role(),
            Operation::Create(_) | Operation::StopDaemon { .. } => Role::Owner,
        }
    }

    /// Whether a session that a person has terminated refuses the operation.
    pub fn needs_live(&self) -> bool {
        match self {
            Operation::Send { .. } | Operation::Message(..) | Operation::Answer(..) => true,
            Operation::Session(_, operation) => operation.needs_live(),
            Operation::Create(_)
            | Operation::Note(..)
            | Operation::MarkRead(_)
            | Operation::Attach { .. }
            | Operation::Detach(_)
            | Operation::StopDaemon { .. } => false,
        }
    }
}

impl SessionOperation {
    /// See [`Operation::audit_name`].
    pub fn audit_name(&self) -> &'static str {
        match self {
            SessionOperation::Terminate => "session/terminate",
            SessionOperation::Interrupt => "session/interrupt",
            SessionOperation::Restart => "session/restart",
            SessionOperation::Switch(_) => "session/switch",
            SessionOperation::Rename(_) => "session/rename",
            SessionOperation::Delete => "session/delete",
            SessionOperation::PauseQueue => "queue/pause",
            SessionOperation::ResumeQueue => "queue/resume",
            SessionOperation::ClearQueue => "queue/clear",
        }
    }

    fn role(&self) -> Role {
        match self {
            SessionOperation::Interrupt
            | SessionOperation::PauseQueue
            | SessionOperation::ResumeQueue
            | SessionOperation::ClearQueue => Role::Operator,
            SessionOperation::Terminate
            | SessionOperation::Restart
            | SessionOperation::Switch(_)
            | SessionOperation::Rename(_)
            | SessionOperation::Delete => Role::Owner,
        }
    }

    fn needs_live(&self) -> bool {
        match self {
            SessionOperation::Interrupt
            | SessionOperation::Restart
            | SessionOperation::Switch(_)
            | SessionOperation::PauseQueue
            | SessionOperation::ResumeQueue
            | SessionOperation::ClearQueue => true,
            SessionOperation::Terminate | SessionOperation::Rename(_) | SessionOperation::Delete => false,
        }
    }
}

impl MessageOperation {
    /// See [`Operation::audit_name`].
    pub fn audit_name(&self) -> &'static str {
        match self {
            MessageOperation::Edit(_) => "queue/edit",
            MessageOperation::Remove => "queue/remove",
            MessageOperation::Move(_) => "queue/move",
            MessageOperation::Recover(_) => "queue/recover",
        }
    }
}
