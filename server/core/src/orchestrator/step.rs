//! One step: applies an event and its consequences, and renders the answer.

use super::context::StepContext;
use super::session::{End, Session};
use super::state::{Exit, State};
use super::{Command, Effect, Entropy, Event, Notification, Now, Origin, Settings, Snapshot};

impl State {
    /// The state from the store, and its first effects: look for running hosts, and start the sessions that should run.
    pub fn restore(
        settings: Settings,
        snapshot: Snapshot,
        now: Now,
        entropy: Entropy,
    ) -> (State, Vec<Effect>) {
        let mut state = State::load(settings, snapshot, now);
        let mut step = state.begin(now, entropy);
        for session in state.sessions.values_mut() {
            session.adopt(&mut step);
            step.touch(session.id());
        }
        let effects = state.end(step);
        (state, effects)
    }

    /// Applies one event and returns the effects, in order. Every step needs new `entropy`.
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
        sessions.chain(start).chain(self.audit.deadline()).min()
    }

    fn begin(&self, now: Now, entropy: Entropy) -> StepContext {
        StepContext::new(now, entropy, self.settings, self.revision)
    }

    fn apply(&mut self, step: &mut StepContext, event: Event) {
        match event {
            Event::Command { origin, command } => match command {
                Command::Query(query) => self.ask(step, origin, query),
                Command::Operation(operation) => self.operate(step, origin, operation),
                Command::Refused { operation, problem } => self.refuse(step, origin, operation, problem),
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
            Event::Launched { session, launch, host_pid, keyed } => {
                self.with_host(step, session, launch, |session, _| session.set_host(host_pid, keyed));
            }
            Event::HostDisobeys { session, launch } => {
                self.with_host(step, session, launch, |session, _| session.host_disobeys());
            }
            Event::HostConnectionLost { session, launch } => {
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
            Event::Untrusted { session, launch, would_run } => {
                self.with_host(step, session, launch, |session, step| session.untrusted(step, would_run));
            }
            Event::Synced { session, launch } => self.with_host(step, session, launch, Session::synced),
            Event::HostLost { session, launch } => {
                self.with_host(step, session, launch, |session, step| session.ended(step, End::HostLost));
            }
            Event::Survived { session, processes } => {
                self.with(step, session, |session, step| session.survived(step, &processes));
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

    /// The end of a step: consequences in the touched sessions, free start slots, changes for the store, notifications,
    /// and the answer.
    fn end(&mut self, mut step: StepContext) -> Vec<Effect> {
        for id in step.touched() {
            if let Some(session) = self.sessions.get_mut(&id) {
                session.follow_up(&mut step);
            }
        }
        for directory in step.take_trusted() {
            self.trusted(&mut step, &directory);
        }
        self.record(&mut step);
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
        if self.exit == Exit::Now {
            self.audit.close(&mut step, true);
        }
        let ended = !self.sessions.values().any(Session::is_active);
        if self.exit == Exit::Now || (self.exit == Exit::WhenEnded && ended) {
            self.exit = Exit::No;
            step.push(Effect::Exit);
        }
        step.into_effects()
    }
}
