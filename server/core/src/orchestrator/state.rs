//! All sessions, and the rules across them: ids, limits, start slots, requests that were carried out before.

use std::collections::{BTreeMap, HashSet};

use super::operate::Exit;
use super::requests::Requests;
use super::retry::head_start_ms;
use super::session::{End, Session};
use super::step::StepContext;
use super::{Command, Effect, Entropy, Event, Notification, Now, Origin, SessionId, Settings, Snapshot};

/// All sessions and the rules across them.
#[derive(Debug)]
pub struct State {
    pub(super) settings: Settings,
    pub(super) sessions: BTreeMap<SessionId, Session>,
    pub(super) used_ids: HashSet<SessionId>,
    pub(super) requests: Requests,
    /// Counts changes of the list of sessions.
    pub(super) revision: u64,
    pub(super) exit: Exit,
    /// Monotonic time at which the latest start began.
    last_start: Option<u64>,
    /// How long the latest successful start took, in milliseconds; 0 before the first.
    start_took: u64,
}

impl State {
    /// The state as the store has it, and what to do about it: look for the hosts that run, start what should run and
    /// does not.
    pub fn restore(
        settings: Settings,
        snapshot: Snapshot,
        now: Now,
        entropy: Entropy,
    ) -> (State, Vec<Effect>) {
        let mut state = State {
            settings,
            sessions: BTreeMap::new(),
            used_ids: snapshot.used_ids.into_iter().collect(),
            requests: Requests::default(),
            // Clients of an earlier daemon must not mistake this list for the one that they have.
            revision: now.wall,
            exit: Exit::No,
            last_start: None,
            start_took: 0,
        };
        for (request_id, done) in snapshot.requests {
            state.requests.remember(request_id, done);
        }
        for row in snapshot.sessions {
            state.used_ids.insert(row.id);
            state.sessions.insert(row.id, Session::restore(row));
        }
        for message in snapshot.messages {
            if let Some(session) = state.sessions.get_mut(&message.session) {
                session.restore_message(message);
            }
        }
        for request in snapshot.permissions {
            if let Some(session) = state.sessions.get_mut(&request.id.session) {
                session.restore_request(request);
            }
        }
        let mut step = state.begin(now, entropy);
        for session in state.sessions.values_mut() {
            session.adopt(&mut step);
            step.touch(session.id());
        }
        let effects = state.end(step);
        (state, effects)
    }

    /// Applies one event and returns what to do, in order. `entropy` must be another random one for every step.
    pub fn step(&mut self, now: Now, entropy: Entropy, event: Event) -> Vec<Effect> {
        let mut step = self.begin(now, entropy);
        self.apply(&mut step, event);
        self.end(step)
    }

    /// The monotonic time at which [`Event::Tick`] is due.
    pub fn next_deadline(&self) -> Option<u64> {
        let sessions = self.sessions.values().filter_map(Session::deadline);
        let waiting = self.sessions.values().any(Session::waits_for_slot);
        let start = self.next_start().filter(|at| waiting && *at > 0);
        sessions.chain(start).min()
    }

    fn begin(&self, now: Now, entropy: Entropy) -> StepContext {
        StepContext::new(now, entropy, self.settings, self.revision)
    }

    fn apply(&mut self, step: &mut StepContext, event: Event) {
        match event {
            Event::Command { origin, command } => match command {
                Command::Query(query) => {
                    let Origin { client, reply, .. } = origin;
                    step.push(Effect::Reply { client, reply, result: self.query(&query) });
                }
                Command::Operation(operation) => self.operate(step, origin, operation),
            },
            Event::ClientGone(client) => self.client_gone(client),
            Event::ShowQueue(session) => {
                if let Some(session) = self.sessions.get(&session) {
                    step.publish(Notification::Queue(session.queue().view()));
                }
            }
            Event::Tick => {
                for session in self.sessions.values_mut() {
                    session.tick(step);
                    step.touch(session.id());
                }
            }
            Event::Launched { session, launch, host_pid } => {
                self.with_host(step, session, launch, |session, _| session.set_host_pid(host_pid));
            }
            Event::LinkLost { session, launch } => {
                self.with_host(step, session, launch, Session::adopt);
            }
            Event::HostStalled { session, launch, why } => {
                self.with_host(step, session, launch, |session, _| session.set_stalled(why));
            }
            Event::OrderRefused { session, launch } => {
                self.with_host(step, session, launch, Session::order_refused);
            }
            Event::LaunchFailed { session, launch, problem, permanent } => {
                self.with_host(step, session, launch, |session, step| {
                    session.launch_failed(step, problem, permanent);
                });
            }
            Event::Synced { session, launch } => self.with_host(step, session, launch, Session::synced),
            Event::HostLost { session, launch } => {
                self.with_host(step, session, launch, |session, step| session.ended(step, End::HostLost));
            }
            Event::Inspected { session, inspection, conversation, messages, place } => {
                self.with(step, session, |session, step| {
                    session.inspected(step, inspection, conversation, &messages, &place);
                });
            }
            Event::Facts { session, facts, position } => {
                self.with(step, session, |session, step| session.apply_facts(step, facts, position));
            }
        }
    }

    fn with(
        &mut self,
        step: &mut StepContext,
        id: SessionId,
        change: impl FnOnce(&mut Session, &mut StepContext),
    ) {
        if let Some(session) = self.sessions.get_mut(&id) {
            change(session, step);
            step.touch(id);
        }
    }

    /// Applies a change to a session that may have a host of this launch.
    fn with_host(
        &mut self,
        step: &mut StepContext,
        id: SessionId,
        launch: u32,
        change: impl FnOnce(&mut Session, &mut StepContext),
    ) {
        if self.sessions.get(&id).is_some_and(|session| session.has_host_of(launch)) {
            self.with(step, id, change);
        }
    }

    /// The end of a step: what follows by itself in the touched sessions, free start slots, what the store and the
    /// clients must know, the answer.
    fn end(&mut self, mut step: StepContext) -> Vec<Effect> {
        for id in step.touched() {
            if let Some(session) = self.sessions.get_mut(&id) {
                session.follow_up(&mut step);
            }
        }
        self.start_took = step.start_took().unwrap_or(self.start_took);
        self.give_start_slots(&mut step);
        for id in step.touched() {
            if let Some(session) = self.sessions.get_mut(&id) {
                session.settle(&mut step);
            }
        }
        self.revision = step.revision();
        if let Some((Origin { client, reply, .. }, result)) = step.take_answer() {
            let result = result.and_then(|subject| self.render(subject));
            step.push(Effect::Reply { client, reply, result });
        }
        let ended = !self.sessions.values().any(Session::is_active);
        if self.exit == Exit::Now || (self.exit == Exit::WhenEnded && ended) {
            self.exit = Exit::No;
            step.push(Effect::Exit);
        }
        step.into_effects()
    }

    fn give_start_slots(&mut self, step: &mut StepContext) {
        let waiting = self.sessions.values().filter(|session| session.waits_for_slot());
        let mut waiting: Vec<(Option<u64>, SessionId)> =
            waiting.map(|session| (session.start_requested(), session.id())).collect();
        waiting.sort_unstable();
        for (_, id) in waiting {
            if self.next_start().is_none_or(|at| at > step.now.monotonic) {
                return;
            }
            self.with(step, id, Session::begin_start);
            self.last_start = Some(step.now.monotonic);
        }
    }

    /// The monotonic time from which another start may begin; none while as many start as may. Half of the starts may
    /// begin together; each further one gives the one before it a head start.
    fn next_start(&self) -> Option<u64> {
        let starting = self.sessions.values().filter(|session| session.holds_slot()).count();
        let most = usize::try_from(self.settings.max_starting).unwrap_or(usize::MAX);
        if starting >= most {
            return None;
        }
        let together = (most / 2).max(1);
        let after = self.last_start.filter(|_| starting >= together);
        Some(after.map_or(0, |at| at + head_start_ms(self.start_took)))
    }

    pub(super) fn active(&self) -> u32 {
        let active = self.sessions.values().filter(|session| session.is_active()).count();
        u32::try_from(active).unwrap_or(u32::MAX)
    }

    /// What must hold after every step.
    #[cfg(test)]
    pub(super) fn check(&self) -> Result<(), String> {
        self.sessions.values().try_for_each(Session::check)
    }
}
