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
}
