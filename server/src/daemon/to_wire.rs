//! Translates between the orchestrator's types and the protocol's: nothing else knows both.

use areyouj_protocol as wire;
use serde_json::Value;

use areyouj_core::orchestrator::{
    ActorKind, Answer, Attention, AttentionKind, AuditRow, Driver, EntryBody, EntryRow, MessageState,
    MessageView, NoticeLevel, PermissionKind, PermissionRow, PermissionState, Problem, QueueView, Recovery,
    SessionView, Status, StatusSource,
};
use areyouj_core::text::always;

/// A session.
pub(super) fn session(view: SessionView) -> wire::Session {
    let attention = view.attention.map(attention);
    let row = view.row;
    wire::Session {
        id: row.id.to_string(),
        directory: row.spec.directory,
        name: row.name,
        driver: match row.spec.driver {
            Driver::Stream => wire::Driver::Stream,
            Driver::Terminal => wire::Driver::Terminal,
        },
        status: status(row.status),
        status_since: row.status_since,
        status_source: status_source(row.status_source),
        status_reason: row.status_reason,
        error: row.error.map(session_error),
        attention,
        current_task: row.current_task,
        created_at: row.created_at,
        last_activity: row.last_activity,
        pid: row.claude_pid,
        host_pid: row.host_pid,
        claude_session_id: row.claude_session.to_string(),
        model: row.model_reported.or(row.spec.model),
        permission_mode: row.permission_mode_reported.or(row.spec.permission_mode),
        cost_usd: row.cost_before + row.cost_launch,
        context_used: row.context_used,
        context_max: row.context_max,
        queued: view.queued,
        queue_paused: row.paused.explanation(),
        unread: row.unread,
        startup_ms: row.startup_ms,
        refusals: row.refusals.map(|refusals| wire::SessionRefusals {
            title: refusals.title(),
            count: refusals.count,
            last: refusals.last,
            operation: refusals.operation,
            program: refusals.program,
            pid: refusals.pid,
            unread: refusals.unread,
        }),
        host_unprotected: view.host_unprotected,
    }
}

/// An entry of the audit trail.
pub(super) fn audit_entry(row: AuditRow) -> wire::AuditEntry {
    let process = row.actor.process;
    wire::AuditEntry {
        number: row.number,
        at: row.at,
        last: row.last,
        count: row.count,
        actor: match row.actor.kind {
            ActorKind::Person => wire::AuditActor::Person,
            ActorKind::Session => wire::AuditActor::Session,
            ActorKind::Daemon => wire::AuditActor::Daemon,
            ActorKind::Unknown => wire::AuditActor::Unknown,
        },
        actor_session_id: row.actor.session.map(|id| id.to_string()),
        pid: process.as_ref().map(|process| process.pid),
        program: process.as_ref().map(|process| process.program.clone()),
        terminal: process.and_then(|process| process.terminal),
        client: row.by,
        operation: row.operation,
        session_id: row.session.map(|id| id.to_string()),
        detail: row.detail,
        outcome: row.outcome,
    }
}

/// A status.
pub(super) fn status(status: Status) -> wire::Status {
    match status {
        Status::Starting => wire::Status::Starting,
        Status::Active => wire::Status::Active,
        Status::Waiting => wire::Status::Waiting,
        Status::Idle => wire::Status::Idle,
        Status::Error => wire::Status::Error,
        Status::Terminated => wire::Status::Terminated,
    }
}

/// The source of a status.
pub(super) fn status_source(source: StatusSource) -> wire::StatusSource {
    match source {
        StatusSource::Request => wire::StatusSource::Request,
        StatusSource::Control => wire::StatusSource::Control,
        StatusSource::Hook => wire::StatusSource::Hook,
        StatusSource::Process => wire::StatusSource::Process,
    }
}

/// The error of a session.
pub(super) fn session_error(problem: Problem) -> wire::SessionError {
    wire::SessionError {
        code: problem.code.as_str().to_owned(),
        hint: problem.hint(),
        message: problem.message,
        remedy: problem.remedy,
        log: problem.log,
    }
}

/// What requires a person's attention.
pub(super) fn attention(attention: Attention) -> wire::Attention {
    wire::Attention {
        kind: match attention.kind {
            AttentionKind::Permission => wire::AttentionKind::Permission,
            AttentionKind::Question => wire::AttentionKind::Question,
            AttentionKind::Plan => wire::AttentionKind::Plan,
            AttentionKind::Terminal => wire::AttentionKind::Terminal,
            AttentionKind::Interrupted => wire::AttentionKind::Interrupted,
            AttentionKind::Failed => wire::AttentionKind::Failed,
            AttentionKind::Error => wire::AttentionKind::Error,
        },
        permission_id: attention.permission.map(|id| id.to_string()),
        message_id: attention.message.map(|id| id.to_string()),
        title: attention.title,
        open: attention.open,
    }
}

/// A message.
pub(super) fn message(view: MessageView) -> wire::Message {
    let row = view.row;
    wire::Message {
        id: row.id.to_string(),
        session_id: row.session.to_string(),
        text: row.text,
        state: match row.state {
            MessageState::Queued => wire::MessageState::Queued,
            MessageState::Running => wire::MessageState::Running,
            MessageState::Done => wire::MessageState::Done,
            MessageState::Failed => wire::MessageState::Failed,
            MessageState::Interrupted => wire::MessageState::Interrupted,
            MessageState::Cancelled => wire::MessageState::Cancelled,
        },
        position: view.position,
        created_at: row.created_at,
        started_at: row.started_at,
        finished_at: row.finished_at,
        error: row.error,
    }
}

/// A queue.
pub(super) fn queue(view: QueueView) -> wire::Queue {
    wire::Queue {
        session_id: view.session.to_string(),
        paused: view.paused,
        messages: view.messages.into_iter().map(message).collect(),
    }
}

/// A permission request.
pub(super) fn permission(row: PermissionRow) -> wire::Permission {
    let displayed = row.displayed();
    let granted = row.granted();
    // "Always" is never offered for a request that would control AreYouJ.
    let suggestions = if displayed.controls_areyouj { Vec::new() } else { row.request.suggestions };
    wire::Permission {
        id: row.id.to_string(),
        session_id: row.id.session.to_string(),
        kind: permission_kind(row.request.kind),
        tool: row.request.tool,
        input: json(row.request.input.into_shown()),
        title: row.request.title,
        display: displayed.sections,
        digest: displayed.digest,
        controls_areyouj: displayed.controls_areyouj,
        always: always::offers(&suggestions),
        suggestions: suggestions.into_iter().map(json).collect(),
        created_at: row.created_at,
        state: match row.state {
            PermissionState::Open => wire::PermissionState::Open,
            PermissionState::Answered => wire::PermissionState::Answered,
            PermissionState::Withdrawn => wire::PermissionState::Withdrawn,
        },
        answered_by: row.answered_by,
        granted,
    }
}

fn permission_kind(kind: PermissionKind) -> wire::PermissionKind {
    match kind {
        PermissionKind::Tool => wire::PermissionKind::Tool,
        PermissionKind::Question => wire::PermissionKind::Question,
        PermissionKind::Plan => wire::PermissionKind::Plan,
        PermissionKind::Trust => wire::PermissionKind::Trust,
    }
}

/// A transcript entry of a session.
pub(super) fn entry(session: areyouj_core::orchestrator::SessionId, row: EntryRow) -> wire::TranscriptEntry {
    let request_id = |number: u32| areyouj_core::orchestrator::PermissionId { session, number }.to_string();
    let body = match row.body {
        EntryBody::User { message_id, text } => {
            wire::EntryBody::User { message_id: message_id.map(|id| id.to_string()), text }
        }
        EntryBody::Text { text, parent_tool_use_id } => wire::EntryBody::Text { text, parent_tool_use_id },
        EntryBody::Thinking { text } => wire::EntryBody::Thinking { text },
        EntryBody::ToolCall { tool_use_id, tool, input, parent_tool_use_id } => {
            wire::EntryBody::ToolCall { tool_use_id, tool, input: json(input), parent_tool_use_id }
        }
        EntryBody::ToolResult { tool_use_id, is_error, text, truncated } => {
            wire::EntryBody::ToolResult { tool_use_id, is_error, text, truncated }
        }
        EntryBody::Permission { permission, permission_kind: kind, tool, title } => {
            wire::EntryBody::Permission {
                permission_id: request_id(permission),
                permission_kind: permission_kind(kind),
                tool,
                title,
            }
        }
        EntryBody::PermissionEnd { permission, outcome, by, message } => {
            wire::EntryBody::PermissionEnd { permission_id: request_id(permission), outcome, by, message }
        }
        EntryBody::TurnEnd { message_id, ok, outcome, error, cost_usd, duration_ms } => {
            wire::EntryBody::TurnEnd {
                message_id: message_id.map(|id| id.to_string()),
                ok,
                outcome,
                error,
                cost_usd,
                duration_ms,
            }
        }
        EntryBody::Notice { level, text } => wire::EntryBody::Notice {
            level: match level {
                NoticeLevel::Info => wire::NoticeLevel::Info,
                NoticeLevel::Warning => wire::NoticeLevel::Warning,
                NoticeLevel::Error => wire::NoticeLevel::Error,
            },
            text,
        },
    };
    wire::TranscriptEntry { seq: row.seq, at: row.at, body }
}

/// An answer to a permission request.
pub(super) fn answer(answer: wire::Answer) -> Answer {
    match answer {
        wire::Answer::Allow {} => Answer::Allow,
        wire::Answer::AllowAlways { suggestions } => Answer::AllowAlways { suggestions },
        wire::Answer::Deny { message } => Answer::Deny { message },
        wire::Answer::Choose { choices } => Answer::Choose { choices },
    }
}

/// What to do about a message.
pub(super) fn recovery(choice: wire::RecoverChoice) -> Recovery {
    match choice {
        wire::RecoverChoice::Continue => Recovery::Continue,
        wire::RecoverChoice::Again => Recovery::Again,
        wire::RecoverChoice::Skip => Recovery::Skip,
    }
}

/// How Claude is driven.
pub(super) fn driver(driver: wire::Driver) -> Driver {
    match driver {
        wire::Driver::Stream => Driver::Stream,
        wire::Driver::Terminal => Driver::Terminal,
    }
}

fn json(value: Value) -> wire::Json {
    match value {
        Value::Null => wire::Json::Null,
        Value::Bool(value) => wire::Json::Bool(value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => wire::Json::Integer(integer),
            (None, Some(unsigned)) => wire::Json::Unsigned(unsigned),
            (None, None) => number.as_f64().map_or(wire::Json::Null, wire::Json::Float),
        },
        Value::String(text) => wire::Json::String(text),
        Value::Array(elements) => wire::Json::Array(elements.into_iter().map(json).collect()),
        Value::Object(members) => {
            wire::Json::Object(members.into_iter().map(|(name, value)| (name, json(value))).collect())
        }
    }
}
