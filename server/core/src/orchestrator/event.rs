//! The input of the orchestrator: commands of clients, and facts from hosts and drivers.

use std::sync::Arc;

use super::{
    ClientId, Fact, MessageId, Operation, Position, Principal, Problem, Process, Query, ReplyId, SessionId,
    WouldRun,
};

/// Who sent a command, and where the answer goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The connection.
    pub client: ClientId,
    /// Who acts.
    pub principal: Principal,
    /// Its process.
    pub process: Arc<Process>,
    /// The request.
    pub reply: ReplyId,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A client sends a command.
    Command {
        /// The client, and the address of the answer.
        origin: Origin,
        /// The command.
        command: Command,
    },
    /// A client disconnected.
    ClientGone(ClientId),
    /// A host for this launch runs and is connected.
    Launched {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
        /// The host's process id.
        host_pid: u32,
        /// The host has a key. One that an earlier version started has none, and obeys any process of the person.
        keyed: bool,
    },
    /// The host obeys only a daemon with its key, which this daemon does not have.
    HostDisobeys {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
    },
    /// The connection to the host is lost, and the host still runs.
    HostConnectionLost {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
    },
    /// The host cannot write the journal, or can again. It resumes automatically.
    HostStalled {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
        /// Why.
        why: Option<String>,
    },
    /// The host refused an order and will not carry it out.
    OrderRefused {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
    },
    /// The launch has no host, and no process of it remains.
    LaunchFailed {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
        /// Why.
        problem: Problem,
        /// Another try is useless until a person has changed something.
        permanent: bool,
    },
    /// The launch has no host, because nobody trusts the session's directory.
    Untrusted {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
        /// What would run there.
        would_run: WouldRun,
    },
    /// Claude's own record of the conversation was read.
    Inspected {
        /// The number of the inspection.
        inspection: u32,
        /// The session.
        session: SessionId,
        /// What the record has of the conversation.
        conversation: ConversationState,
        /// The doubtful messages that the record holds.
        messages: Vec<MessageId>,
        /// Where Claude keeps its records, for people.
        place: String,
    },
    /// Facts out of a session's journal, in order.
    Facts {
        /// The session.
        session: SessionId,
        /// What happened.
        facts: Vec<Fact>,
        /// How far the journal has been ingested with them.
        position: Position,
    },
    /// Everything that the journal held when the host was adopted has been ingested.
    Synced {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
    },
    /// The host exited, its journal has been ingested to the end, and every remaining process of it was killed.
    HostLost {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
    },
    /// Processes of the session outlived its host and cannot be killed.
    Survived {
        /// The session.
        session: SessionId,
        /// The processes, for people: each with its id and program.
        processes: String,
    },
    /// Clients must be notified of this queue now.
    ShowQueue(SessionId),
    /// Time has passed; see [`super::State::next_deadline`].
    Tick,
}

/// A command of a client.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// It reads something.
    Query(Query),
    /// It changes something.
    Operation(Operation),
    /// The daemon refused it before it was planned, because the client is inside a session.
    Refused {
        /// The method's noun and verb.
        operation: &'static str,
        /// Why.
        problem: Problem,
    },
}

impl From<Query> for Command {
    fn from(query: Query) -> Command {
        Command::Query(query)
    }
}

impl From<Operation> for Command {
    fn from(operation: Operation) -> Command {
        Command::Operation(operation)
    }
}

/// What Claude's own record has of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConversationState {
    /// It has messages: Claude can resume it.
    Begun,
    /// There is no record.
    Nothing,
    /// There is a record without messages: Claude was killed before the first. Claude neither resumes such a
    /// conversation nor starts one with the same id, so it needs another id.
    Silent,
}
