//! A model of what is around the orchestrator: the store, the hosts with their journals, Claudes.

use super::in_effect::InEffect;
use super::*;

/// What a store keeps.
#[derive(Clone, Default)]
pub(super) struct Disk {
    pub(super) sessions: BTreeMap<SessionId, SessionRow>,
    pub(super) messages: BTreeMap<MessageId, MessageRow>,
    pub(super) permissions: BTreeMap<PermissionId, PermissionRow>,
    pub(super) requests: Vec<(String, String)>,
    pub(super) entries: BTreeMap<SessionId, BTreeSet<u64>>,
    pub(super) trusted: BTreeSet<String>,
}

impl Disk {
    pub(super) fn keep(&mut self, change: Change) {
        match change {
            Change::Session(row) => drop(self.sessions.insert(row.id, *row)),
            Change::Message(row) => drop(self.messages.insert(row.id, *row)),
            Change::Permission(row) => drop(self.permissions.insert(row.id, *row)),
            Change::Request { key, subject, .. } => self.requests.push((key, subject)),
            Change::Entry { session, entry } => {
                self.entries.entry(session).or_default().insert(entry.seq);
            }
            Change::Trusted { directory, .. } => drop(self.trusted.insert(directory)),
            Change::Environment { .. }
            | Change::EnvironmentRemoved(_)
            | Change::HostKey { .. }
            | Change::Audit(_)
            | Change::SessionRemoved(_) => {}
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let paused_about: BTreeSet<_> = self.sessions.values().filter_map(|row| row.pause_message).collect();
        let wanted = |row: &&MessageRow| !row.state.is_final() || paused_about.contains(&row.id);
        let undelivered = |row: &&PermissionRow| match row.state {
            PermissionState::Open => true,
            PermissionState::Answered => !row.delivered,
            PermissionState::Withdrawn => false,
        };
        Snapshot {
            sessions: self.sessions.values().cloned().collect(),
            messages: self.messages.values().filter(wanted).cloned().collect(),
            permissions: self.permissions.values().filter(undelivered).cloned().collect(),
            used_ids: self.sessions.keys().copied().collect(),
            requests: self.requests.iter().cloned().chain(self.messages.values().map(accepted)).collect(),
            audit: 0,
        }
    }
}

/// A message that was accepted is a request that was carried out.
fn accepted(message: &MessageRow) -> (String, String) {
    (message.id.to_string(), format!("queue/add {}", message.session))
}

/// One session's host and Claude, and what outlives them.
#[derive(Default)]
pub(super) struct Outside {
    /// Everything that all hosts have recorded.
    pub(super) journal: Vec<Fact>,
    /// How much of it the connection has delivered since the daemon started.
    pub(super) taken: usize,
    /// The journal's length at the time of the connection, until the connection reports that it has read up to there.
    pub(super) sync_at: Option<usize>,
    pub(super) host: Option<Claude>,
    /// The host is dead, and the connection has not reported it yet.
    pub(super) lost: Option<u32>,
    /// The daemon is connected to the host.
    pub(super) linked: bool,
    /// The connection broke, and the daemon has not noticed yet.
    pub(super) broken: bool,
    /// Claude's own records of conversations.
    pub(super) records: BTreeMap<Uuid, BTreeSet<MessageId>>,
    /// Records that have disappeared.
    pub(super) moved: BTreeMap<Uuid, BTreeSet<MessageId>>,
    /// Conversations in which a turn has ended.
    pub(super) finished: BTreeSet<Uuid>,
    /// What is in effect, as Claudes have reported it.
    pub(super) in_effect: InEffect,
    /// Claude starts in a wider permission mode than requested.
    pub(super) widens: bool,
}

pub(super) struct Claude {
    pub(super) launch: u32,
    pub(super) exited: bool,
    pub(super) waiting: VecDeque<MessageId>,
    pub(super) turn: Option<MessageId>,
    pub(super) asked: Option<String>,
    pub(super) conversation: Uuid,
    pub(super) model: String,
    pub(super) mode: String,
    /// It has more rights than requested.
    pub(super) wider: bool,
    /// It has answered `initialize`.
    pub(super) ready: bool,
}

impl Outside {
    pub(super) fn exit(&mut self, exit: Exit) {
        if let Some(claude) = self.host.as_mut().filter(|claude| !claude.exited) {
            claude.exited = true;
            claude.waiting.clear();
            claude.turn = None;
            claude.asked = None;
            self.journal.push(Fact::Exited { launch: claude.launch, exit });
        }
    }
}

pub(super) fn settings() -> Settings {
    Settings { max_active: 4, max_starting: 2, ..Settings::default() }
}

pub(super) fn ask(request: &str) -> PermissionRequest {
    PermissionRequest {
        request_id: request.to_owned(),
        kind: PermissionKind::Tool,
        tool: "Bash".to_owned(),
        input: ToolInput::parse(r#"{"command":"true"}"#).unwrap_or_default(),
        title: "true".to_owned(),
        suggestions: Vec::new(),
        tool_use_id: None,
        plan: None,
    }
}

pub(super) fn turn_end(messages: &[MessageId], ok: bool) -> TurnEnd {
    TurnEnd {
        messages: messages.to_vec(),
        ok,
        outcome: if ok { "success" } else { "error_during_execution" }.to_owned(),
        error: None,
        api_status: None,
        cost_total: 0.01,
        context_max: None,
        duration_ms: 1,
    }
}
