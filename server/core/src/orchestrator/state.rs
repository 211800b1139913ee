//! The state of all sessions.

use std::collections::{BTreeMap, HashSet};

use super::audit::AuditTrail;
use super::context::StepContext;
use super::requests::{Requests, SEND};
use super::session::Session;
use super::{Change, ClientId, MessageId, Now, SessionId, Settings, Snapshot};

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
    pub(super) audit: AuditTrail,
    /// Monotonic time at which the latest start began.
    pub(super) last_start: Option<u64>,
    /// How long the latest successful start took, in milliseconds; 0 before the first.
    pub(super) start_took: u64,
}

/// What the daemon does about a request to stop it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Exit {
    /// It was not asked to stop.
    #[default]
    No,
    /// It exits when all sessions have ended.
    WhenEnded,
    /// It exits at the end of the step.
    Now,
}

impl State {
    /// The state from the store.
    pub(super) fn load(settings: Settings, snapshot: Snapshot, now: Now) -> State {
        let mut state = State {
            settings,
            sessions: BTreeMap::new(),
            used_ids: snapshot.used_ids.into_iter().collect(),
            requests: Requests::default(),
            // Clients of an earlier daemon must not mistake this list for theirs.
            revision: now.wall,
            exit: Exit::No,
            audit: AuditTrail::after(snapshot.audit),
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
        state
    }

    pub(super) fn with(
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
    pub(super) fn with_host(
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

    /// An operation was carried out: remembers that, on disk too.
    pub(super) fn remember(
        &mut self,
        step: &mut StepContext,
        request_id: String,
        name: &str,
        subject: impl std::fmt::Display,
    ) {
        let subject = format!("{name} {subject}");
        let at = step.now.wall;
        step.persist(Change::Request { key: request_id.clone(), subject: subject.clone(), at });
        self.requests.remember(request_id, subject);
    }

    /// A message was accepted. A daemon that starts later knows it from the message itself.
    pub(super) fn remember_message(&mut self, id: MessageId, session: SessionId) {
        self.requests.remember(id.to_string(), format!("{SEND} {session}"));
    }

    /// A client disconnected: it watches nothing any more.
    pub(super) fn client_gone(&mut self, client: ClientId) {
        self.audit.client_gone(client);
        for session in self.sessions.values_mut() {
            session.unwatch(client);
        }
    }

    /// A person trusts this directory: sessions that wait for that, there or below, try to start again.
    pub(super) fn trusted(&mut self, step: &mut StepContext, directory: &str) {
        for session in self.sessions.values_mut().filter(|session| session.awaits_trust_of(directory)) {
            session.request_start(step);
            step.touch(session.id());
        }
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
