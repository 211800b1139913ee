//! Facts: what a session's journal tells, and what happens to the journal. Readers report facts and decide nothing.

use uuid::Uuid;

use super::{EntryBody, MessageId, PermissionAsk, ToolInput};

/// Something that happened in a session.
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
        /// The system's words.
        message: String,
    },
    /// Claude and everything it started is gone.
    Exited {
        /// The launch it belongs to.
        launch: u32,
        /// How.
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
        /// Prompts that it still wants answered.
        pending: Vec<PermissionAsk>,
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
    /// Claude's own state.
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
    /// Claude wants something answered.
    Asked(PermissionAsk),
    /// Claude took a prompt back.
    Withdrawn {
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
    /// A turn came to its end.
    TurnEnded(TurnEnd),
    /// Claude gave up because it has no login, or one that the API does not take. The turn's end follows.
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
    /// A prompt was submitted in the terminal, by a person or as we pasted it.
    Prompted(String),
    /// A tool ran: whoever was asked about it has answered.
    ToolRan {
        /// The tool.
        tool: String,
        /// What it was called with.
        input: ToolInput,
    },
    /// A person ended Claude from inside.
    Quit,
    /// Somebody typed, and so many characters that were not sent stand in the terminal's input now, as keys tell.
    Typed(usize),
    /// What Claude keeps about its own process. Never in the journal: the link looks for it.
    Seen(Seen),
}

/// How Claude says that it stands, in what it keeps about its own process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// No turn runs.
    Idle,
    /// A turn or a command runs.
    Busy,
    /// It shows something that wants an answer; what, for people.
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
    /// The answer to a prompt.
    Answer {
        /// Claude's id of its request.
        request_id: String,
    },
    /// A message, pasted into the terminal: the one that was to be handed over.
    Pasted,
    /// A control request or anything else.
    Other,
}

/// Claude's own state.
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
    /// It was broken off.
    Cancelled,
}

/// How a turn ended.
#[derive(Clone, Debug, PartialEq)]
pub struct TurnEnd {
    /// The messages whose turn it was, as far as Claude says so.
    pub messages: Vec<MessageId>,
    /// Whether it ended well.
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
