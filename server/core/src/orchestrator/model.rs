//! The stored rows of sessions, messages, permission requests and transcript entries, and the views for clients.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{MessageId, Pause, PermissionId, Problem, SessionId, ToolInput};

/// Milliseconds since the Unix epoch.
pub type Millis = u64;

/// The time of a step: the wall clock for people, a monotonic clock for deadlines (which a step of the wall clock
/// must not move).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since the Unix epoch.
    pub wall: Millis,
    /// Milliseconds since some fixed moment; never decreases.
    pub monotonic: u64,
}

/// How Claude is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// `claude -p` with JSON lines both ways.
    Stream,
    /// Claude's own screen in a pseudo-terminal.
    Terminal,
}

/// The status of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Host or Claude is being started.
    Starting,
    /// A turn is running.
    Active,
    /// A permission request or a dialog waits for an answer.
    Waiting,
    /// Ready for a message.
    Idle,
    /// It needs a person.
    Error,
    /// Ended by a person.
    Terminated,
}

/// Which source a status comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusSource {
    /// A request, or our own action on it.
    Request,
    /// Claude's control protocol.
    Control,
    /// Claude's hooks.
    Hook,
    /// The state of a process, or Claude's record of its process.
    Process,
}

/// The goal of a session. It is stored, and outlives the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// Claude must run.
    Run,
    /// Claude must not run until a person restarts it; `error` says why.
    Fail,
    /// The session must end for good.
    Terminate,
}

/// The settings with which a session was created, and which every launch of its Claude gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSpec {
    /// The absolute path of its directory.
    pub directory: String,
    /// How Claude is driven.
    pub driver: Driver,
    /// The model that the next launch requests, or that the current one requested.
    pub model: Option<String>,
    /// The permission mode that the next launch requests, or that the current one requested.
    pub permission_mode: Option<String>,
}

/// A place in a session's journal up to which everything has been ingested.
///
/// Claude's output comes in pieces that need not end with a line. The rest of an unfinished line is not stored: it
/// is read again from `line_start`, while all other records before `next` are skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Offset of the first record that was not ingested.
    pub next: u64,
    /// Offset of the output record in which the unfinished line begins; `next` if there is none.
    pub line_start: u64,
    /// How many bytes of that record's payload come before the unfinished line.
    pub line_skip: u32,
}

/// A session as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionRow {
    /// Its id.
    pub id: SessionId,
    /// A name that a person gave it.
    pub name: Option<String>,
    /// Its settings.
    pub spec: SessionSpec,
    /// The driver that the conversation switches to as soon as it can.
    pub switch_to: Option<Driver>,
    /// The model that Claude of the current launch reported last.
    pub model_reported: Option<String>,
    /// The permission mode that Claude of the current launch reported last.
    pub permission_mode_reported: Option<String>,
    /// Claude's id of the conversation.
    pub claude_session: Uuid,
    /// A turn of this conversation has ended, so Claude must have a record of the conversation.
    pub recorded: bool,
    /// When it was created.
    pub created_at: Millis,
    /// When something last happened.
    pub last_activity: Millis,
    /// Its goal.
    pub goal: Goal,
    /// The number of the last launch of Claude: 0 before the first.
    pub launch: u32,
    /// A host of that launch may exist.
    pub host: bool,
    /// The host's process id, once known.
    pub host_pid: Option<u32>,
    /// Claude's process id, once known.
    pub claude_pid: Option<u32>,
    /// Claude of that launch was ready.
    pub ready: bool,
    /// Its status.
    pub status: Status,
    /// Since when.
    pub status_since: Millis,
    /// The source of the status.
    pub status_source: StatusSource,
    /// Why it has this status, for people.
    pub status_reason: Option<String>,
    /// What is wrong, while the goal is [`Goal::Fail`].
    pub error: Option<Problem>,
    /// Whether and why the queue delivers no messages.
    pub paused: Pause,
    /// The message that a person decides about, or may want to send again.
    pub pause_message: Option<MessageId>,
    /// The beginning of the message that runs or ran last.
    pub current_task: Option<String>,
    /// The cost of earlier launches, in US dollars.
    pub cost_before: f64,
    /// The cost of the current launch.
    pub cost_launch: f64,
    /// Tokens in the context window.
    pub context_used: Option<u64>,
    /// Its size.
    pub context_max: Option<u64>,
    /// Answers and permission requests that nobody has seen.
    pub unread: u32,
    /// The `seq` of the newest transcript entry.
    pub seq: u64,
    /// The number of the newest permission request.
    pub permissions: u32,
    /// Milliseconds from the last request to start Claude until it was ready.
    pub startup_ms: Option<u64>,
    /// How far its journal has been ingested.
    pub position: Position,
    /// What AreYouJ refused to processes inside it.
    pub refusals: Option<Refusals>,
    /// Notes that processes inside it added.
    pub notes: u32,
}

/// What AreYouJ refused to processes inside a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusals {
    /// How many requests.
    pub count: u64,
    /// When the last one was.
    pub last: Millis,
    /// When the transcript last said so.
    pub noticed: Millis,
    /// The last one: the method's noun and verb, for example `session/terminate`.
    pub operation: String,
    /// The program that sent it; empty if it is unknown.
    pub program: String,
    /// Its process id.
    pub pid: i32,
    /// No person has seen it.
    pub unread: bool,
}

impl SessionRow {
    /// A session that has never been started.
    pub fn new(id: SessionId, spec: SessionSpec, claude_session: Uuid, created_at: Millis) -> SessionRow {
        SessionRow {
            id,
            name: None,
            spec,
            switch_to: None,
            model_reported: None,
            permission_mode_reported: None,
            claude_session,
            recorded: false,
            created_at,
            last_activity: created_at,
            goal: Goal::Run,
            launch: 0,
            host: false,
            host_pid: None,
            claude_pid: None,
            ready: false,
            status: Status::Starting,
            status_since: created_at,
            status_source: StatusSource::Request,
            status_reason: None,
            error: None,
            paused: Pause::default(),
            pause_message: None,
            current_task: None,
            cost_before: 0.0,
            cost_launch: 0.0,
            context_used: None,
            context_max: None,
            unread: 0,
            seq: 0,
            permissions: 0,
            startup_ms: None,
            position: Position::default(),
            refusals: None,
            notes: 0,
        }
    }
}

/// The state of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageState {
    /// It waits.
    Queued,
    /// It was written to Claude, or will be.
    Running,
    /// Its turn succeeded.
    Done,
    /// Its turn ended with an error.
    Failed,
    /// Its turn was interrupted.
    Interrupted,
    /// It was removed before it ran.
    Cancelled,
}

impl MessageState {
    /// Whether it will not change any more without a person.
    pub fn is_final(self) -> bool {
        !matches!(self, MessageState::Queued | MessageState::Running)
    }
}

/// A message as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// Its id.
    pub id: MessageId,
    /// Its session.
    pub session: SessionId,
    /// Its text.
    pub text: String,
    /// Its state.
    pub state: MessageState,
    /// Waiting messages are delivered in ascending order of their ranks.
    pub rank: i64,
    /// It goes into the running turn rather than being a turn of its own.
    pub steer: bool,
    /// The journal shows that it was written to Claude.
    pub written: bool,
    /// Claude reported that it started.
    pub started: bool,
    /// When it was accepted.
    pub created_at: Millis,
    /// When it was delivered to Claude.
    pub started_at: Option<Millis>,
    /// When it ended.
    pub finished_at: Option<Millis>,
    /// Why it failed or was interrupted.
    pub error: Option<String>,
}

/// The kind of a permission request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PermissionKind {
    /// A tool wants to run.
    Tool,
    /// Claude asks a question with choices.
    Question,
    /// Claude presents a plan.
    Plan,
    /// AreYouJ asks whether a person trusts the session's directory. Claude never sees this request.
    Trust,
}

/// The state of a permission request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PermissionState {
    /// It waits for an answer.
    Open,
    /// A person answered.
    Answered,
    /// Claude withdrew it, or has exited.
    Withdrawn,
}

/// An answer to a permission request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Answer {
    /// Allow it once.
    Allow,
    /// Allow it from now on, by these of the request's suggestions.
    AllowAlways {
        /// Indexes into [`PermissionRequest::suggestions`]; `None` means those that add a rule.
        suggestions: Option<Vec<usize>>,
    },
    /// Deny it.
    Deny {
        /// The message for Claude.
        message: Option<String>,
    },
    /// For each question in order, the chosen labels or a text.
    Choose {
        /// The choices.
        choices: Vec<Vec<String>>,
    },
}

/// A permission request as Claude makes it.
#[derive(Clone, Debug, PartialEq)]
pub struct PermissionRequest {
    /// Claude's id of its request.
    pub request_id: String,
    /// Its kind.
    pub kind: PermissionKind,
    /// The tool.
    pub tool: String,
    /// Its input.
    pub input: ToolInput,
    /// One line for people, free of control characters.
    pub title: String,
    /// Claude's rules for "always"; empty when it offers none.
    pub suggestions: Vec<Value>,
    /// The id of the tool call, if Claude names it.
    pub tool_use_id: Option<String>,
    /// The plan to approve, from the tool call, if [`PermissionRequest::input`] does not contain it.
    pub plan: Option<String>,
}

/// A permission request as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct PermissionRow {
    /// Its id.
    pub id: PermissionId,
    /// The launch whose Claude made it.
    pub launch: u32,
    /// What Claude asks.
    pub request: PermissionRequest,
    /// When.
    pub created_at: Millis,
    /// Its state.
    pub state: PermissionState,
    /// Who answered.
    pub answered_by: Option<String>,
    /// The answer.
    pub answer: Option<Answer>,
    /// The journal shows that the answer was written to Claude.
    pub delivered: bool,
}

/// The severity of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeLevel {
    /// Information.
    Info,
    /// Something went wrong, and AreYouJ handles it.
    Warning,
    /// Something went wrong, and a person must act.
    Error,
}

/// What a transcript entry holds. Stored as JSON; variants and fields are added, never changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EntryBody {
    /// A message that Claude started.
    User {
        /// The message's id, if it came through the queue.
        message_id: Option<MessageId>,
        /// Its text.
        text: String,
    },
    /// Claude's text.
    Text {
        /// The text.
        text: String,
        /// The tool call of the subagent that wrote it.
        parent_tool_use_id: Option<String>,
    },
    /// Claude's thinking.
    Thinking {
        /// The text.
        text: String,
    },
    /// Claude calls a tool.
    ToolCall {
        /// The call's id.
        tool_use_id: String,
        /// The tool.
        tool: String,
        /// Its input, as [`ToolInput::shown`].
        #[serde(deserialize_with = "super::tool_input::shown")]
        input: Value,
        /// The tool call of the subagent that calls.
        parent_tool_use_id: Option<String>,
    },
    /// The result of a tool.
    ToolResult {
        /// The call's id.
        tool_use_id: String,
        /// Whether it failed.
        is_error: bool,
        /// Its output as text.
        text: String,
        /// Whether the text was truncated.
        truncated: bool,
    },
    /// Claude makes a permission request.
    Permission {
        /// The request's number in the session.
        permission: u32,
        /// What kind.
        permission_kind: PermissionKind,
        /// The tool.
        tool: String,
        /// One line for people.
        title: String,
    },
    /// A permission request was answered or withdrawn.
    PermissionEnd {
        /// The request's number in the session.
        permission: u32,
        /// `allowed`, `allowedAlways`, `denied`, `answered` or `withdrawn`.
        outcome: String,
        /// Who answered.
        by: Option<String>,
        /// The message with the answer.
        message: Option<String>,
    },
    /// A turn has ended.
    TurnEnd {
        /// The message whose turn it was.
        message_id: Option<MessageId>,
        /// Whether it succeeded.
        ok: bool,
        /// Claude's name for the outcome.
        outcome: String,
        /// What went wrong.
        error: Option<String>,
        /// What the turn cost, in US dollars.
        cost_usd: f64,
        /// Milliseconds.
        duration_ms: u64,
    },
    /// Something about the session itself.
    Notice {
        /// Its severity.
        level: NoticeLevel,
        /// One line for people.
        text: String,
    },
}

/// A transcript entry as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryRow {
    /// 1, 2, 3 … in the session.
    pub seq: u64,
    /// When.
    pub at: Millis,
    /// What.
    pub body: EntryBody,
}

/// What needs a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attention {
    /// What kind of thing.
    pub kind: AttentionKind,
    /// The permission request to answer.
    pub permission: Option<PermissionId>,
    /// The message to decide about.
    pub message: Option<MessageId>,
    /// One line for people.
    pub title: String,
    /// How many permission requests are open.
    pub open: u32,
}

/// What kind of thing needs a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttentionKind {
    /// A tool asks for permission.
    Permission,
    /// Claude asked a question.
    Question,
    /// Claude presents a plan.
    Plan,
    /// A dialog in the terminal waits for an answer.
    Terminal,
    /// A message was interrupted.
    Interrupted,
    /// A message failed.
    Failed,
    /// The session has failed.
    Error,
}

/// A session as clients see it.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionView {
    /// The stored part.
    pub row: SessionRow,
    /// What needs a person.
    pub attention: Option<Attention>,
    /// Messages that wait.
    pub queued: u32,
    /// The host has no key: an earlier version started it.
    pub host_unprotected: bool,
}

/// A message as clients see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageView {
    /// The stored part.
    pub row: MessageRow,
    /// Its place among the waiting ones.
    pub position: Option<u32>,
}

/// A queue as clients see it: the running messages, then the waiting ones in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueView {
    /// The session.
    pub session: SessionId,
    /// Why it is paused, for people.
    pub paused: Option<String>,
    /// The messages.
    pub messages: Vec<MessageView>,
}

/// A piece of Claude's partial output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialOutput {
    /// Whether it is thinking rather than text.
    pub thinking: bool,
    /// The text.
    pub text: String,
}
