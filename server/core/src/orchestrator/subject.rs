//! What an operation was about, from which its answer is rendered at the end of the step.

use super::{MessageId, PermissionId, SessionId};

/// What the answer to an operation shows.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    /// Nothing: the operation was carried out.
    Done,
    /// A session.
    Session(SessionId),
    /// A created session, with a warning for people.
    Created { session: SessionId, warning: Option<String> },
    /// A session's queue.
    Queue(SessionId),
    /// A message.
    Message(MessageId),
    /// A permission request.
    Permission(PermissionId),
    /// The client watches this session. `since`: the newest transcript entry that it has.
    Attached { session: SessionId, since: Option<u64> },
    /// The client does not watch this session any more.
    Detached(SessionId),
}

/// What an operation has done: what its answer shows, the session that it was about, and a detail for the audit trail.
pub(super) struct OperationResult {
    pub(super) subject: Subject,
    pub(super) session: Option<SessionId>,
    pub(super) detail: Option<String>,
}

impl OperationResult {
    pub(super) fn on(session: SessionId, subject: Subject) -> OperationResult {
        OperationResult { subject, session: Some(session), detail: None }
    }

    pub(super) fn with_detail(self, detail: String) -> OperationResult {
        OperationResult { detail: Some(detail), ..self }
    }
}
