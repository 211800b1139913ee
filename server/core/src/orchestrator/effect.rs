//! The effects of a step. The daemon commits the changes among them first, and carries out the others when the changes
//! are on disk.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    Answer, AuditRow, ClientId, Driver, EntryRow, HostKey, MessageId, MessageRow, MessageView, PartialOutput,
    PermissionRequest, PermissionRow, Position, Problem, QueueView, ReplyId, SessionId, SessionRow,
    SessionSpec, SessionView,
};

/// Something that the daemon must do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Store a change.
    Persist(Change),
    /// Answer a request.
    Reply {
        /// The connection.
        client: ClientId,
        /// The request.
        reply: ReplyId,
        /// The answer.
        result: Result<Outcome, Problem>,
    },
    /// Notify clients.
    Publish(Notification),
    /// Start a host and Claude.
    Launch(LaunchOrder),
    /// Look for the host of this launch, which might not exist, and read its journal.
    Adopt {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
        /// How its Claude is driven.
        driver: Driver,
        /// Claude's working directory.
        directory: String,
        /// How far the journal has been ingested.
        position: Position,
    },
    /// Read Claude's own record of the conversation.
    Inspect {
        /// The number of this inspection, for the answer.
        inspection: u32,
        /// The session.
        session: SessionId,
        /// Claude's working directory.
        directory: String,
        /// Claude's id of the conversation.
        claude_session: Uuid,
        /// Messages to look for.
        messages: Vec<MessageId>,
    },
    /// Write to Claude.
    Send {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
        /// What to write.
        input: Input,
    },
    /// Stop Claude: close its input, wait, signal, kill the process tree.
    Stop {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
        /// Kill the process tree without waiting.
        at_once: bool,
    },
    /// The journal before this offset is ingested and stored; the host can delete it.
    Ingested {
        /// The session.
        session: SessionId,
        /// The offset.
        offset: u64,
    },
    /// The end of this launch is stored; its host can exit.
    Release {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
    },
    /// Remove the session's directory of files.
    RemoveFiles {
        /// The session.
        session: SessionId,
    },
    /// Exit.
    Exit,
}

/// A change of the store.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A new session's environment.
    Environment {
        /// The session.
        session: SessionId,
        /// Names and values.
        environment: BTreeMap<String, String>,
    },
    /// The environment of a session that has ended for good is dropped: nothing starts with it again.
    EnvironmentRemoved(SessionId),
    /// The key of a new launch.
    HostKey {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
        /// The key.
        key: HostKey,
    },
    /// A session, new or changed.
    Session(Box<SessionRow>),
    /// A session and everything of it is removed; its id is never used again.
    SessionRemoved(SessionId),
    /// A message, new or changed.
    Message(Box<MessageRow>),
    /// A permission request, new or changed.
    Permission(Box<PermissionRow>),
    /// A new transcript entry.
    Entry {
        /// The session.
        session: SessionId,
        /// The entry.
        entry: EntryRow,
    },
    /// A person trusts a directory and everything below it.
    Trusted {
        /// Its path, free of symbolic links.
        directory: String,
        /// When.
        at: u64,
        /// Who.
        by: String,
    },
    /// A request was carried out.
    Request {
        /// The id that its client chose.
        key: String,
        /// The operation and its subject, for example `session/create K7M2Q9XD`.
        subject: String,
        /// When.
        at: u64,
    },
    /// An operation, for the audit trail.
    Audit(AuditRow),
}

/// The answer to a command that was carried out.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The command was carried out.
    Done,
    /// A session.
    Session(Box<SessionView>),
    /// A created session, with a warning for people.
    Created {
        /// The session.
        session: Box<SessionView>,
        /// The warning.
        warning: Option<String>,
    },
    /// The list.
    Sessions {
        /// The list's revision.
        revision: u64,
        /// Newest first.
        sessions: Vec<SessionView>,
    },
    /// A message.
    Message(Box<MessageView>),
    /// A message that was accepted before and has ended; the store has it.
    Finished(MessageId),
    /// A queue.
    Queue(QueueView),
    /// Open permission requests.
    Permissions(Vec<PermissionRow>),
    /// A permission request.
    Permission(Box<PermissionRow>),
    /// The client watches the session now. Entries up to the session's `seq` are in the store; later ones are
    /// published.
    Attached {
        /// The session.
        session: Box<SessionView>,
        /// The `seq` of the newest entry that the client has.
        since: Option<u64>,
        /// Claude's partial output since the newest entry.
        partial_output: Vec<PartialOutput>,
    },
    /// The client does not watch the session any more.
    Detached(SessionId),
    /// The session's id.
    Resolved(SessionId),
    /// The session whose part of the audit trail is meant; `None`: the whole.
    Audit(Option<SessionId>),
    /// The daemon's own numbers.
    Daemon {
        /// Live sessions.
        sessions: u32,
        /// Sessions that count against the limit.
        active: u32,
        /// The limit.
        max_active: u32,
    },
}

/// What clients are notified of.
#[derive(Clone, Debug, PartialEq)]
pub enum Notification {
    /// A session was created.
    Created {
        /// The list's revision.
        revision: u64,
        /// The session.
        session: Box<SessionView>,
    },
    /// A session changed.
    Changed {
        /// The list's revision.
        revision: u64,
        /// The session.
        session: Box<SessionView>,
        /// Its status has changed.
        status_changed: bool,
    },
    /// A session was terminated.
    Terminated {
        /// The list's revision.
        revision: u64,
        /// The session.
        session: SessionId,
    },
    /// A session was removed for good.
    Removed {
        /// The list's revision.
        revision: u64,
        /// The session.
        session: SessionId,
    },
    /// A queue has changed. The daemon must send [`super::Event::ShowQueue`] later; not for every change, because
    /// clients receive the whole queue.
    QueueChanged(SessionId),
    /// A queue as it is now.
    Queue(QueueView),
    /// A permission request was made, answered or withdrawn.
    Permission(Box<PermissionRow>),
    /// A new transcript entry, for clients that watch the session.
    Entry {
        /// The session.
        session: SessionId,
        /// The entry.
        entry: EntryRow,
    },
    /// More partial output of Claude, for clients that watch the session.
    Delta {
        /// The session.
        session: SessionId,
        /// The `seq` of the newest entry.
        seq: u64,
        /// Whether it is thinking rather than text.
        thinking: bool,
        /// The next piece.
        text: String,
    },
}

/// How to start Claude.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchOrder {
    /// The session.
    pub session: SessionId,
    /// The number of this launch.
    pub launch: u32,
    /// What the session is.
    pub spec: SessionSpec,
    /// Claude's id of the conversation.
    pub claude_session: Uuid,
    /// The conversation exists: resume it.
    pub resume: bool,
    /// How far the journal has been ingested; new records come after it.
    pub position: Position,
    /// What a person has seen of the directory and allowed, if that is not stored as trust yet: the text of the input
    /// of the request ([`super::ToolInput::text`]).
    pub allowed: Option<String>,
    /// The key that the host gets.
    pub key: HostKey,
}

/// What to write to Claude. A driver encodes it in Claude's protocol.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Ask Claude to describe itself and to list its open permission requests.
    Initialize {
        /// Our id of the request.
        request_id: String,
    },
    /// A message.
    Message {
        /// Its id.
        id: MessageId,
        /// Its text.
        text: String,
        /// Put it into the running turn.
        steer: bool,
    },
    /// The answer to a permission request.
    Answer {
        /// The request.
        request: Box<PermissionRequest>,
        /// The answer.
        answer: Answer,
    },
    /// Refuse a control request of Claude's that this version does not know.
    Refuse {
        /// Claude's id of its request.
        request_id: String,
        /// Why.
        message: String,
    },
    /// Interrupt the turn.
    Interrupt {
        /// Our id of the request.
        request_id: String,
    },
    /// Press Enter once more: Claude did not accept the text that was pasted into its terminal.
    Enter,
    /// Release a hook without an answer: a person answered in the terminal.
    ReleaseHook {
        /// The id of the hook's permission request.
        request_id: String,
    },
}

/// Everything that a daemon loads from the store when it starts.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// All sessions, terminated ones too.
    pub sessions: Vec<SessionRow>,
    /// Messages that wait or run, and those that failed or were interrupted and wait for a decision.
    pub messages: Vec<MessageRow>,
    /// Permission requests that are open, or whose answer might not have been written to Claude.
    pub permissions: Vec<PermissionRow>,
    /// Every session id ever used.
    pub used_ids: Vec<SessionId>,
    /// The newest requests, and the result of each.
    pub requests: Vec<(String, String)>,
    /// The number of the newest row of the audit trail.
    pub audit: u64,
}
