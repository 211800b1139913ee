//! The rules of trust: nothing runs in a directory before a person trusts it.

use super::super::*;
use super::{Bench, code, launches, sent};

/// What would run in a directory.
fn would_run(directory: &str, command: &str) -> WouldRun {
    let input = format!(r#"{{"commands":[{{"command":"{command}"}}],"directory":"{directory}"}}"#);
    WouldRun { title: format!("Trust {directory}?"), input: ToolInput::parse(&input).unwrap() }
}

fn untrusted(bench: &mut Bench, session: SessionId, command: &str) -> Vec<Effect> {
    let launch = bench.view(session).row.launch;
    bench.step(Event::Untrusted { session, launch, would_run: would_run("/project", command) })
}

fn order(effects: &[Effect]) -> Option<&LaunchOrder> {
    effects.iter().find_map(|effect| match effect {
        Effect::Launch(order) => Some(order),
        _ => None,
    })
}

fn trusted(effects: &[Effect]) -> Vec<(&str, &str)> {
    fn change(effect: &Effect) -> Option<(&str, &str)> {
        match effect {
            Effect::Persist(Change::Trusted { directory, by, .. }) => Some((directory, by)),
            _ => None,
        }
    }
    effects.iter().filter_map(change).collect()
}

/// A session that waits for trust, and the id of its request.
fn waiting(bench: &mut Bench) -> (SessionId, String) {
    let session = bench.create().0.unwrap();
    untrusted(bench, session, "make");
    (session, format!("{session}-1"))
}

#[test]
fn nothing_starts_before_a_person_trusts_the_directory() {
    let mut bench = Bench::new(Settings::default());
    let (session, request) = waiting(&mut bench);
    let view = bench.view(session);
    assert_eq!(view.row.status, Status::Waiting);
    assert_eq!(view.attention.map(|attention| attention.title).as_deref(), Some("Trust /project?"));
    let message = bench.send(session, "hello").unwrap();
    assert_eq!(launches(&bench.pass(100_000)), 0, "time changes nothing");

    let (answer, effects) = bench.answer(&request, Answer::Allow);
    assert_eq!(code(&answer), "ok");
    assert_eq!(trusted(&effects), [], "not before it runs");
    assert_eq!(sent(&effects), Vec::<&Input>::new(), "Claude never sees the answer");
    let order = order(&effects).expect("a start");
    assert_eq!(order.allowed, Some(would_run("/project", "make").input.text().into_owned()));
    assert_eq!(order.launch, 1, "the start that was refused does not count");
    let effects = bench.facts(session, vec![Fact::Started { launch: 1, pid: 7 }]);
    assert_eq!(trusted(&effects), [("/project", "a person")]);
    let effects = bench.facts(session, vec![Fact::Ready { pending: Vec::new() }]);
    assert!(matches!(sent(&effects)[..], [Input::Message { id, .. }] if *id == message));
    let text = format!("{effects:?}");
    assert!(!text.contains("restarted"), "{text}");
}

#[test]
fn a_new_session_in_a_directory_that_nobody_trusts_waits_from_the_beginning() {
    let mut bench = Bench::new(Settings::default());
    let trust = DirectoryTrust::Missing(would_run("/project", "make"));
    let create = Create { trust, ..bench.new_session() };
    let (session, effects) = bench.created(create);
    assert_eq!(launches(&effects), 0);
    let view = bench.view(session.unwrap());
    assert_eq!((view.row.status, view.row.launch), (Status::Waiting, 0));
    let request = view.attention.unwrap().permission.unwrap().to_string();
    let (_, effects) = bench.answer(&request, Answer::Allow);
    assert_eq!(order(&effects).expect("a start").launch, 1);
}

#[test]
fn a_denied_directory_ends_the_session_and_nothing_ran() {
    let mut bench = Bench::new(Settings::default());
    let (session, request) = waiting(&mut bench);
    bench.send(session, "hello").unwrap();
    let (answer, effects) = bench.answer(&request, Answer::Deny { message: None });
    assert_eq!(code(&answer), "ok");
    assert_eq!((launches(&effects), trusted(&effects)), (0, vec![]));
    assert!(format!("{effects:?}").contains("nothing ran"));
    assert_eq!(bench.view(session).row.status, Status::Terminated);
}

#[test]
fn other_commands_than_those_that_were_allowed_are_asked_about_again() {
    let mut bench = Bench::new(Settings::default());
    let (session, request) = waiting(&mut bench);
    bench.answer(&request, Answer::Allow).0.unwrap();
    let effects = untrusted(&mut bench, session, "rm -rf /");
    assert_eq!((launches(&effects), trusted(&effects)), (0, vec![]));
    assert!(format!("{effects:?}").contains("has changed since the answer"));
    assert_eq!(bench.view(session).attention.unwrap().permission.unwrap().number, 2);
}

#[test]
fn an_answer_outlives_a_start_that_fails_for_another_reason() {
    let mut bench = Bench::new(Settings::default());
    let (session, request) = waiting(&mut bench);
    bench.answer(&request, Answer::Allow).0.unwrap();
    let problem = Problem::new(ErrorCode::ClaudeNotFound, "Claude was not found.", "Install it.");
    bench.step(Event::LaunchFailed { session, launch: 1, problem, permanent: true });
    assert_eq!(bench.view(session).row.status, Status::Error);
    bench.change(session, SessionOperation::Restart).0.unwrap();
    let effects = bench.inspected(session, false);
    assert!(order(&effects).expect("a start").allowed.is_some());
}

#[test]
fn a_request_for_trust_takes_no_other_answer() {
    let mut bench = Bench::new(Settings::default());
    let (_, request) = waiting(&mut bench);
    let always = bench.answer(&request, Answer::AllowAlways { suggestions: None }).0;
    assert_eq!(code(&always), "answer_invalid");
    let choose = bench.answer(&request, Answer::Choose { choices: vec![] }).0;
    assert_eq!(code(&choose), "answer_invalid");
}

#[test]
fn one_answer_serves_all_sessions_that_wait_in_the_directory_and_below() {
    let mut bench = Bench::new(Settings { max_starting: 8, ..Settings::default() });
    let (first, request) = waiting(&mut bench);
    let others = ["/project/below", "/project", "/projects"].map(|directory| {
        let create =
            Create { trust: DirectoryTrust::Missing(would_run(directory, "make")), ..bench.new_session() };
        bench.created(create).0.unwrap()
    });
    bench.answer(&request, Answer::Allow).0.unwrap();
    bench.facts(first, vec![Fact::Started { launch: 1, pid: 7 }, Fact::Ready { pending: Vec::new() }]);
    bench.pass(10_000);
    bench.pass(10_000);
    let statuses = others.map(|session| bench.view(session).row.status);
    assert_eq!(statuses, [Status::Starting, Status::Starting, Status::Waiting]);
}

#[test]
fn a_person_can_trust_the_directory_of_a_new_session() {
    let mut bench = Bench::new(Settings::default());
    let create = Create { trust: DirectoryTrust::Given("/project".to_owned()), ..bench.new_session() };
    assert_eq!(trusted(&bench.created(create).1), [("/project", "a person")]);
}

#[test]
fn waiting_for_trust_takes_a_place_among_the_active_sessions_and_no_start_slot() {
    let mut bench = Bench::new(Settings { max_active: 2, max_starting: 1, ..Settings::default() });
    let (first, request) = waiting(&mut bench);
    let (second, effects) = bench.create();
    assert_eq!(launches(&effects), 1);
    assert_eq!(code(&bench.create().0), "too_many_sessions");
    bench.answer(&request, Answer::Deny { message: None }).0.unwrap();
    assert_eq!(code(&bench.create().0), "ok");
    assert_ne!(first, second.unwrap());
}

#[test]
fn a_session_that_waits_for_trust_can_be_terminated_restarted_and_switched_to_its_terminal() {
    let mut bench = Bench::new(Settings::default());
    let (session, request) = waiting(&mut bench);
    let (_, effects) = bench.change(session, SessionOperation::Restart);
    assert_eq!(launches(&effects), 1, "it looks again");
    assert_eq!(code(&bench.answer(&request, Answer::Allow).0), "permission_withdrawn");
    untrusted(&mut bench, session, "make");
    let to = Switch { driver: Driver::Terminal, interrupt: false };
    let (_, effects) = bench.change(session, SessionOperation::Switch(to));
    assert_eq!(order(&effects).expect("a start").spec.driver, Driver::Terminal);

    let (session, request) = waiting(&mut bench);
    bench.change(session, SessionOperation::Terminate).0.unwrap();
    assert_eq!(bench.view(session).row.status, Status::Terminated);
    assert_ne!(code(&bench.answer(&request, Answer::Allow).0), "ok");
}
