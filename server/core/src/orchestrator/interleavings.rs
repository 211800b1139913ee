//! Random interleavings of people, hosts, Claudes, crashes and clocks against the promises: no message lost, none begun
//! twice, order kept, nothing of one session in another, one turn at a time, every permission request answered once,
//! and every new Claude has the conversation, the model and the permission mode that were in effect.
//!
//! The world is a model of everything around the orchestrator: a store with everything that was committed, hosts whose
//! journals survive the daemon, and Claudes that run messages, make permission requests, crash and forget.

mod acts;
mod in_effect;
mod outside;
mod promises;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use acts::{Act, acts};
use outside::{Claude, Disk, Outside, ask, settings, turn_end};
use promises::check_only_about;

/// How many interleavings one run tries.
const CASES: u32 = 10_000;

/// The client of all commands.
const ORIGIN: ClientId = 1;

struct World {
    state: State,
    disk: Disk,
    outside: BTreeMap<SessionId, Outside>,
    now: Now,
    ids: u128,
    /// Messages that were acknowledged, in order.
    acknowledged: Vec<(SessionId, MessageId, String)>,
    /// How often Claude started a message.
    begun: HashMap<MessageId, u32>,
    /// The order in which each session's messages started.
    order: BTreeMap<SessionId, Vec<MessageId>>,
    /// Sessions whose order people or crashes changed on purpose.
    reordered: BTreeSet<SessionId>,
    /// How often Claude received the answer to a permission request.
    answers: HashMap<String, u32>,
    asks: u32,
}

type Verdict = Result<(), TestCaseError>;

/// What the client of this world requests.
fn command(operation: Operation) -> Event {
    let principal = Principal::Person { name: "a person".to_owned() };
    let origin = Origin { client: ORIGIN, principal, process: Process::default().into(), reply: 1 };
    Event::Command { origin, command: operation.into() }
}

impl World {
    fn new() -> World {
        let now = Now { wall: 1_000, monotonic: 0 };
        let (state, _) = State::restore(settings(), Snapshot::default(), now, Entropy::new(0));
        World {
            state,
            disk: Disk::default(),
            outside: BTreeMap::new(),
            now,
            ids: 0,
            acknowledged: Vec::new(),
            begun: HashMap::new(),
            order: BTreeMap::new(),
            reordered: BTreeSet::new(),
            answers: HashMap::new(),
            asks: 0,
        }
    }

    fn fresh(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    fn sessions(&self) -> Vec<SessionId> {
        self.disk.sessions.keys().copied().collect()
    }

    fn pick(&self, number: usize) -> Option<SessionId> {
        let sessions = self.sessions();
        (!sessions.is_empty()).then(|| sessions[number % sessions.len()])
    }

    /// One step: commits its changes, then carries out the rest.
    fn event(&mut self, event: Event) -> Result<Option<Result<Outcome, Problem>>, TestCaseError> {
        let about = match &event {
            Event::Facts { session, .. } => Some(*session),
            _ => None,
        };
        let entropy = Entropy::new(self.fresh().as_u128());
        let effects = self.state.step(self.now, entropy, event);
        self.state.check().map_err(TestCaseError::fail)?;
        if let Some(session) = about {
            check_only_about(session, &effects)?;
        }
        self.carry_out(effects)
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> Result<Option<Result<Outcome, Problem>>, TestCaseError> {
        let mut answer = None;
        let (changes, others): (Vec<_>, Vec<_>) =
            effects.into_iter().partition(|effect| matches!(effect, Effect::Persist(_)));
        for change in changes {
            if let Effect::Persist(change) = change {
                self.disk.keep(change);
            }
        }
        for effect in others {
            match effect {
                Effect::Reply { result, .. } => answer = Some(result),
                Effect::Launch(order) => self.outside.entry(order.session).or_default().launched(&order)?,
                Effect::Adopt { session, launch, position, .. } => {
                    let outside = self.outside.entry(session).or_default();
                    outside.linked = true;
                    outside.broken = false;
                    outside.taken = usize::try_from(position.next).unwrap_or(usize::MAX);
                    match outside.host {
                        Some(_) => outside.sync_at = Some(outside.journal.len()),
                        None => outside.lost = Some(launch),
                    }
                }
                Effect::Inspect { session, inspection, claude_session, messages, .. } => {
                    let record = self.outside.entry(session).or_default().records.get(&claude_session);
                    let holds = |id: &MessageId| record.is_some_and(|record| record.contains(id));
                    let messages = messages.into_iter().filter(holds).collect();
                    let conversation =
                        if record.is_some() { ConversationState::Begun } else { ConversationState::Nothing };
                    let place = "/records".to_owned();
                    self.event(Event::Inspected { session, inspection, conversation, messages, place })?;
                }
                Effect::Send { session, launch, input } => self.write(session, launch, input)?,
                Effect::Stop { session, launch, .. } => {
                    if let Some(outside) = self.outside.get_mut(&session)
                        && outside.host.as_ref().is_some_and(|claude| claude.launch == launch)
                        && !outside.broken
                    {
                        outside.exit(Exit::Code(0));
                    }
                }
                Effect::Release { session, launch } => {
                    if let Some(outside) = self.outside.get_mut(&session)
                        && outside.host.as_ref().is_some_and(|claude| claude.launch == launch)
                    {
                        prop_assert!(
                            outside.host.as_ref().is_some_and(|claude| claude.exited),
                            "released too early"
                        );
                        outside.host = None;
                        outside.linked = false;
                    }
                }
                Effect::Persist(_)
                | Effect::Publish(_)
                | Effect::Ingested { .. }
                | Effect::RemoveFiles { .. }
                | Effect::Exit => {}
            }
        }
        Ok(answer)
    }

    fn write(&mut self, session: SessionId, launch: u32, input: Input) -> Verdict {
        let Some(outside) = self.outside.get_mut(&session).filter(|outside| !outside.broken) else {
            return Ok(());
        };
        let Some(claude) = outside.host.as_mut().filter(|claude| claude.launch == launch && !claude.exited)
        else {
            return Ok(());
        };
        match input {
            Input::Initialize { .. } => {
                outside.journal.push(Fact::Written(Written::Other));
                let pending = claude.asked.iter().map(|request| ask(request)).collect();
                claude.ready = true;
                let mode = claude.described_mode();
                outside.reported(mode);
                outside.journal.push(Fact::Ready { pending });
            }
            Input::Message { id, steer, .. } => {
                prop_assert!(!claude.wider, "a Claude with too many rights gets a message");
                let known = outside.records.values().any(|record| record.contains(&id));
                outside.journal.push(Fact::Written(Written::Message(id)));
                outside.journal.push(Fact::Lifecycle { message: id, stage: Stage::Queued });
                if !claude.waiting.contains(&id) && claude.turn != Some(id) && !known {
                    claude.waiting.push_back(id);
                }
                prop_assert!(steer || claude.waiting.len() <= 1, "messages pile up inside Claude");
            }
            Input::Answer { request, .. } => {
                outside
                    .journal
                    .push(Fact::Written(Written::Answer { request_id: request.request_id.clone() }));
                if claude.asked.take_if(|asked| *asked == request.request_id).is_some() {
                    outside.journal.push(Fact::Activity(Activity::Running));
                }
                *self.answers.entry(request.request_id).or_default() += 1;
            }
            Input::Interrupt { .. } => {
                if let Some(request_id) = claude.asked.take() {
                    outside.journal.push(Fact::PermissionWithdrawn { request_id });
                }
                let conversation = claude.conversation;
                outside.finished.extend(claude.turn.map(|_| conversation));
                let broken: Vec<MessageId> =
                    claude.turn.take().into_iter().chain(claude.waiting.drain(..)).collect();
                outside.journal.push(Fact::TurnEnded(turn_end(&broken, false)));
                for message in broken {
                    outside.journal.push(Fact::Lifecycle { message, stage: Stage::Cancelled });
                }
                outside.journal.push(Fact::Activity(Activity::Idle));
            }
            // Only terminals have these.
            Input::Enter | Input::ReleaseHook { .. } => {}
            Input::Refuse { .. } => {}
        }
        Ok(())
    }

    fn command(&mut self, operation: Operation) -> Result<Option<Result<Outcome, Problem>>, TestCaseError> {
        self.event(command(operation))
    }

    fn request<T>(&mut self, target: T) -> Idempotent<T> {
        Idempotent { request_id: self.fresh().to_string(), target }
    }

    fn act(&mut self, act: Act) -> Verdict {
        match act {
            Act::Create => self.create()?,
            Act::Send { session, steer } => {
                let Some(session) = self.pick(session) else { return Ok(()) };
                let id = self.fresh();
                let text = format!("message {id}");
                let target = SessionRef::Id(session.to_string());
                let sent = Operation::Send { session: target, id, text: text.clone(), steer };
                if let Some(Ok(_)) = self.command(sent)? {
                    self.acknowledged.push((session, id, text));
                    if steer {
                        self.reordered.insert(session);
                    }
                }
            }
            Act::Repeat { message } => {
                let Some((session, id, text)) = self.some_message(message) else { return Ok(()) };
                let target = SessionRef::Id(session.to_string());
                let again = self.command(Operation::Send { session: target, id, text, steer: false })?;
                let refused =
                    matches!(&again, Some(Err(problem)) if problem.code != ErrorCode::SessionTerminated);
                prop_assert!(!refused, "a repeat was refused: {again:?}");
            }
            Act::Remove { message } => {
                let Some((_, id, _)) = self.some_message(message) else { return Ok(()) };
                let of = self.request(id.to_string());
                self.command(Operation::Message(of, MessageOperation::Remove))?;
            }
            Act::Move { message, to } => {
                let Some((session, id, _)) = self.some_message(message) else { return Ok(()) };
                let of = self.request(id.to_string());
                self.command(Operation::Message(of, MessageOperation::Move(to)))?;
                self.reordered.insert(session);
            }
            Act::Pause { session } => self.on_session(session, SessionOperation::PauseQueue)?,
            Act::Resume { session } => self.on_session(session, SessionOperation::ResumeQueue)?,
            Act::Interrupt { session } => self.on_session(session, SessionOperation::Interrupt)?,
            Act::Restart { session } => self.on_session(session, SessionOperation::Restart)?,
            Act::Terminate { session } => self.on_session(session, SessionOperation::Terminate)?,
            Act::Answer { request } => {
                let open: Vec<_> = self.disk.permissions.values().map(|row| (seen(row), row.state)).collect();
                if open.is_empty() {
                    return Ok(());
                }
                let (seen, state) = open[request % open.len()].clone();
                let of = self.request(seen);
                let answered = self.command(Operation::Answer(of, Answer::Allow))?;
                if state != PermissionState::Open {
                    prop_assert!(matches!(answered, Some(Err(_))), "a permission request was answered twice");
                }
            }
            Act::Recover { session, again } => {
                let Some(session) = self.pick(session) else { return Ok(()) };
                let Some(id) = self.disk.sessions[&session].pause_message else { return Ok(()) };
                let of = self.request(id.to_string());
                let choice = if again { Recovery::Again } else { Recovery::Skip };
                self.command(Operation::Message(of, MessageOperation::Recover(choice)))?;
                self.reordered.insert(session);
            }
            Act::Claude { session, ask } => {
                if let Some(session) = self.pick(session) {
                    self.claude_continues(session, ask)?;
                }
            }
            Act::Ingest { session, facts } => {
                if let Some(session) = self.pick(session) {
                    self.ingest(session, facts)?;
                }
            }
            Act::ClaudeDies { session } => {
                if let Some(outside) = self.pick(session).and_then(|id| self.outside.get_mut(&id)) {
                    outside.exit(Exit::Signal(9));
                }
            }
            Act::Changes { session, what } => {
                let opened = self.fresh();
                if let Some(outside) = self.pick(session).and_then(|id| self.outside.get_mut(&id)) {
                    outside.change(what, opened);
                }
            }
            Act::Widens { session } => {
                if let Some(outside) = self.pick(session).and_then(|id| self.outside.get_mut(&id)) {
                    outside.widens = !outside.widens;
                }
            }
            Act::RecordMoves { session } => {
                if let Some(outside) = self.pick(session).and_then(|id| self.outside.get_mut(&id)) {
                    outside.move_record();
                }
            }
            Act::HostDies { session, unsaid } => {
                let Some(session) = self.pick(session) else { return Ok(()) };
                if unsaid {
                    self.begin_unsaid(session);
                }
                if let Some(outside) = self.outside.get_mut(&session)
                    && let Some(claude) = outside.host.take()
                    && outside.linked
                {
                    outside.sync_at = None;
                    outside.lost = Some(claude.launch);
                }
            }
            Act::LinkBreaks { session } => {
                if let Some(outside) = self.pick(session).and_then(|id| self.outside.get_mut(&id)) {
                    outside.broken = outside.linked && outside.host.is_some();
                }
            }
            Act::DaemonDies { when } => self.daemon_dies(when)?,
            Act::Clock { ms } => {
                self.now.monotonic += ms;
                // The wall clock can change to any time.
                self.now.wall = self.now.wall.wrapping_mul(31) % 1_000_000 + ms;
                self.event(Event::Tick)?;
            }
        }
        self.check()
    }

    fn on_session(&mut self, number: usize, operation: SessionOperation) -> Verdict {
        let Some(session) = self.pick(number) else { return Ok(()) };
        let of = self.request(SessionRef::Id(session.to_string()));
        self.command(Operation::Session(of, operation)).map(drop)
    }

    fn create(&mut self) -> Verdict {
        let number = self.disk.sessions.len();
        let create = Create {
            request_id: self.fresh().to_string(),
            spec: SessionSpec {
                directory: "/project".to_owned(),
                driver: Driver::Stream,
                model: number.is_multiple_of(2).then(|| "sonnet".to_owned()),
                permission_mode: (!number.is_multiple_of(3)).then(|| "plan".to_owned()),
            },
            environment: BTreeMap::new(),
            name: None,
            messages: Vec::new(),
        };
        let first = self.command(Operation::Create(Box::new(create.clone())))?;
        let second = self.command(Operation::Create(Box::new(create)))?;
        if let (
            Some(Ok(Outcome::Created { session: first, .. })),
            Some(Ok(Outcome::Created { session: second, .. })),
        ) = (&first, &second)
        {
            prop_assert_eq!(first.row.id, second.row.id, "a repeat created another session");
        } else {
            let limit = matches!(&first, Some(Err(problem)) if problem.code == ErrorCode::TooManySessions);
            prop_assert!(limit, "no session and no reason: {:?}", first);
        }
        Ok(())
    }

    fn some_message(&self, number: usize) -> Option<(SessionId, MessageId, String)> {
        let count = self.acknowledged.len();
        // A late one, because it still waits.
        (count > 0).then(|| self.acknowledged[count - 1 - number % count].clone())
    }

    fn claude_continues(&mut self, session: SessionId, ask_first: bool) -> Verdict {
        self.asks += 1;
        let request = format!("ask-{}", self.asks);
        let Some(outside) = self.outside.get_mut(&session) else { return Ok(()) };
        let Some(claude) = outside.host.as_mut().filter(|claude| !claude.exited && claude.asked.is_none())
        else {
            return Ok(());
        };
        match claude.turn {
            None => {
                let Some(id) = claude.waiting.pop_front() else { return Ok(()) };
                claude.turn = Some(id);
                let described = claude.described();
                outside.records.entry(claude.conversation).or_default().insert(id);
                outside.journal.push(Fact::Activity(Activity::Running));
                outside.journal.push(Fact::Lifecycle { message: id, stage: Stage::Started });
                described.into_iter().for_each(|fact| outside.reported(fact));
                *self.begun.entry(id).or_default() += 1;
                self.order.entry(session).or_default().push(id);
            }
            Some(_) if ask_first => {
                claude.asked = Some(request.clone());
                outside.journal.push(Fact::Activity(Activity::RequiresAction));
                outside.journal.push(Fact::PermissionRequested(ask(&request)));
            }
            Some(id) => {
                // Messages that came meanwhile are merged into the turn.
                let mut ended = vec![id];
                outside.finished.insert(claude.conversation);
                while let Some(steered) = claude.waiting.pop_front() {
                    outside.records.entry(claude.conversation).or_default().insert(steered);
                    *self.begun.entry(steered).or_default() += 1;
                    outside.journal.push(Fact::Lifecycle { message: steered, stage: Stage::Started });
                    ended.push(steered);
                }
                claude.turn = None;
                outside.journal.push(Fact::TurnEnded(turn_end(&ended, true)));
                for message in ended {
                    outside.journal.push(Fact::Lifecycle { message, stage: Stage::Completed });
                }
                outside.journal.push(Fact::Activity(Activity::Idle));
            }
        }
        Ok(())
    }

    /// Claude starts a message, and the host dies before it has recorded that.
    fn begin_unsaid(&mut self, session: SessionId) {
        let Some(outside) = self.outside.get_mut(&session) else { return };
        let Some(claude) = outside.host.as_mut().filter(|claude| !claude.exited && claude.turn.is_none())
        else {
            return;
        };
        if let Some(id) = claude.waiting.pop_front() {
            outside.records.entry(claude.conversation).or_default().insert(id);
            *self.begun.entry(id).or_default() += 1;
            self.order.entry(session).or_default().push(id);
        }
    }

    fn ingest(&mut self, session: SessionId, count: usize) -> Verdict {
        let Some(outside) = self.outside.get_mut(&session).filter(|outside| outside.linked) else {
            return Ok(());
        };
        if let Some(launch) = outside.host.as_ref().filter(|_| outside.broken).map(|claude| claude.launch) {
            return self.event(Event::HostConnectionLost { session, launch }).map(drop);
        }
        // A connection reads up to the end of its launch; the next connection reads the rest.
        let end =
            outside.journal[outside.taken..].iter().position(|fact| matches!(fact, Fact::Exited { .. }));
        let end = end.map_or(outside.journal.len(), |at| outside.taken + at + 1);
        let until = outside.taken.saturating_add(count).min(end);
        let facts = outside.journal[outside.taken..until].to_vec();
        outside.taken = until;
        let next = u64::try_from(until).unwrap_or(u64::MAX);
        let synced = outside.sync_at.is_some_and(|at| at <= until);
        let launch = outside.host.as_ref().map(|claude| claude.launch);
        let read_all = until == outside.journal.len();
        let position = Position { next, line_start: next, line_skip: 0 };
        if !facts.is_empty() {
            self.event(Event::Facts { session, facts, position })?;
        }
        if let (true, Some(launch)) = (synced, launch) {
            if let Some(outside) = self.outside.get_mut(&session) {
                outside.sync_at = None;
            }
            self.event(Event::Synced { session, launch })?;
        }
        let lost =
            self.outside.get_mut(&session).filter(|_| read_all).and_then(|outside| outside.lost.take());
        if let Some(launch) = lost {
            if let Some(outside) = self.outside.get_mut(&session) {
                outside.linked = false;
            }
            self.event(Event::HostLost { session, launch })?;
        }
        Ok(())
    }

    fn daemon_dies(&mut self, when: u8) -> Verdict {
        // A step is under way: its changes might be on disk, its effects were not carried out.
        if when > 0
            && let Some(session) = self.pick(usize::from(when))
        {
            let id = self.fresh();
            let text = format!("message {id}");
            let target = SessionRef::Id(session.to_string());
            let send = Operation::Send { session: target, id, text: text.clone(), steer: false };
            let entropy = Entropy::new(self.fresh().as_u128());
            let effects = self.state.step(self.now, entropy, command(send));
            if when == 2 {
                let taken =
                    effects.iter().any(|effect| matches!(effect, Effect::Reply { result: Ok(_), .. }));
                for effect in effects {
                    if let Effect::Persist(change) = effect {
                        self.disk.keep(change);
                    }
                }
                if taken {
                    self.acknowledged.push((session, id, text));
                }
            }
        }
        for outside in self.outside.values_mut() {
            outside.linked = false;
            outside.broken = false;
            outside.lost = None;
            outside.sync_at = None;
        }
        self.now.monotonic = 0;
        let entropy = Entropy::new(self.fresh().as_u128());
        let (state, effects) = State::restore(settings(), self.disk.snapshot(), self.now, entropy);
        self.state = state;
        self.state.check().map_err(TestCaseError::fail)?;
        self.carry_out(effects).map(drop)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn every_interleaving_keeps_the_promises(acts in acts()) {
        let mut world = World::new();
        world.create()?;
        for act in acts {
            world.act(act)?;
        }
        world.come_to_rest()?;
    }
}

/// A permission request as a person sees it.
fn seen(row: &PermissionRow) -> SeenPermission {
    SeenPermission { id: row.id.to_string(), digest: row.displayed().digest }
}
