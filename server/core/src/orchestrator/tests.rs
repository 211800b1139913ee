//! The rules of the orchestrator, one test each. The interleavings test what must hold in every order of events.

mod answers;
mod in_effect;
mod insiders;
mod problems;
mod starts;
mod terminal;
mod trust;

use std::collections::BTreeMap;

use uuid::Uuid;

use super::*;

/// A state with a clock, and the commands of a person.
struct Bench {
    state: State,
    now: Now,
    ids: u128,
    driver: Driver,
    /// The newest inspection of Claude's own record.
    inspection: u32,
}

impl Bench {
    fn new(settings: Settings) -> Bench {
        let now = Now { wall: 1_000_000, monotonic: 0 };
        Bench {
            state: State::restore(settings, Snapshot::default(), now, Entropy::new(0)).0,
            now,
            ids: 0,
            driver: Driver::Stream,
            inspection: 0,
        }
    }

    fn id(&mut self) -> Uuid {
        self.ids += 1_000;
        Uuid::from_u128(self.ids)
    }

    fn step(&mut self, event: Event) -> Vec<Effect> {
        let entropy = Entropy::new(self.id().as_u128());
        let effects = self.state.step(self.now, entropy, event);
        self.state.check().unwrap();
        let inspections = effects.iter().filter_map(|effect| match effect {
            Effect::Inspect { inspection, .. } => Some(*inspection),
            _ => None,
        });
        self.inspection = inspections.max().unwrap_or(self.inspection);
        effects
    }

    fn command(&mut self, command: impl Into<Command>) -> (Result<Outcome, Problem>, Vec<Effect>) {
        let principal = Principal::Person { name: "a person".to_owned() };
        self.command_of(principal, command)
    }

    fn command_of(
        &mut self,
        principal: Principal,
        command: impl Into<Command>,
    ) -> (Result<Outcome, Problem>, Vec<Effect>) {
        let process = Process { pid: 7, program: "/bin/areyouj".to_owned(), terminal: None };
        let origin = Origin { client: 1, principal, process: process.into(), reply: 1 };
        let effects = self.step(Event::Command { origin, command: command.into() });
        let answer = effects.iter().find_map(|effect| match effect {
            Effect::Reply { result, .. } => Some(result.clone()),
            _ => None,
        });
        (answer.expect("every command is answered in its own step"), effects)
    }

    fn create(&mut self) -> (Result<SessionId, Problem>, Vec<Effect>) {
        let create = self.new_session();
        self.created(create)
    }

    fn new_session(&mut self) -> Create {
        Create {
            trust: DirectoryTrust::Known,
            request_id: self.id().to_string(),
            spec: SessionSpec {
                directory: "/project".to_owned(),
                driver: self.driver,
                model: None,
                permission_mode: None,
            },
            environment: BTreeMap::new(),
            name: None,
            messages: Vec::new(),
        }
    }

    fn created(&mut self, create: Create) -> (Result<SessionId, Problem>, Vec<Effect>) {
        let (answer, effects) = self.command(Operation::Create(Box::new(create)));
        let id = answer.map(|outcome| match outcome {
            Outcome::Created { session, .. } => session.row.id,
            other => panic!("not a session: {other:?}"),
        });
        (id, effects)
    }

    fn facts(&mut self, session: SessionId, facts: Vec<Fact>) -> Vec<Effect> {
        let position = self.view(session).row.position;
        self.step(Event::Facts { session, facts, position })
    }

    fn ready(&mut self) -> SessionId {
        let session = self.create().0.unwrap();
        self.facts(session, vec![Fact::Started { launch: 1, pid: 7 }, Fact::Ready { pending: Vec::new() }]);
        session
    }

    /// Answers the newest inspection of Claude's own record, which holds no messages.
    fn inspected(&mut self, session: SessionId, conversation: bool) -> Vec<Effect> {
        self.recorded(
            session,
            if conversation { ConversationState::Begun } else { ConversationState::Nothing },
        )
    }

    fn recorded(&mut self, session: SessionId, conversation: ConversationState) -> Vec<Effect> {
        let inspection = self.inspection;
        let (messages, place) = (Vec::new(), "/home/.claude/projects".to_owned());
        self.step(Event::Inspected { session, inspection, conversation, messages, place })
    }

    fn send(&mut self, session: SessionId, text: &str) -> Result<MessageId, Problem> {
        let id = self.id();
        let target = SessionRef::Id(session.to_string());
        let sent =
            self.command(Operation::Send { session: target, id, text: text.to_owned(), steer: false }).0;
        sent.map(|_| id)
    }

    /// A person changes a session, with a new request.
    fn change(
        &mut self,
        session: SessionId,
        operation: SessionOperation,
    ) -> (Result<Outcome, Problem>, Vec<Effect>) {
        let of = self.request(SessionRef::Id(session.to_string()));
        self.command(Operation::Session(of, operation))
    }

    /// A person answers a permission request, with a new request.
    fn answer(&mut self, permission: &str, answer: Answer) -> (Result<Outcome, Problem>, Vec<Effect>) {
        let row = permission.parse().ok().and_then(|id| self.state.permission(id));
        let digest = row.map(|row| row.displayed().digest).unwrap_or_default();
        let of = self.request(SeenPermission { id: permission.to_owned(), digest });
        self.command(Operation::Answer(of, answer))
    }

    fn request<T>(&mut self, target: T) -> Idempotent<T> {
        Idempotent { request_id: self.id().to_string(), target }
    }

    fn view(&self, session: SessionId) -> SessionView {
        self.state.views(true).into_iter().find(|view| view.row.id == session).unwrap()
    }

    fn pass(&mut self, ms: u64) -> Vec<Effect> {
        self.now.monotonic += ms;
        self.now.wall += ms;
        self.step(Event::Tick)
    }
}

fn launches(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Launch(_) | Effect::Inspect { .. })).count()
}

fn sent(effects: &[Effect]) -> Vec<&Input> {
    fn input(effect: &Effect) -> Option<&Input> {
        match effect {
            Effect::Send { input, .. } => Some(input),
            _ => None,
        }
    }
    effects.iter().filter_map(input).collect()
}

/// A session that has never been started.
pub(super) fn bare_row() -> SessionRow {
    let spec = SessionSpec {
        directory: "/project".to_owned(),
        driver: Driver::Stream,
        model: None,
        permission_mode: None,
    };
    let id = SessionId::from_random(&[0; 8]).unwrap();
    SessionRow { status: Status::Idle, ..SessionRow::new(id, spec, Uuid::from_u128(1), 1) }
}

fn code<T: std::fmt::Debug>(result: &Result<T, Problem>) -> &str {
    result.as_ref().err().map_or("ok", |problem| problem.code.as_str())
}

#[test]
fn six_crashes_within_ten_minutes_need_a_person_and_a_successful_turn_resets_the_count() {
    let mut bench = Bench::new(Settings::default());
    let session = bench.ready();
    for launch in 1..=6 {
        assert_ne!(bench.view(session).row.status, Status::Error, "crash {launch}");
        bench.facts(session, vec![Fact::Exited { launch, exit: Exit::Signal(11) }]);
        bench.pass(10_000);
        bench.inspected(session, true);
        let next = launch + 1;
        bench.facts(
            session,
            vec![Fact::Started { launch: next, pid: 7 }, Fact::Ready { pending: Vec::new() }],
        );
    }
    assert_eq!(bench.view(session).row.error.unwrap().code, ErrorCode::CrashedTooOften);
}

#[test]
fn an_existing_conversation_is_resumed_and_another_one_is_started() {
    for conversation in [true, false] {
        let mut bench = Bench::new(Settings::default());
        let session = bench.ready();
        bench.facts(session, vec![Fact::Exited { launch: 1, exit: Exit::Signal(9) }]);
        bench.pass(500);
        let effects = bench.inspected(session, conversation);
        let resumed = effects.iter().any(|effect| matches!(effect, Effect::Launch(order) if order.resume));
        assert_eq!(resumed, conversation);
    }
}

#[test]
fn a_conversation_without_messages_starts_under_another_id() {
    let mut bench = Bench::new(Settings::default());
    let session = bench.ready();
    bench.facts(session, vec![Fact::Exited { launch: 1, exit: Exit::Signal(9) }]);
    bench.pass(500);
    let silent = bench.view(session).row.claude_session;
    let effects = bench.recorded(session, ConversationState::Silent);
    let instead = bench.view(session).row.claude_session;
    assert_ne!(instead, silent);
    let begun = |effect: &Effect| matches!(effect, Effect::Launch(order) if !order.resume && order.claude_session == instead);
    assert!(effects.iter().any(begun));
}

#[test]
fn a_claude_that_has_no_login_asks_for_one_when_its_turn_ends() {
    let mut bench = Bench::new(Settings::default());
    let session = bench.ready();
    bench.send(session, "hello").unwrap();
    let turn = TurnEnd {
        messages: Vec::new(),
        ok: false,
        outcome: "success".to_owned(),
        error: Some("Not logged in".to_owned()),
        api_status: None,
        cost_total: 0.0,
        duration_ms: 1,
        context_max: None,
    };
    bench.facts(session, vec![Fact::LoginRefused, Fact::TurnEnded(turn)]);
    assert_eq!(bench.view(session).row.error.unwrap().code, ErrorCode::LoginNeeded);
}

#[test]
fn a_login_that_the_api_keeps_refusing_interrupts_the_turn_and_asks_for_a_login() {
    let mut bench = Bench::new(Settings::default());
    let session = bench.ready();
    let message = bench.send(session, "hello").unwrap();
    let refused = |attempt| Fact::Retrying {
        attempt,
        of: 10,
        status: Some(401),
        error: "authentication_failed".to_owned(),
        delay_ms: 500,
    };
    let started = Fact::Lifecycle { message, stage: Stage::Started };
    bench.facts(session, vec![Fact::Written(Written::Message(message)), started, refused(1), refused(2)]);
    assert_eq!(bench.view(session).row.status, Status::Active);
    let effects = bench.facts(session, vec![refused(3)]);
    assert!(matches!(sent(&effects).as_slice(), [Input::Interrupt { .. }]));
    let end = TurnEnd {
        messages: vec![message],
        ok: false,
        outcome: "error_during_execution".to_owned(),
        error: None,
        api_status: None,
        cost_total: 0.0,
        context_max: None,
        duration_ms: 1,
    };
    let effects = bench.facts(session, vec![Fact::TurnEnded(end)]);
    assert!(effects.contains(&Effect::Stop { session, launch: 1, at_once: false }));
    let view = bench.view(session);
    assert_eq!(view.row.error.unwrap().code, ErrorCode::LoginNeeded);
    assert_eq!(view.row.pause_message, Some(message), "the message can be sent again");
}

#[test]
fn a_message_that_a_crash_interrupted_waits_for_a_decision_unless_a_setting_decides() {
    let expected = [
        (None, true, 0),
        (Some(Recovery::Skip), false, 0),
        (Some(Recovery::Again), false, 1),
        (Some(Recovery::Continue), false, 1),
    ];
    for (on_interrupted, paused, queued) in expected {
        let mut bench = Bench::new(Settings { on_interrupted, ..Settings::default() });
        let session = bench.ready();
        let message = bench.send(session, "hello").unwrap();
        let begun = Fact::Lifecycle { message, stage: Stage::Started };
        bench.facts(session, vec![Fact::Written(Written::Message(message)), begun]);
        bench.facts(session, vec![Fact::Exited { launch: 1, exit: Exit::Signal(9) }]);
        let view = bench.view(session);
        assert_eq!((view.row.paused.is_paused(), view.queued), (paused, queued), "{on_interrupted:?}");
        assert_eq!(view.attention.is_some(), paused);
    }
}

#[test]
fn a_queue_that_a_person_paused_stays_paused_after_every_decision_about_a_message() {
    for pauses_first in [true, false] {
        for choice in [Recovery::Skip, Recovery::Again, Recovery::Continue] {
            let mut bench = Bench::new(Settings::default());
            let session = bench.ready();
            let message = bench.send(session, "hello").unwrap();
            let begun = Fact::Lifecycle { message, stage: Stage::Started };
            bench.facts(session, vec![Fact::Written(Written::Message(message)), begun]);
            if pauses_first {
                bench.change(session, SessionOperation::PauseQueue).0.unwrap();
            }
            bench.facts(session, vec![Fact::Exited { launch: 1, exit: Exit::Signal(9) }]);
            if !pauses_first {
                bench.change(session, SessionOperation::PauseQueue).0.unwrap();
            }
            assert_eq!(
                bench.view(session).row.paused,
                Pause::because(PauseReason::MessageInterrupted).held()
            );
            assert!(bench.view(session).attention.is_some());
            let of = bench.request(message.to_string());
            bench.command(Operation::Message(of, MessageOperation::Recover(choice))).0.unwrap();
            assert_eq!(bench.view(session).row.paused, Pause::HELD, "{choice:?}");
            assert!(bench.view(session).attention.is_none());
            bench.change(session, SessionOperation::ResumeQueue).0.unwrap();
            assert_eq!(bench.view(session).row.paused, Pause::default());
        }
    }
}

#[test]
fn a_queue_that_a_person_paused_stays_paused_when_a_setting_decides_and_when_a_message_fails() {
    for on_interrupted in [Recovery::Skip, Recovery::Again, Recovery::Continue] {
        let settings = Settings { on_interrupted: Some(on_interrupted), ..Settings::default() };
        for fails in [true, false] {
            let mut bench = Bench::new(settings);
            let session = bench.ready();
            let message = bench.send(session, "hello").unwrap();
            let begun = Fact::Lifecycle { message, stage: Stage::Started };
            bench.facts(session, vec![Fact::Written(Written::Message(message)), begun]);
            bench.change(session, SessionOperation::PauseQueue).0.unwrap();
            let (end, pause) = if fails {
                (Fact::TurnEnded(failed_turn(message)), Pause::because(PauseReason::Failed).held())
            } else {
                (Fact::Exited { launch: 1, exit: Exit::Signal(9) }, Pause::HELD)
            };
            bench.facts(session, vec![end]);
            assert_eq!(bench.view(session).row.paused, pause, "{on_interrupted:?}");
        }
    }
}

fn failed_turn(message: MessageId) -> TurnEnd {
    TurnEnd {
        messages: vec![message],
        ok: false,
        outcome: "error_during_execution".to_owned(),
        error: Some("no".to_owned()),
        api_status: None,
        cost_total: 0.0,
        duration_ms: 1,
        context_max: None,
    }
}

#[test]
fn the_beginning_of_an_id_is_enough_if_it_fits_one_and_a_live_session_comes_first() {
    let mut bench = Bench::new(Settings::default());
    let ids: [SessionId; 2] = ["BBBBBBBC", "BBBBBBBD"].map(|id| id.parse().unwrap());
    let rows = ids.map(|id| SessionRow { id, launch: 1, host: true, ready: true, ..bare_row() });
    let snapshot = Snapshot { sessions: rows.to_vec(), ..Snapshot::default() };
    bench.state = State::restore(Settings::default(), snapshot, bench.now, Entropy::new(0)).0;
    let [first, second] = ids;
    let beginning = &first.as_str()[..7];
    let get =
        |bench: &mut Bench, text: &str| bench.command(Query::Session(SessionRef::Id(text.to_owned()))).0;
    assert_eq!(code(&get(&mut bench, beginning)), "ambiguous_id");
    assert_eq!(code(&get(&mut bench, "99999999")), "session_not_found");
    assert_eq!(code(&get(&mut bench, &first.as_str().to_lowercase())), "ok");
    bench.change(second, SessionOperation::Terminate).0.unwrap();
    bench.facts(second, vec![Fact::Exited { launch: 1, exit: Exit::Code(0) }]);
    let Ok(Outcome::Session(view)) = get(&mut bench, beginning) else { panic!("one live session is left") };
    assert_eq!(view.row.id, first);
    assert_eq!(code(&get(&mut bench, "")), "session_not_found", "nothing is not the one that is left");
}

#[test]
fn a_message_moves_to_the_requested_place() {
    let mut bench = Bench::new(Settings::default());
    let session = bench.ready();
    bench.change(session, SessionOperation::PauseQueue).0.unwrap();
    let ids: Vec<MessageId> = (0..5).map(|_| bench.send(session, "hello").unwrap()).collect();
    let mut expected = ids;
    // Enough moves to use up the room between two neighbours many times.
    for turn in 0..200usize {
        let (from, to) = (turn * 3 % 5, turn % 4);
        let id = expected.remove(from);
        expected.insert(to, id);
        let of = bench.request(id.to_string());
        let place = MessageOperation::Move(u32::try_from(to).unwrap());
        bench.command(Operation::Message(of, place)).0.unwrap();
        let Ok(Outcome::Queue(queue)) = bench.command(Query::Queue(SessionRef::Id(session.to_string()))).0
        else {
            panic!("a queue was asked for");
        };
        let order: Vec<MessageId> = queue.messages.iter().map(|message| message.row.id).collect();
        assert_eq!(order, expected);
    }
}

#[test]
fn a_message_is_refused_when_it_is_empty_or_too_large_or_the_queue_is_full() {
    let mut bench = Bench::new(Settings::default());
    let session = bench.create().0.unwrap();
    assert_eq!(code(&bench.send(session, " \n")), "message_empty");
    assert_eq!(code(&bench.send(session, &"x".repeat((1 << 20) + 1))), "message_too_large");
    for _ in 0..16 {
        assert_eq!(code(&bench.send(session, &"x".repeat(1 << 20))), "ok");
    }
    assert_eq!(code(&bench.send(session, "x")), "queue_full");
}

#[test]
fn a_question_is_answered_by_choices_that_exist() {
    let mut bench = Bench::new(Settings::default());
    let session = bench.ready();
    let question = |several: bool| {
        serde_json::json!({"questions": [{"question": "Which?", "multiSelect": several,
            "options": [{"label": "A"}, {"label": "B"}]}]})
    };
    for (number, several) in [(1, false), (2, true)] {
        let ask = PermissionRequest {
            request_id: format!("r{number}"),
            kind: PermissionKind::Question,
            tool: "AskUserQuestion".to_owned(),
            input: ToolInput::parse(&question(several).to_string()).unwrap(),
            title: "Which?".to_owned(),
            suggestions: Vec::new(),
            tool_use_id: None,
            plan: None,
        };
        bench.facts(session, vec![Fact::PermissionRequested(ask)]);
        let mut answer =
            |answer: Answer| code(&bench.answer(&format!("{session}-{number}"), answer).0).to_owned();
        let choose = |labels: &[&str]| Answer::Choose {
            choices: vec![labels.iter().map(|label| (*label).to_owned()).collect()],
        };
        assert_eq!(answer(Answer::Allow), "answer_invalid");
        assert_eq!(answer(Answer::Choose { choices: Vec::new() }), "answer_invalid");
        assert_eq!(answer(choose(&[])), "answer_invalid");
        assert_eq!(answer(choose(&["A", "B"])), if several { "ok" } else { "answer_invalid" });
        assert_eq!(answer(choose(&["A"])), if several { "permission_answered" } else { "ok" });
    }
}

#[test]
fn sessions_of_the_same_millisecond_are_listed_by_id_as_in_the_editors() {
    let mut bench = Bench::new(Settings::default());
    let (one, other) = (bench.create().0.unwrap(), bench.create().0.unwrap());
    bench.now.wall += 1;
    let newest = bench.create().0.unwrap();
    let listed: Vec<SessionId> = bench.state.views(true).iter().map(|view| view.row.id).collect();
    assert_eq!(listed, [newest, one.min(other), one.max(other)]);
}

fn shell_command(request_id: String) -> PermissionRequest {
    PermissionRequest {
        request_id,
        kind: PermissionKind::Tool,
        tool: "Bash".to_owned(),
        input: ToolInput::parse("{}").unwrap(),
        title: "true".to_owned(),
        suggestions: Vec::new(),
        tool_use_id: None,
        plan: None,
    }
}

#[test]
fn settled_requests_are_forgotten_and_open_ones_are_kept() {
    let mut bench = Bench::new(Settings::default());
    let session = bench.ready();
    for number in 1..=100 {
        let request_id = format!("r{number}");
        bench.facts(session, vec![Fact::PermissionRequested(shell_command(request_id.clone()))]);
        if number > 1 {
            bench.answer(&format!("{session}-{number}"), Answer::Allow).0.unwrap();
            bench.facts(session, vec![Fact::Written(Written::Answer { request_id })]);
        }
    }
    let requests = bench.state.sessions[&session].permissions();
    assert_eq!(requests.get(1).unwrap().state, PermissionState::Open);
    let kept = (1..=100).filter(|number| requests.get(*number).is_some()).count();
    assert!(requests.get(100).is_some() && kept < 20, "{kept} requests");
}

#[test]
fn an_answer_to_a_settled_request_does_not_answer_one_whose_number_begins_alike() {
    let mut bench = Bench::new(Settings::default());
    let session = bench.ready();
    for number in 1..=30 {
        bench.facts(session, vec![Fact::PermissionRequested(shell_command(format!("r{number}")))]);
        if number < 30 {
            bench.facts(session, vec![Fact::PermissionWithdrawn { request_id: format!("r{number}") }]);
        }
    }
    for over in ["1", "3", "29"] {
        let (answer, _) = bench.answer(&format!("{session}-{over}"), Answer::Allow);
        assert!(matches!(code(&answer), "permission_not_found" | "permission_withdrawn"), "{answer:?}");
    }
    let newest = bench.state.sessions[&session].permissions().get(30).unwrap();
    assert_eq!(newest.state, PermissionState::Open);
    for beginning in [&session.as_str()[..3], session.as_str(), &format!("{session}-")] {
        let refused = bench.answer(beginning, Answer::Allow).0.unwrap_err();
        assert_eq!(refused.code, ErrorCode::PermissionIdIncomplete);
        assert!(refused.hint().contains(&format!("{session}-30")), "{}", refused.hint());
    }
    assert_eq!(code(&bench.answer(&format!("{session}-30"), Answer::Allow).0), "ok");
}

#[test]
fn an_answer_that_comes_while_the_host_is_being_found_reaches_claude_once() {
    let mut bench = Bench::new(Settings::default());
    let session = bench.ready();
    let ask = shell_command("r1".to_owned());
    bench.facts(session, vec![Fact::PermissionRequested(ask)]);
    let row = bench.view(session).row;
    let request = bench.state.sessions[&session].permissions().get(1).unwrap().clone();
    let snapshot = Snapshot { sessions: vec![row], permissions: vec![request], ..Snapshot::default() };
    bench.state = State::restore(Settings::default(), snapshot, bench.now, Entropy::new(0)).0;

    let (answer, effects) = bench.answer(&format!("{session}-1"), Answer::Allow);
    answer.unwrap();
    assert_eq!(sent(&effects), Vec::<&Input>::new(), "nobody knows yet whether the host lives");
    let effects = bench.step(Event::Synced { session, launch: 1 });
    let answers = sent(&effects).into_iter().filter(|input| matches!(input, Input::Answer { .. })).count();
    assert_eq!(answers, 1);
}

#[test]
fn a_restart_in_the_middle_of_a_turn_holds_the_waiting_messages() {
    let mut bench = Bench::new(Settings::default());
    let session = bench.ready();
    bench.send(session, "runs").unwrap();
    bench.send(session, "waits").unwrap();
    bench.change(session, SessionOperation::Restart).0.unwrap();
    assert_eq!(bench.view(session).row.paused, Pause::because(PauseReason::TurnInterrupted));
}

#[test]
fn a_host_that_cannot_write_its_journal_is_shown_and_never_stored() {
    let mut bench = Bench::new(Settings::default());
    let session = bench.ready();
    let stalled = |why: Option<&str>| Event::HostStalled { session, launch: 1, why: why.map(str::to_owned) };
    let effects = bench.step(stalled(Some("no space left")));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Persist(_))), "the disk may be full");
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Publish(Notification::Changed { .. }))));
    let reason = bench.view(session).row.status_reason;
    assert!(reason.is_some_and(|reason| reason.contains("no space left")));
    bench.step(stalled(None));
    assert_eq!(bench.view(session).row.status_reason, None);
}
