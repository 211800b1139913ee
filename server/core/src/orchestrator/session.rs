//! One session: its parts, its row in the store, and its view for clients.
//!
//! Each part has its own file below `session/` and private fields. Rules across parts are methods of [`Session`] in the
//! files `start`, `turn`, `delivery`, `at_terminal` and `facts`. [`Session::follow_up`] and [`Session::settle`] run
//! once per step, at its end.

mod at_terminal;
mod choices;
mod conversation;
mod delivery;
mod errors;
mod facts;
mod held_requests;
mod insiders;
mod known;
mod lifecycle;
mod messages;
mod ordered;
mod partial_output;
mod permissions;
mod phase;
mod plans;
mod queue;
mod start;
mod terminal_input;
mod transcript;
mod trust;
mod turn;
mod usage;
mod view;

use std::collections::BTreeSet;

use super::context::StepContext;
use super::{
    Actor, ActorKind, AuditRow, Change, ClientId, Driver, Effect, EntryBody, ErrorCode, Goal, Input,
    MessageRow, Millis, NoticeLevel, Notification, PartialOutput, PermissionRow, Position, Problem, Remedy,
    SessionId, SessionRow, SessionSpec, SessionView, Status, StatusSource, WouldRun,
};
use conversation::Conversation;
pub(super) use conversation::is_wider;
use errors::ErrorOutput;
use held_requests::HeldRequests;
use insiders::Insiders;
use known::Known;
use lifecycle::{HostTrust, Lifecycle};
use ordered::Ordered;
use permissions::PermissionRequests;
use queue::Queue;
pub(super) use start::End;
use terminal_input::TerminalInput;
use transcript::Transcript;
use turn::Turn;
use usage::Usage;

/// The name in the audit trail for what the daemon does automatically.
const OWN_NAME: &str = "areyouj";

/// The permission mode of a Claude that was started without one and has not reported any.
const DEFAULT_MODE: &str = "default";

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    id: SessionId,
    created_at: Millis,
    name: Option<String>,
    spec: SessionSpec,
    /// The driver that the conversation switches to as soon as it can.
    switch_to: Option<Driver>,
    /// The current start follows a switch, which has its own notice.
    switched: bool,
    lifecycle: Lifecycle,
    conversation: Conversation,
    turn: Turn,
    queue: Queue,
    permissions: PermissionRequests,
    held: HeldRequests,
    terminal: TerminalInput,
    usage: Usage,
    insiders: Insiders,
    transcript: Transcript,
    errors: ErrorOutput,
    status: SessionStatus,
    /// The status reason that the phase or the turn gives, for people.
    note: Option<String>,
    /// The beginning of the message that runs or ran last.
    current_task: Option<String>,
    last_activity: Millis,
    /// Clients that watch the output.
    watchers: BTreeSet<ClientId>,
    /// Answers and permission requests that nobody has seen.
    unread: u32,
    /// The number of our control requests, for their ids.
    controls: u32,
    position: Position,
    known: Known,
    ordered: Ordered,
}

/// The status that clients see.
#[derive(Clone, Debug, PartialEq, Eq)]
struct SessionStatus {
    status: Status,
    since: Millis,
    source: StatusSource,
    reason: Option<String>,
}

impl Session {
    /// A new session. It requests a start, or trust in its directory if that is missing.
    pub(super) fn create(step: &mut StepContext, row: SessionRow, untrusted: Option<WouldRun>) -> Session {
        let mut session = Session::restore(row);
        match untrusted {
            None => session.request_start(step),
            Some(would_run) => session.ask_for_trust(step, would_run),
        }
        session
    }

    /// The session from the store, without messages and permission requests.
    pub(super) fn restore(row: SessionRow) -> Session {
        Session {
            id: row.id,
            created_at: row.created_at,
            name: row.name.clone(),
            spec: row.spec.clone(),
            switch_to: row.switch_to,
            switched: false,
            lifecycle: Lifecycle::restore(&row),
            conversation: Conversation::restore(&row),
            turn: Turn::restore(&row),
            queue: Queue::restore(&row),
            permissions: PermissionRequests::restore(&row),
            held: HeldRequests::default(),
            terminal: TerminalInput::default(),
            usage: Usage::restore(&row),
            insiders: Insiders::restore(&row),
            transcript: Transcript::restore(&row),
            errors: ErrorOutput::default(),
            status: SessionStatus {
                status: row.status,
                since: row.status_since,
                source: row.status_source,
                reason: row.status_reason.clone(),
            },
            note: None,
            current_task: row.current_task.clone(),
            last_activity: row.last_activity,
            watchers: BTreeSet::new(),
            unread: row.unread,
            controls: 0,
            position: row.position,
            known: Known::restore(row),
            ordered: Ordered::default(),
        }
    }

    /// Adds a message from the store.
    pub(super) fn restore_message(&mut self, row: MessageRow) {
        self.last_activity = self.last_activity.max(row.created_at);
        self.queue.restore_message(row);
    }

    /// Adds a permission request from the store.
    pub(super) fn restore_request(&mut self, row: PermissionRow) {
        self.permissions.restore_request(row);
    }

    /// The session's row for the store.
    fn row(&self) -> SessionRow {
        let mut row = SessionRow {
            name: self.name.clone(),
            spec: self.spec.clone(),
            switch_to: self.switch_to,
            last_activity: self.last_activity,
            status: self.status.status,
            status_since: self.status.since,
            status_source: self.status.source,
            status_reason: self.status.reason.clone(),
            paused: self.queue.pause(),
            pause_message: self.queue.undecided(),
            current_task: self.current_task.clone(),
            unread: self.unread,
            seq: self.transcript.seq(),
            permissions: self.permissions.newest(),
            position: self.position,
            ..SessionRow::new(self.id, self.spec.clone(), self.conversation.id(), self.created_at)
        };
        self.lifecycle.store(&mut row);
        self.conversation.store(&mut row);
        self.usage.store(&mut row);
        self.insiders.store(&mut row);
        row
    }

    pub(super) fn id(&self) -> SessionId {
        self.id
    }

    pub(super) fn created_at(&self) -> Millis {
        self.created_at
    }

    pub(super) fn directory(&self) -> &str {
        &self.spec.directory
    }

    /// The permission mode in effect, as far as it is known: the reported one, or the requested one.
    pub(super) fn permission_mode(&self) -> &str {
        let known = self.conversation.permission_mode().or(self.spec.permission_mode.as_ref());
        known.map_or(DEFAULT_MODE, String::as_str)
    }

    pub(super) fn queue(&self) -> &Queue {
        &self.queue
    }

    /// The queue, for changes that need nothing else.
    pub(super) fn queue_mut(&mut self) -> &mut Queue {
        &mut self.queue
    }

    pub(super) fn permissions(&self) -> &PermissionRequests {
        &self.permissions
    }

    pub(super) fn rename(&mut self, name: Option<String>) {
        self.name = name;
    }

    /// Claude's partial output since the newest transcript entry.
    pub(super) fn partial_output(&self) -> Vec<PartialOutput> {
        self.transcript.partial_output()
    }

    /// This client watches the output from now on.
    pub(super) fn watch(&mut self, client: ClientId) {
        self.watchers.insert(client);
        self.mark_read();
    }

    /// This client does not watch the output any more.
    pub(super) fn unwatch(&mut self, client: ClientId) {
        self.watchers.remove(&client);
    }

    /// A person has seen everything.
    pub(super) fn mark_read(&mut self) {
        self.unread = 0;
        self.insiders.mark_read();
    }

    /// Something has happened that a person has not seen, unless a client watches.
    fn mark_unread(&mut self) {
        if self.watchers.is_empty() {
            self.unread = self.unread.saturating_add(1);
        }
    }

    /// Whether the session counts against the limit of active sessions.
    pub(super) fn is_active(&self) -> bool {
        self.lifecycle.is_active()
    }

    /// Whether the session waits for a start slot.
    pub(super) fn waits_for_slot(&self) -> bool {
        self.lifecycle.waits_for_slot()
    }

    /// Wall-clock time of the request that waits for a start slot.
    pub(super) fn start_requested(&self) -> Option<u64> {
        self.lifecycle.start_requested()
    }

    /// Whether the session holds a start slot. A session whose terminal waits for a person holds none: that can take
    /// any time.
    pub(super) fn holds_slot(&self) -> bool {
        self.lifecycle.is_starting() && self.terminal.dialog().is_none()
    }

    /// Whether a host of this launch may exist.
    pub(super) fn has_host_of(&self, launch: u32) -> bool {
        self.lifecycle.has_host_of(launch)
    }

    /// The host of the current launch has this process id, and a key or none.
    pub(super) fn set_host(&mut self, pid: u32, keyed: bool) {
        self.lifecycle.set_host(pid, if keyed { HostTrust::Keyed } else { HostTrust::Unkeyed });
    }

    /// The host of the current launch obeys only a daemon that has its key.
    pub(super) fn host_disobeys(&mut self) {
        self.lifecycle.set_host_trust(HostTrust::Disobeys);
    }

    /// The host cannot write the journal for this reason; `None`: it can.
    pub(super) fn set_stalled(&mut self, why: Option<String>) {
        self.lifecycle.set_stalled(why);
    }

    /// Whether a person has terminated the session.
    pub(super) fn is_being_terminated(&self) -> bool {
        self.lifecycle.goal() == Goal::Terminate
    }

    /// Whether the session is terminated, and its Claude has exited.
    pub(super) fn is_terminated(&self) -> bool {
        self.is_being_terminated() && !self.is_active()
    }

    fn is_terminal(&self) -> bool {
        self.spec.driver == Driver::Terminal
    }

    /// Appends an entry to the transcript.
    fn add_entry(&mut self, step: &mut StepContext, body: EntryBody) {
        self.last_activity = step.now.wall;
        if matches!(body, EntryBody::Permission { .. }) {
            self.mark_unread();
        }
        self.transcript.add(step, body);
    }

    fn add_entries(&mut self, step: &mut StepContext, bodies: impl IntoIterator<Item = EntryBody>) {
        for body in bodies {
            self.add_entry(step, body);
        }
    }

    fn add_notice(&mut self, step: &mut StepContext, level: NoticeLevel, text: impl Into<String>) {
        self.add_entry(step, EntryBody::Notice { level, text: text.into() });
    }

    /// Adds a notice that a person must see.
    fn loud_notice(&mut self, step: &mut StepContext, level: NoticeLevel, text: impl Into<String>) {
        self.mark_unread();
        self.add_notice(step, level, text);
    }

    /// Writes to Claude.
    fn send(&mut self, step: &mut StepContext, input: Input) {
        self.note_order(step, &input);
        step.push(Effect::Send { session: self.id, launch: self.lifecycle.launch(), input });
    }

    /// The id of our next control request, which begins like this.
    fn control_id(&mut self, beginning: &str) -> String {
        self.controls += 1;
        format!("{beginning}{}-{}", self.lifecycle.launch(), self.controls)
    }

    /// Records in the audit trail what the daemon does automatically.
    fn audit_own(&self, step: &mut StepContext, operation: &str, detail: &str) {
        let row = AuditRow {
            number: 0,
            at: step.now.wall,
            last: step.now.wall,
            count: 1,
            actor: Actor { kind: ActorKind::Daemon, session: None, process: None },
            by: OWN_NAME.to_owned(),
            operation: operation.to_owned(),
            session: Some(self.id),
            detail: Some(detail.to_owned()),
            outcome: "ok".to_owned(),
        };
        step.audit(None, row);
    }

    /// A problem of this session with the end of its error output.
    fn problem_with_log(&self, code: ErrorCode, message: impl Into<String>, remedy: Remedy) -> Problem {
        Problem { log: self.errors.log(), ..Problem::new(code, message, remedy) }
    }

    /// The session as clients see it.
    pub(super) fn view(&self) -> SessionView {
        self.view_of(self.row())
    }

    fn view_of(&self, mut row: SessionRow) -> SessionView {
        if let Some(why) = self.lifecycle.stalled() {
            row.status_reason =
                Some(format!("paused: the session journal cannot be written ({why}); resumes automatically"));
        }
        if self.lifecycle.host_trust() == HostTrust::Disobeys {
            row.status_reason = Some(
                "the session host does not obey: its key is not in the database, which was restored or replaced; \
                 restart or terminate the session, which kills the host"
                    .to_owned(),
            );
        }
        SessionView {
            row,
            attention: view::attention(self),
            queued: self.queue.length(),
            host_unprotected: self.lifecycle.host_trust() == HostTrust::Unkeyed,
        }
    }

    /// The consequences of a step: a switch of the driver, the next message.
    pub(super) fn follow_up(&mut self, step: &mut StepContext) {
        if self.switch_to.is_some() && self.lifecycle.is_ready() && !self.turn_runs() {
            self.switch_now(step);
        }
        self.dispatch(step);
    }

    /// The end of a step: updates the status, stores the changes and notifies clients.
    pub(super) fn settle(&mut self, step: &mut StepContext) {
        let status_changed = self.update_status(step.now.wall);
        let queue = self.queue.take_changes();
        let persisted = self.permissions.take_persisted() || queue.persisted;
        let row = self.row();
        let changed = self.known.store(step, &row, persisted);
        if queue.visible {
            step.publish(Notification::QueueChanged(self.id));
        }
        let view = self.view_of(row);
        if self.known.publish(&view) || changed {
            let revision = step.next_revision();
            step.publish(Notification::Changed { revision, session: Box::new(view), status_changed });
            if status_changed && self.status.status == Status::Terminated {
                // A terminated session never starts again, and its environment can hold secrets.
                step.persist(Change::EnvironmentRemoved(self.id));
                step.publish(Notification::Terminated { revision, session: self.id });
            }
        }
    }

    /// Returns whether the status has changed.
    fn update_status(&mut self, now: Millis) -> bool {
        let (status, source) = view::status(self);
        let changed = status != self.status.status;
        if changed {
            self.status.since = now;
            self.last_activity = now;
            self.status.source = source;
        }
        self.status.status = status;
        self.status.reason = view::status_reason(self);
        changed
    }

    /// Checks what must hold after every step.
    #[cfg(test)]
    pub(super) fn check(&self) -> Result<(), String> {
        self.queue.check().map_err(|broken| format!("{}: {broken}", self.id))
    }
}
