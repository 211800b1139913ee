//! What reaches the orchestrator: clients' commands, and facts from hosts and drivers.

use super::{ClientId, Fact, MessageId, Operation, Position, Principal, Problem, Query, ReplyId, SessionId};

/// Who sent a command, and where the answer goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The connection.
    pub client: ClientId,
    /// Who acts.
    pub principal: Principal,
    /// The request.
    pub reply: ReplyId,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A client asks for something.
    Command {
        /// Who asks, and where the answer goes.
        origin: Origin,
        /// What the client asks for.
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
    /// The host cannot write the journal, and why; none when it can again. It resumes by itself.
    HostStalled {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
        /// Why.
        why: Option<String>,
    },
    /// The host refused an order: what was ordered did not happen and will not.
    OrderRefused {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
    },
    /// There is no host for this launch, and it left nothing behind.
    LaunchFailed {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
        /// Why.
        problem: Problem,
        /// Another try makes no sense until a person has changed something.
        permanent: bool,
    },
    /// Claude's own record of the conversation was read.
    Inspected {
        /// The number of the inspection.
        inspection: u32,
        /// The session.
        session: SessionId,
        /// What the record has of the conversation.
        conversation: ConversationState,
        /// The messages in doubt that the record holds.
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
    /// Everything that the host's journal held when the host was adopted has been ingested.
    Synced {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
    },
    /// The host is gone, its journal has been ingested to the end, and every process that it left was killed.
    HostLost {
        /// The session.
        session: SessionId,
        /// The launch.
        launch: u32,
    },
    /// Clients must be notified of this queue as it is now.
    ShowQueue(SessionId),
    /// Time has passed; see [`super::State::next_deadline`].
    Tick,
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// To read something.
    Query(Query),
    /// To change something.
    Operation(Operation),
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
    /// Something was said: Claude can resume it.
    Begun,
    /// There is no record.
    Nothing,
    /// There is a record, and nothing was said in it: Claude was killed before. Claude neither resumes such a
    /// conversation nor begins one of the same id, so it needs another id.
    Silent,
}
