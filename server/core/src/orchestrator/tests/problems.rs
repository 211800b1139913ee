//! Snapshots of every problem that the rules report.

use serde_json::{Value, json};

use super::super::check::{check_room, check_text, checked_name, conflict};
use super::super::problems::{MAX_MESSAGE_BYTES, MAX_NAME_CHARS, MAX_QUEUE, MAX_STEERS};
use super::super::*;
use super::{Bench, failed_turn};
use crate::texts::{assert_problems, assert_text};

fn refusal(bench: &mut Bench, session: SessionId, operation: SessionOperation) -> Problem {
    printable(&bench.change(session, operation).0.expect_err("a refusal"), session)
}

/// The problem with a fixed id in place of the session's random one.
fn printable(problem: &Problem, session: SessionId) -> Problem {
    let text = serde_json::to_string(problem).unwrap();
    serde_json::from_str(&text.replace(session.as_str(), id().as_str())).unwrap()
}

fn of(session: SessionId) -> SessionRef {
    SessionRef::Id(session.to_string())
}

fn id() -> SessionId {
    "K7M2Q9XD".parse().unwrap()
}

#[test]
fn every_refusal_of_a_name_or_an_id_is_printed() {
    let states = [
        MessageState::Running,
        MessageState::Done,
        MessageState::Failed,
        MessageState::Interrupted,
        MessageState::Cancelled,
    ];
    let mut problems = vec![
        Problem::session_not_found("K7"),
        Problem::session_not_found(&"x".repeat(50)),
        Problem::no_session_here(),
        Problem::ambiguous("K7", &["K7M2Q9XD".to_owned(), "K7M2Q9XE".to_owned()]),
        Problem::message_not_found("3f2a"),
        Problem::permission_not_found("K7M2Q9XD-1"),
        Problem::terminated(id()),
        Problem::already_answered(PermissionState::Withdrawn, None),
        Problem::already_answered(PermissionState::Answered, Some("areyouj-cli")),
        Problem::already_answered(PermissionState::Answered, None),
        conflict(),
        check_text(" ").unwrap_err(),
        check_text(&"x".repeat(MAX_MESSAGE_BYTES + 1)).unwrap_err(),
        check_room(MAX_QUEUE + 1, 1).unwrap_err(),
        checked_name(Some("x".repeat(MAX_NAME_CHARS + 1))).unwrap_err(),
    ];
    problems.extend(states.map(Problem::not_queued));
    assert_problems("problems-orchestrator-names", problems);
}

#[test]
fn every_refusal_of_a_command_is_printed() {
    let mut bench = Bench::new(Settings { max_active: 1, ..Settings::default() });
    let session = bench.ready();
    let too_many = bench.create().0.unwrap_err();
    let no_turn = refusal(&mut bench, session, SessionOperation::Interrupt);
    let lives = refusal(&mut bench, session, SessionOperation::Delete);
    let no_id = Idempotent { request_id: String::new(), target: of(session) };
    let no_id = bench.command(Operation::Session(no_id, SessionOperation::Restart)).0.unwrap_err();
    let message = bench.send(session, "hello").unwrap();
    let named = bench.request(message.to_string());
    let again = Operation::Message(named, MessageOperation::Recover(Recovery::Again));
    let not_interrupted = bench.command(again).0.unwrap_err();
    let begun = Fact::Lifecycle { message, stage: Stage::Started };
    bench.facts(
        session,
        vec![Fact::Written(Written::Message(message)), Fact::Activity(Activity::Running), begun],
    );
    let steer = |bench: &mut Bench| {
        let id = bench.id();
        bench.command(Operation::Send { session: of(session), id, text: "now".to_owned(), steer: true }).0
    };
    for _ in 0..MAX_STEERS {
        steer(&mut bench).unwrap();
    }
    let many_steers = steer(&mut bench).unwrap_err();
    assert_problems(
        "problems-orchestrator-commands",
        [too_many, no_turn, lives, no_id, not_interrupted, many_steers],
    );
}

/// The refusal of this answer to such a permission request.
fn answered(kind: PermissionKind, input: &Value, suggestions: Vec<Value>, answer: Answer) -> Problem {
    let mut bench = Bench::new(Settings::default());
    let session = bench.ready();
    let ask = PermissionRequest {
        request_id: "r".to_owned(),
        kind,
        tool: "Bash".to_owned(),
        input: ToolInput::parse(&input.to_string()).unwrap(),
        title: "ls".to_owned(),
        suggestions,
        tool_use_id: None,
        plan: None,
    };
    bench.facts(session, vec![Fact::PermissionRequested(ask)]);
    printable(&bench.answer(&format!("{session}-1"), answer).0.expect_err("a refusal"), session)
}

#[test]
fn every_refusal_to_a_session_is_printed() {
    let insider = Insider { id: Some(id()), ..Insider::default() };
    assert_problems(
        "problems-orchestrator-insiders",
        [
            Problem::inside_session(&insider, None),
            Problem::inside_session(&insider, Some("read")),
            Problem::inside_session(&Insider::default(), Some("read")),
            Problem::wider_mode(&insider, "default"),
            Problem::note_empty(),
            Problem::note_too_long(),
            Problem::too_many_notes(),
        ],
    );
}

#[test]
fn every_refusal_of_an_answer_is_printed() {
    let question = || {
        let question = |several: bool| json!({"question": "Which?", "multiSelect": several});
        let other = json!({"question": "Why?", "multiSelect": true, "options": [{"label": "a, b"}, {"label": "a"},
            {"label": "b"}]});
        json!({"questions": [question(false), other]})
    };
    let choose = |choices: &[&[&str]]| Answer::Choose {
        choices: choices
            .iter()
            .map(|labels| labels.iter().map(|label| (*label).to_owned()).collect())
            .collect(),
    };
    let always = |suggestions| Answer::AllowAlways { suggestions };
    let asked = |answer| answered(PermissionKind::Question, &question(), Vec::new(), answer);
    assert_problems(
        "problems-orchestrator-answers",
        [
            asked(Answer::Allow),
            asked(choose(&[&["Red"]])),
            asked(choose(&[&[""], &["Red"]])),
            asked(choose(&[&["Red", "Blue"], &["Red"]])),
            answered(PermissionKind::Tool, &json!({}), Vec::new(), choose(&[&["Red"]])),
            answered(PermissionKind::Tool, &json!({}), Vec::new(), always(None)),
            answered(PermissionKind::Tool, &json!({}), vec![json!({})], always(Some(vec![1]))),
            answered(PermissionKind::Tool, &json!({}), vec![json!({"type": "setMode"})], always(None)),
            answered(
                PermissionKind::Tool,
                &json!({"command": "areyouj ls"}),
                vec![json!({"type": "addRules", "behavior": "allow"})],
                always(None),
            ),
            asked(choose(&[&["Red"], &["a", "b"]])),
            answered(
                PermissionKind::Question,
                &json!({"questions": [{"question": "Which?"}, {"question": "Which?"}]}),
                Vec::new(),
                choose(&[&["Red"], &["Blue"]]),
            ),
        ],
    );
}

/// The session's error after every allowed launch has failed like this.
fn start_that_fails(happens: impl Fn(&mut Bench, SessionId, u32)) -> Problem {
    let mut bench = Bench::new(Settings::default());
    let session = bench.create().0.unwrap();
    for launch in 1..=5 {
        happens(&mut bench, session, launch);
        bench.pass(8_000);
        bench.inspected(session, false);
    }
    error_of(&bench, session)
}

fn error_of(bench: &Bench, session: SessionId) -> Problem {
    let error = bench.view(session).row.error.expect("the session needs a person");
    printable(&error, session)
}

#[test]
fn every_error_of_a_session_is_printed() {
    let started = |launch| Fact::Started { launch, pid: 7 };
    let exited = |launch| Fact::Exited { launch, exit: Exit::Code(1) };
    let mut problems = vec![
        start_that_fails(|bench, session, launch| {
            let line = Fact::ErrorLine("bad flag".to_owned());
            bench.facts(session, vec![started(launch), line, exited(launch)]);
        }),
        start_that_fails(|bench, session, launch| {
            bench.facts(session, vec![Fact::SpawnFailed { launch, message: "no such file".to_owned() }]);
        }),
        start_that_fails(|bench, session, launch| {
            bench.step(Event::HostLost { session, launch });
        }),
        start_that_fails(|bench, session, launch| {
            bench.facts(session, vec![started(launch)]);
            let request_id = "areyouj-init-1".to_owned();
            bench.facts(session, vec![Fact::ControlFailed { request_id, message: "no".to_owned() }]);
            bench.facts(session, vec![exited(launch)]);
        }),
        start_that_fails(|bench, session, launch| {
            bench.facts(session, vec![started(launch)]);
            bench.pass(60_000);
            bench.facts(session, vec![exited(launch)]);
        }),
        start_that_fails(|bench, session, launch| {
            bench.pass(60_000);
            bench.facts(session, vec![started(launch), exited(launch)]);
        }),
    ];

    let mut bench = Bench::new(Settings::default());
    let session = bench.ready();
    for launch in 1..=6 {
        bench.facts(session, vec![Fact::Exited { launch, exit: Exit::Signal(11) }]);
        bench.pass(10_000);
        bench.inspected(session, true);
        bench.facts(session, vec![started(launch + 1), Fact::Ready { pending: Vec::new() }]);
    }
    problems.push(error_of(&bench, session));

    let mut bench = Bench::new(Settings::default());
    let session = bench.ready();
    let message = bench.send(session, "hello").unwrap();
    bench.facts(session, vec![Fact::LoginRefused, Fact::TurnEnded(failed_turn(message))]);
    problems.push(error_of(&bench, session));

    let mut bench = Bench::new(Settings::default());
    bench.driver = Driver::Terminal;
    let session = bench.create().0.unwrap();
    bench.facts(
        session,
        vec![
            started(1),
            Fact::ProcessStatus(ProcessStatus::Idle),
            Fact::PromptSubmitted("by hand".to_owned()),
        ],
    );
    bench.send(session, "one").unwrap();
    bench.facts(session, vec![Fact::Quit, Fact::Exited { launch: 1, exit: Exit::Code(0) }]);
    problems.push(error_of(&bench, session));
    problems.push(Problem::conversation_not_found(
        id(),
        uuid::Uuid::from_u128(7),
        "/home/ada/.claude/projects",
    ));
    problems.push(Problem::permission_mode_wider(id(), "plan", "acceptEdits"));
    assert_problems("problems-orchestrator-sessions", problems);
}

/// The notices that the transcript gets by these effects.
fn notices_of(effects: &[Effect]) -> Vec<String> {
    let texts = effects.iter().filter_map(|effect| match effect {
        Effect::Publish(Notification::Entry { entry, .. }) => match &entry.body {
            EntryBody::Notice { level, text } => Some(format!("{level:?}: {text}")),
            _ => None,
        },
        _ => None,
    });
    texts.collect()
}

/// The notices that the transcript gets from these facts.
fn notices(facts: Vec<Fact>) -> Vec<String> {
    let mut bench = Bench::new(Settings::default());
    let session = bench.ready();
    bench.send(session, "hello").unwrap();
    let effects = bench.facts(session, facts);
    let mut texts = notices_of(&effects);
    texts.extend(bench.view(session).row.status_reason.map(|reason| format!("status: {reason}")));
    texts
}

#[test]
fn notices_and_reasons_of_a_status_are_printed() {
    let retrying = Fact::Retrying {
        attempt: 1,
        of: 10,
        status: Some(429),
        error: "rate_limit".to_owned(),
        delay_ms: 500,
    };
    let failed = Fact::ControlFailed { request_id: "areyouj-x-1".to_owned(), message: "no".to_owned() };
    let unsupported = Fact::Unsupported { request_id: "r".to_owned(), subtype: "new_thing".to_owned() };
    let exits = [Exit::Code(1), Exit::Signal(9)].map(|exit| vec![Fact::Exited { launch: 1, exit }]);
    let mut texts: Vec<String> =
        [vec![retrying], vec![failed], vec![unsupported], vec![Fact::Garbage("HTTP/1.1".to_owned())]]
            .into_iter()
            .chain(exits)
            .flat_map(notices)
            .collect();

    let mut bench = Bench::new(Settings::default());
    let session = bench.ready();
    let reason = |bench: &Bench, session| {
        format!("status: {}", bench.view(session).row.status_reason.expect("a reason"))
    };
    bench.step(Event::HostStalled { session, launch: 1, why: Some("the disk is full".to_owned()) });
    texts.push(reason(&bench, session));
    bench.step(Event::HostStalled { session, launch: 1, why: None });
    let survived = Event::Survived { session, processes: "4711 (sleep)".to_owned() };
    texts.extend(notices_of(&bench.step(survived)));
    bench.send(session, "hello").unwrap();
    let begun = vec![Fact::Activity(Activity::Running)];
    bench.facts(session, begun);
    let switch = Switch { driver: Driver::Terminal, interrupt: false };
    bench.change(session, SessionOperation::Switch(switch)).0.unwrap();
    texts.push(reason(&bench, session));
    bench.change(session, SessionOperation::Restart).0.unwrap();
    texts.push(reason(&bench, session));
    bench.change(session, SessionOperation::Terminate).0.unwrap();
    texts.push(reason(&bench, session));

    let mut bench = Bench::new(Settings { max_starting: 1, ..Settings::default() });
    bench.create().0.unwrap();
    let waits = bench.create().0.unwrap();
    texts.push(reason(&bench, waits));

    let [turn, message, failed] =
        [PauseReason::TurnInterrupted, PauseReason::MessageInterrupted, PauseReason::Failed]
            .map(Pause::because);
    let pauses = [Pause::HELD, turn, message, message.held(), failed, failed.held()];
    texts.extend(pauses.map(|pause| format!("pause: {}", pause.explanation().unwrap())));
    assert_text("notices-orchestrator", &texts.join("\n"));
}
