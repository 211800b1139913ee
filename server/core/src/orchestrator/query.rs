//! What clients can read without changing anything.

use super::SessionRef;

/// What a client reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// The list of sessions.
    Sessions {
        /// Terminated ones too.
        all: bool,
    },
    /// One session.
    Session(SessionRef),
    /// Which session this is, for a read of the store.
    Resolve(SessionRef),
    /// A session's queue.
    Queue(SessionRef),
    /// The open permission requests, of one session or of all.
    Permissions(Option<SessionRef>),
    /// The daemon's own numbers.
    Daemon,
    /// The audit trail, which the store has, of one session or of all.
    Audit(Option<SessionRef>),
}

impl Query {
    /// The name in the audit trail if the query is refused to a process inside a session.
    pub fn refusal_name(&self) -> &'static str {
        match self {
            Query::Sessions { .. } => "session/list",
            Query::Session(_) => "session/get",
            Query::Resolve(_) => "transcript/read",
            Query::Queue(_) => "queue/list",
            Query::Permissions(_) => "permission/list",
            Query::Daemon => "daemon/status",
            Query::Audit(_) => "audit/list",
        }
    }

    /// The session that the client named, if it named one.
    pub(super) fn session_mut(&mut self) -> Option<&mut SessionRef> {
        match self {
            Query::Session(session) | Query::Resolve(session) | Query::Queue(session) => Some(session),
            Query::Permissions(session) | Query::Audit(session) => session.as_mut(),
            Query::Sessions { .. } | Query::Daemon => None,
        }
    }
}
