//! Sessions, messages and permission requests as rows of their tables.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Params, Statement};

use super::StoreError;
use super::cell::{Cell, Cells};
use areyouj_core::orchestrator::{
    Actor, AuditRow, MessageRow, PermissionId, PermissionRequest, PermissionRow, Position, Process,
    SessionRow, SessionSpec,
};

/// A row of a table. `COLUMNS`, `cells` and `read` must have the same order.
pub(super) trait Stored: Sized {
    /// The table.
    const TABLE: &'static str;
    /// The columns of the primary key, separated by commas.
    const KEY: &'static str;
    /// All columns.
    const COLUMNS: &'static [&'static str];

    /// The values of all columns.
    fn cells(&self) -> Result<Vec<ToSqlOutput<'_>>, StoreError>;

    /// Builds the row from the values of all columns.
    fn read(cells: &mut Cells<'_>) -> Result<Self, StoreError>;

    /// The statement that reads rows; `rest` is the condition, order and limit.
    fn select(rest: &str) -> String {
        format!("SELECT {} FROM {} {rest}", Self::COLUMNS.join(", "), Self::TABLE)
    }

    /// Whether this column belongs to the key. An update never sets the key: SQLite would treat it as changed, and
    /// check every row of other tables that refers to it.
    fn is_key(column: &str) -> bool {
        Self::KEY.split(", ").any(|key| key == column)
    }

    /// The statement that updates an existing row, and does nothing without one.
    fn update() -> String {
        let (mut keys, mut changes) = (Vec::new(), Vec::new());
        for (place, column) in (1..).zip(Self::COLUMNS) {
            let part = if Self::is_key(column) { &mut keys } else { &mut changes };
            part.push(format!("{column} = ?{place}"));
        }
        format!("UPDATE {} SET {} WHERE {}", Self::TABLE, changes.join(", "), keys.join(" AND "))
    }

    /// The statement that inserts a new row, and does nothing if it exists.
    ///
    /// Together with [`Stored::update`] it replaces `ON CONFLICT … DO UPDATE`, for which SQLite copies every page that
    /// it changes: accepting a message would take a tenth longer.
    fn insert() -> String {
        let places: Vec<String> = (1..=Self::COLUMNS.len()).map(|place| format!("?{place}")).collect();
        format!(
            "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO NOTHING",
            Self::TABLE,
            Self::COLUMNS.join(", "),
            places.join(", "),
            Self::KEY
        )
    }
}

/// All rows that the statement returns, each converted by `read`.
pub(super) fn collect<T>(
    statement: &mut Statement<'_>,
    params: impl Params,
    read: impl Fn(&mut Cells<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::new();
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        found.push(read(&mut Cells::of(row))?);
    }
    Ok(found)
}

impl Stored for SessionRow {
    const TABLE: &'static str = "sessions";
    const KEY: &'static str = "id";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "name",
        "directory",
        "driver",
        "model",
        "permission_mode",
        "move_to",
        "model_reported",
        "permission_mode_reported",
        "claude_session",
        "recorded",
        "created_at",
        "last_activity",
        "goal",
        "launch",
        "host",
        "host_pid",
        "claude_pid",
        "ready",
        "status",
        "status_since",
        "status_source",
        "status_reason",
        "error",
        "paused",
        "pause_message",
        "current_task",
        "cost_before",
        "cost_launch",
        "context_used",
        "context_max",
        "unread",
        "seq",
        "permissions",
        "startup_ms",
        "position_next",
        "position_line_start",
        "position_line_skip",
        "refusals",
        "notes",
    ];

    fn cells(&self) -> Result<Vec<ToSqlOutput<'_>>, StoreError> {
        Ok(vec![
            self.id.bind()?,
            self.name.bind()?,
            self.spec.directory.bind()?,
            self.spec.driver.bind()?,
            self.spec.model.bind()?,
            self.spec.permission_mode.bind()?,
            self.switch_to.bind()?,
            self.model_reported.bind()?,
            self.permission_mode_reported.bind()?,
            self.claude_session.bind()?,
            self.recorded.bind()?,
            self.created_at.bind()?,
            self.last_activity.bind()?,
            self.goal.bind()?,
            self.launch.bind()?,
            self.host.bind()?,
            self.host_pid.bind()?,
            self.claude_pid.bind()?,
            self.ready.bind()?,
            self.status.bind()?,
            self.status_since.bind()?,
            self.status_source.bind()?,
            self.status_reason.bind()?,
            self.error.bind()?,
            self.paused.bind()?,
            self.pause_message.bind()?,
            self.current_task.bind()?,
            self.cost_before.bind()?,
            self.cost_launch.bind()?,
            self.context_used.bind()?,
            self.context_max.bind()?,
            self.unread.bind()?,
            self.seq.bind()?,
            self.permissions.bind()?,
            self.startup_ms.bind()?,
            self.position.next.bind()?,
            self.position.line_start.bind()?,
            self.position.line_skip.bind()?,
            self.refusals.bind()?,
            self.notes.bind()?,
        ])
    }

    fn read(cells: &mut Cells<'_>) -> Result<SessionRow, StoreError> {
        Ok(SessionRow {
            id: cells.take()?,
            name: cells.take()?,
            spec: SessionSpec {
                directory: cells.take()?,
                driver: cells.take()?,
                model: cells.take()?,
                permission_mode: cells.take()?,
            },
            switch_to: cells.take()?,
            model_reported: cells.take()?,
            permission_mode_reported: cells.take()?,
            claude_session: cells.take()?,
            recorded: cells.take()?,
            created_at: cells.take()?,
            last_activity: cells.take()?,
            goal: cells.take()?,
            launch: cells.take()?,
            host: cells.take()?,
            host_pid: cells.take()?,
            claude_pid: cells.take()?,
            ready: cells.take()?,
            status: cells.take()?,
            status_since: cells.take()?,
            status_source: cells.take()?,
            status_reason: cells.take()?,
            error: cells.take()?,
            paused: cells.take()?,
            pause_message: cells.take()?,
            current_task: cells.take()?,
            cost_before: cells.take()?,
            cost_launch: cells.take()?,
            context_used: cells.take()?,
            context_max: cells.take()?,
            unread: cells.take()?,
            seq: cells.take()?,
            permissions: cells.take()?,
            startup_ms: cells.take()?,
            position: Position { next: cells.take()?, line_start: cells.take()?, line_skip: cells.take()? },
            refusals: cells.take()?,
            notes: cells.take()?,
        })
    }
}

fn or_null<'a>(value: Option<impl Into<ToSqlOutput<'a>>>) -> ToSqlOutput<'a> {
    value.map_or(ToSqlOutput::Borrowed(ValueRef::Null), Into::into)
}

impl Stored for AuditRow {
    const TABLE: &'static str = "audit";
    const KEY: &'static str = "number";
    const COLUMNS: &'static [&'static str] = &[
        "number",
        "at",
        "last",
        "count",
        "actor",
        "actor_session",
        "pid",
        "program",
        "terminal",
        "by",
        "operation",
        "session",
        "detail",
        "outcome",
    ];

    fn cells(&self) -> Result<Vec<ToSqlOutput<'_>>, StoreError> {
        let process = self.actor.process.as_ref();
        Ok(vec![
            self.number.bind()?,
            self.at.bind()?,
            self.last.bind()?,
            self.count.bind()?,
            self.actor.kind.bind()?,
            self.actor.session.bind()?,
            or_null(process.map(|process| i64::from(process.pid))),
            or_null(process.map(|process| process.program.as_str())),
            or_null(process.and_then(|process| process.terminal.as_deref())),
            self.by.bind()?,
            self.operation.bind()?,
            self.session.bind()?,
            self.detail.bind()?,
            self.outcome.bind()?,
        ])
    }

    fn read(cells: &mut Cells<'_>) -> Result<AuditRow, StoreError> {
        let (number, at, last, count) =
            (cells.take()?, cells.take()?, cells.take::<Option<_>>()?, cells.take()?);
        let (kind, session) = (cells.take()?, cells.take()?);
        let (pid, program, terminal) =
            (cells.take::<Option<i64>>()?, cells.take::<Option<_>>()?, cells.take()?);
        let process = pid.map(|pid| Process {
            pid: i32::try_from(pid).unwrap_or_default(),
            program: program.unwrap_or_default(),
            terminal,
        });
        Ok(AuditRow {
            number,
            at,
            // A version that counted no operations had none of the last one's times either.
            last: last.unwrap_or(at),
            count,
            actor: Actor { kind, session, process },
            by: cells.take()?,
            operation: cells.take()?,
            session: cells.take()?,
            detail: cells.take()?,
            outcome: cells.take()?,
        })
    }
}

impl Stored for MessageRow {
    const TABLE: &'static str = "messages";
    const KEY: &'static str = "id";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "session",
        "text",
        "state",
        "rank",
        "steer",
        "handed",
        "started",
        "created_at",
        "started_at",
        "finished_at",
        "error",
    ];

    fn cells(&self) -> Result<Vec<ToSqlOutput<'_>>, StoreError> {
        Ok(vec![
            self.id.bind()?,
            self.session.bind()?,
            self.text.bind()?,
            self.state.bind()?,
            self.rank.bind()?,
            self.steer.bind()?,
            self.written.bind()?,
            self.started.bind()?,
            self.created_at.bind()?,
            self.started_at.bind()?,
            self.finished_at.bind()?,
            self.error.bind()?,
        ])
    }

    fn read(cells: &mut Cells<'_>) -> Result<MessageRow, StoreError> {
        Ok(MessageRow {
            id: cells.take()?,
            session: cells.take()?,
            text: cells.take()?,
            state: cells.take()?,
            rank: cells.take()?,
            steer: cells.take()?,
            written: cells.take()?,
            started: cells.take()?,
            created_at: cells.take()?,
            started_at: cells.take()?,
            finished_at: cells.take()?,
            error: cells.take()?,
        })
    }
}

impl Stored for PermissionRow {
    const TABLE: &'static str = "permissions";
    const KEY: &'static str = "session, number";
    const COLUMNS: &'static [&'static str] = &[
        "session",
        "number",
        "launch",
        "request_id",
        "kind",
        "tool",
        "input",
        "title",
        "suggestions",
        "tool_use_id",
        "plan",
        "created_at",
        "state",
        "answered_by",
        "answer",
        "delivered",
    ];

    fn cells(&self) -> Result<Vec<ToSqlOutput<'_>>, StoreError> {
        Ok(vec![
            self.id.session.bind()?,
            self.id.number.bind()?,
            self.launch.bind()?,
            self.request.request_id.bind()?,
            self.request.kind.bind()?,
            self.request.tool.bind()?,
            self.request.input.bind()?,
            self.request.title.bind()?,
            self.request.suggestions.bind()?,
            self.request.tool_use_id.bind()?,
            self.request.plan.bind()?,
            self.created_at.bind()?,
            self.state.bind()?,
            self.answered_by.bind()?,
            self.answer.bind()?,
            self.delivered.bind()?,
        ])
    }

    fn read(cells: &mut Cells<'_>) -> Result<PermissionRow, StoreError> {
        Ok(PermissionRow {
            id: PermissionId { session: cells.take()?, number: cells.take()? },
            launch: cells.take()?,
            request: PermissionRequest {
                request_id: cells.take()?,
                kind: cells.take()?,
                tool: cells.take()?,
                input: cells.take()?,
                title: cells.take()?,
                suggestions: cells.take()?,
                tool_use_id: cells.take()?,
                plan: cells.take()?,
            },
            created_at: cells.take()?,
            state: cells.take()?,
            answered_by: cells.take()?,
            answer: cells.take()?,
            delivered: cells.take()?,
        })
    }
}
