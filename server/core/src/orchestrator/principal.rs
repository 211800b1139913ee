//! Who acts, and the roles that an operation can need.

/// Who acts. The transport decides that, never the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// The user whose daemon this is.
    LocalUser {
        /// The name that the client gave, for people and the audit trail.
        name: String,
    },
}

impl Principal {
    /// The name for people and the audit trail.
    pub fn name(&self) -> &str {
        match self {
            Principal::LocalUser { name } => name,
        }
    }
}

/// What a principal can do with a session. Each role includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Watch it.
    Viewer,
    /// Work with it: send messages, answer permission requests, interrupt.
    Operator,
    /// Create, change and end it, and stop the daemon.
    Owner,
}
