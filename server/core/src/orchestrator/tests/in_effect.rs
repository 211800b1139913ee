//! The conversation, the model and the permission mode that a new Claude gets.

use super::*;

fn mode(mode: &str) -> Fact {
    Fact::Described { model: None, permission_mode: Some(mode.to_owned()) }
}

fn model(model: &str) -> Fact {
    Fact::Described { model: Some(model.to_owned()), permission_mode: None }
}

fn ended_turn() -> Fact {
    Fact::TurnEnded(TurnEnd { ok: true, ..failed_turn(Uuid::from_u128(1)) })
}

/// A session that is created with this model and permission mode, and whose Claude has started.
fn created(bench: &mut Bench, model: Option<&str>, mode: Option<&str>) -> SessionId {
    let mut create = bench.new_session();
    create.spec.model = model.map(str::to_owned);
    create.spec.permission_mode = mode.map(str::to_owned);
    let session = bench.created(create).0.unwrap();
    bench.facts(session, vec![Fact::Started { launch: 1, pid: 7 }]);
    session
}

/// Claude crashes and restarts; returns the order of the restart.
fn crash(bench: &mut Bench, session: SessionId, recorded: ConversationState) -> Option<LaunchOrder> {
    let launch = bench.view(session).row.launch;
    bench.facts(session, vec![Fact::Exited { launch, exit: Exit::Signal(9) }]);
    bench.pass(10_000);
    let effects = bench.recorded(session, recorded);
    let order = effects.into_iter().find_map(|effect| match effect {
        Effect::Launch(order) => Some(order),
        _ => None,
    });
    if let Some(order) = &order {
        bench.facts(session, vec![Fact::Started { launch: order.launch, pid: 8 }]);
    }
    order
}

fn ready() -> Fact {
    Fact::Ready { pending: Vec::new() }
}

fn error(bench: &Bench, session: SessionId) -> Option<ErrorCode> {
    bench.view(session).row.error.map(|problem| problem.code)
}

#[test]
fn a_conversation_in_which_a_turn_has_ended_never_starts_from_the_beginning() {
    for recorded in [ConversationState::Nothing, ConversationState::Silent] {
        let mut bench = Bench::new(Settings::default());
        let session = bench.ready();
        let conversation = bench.view(session).row.claude_session;
        bench.facts(session, vec![ended_turn()]);
        assert_eq!(crash(&mut bench, session, recorded), None);
        let row = bench.view(session).row;
        assert_eq!((row.status, row.claude_session), (Status::Error, conversation));
        let problem = row.error.unwrap();
        assert_eq!(problem.code, ErrorCode::ConversationNotFound);
        assert!(problem.message.contains("/home/.claude/projects"), "{problem}");
    }
}

#[test]
fn a_conversation_that_claude_has_just_opened_can_lack_a_record() {
    let mut bench = Bench::new(Settings::default());
    let session = bench.ready();
    let opened = Uuid::from_u128(5);
    bench.facts(session, vec![ended_turn(), Fact::Conversation(opened)]);
    let order = crash(&mut bench, session, ConversationState::Nothing).unwrap();
    assert_eq!((order.claude_session, order.resume), (opened, false));
    bench.facts(session, vec![ready(), Fact::Conversation(opened), ended_turn()]);
    assert_eq!(crash(&mut bench, session, ConversationState::Nothing), None, "a turn of it has ended");
}

#[test]
fn a_new_claude_gets_the_permission_mode_that_was_reported_last() {
    let mut bench = Bench::new(Settings::default());
    let session = created(&mut bench, None, Some("bypassPermissions"));
    bench.facts(session, vec![mode("bypassPermissions"), ready(), mode("plan")]);
    let order = crash(&mut bench, session, ConversationState::Begun).unwrap();
    assert_eq!(order.spec.permission_mode.as_deref(), Some("plan"));
    let order = crash(&mut bench, session, ConversationState::Begun).unwrap();
    assert_eq!(order.spec.permission_mode.as_deref(), Some("plan"), "even if the second said nothing");
}

#[test]
fn a_claude_that_starts_in_a_wider_mode_than_requested_is_stopped_and_gets_no_messages() {
    let mut bench = Bench::new(Settings::default());
    let session = created(&mut bench, None, Some("plan"));
    bench.send(session, "hello").unwrap();
    let effects = bench.facts(session, vec![mode("acceptEdits"), ready(), mode("acceptEdits")]);
    assert!(sent(&effects).is_empty(), "{effects:?}");
    assert!(effects.contains(&Effect::Stop { session, launch: 1, at_once: false }));
    let problem = bench.view(session).row.error.unwrap();
    assert_eq!(problem.code, ErrorCode::PermissionModeWider);
    assert!(problem.message.contains("plan") && problem.message.contains("acceptEdits"), "{problem}");

    bench.facts(session, vec![Fact::Exited { launch: 1, exit: Exit::Code(0) }]);
    bench.change(session, SessionOperation::Restart).0.unwrap();
    let effects = bench.recorded(session, ConversationState::Nothing);
    let asks_again = |effect: &Effect| matches!(effect, Effect::Launch(order) if order.spec.permission_mode.as_deref() == Some("plan"));
    assert!(effects.iter().any(asks_again), "the wider mode was never in effect: {effects:?}");
}

#[test]
fn a_narrower_mode_than_requested_is_shown_and_kept() {
    let mut bench = Bench::new(Settings::default());
    let session = created(&mut bench, None, Some("bypassPermissions"));
    bench.facts(session, vec![mode("default"), ready()]);
    assert_eq!(error(&bench, session), None);
    let order = crash(&mut bench, session, ConversationState::Nothing).unwrap();
    assert_eq!(order.spec.permission_mode.as_deref(), Some("default"));
}

#[test]
fn a_mode_that_is_widened_later_is_a_persons_choice() {
    let mut bench = Bench::new(Settings::default());
    let session = created(&mut bench, None, Some("plan"));
    bench.facts(session, vec![mode("plan"), ready(), mode("acceptEdits")]);
    assert_eq!(error(&bench, session), None);
    let order = crash(&mut bench, session, ConversationState::Nothing).unwrap();
    assert_eq!(order.spec.permission_mode.as_deref(), Some("acceptEdits"));
}

#[test]
fn in_a_terminal_only_a_mode_that_no_person_can_have_set_is_too_wide() {
    for typed in [false, true] {
        let mut bench = Bench::new(Settings::default());
        bench.driver = Driver::Terminal;
        let session = created(&mut bench, None, Some("plan"));
        bench.facts(session, vec![Fact::ProcessStatus(ProcessStatus::Idle)]);
        if typed {
            bench.facts(session, vec![Fact::Typed(0)]);
        }
        bench.facts(session, vec![mode("acceptEdits"), Fact::PromptSubmitted("hello".to_owned())]);
        assert_eq!(error(&bench, session).is_some(), !typed);
    }
}

#[test]
fn a_requested_model_is_requested_again_until_claude_reports_another() {
    let mut bench = Bench::new(Settings::default());
    let session = created(&mut bench, Some("opusplan"), None);
    bench.facts(session, vec![ready(), model("claude-sonnet"), model("claude-sonnet")]);
    let order = crash(&mut bench, session, ConversationState::Nothing).unwrap();
    assert_eq!(order.spec.model.as_deref(), Some("opusplan"));
    bench.facts(session, vec![ready(), model("claude-sonnet"), model("claude-haiku")]);
    for _ in 0..2 {
        let order = crash(&mut bench, session, ConversationState::Nothing).unwrap();
        assert_eq!(order.spec.model.as_deref(), Some("claude-haiku"));
    }
}

#[test]
fn the_model_that_claude_chose_is_requested_at_the_next_launch() {
    let mut bench = Bench::new(Settings::default());
    let session = created(&mut bench, None, None);
    bench.facts(session, vec![ready(), model("claude-opus")]);
    let order = crash(&mut bench, session, ConversationState::Nothing).unwrap();
    assert_eq!(order.spec.model.as_deref(), Some("claude-opus"));
}
