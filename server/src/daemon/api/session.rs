//! Sessions: creating, listing, changing and watching them.

use std::collections::BTreeMap;
use std::sync::Arc;

use areyouj_core::orchestrator::{
    Create, Operation, Outcome, PartialOutput, Principal, Problem, Query, SessionId, SessionOperation,
    SessionSpec, SessionView, Switch,
};
use areyouj_core::text::plain::short_line;
use areyouj_protocol::{
    AttachParams, AttachResult, Delta, Empty, Session, SessionActionParams, SessionCreateParams,
    SessionCreateResult, SessionList, SessionListParams, SessionNoteParams, SessionParams,
    SessionRenameParams, SessionSwitchParams, request,
};
use areyouj_store::ReaderPool;

use super::{Context, Handler, PAGE_BYTES, Plan, idempotent, on_session, queue};
use crate::daemon::claude::files::{ClaudeFiles, directory_and_home};
use crate::daemon::claude::find::find_claude;
use crate::daemon::directory_checks::check_directory;
use crate::daemon::gate::Kind;
use crate::daemon::refusals::{QUOTED_CHARS, invalid};
use crate::daemon::reply::{Rendered, Reply, reply, reply_or_read};
use crate::daemon::to_wire;

/// Bytes of a model's name or a permission mode, at most.
const MAX_WORD_BYTES: usize = 200;

/// Bytes of an environment, at most: the kernel takes at most 2 MiB of arguments and environment together.
const MAX_ENVIRONMENT_BYTES: usize = 1 << 20;

/// Entries that attaching returns to a client that has none yet, at most.
const ATTACH_NEWEST: usize = 200;

/// Entries that attaching returns, at most.
const ATTACH_MOST: usize = 1_000;

impl Handler for request::SessionCreate {
    async fn plan(mut params: SessionCreateParams, context: &Context) -> Result<Plan<Self>, Problem> {
        params.environment = context.shared.config.environment.apply(params.environment);
        let environment = check_outside(&params, context).await?;
        let messages = params.messages.into_iter();
        let messages = messages.map(|message| Ok((queue::message_id(&message.id)?, message.text)));
        let create = Create {
            request_id: params.request_id,
            spec: SessionSpec {
                directory: params.directory,
                driver: to_wire::driver(params.driver),
                model: option_word("model", params.model)?,
                permission_mode: option_word("permissionMode", params.permission_mode)?,
            },
            environment,
            name: params.name,
            messages: messages.collect::<Result<_, Problem>>()?,
        };
        let created = reply(|outcome| match outcome {
            Outcome::Created { session, warning } => {
                Some(SessionCreateResult { session: to_wire::session(*session), warning })
            }
            _ => None,
        });
        Ok(Plan::Operation(Operation::Create(Box::new(create)), created))
    }
}

impl Handler for request::SessionList {
    async fn plan(params: SessionListParams, _: &Context) -> Result<Plan<Self>, Problem> {
        let list = reply(|outcome| match outcome {
            Outcome::Sessions { revision, sessions } => {
                Some(SessionList { revision, sessions: sessions.into_iter().map(to_wire::session).collect() })
            }
            _ => None,
        });
        Ok(Plan::Query(Query::Sessions { all: params.all }, list))
    }
}

impl Handler for request::SessionGet {
    async fn plan(params: SessionParams, context: &Context) -> Result<Plan<Self>, Problem> {
        Ok(Plan::Query(Query::Session(context.session(params.session_id)), session()))
    }
}

impl Handler for request::SessionTerminate {
    async fn plan(params: SessionActionParams, context: &Context) -> Result<Plan<Self>, Problem> {
        Ok(Plan::Operation(on_session(params, SessionOperation::Terminate, context), session()))
    }
}

impl Handler for request::SessionInterrupt {
    async fn plan(params: SessionActionParams, context: &Context) -> Result<Plan<Self>, Problem> {
        Ok(Plan::Operation(on_session(params, SessionOperation::Interrupt, context), session()))
    }
}

impl Handler for request::SessionRestart {
    async fn plan(params: SessionActionParams, context: &Context) -> Result<Plan<Self>, Problem> {
        Ok(Plan::Operation(on_session(params, SessionOperation::Restart, context), session()))
    }
}

impl Handler for request::SessionSwitch {
    async fn plan(params: SessionSwitchParams, context: &Context) -> Result<Plan<Self>, Problem> {
        if let Some(id) = &params.session_id {
            refuse_if_open_elsewhere(id, context).await?;
        }
        let to = Switch { driver: to_wire::driver(params.driver), interrupt: params.interrupt };
        let action = SessionActionParams { request_id: params.request_id, session_id: params.session_id };
        Ok(Plan::Operation(on_session(action, SessionOperation::Switch(to), context), session()))
    }
}

impl Handler for request::SessionRename {
    async fn plan(params: SessionRenameParams, context: &Context) -> Result<Plan<Self>, Problem> {
        let action = SessionActionParams { request_id: params.request_id, session_id: params.session_id };
        Ok(Plan::Operation(on_session(action, SessionOperation::Rename(params.name), context), session()))
    }
}

impl Handler for request::SessionDelete {
    async fn plan(params: SessionActionParams, context: &Context) -> Result<Plan<Self>, Problem> {
        let deleted = reply(|outcome| matches!(outcome, Outcome::Done).then_some(Empty {}));
        Ok(Plan::Operation(on_session(params, SessionOperation::Delete, context), deleted))
    }
}

impl Handler for request::SessionNote {
    async fn plan(params: SessionNoteParams, context: &Context) -> Result<Plan<Self>, Problem> {
        let of = idempotent(params.request_id, context.session(params.session_id));
        let noted = reply(|outcome| matches!(outcome, Outcome::Done).then_some(Empty {}));
        Ok(Plan::Operation(Operation::Note(of, params.text), noted))
    }
}

impl Handler for request::SessionRead {
    async fn plan(params: SessionParams, context: &Context) -> Result<Plan<Self>, Problem> {
        Ok(Plan::Operation(Operation::MarkRead(context.session(params.session_id)), session()))
    }
}

impl Handler for request::SessionAttach {
    async fn plan(params: AttachParams, context: &Context) -> Result<Plan<Self>, Problem> {
        let session = context.session(params.session_id);
        Ok(Plan::Operation(Operation::Attach { session, since: params.since }, attached()))
    }
}

impl Handler for request::SessionDetach {
    async fn plan(params: SessionParams, context: &Context) -> Result<Plan<Self>, Problem> {
        let detached = reply(|outcome| matches!(outcome, Outcome::Detached(_)).then_some(Empty {}));
        Ok(Plan::Operation(Operation::Detach(context.session(params.session_id)), detached))
    }
}

fn session() -> Reply<Session> {
    reply(|outcome| match outcome {
        Outcome::Session(view) => Some(to_wire::session(*view)),
        _ => None,
    })
}

/// Checks the size of the environment, then that the directory is accessible and Claude can be found. Returns the
/// environment of the new session: that of the request, or of the session that the client is inside of. Otherwise a
/// process could leave what surrounds its session, for example with another Claude.
async fn check_outside(
    params: &SessionCreateParams,
    context: &Context,
) -> Result<BTreeMap<String, String>, Problem> {
    if let Principal::Session(insider) = context.client.principal() {
        let (shared, directory) = (Arc::clone(&context.shared), params.directory.clone());
        let check = move || {
            let environment = insider.id.map(|id| shared.environment(id)).transpose()?.unwrap_or_default();
            check_directory(&directory)?;
            find_claude(&environment, shared.config.claude.as_deref())?;
            Ok(environment)
        };
        return context.shared.gate.run(Kind::Request, params.directory.clone(), check).await;
    }
    let bytes = params.environment.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    if bytes > MAX_ENVIRONMENT_BYTES {
        return Err(environment_too_large(bytes));
    }
    let (directory, environment) = (params.directory.clone(), params.environment.clone());
    let claude = context.shared.config.claude.clone();
    let place = directory_and_home(&environment, &directory);
    let check = move || {
        check_directory(&directory)?;
        find_claude(&environment, claude.as_deref())
    };
    context.shared.gate.run(Kind::Request, place, check).await?;
    Ok(params.environment.clone())
}

/// Refuses to switch the driver of a conversation that another Claude has open. A session that is named by a part of its
/// id is checked when its Claude starts.
async fn refuse_if_open_elsewhere(session: &str, context: &Context) -> Result<(), Problem> {
    let Ok(session) = session.to_ascii_uppercase().parse::<SessionId>() else { return Ok(()) };
    let shared = context.shared.clone();
    let check = move || {
        let Some(row) = shared.session(session)? else { return Ok(()) };
        let files = ClaudeFiles::of(&shared.environment(session)?, &row.spec.directory);
        let open = files.open_elsewhere(row.claude_session, row.claude_pid);
        open.map_or(Ok(()), |open| Err(open.problem(session)))
    };
    context.shared.gate.run(Kind::Request, session.to_string(), check).await
}

/// Reads the entries that the client lacks. Output that is published meanwhile waits behind the answer.
fn attached() -> Reply<AttachResult> {
    reply_or_read(|outcome| match outcome {
        Outcome::Attached { session, since, partial_output } => {
            Rendered::Read(Box::new(move |reader| attach_result(*session, since, partial_output, reader)))
        }
        _ => Rendered::expected(None),
    })
}

fn attach_result(
    session: SessionView,
    since: Option<u64>,
    partial_output: Vec<PartialOutput>,
    reader: &ReaderPool,
) -> Result<AttachResult, Problem> {
    let (id, seq) = (session.row.id, session.row.seq);
    let limit = if since.is_some() { ATTACH_MOST } else { ATTACH_NEWEST };
    let page = reader.read(|reader| reader.entries(id, Some(seq + 1), since, limit, PAGE_BYTES));
    let (entries, more) = page.map_err(|error| reader.problem(&error))?;
    let delta = |PartialOutput { thinking, text }| Delta { thinking, text };
    Ok(AttachResult {
        session: to_wire::session(session),
        entries: entries.into_iter().map(|entry| to_wire::entry(id, entry)).collect(),
        seq,
        more,
        deltas: partial_output.into_iter().map(delta).collect(),
    })
}

/// A word for Claude's command line, where it must not be taken for an option. An empty one counts as none.
pub(in crate::daemon) fn option_word(name: &str, value: Option<String>) -> Result<Option<String>, Problem> {
    let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(None) };
    if value.starts_with('-') || value.len() > MAX_WORD_BYTES || value.chars().any(char::is_control) {
        return Err(invalid(
            format!("\"{}\" cannot be a {name}.", short_line(&value, QUOTED_CHARS)),
            "Name one that `claude --help` lists.",
        ));
    }
    Ok(Some(value))
}

pub(in crate::daemon) fn environment_too_large(bytes: usize) -> Problem {
    invalid(
        format!("The environment has {bytes} bytes, and the limit is {MAX_ENVIRONMENT_BYTES}."),
        "Start AreYouJ from a smaller environment.",
    )
}
