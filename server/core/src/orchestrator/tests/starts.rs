//! The rules of starts: their number, and failed starts.

use super::super::*;
use super::{Bench, code, launches};

#[test]
fn a_limited_number_of_sessions_starts_at_once_and_the_next_follows_when_one_is_ready() {
    let mut bench = Bench::new(Settings { max_starting: 4, ..Settings::default() });
    let (first, effects) = bench.create();
    assert_eq!(launches(&effects), 1);
    assert_eq!(launches(&bench.create().1), 1);
    for _ in 0..3 {
        bench.create().0.unwrap();
    }
    assert_eq!(launches(&bench.pass(10_000)), 1);
    assert_eq!(launches(&bench.pass(10_000)), 1);
    assert_eq!(launches(&bench.pass(10_000)), 0);
    assert_eq!(
        bench.state.next_deadline(),
        Some(60_000),
        "nothing is waited for but the starts, the first one"
    );
    let first = first.unwrap();
    let started = bench.facts(first, vec![Fact::Started { launch: 1, pid: 7 }]);
    assert_eq!(launches(&started), 0);
    let ready = bench.facts(first, vec![Fact::Ready { pending: Vec::new() }]);
    assert_eq!(launches(&ready), 1);
}

#[test]
fn a_start_gets_ahead_of_the_next_one_when_the_cores_are_short() {
    let mut bench = Bench::new(Settings { max_starting: 3, ..Settings::default() });
    let (first, effects) = bench.create();
    assert_eq!(launches(&effects), 1);
    assert_eq!(launches(&bench.create().1), 0);
    assert_eq!(launches(&bench.create().1), 0);
    assert_eq!(launches(&bench.create().1), 0);
    let due = bench.state.next_deadline().expect("the next start is due some time");
    assert_eq!(launches(&bench.pass(due - 1)), 0);
    assert_eq!(launches(&bench.pass(1)), 1);
    assert_eq!(launches(&bench.pass(due)), 1);
    let ready = vec![Fact::Started { launch: 1, pid: 7 }, Fact::Ready { pending: Vec::new() }];
    assert_eq!(launches(&bench.facts(first.unwrap(), ready)), 0, "the third has just begun");
    assert_eq!(launches(&bench.pass(due)), 1);
}

#[test]
fn on_a_slow_machine_a_start_gets_ahead_by_more() {
    let mut bench = Bench::new(Settings { max_starting: 3, ..Settings::default() });
    let slow = bench.create().0.unwrap();
    bench.facts(slow, vec![Fact::Started { launch: 1, pid: 7 }]);
    bench.pass(3_000);
    bench.facts(slow, vec![Fact::Ready { pending: Vec::new() }]);
    assert_eq!(launches(&bench.create().1), 1);
    assert_eq!(launches(&bench.create().1), 0);
    assert_eq!(launches(&bench.pass(999)), 0);
    assert_eq!(launches(&bench.pass(1)), 1);
}

#[test]
fn a_start_without_another_before_it_begins_immediately() {
    let mut bench = Bench::new(Settings { max_starting: 2, ..Settings::default() });
    bench.ready();
    assert_eq!(launches(&bench.create().1), 1);
}

#[test]
fn a_session_beyond_the_limit_is_refused_until_another_has_ended() {
    let mut bench = Bench::new(Settings { max_active: 1, ..Settings::default() });
    let first = bench.ready();
    assert_eq!(code(&bench.create().0), "too_many_sessions");
    bench.change(first, SessionOperation::Terminate).0.unwrap();
    assert_eq!(code(&bench.create().0), "too_many_sessions", "its Claude still runs");
    bench.facts(first, vec![Fact::Exited { launch: 1, exit: Exit::Code(0) }]);
    assert_eq!(bench.view(first).row.status, Status::Terminated);
    assert_eq!(code(&bench.create().0), "ok");
}

#[test]
fn a_failed_start_is_retried_after_growing_delays_until_a_person_must_decide() {
    let mut bench = Bench::new(Settings::default());
    let session = bench.create().0.unwrap();
    for (launch, delay) in (1..).zip([1_000, 2_000, 4_000, 8_000]) {
        let gone = vec![
            Fact::Started { launch, pid: 7 },
            Fact::ErrorLine("bad flag".to_owned()),
            Fact::Exited { launch, exit: Exit::Code(1) },
        ];
        bench.facts(session, gone);
        let view = bench.view(session);
        assert_eq!(view.row.status, Status::Starting);
        assert!(view.row.status_reason.unwrap().contains(&format!("Try {} of 5", launch + 1)));
        assert_eq!(launches(&bench.pass(delay - 1)), 0);
        assert_eq!(launches(&bench.pass(1)), 1);
        bench.inspected(session, false);
    }
    let gone = vec![Fact::ErrorLine("bad flag".to_owned()), Fact::Exited { launch: 5, exit: Exit::Code(1) }];
    bench.facts(session, gone);
    let view = bench.view(session);
    assert_eq!(view.row.status, Status::Error);
    let error = view.row.error.unwrap();
    assert_eq!((error.code, error.log.as_deref()), (ErrorCode::ClaudeStartFailed, Some("bad flag")));
}

#[test]
fn a_claude_that_never_answers_is_stopped_and_counts_as_a_failed_start() {
    let mut bench = Bench::new(Settings::default());
    let session = bench.create().0.unwrap();
    bench.facts(session, vec![Fact::Started { launch: 1, pid: 7 }]);
    let effects = bench.pass(60_000);
    assert!(effects.contains(&Effect::Stop { session, launch: 1, at_once: false }));
    bench.facts(session, vec![Fact::Exited { launch: 1, exit: Exit::Signal(15) }]);
    assert!(bench.view(session).row.status_reason.unwrap().contains("was not ready within 60 s"));
}

#[test]
fn a_claude_that_was_not_understood_is_stopped_and_counts_as_crashed() {
    let gap = |session| {
        let facts = vec![Fact::JournalGap { resume_at: 512 }];
        Event::Facts { session, facts, position: Position::default() }
    };
    let damage = |readable| {
        move |session| {
            let facts = vec![Fact::JournalDamaged { offset: 512, readable }];
            Event::Facts { session, facts, position: Position::default() }
        }
    };
    let refusal = |session| Event::OrderRefused { session, launch: 1 };
    let causes: [(&dyn Fn(SessionId) -> Event, bool); 4] =
        [(&gap, false), (&damage(true), false), (&damage(false), true), (&refusal, false)];
    for (cause, at_once) in causes {
        let mut bench = Bench::new(Settings::default());
        let session = bench.ready();
        let effects = bench.step(cause(session));
        assert!(effects.contains(&Effect::Stop { session, launch: 1, at_once }), "{effects:?}");
        bench.facts(session, vec![Fact::Exited { launch: 1, exit: Exit::Code(0) }]);
        let reason = bench.view(session).row.status_reason.unwrap();
        assert!(reason.contains("exited unexpectedly"), "{reason}");
        assert_eq!(launches(&bench.pass(500)), 1);
        let effects = bench.step(Event::OrderRefused { session, launch: 1 });
        assert!(effects.is_empty(), "the host of that launch is gone: {effects:?}");
    }
}

#[test]
fn a_claude_that_is_stopping_anyway_is_not_stopped_again_for_what_was_not_understood() {
    let mut bench = Bench::new(Settings::default());
    let session = bench.ready();
    bench.change(session, SessionOperation::Terminate).0.unwrap();
    let stops =
        |effects: &[Effect]| effects.iter().filter(|effect| matches!(effect, Effect::Stop { .. })).count();
    assert_eq!(stops(&bench.facts(session, vec![Fact::JournalGap { resume_at: 512 }])), 0);
    let damage = Fact::JournalDamaged { offset: 512, readable: false };
    assert_eq!(stops(&bench.facts(session, vec![damage])), 1, "its end can only be asked for");
}
