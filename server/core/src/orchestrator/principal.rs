//! Who acts, what a person granted to sessions, and the roles that an operation can need.

use super::SessionId;

/// Who acts. The transport decides that by facts of the kernel, never by what the client says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// The user whose daemon this is: a process outside all sessions.
    Person {
        /// The name that the client gave itself: a label for people, which decides nothing.
        name: String,
    },
    /// A process inside a session.
    Session(Insider),
}

/// A process inside a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Insider {
    /// The session, if its host is above the process. `None`: the host is gone, or belongs to another home.
    pub id: Option<SessionId>,
    /// The session that the process is marked with. The process can have changed the mark, so it gives no rights: it
    /// only says where a refusal is shown.
    pub marked: Option<SessionId>,
    /// The name that the client gave itself.
    pub name: String,
}

impl Principal {
    /// The name that the client gave itself, for people and the audit trail.
    pub fn name(&self) -> &str {
        match self {
            Principal::Person { name } | Principal::Session(Insider { name, .. }) => name,
        }
    }

    /// The session that the principal acts from, as far as it is known.
    pub fn session(&self) -> Option<SessionId> {
        match self {
            Principal::Person { .. } => None,
            Principal::Session(insider) => insider.id.or(insider.marked),
        }
    }
}

/// The process of a client, as the kernel describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Its process id; 0 if it is in a PID namespace that the daemon cannot see.
    pub pid: i32,
    /// The path of its program, free of control characters and of bounded length; empty if it is unknown.
    pub program: String,
    /// Its controlling terminal, for example `pts/3`. A person's command usually has one; what Claude runs in a stream
    /// session has none.
    pub terminal: Option<String>,
}

/// What a person allows processes inside sessions, beyond reading their own session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// List and read all sessions.
    pub read: bool,
    /// Queue messages in all sessions.
    pub send: bool,
    /// Create sessions, in no wider permission mode than their own.
    pub create: bool,
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
