//! The context of one step, and the effects that it collects.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::subject::Subject;
use super::{
    AuditRow, Change, ClientId, Effect, Entropy, HostKey, Notification, Now, Origin, Problem, SessionId,
    Settings,
};

/// One call of [`super::State::step`].
pub(super) struct StepContext {
    pub(super) now: Now,
    pub(super) settings: Settings,
    entropy: Entropy,
    revision: u64,
    start_took: Option<u64>,
    touched: BTreeSet<SessionId>,
    trusted: Vec<String>,
    answer: Option<(Origin, Result<Subject, Problem>)>,
    audited: Vec<(Option<ClientId>, AuditRow)>,
    effects: Vec<Effect>,
}

impl StepContext {
    /// A step at this time. `revision`: of the list of sessions before the step.
    pub(super) fn new(now: Now, entropy: Entropy, settings: Settings, revision: u64) -> StepContext {
        StepContext {
            now,
            settings,
            entropy,
            revision,
            start_took: None,
            touched: BTreeSet::new(),
            trusted: Vec::new(),
            answer: None,
            audited: Vec::new(),
            effects: Vec::new(),
        }
    }

    /// A new random id.
    pub(super) fn new_uuid(&mut self) -> Uuid {
        self.entropy.uuid()
    }

    /// A new random id of a session, which may be in use.
    pub(super) fn new_session_id(&mut self) -> SessionId {
        self.entropy.session_id()
    }

    /// The key of a launch that is ordered in this step.
    pub(super) fn host_key(&self, session: SessionId, launch: u32) -> HostKey {
        self.entropy.host_key(session, launch)
    }

    /// Something may have changed in this session.
    pub(super) fn touch(&mut self, session: SessionId) {
        self.touched.insert(session);
    }

    /// The sessions in which something may have changed so far.
    pub(super) fn touched(&self) -> Vec<SessionId> {
        self.touched.iter().copied().collect()
    }

    /// A person trusts this directory.
    pub(super) fn trust(&mut self, directory: String, by: String) {
        let at = self.now.wall;
        self.persist(Change::Trusted { directory: directory.clone(), at, by });
        self.trusted.push(directory);
    }

    /// The directories that a person trusts since this step.
    pub(super) fn take_trusted(&mut self) -> Vec<String> {
        std::mem::take(&mut self.trusted)
    }

    /// The answer to a request. It is rendered at the end of the step.
    pub(super) fn answer(&mut self, origin: Origin, result: Result<Subject, Problem>) {
        self.answer = Some((origin, result));
    }

    /// The answer that must still be rendered.
    pub(super) fn take_answer(&mut self) -> Option<(Origin, Result<Subject, Problem>)> {
        self.answer.take()
    }

    pub(super) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(super) fn persist(&mut self, change: Change) {
        self.push(Effect::Persist(change));
    }

    pub(super) fn publish(&mut self, notification: Notification) {
        self.push(Effect::Publish(notification));
    }

    /// An operation of this client, or the daemon's own, for the audit trail.
    pub(super) fn audit(&mut self, client: Option<ClientId>, row: AuditRow) {
        self.audited.push((client, row));
    }

    /// The operations that must still be recorded.
    pub(super) fn take_audited(&mut self) -> Vec<(Option<ClientId>, AuditRow)> {
        std::mem::take(&mut self.audited)
    }

    /// The revision of the list after one more change.
    pub(super) fn next_revision(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    /// The revision of the list now.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// A start has succeeded after this many milliseconds.
    pub(super) fn start_succeeded(&mut self, took: u64) {
        self.start_took = Some(took);
    }

    /// The duration of the start that succeeded in this step, in milliseconds.
    pub(super) fn start_took(&self) -> Option<u64> {
        self.start_took
    }

    /// The effects, in order.
    pub(super) fn into_effects(self) -> Vec<Effect> {
        self.effects
    }
}
