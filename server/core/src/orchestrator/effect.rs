//! What the orchestrator wants done. Changes are committed first; everything else in the same step follows only
//! when they are on disk.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    Answer, AuditRow, ClientId, Driver, EntryRow, MessageId, MessageRow, MessageView, PartialOutput,
    PermissionAsk, PermissionId, PermissionRow, Position, Problem, QueueView, ReplyId, SessionId, SessionRow,
    SessionSpec, SessionView,
};

/// Something to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Keep this.
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
    /// Tell clients.
    Publish(Notice),
    /// Start a host and Claude.
    Launch(LaunchOrder),
    /// Find the host of this launch, which may or may not exist, and read its journal from here.
    Adopt {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
        /// How its Claude is driven.
        driver: Driver,
        /// Claude's working directory.
        directory: String,
        /// Where to read on.
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
        /// What.
        input: Input,
    },
    /// End Claude: close its input, wait, signal, kill the tree.
    Stop {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
        /// Kill the tree without waiting.
        at_once: bool,
    },
    /// What the journal holds before this offset is on disk elsewhere; the host may delete it.
    Ingested {
        /// The session.
        session: SessionId,
        /// The offset.
        offset: u64,
    },
    /// The end of this launch is on disk; its host may go.
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
    /// End the daemon.
    Exit,
}

/// What is to be kept.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A new session's environment.
    Environment {
        /// The session.
        session: SessionId,
        /// Names and values.
        environment: BTreeMap<String, String>,
    },
    /// A session, new or changed.
    Session(Box<SessionRow>),
    /// A session and everything of it is gone; its id stays taken.
    SessionRemoved(SessionId),
    /// A message, new or changed.
    Message(Box<MessageRow>),
    /// A prompt, new or changed.
    Permission(Box<PermissionRow>),
    /// A new transcript entry.
    Entry {
        /// The session.
        session: SessionId,
        /// The entry.
        entry: EntryRow,
    },
    /// A request was carried out.
    Request {
        /// The id that its client chose.
        key: String,
        /// What it did and to what, for example `session/create K7M2Q9XD`.
        subject: String,
        /// When.
        at: u64,
    },
    /// An operation, for the audit trail.
    Audit(AuditRow),
}

/// A good answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Nothing to say.
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
    /// A message that was accepted before and has come to its end; the store has it.
    Finished(MessageId),
    /// A queue.
    Queue(QueueView),
    /// Prompts.
    Permissions(Vec<PermissionRow>),
    /// A prompt.
    Permission(Box<PermissionRow>),
    /// The client watches now. Entries up to the session's `seq` are in the store; later ones are published.
    Attached {
        /// The session.
        session: Box<SessionView>,
        /// The last entry that the client has.
        since: Option<u64>,
        /// What Claude has said since the newest entry.
        partial_output: Vec<PartialOutput>,
    },
    /// The client does not watch any more.
    Detached(SessionId),
    /// Which session it is.
    Resolved(SessionId),
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

/// What clients are told without asking.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
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
        /// Its status is another than before.
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
    /// A queue changed: [`super::Event::ShowQueue`] is to follow sooner or later. It is not shown with every change,
    /// since all of it is shown.
    QueueChanged(SessionId),
    /// A queue as it is now.
    Queue(QueueView),
    /// A prompt was asked, answered or withdrawn.
    Permission(Box<PermissionRow>),
    /// A new transcript entry, for those who watch.
    Entry {
        /// The session.
        session: SessionId,
        /// The entry.
        entry: EntryRow,
    },
    /// More of what Claude is saying, for those who watch.
    Delta {
        /// The session.
        session: SessionId,
        /// The `seq` of the newest entry.
        seq: u64,
        /// Thoughts rather than words.
        thinking: bool,
        /// The next piece.
        text: String,
    },
}

/// How Claude is to be started.
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
}

/// What is written to Claude; a driver puts it into Claude's own words.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Ask Claude to describe itself and its open prompts.
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
        /// Into the running turn.
        steer: bool,
    },
    /// The answer to a prompt.
    Answer {
        /// The prompt.
        permission: PermissionId,
        /// What was asked.
        ask: Box<PermissionAsk>,
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
    /// Break off the turn.
    Interrupt {
        /// Our id of the request.
        request_id: String,
    },
    /// Press Enter once more: what was pasted into the terminal was not taken.
    Enter,
    /// Let a hook go without an answer: somebody answered in the terminal.
    LetGo {
        /// The id of the prompt that the hook asked.
        request_id: String,
    },
}

/// Everything that a daemon finds in the store when it starts.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// All sessions, terminated ones too.
    pub sessions: Vec<SessionRow>,
    /// Messages that wait or run, and those that failed or were cut off and a pause is about.
    pub messages: Vec<MessageRow>,
    /// Prompts that are open, or answered and not known to be delivered.
    pub permissions: Vec<PermissionRow>,
    /// Every session id ever used.
    pub used_ids: Vec<SessionId>,
    /// The newest requests and what they did.
    pub requests: Vec<(String, String)>,
}
