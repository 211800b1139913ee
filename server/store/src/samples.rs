//! A store in a temporary directory, and sample rows for tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use super::{Committer, Reader, open};
use areyouj_core::orchestrator::{
    Actor, ActorKind, Answer, AuditRow, Change, Driver, EntryBody, EntryRow, ErrorCode, Goal, MessageRow,
    MessageState, NoticeLevel, Pause, PauseReason, PermissionId, PermissionKind, PermissionRequest,
    PermissionRow, PermissionState, Position, Problem, Process, Refusals, Remedy, SessionId, SessionRow,
    SessionSpec, Snapshot, Status, StatusSource, ToolInput,
};

/// A store in a temporary directory of its own.
pub(super) struct Store {
    committer: Option<Committer>,
    path: PathBuf,
    _directory: TempDir,
}

impl Store {
    pub(super) fn new() -> Store {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("areyouj.db");
        let (committer, _) = open(&path).unwrap();
        Store { committer: Some(committer), path, _directory: directory }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn committer(&mut self) -> &mut Committer {
        self.committer.as_mut().unwrap()
    }

    pub(super) fn take_committer(&mut self) -> Committer {
        self.committer.take().unwrap()
    }

    pub(super) fn commit(&mut self, changes: &[Change]) {
        self.committer().commit(changes).unwrap();
    }

    pub(super) fn reader(&self) -> Reader {
        Reader::open(&self.path).unwrap()
    }

    pub(super) fn close(&mut self) {
        self.committer = None;
    }

    /// The snapshot with which a daemon would start now.
    pub(super) fn reopen(&mut self) -> Snapshot {
        self.close();
        let (committer, snapshot) = open(&self.path).unwrap();
        self.committer = Some(committer);
        snapshot
    }

    /// Everything in all tables.
    pub(super) fn dump(&self) -> BTreeMap<String, Vec<Vec<Cell>>> {
        let connection = Connection::open(&self.path).unwrap();
        let rows = |sql: &str| -> Vec<Vec<Cell>> {
            let mut statement = connection.prepare(sql).unwrap();
            let columns = statement.column_count();
            let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect());
            rows.unwrap().map(Result::unwrap).collect()
        };
        let tables = rows("SELECT name FROM sqlite_schema WHERE type = 'table'");
        let tables = tables.into_iter().flatten().map(|name| match name {
            Cell::Text(name) => name,
            other => panic!("{other:?} is not a name"),
        });
        tables.map(|table| (table.clone(), rows(&format!("SELECT * FROM {table}")))).collect()
    }

    /// SQLite's query plan for a statement.
    pub(super) fn plan(&self, sql: &str) -> Vec<String> {
        let connection = Connection::open(&self.path).unwrap();
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = statement.query_map([], |row| row.get("detail")).unwrap();
        steps.map(Result::unwrap).collect()
    }
}

pub(super) fn session_id(text: &str) -> SessionId {
    text.parse().unwrap()
}

/// A session with a value in every field.
pub(super) fn session(id: SessionId) -> SessionRow {
    SessionRow {
        id,
        name: Some("näme\n'; DROP TABLE sessions; --".to_owned()),
        spec: SessionSpec {
            directory: "/home/ada/ein Projekt – «ß»".to_owned(),
            driver: Driver::Terminal,
            model: Some("opus".to_owned()),
            permission_mode: Some("plan".to_owned()),
        },
        switch_to: Some(Driver::Stream),
        model_reported: Some("claude-opus".to_owned()),
        permission_mode_reported: Some("default".to_owned()),
        claude_session: Uuid::from_u128(7),
        recorded: true,
        created_at: 1,
        last_activity: 2,
        goal: Goal::Fail,
        launch: u32::MAX,
        host: true,
        host_pid: Some(3),
        claude_pid: Some(4),
        ready: true,
        status: Status::Error,
        status_since: 5,
        status_source: StatusSource::Control,
        status_reason: Some("why".to_owned()),
        error: Some(Problem {
            code: ErrorCode::LoginNeeded,
            message: "Claude is not logged in.".to_owned(),
            remedy: Some(Remedy::restart_after("K7M2Q9XD", "Log in.")),
            log: Some("the\nlast lines".to_owned()),
        }),
        paused: Pause::because(PauseReason::MessageInterrupted),
        pause_message: Some(Uuid::from_u128(8)),
        current_task: Some("Fix it".to_owned()),
        cost_before: 0.1,
        cost_launch: 1.0 / 3.0,
        context_used: Some(6),
        context_max: Some(i64::MAX.unsigned_abs()),
        unread: 9,
        seq: 10,
        permissions: 11,
        startup_ms: Some(12),
        position: Position { next: 13, line_start: 14, line_skip: 15 },
        refusals: Some(Refusals {
            count: 16,
            last: 17,
            noticed: 18,
            operation: "session/terminate".to_owned(),
            program: "/bin/sh".to_owned(),
            pid: 19,
            unread: true,
        }),
        notes: 20,
    }
}

/// A session with all optional fields empty.
pub(super) fn bare_session(id: SessionId) -> SessionRow {
    let full = session(id);
    SessionRow {
        name: None,
        spec: SessionSpec { driver: Driver::Stream, model: None, permission_mode: None, ..full.spec },
        switch_to: None,
        model_reported: None,
        permission_mode_reported: None,
        recorded: false,
        goal: Goal::Run,
        host: false,
        host_pid: None,
        claude_pid: None,
        ready: false,
        status: Status::Starting,
        status_source: StatusSource::Request,
        status_reason: None,
        error: None,
        refusals: None,
        paused: Pause::default(),
        pause_message: None,
        current_task: None,
        cost_before: 0.0,
        cost_launch: 0.0,
        context_used: None,
        context_max: None,
        startup_ms: None,
        position: Position::default(),
        created_at: 2,
        ..full
    }
}

/// A message with a value in every field; its id is derived from `number`.
pub(super) fn message(session: SessionId, number: u32) -> MessageRow {
    MessageRow {
        id: Uuid::from_u128(u128::from(number) << 96),
        session,
        text: "do\0this\u{1F980}".to_owned(),
        state: MessageState::Failed,
        rank: -5,
        steer: true,
        written: true,
        started: true,
        created_at: 1,
        started_at: Some(2),
        finished_at: Some(3),
        error: Some("it broke".to_owned()),
    }
}

/// A message with all optional fields empty.
pub(super) fn bare_message(session: SessionId, number: u32) -> MessageRow {
    MessageRow {
        text: String::new(),
        state: MessageState::Queued,
        steer: false,
        written: false,
        started: false,
        started_at: None,
        finished_at: None,
        error: None,
        ..message(session, number)
    }
}

/// A permission request with a value in every field.
pub(super) fn permission(session: SessionId, number: u32) -> PermissionRow {
    PermissionRow {
        id: PermissionId { session, number },
        launch: 2,
        request: PermissionRequest {
            request_id: "request".to_owned(),
            kind: PermissionKind::Question,
            tool: "AskUserQuestion".to_owned(),
            input: ToolInput::parse(r#"{"z":1,"a":["two",null,{"deep":true}]}"#).unwrap(),
            title: "Which?".to_owned(),
            suggestions: vec![json!({"type": "addRules"}), json!("text")],
            tool_use_id: Some("toolu_1".to_owned()),
            plan: Some("1. do it".to_owned()),
        },
        created_at: 3,
        state: PermissionState::Answered,
        answered_by: Some("areyouj-cli".to_owned()),
        answer: Some(Answer::Choose { choices: vec![vec!["a".to_owned()], vec![]] }),
        delivered: true,
    }
}

/// A permission request with all optional fields empty.
pub(super) fn bare_permission(session: SessionId, number: u32) -> PermissionRow {
    let full = permission(session, number);
    PermissionRow {
        request: PermissionRequest {
            kind: PermissionKind::Tool,
            suggestions: vec![],
            tool_use_id: None,
            plan: None,
            ..full.request
        },
        state: PermissionState::Open,
        answered_by: None,
        answer: None,
        delivered: false,
        ..full
    }
}

pub(super) fn entry(seq: u64) -> EntryRow {
    EntryRow {
        seq,
        at: 1,
        body: EntryBody::Text { text: "an answer of Claude, ".repeat(5), parent_tool_use_id: None },
    }
}

pub(super) fn entry_change(session: SessionId, seq: u64) -> Change {
    Change::Entry { session, entry: entry(seq) }
}

/// An entry of each kind, numbered from 1.
pub(super) fn entries_of_every_kind() -> Vec<EntryRow> {
    let text = || "text\n\u{7}\u{1F980}".to_owned();
    let bodies = [
        EntryBody::User { message_id: Some(Uuid::from_u128(1)), text: text() },
        EntryBody::Text { text: text(), parent_tool_use_id: Some("parent".to_owned()) },
        EntryBody::Thinking { text: text() },
        EntryBody::ToolCall {
            tool_use_id: "id".to_owned(),
            tool: "Bash".to_owned(),
            input: json!({"command": "ls", "also": 1.5}),
            parent_tool_use_id: None,
        },
        EntryBody::ToolResult { tool_use_id: "id".to_owned(), is_error: true, text: text(), truncated: true },
        EntryBody::Permission {
            permission: 3,
            permission_kind: PermissionKind::Plan,
            tool: "ExitPlanMode".to_owned(),
            title: text(),
        },
        EntryBody::PermissionEnd {
            permission: 3,
            outcome: "denied".to_owned(),
            by: Some("ada".to_owned()),
            message: None,
        },
        EntryBody::TurnEnd {
            message_id: None,
            ok: false,
            outcome: "error".to_owned(),
            error: Some(text()),
            cost_usd: 0.25,
            duration_ms: 7,
        },
        EntryBody::Notice { level: NoticeLevel::Warning, text: text() },
    ];
    (1..).zip(bodies).map(|(seq, body)| EntryRow { seq, at: seq, body }).collect()
}

pub(super) fn environment() -> BTreeMap<String, String> {
    [("PATH", "/usr/bin"), ("EMPTY", ""), ("LINES", "a\nb")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

pub(super) fn audit_row(session: SessionId, at: u64) -> AuditRow {
    AuditRow {
        number: 1,
        at,
        last: at,
        count: 1,
        actor: Actor {
            kind: ActorKind::Session,
            session: Some(session),
            process: Some(Process {
                pid: 7,
                program: "/bin/sh".to_owned(),
                terminal: Some("pts/3".to_owned()),
            }),
        },
        by: "areyouj-cli".to_owned(),
        operation: "session/create".to_owned(),
        session: Some(session),
        detail: Some("detail".to_owned()),
        outcome: "ok".to_owned(),
    }
}
