//! Requests as commands: the protocol's terms in the orchestrator's, with everything checked that the orchestrator,
//! which has no I/O, cannot check.

use std::sync::Arc;

use areyouj_protocol::{self as wire, ErrorCode, Method, Remedy, request};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::claude::files::ClaudeFiles;
use super::claude::find::find_claude;
use super::connection::{Asked, More, Peer, parse};
use super::directory_checks::check_directory;
use super::shared::Shared;
use super::{directories, wire as to_wire};
use areyouj_core::orchestrator::{
    Create, Idempotent, MessageId, MessageOperation, MessageRow, Operation, PermissionId, Problem, Query,
    SessionId, SessionOperation, SessionRef, SessionSpec, Switch,
};
use areyouj_core::text::plain::short_line;
use areyouj_store::ReaderPool;

/// Characters of a client's name that are kept.
const NAME_CHARS: usize = 60;

/// Bytes of a model's name or a permission mode.
const MAX_WORD: usize = 200;

/// Bytes of an environment: the kernel takes at most 2 MiB of arguments and environment together.
const MAX_ENVIRONMENT: usize = 1 << 20;

/// What a request comes to.
pub(super) async fn command(
    method: Method,
    params: Option<&RawValue>,
    peer: &Peer,
    shared: &Arc<Shared>,
) -> Result<Asked, Problem> {
    let session_of = |id: Option<String>| session_of(id, peer);
    let on_session = |params: wire::SessionActionParams, operation| {
        let target = session_of(params.session_id);
        Operation::Session(Idempotent { request_id: params.request_id, target }, operation)
    };
    let query = |query: Query| Ok(Asked::Command(query.into(), More::Nothing));
    let operation = |operation: Operation| Ok(Asked::Command(operation.into(), More::Nothing));
    let on_message = |request_id, target: String, operation| {
        let more = More::Named(target.clone());
        let of = Idempotent { request_id, target };
        Ok(Asked::Command(Operation::Message(of, operation).into(), more))
    };
    match method {
        Method::Initialize => Err(not_initialized()),
        Method::Shutdown => Ok(Asked::answer::<request::Shutdown>(None)),
        Method::SessionCreate => operation(create(parse(params)?, shared).await?),
        Method::SessionList => {
            let params: wire::SessionListParams = parse(params)?;
            query(Query::Sessions { all: params.all })
        }
        Method::SessionGet => {
            let params: wire::SessionParams = parse(params)?;
            query(Query::Session(session_of(params.session_id)))
        }
        Method::SessionTerminate => operation(on_session(parse(params)?, SessionOperation::Terminate)),
        Method::SessionInterrupt => operation(on_session(parse(params)?, SessionOperation::Interrupt)),
        Method::SessionRestart => operation(on_session(parse(params)?, SessionOperation::Restart)),
        Method::SessionDelete => operation(on_session(parse(params)?, SessionOperation::Delete)),
        Method::SessionSwitch => {
            let params: wire::SessionSwitchParams = parse(params)?;
            look_elsewhere(params.session_id.clone(), shared).await?;
            let switch = Switch { driver: to_wire::driver(params.driver), interrupt: params.interrupt };
            let target = session_of(params.session_id);
            let of = Idempotent { request_id: params.request_id, target };
            operation(Operation::Session(of, SessionOperation::Switch(switch)))
        }
        Method::SessionRename => {
            let params: wire::SessionRenameParams = parse(params)?;
            let target = session_of(params.session_id);
            let of = Idempotent { request_id: params.request_id, target };
            operation(Operation::Session(of, SessionOperation::Rename(params.name)))
        }
        Method::SessionRead => {
            let params: wire::SessionParams = parse(params)?;
            operation(Operation::MarkRead(session_of(params.session_id)))
        }
        Method::SessionAttach => {
            let params: wire::AttachParams = parse(params)?;
            operation(Operation::Attach { session: session_of(params.session_id), since: params.since })
        }
        Method::SessionDetach => {
            let params: wire::SessionParams = parse(params)?;
            operation(Operation::Detach(session_of(params.session_id)))
        }
        Method::DirectoryList => {
            let params: wire::DirectoryListParams = parse(params)?;
            let found = shared.gate.run(move || directories::list(&params.path, params.hidden)).await?;
            Ok(Asked::answer::<request::DirectoryList>(found))
        }
        Method::DirectoryValidate => {
            let params: wire::DirectoryParams = parse(params)?;
            let valid = shared.gate.run(move || directories::validate(&params.path)).await?;
            Ok(Asked::answer::<request::DirectoryValidate>(valid))
        }
        Method::TranscriptRead => {
            let params: wire::TranscriptReadParams = parse(params)?;
            let query = Query::Resolve(session_of(params.session_id.clone()));
            Ok(Asked::Command(query.into(), More::Page(params)))
        }
        Method::QueueAdd | Method::QueueSteer => {
            let params: wire::QueueAddParams = parse(params)?;
            operation(Operation::Send {
                session: session_of(params.session_id),
                id: message_id(&params.message.id)?,
                text: params.message.text,
                steer: method == Method::QueueSteer,
            })
        }
        Method::QueueList => {
            let params: wire::QueueListParams = parse(params)?;
            let more = if params.all { More::FinishedMessages } else { More::Nothing };
            Ok(Asked::Command(Query::Queue(session_of(params.session_id)).into(), more))
        }
        Method::QueueEdit => {
            let params: wire::QueueEditParams = parse(params)?;
            let edit = MessageOperation::Edit(params.text);
            on_message(params.request_id, params.message_id, edit)
        }
        Method::QueueRemove => {
            let params: wire::MessageParams = parse(params)?;
            on_message(params.request_id, params.message_id, MessageOperation::Remove)
        }
        Method::QueueMove => {
            let params: wire::QueueMoveParams = parse(params)?;
            on_message(params.request_id, params.message_id, MessageOperation::Move(params.position))
        }
        Method::QueuePause => operation(on_session(parse(params)?, SessionOperation::PauseQueue)),
        Method::QueueResume => operation(on_session(parse(params)?, SessionOperation::ResumeQueue)),
        Method::QueueClear => operation(on_session(parse(params)?, SessionOperation::ClearQueue)),
        Method::QueueRecover => {
            let params: wire::QueueRecoverParams = parse(params)?;
            let more = More::Recovered(params.message_id.clone());
            let of = Idempotent { request_id: params.request_id, target: params.message_id };
            let recover = MessageOperation::Recover(to_wire::recovery(params.choice));
            Ok(Asked::Command(Operation::Message(of, recover).into(), more))
        }
        Method::PermissionList => {
            let params: wire::PermissionListParams = parse(params)?;
            query(Query::Permissions(params.session_id.map(SessionRef::Id)))
        }
        Method::PermissionAnswer => {
            let params: wire::PermissionAnswerParams = parse(params)?;
            let named = More::Named(params.permission_id.clone());
            let of = Idempotent { request_id: params.request_id, target: params.permission_id };
            let answer = Operation::Answer(of, to_wire::answer(params.answer));
            Ok(Asked::Command(answer.into(), named))
        }
        Method::DaemonStatus => {
            Ok(Asked::Command(Query::Daemon.into(), More::Status(Box::new(shared.status()))))
        }
        Method::DaemonStop => {
            let params: wire::DaemonStopParams = parse(params)?;
            operation(Operation::StopDaemon { sessions: params.sessions })
        }
    }
}

/// Whether a request changes nothing, not even what the client is notified of.
pub(super) fn reads(method: Method) -> bool {
    matches!(
        method,
        Method::SessionList
            | Method::SessionGet
            | Method::DirectoryList
            | Method::DirectoryValidate
            | Method::TranscriptRead
            | Method::QueueList
            | Method::PermissionList
            | Method::DaemonStatus
    )
}

/// The session that is named; the newest of the client's folders if none is.
fn session_of(id: Option<String>, peer: &Peer) -> SessionRef {
    match id {
        Some(id) => SessionRef::Id(id),
        None => SessionRef::Newest { directories: peer.folders.clone() },
    }
}

async fn create(params: wire::SessionCreateParams, shared: &Arc<Shared>) -> Result<Operation, Problem> {
    let bytes: usize = params.environment.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    if bytes > MAX_ENVIRONMENT {
        return Err(environment_too_large(bytes));
    }
    let messages = params.messages.into_iter();
    let messages = messages.map(|message| Ok((message_id(&message.id)?, message.text)));
    let messages = messages.collect::<Result<Vec<_>, Problem>>()?;
    let (directory, environment, claude) =
        (params.directory.clone(), params.environment.clone(), shared.config.claude.clone());
    shared
        .gate
        .run(move || {
            check_directory(&directory)?;
            find_claude(&environment, claude.as_deref())
        })
        .await?;
    Ok(Operation::Create(Box::new(Create {
        request_id: params.request_id,
        spec: SessionSpec {
            directory: params.directory,
            driver: to_wire::driver(params.driver),
            model: word("model", params.model)?,
            permission_mode: word("permissionMode", params.permission_mode)?,
        },
        environment: params.environment,
        name: params.name,
        messages,
    })))
}

/// Refuses a move of a conversation that another Claude has open. A session that is not named by its whole id is looked at
/// when its Claude is started.
async fn look_elsewhere(session: Option<String>, shared: &Arc<Shared>) -> Result<(), Problem> {
    let Some(session) = session.and_then(|id| id.to_ascii_uppercase().parse::<SessionId>().ok()) else {
        return Ok(());
    };
    let shared_for_look = Arc::clone(shared);
    let look = move || {
        let shared = shared_for_look;
        let Some(row) = shared.session(session)? else { return Ok(()) };
        let files = ClaudeFiles::of(&shared.environment(session)?, &row.spec.directory);
        let open = files.open_elsewhere(row.claude_session, row.claude_pid);
        open.map_or(Ok(()), |open| Err(open.problem(session)))
    };
    shared.gate.run(look).await
}

/// A word that goes onto Claude's command line: it must not be taken for an option there.
pub(super) fn word(name: &str, value: Option<String>) -> Result<Option<String>, Problem> {
    let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(None) };
    if value.starts_with('-') || value.len() > MAX_WORD || value.chars().any(char::is_control) {
        return Err(Problem::new(
            ErrorCode::InvalidParams,
            format!("\"{}\" cannot be a {name}.", short_line(&value, NAME_CHARS)),
            "Name one that `claude --help` lists.",
        ));
    }
    Ok(Some(value))
}

pub(super) fn message_id(text: &str) -> Result<MessageId, Problem> {
    Uuid::parse_str(text).map_err(|_| {
        Problem::new(
            ErrorCode::InvalidParams,
            "A message's id has to be a UUID.",
            "Choose a new random UUID for every message.",
        )
    })
}

/// Says more than "there is no such thing" about a message or prompt that has come to its end.
pub(super) fn explain_missing(problem: Problem, text: &str, reader: &ReaderPool) -> Problem {
    let explained = match problem.code {
        ErrorCode::MessageNotFound => match with_prefix(text, reader).as_slice() {
            [row] => Some(Problem::message_finished(row.state)),
            _ => None,
        },
        ErrorCode::PermissionNotFound => {
            let exact = text.to_ascii_uppercase().parse::<PermissionId>().ok();
            let row = exact.and_then(|id| reader.read(|reader| reader.permission(id)).ok().flatten());
            row.map(|row| Problem::already_answered(row.state, row.answered_by.as_deref()))
        }
        _ => None,
    };
    explained.unwrap_or(problem)
}

/// The stored messages whose id begins with this text: none, one, or two when it is ambiguous.
fn with_prefix(text: &str, reader: &ReaderPool) -> Vec<MessageRow> {
    reader.read(|reader| reader.messages_with_prefix(text, 2)).unwrap_or_default()
}

/// Says more about a message that cannot be continued or sent again because it came to its end otherwise, or because
/// another one did after it.
pub(super) fn explain_unrecoverable(problem: Problem, text: &str, reader: &ReaderPool) -> Problem {
    match with_prefix(text, reader).as_slice() {
        [_] if problem.code == ErrorCode::MessageNotFound => not_the_last_one(),
        _ => problem,
    }
}

pub(super) fn not_the_last_one() -> Problem {
    Problem::new(
        ErrorCode::MessageNotInterrupted,
        "The message is not the one that was cut off or failed last.",
        "Send its text as a new message instead.",
    )
}

pub(super) fn environment_too_large(bytes: usize) -> Problem {
    Problem::new(
        ErrorCode::InvalidParams,
        format!("The environment has {bytes} bytes, and the limit is {MAX_ENVIRONMENT}."),
        "Start AreYouJ from a smaller environment.",
    )
}

/// The name that a client gave of itself, fit for the audit trail.
pub(super) fn client_name(info: Option<wire::ClientInfo>) -> String {
    let name = info.map(|info| short_line(&info.name, NAME_CHARS)).unwrap_or_default();
    if name.is_empty() { "an unnamed client".to_owned() } else { name }
}

pub(super) fn invalid_params(error: &serde_json::Error) -> Problem {
    Problem::new(
        ErrorCode::InvalidParams,
        format!("The parameters do not fit the method: {error}."),
        "See PROTOCOL.md for the method's parameters.",
    )
}

pub(super) fn unknown_method(method: &str) -> Problem {
    Problem::new(
        ErrorCode::UnknownMethod,
        format!("There is no method \"{}\" here.", short_line(method, NAME_CHARS)),
        Remedy::RestartDaemon,
    )
}

pub(super) fn not_initialized() -> Problem {
    Problem::new(
        ErrorCode::NotInitialized,
        "The first request must be `initialize`.",
        "Send `initialize` first.",
    )
}

pub(super) fn cancelled() -> Problem {
    Problem::new(
        ErrorCode::RequestCancelled,
        "The request was cancelled.",
        "Send it again if it is still of use.",
    )
}

pub(super) fn going_away() -> Problem {
    Problem::new(ErrorCode::DaemonUnavailable, "The daemon is going away.", Remedy::TryAgain)
}

pub(super) fn message_gone(text: &str) -> Problem {
    Problem::new(
        ErrorCode::MessageNotFound,
        format!("The message {text} was accepted before, and its session has been removed since."),
        "Send it to another session under a new id.",
    )
}
