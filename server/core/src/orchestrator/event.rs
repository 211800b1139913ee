//! What reaches the orchestrator: people's commands, and facts from hosts and drivers.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Answer, Driver, Fact, MessageId, Position, Problem, SessionId};

/// A connection of a client.
pub type ClientId = u64;

/// A request of a client that waits for its answer.
pub type ReplyId = u64;

/// Who sent a command, and where the answer goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The connection.
    pub client: ClientId,
    /// The name that the client gave of itself.
    pub name: String,
    /// The request.
    pub reply: ReplyId,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A client asks for something.
    Command {
        /// Who asks.
        origin: Origin,
        /// What for.
        command: Command,
    },
    /// A connection is gone.
    ClientGone(ClientId),
    /// A host for this launch runs and is connected.
    Launched {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
        /// The host's process id.
        host_pid: u32,
    },
    /// The connection to the host broke, and the host lives.
    LinkLost {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
    },
    /// The host cannot write the journal, and why; or none, when it can again. It goes on by itself.
    HostStalled {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
        /// Why.
        why: Option<String>,
    },
    /// There is no host for this launch, and it left nothing behind.
    LaunchFailed {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
        /// Why.
        problem: Problem,
        /// Trying again by itself makes no sense.
        permanent: bool,
    },
    /// What Claude's own record of the conversation says.
    Inspected {
        /// Which look at it this was.
        look: u32,
        /// The session.
        session: SessionId,
        /// What there is of the conversation.
        conversation: Recorded,
        /// Which of the messages asked about it holds.
        seen: Vec<MessageId>,
        /// Where Claude keeps its records, for people.
        place: String,
    },
    /// Facts out of a session's journal, in order.
    Facts {
        /// The session.
        session: SessionId,
        /// What happened.
        facts: Vec<Fact>,
        /// How far the journal has been read with them.
        position: Position,
    },
    /// After a daemon's start: everything that the host's journal held at that moment has been taken in.
    Synced {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
    },
    /// The host is gone, its journal has been taken in to the end, and everything it left was killed.
    HostLost {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
    },
    /// Clients are to be told of this queue as it is now.
    ShowQueue(SessionId),
    /// Time has passed; see [`super::State::next_deadline`].
    Tick,
}

/// Which session a command is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionRef {
    /// By id, or by an unambiguous beginning of one.
    Id(String),
    /// The newest live session of one of these directories (the caller's workspace folders).
    Newest {
        /// Absolute paths.
        directories: Vec<String>,
    },
}

/// What a client can ask for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Create a session.
    Create(Box<Create>),
    /// The list.
    List {
        /// Terminated ones too.
        all: bool,
    },
    /// One session.
    Get(SessionRef),
    /// End a session.
    Terminate(Keyed<SessionRef>),
    /// Break off the running turn.
    Interrupt(Keyed<SessionRef>),
    /// Start Claude again.
    Restart(Keyed<SessionRef>),
    /// Move a conversation to the other driver.
    Switch(Keyed<(SessionRef, Switch)>),
    /// Name a session.
    Rename(Keyed<(SessionRef, String)>),
    /// Remove a terminated session.
    Delete(Keyed<SessionRef>),
    /// Mark everything as seen.
    Read(SessionRef),
    /// Watch a session's output.
    Attach {
        /// The session.
        session: SessionRef,
        /// The last entry that the client has.
        since: Option<u64>,
    },
    /// Stop watching.
    Detach(SessionRef),
    /// Which session this is, for a read of the store.
    Resolve(SessionRef),
    /// Queue a message.
    Send {
        /// The session.
        session: SessionRef,
        /// The message's id.
        id: MessageId,
        /// Its text.
        text: String,
        /// Into the running turn.
        steer: bool,
    },
    /// The queue.
    Queue(SessionRef),
    /// Change a waiting message.
    Edit(Keyed<(String, String)>),
    /// Cancel a waiting message.
    Remove(Keyed<String>),
    /// Move a waiting message.
    Move(Keyed<(String, u32)>),
    /// Stop handing over messages.
    Pause(Keyed<SessionRef>),
    /// Go on handing over messages.
    Resume(Keyed<SessionRef>),
    /// Cancel all waiting messages.
    Clear(Keyed<SessionRef>),
    /// Decide about a message that failed or was cut off.
    Recover {
        /// The message's id or the beginning of one.
        message: Keyed<String>,
        /// What to do.
        choice: Recovery,
        /// The id of the new message that asks Claude to continue, or says the same once more.
        new_id: MessageId,
    },
    /// Open prompts, of one session or of all.
    Permissions(Option<SessionRef>),
    /// Answer a prompt.
    Answer(Keyed<(String, Answer)>),
    /// The daemon's own numbers.
    DaemonStatus,
    /// Stop the daemon.
    StopDaemon {
        /// Terminate every session first.
        sessions: bool,
    },
}

/// A change with the id that its client chose for it: a repeat changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed<T> {
    /// The request's id.
    pub key: String,
    /// What the request is about.
    pub what: T,
}

/// A session to be created. Directory and Claude have been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// The request's id.
    pub key: String,
    /// Random ids to choose from; the first that was never used is taken.
    pub candidates: Vec<SessionId>,
    /// Claude's id of the new conversation.
    pub claude_session: Uuid,
    /// The absolute path of its directory.
    pub directory: String,
    /// The session's environment.
    pub environment: BTreeMap<String, String>,
    /// A name.
    pub name: Option<String>,
    /// How Claude is driven.
    pub driver: Driver,
    /// The model.
    pub model: Option<String>,
    /// The permission mode.
    pub permission_mode: Option<String>,
    /// The first messages.
    pub messages: Vec<(MessageId, String)>,
}

/// How a conversation is to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// To this driver.
    pub driver: Driver,
    /// Breaking off the running turn.
    pub interrupt: bool,
}

/// What to do about a message that failed or was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Ask Claude to go on.
    Continue,
    /// Run it once more.
    Again,
    /// Leave it.
    Skip,
}

/// What Claude's own record has of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// Something was said: Claude goes on with it.
    Begun,
    /// There is no record.
    Nothing,
    /// There is a record, and nothing was said in it: Claude was killed before. It neither goes on with such a one nor
    /// begins one of the same id, so this is to be the id.
    Silent(Uuid),
}
