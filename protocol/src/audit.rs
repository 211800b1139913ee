//! The audit trail: who did what, and what AreYouJ refused.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Parameters of `areyouj/audit/list`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct AuditListParams {
    /// Only what concerns this session (an id or an unambiguous prefix; the whole id of a deleted one), or what
    /// processes inside it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Only entries whose last occurrence is at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Only entries with a smaller number: the next page begins before the last entry of the one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// The number of entries, at most 1,000; 200 if omitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A page of the audit trail.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditPage {
    /// Newest first.
    pub entries: Vec<AuditEntry>,
    /// Whether there are older ones.
    pub more: bool,
}

/// An operation in the audit trail, or several that are alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Grows with each entry.
    pub number: u64,
    /// The time; of several operations, that of the first.
    pub at: Timestamp,
    /// The time of the last one.
    pub last: Timestamp,
    /// How many operations were alike within a minute.
    pub count: u64,
    /// Who acted, as the kernel says.
    pub actor: AuditActor,
    /// The session that the actor is inside of, for the actor `session`, if it is known.
    pub actor_session_id: Option<String>,
    /// The process id of the actor; 0 if it is in a PID namespace that the daemon cannot see.
    pub pid: Option<i32>,
    /// The path of the actor's program.
    pub program: Option<String>,
    /// The actor's controlling terminal, for example `pts/3`.
    pub terminal: Option<String>,
    /// The name that the client gave itself, which proves nothing.
    pub client: String,
    /// The noun and the verb of the method, for example `session/create`.
    pub operation: String,
    /// The session that it was about.
    pub session_id: Option<String>,
    /// Details, for example the decision about a permission request.
    pub detail: Option<String>,
    /// `ok`, or the code of the error.
    pub outcome: String,
}

/// Who acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum AuditActor {
    /// A process outside all sessions: a person.
    Person,
    /// A process inside a session.
    Session,
    /// The daemon, automatically.
    Daemon,
    /// Not recorded: the entry is older than this field.
    Unknown,
}
