//! Facts: the events in a session's journal, and the state of the journal itself. Readers report facts and decide
//! nothing.

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
    /// Claude and everything that it started has exited.
    Exited {
        /// The launch it belongs to.
        launch: u32,
        /// How it exited.
        exit: Exit,
    },
    /// Records before this offset of the journal are missing, and their facts are lost.
    JournalGap {
        /// The offset.
        resume_at: u64,
    },
    /// The journal is damaged at this offset, and the facts there are lost.
    JournalDamaged {
        /// The offset.
        offset: u64,
        /// Later records can be read. Otherwise not even Claude's exit can, until the next host truncates the journal.
        readable: bool,
    },
    /// A line that Claude wrote to standard error.
    ErrorLine(String),
    /// The host refused a process that had no right to what it tried.
    HostRefused(Refusal),
    /// The host wrote these bytes to Claude, or to a hook of it. What they mean follows.
    InputRecorded {
        /// Identifies the bytes.
        digest: InputDigest,
        /// They answer nothing, and only ask Claude to describe itself, to stop, or to take what it has.
        harmless: bool,
        /// Their beginning, for people.
        beginning: String,
    },
    /// The host wrote input to Claude.
    Written(Written),
    /// Claude answered `initialize`: it is ready.
    Ready {
        /// The permission requests that are still open.
        pending: Vec<PermissionRequest>,
    },
    /// Claude refused one of our control requests.
    ControlFailed {
        /// Our id of the request.
        request_id: String,
        /// Claude's error message.
        message: String,
    },
    /// Claude acknowledged one of our control requests other than `initialize`.
    ControlDone {
        /// Our id of the request.
        request_id: String,
    },
    /// Claude reported its activity.
    Activity(Activity),
    /// A message reached another stage.
    Lifecycle {
        /// The message.
        message: MessageId,
        /// The stage.
        stage: Stage,
    },
    /// Claude reported what is in effect in its process.
    Described {
        /// The model that answers.
        model: Option<String>,
        /// The permission mode.
        permission_mode: Option<String>,
    },
    /// A transcript entry.
    Entry(EntryBody),
    /// More partial output of Claude.
    Delta {
        /// Whether it is thinking rather than text.
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
    /// Claude stopped because it has no login, or one that the API refuses. The end of the turn follows.
    LoginRefused,
    /// The API refused, and Claude tries again.
    Retrying {
        /// The number of this try, from 1.
        attempt: u32,
        /// The number of tries.
        of: u32,
        /// The HTTP status.
        status: Option<u16>,
        /// Claude's name for it, for example `rate_limit` or `authentication_failed`.
        error: String,
        /// Milliseconds until the next try.
        delay_ms: u64,
    },
    /// The conversation that Claude has open, by Claude's id. `/clear` and `/resume` change it.
    Conversation(Uuid),
    /// The beginning of a line of output that Claude's protocol does not allow, free of control characters.
    Garbage(String),
    /// A prompt was submitted in the terminal: one that a person typed, or a message that was pasted.
    PromptSubmitted(String),
    /// A tool ran, so an open permission request for it was answered.
    ToolRan {
        /// The tool.
        tool: String,
        /// What it was called with.
        input: ToolInput,
    },
    /// A person quit Claude in its terminal.
    Quit,
    /// A person typed. The number of characters that the terminal's input holds now and that were not sent, derived
    /// from the keys.
    Typed(usize),
    /// The status in Claude's record of its process. Never in the journal: the daemon polls the record.
    ProcessStatus(ProcessStatus),
}

/// The status in Claude's record of its process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessStatus {
    /// No turn runs.
    Idle,
    /// A turn or a command runs.
    Busy,
    /// A dialog waits for an answer; its description, for people.
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

/// Identifies the bytes of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputDigest(pub [u8; 32]);

/// A process that the host refused, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// One process.
    Process {
        /// Its process id.
        pid: u32,
        /// Its name, which it chose itself.
        name: String,
        /// Where it is.
        place: RefusedPlace,
        /// What it tried.
        tried: RefusedAttempt,
    },
    /// So many more that nothing was recorded of.
    More(u32),
}

/// Where a refused process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusedPlace {
    /// Inside this session.
    ThisSession,
    /// Inside another session, as far as its name is known.
    OtherSession(Option<String>),
    /// Not inside any session.
    Outside,
}

/// What a refused process tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedAttempt {
    /// To reach the host.
    Connect,
    /// To give orders.
    Orders,
    /// To give orders without the key.
    WrongKey,
    /// To view the terminal and to type in it.
    Attach,
    /// To report as a hook of Claude.
    Hook,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (pid, name, place, tried) = match self {
            Refusal::Process { pid, name, place, tried } => (pid, name, place, tried),
            Refusal::More(1) => return formatter.write_str("AreYouJ refused one more such attempt."),
            Refusal::More(more) => {
                return write!(formatter, "AreYouJ refused {more} more attempts like these.");
            }
        };
        formatter.write_str("A process ")?;
        match place {
            RefusedPlace::ThisSession => formatter.write_str("inside this session")?,
            RefusedPlace::OtherSession(Some(session)) => write!(formatter, "inside session {session}")?,
            RefusedPlace::OtherSession(None) => formatter.write_str("inside another session")?,
            RefusedPlace::Outside => formatter.write_str("outside of all sessions")?,
        }
        match name.as_str() {
            "" => write!(formatter, " (pid {pid})")?,
            name => write!(formatter, " ({name}, pid {pid})")?,
        }
        let tried = match tried {
            RefusedAttempt::Connect => "tried to reach this session's host",
            RefusedAttempt::Orders => "tried to give orders to this session's host",
            RefusedAttempt::WrongKey => "tried to give orders to this session's host without its key",
            RefusedAttempt::Attach => "tried to view this session's terminal and to type in it",
            RefusedAttempt::Hook => "tried to report to this session as a hook of Claude",
        };
        write!(formatter, " {tried}. AreYouJ refused it.")
    }
}

/// Input that was written to Claude.
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

/// Claude's activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// No turn runs.
    Idle,
    /// A turn runs.
    Running,
    /// A turn waits for an answer.
    RequiresAction,
}

/// A stage of a message inside Claude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Claude received it.
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
    /// The messages of the turn, as far as Claude names them.
    pub messages: Vec<MessageId>,
    /// Whether it succeeded.
    pub ok: bool,
    /// Claude's name for it.
    pub outcome: String,
    /// Claude's error message.
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
