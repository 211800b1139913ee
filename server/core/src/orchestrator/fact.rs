//! Facts: what a session's journal tells, and what happens to the journal. Readers report facts and decide nothing.

use uuid::Uuid;

use super::{EntryBody, MessageId, PermissionRequest, ToolInput};

/// Something that has happened in a session.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// The host started Claude.
    Started {
        /// The launch it belongs to.
        launch: u32,
        /// Claude's process id.
        pid: u32,
    },
    /// The host could not start Claude.
    SpawnFailed {
        /// The launch it belongs to.
        launch: u32,
        /// The system's error message.
        message: String,
    },
    /// Claude and everything it started is gone.
    Exited {
        /// The launch it belongs to.
        launch: u32,
        /// How it exited.
        exit: Exit,
    },
    /// Records before this offset of the journal are missing: what they said is lost.
    JournalGap {
        /// The offset.
        resume_at: u64,
    },
    /// The journal is damaged at this offset: what was there is lost.
    JournalDamaged {
        /// The offset.
        offset: u64,
        /// What follows can be read. Else not even Claude's end can, until the next host cuts the damage off.
        readable: bool,
    },
    /// A line that Claude wrote to standard error.
    ErrorLine(String),
    /// Something of ours was written to Claude.
    Written(Written),
    /// Claude answered `initialize`: it is ready.
    Ready {
        /// The permission requests that are still open.
        pending: Vec<PermissionRequest>,
    },
    /// Claude refused a control request of ours.
    ControlFailed {
        /// Our id of the request.
        request_id: String,
        /// Claude's words.
        message: String,
    },
    /// Claude acknowledged a control request of ours other than `initialize`.
    ControlDone {
        /// Our id of the request.
        request_id: String,
    },
    /// What Claude says that it does.
    Activity(Activity),
    /// What became of a message.
    Lifecycle {
        /// The message.
        message: MessageId,
        /// What became of it.
        stage: Stage,
    },
    /// Claude reported what is in effect in its process.
    Described {
        /// The model that answers.
        model: Option<String>,
        /// The permission mode.
        permission_mode: Option<String>,
    },
    /// Something for the transcript.
    Entry(EntryBody),
    /// More of what Claude is saying right now.
    Delta {
        /// Thoughts rather than words.
        thinking: bool,
        /// The next piece.
        text: String,
    },
    /// Tokens in the context window.
    ContextUsed(u64),
    /// Claude makes a permission request.
    PermissionRequested(PermissionRequest),
    /// Claude withdraws a permission request.
    PermissionWithdrawn {
        /// Claude's id of its request.
        request_id: String,
    },
    /// Claude sent a control request that this version does not know.
    Unsupported {
        /// Claude's id of its request.
        request_id: String,
        /// Its name.
        subtype: String,
    },
    /// A turn has ended.
    TurnEnded(TurnEnd),
    /// Claude gave up because it has no login, or one that the API refuses. The turn's end follows.
    LoginRefused,
    /// The API refused, and Claude tries again.
    Retrying {
        /// Which try this was, from 1.
        attempt: u32,
        /// How many there are.
        of: u32,
        /// The HTTP status.
        status: Option<u16>,
        /// Claude's word for it, for example `rate_limit` or `authentication_failed`.
        error: String,
        /// Milliseconds until the next.
        delay_ms: u64,
    },
    /// The conversation that Claude has open, by Claude's id. `/clear` and `/resume` change it.
    Conversation(Uuid),
    /// A line of output that is not what Claude's protocol allows; its beginning, free of control characters.
    Garbage(String),
    /// A prompt was submitted in the terminal: one that a person typed, or a message that was pasted.
    PromptSubmitted(String),
    /// A tool ran: an open request for it was answered.
    ToolRan {
        /// The tool.
        tool: String,
        /// What it was called with.
        input: ToolInput,
    },
    /// A person ended Claude from inside.
    Quit,
    /// A person typed, and the terminal's input holds so many characters now that were not sent, as the keys show.
    Typed(usize),
    /// What Claude's record of its own process says. Never in the journal: the daemon polls the record.
    ProcessStatus(ProcessStatus),
}

/// What Claude's record of its own process says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessStatus {
    /// No turn runs.
    Idle,
    /// A turn or a command runs.
    Busy,
    /// Claude shows something that waits for an answer; what, for people.
    Waiting(String),
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With this status.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl std::fmt::Display for Exit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Exit::Code(code) => write!(formatter, "exit status {code}"),
            Exit::Signal(signal) => write!(formatter, "signal {signal}"),
        }
    }
}

/// What was written to Claude.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// A message.
    Message(MessageId),
    /// The answer to a permission request.
    Answer {
        /// Claude's id of its request.
        request_id: String,
    },
    /// A message that was pasted into the terminal: the one that was being delivered.
    Pasted,
    /// A control request or anything else.
    Other,
}

/// What Claude says that it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// No turn runs.
    Idle,
    /// A turn runs.
    Running,
    /// A turn waits for an answer.
    RequiresAction,
}

/// What became of a message inside Claude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Claude has it.
    Queued,
    /// Its turn began.
    Started,
    /// Its turn ended.
    Completed,
    /// It was interrupted.
    Cancelled,
}

/// How a turn ended.
#[derive(Clone, Debug, PartialEq)]
pub struct TurnEnd {
    /// The messages whose turn it was, as far as Claude says so.
    pub messages: Vec<MessageId>,
    /// Whether it succeeded.
    pub ok: bool,
    /// Claude's word for it.
    pub outcome: String,
    /// What went wrong, in Claude's words.
    pub error: Option<String>,
    /// The HTTP status of the API's refusal.
    pub api_status: Option<u16>,
    /// The cost since Claude was started, in US dollars.
    pub cost_total: f64,
    /// The size of the context window.
    pub context_max: Option<u64>,
    /// Milliseconds.
    pub duration_ms: u64,
}
