//! A row of the audit trail: what was done, and by whom.

use serde::{Deserialize, Serialize};

use super::{Millis, Process, SessionId};

/// Who did something, as the kernel says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// What kind of principal.
    pub kind: ActorKind,
    /// The session that it acted from, as far as it is known.
    pub session: Option<SessionId>,
    /// Its process, if it has one of its own.
    pub process: Option<Process>,
}

/// The kind of a principal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorKind {
    /// An earlier version recorded the operation without the kernel's word.
    #[default]
    Unknown,
    /// A process outside all sessions.
    Person,
    /// A process inside a session.
    Session,
    /// The daemon, automatically.
    Daemon,
}

/// One operation, for the audit trail, or several that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// 1, 2, 3 … without gaps; 0 before it has one.
    pub number: u64,
    /// When; of several, the first.
    pub at: Millis,
    /// When the last of several was; otherwise the same.
    pub last: Millis,
    /// How many.
    pub count: u64,
    /// Who.
    pub actor: Actor,
    /// The name that the client gave itself, or `areyouj` for what the daemon does automatically.
    pub by: String,
    /// What: the method's noun and verb, for example `session/create`.
    pub operation: String,
    /// The session it was about.
    pub session: Option<SessionId>,
    /// The message or permission request it was about, or other detail.
    pub detail: Option<String>,
    /// `ok`, or the code of the refusal.
    pub outcome: String,
}
