//! The rules of terminal sessions, one test each.

use uuid::Uuid;

use super::super::*;
use super::{Bench, code, launches, sent};

const REQUEST: &str = "hook-40";

/// A terminal session that is ready.
fn ready() -> (Bench, SessionId) {
    let mut bench = Bench::new(Settings::default());
    bench.driver = Driver::Terminal;
    let session = bench.create().0.unwrap();
    bench.facts(session, vec![Fact::Started { launch: 1, pid: 7 }]);
    bench.facts(session, vec![Fact::ProcessStatus(ProcessStatus::Idle)]);
    assert_eq!(status(&bench, session), Status::Idle);
    (bench, session)
}

fn status(bench: &Bench, session: SessionId) -> Status {
    bench.view(session).row.status
}

fn prompted(text: &str) -> Fact {
    Fact::PromptSubmitted(text.to_owned())
}

fn pasted() -> Fact {
    Fact::Written(Written::Pasted)
}

fn stop() -> Fact {
    Fact::TurnEnded(TurnEnd {
        messages: Vec::new(),
        ok: true,
        outcome: "success".to_owned(),
        error: None,
        api_status: None,
        cost_total: 0.0,
        context_max: None,
        duration_ms: 0,
    })
}

fn input() -> ToolInput {
    ToolInput::parse(r#"{"command":"ls"}"#).unwrap()
}

fn asked() -> Fact {
    Fact::PermissionRequested(PermissionRequest {
        request_id: REQUEST.to_owned(),
        kind: PermissionKind::Tool,
        tool: "Bash".to_owned(),
        input: input(),
        title: "ls".to_owned(),
        suggestions: Vec::new(),
        tool_use_id: None,
        plan: None,
    })
}

fn waiting() -> Fact {
    Fact::ProcessStatus(ProcessStatus::Waiting("dialog open".to_owned()))
}

fn pastes(effects: &[Effect]) -> Vec<String> {
    let texts = sent(effects).into_iter().filter_map(|input| match input {
        Input::Message { text, .. } => Some(text.clone()),
        _ => None,
    });
    texts.collect()
}

/// The state of a message; `None` once it is done and forgotten.
fn state(bench: &Bench, session: SessionId, id: MessageId) -> Option<MessageState> {
    bench.state.sessions[&session].queue().get(id).map(|row| row.state)
}

#[test]
fn a_message_is_pasted_confirmed_and_done_and_the_next_follows() {
    let (mut bench, session) = ready();
    let first = bench.send(session, "one").unwrap();
    let second = bench.send(session, "two").unwrap();
    bench.facts(session, vec![pasted()]);
    bench.facts(session, vec![prompted("one")]);
    assert_eq!(status(&bench, session), Status::Active);
    assert_eq!(bench.view(session).row.status_source, StatusSource::Hook);
    assert_eq!(pastes(&bench.facts(session, vec![stop()])), ["two"]);
    assert_eq!(state(&bench, session, first), None);
    assert_eq!(state(&bench, session, second), Some(MessageState::Running));
}

#[test]
fn a_message_that_is_not_confirmed_gets_one_more_enter_and_then_a_person_decides() {
    let (mut bench, session) = ready();
    let id = bench.send(session, "one").unwrap();
    bench.send(session, "two").unwrap();
    bench.facts(session, vec![pasted()]);
    let effects = bench.pass(10_000);
    assert!(sent(&effects).contains(&&Input::Enter));
    let effects = bench.pass(10_000);
    assert_eq!((sent(&effects).len(), state(&bench, session, id)), (0, Some(MessageState::Interrupted)));
    let view = bench.view(session);
    assert_eq!(view.row.paused, Pause::because(PauseReason::MessageInterrupted));
    assert!(view.attention.unwrap().title.contains("did not confirm"));
    assert_eq!(view.queued, 1);
}

#[test]
fn enter_is_not_pressed_into_a_dialog() {
    let (mut bench, session) = ready();
    bench.send(session, "one").unwrap();
    bench.facts(
        session,
        vec![pasted(), Fact::ProcessStatus(ProcessStatus::Waiting("dialog open".to_owned()))],
    );
    assert!(sent(&bench.pass(10_000)).is_empty());
    assert_eq!(bench.view(session).row.paused, Pause::because(PauseReason::MessageInterrupted));
}

#[test]
fn the_queue_waits_while_a_person_types_or_a_dialog_is_open() {
    let (mut bench, session) = ready();
    bench.facts(session, vec![Fact::Typed(5)]);
    bench.send(session, "one").unwrap();
    assert!(bench.view(session).row.status_reason.unwrap().contains("the text in the terminal"));
    // It might have been sent: Claude's reaction comes first.
    assert!(pastes(&bench.facts(session, vec![Fact::Typed(0)])).is_empty());
    assert_eq!(pastes(&bench.pass(1_000)), ["one"]);

    let (mut bench, session) = ready();
    bench.facts(session, vec![Fact::ProcessStatus(ProcessStatus::Waiting("dialog open".to_owned()))]);
    bench.send(session, "one").unwrap();
    let view = bench.view(session);
    assert_eq!((view.row.status, view.attention.unwrap().kind), (Status::Waiting, AttentionKind::Terminal));
    assert_eq!(pastes(&bench.facts(session, vec![Fact::ProcessStatus(ProcessStatus::Idle)])), ["one"]);
}

#[test]
fn a_message_is_not_sent_into_a_turn_while_a_person_types_but_comes_next() {
    let (mut bench, session) = ready();
    bench.facts(session, vec![prompted("by hand")]);
    let steer = |bench: &mut Bench, text: &str| {
        let (id, target) = (bench.id(), SessionRef::Id(session.to_string()));
        let command = Operation::Send { session: target, id, text: text.to_owned(), steer: true };
        pastes(&bench.command(command).1)
    };
    assert_eq!(steer(&mut bench, "now"), ["now"]);
    bench.facts(session, vec![pasted(), prompted("now"), Fact::Typed(5)]);
    bench.send(session, "later").unwrap();
    assert_eq!(steer(&mut bench, "next"), Vec::<String>::new());
    bench.facts(session, vec![Fact::Typed(0), stop()]);
    bench.pass(1_000);
    assert_eq!(pastes(&bench.facts(session, vec![Fact::ProcessStatus(ProcessStatus::Idle)])), ["next"]);
}

#[test]
fn nothing_is_typed_into_a_dialog() {
    let (mut bench, session) = ready();
    bench.facts(session, vec![prompted("by hand"), asked()]);
    let (id, target) = (bench.id(), SessionRef::Id(session.to_string()));
    let command = Operation::Send { session: target, id, text: "now".to_owned(), steer: true };
    assert!(pastes(&bench.command(command).1).is_empty(), "a message put into the turn");

    let (mut bench, session) = ready();
    bench.send(session, "one").unwrap();
    bench.facts(session, vec![pasted(), prompted("by hand"), asked()]);
    assert!(
        !sent(&bench.pass(10_000)).contains(&&Input::Enter),
        "the Enter of a message that was not confirmed"
    );
}

#[test]
fn enter_is_not_pressed_for_a_message_while_a_person_types_or_a_turn_runs() {
    let (mut bench, session) = ready();
    bench.send(session, "one").unwrap();
    bench.facts(session, vec![pasted(), Fact::Typed(3)]);
    assert!(!sent(&bench.pass(10_000)).contains(&&Input::Enter));

    let (mut bench, session) = ready();
    let id = bench.send(session, "one").unwrap();
    bench.facts(session, vec![pasted(), Fact::ProcessStatus(ProcessStatus::Busy)]);
    assert!(sent(&bench.pass(10_000)).is_empty());
    assert_eq!(state(&bench, session, id), Some(MessageState::Running), "it waits inside Claude");
}

#[test]
fn keys_that_answered_a_dialog_are_not_a_draft_later_but_an_earlier_draft_is() {
    let (mut bench, session) = ready();
    bench.facts(session, vec![prompted("by hand"), asked(), Fact::Typed(1), stop()]);
    bench.facts(session, vec![Fact::PermissionWithdrawn { request_id: REQUEST.to_owned() }, Fact::Typed(1)]);
    assert!(!bench.state.sessions[&session].terminal_is_taken());
    let (mut bench, session) = ready();
    bench.facts(session, vec![Fact::Typed(4), asked(), Fact::Typed(5)]);
    bench.facts(session, vec![Fact::PermissionWithdrawn { request_id: REQUEST.to_owned() }]);
    assert!(bench.state.sessions[&session].terminal_is_taken());
}

#[test]
fn a_switch_waits_for_a_turn_that_might_run_while_the_daemon_looks_for_the_host() {
    let (mut bench, session) = ready();
    bench.facts(session, vec![prompted("by hand")]);
    bench.step(Event::HostConnectionLost { session, launch: 1 });
    let effects = switch(&mut bench, session, Driver::Stream, false);
    assert!(!effects.contains(&Effect::Stop { session, launch: 1, at_once: false }));
}

#[test]
fn keys_that_answer_a_dialog_are_not_a_draft() {
    let (mut bench, session) = ready();
    bench.facts(session, vec![prompted("by hand"), asked(), Fact::Typed(1)]);
    bench.send(session, "one").unwrap();
    assert_eq!(
        pastes(&bench.facts(session, vec![waiting(), Fact::ProcessStatus(ProcessStatus::Busy), stop()])),
        ["one"]
    );
}

#[test]
fn a_draft_that_a_message_was_joined_with_is_named() {
    let (mut bench, session) = ready();
    bench.send(session, "one").unwrap();
    let effects = bench.facts(session, vec![pasted(), prompted("my draftone")]);
    let warned = |effect: &Effect| match effect {
        Effect::Publish(Notification::Entry { entry, .. }) => {
            matches!(&entry.body, EntryBody::Notice { text, .. } if text.contains("joined"))
        }
        _ => false,
    };
    assert!(effects.iter().any(warned));
}

#[test]
fn a_persons_own_turn_holds_the_queue_until_it_ends() {
    let (mut bench, session) = ready();
    bench.facts(session, vec![prompted("by hand")]);
    assert_eq!(bench.view(session).row.current_task.as_deref(), Some("by hand"));
    bench.send(session, "one").unwrap();
    assert_eq!(status(&bench, session), Status::Active);
    assert_eq!(pastes(&bench.facts(session, vec![stop()])), ["one"]);
}

#[test]
fn a_prompt_that_a_person_submits_during_a_turn_has_its_own_before_the_queue_resumes() {
    let (mut bench, session) = ready();
    bench.facts(session, vec![prompted("by hand"), prompted("and another")]);
    bench.send(session, "one").unwrap();
    assert!(pastes(&bench.facts(session, vec![stop()])).is_empty());
    assert_eq!(status(&bench, session), Status::Active);
    assert_eq!(pastes(&bench.facts(session, vec![stop()])), ["one"]);
}

#[test]
fn a_record_that_is_ahead_of_its_hook_makes_no_second_turn() {
    let (mut bench, session) = ready();
    let id = bench.send(session, "one").unwrap();
    bench.facts(session, vec![pasted(), Fact::ProcessStatus(ProcessStatus::Busy), prompted("one"), stop()]);
    assert_eq!((state(&bench, session, id), status(&bench, session)), (None, Status::Idle));
}

#[test]
fn a_record_that_is_behind_its_hook_is_not_an_interruption() {
    let (mut bench, session) = ready();
    bench.facts(session, vec![prompted("by hand"), stop(), Fact::ProcessStatus(ProcessStatus::Busy)]);
    bench.send(session, "one").unwrap();
    assert_eq!(pastes(&bench.facts(session, vec![Fact::ProcessStatus(ProcessStatus::Idle)])), ["one"]);
}

#[test]
fn an_escape_that_no_hook_reports_ends_the_turn_and_holds_the_queue() {
    let (mut bench, session) = ready();
    let id = bench.send(session, "one").unwrap();
    bench.send(session, "two").unwrap();
    bench.facts(session, vec![pasted(), prompted("one")]);
    let effects = bench.facts(session, vec![Fact::ProcessStatus(ProcessStatus::Idle)]);
    assert!(pastes(&effects).is_empty());
    assert_eq!(state(&bench, session, id), Some(MessageState::Interrupted));
    let view = bench.view(session);
    assert_eq!(
        (view.row.status, view.row.paused),
        (Status::Idle, Pause::because(PauseReason::TurnInterrupted))
    );
}

#[test]
fn an_interrupt_is_an_escape_and_idle_is_its_answer() {
    let (mut bench, session) = ready();
    bench.facts(session, vec![prompted("by hand")]);
    let (answer, effects) = bench.change(session, SessionOperation::Interrupt);
    assert_eq!(code(&answer), "ok");
    assert!(matches!(sent(&effects)[..], [Input::Interrupt { .. }]));
    bench.facts(session, vec![Fact::ProcessStatus(ProcessStatus::Idle)]);
    assert_eq!(status(&bench, session), Status::Idle);
    assert!(
        !bench
            .pass(60_000)
            .iter()
            .any(|effect| matches!(effect, Effect::Publish(Notification::Entry { .. })))
    );
}

#[test]
fn a_request_that_was_answered_in_the_terminal_is_closed_everywhere_and_its_hook_released() {
    for by in
        [Fact::ToolRan { tool: "Bash".to_owned(), input: input() }, Fact::ProcessStatus(ProcessStatus::Busy)]
    {
        let (mut bench, session) = ready();
        bench.facts(session, vec![prompted("by hand"), asked()]);
        // Its status before it began to wait does not count.
        bench.facts(session, vec![Fact::ProcessStatus(ProcessStatus::Busy)]);
        assert_eq!(status(&bench, session), Status::Active);
        bench.facts(session, vec![waiting()]);
        assert_eq!(status(&bench, session), Status::Waiting);
        let effects = bench.facts(session, vec![by]);
        assert!(matches!(sent(&effects)[..], [Input::ReleaseHook { request_id }] if request_id == REQUEST));
        assert_eq!(status(&bench, session), Status::Active);
        let (answer, _) = bench.answer(&format!("{session}-1"), Answer::Allow);
        assert_eq!(code(&answer), "permission_answered");
    }
}

#[test]
fn a_request_that_claude_does_not_confirm_is_released_and_never_shown() {
    let (mut bench, session) = ready();
    bench.facts(session, vec![prompted("by hand"), asked()]);
    assert_eq!(status(&bench, session), Status::Active);
    let effects = bench.pass(10_000);
    assert!(matches!(sent(&effects)[..], [Input::ReleaseHook { request_id }] if request_id == REQUEST));
    let warned = |effect: &Effect| match effect {
        Effect::Publish(Notification::Entry { entry, .. }) => {
            matches!(&entry.body, EntryBody::Notice { text, .. } if text.contains("does not confirm"))
        }
        _ => false,
    };
    assert!(effects.iter().any(warned));
    bench.facts(session, vec![waiting()]);
    assert_eq!(bench.state.sessions[&session].permissions().open().count(), 0);
}

#[test]
fn an_answer_from_an_editor_goes_to_the_hook_once() {
    let (mut bench, session) = ready();
    bench.facts(session, vec![prompted("by hand"), asked(), waiting()]);
    let (_, effects) = bench.answer(&format!("{session}-1"), Answer::Allow);
    assert!(matches!(sent(&effects)[..], [Input::Answer { .. }]));
    let effects = bench.facts(
        session,
        vec![
            Fact::Written(Written::Answer { request_id: REQUEST.to_owned() }),
            Fact::ProcessStatus(ProcessStatus::Busy),
            Fact::ToolRan { tool: "Bash".to_owned(), input: input() },
        ],
    );
    assert!(sent(&effects).is_empty());
}

#[test]
fn one_of_claudes_own_commands_is_done_when_claude_is_idle_again_or_was_never_busy() {
    let (mut bench, session) = ready();
    let id = bench.send(session, "/compact").unwrap();
    bench.facts(session, vec![pasted(), Fact::ProcessStatus(ProcessStatus::Busy)]);
    bench.pass(2_000);
    assert_eq!(state(&bench, session, id), Some(MessageState::Running));
    bench.facts(session, vec![Fact::ProcessStatus(ProcessStatus::Idle)]);
    assert_eq!((state(&bench, session, id), bench.view(session).row.paused), (None, Pause::default()));

    let id = bench.send(session, "/nonsense").unwrap();
    bench.facts(session, vec![pasted()]);
    bench.pass(2_000);
    assert_eq!((state(&bench, session, id), status(&bench, session)), (None, Status::Idle));
}

#[test]
fn a_dialog_before_the_start_waits_for_a_person_without_a_limit_and_holds_no_start_slot() {
    let mut bench = Bench::new(Settings { max_starting: 1, ..Settings::default() });
    bench.driver = Driver::Terminal;
    let session = bench.create().0.unwrap();
    assert_eq!(launches(&bench.create().1), 0);
    bench.facts(session, vec![Fact::Started { launch: 1, pid: 7 }]);
    let effects = bench.facts(session, vec![Fact::ProcessStatus(ProcessStatus::Waiting("trust".to_owned()))]);
    assert_eq!(launches(&effects), 1, "another may start meanwhile");
    let effects = bench.pass(24 * 3_600 * 1_000);
    assert!(!effects.contains(&Effect::Stop { session, launch: 1, at_once: false }));
    let view = bench.view(session);
    assert_eq!((view.row.status, view.attention.unwrap().title.as_str()), (Status::Waiting, "trust"));
    bench.facts(session, vec![Fact::ProcessStatus(ProcessStatus::Idle)]);
    assert_eq!(status(&bench, session), Status::Idle);
}

#[test]
fn quitting_claude_in_its_terminal_terminates_the_session_unless_messages_wait() {
    let ending = vec![Fact::Quit, Fact::Exited { launch: 1, exit: Exit::Code(0) }];
    let (mut bench, session) = ready();
    bench.facts(session, ending.clone());
    assert_eq!(status(&bench, session), Status::Terminated);

    let (mut bench, session) = ready();
    bench.facts(session, vec![prompted("by hand")]);
    bench.send(session, "one").unwrap();
    bench.facts(session, ending);
    let view = bench.view(session);
    assert_eq!((view.row.status, view.row.error.unwrap().code), (Status::Error, ErrorCode::EndedInTerminal));
    assert_eq!(view.queued, 1);
}

#[test]
fn an_unconfirmed_paste_when_claude_crashed_needs_a_persons_decision() {
    let (mut bench, session) = ready();
    let id = bench.send(session, "one").unwrap();
    bench.facts(session, vec![pasted(), Fact::Exited { launch: 1, exit: Exit::Signal(9) }]);
    assert_eq!(state(&bench, session, id), Some(MessageState::Interrupted));
    assert_eq!(bench.view(session).row.paused, Pause::because(PauseReason::MessageInterrupted));
}

#[test]
fn a_message_that_was_not_pasted_when_claude_crashed_is_pasted_after_the_restart() {
    let (mut bench, session) = ready();
    bench.send(session, "one").unwrap();
    bench.facts(session, vec![Fact::Exited { launch: 1, exit: Exit::Signal(9) }]);
    bench.pass(500);
    bench.inspected(session, true);
    bench.facts(session, vec![Fact::Started { launch: 2, pid: 8 }]);
    assert_eq!(pastes(&bench.facts(session, vec![Fact::ProcessStatus(ProcessStatus::Idle)])), ["one"]);
}

fn switch(bench: &mut Bench, session: SessionId, driver: Driver, interrupt: bool) -> Vec<Effect> {
    let (answer, effects) = bench.change(session, SessionOperation::Switch(Switch { driver, interrupt }));
    assert_eq!(code(&answer), "ok");
    effects
}

#[test]
fn a_conversation_switches_when_its_turn_has_ended_and_keeps_its_queue() {
    let (mut bench, session) = ready();
    bench.send(session, "one").unwrap();
    bench.send(session, "two").unwrap();
    bench.facts(session, vec![pasted(), prompted("one")]);
    let effects = switch(&mut bench, session, Driver::Stream, false);
    assert!(!effects.contains(&Effect::Stop { session, launch: 1, at_once: false }));
    assert!(bench.view(session).row.status_reason.unwrap().contains("when the turn has ended"));
    let effects = bench.facts(session, vec![stop()]);
    assert!(
        effects.contains(&Effect::Stop { session, launch: 1, at_once: false }) && pastes(&effects).is_empty()
    );
    bench.facts(session, vec![Fact::Exited { launch: 1, exit: Exit::Code(143) }]);
    let effects = bench.inspected(session, true);
    let order = effects.iter().find_map(|effect| match effect {
        Effect::Launch(order) => Some(order),
        _ => None,
    });
    let order = order.unwrap();
    assert_eq!((order.spec.driver, order.resume), (Driver::Stream, true));
    let started = vec![Fact::Started { launch: 2, pid: 8 }, Fact::Ready { pending: Vec::new() }];
    let effects = bench.facts(session, started);
    assert_eq!(pastes(&effects), ["two"]);
    assert!(!format!("{effects:?}").contains("was restarted"), "a notice says where it continues");
    let view = bench.view(session);
    assert_eq!((view.row.spec.driver, view.row.switch_to), (Driver::Stream, None));
}

#[test]
fn a_switch_can_be_cancelled_before_it_happens() {
    let (mut bench, session) = ready();
    bench.facts(session, vec![prompted("by hand")]);
    switch(&mut bench, session, Driver::Stream, false);
    switch(&mut bench, session, Driver::Terminal, false);
    assert!(!bench.facts(session, vec![stop()]).contains(&Effect::Stop {
        session,
        launch: 1,
        at_once: false
    }));
}

#[test]
fn a_switch_that_must_not_wait_interrupts_the_turn() {
    let (mut bench, session) = ready();
    bench.facts(session, vec![prompted("by hand")]);
    let effects = switch(&mut bench, session, Driver::Stream, true);
    assert!(matches!(sent(&effects)[..], [Input::Interrupt { .. }]));
    assert!(effects.contains(&Effect::Stop { session, launch: 1, at_once: false }));
}

#[test]
fn a_restarted_daemon_keeps_waiting_for_the_confirmation() {
    let (mut bench, session) = ready();
    bench.send(session, "one").unwrap();
    bench.facts(session, vec![pasted()]);
    bench.step(Event::HostConnectionLost { session, launch: 1 });
    bench.step(Event::Synced { session, launch: 1 });
    assert!(sent(&bench.pass(10_000)).contains(&&Input::Enter));
}

#[test]
fn an_idle_claude_that_has_not_accepted_a_paste_yet_was_not_interrupted() {
    let (mut bench, session) = ready();
    let first = bench.send(session, "one").unwrap();
    bench.send(session, "two").unwrap();
    bench.facts(session, vec![pasted(), Fact::ProcessStatus(ProcessStatus::Idle)]);
    assert_eq!(
        (bench.view(session).row.paused, state(&bench, session, first)),
        (Pause::default(), Some(MessageState::Running))
    );
    bench.facts(session, vec![prompted("one")]);
    assert_eq!(pastes(&bench.facts(session, vec![stop()])), ["two"]);
}

#[test]
fn a_new_conversation_id_replaces_the_earlier_one() {
    let (mut bench, session) = ready();
    let next = Uuid::from_u128(99);
    bench.facts(session, vec![Fact::Conversation(next)]);
    assert_eq!(bench.view(session).row.claude_session, next);
}
