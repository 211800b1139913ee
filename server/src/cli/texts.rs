//! Snapshots of the help texts, the tables and the failures of the command line.

use std::io;
use std::path::{Path, PathBuf};

use areyouj_protocol::{
    Attention, AttentionKind, DaemonStatus, Driver, EntryBody, ErrorCode, Job, Message, MessageState,
    NoticeLevel, PROTOCOL_VERSION, Permission, PermissionKind, PermissionState, Queue, Session, SessionError,
    SessionRefusals, Status, Timestamp,
};
use clap::{Command, CommandFactory};
use serde_json::{Value, json};

use areyouj_core::text::{always, controls, display};

use super::arguments::Arguments;
use super::choices::{self, Question};
use super::screen::{Paint, Screen, failure_text};
use super::status::tests::session;
use super::transcript::Transcript;
use super::{attach, audit, daemon, permission_request, permissions, queue, sessions, status, wait};
use crate::client::Failure;
use crate::paths::Paths;
use crate::texts::{assert_problems, assert_text};

const MINUTE: Timestamp = 60_000;
const HOUR: Timestamp = 60 * MINUTE;

/// The code of a failure, then what `areyouj` prints about it.
pub(crate) fn printed(failure: &Failure) -> String {
    format!("{}\n{}", failure.code, failure_text(failure, Paint(false)))
}

/// The places of a home that does not exist.
pub(crate) fn paths() -> Paths {
    Paths::from_environment(|name| (name == "AREYOUJ_HOME").then(|| "/home/ada/areyouj".into())).unwrap()
}

fn help(command: &mut Command, texts: &mut Vec<String>) {
    let name = command.get_bin_name().unwrap_or("areyouj").to_owned();
    texts.push(format!("$ {name} --help\n{}", command.render_long_help()));
    for subcommand in command.get_subcommands_mut().filter(|subcommand| subcommand.get_name() != "help") {
        help(subcommand, texts);
    }
}

#[test]
fn every_command_has_a_help_text() {
    let mut command = Arguments::command().term_width(100);
    command.build();
    let mut texts = Vec::new();
    help(&mut command, &mut texts);
    assert_text("help", &texts.join("\n"));
}

#[test]
fn wrong_arguments_are_explained() {
    let lines = [
        "areyouj frobnicate",
        "areyouj show",
        "areyouj show  ",
        "areyouj queue ID pause ID",
        "areyouj wait A --for bored",
        "areyouj wait A --timeout -1",
    ];
    let explained = lines.map(|line| {
        let arguments: Vec<_> = line.split(' ').map(std::ffi::OsString::from).collect();
        format!("$ {line}\n{}", Arguments::read(&arguments).unwrap_err())
    });
    assert_text("usage", &explained.join("\n"));
}

fn session_of(id: &str, status: Status, change: impl FnOnce(&mut Session)) -> Session {
    let mut session = Session { id: id.to_owned(), ..session(status) };
    change(&mut session);
    session
}

fn needs(kind: AttentionKind, title: &str) -> Attention {
    let message_id = matches!(kind, AttentionKind::Interrupted | AttentionKind::Failed)
        .then(|| "3f2a9c1b-0000-4000-8000-000000000000".to_owned());
    Attention { kind, permission_id: None, message_id, title: title.to_owned(), open: 1 }
}

fn error() -> SessionError {
    SessionError {
        code: "crashed_too_often".to_owned(),
        message: "MESSAGE".to_owned(),
        hint: "HINT".to_owned(),
        remedy: None,
        log: Some("line 1\nline 2".to_owned()),
    }
}

/// One session of every status.
fn all_sessions() -> Vec<Session> {
    vec![
        session_of("K7M2Q9XD", Status::Active, |session| {
            session.name = Some("shop".to_owned());
            session.current_task = Some("make the tests green".to_owned());
            session.model = Some("claude-opus-5".to_owned());
            session.permission_mode = Some("default".to_owned());
            (session.context_used, session.context_max) = (Some(20_000), Some(200_000));
            (session.cost_usd, session.queued, session.unread) = (1.5, 2, 3);
            (session.pid, session.host_pid, session.startup_ms) = (Some(12), Some(11), Some(1_200));
            session.last_activity = HOUR;
        }),
        session_of("ABCDEFGH", Status::Starting, |session| {
            session.status_reason = Some("try 2 of 5".to_owned());
        }),
        session_of("BCDEFGHJ", Status::Waiting, |session| {
            session.attention = Some(needs(AttentionKind::Permission, "npm test"));
        }),
        session_of("CDEFGHJK", Status::Waiting, |session| {
            session.driver = Driver::Terminal;
            session.attention = Some(needs(AttentionKind::Terminal, "trust this folder?"));
        }),
        session_of("DEFGHJKM", Status::Idle, |session| {
            session.attention = Some(needs(AttentionKind::Interrupted, "MESSAGE was interrupted"));
            (session.queued, session.queue_paused) = (1, Some("PAUSE".to_owned()));
        }),
        session_of("EFGHJKMN", Status::Idle, |session| {
            (session.queued, session.queue_paused) = (2, Some("PAUSE".to_owned()));
        }),
        session_of("FGHJKMNP", Status::Error, |session| {
            session.error = Some(error());
            session.attention = Some(needs(AttentionKind::Error, "MESSAGE"));
        }),
        session_of("GHJKMNPQ", Status::Terminated, |_| {}),
        session_of("HJKMNPQR", Status::Idle, |session| {
            session.refusals = Some(SessionRefusals {
                count: 3,
                last: HOUR,
                operation: "session/terminate".to_owned(),
                program: "/usr/bin/areyouj".to_owned(),
                pid: 4711,
                title: "TITLE".to_owned(),
                unread: true,
            });
        }),
    ]
}

#[test]
fn sessions_are_listed_and_described() {
    let (screen, home) = (Screen::bare(None), Some("/home/ada"));
    let all = all_sessions();
    assert_text("ls", &sessions::render_list(&all, 2 * HOUR, home, &screen));
    let each = all.iter().map(|session| sessions::describe(session, 2 * HOUR, home, Paint(false)));
    assert_text("show", &each.collect::<Vec<_>>().join("\n"));
    let sentences = all.iter().map(status::sentence).collect::<Vec<_>>();
    assert_text("sentences", &sentences.join("\n"));
}

fn message(state: MessageState, position: Option<u32>, error: Option<&str>) -> Message {
    Message {
        id: "3f2a9c1b-0000-4000-8000-000000000000".to_owned(),
        session_id: "K7M2Q9XD".to_owned(),
        text: "make the tests green".to_owned(),
        state,
        position,
        created_at: 0,
        started_at: None,
        finished_at: None,
        error: error.map(str::to_owned),
    }
}

#[test]
fn queues_are_listed() {
    let screen = Screen::bare(None);
    let queue = |paused: Option<&str>, messages| Queue {
        session_id: "K7M2Q9XD".to_owned(),
        paused: paused.map(str::to_owned),
        messages,
    };
    let full = vec![
        message(MessageState::Done, None, None),
        message(MessageState::Cancelled, None, None),
        message(MessageState::Failed, None, Some("overloaded")),
        message(MessageState::Interrupted, None, None),
        message(MessageState::Running, None, None),
        message(MessageState::Queued, Some(0), None),
        message(MessageState::Queued, Some(1), None),
    ];
    let sentences: Vec<String> = full.iter().map(queue::sentence).collect();
    let tables = [queue(None, Vec::new()), queue(Some("PAUSE"), Vec::new()), queue(Some("PAUSE"), full)];
    let tables = tables.map(|queue| queue::render(&queue, 5 * MINUTE, &screen));
    assert_text("queue", &format!("{}\n{}", tables.join("\n"), sentences.join("\n")));
}

fn request(kind: PermissionKind, tool: &str, title: &str, input: Value, suggestions: Value) -> Permission {
    let suggested: Vec<Value> = serde_json::from_value(suggestions.clone()).unwrap();
    Permission {
        id: "K7M2Q9XD-3".to_owned(),
        session_id: "K7M2Q9XD".to_owned(),
        kind,
        tool: tool.to_owned(),
        display: display::sections(tool, &input),
        digest: "0f".to_owned(),
        controls_areyouj: controls::controls_areyouj(tool, &input),
        always: always::offers(&suggested),
        granted: Vec::new(),
        input: serde_json::from_value(input).unwrap(),
        title: title.to_owned(),
        suggestions: serde_json::from_value(suggestions).unwrap(),
        created_at: 0,
        state: PermissionState::Open,
        answered_by: None,
    }
}

#[test]
fn permission_requests_are_shown_with_what_to_type() {
    let rule = json!([{"type": "addRules", "behavior": "allow", "destination": "localSettings",
        "rules": [{"toolName": "Bash", "ruleContent": "npm test *"}]}]);
    let question = |text: &str, several: bool| {
        json!({"question": text, "header": "Colour", "multiSelect": several,
        "options": [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": ""}]})
    };
    let requests = [
        request(
            PermissionKind::Tool,
            "Bash",
            "npm test",
            json!({"command": "npm test", "description": "Run it"}),
            rule,
        ),
        request(
            PermissionKind::Tool,
            "Edit",
            "Edit /a/b.rs",
            json!({"file_path": "/a/b.rs", "old_string": "one", "new_string": "two"}),
            json!([]),
        ),
        request(
            PermissionKind::Tool,
            "Bash",
            "areyouj ls",
            json!({"command": format!("true{}; areyouj ls", " ".repeat(2_000))}),
            json!([]),
        ),
        request(PermissionKind::Plan, "ExitPlanMode", "A plan", json!({"plan": "1. Do it"}), json!([])),
        request(
            PermissionKind::Question,
            "AskUserQuestion",
            "Which?",
            json!({"questions": [question("Which?", false)]}),
            json!([]),
        ),
        request(
            PermissionKind::Question,
            "AskUserQuestion",
            "Which?",
            json!({"questions": [question("Which?", false), question("Which ones?", true)]}),
            json!([]),
        ),
    ];
    let paint = Paint(false);
    let shown = requests.map(|request| {
        permission_request::content(&request, MINUTE, paint, None)
            + &permission_request::commands(&request, paint)
    });
    assert_text("permissions", &shown.join("\n"));
}

#[test]
fn every_kind_of_entry_is_printed() {
    let call = |parent: Option<&str>| EntryBody::ToolCall {
        tool_use_id: "t".to_owned(),
        tool: "Bash".to_owned(),
        input: serde_json::from_value(json!({"command": "npm test"})).unwrap(),
        parent_tool_use_id: parent.map(str::to_owned),
    };
    let text = |parent: Option<&str>| EntryBody::Text {
        text: "The tests pass.".to_owned(),
        parent_tool_use_id: parent.map(str::to_owned),
    };
    let result = |is_error: bool, lines: usize, truncated: bool| EntryBody::ToolResult {
        tool_use_id: "t".to_owned(),
        is_error,
        text: (1..=lines).map(|line| format!("line {line}\n")).collect(),
        truncated,
    };
    let ended = |outcome: &str, by: Option<&str>, message: Option<&str>| EntryBody::PermissionEnd {
        permission_id: "K7M2Q9XD-1".to_owned(),
        outcome: outcome.to_owned(),
        by: by.map(str::to_owned),
        message: message.map(str::to_owned),
    };
    let turn = |ok: bool, error: Option<&str>| EntryBody::TurnEnd {
        message_id: None,
        ok,
        outcome: if ok { "success" } else { "error_during_execution" }.to_owned(),
        error: error.map(str::to_owned),
        cost_usd: 0.5,
        duration_ms: 3_200,
    };
    let notice = |level, text: &str| EntryBody::Notice { level, text: text.to_owned() };
    let entries = [
        EntryBody::User { message_id: None, text: "make the tests green\nall of them".to_owned() },
        EntryBody::Thinking { text: "Let me see.".to_owned() },
        text(None),
        call(None),
        result(false, 20, false),
        result(false, 20, true),
        result(true, 1, false),
        call(Some("parent")),
        text(Some("parent")),
        EntryBody::Permission {
            permission_id: "K7M2Q9XD-1".to_owned(),
            permission_kind: PermissionKind::Tool,
            tool: "Bash".to_owned(),
            title: "npm test".to_owned(),
        },
        ended("allowed", Some("areyouj-cli"), None),
        ended("allowedAlways", Some("areyouj-cli"), Some("Bash(npm test), for this session only")),
        ended("denied", Some("areyouj-cli"), Some("use pnpm")),
        ended("answered", Some("areyouj-cli"), Some("Red")),
        ended("withdrawn", None, None),
        turn(true, None),
        turn(false, None),
        turn(false, Some("overloaded")),
        notice(NoticeLevel::Info, "NOTICE"),
        notice(NoticeLevel::Warning, "NOTICE"),
        notice(NoticeLevel::Error, "NOTICE"),
    ];
    let mut transcript = Transcript::new(Paint(false));
    let printed: String = entries.iter().map(|entry| transcript.entry(entry)).collect();
    assert_text("logs", &printed);
}

pub(crate) fn daemon_status() -> DaemonStatus {
    DaemonStatus {
        pid: 4711,
        version: "0.0.0-other".to_owned(),
        protocol_version: PROTOCOL_VERSION,
        started_at: 0,
        clients: 2,
        sessions: 5,
        active_sessions: 3,
        max_active_sessions: 10,
        database: "/home/ada/areyouj/data/areyouj.db".to_owned(),
        log_directory: "/home/ada/areyouj/state/log".to_owned(),
        jobs: vec![
            Job {
                name: "remove-leftover-files".to_owned(),
                period_seconds: 3_600,
                last_run: None,
                next_run: HOUR + 60_000,
                last_error: None,
            },
            Job {
                name: "backup".to_owned(),
                period_seconds: 86_400,
                last_run: Some(HOUR - 120_000),
                next_run: HOUR + 86_280_000,
                last_error: Some("The disk is full.".to_owned()),
            },
        ],
    }
}

#[test]
fn a_daemon_is_described() {
    assert_text("daemon-status", &daemon::describe(&daemon_status(), HOUR));
}

#[test]
fn a_view_of_a_terminal_ends_with_a_sentence() {
    let id = "K7M2Q9XD";
    let terminal = |status| session_of(id, status, |session| session.driver = Driver::Terminal);
    let mut failed = terminal(Status::Error);
    failed.error = Some(error());
    let mut restarting = terminal(Status::Starting);
    restarting.status_reason = Some("try 2 of 5".to_owned());
    let ends = [
        Some(attach::detached(id)),
        Some(attach::signalled(id)),
        attach::end_of(&terminal(Status::Terminated)),
    ]
    .into_iter()
    .chain([attach::end_of(&session_of(id, Status::Idle, |_| {})), attach::end_of(&failed)])
    .map(|end| end.unwrap().1);
    let lines = ends.chain([attach::waiting_line(&restarting)]).collect::<Vec<_>>();
    assert_text("attach", &lines.join("\n"));
}

fn question(several: bool) -> Question {
    let options = vec![("Red".to_owned(), String::new()), ("Blue".to_owned(), String::new())];
    Question { question: "Which?".to_owned(), header: String::new(), several, options }
}

#[test]
fn every_failure_of_the_command_line_is_printed() {
    let typed = ["1".to_owned(), "2".to_owned()];
    let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
    let mut session = session(Status::Active);
    session.current_task = Some("make the tests green".to_owned());
    session.queued = 2;
    let mut waiting = session.clone();
    waiting.attention = Some(needs(AttentionKind::Permission, "npm test"));
    let failures = vec![
        super::output_failed(&broken()),
        super::input_too_large(),
        super::input_unreadable(&io::Error::other("stream did not contain valid UTF-8")),
        sessions::unusable_directory(Path::new("/missing"), &io::ErrorKind::NotFound.into()),
        sessions::unusable_directory(Path::new("/a/file/b"), &io::ErrorKind::NotADirectory.into()),
        sessions::unusable_directory(Path::new("/secret"), &io::ErrorKind::PermissionDenied.into()),
        sessions::not_utf8(&PathBuf::from("/odd")),
        audit::no_session_named(),
        choices::parse(&[question(false)], &typed).unwrap_err(),
        choices::parse(&[question(false), question(true)], &typed[..1]).unwrap_err(),
        permissions::not_a_question("K7M2Q9XD-1"),
        attach::not_a_terminal("K7M2Q9XD"),
        attach::no_outer_terminal(&broken()),
        attach::invalid_session_id(),
        attach::terminal_failed(&broken()),
        attach::refused_by_host("K7M2Q9XD", "REASON"),
        wait::terminated(&session),
        wait::error_of(&session),
        wait::timed_out(&session),
        wait::timed_out(&waiting),
        daemon::still_running(&paths()),
    ];
    assert_problems("problems-cli", failures);
}

#[test]
fn a_failure_in_json_has_a_code_a_message_and_a_hint() {
    let failure = Failure::new(ErrorCode::QueueFull, "MESSAGE", "HINT");
    assert_text("problem-json", &super::screen::failure_json(&failure));
}
