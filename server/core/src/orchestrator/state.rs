//! All sessions, and what goes across them: ids, limits, start slots, requests carried out before.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use super::retry::head_start_ms;
use super::session::{After, Phase, Session, Step};
use super::{
    Change, ClientId, Effect, Event, Goal, Notice, Now, SessionId, SessionView, Settings, Snapshot, Status,
};

/// Requests that are remembered, so that a repeat changes nothing. Clients repeat within seconds.
const MAX_REQUESTS: usize = 10_000;

/// All sessions and the rules across them.
#[derive(Debug)]
pub struct State {
    pub(super) settings: Settings,
    pub(super) sessions: BTreeMap<SessionId, Session>,
    pub(super) used_ids: HashSet<SessionId>,
    pub(super) revision: u64,
    /// A client asked to stop the daemon once all sessions have ended.
    pub(super) exit_when_ended: bool,
    /// Monotonic time at which the latest start began.
    last_start: Option<u64>,
    /// How long the latest start took that went well, in milliseconds; nothing is known of it at first.
    start_took: u64,
    requests: HashMap<String, String>,
    request_order: VecDeque<String>,
}

impl State {
    /// The state as the store has it, and what is to be done about it: find the hosts that run, start what should
    /// run and does not.
    pub fn restore(settings: Settings, snapshot: Snapshot, now: Now) -> (State, Vec<Effect>) {
        let mut state = State {
            settings,
            sessions: BTreeMap::new(),
            used_ids: snapshot.used_ids.into_iter().collect(),
            // Clients of an earlier daemon must not take this list for the one that they have.
            revision: now.wall,
            exit_when_ended: false,
            last_start: None,
            start_took: 0,
            requests: HashMap::new(),
            request_order: VecDeque::new(),
        };
        for (key, subject) in snapshot.requests {
            state.remember_request(key, subject);
        }
        for row in snapshot.sessions {
            // Restarts are not stored by themselves: only a Claude that was ready and is to be ended is starting.
            let restarting = row.ready && row.status == Status::Starting;
            let phase = match (row.host, row.goal) {
                (true, Goal::Run) if restarting => Phase::Stopping(After::Restart),
                (true, Goal::Run) => Phase::Adopting,
                (true, _) => Phase::Stopping(After::Goal),
                (false, Goal::Run) => Phase::Queued,
                (false, Goal::Fail | Goal::Terminate) => Phase::Down,
            };
            state.used_ids.insert(row.id);
            state.sessions.insert(row.id, Session::new(row, phase));
        }
        for message in snapshot.messages {
            if let Some(session) = state.sessions.get_mut(&message.session) {
                session.row.last_activity = session.row.last_activity.max(message.created_at);
                session.messages.push(message);
            }
        }
        for prompt in snapshot.permissions {
            if let Some(session) = state.sessions.get_mut(&prompt.id.session) {
                session.prompts.insert(prompt.id.number, prompt);
            }
        }
        let mut step = state.begin(now);
        for session in state.sessions.values_mut() {
            if session.row.host {
                session.link_lost(&mut step);
            }
        }
        let ids: Vec<SessionId> = state.sessions.keys().copied().collect();
        state.end(&mut step, ids);
        (state, step.effects)
    }

    /// Takes one event and returns what is to be done, in order.
    pub fn step(&mut self, now: Now, event: Event) -> Vec<Effect> {
        let mut step = self.begin(now);
        let touched = self.take(&mut step, event);
        self.end(&mut step, touched);
        step.effects
    }

    /// The monotonic time at which [`Event::Tick`] is due.
    pub fn next_deadline(&self) -> Option<u64> {
        let sessions = self.sessions.values().filter_map(Session::deadline);
        let waiting = self.sessions.values().any(|session| session.phase == Phase::Queued);
        let start = self.next_start().filter(|at| waiting && *at > 0);
        sessions.chain(start).min()
    }

    fn begin(&self, now: Now) -> Step {
        Step { now, settings: self.settings, revision: self.revision, start_took: None, effects: Vec::new() }
    }

    fn take(&mut self, step: &mut Step, event: Event) -> Vec<SessionId> {
        match event {
            Event::Command { origin, command } => self.command(step, &origin, command),
            Event::ClientGone(client) => self.client_gone(client),
            Event::ShowQueue(session) => {
                if let Some(session) = self.sessions.get(&session) {
                    step.publish(Notice::Queue(session.queue_view()));
                }
                Vec::new()
            }
            Event::Tick => {
                for session in self.sessions.values_mut() {
                    session.tick(step);
                }
                self.sessions.keys().copied().collect()
            }
            Event::Launched { session, launch, host_pid } => self.with(session, |session| {
                if session.row.launch == launch && session.row.host {
                    session.row.host_pid = Some(host_pid);
                }
            }),
            Event::LinkLost { session, launch } => self.with(session, |session| {
                if session.row.launch == launch && session.row.host {
                    session.link_lost(step);
                }
            }),
            Event::HostStalled { session, launch, why } => self.with(session, |session| {
                if session.row.launch == launch && session.row.host {
                    session.stalled = why;
                }
            }),
            Event::LaunchFailed { session, launch, problem, permanent } => self.with(session, |session| {
                if session.row.launch == launch && session.row.host {
                    session.launch_failed(step, problem, permanent);
                }
            }),
            Event::Inspected { session, look, conversation, seen, place } => {
                self.with(session, |session| session.inspected(step, look, conversation, &seen, &place))
            }
            Event::Facts { session, facts, position } => {
                self.with(session, |session| session.take_facts(step, facts, position))
            }
            Event::Synced { session, launch } => self.with(session, |session| {
                if session.row.launch == launch {
                    session.synced(step);
                }
            }),
            Event::HostLost { session, launch } => self.with(session, |session| {
                if session.row.launch == launch {
                    session.ended(step, super::lifecycle::End::HostLost);
                }
            }),
        }
    }

    fn with(&mut self, id: SessionId, what: impl FnOnce(&mut Session)) -> Vec<SessionId> {
        match self.sessions.get_mut(&id) {
            Some(session) => {
                what(session);
                vec![id]
            }
            None => Vec::new(),
        }
    }

    /// Brings the touched sessions up to date, gives free start slots away, and ends the daemon if that was asked.
    fn end(&mut self, step: &mut Step, touched: Vec<SessionId>) {
        for id in touched {
            if let Some(session) = self.sessions.get_mut(&id) {
                session.settle(step);
            }
        }
        self.start_took = step.start_took.unwrap_or(self.start_took);
        self.give_start_slots(step);
        self.revision = step.revision;
        if self.exit_when_ended && self.sessions.values().all(|session| session.phase == Phase::Down) {
            self.exit_when_ended = false;
            step.effects.push(Effect::Exit);
        }
    }

    fn give_start_slots(&mut self, step: &mut Step) {
        let mut queued: Vec<(Option<u64>, SessionId)> = self
            .sessions
            .values()
            .filter(|session| session.phase == Phase::Queued)
            .map(|session| (session.start_requested, session.row.id))
            .collect();
        queued.sort_unstable();
        for (_, id) in queued {
            if self.next_start().is_none_or(|at| at > step.now.monotonic) {
                return;
            }
            if let Some(session) = self.sessions.get_mut(&id) {
                session.begin_start(step);
                session.settle(step);
                self.last_start = Some(step.now.monotonic);
            }
        }
    }

    /// The monotonic time from which another start may begin; none while as many start as may. Half of the starts may
    /// begin together; each further one lets the one before it get ahead.
    fn next_start(&self) -> Option<u64> {
        let starting = self.sessions.values().filter(|session| session.is_starting()).count();
        let most = usize::try_from(self.settings.max_starting).unwrap_or(usize::MAX);
        if starting >= most {
            return None;
        }
        let together = (most / 2).max(1);
        let after = self.last_start.filter(|_| starting >= together);
        Some(after.map_or(0, |at| at + head_start_ms(self.start_took)))
    }

    pub(super) fn active(&self) -> u32 {
        u32::try_from(self.sessions.values().filter(|session| session.is_active()).count())
            .unwrap_or(u32::MAX)
    }

    pub(super) fn views(&self, all: bool) -> Vec<SessionView> {
        let shown = self.sessions.values().filter(|session| all || !session.is_terminated());
        let mut views: Vec<SessionView> = shown.map(Session::view).collect();
        views.sort_by_key(|view| (std::cmp::Reverse(view.row.created_at), view.row.id));
        views
    }

    fn client_gone(&mut self, client: ClientId) -> Vec<SessionId> {
        for session in self.sessions.values_mut() {
            session.watchers.remove(&client);
        }
        Vec::new()
    }

    /// What a request with this id did before.
    pub(super) fn request(&self, key: &str) -> Option<&str> {
        self.requests.get(key).map(String::as_str)
    }

    /// A request was carried out: keeps that, on disk too.
    pub(super) fn carried_out(&mut self, step: &mut Step, key: &str, subject: String) {
        step.persist(Change::Request { key: key.to_owned(), subject: subject.clone(), at: step.now.wall });
        self.remember_request(key.to_owned(), subject);
    }

    pub(super) fn remember_request(&mut self, key: String, subject: String) {
        if self.requests.insert(key.clone(), subject).is_none() {
            self.request_order.push_back(key);
        }
        if self.request_order.len() > MAX_REQUESTS
            && let Some(oldest) = self.request_order.pop_front()
        {
            self.requests.remove(&oldest);
        }
    }

    pub(super) fn terminate_all(&mut self, step: &mut Step) -> Vec<SessionId> {
        let mut touched = Vec::new();
        for session in self.sessions.values_mut() {
            if session.row.goal != Goal::Terminate {
                session.terminate(step);
                touched.push(session.row.id);
            }
        }
        touched
    }

    /// What must hold after every step.
    #[cfg(test)]
    pub(super) fn check(&self) -> Result<(), String> {
        for session in self.sessions.values() {
            let turns = session.running().filter(|message| !message.steer).count();
            if turns > 1 {
                return Err(format!("{}: {turns} turns run at once", session.row.id));
            }
            if session.messages.iter().any(|message| message.session != session.row.id) {
                return Err(format!("{}: holds a message of another session", session.row.id));
            }
            if session.phase == Phase::Down && session.row.host {
                return Err(format!("{}: is down and has a host", session.row.id));
            }
            if matches!(session.phase, Phase::Stopping(After::Goal)) && session.row.goal == Goal::Run {
                return Err(format!("{}: ends for no reason", session.row.id));
            }
            let undecided = session.messages.iter().filter(|message| message.state.is_final());
            if undecided.clone().count() > 1
                || undecided.into_iter().any(|message| message.state == super::MessageState::Done)
            {
                return Err(format!("{}: keeps finished messages", session.row.id));
            }
        }
        Ok(())
    }
}
