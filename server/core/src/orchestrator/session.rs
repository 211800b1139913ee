//! One session: its stored row, its messages and prompts, and where it is in its life.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::messages::Messages;
use super::saying::Saying;
use super::terminal::AtTerminal;
use super::{
    Activity, Attention, AttentionKind, AuditRow, Change, ClientId, Effect, EntryBody, EntryRow, Goal,
    MessageRow, MessageState, MessageView, Notice, NoticeLevel, Now, Pause, PermissionId, PermissionKind,
    PermissionRow, PermissionState, Problem, QueueView, SessionRow, SessionView, Settings, Status,
    StatusSource,
};

/// Lines of standard error that are kept for the log of a failure.
const ERROR_LINES: usize = 20;

/// The journal may be read this far ahead of the stored position when nothing worth storing was in it: as much is
/// read again after a crash, harmlessly.
const POSITION_LAG: u64 = 1 << 20;

/// The host is told this often how much of its journal it may delete: it deletes whole segments of 16 MiB.
const INGESTED_STEP: u64 = 4 << 20;

/// What one step gathers.
pub(super) struct Step {
    pub(super) now: Now,
    pub(super) settings: Settings,
    pub(super) revision: u64,
    /// How long a start took that came to its end in this step, in milliseconds.
    pub(super) start_took: Option<u64>,
    pub(super) effects: Vec<Effect>,
}

impl Step {
    pub(super) fn persist(&mut self, change: Change) {
        self.effects.push(Effect::Persist(change));
    }

    pub(super) fn publish(&mut self, notice: Notice) {
        self.effects.push(Effect::Publish(notice));
    }

    pub(super) fn next_revision(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    pub(super) fn audit(&mut self, row: AuditRow) {
        self.persist(Change::Audit(row));
    }
}

/// Where a session is in its life. Not stored: a restarted daemon finds it out again from the row and the host.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phase {
    /// It waits for a start slot.
    Queued,
    /// Claude's own record of the conversation is being looked at; holds a start slot.
    Inspecting,
    /// The host was asked for; holds a start slot.
    Launching,
    /// Claude was asked to describe itself; holds a start slot.
    Initializing { deadline: Option<u64> },
    /// Claude is ready.
    Ready,
    /// A start follows at this time.
    BackOff { until: u64 },
    /// The daemon started and looks for the host.
    Adopting,
    /// Claude was told to end.
    Stopping(After),
    /// There is no process, and there will be none by itself.
    Down,
}

/// What follows when Claude has ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum After {
    /// What the row's goal says.
    Goal,
    /// A new start, because a person asked for it.
    Restart,
    /// The start is counted as failed.
    StartFailure(Problem),
}

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) row: SessionRow,
    /// Messages that run or wait, and the one that a person is to decide about.
    pub(super) messages: Messages,
    /// Prompts of the current launch.
    pub(super) prompts: BTreeMap<u32, PermissionRow>,
    pub(super) phase: Phase,
    pub(super) activity: Activity,
    /// Wall-clock time at which the running start was asked for.
    pub(super) start_requested: Option<u64>,
    /// The start that is under way is that of a move, which was told.
    pub(super) moved: bool,
    /// Monotonic time at which the running start got its slot.
    pub(super) start_began: Option<u64>,
    pub(super) start_failures: u32,
    /// Monotonic times of the crashes in the window.
    pub(super) crashes: Vec<u64>,
    /// An interrupt was sent; it should be answered by then.
    pub(super) interrupting: Option<u64>,
    /// The host should have started Claude by then.
    pub(super) start_by: Option<u64>,
    /// Counts the looks at Claude's own record.
    pub(super) looks: u32,
    /// The API refuses the login: the running message fails for that.
    pub(super) login_refused: bool,
    /// What to say about the phase.
    pub(super) note: Option<String>,
    /// Why the host cannot write the journal. Shown and never stored: the disk may be full.
    pub(super) stalled: Option<String>,
    /// Lines of standard error of the current launch.
    pub(super) error_lines: VecDeque<String>,
    /// Garbage lines of the current launch.
    pub(super) garbage: u32,
    pub(super) saying: Saying,
    pub(super) terminal: AtTerminal,
    /// Clients that watch its output.
    pub(super) watchers: BTreeSet<ClientId>,
    /// Counts control requests of ours, for their ids.
    pub(super) controls: u32,
    saved: SessionRow,
    /// The offset up to which the host was told that it may delete.
    told: u64,
    published: Option<(Option<Attention>, u32, Option<String>, u64)>,
    queue_changed: bool,
    dirty: bool,
}

impl Session {
    pub(super) fn new(row: SessionRow, phase: Phase) -> Session {
        let activity = match row.status {
            Status::Active => Activity::Running,
            Status::Waiting => Activity::RequiresAction,
            _ => Activity::Idle,
        };
        Session {
            saved: row.clone(),
            row,
            messages: Messages::default(),
            prompts: BTreeMap::new(),
            phase,
            activity,
            start_requested: None,
            moved: false,
            start_began: None,
            start_failures: 0,
            crashes: Vec::new(),
            interrupting: None,
            start_by: None,
            looks: 0,
            login_refused: false,
            note: None,
            stalled: None,
            error_lines: VecDeque::new(),
            garbage: 0,
            saying: Saying::default(),
            terminal: AtTerminal::default(),
            watchers: BTreeSet::new(),
            controls: 0,
            told: 0,
            published: None,
            queue_changed: false,
            dirty: false,
        }
    }

    /// Whether it counts against the limit of active sessions.
    pub(super) fn is_active(&self) -> bool {
        self.row.goal == Goal::Run || self.row.host
    }

    /// Whether it holds a start slot.
    pub(super) fn is_starting(&self) -> bool {
        let adopted_early = self.phase == Phase::Adopting && !self.row.ready;
        if self.terminal.dialog.is_some() {
            // It waits for a person, who may take any time.
            return false;
        }
        adopted_early
            || matches!(self.phase, Phase::Inspecting | Phase::Launching | Phase::Initializing { .. })
    }

    pub(super) fn is_terminated(&self) -> bool {
        self.row.status == Status::Terminated
    }

    pub(super) fn running(&self) -> impl Iterator<Item = &MessageRow> {
        self.messages.iter().filter(|message| message.state == MessageState::Running)
    }

    pub(super) fn open_prompts(&self) -> impl Iterator<Item = &PermissionRow> {
        self.prompts.values().filter(|prompt| prompt.state == PermissionState::Open)
    }

    /// Waiting messages in any order.
    pub(super) fn queued(&self) -> impl Iterator<Item = &MessageRow> {
        self.messages.iter().filter(|message| message.state == MessageState::Queued)
    }

    /// Waiting messages in order.
    pub(super) fn waiting(&self) -> Vec<&MessageRow> {
        let mut waiting: Vec<_> = self.queued().collect();
        waiting.sort_by_key(|message| message.rank);
        waiting
    }

    /// Stores a message as it is now and lets it go if nothing more will happen to it.
    pub(super) fn keep_message(&mut self, step: &mut Step, index: usize) {
        let message = &self.messages[index];
        step.persist(Change::Message(Box::new(message.clone())));
        self.queue_changed = true;
        self.dirty = true;
        if message.state.is_final() && self.row.pause_message != Some(message.id) {
            self.messages.swap_remove(index);
        }
    }

    /// Forgets the message that a person was to decide about. The queue goes on, unless a person paused it.
    pub(super) fn decided(&mut self) {
        if let Some(id) = self.row.pause_message.take() {
            self.messages.retain(|message| message.id != id || !message.state.is_final());
        }
        self.row.paused = self.row.paused.filter(|pause| pause.is_held()).map(|_| Pause::Person);
        self.queue_changed = true;
    }

    /// A person pauses the queue.
    pub(super) fn hold_queue(&mut self) {
        self.row.paused = Some(self.row.paused.map_or(Pause::Person, Pause::held));
    }

    /// A person resumes the queue, which is a decision too.
    pub(super) fn resume_queue(&mut self) {
        self.decided();
        self.row.paused = None;
    }

    /// Stores a prompt as it is now and tells clients.
    pub(super) fn keep_prompt(&mut self, step: &mut Step, number: u32) {
        if let Some(prompt) = self.prompts.get(&number) {
            step.persist(Change::Permission(Box::new(prompt.clone())));
            step.publish(Notice::Permission(Box::new(prompt.clone())));
            self.dirty = true;
        }
    }

    pub(super) fn add_entry(&mut self, step: &mut Step, body: EntryBody) {
        self.saying.clear();
        self.row.seq += 1;
        self.row.last_activity = step.now.wall;
        let entry = EntryRow { seq: self.row.seq, at: step.now.wall, body };
        step.persist(Change::Entry { session: self.row.id, entry: entry.clone() });
        step.publish(Notice::Entry { session: self.row.id, entry });
    }

    pub(super) fn notice(&mut self, step: &mut Step, level: NoticeLevel, text: impl Into<String>) {
        self.add_entry(step, EntryBody::Notice { level, text: text.into() });
    }

    /// Something happened that a person has not looked at, unless somebody watches.
    pub(super) fn unseen(&mut self) {
        if self.watchers.is_empty() {
            self.row.unread = self.row.unread.saturating_add(1);
        }
    }

    pub(super) fn add_error_line(&mut self, line: String) {
        if self.error_lines.len() == ERROR_LINES {
            self.error_lines.pop_front();
        }
        self.error_lines.push_back(line);
    }

    pub(super) fn error_log(&self) -> Option<String> {
        if self.error_lines.is_empty() {
            return None;
        }
        Some(self.error_lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n"))
    }

    pub(super) fn view(&self) -> SessionView {
        let mut row = self.row.clone();
        if let Some(why) = &self.stalled {
            row.status_reason =
                Some(format!("held up, the journal cannot be written ({why}); goes on by itself"));
        }
        SessionView {
            row,
            attention: self.attention(),
            queued: u32::try_from(self.queued().count()).unwrap_or(u32::MAX),
        }
    }

    pub(super) fn message_view(&self, row: &MessageRow) -> MessageView {
        let position = (row.state == MessageState::Queued)
            .then(|| self.messages.iter().filter(|other| is_before(other, row)).count())
            .and_then(|before| u32::try_from(before).ok());
        MessageView { row: row.clone(), position }
    }

    pub(super) fn queue_view(&self) -> QueueView {
        let running = self.running().map(|row| MessageView { row: row.clone(), position: None });
        let waiting = self
            .waiting()
            .into_iter()
            .zip(0..)
            .map(|(row, position)| MessageView { row: row.clone(), position: Some(position) });
        QueueView {
            session: self.row.id,
            paused: self.row.paused.map(|pause| pause.to_string()),
            messages: running.chain(waiting).collect(),
        }
    }

    fn attention(&self) -> Option<Attention> {
        if self.row.goal == Goal::Terminate {
            return None;
        }
        let open = u32::try_from(self.open_prompts().count()).unwrap_or(u32::MAX);
        if let Some(prompt) = self.open_prompts().next() {
            let kind = match prompt.ask.kind {
                PermissionKind::Tool => AttentionKind::Permission,
                PermissionKind::Question => AttentionKind::Question,
                PermissionKind::Plan => AttentionKind::Plan,
            };
            let title = prompt.ask.title.clone();
            return Some(Attention { kind, permission: Some(prompt.id), message: None, title, open });
        }
        if let Some(dialog) = &self.terminal.dialog {
            return Some(Attention {
                kind: AttentionKind::Terminal,
                permission: None,
                message: None,
                title: dialog.clone(),
                open,
            });
        }
        if let Some(error) = self.row.error.as_ref().filter(|_| self.row.goal == Goal::Fail) {
            let title = error.message.clone();
            return Some(Attention {
                kind: AttentionKind::Error,
                permission: None,
                message: None,
                title,
                open,
            });
        }
        let kind = match self.row.paused? {
            Pause::Interrupted | Pause::InterruptedHeld => AttentionKind::Interrupted,
            Pause::Failed | Pause::FailedHeld => AttentionKind::Failed,
            Pause::Person | Pause::Interrupt => return None,
        };
        let message = self.row.pause_message;
        let cut = self.messages.iter().find(|row| Some(row.id) == message);
        let title =
            cut.and_then(|row| row.error.clone()).unwrap_or_else(|| "A message was cut off.".to_owned());
        Some(Attention { kind, permission: None, message, title, open })
    }

    fn status(&self) -> (Status, StatusSource) {
        match &self.phase {
            Phase::Launching | Phase::Initializing { .. } | Phase::Ready
                if self.terminal.dialog.is_some() =>
            {
                (Status::Waiting, StatusSource::Process)
            }
            Phase::Queued => (Status::Starting, StatusSource::Request),
            Phase::Inspecting | Phase::Launching | Phase::Initializing { .. } | Phase::BackOff { .. } => {
                (Status::Starting, StatusSource::Process)
            }
            Phase::Adopting if !self.row.ready || self.row.goal != Goal::Run => {
                (self.row.status, self.row.status_source)
            }
            Phase::Stopping(After::Restart | After::StartFailure(_)) => {
                (Status::Starting, StatusSource::Request)
            }
            Phase::Stopping(After::Goal) if self.row.goal == Goal::Fail => {
                (Status::Error, StatusSource::Control)
            }
            Phase::Stopping(After::Goal) => (self.row.status, self.row.status_source),
            Phase::Down if self.row.goal == Goal::Terminate => (Status::Terminated, StatusSource::Request),
            Phase::Down => (Status::Error, StatusSource::Process),
            // Also while the host is being found: the status is what a next daemon would know of the activity.
            Phase::Ready | Phase::Adopting => {
                let status = if self.open_prompts().next().is_some() {
                    Status::Waiting
                } else if self.activity == Activity::Idle && self.running().next().is_none() {
                    Status::Idle
                } else {
                    Status::Active
                };
                (status, if self.is_terminal() { StatusSource::Hook } else { StatusSource::Control })
            }
        }
    }

    fn status_reason(&self) -> Option<String> {
        if let Some(note) = &self.note {
            return Some(note.clone());
        }
        if self.row.status == Status::Waiting && self.terminal.dialog.is_some() {
            return self.terminal.dialog.clone();
        }
        match &self.phase {
            Phase::Queued => Some("waits for its turn to start".to_owned()),
            Phase::Stopping(After::Goal) if self.row.goal == Goal::Terminate => {
                Some("is being terminated".to_owned())
            }
            Phase::Stopping(After::Restart) => Some("is being restarted".to_owned()),
            _ if self.row.move_to.is_some() => {
                Some("moves to its other form when the turn has ended".to_owned())
            }
            Phase::Ready
                if self.row.paused.is_none() && self.terminal.drafting && self.queued().next().is_some() =>
            {
                Some("the queue waits until the text in the terminal has been sent or cleared".to_owned())
            }
            Phase::Ready => self.row.paused.map(|pause| format!("queue paused: {pause}")),
            _ => None,
        }
    }

    /// After everything else in a step: hands over the next message, brings the status up to date, stores what
    /// changed and tells clients.
    pub(super) fn settle(&mut self, step: &mut Step) {
        if self.row.move_to.is_some() && self.phase == Phase::Ready && !self.turn_runs() {
            self.move_now(step);
        }
        self.dispatch(step);
        let (status, source) = self.status();
        let status_changed = status != self.row.status;
        if status_changed {
            self.row.status_since = step.now.wall;
            self.row.last_activity = step.now.wall;
            self.row.status_source = source;
        }
        self.row.status = status;
        self.row.status_reason = self.status_reason();

        let read_far = self.row.position.next >= self.saved.position.next + POSITION_LAG;
        let moved = self.row.position != self.saved.position && (self.dirty || read_far);
        let mut unmoved = self.saved.clone();
        unmoved.position = self.row.position;
        // The time of a message that waits tells it too, so it is no reason to store the row.
        unmoved.last_activity = self.row.last_activity;
        let changed = unmoved != self.row;
        if changed || moved {
            step.persist(Change::Session(Box::new(self.row.clone())));
            self.saved = self.row.clone();
            let offset = self.row.position.line_start.min(self.row.position.next);
            if self.row.host && offset >= self.told + INGESTED_STEP {
                self.told = offset;
                step.effects.push(Effect::Ingested { session: self.row.id, offset });
            }
        }
        self.dirty = false;
        let view = self.view();
        let published = (view.attention.clone(), view.queued, self.stalled.clone(), self.row.last_activity);
        if self.queue_changed {
            self.queue_changed = false;
            step.publish(Notice::QueueChanged(self.row.id));
        }
        if changed || self.published.as_ref() != Some(&published) {
            self.published = Some(published);
            let revision = step.next_revision();
            step.publish(Notice::Changed { revision, session: Box::new(view), status_changed });
            if status_changed && status == Status::Terminated {
                step.publish(Notice::Terminated { revision, session: self.row.id });
            }
        }
    }

    /// The id of our next control request. The driver knows an `initialize` by its beginning.
    pub(super) fn control_id(&mut self, verb: &str) -> String {
        self.controls += 1;
        format!("areyouj-{verb}-{}-{}", self.row.launch, self.controls)
    }

    pub(super) fn permission_id(&self, number: u32) -> PermissionId {
        PermissionId { session: self.row.id, number }
    }

    /// The queue changed in a way that no single message shows.
    pub(super) fn mark_queue_changed(&mut self) {
        self.queue_changed = true;
    }
}

fn is_before(other: &MessageRow, row: &MessageRow) -> bool {
    other.state == MessageState::Queued && other.rank < row.rank
}

impl std::fmt::Display for Pause {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Pause::Person => "a person paused it",
            Pause::Interrupt => "the turn was interrupted",
            Pause::Interrupted => "a message was cut off: continue, send again or skip",
            Pause::Failed => "a message failed: send again or skip",
            Pause::InterruptedHeld => {
                "a message was cut off: continue, send again or skip; a person paused the queue too"
            }
            Pause::FailedHeld => "a message failed: send again or skip; a person paused the queue too",
        })
    }
}
