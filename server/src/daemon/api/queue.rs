//! Messages: queueing, changing and deciding about them.

use areyouj_core::orchestrator::{
    ErrorCode, MessageId, MessageOperation, MessageRow, MessageState, MessageView, Operation, Outcome,
    Problem, Query, SessionOperation,
};
use areyouj_protocol::{
    Message, MessageParams, Queue, QueueAddParams, QueueEditParams, QueueListParams, QueueMoveParams,
    QueueRecoverParams, SessionActionParams, request,
};
use areyouj_store::ReaderPool;
use uuid::Uuid;

use super::{Context, Handler, PAGE_BYTES, Plan, idempotent, on_session};
use crate::daemon::refusals::invalid;
use crate::daemon::reply::{Rendered, Reply, reply, reply_or_explain, reply_or_read};
use crate::daemon::to_wire;

/// Finished messages that the list of a queue holds, at most, if they have no more than [`PAGE_BYTES`] together.
const FINISHED_MESSAGES: usize = 1_000;

impl Handler for request::QueueAdd {
    async fn plan(params: QueueAddParams, context: &Context) -> Result<Plan<Self>, Problem> {
        Ok(Plan::Operation(send(params, false, context)?, reply_or_read(message)))
    }
}

impl Handler for request::QueueSteer {
    async fn plan(params: QueueAddParams, context: &Context) -> Result<Plan<Self>, Problem> {
        Ok(Plan::Operation(send(params, true, context)?, reply_or_read(message)))
    }
}

impl Handler for request::QueueList {
    async fn plan(params: QueueListParams, context: &Context) -> Result<Plan<Self>, Problem> {
        let query = Query::Queue(context.session(params.session_id));
        Ok(Plan::Query(query, if params.all { queue_with_finished() } else { queue() }))
    }
}

impl Handler for request::QueueEdit {
    async fn plan(params: QueueEditParams, _: &Context) -> Result<Plan<Self>, Problem> {
        let edit = MessageOperation::Edit(params.text);
        Ok(on_message(params.request_id, params.message_id, edit, explain_missing))
    }
}

impl Handler for request::QueueRemove {
    async fn plan(params: MessageParams, _: &Context) -> Result<Plan<Self>, Problem> {
        Ok(on_message(params.request_id, params.message_id, MessageOperation::Remove, explain_missing))
    }
}

impl Handler for request::QueueMove {
    async fn plan(params: QueueMoveParams, _: &Context) -> Result<Plan<Self>, Problem> {
        let move_to = MessageOperation::Move(params.position);
        Ok(on_message(params.request_id, params.message_id, move_to, explain_missing))
    }
}

impl Handler for request::QueuePause {
    async fn plan(params: SessionActionParams, context: &Context) -> Result<Plan<Self>, Problem> {
        Ok(Plan::Operation(on_session(params, SessionOperation::PauseQueue, context), queue()))
    }
}

impl Handler for request::QueueResume {
    async fn plan(params: SessionActionParams, context: &Context) -> Result<Plan<Self>, Problem> {
        Ok(Plan::Operation(on_session(params, SessionOperation::ResumeQueue, context), queue()))
    }
}

impl Handler for request::QueueClear {
    async fn plan(params: SessionActionParams, context: &Context) -> Result<Plan<Self>, Problem> {
        Ok(Plan::Operation(on_session(params, SessionOperation::ClearQueue, context), queue()))
    }
}

impl Handler for request::QueueRecover {
    async fn plan(params: QueueRecoverParams, _: &Context) -> Result<Plan<Self>, Problem> {
        let recover = MessageOperation::Recover(to_wire::recovery(params.choice));
        Ok(on_message(params.request_id, params.message_id, recover, explain_unrecoverable))
    }
}

fn send(params: QueueAddParams, steer: bool, context: &Context) -> Result<Operation, Problem> {
    let session = context.session(params.session_id);
    Ok(Operation::Send { session, id: message_id(&params.message.id)?, text: params.message.text, steer })
}

/// An operation on a message. `explain` says more than "not found" about one that has ended.
fn on_message<R: Handler<Result = Message>>(
    request_id: String,
    id: String,
    operation: MessageOperation,
    explain: fn(Problem, &str, &ReaderPool) -> Problem,
) -> Plan<R> {
    let of = idempotent(request_id, id.clone());
    let explain = move |problem, reader: &ReaderPool| explain(problem, &id, reader);
    Plan::Operation(Operation::Message(of, operation), reply_or_explain(message, explain))
}

/// A message; the store has the one that has ended since an earlier request of the same id.
fn message(outcome: Outcome) -> Rendered<Message> {
    match outcome {
        Outcome::Message(view) => Rendered::Ready(Ok(to_wire::message(*view))),
        Outcome::Finished(id) => Rendered::Read(Box::new(move |reader| {
            let row = reader.read(|reader| reader.message(id)).map_err(|error| reader.problem(&error))?;
            row.map(finished).ok_or_else(|| message_gone(id))
        })),
        _ => Rendered::expected(None),
    }
}

fn queue() -> Reply<Queue> {
    reply(|outcome| match outcome {
        Outcome::Queue(view) => Some(to_wire::queue(view)),
        _ => None,
    })
}

/// The queue, after the session's newest finished messages.
fn queue_with_finished() -> Reply<Queue> {
    reply_or_read(|outcome| match outcome {
        Outcome::Queue(view) => Rendered::Read(Box::new(|reader| {
            let rows =
                reader.read(|reader| reader.finished_messages(view.session, FINISHED_MESSAGES, PAGE_BYTES));
            let rows = rows.map_err(|error| reader.problem(&error))?;
            let mut queue = to_wire::queue(view);
            queue.messages = rows.into_iter().map(finished).chain(queue.messages).collect();
            Ok(queue)
        })),
        _ => Rendered::expected(None),
    })
}

fn finished(row: MessageRow) -> Message {
    to_wire::message(MessageView { row, position: None })
}

/// Says more than "not found" about a message that has ended.
fn explain_missing(problem: Problem, id: &str, reader: &ReaderPool) -> Problem {
    match with_prefix(id, reader).as_slice() {
        [row] if problem.code == ErrorCode::MessageNotFound => Problem::not_queued(row.state),
        _ => problem,
    }
}

/// Says more than "not found" about a message that cannot be recovered, because it ended otherwise or because another
/// one ended after it.
fn explain_unrecoverable(problem: Problem, id: &str, reader: &ReaderPool) -> Problem {
    match with_prefix(id, reader).as_slice() {
        [row] if problem.code == ErrorCode::MessageNotFound => match row.state {
            MessageState::Failed | MessageState::Interrupted => not_the_last_one(),
            _ => Problem::not_interrupted(),
        },
        _ => problem,
    }
}

/// The stored messages whose id begins with this text: two if there are more.
fn with_prefix(text: &str, reader: &ReaderPool) -> Vec<MessageRow> {
    reader.read(|reader| reader.messages_with_prefix(text, 2)).unwrap_or_default()
}

/// A message's id, which its client chooses.
pub(in crate::daemon) fn message_id(text: &str) -> Result<MessageId, Problem> {
    Uuid::parse_str(text)
        .map_err(|_| invalid("A message's id must be a UUID.", "Choose a new random UUID for every message."))
}

pub(in crate::daemon) fn message_gone(id: MessageId) -> Problem {
    Problem::new(
        ErrorCode::MessageNotFound,
        format!("The message {id} was accepted before, and its session has been removed since."),
        "Send it to another session under a new id.",
    )
}

pub(in crate::daemon) fn not_the_last_one() -> Problem {
    Problem::new(
        ErrorCode::MessageNotInterrupted,
        "Another message failed or was interrupted after this one.",
        "Send its text as a new message instead.",
    )
}
