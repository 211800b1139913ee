//! What processes inside sessions can do, and what the audit trail keeps of it.

use super::*;

fn inside(session: SessionId) -> Principal {
    Principal::Session(Insider { id: Some(session), marked: None, name: "areyouj-cli".to_owned() })
}

fn id_of(session: SessionId) -> SessionRef {
    SessionRef::Id(session.to_string())
}

fn request<T>(bench: &mut Bench, target: T) -> Idempotent<T> {
    Idempotent { request_id: bench.id().to_string(), target }
}

/// One of everything that a client can ask, about this session.
fn everything(bench: &mut Bench, session: SessionId) -> Vec<Command> {
    let target = || id_of(session);
    let mut all: Vec<Command> = [
        SessionOperation::Terminate,
        SessionOperation::Interrupt,
        SessionOperation::Restart,
        SessionOperation::Switch(Switch { driver: Driver::Terminal, interrupt: true }),
        SessionOperation::Rename("mine".to_owned()),
        SessionOperation::Delete,
        SessionOperation::PauseQueue,
        SessionOperation::ResumeQueue,
        SessionOperation::ClearQueue,
    ]
    .map(|operation| Operation::Session(request(bench, target()), operation).into())
    .into();
    for operation in [
        MessageOperation::Edit("x".to_owned()),
        MessageOperation::Remove,
        MessageOperation::Move(0),
        MessageOperation::Recover(Recovery::Again),
    ] {
        all.push(Operation::Message(request(bench, "1".to_owned()), operation).into());
    }
    for steer in [false, true] {
        let id = bench.id();
        all.push(Operation::Send { session: target(), id, text: "do it".to_owned(), steer }.into());
    }
    let always = Answer::AllowAlways { suggestions: None };
    let seen = SeenPermission { id: format!("{session}-1"), digest: String::new() };
    all.push(Operation::Answer(request(bench, seen), always).into());
    let create = Create {
        spec: SessionSpec {
            permission_mode: Some("bypassPermissions".to_owned()),
            ..bench.new_session().spec
        },
        ..bench.new_session()
    };
    all.push(Operation::Create(Box::new(create)).into());
    all.push(Operation::StopDaemon { sessions: true }.into());
    all.extend([Query::Daemon.into(), Query::Audit(None).into()]);
    all
}

/// What reads a session or adds a note to it.
fn reading(bench: &mut Bench, session: SessionId) -> Vec<Command> {
    let target = || id_of(session);
    vec![
        Query::Session(target()).into(),
        Query::Resolve(target()).into(),
        Query::Queue(target()).into(),
        Query::Permissions(Some(target())).into(),
        Operation::Attach { session: target(), since: None }.into(),
        Operation::Detach(target()).into(),
        Operation::MarkRead(target()).into(),
        Operation::Note(request(bench, target()), "half done".to_owned()).into(),
    ]
}

fn refused(answer: &Result<Outcome, Problem>) -> bool {
    answer.as_ref().is_err_and(|problem| problem.code == ErrorCode::InsideSession)
}

fn audited(effects: &[Effect]) -> Vec<AuditRow> {
    let rows = effects.iter().filter_map(|effect| match effect {
        Effect::Persist(Change::Audit(row)) => Some(row.clone()),
        _ => None,
    });
    rows.collect()
}

fn notices(effects: &[Effect]) -> Vec<String> {
    let texts = effects.iter().filter_map(|effect| match effect {
        Effect::Persist(Change::Entry {
            entry: EntryRow { body: EntryBody::Notice { text, .. }, .. },
            ..
        }) => Some(text.clone()),
        _ => None,
    });
    texts.collect()
}

#[test]
fn a_process_inside_a_session_reads_that_session_and_changes_nothing() {
    let mut bench = Bench::new(Settings::default());
    let (own, other) = (bench.ready(), bench.ready());
    for command in everything(&mut bench, own).into_iter().chain(everything(&mut bench, other)) {
        let (answer, effects) = bench.command_of(inside(own), command.clone());
        assert!(refused(&answer), "{command:?}: {answer:?}");
        let others = effects.iter().filter(|effect| match effect {
            Effect::Reply { .. } | Effect::Persist(Change::Audit(_) | Change::Entry { .. }) => false,
            Effect::Persist(Change::Session(row)) => row.id != own,
            Effect::Publish(Notification::Changed { session, .. }) => session.row.id != own,
            Effect::Publish(Notification::Entry { session, .. }) => *session != own,
            _ => true,
        });
        assert_eq!(others.collect::<Vec<_>>(), Vec::<&Effect>::new(), "{command:?}");
    }
    for command in reading(&mut bench, own) {
        let (answer, _) = bench.command_of(inside(own), command.clone());
        assert!(answer.is_ok(), "{command:?}: {answer:?}");
    }
    for command in reading(&mut bench, other) {
        assert!(refused(&bench.command_of(inside(own), command.clone()).0), "{command:?}");
    }
    // A session that does not exist gets the same refusal as one that does.
    let unknown = Query::Session(SessionRef::Id("ZZZZ".to_owned()));
    assert!(refused(&bench.command_of(inside(own), unknown).0));
}

#[test]
fn a_list_from_inside_shows_one_session_and_a_nameless_target_is_the_own_one() {
    let mut bench = Bench::new(Settings::default());
    let (own, other) = (bench.ready(), bench.ready());
    let (answer, _) = bench.command_of(inside(own), Query::Sessions { all: true });
    let Ok(Outcome::Sessions { sessions, .. }) = answer else { panic!("no list") };
    assert_eq!(sessions.iter().map(|view| view.row.id).collect::<Vec<_>>(), [own]);
    let newest = SessionRef::Newest { directories: vec!["/project".to_owned()] };
    let (answer, _) = bench.command_of(inside(other), Query::Resolve(newest.clone()));
    assert_eq!(answer, Ok(Outcome::Resolved(other)));
    let (answer, _) = bench.command_of(inside(own), Query::Resolve(newest));
    assert_eq!(answer, Ok(Outcome::Resolved(own)));
}

#[test]
fn a_mark_shows_the_refusal_in_its_session_and_gives_no_right_to_read_it() {
    let mut bench =
        Bench::new(Settings { grants: Grants { create: true, ..Grants::default() }, ..Settings::default() });
    let own = bench.ready();
    let marked = Principal::Session(Insider { id: None, marked: Some(own), name: String::new() });
    for command in reading(&mut bench, own).into_iter().chain(everything(&mut bench, own)) {
        assert!(refused(&bench.command_of(marked.clone(), command).0));
    }
    assert!(refused(&bench.command_of(marked, Query::Sessions { all: true }).0));
    assert!(bench.view(own).row.refusals.is_some());
    let nowhere = Principal::Session(Insider::default());
    assert!(refused(&bench.command_of(nowhere, Query::Sessions { all: true }).0));
}

#[test]
fn the_person_reads_of_refusals_once_and_sees_how_many_there_were() {
    let mut bench = Bench::new(Settings::default());
    let own = bench.ready();
    let stop = || Operation::StopDaemon { sessions: true };
    let (_, effects) = bench.command_of(inside(own), stop());
    let text = "A process inside this session (areyouj, pid 7) tried to stop the daemon. AreYouJ refused it.";
    assert_eq!(notices(&effects), [text]);
    assert_eq!(audited(&effects).len(), 1);
    let mut later = Vec::new();
    for _ in 0..1_000 {
        later.extend(bench.command_of(inside(own), stop()).1);
    }
    assert_eq!(later.iter().filter(|effect| !matches!(effect, Effect::Reply { .. })).count(), 0);
    bench.now.monotonic += 60_000;
    let effects = bench.step(Event::Tick);
    assert_eq!(audited(&effects).iter().map(|row| (row.number, row.count)).collect::<Vec<_>>(), [(2, 1_001)]);
    let refusals = bench.view(own).row.refusals.unwrap();
    assert_eq!((refusals.count, refusals.unread), (1_001, true));

    bench.command_of(inside(own), Operation::MarkRead(id_of(own))).0.unwrap();
    bench.command_of(inside(own), Operation::Attach { session: id_of(own), since: None }).0.unwrap();
    assert!(bench.view(own).row.refusals.unwrap().unread, "a process inside it is no person");
    bench.command(Operation::MarkRead(id_of(own))).0.unwrap();
    assert!(!bench.view(own).row.refusals.unwrap().unread);
    assert_eq!(notices(&bench.command_of(inside(own), stop()).1), [""; 0]);
    bench.now.wall += 600_000;
    assert_eq!(notices(&bench.command_of(inside(own), stop()).1), [text]);
    assert!(bench.view(own).row.refusals.unwrap().unread);
}

#[test]
fn a_client_that_asks_often_gets_few_rows_of_the_audit_trail() {
    let mut bench = Bench::new(Settings::default());
    let own = bench.ready();
    let mut rows = Vec::new();
    for _ in 0..5_000 {
        let rename =
            Operation::Session(request(&mut bench, id_of(own)), SessionOperation::Rename("a".to_owned()));
        rows.extend(audited(&bench.command(rename).1));
    }
    assert!(rows.len() <= 101, "{}", rows.len());
    bench.now.monotonic += 60_000;
    rows.extend(audited(&bench.step(Event::Tick)));
    let counted: BTreeMap<u64, u64> = rows.iter().map(|row| (row.number, row.count)).collect();
    assert_eq!(counted.values().sum::<u64>(), 5_000, "none is lost");
}

#[test]
fn the_audit_trail_says_who_acted_by_the_kernel_and_what_was_decided() {
    let mut bench = Bench::new(Settings::default());
    let create = Create {
        spec: SessionSpec { permission_mode: Some("plan".to_owned()), ..bench.new_session().spec },
        ..bench.new_session()
    };
    let (id, effects) = bench.created(create);
    let row = audited(&effects).remove(0);
    assert_eq!((row.actor.kind, row.actor.session, row.by.as_str()), (ActorKind::Person, None, "a person"));
    assert_eq!(row.actor.process.unwrap().program, "/bin/areyouj");
    assert_eq!(row.detail.as_deref(), Some("mode plan, in /project"));
    let own = id.unwrap();
    let (_, effects) = bench.command_of(inside(own), Operation::StopDaemon { sessions: false });
    let row = audited(&effects).remove(0);
    assert_eq!((row.actor.kind, row.actor.session), (ActorKind::Session, Some(own)));
    assert_eq!((row.operation.as_str(), row.outcome.as_str()), ("daemon/stop", "inside_session"));
}

#[test]
fn a_grant_allows_what_it_names_and_no_more() {
    for (name, grants, allowed) in [
        ("read", Grants { read: true, ..Grants::default() }, 7),
        ("send", Grants { send: true, ..Grants::default() }, 1),
    ] {
        let mut bench = Bench::new(Settings { grants, ..Settings::default() });
        let (own, other) = (bench.ready(), bench.ready());
        let all = everything(&mut bench, other).into_iter().chain(reading(&mut bench, other));
        let done: Vec<_> =
            all.filter(|command| bench.command_of(inside(own), command.clone()).0.is_ok()).collect();
        assert_eq!(done.len(), allowed, "{name}: {done:?}");
    }
}

#[test]
fn a_refusal_names_the_grant_that_would_allow_it() {
    let mut bench = Bench::new(Settings::default());
    let (own, other) = (bench.ready(), bench.ready());
    let message =
        Operation::Send { session: id_of(other), id: bench.id(), text: "x".to_owned(), steer: false };
    let hint = |answer: Result<Outcome, Problem>| answer.unwrap_err().hint();
    assert!(hint(bench.command_of(inside(own), Query::Session(id_of(other))).0).contains("\"read\""));
    assert!(hint(bench.command_of(inside(own), message).0).contains("\"send\""));
    let create = bench.new_session();
    assert!(
        hint(bench.command_of(inside(own), Operation::Create(Box::new(create))).0).contains("\"create\"")
    );
    let stop = Operation::StopDaemon { sessions: false };
    assert!(!hint(bench.command_of(inside(own), stop).0).contains("from_sessions"));
}

#[test]
fn a_session_that_a_session_creates_has_no_wider_mode() {
    let grants = Grants { create: true, ..Grants::default() };
    let mut bench = Bench::new(Settings { grants, max_active: 100, ..Settings::default() });
    for (own, requested, mode) in [
        (Some("plan"), None, Some("plan")),
        (Some("plan"), Some("default"), None),
        (Some("acceptEdits"), Some("plan"), Some("plan")),
        (Some("acceptEdits"), Some("bypassPermissions"), None),
        (None, None, Some("default")),
        (None, Some("tomorrows"), None),
        (Some("bypassPermissions"), Some("tomorrows"), None),
        (Some("tomorrows"), Some("plan"), None),
        (Some("tomorrows"), None, Some("tomorrows")),
    ] {
        let word = |mode: Option<&str>| mode.map(str::to_owned);
        let with = |bench: &mut Bench, mode| Create {
            spec: SessionSpec { permission_mode: word(mode), ..bench.new_session().spec },
            ..bench.new_session()
        };
        let create = with(&mut bench, own);
        let creator = bench.created(create).0.unwrap();
        let create = with(&mut bench, requested);
        let (answer, _) = bench.command_of(inside(creator), Operation::Create(Box::new(create)));
        let created = answer.ok().map(|outcome| match outcome {
            Outcome::Created { session, .. } => session.row.spec.permission_mode,
            other => panic!("{other:?}"),
        });
        assert_eq!(created, mode.map(|mode| word(Some(mode))), "{requested:?} from {own:?}");
    }
}

#[test]
fn notes_name_their_author_and_are_bounded() {
    let mut bench = Bench::new(Settings::default());
    let own = bench.ready();
    let note = |bench: &mut Bench, text: &str| Operation::Note(request(bench, id_of(own)), text.to_owned());
    let first = note(&mut bench, "half\u{1b}[31m done");
    let (answer, effects) = bench.command_of(inside(own), first.clone());
    assert_eq!(answer, Ok(Outcome::Done));
    let text = format!("Note from a process inside session {own}: half done");
    assert_eq!(notices(&effects), [text]);
    assert_eq!(notices(&bench.command_of(inside(own), first).1), [""; 0], "a repeated request adds nothing");
    let from_person = note(&mut bench, "look here");
    assert_eq!(notices(&bench.command(from_person).1), ["Note from a person (a person): look here"]);
    for (text, code) in [("", ErrorCode::MessageEmpty), (&*"x".repeat(2_001), ErrorCode::MessageTooLarge)] {
        let note = note(&mut bench, text);
        assert_eq!(bench.command_of(inside(own), note).0.unwrap_err().code, code);
    }
    let added = (0..300).filter(|_| {
        let note = note(&mut bench, "again");
        bench.command_of(inside(own), note).0.is_ok()
    });
    assert_eq!(added.count(), 199);
    let own_still = note(&mut bench, "a person can");
    assert_eq!(bench.command(own_still).0, Ok(Outcome::Done));
}
