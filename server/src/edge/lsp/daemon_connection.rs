//! The state of the connection to the daemon, without I/O: what to send, hold or reject, and when to reconnect.
//!
//! Requests come from the editor, whose `areyouj/…` messages are forwarded unchanged, and from the edge itself. Without
//! a daemon they are held; if no daemon can be reached they are rejected as retryable.

pub(super) mod socket;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::mem;
use std::time::Duration;

use areyouj_protocol::{
    ConnectionChanged, ConnectionError, ConnectionState, ErrorCode, InitializeParams, Method, Notification,
    Remedy, notification,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::message::{refusal, with_environment};
use crate::client::{self, Failure};
use crate::rpc::envelope::{self, Envelope, canonical_id, rpc_code};

/// The maximum number of requests that are pending or held. An editor has a few; more than this is a defect in it.
pub(super) const MAX_REQUESTS: usize = 1_000;

/// The pause before reconnecting. It doubles with each connection that is lost soon, up to [`RECONNECT_PAUSE_MAX`]: a
/// daemon that crashes on a message must not be started in a tight loop.
pub(super) const RECONNECT_PAUSE: Duration = Duration::from_millis(50);
pub(super) const RECONNECT_PAUSE_MAX: Duration = Duration::from_secs(10);

/// A connection that lasted this long was useful.
pub(super) const USEFUL_CONNECTION: Duration = Duration::from_secs(5);

/// The number of connections that can be lost before `initialize` succeeds; then it is rejected.
pub(super) const LOST_BEFORE_INITIALIZE_MAX: u32 = 3;

/// The pause after a failed attempt to connect.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// An event.
pub(super) enum Event {
    /// The editor sent `initialize`; the result belongs to this request of the edge.
    Initialize { request: u64, params: InitializeParams, native: bool },
    /// The editor's information changed.
    Reinitialize(InitializeParams),
    /// The editor sent a request for the daemon; the id is in its canonical form.
    Forward { id: String, method: String, body: Vec<u8> },
    /// The edge sends a request to the daemon.
    Ask { request: u64, method: Method, params: Value },
    /// The editor cancelled a forwarded request, with this message.
    Cancel { id: String, body: Vec<u8> },
    /// The daemon sent this message.
    Daemon(Vec<u8>),
    /// The connection is open.
    Connected,
    /// No daemon can be reached.
    Unreachable(Failure),
    /// The connection was lost, after this duration.
    DaemonGone { lived: Duration },
}

/// An action to perform.
#[derive(Debug, PartialEq)]
pub(super) enum Action {
    ToEditor(Vec<u8>),
    ToDaemon(Vec<u8>),
    /// A request of the edge has its result, as JSON.
    Answered(u64, Result<String, Failure>),
    /// The daemon sent a notification for an editor that does not support AreYouJ's own methods.
    Notified(Vec<u8>),
    /// The daemon has exited, so its earlier messages are invalid.
    Lost,
    /// A new daemon is connected, which knows only the editor's `initialize`.
    Restored,
    /// Close the connection.
    Disconnect,
    /// Connect, after this pause.
    Connect(Duration),
}

/// The receiver of a response.
enum Requester {
    Editor,
    Edge(u64),
}

struct Held {
    /// The id in its canonical form.
    id: String,
    requester: Requester,
    body: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// The editor has not sent `initialize`.
    Silent,
    /// There is no connection; one was requested.
    Connecting,
    /// The connection is open, and `initialize` was sent.
    Initializing,
    /// Requests are forwarded.
    Connected,
}

pub(super) struct DaemonConnection {
    /// The environment of sessions that the editor creates.
    environment: BTreeMap<String, String>,
    /// The prefix of the ids of the edge's own requests; no editor uses such ids.
    prefix: String,
    phase: Phase,
    /// The current parameters of `initialize`, and the request that waits for its first result.
    initialize_params: InitializeParams,
    initialize_request: Option<u64>,
    /// The number of sent `initialize` requests, which is the suffix of the newest id.
    initialize_count: u64,
    /// Whether a daemon has accepted `initialize`.
    initialized: bool,
    native: bool,
    /// Whether a native editor was notified that the connection is lost.
    down: bool,
    /// The number of consecutive connections that were lost soon.
    lost_soon: u32,
    /// Requests sent to the daemon, by their ids in canonical form.
    pending: HashMap<String, Requester>,
    held: VecDeque<Held>,
    actions: Vec<Action>,
}

impl DaemonConnection {
    /// The state for an editor with this environment that has not sent `initialize`.
    pub(super) fn new(environment: BTreeMap<String, String>) -> DaemonConnection {
        DaemonConnection {
            environment,
            prefix: Uuid::new_v4().to_string(),
            phase: Phase::Silent,
            initialize_params: InitializeParams::default(),
            initialize_request: None,
            initialize_count: 0,
            initialized: false,
            native: false,
            down: false,
            lost_soon: 0,
            pending: HashMap::new(),
            held: VecDeque::new(),
            actions: Vec::new(),
        }
    }

    /// Whether the editor waits for the daemon's response to the request with this id.
    pub(super) fn has_forwarded(&self, id: &str) -> bool {
        matches!(self.pending.get(id), Some(Requester::Editor)) || self.held.iter().any(|held| held.id == id)
    }

    /// The actions for this event, in order.
    pub(super) fn step(&mut self, event: Event) -> Vec<Action> {
        match event {
            Event::Initialize { request, params, native } => {
                self.initialize_params = params;
                self.initialize_request = Some(request);
                self.initialized = false;
                self.native = native;
                self.phase = Phase::Connecting;
                self.actions.push(Action::Connect(Duration::ZERO));
            }
            Event::Reinitialize(params) => {
                self.initialize_params = params;
                if matches!(self.phase, Phase::Initializing | Phase::Connected) {
                    self.send_initialize();
                }
            }
            Event::Forward { id, method, body } => {
                self.send(Method::parse(&method), Held { id, requester: Requester::Editor, body });
            }
            Event::Ask { request: number, method, params } => {
                let id = format!("{}-{number}", self.prefix);
                let body = envelope::request(&id, method.as_str(), Some(&params));
                self.send(
                    Some(method),
                    Held { id: json!(id).to_string(), requester: Requester::Edge(number), body },
                );
            }
            Event::Cancel { id, body } => self.cancel(&id, body),
            Event::Daemon(body) => self.daemon_sent(body),
            Event::Connected => {
                self.phase = Phase::Initializing;
                self.send_initialize();
            }
            Event::Unreachable(failure) => self.unreachable(&failure),
            Event::DaemonGone { lived } => self.lost(lived),
        }
        mem::take(&mut self.actions)
    }

    fn send_initialize(&mut self) {
        self.initialize_count += 1;
        let (id, method) = (self.initialize_id(), Method::Initialize.as_str());
        let body = envelope::request(id, method, Some(&self.initialize_params));
        self.actions.push(Action::ToDaemon(body));
    }

    fn initialize_id(&self) -> String {
        format!("{}-initialize-{}", self.prefix, self.initialize_count)
    }

    fn send(&mut self, method: Option<Method>, mut request: Held) {
        if method == Some(Method::SessionCreate) {
            request.body = with_environment(&request.body, &self.environment);
        }
        if self.pending.len() + self.held.len() >= MAX_REQUESTS {
            let failure = Failure::new(
                ErrorCode::DaemonUnavailable,
                format!("{MAX_REQUESTS} requests wait for their answers."),
                "Wait for some of them.",
            );
            self.reject(&request.id, &request.requester, &Failure { retryable: true, ..failure });
        } else if self.phase == Phase::Connected {
            self.pass(request);
        } else {
            self.held.push_back(request);
        }
    }

    fn pass(&mut self, request: Held) {
        self.pending.insert(request.id, request.requester);
        self.actions.push(Action::ToDaemon(request.body));
    }

    fn cancel(&mut self, id: &str, body: Vec<u8>) {
        if let Some(at) = self.held.iter().position(|held| held.id == id) {
            self.held.remove(at);
            let failure = Failure::new(
                ErrorCode::RequestCancelled,
                "The request was cancelled.",
                "Send it again if it is still of use.",
            );
            self.reject(id, &Requester::Editor, &failure);
        } else if self.pending.contains_key(id) {
            // The daemon responds: with the result, or with the cancellation.
            self.actions.push(Action::ToDaemon(body));
        }
    }

    fn daemon_sent(&mut self, body: Vec<u8>) {
        // A body that is not JSON-RPC is dropped.
        let Ok(envelope) = envelope::read::<Envelope<'_>>(&body) else { return };
        match (&envelope.method, envelope.id) {
            (None, Some(id)) => {
                let id = canonical_id(id);
                let initialize_params = json!(self.initialize_id()).to_string();
                if self.phase == Phase::Initializing && id == initialize_params {
                    let answer = result(&envelope);
                    return self.initialize_answered(answer);
                }
                // A request that was rejected in the meantime has already been answered.
                match self.pending.remove(&id) {
                    None => {}
                    Some(Requester::Editor) => self.actions.push(Action::ToEditor(body)),
                    Some(Requester::Edge(number)) => {
                        let answer = result(&envelope);
                        self.actions.push(Action::Answered(number, answer));
                    }
                }
            }
            (Some(_), None) if self.native => self.actions.push(Action::ToEditor(body)),
            (Some(_), None) => self.actions.push(Action::Notified(body)),
            // The daemon sends no requests.
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    fn initialize_answered(&mut self, answer: Result<String, Failure>) {
        match (self.initialized, answer) {
            (false, Err(failure)) => {
                self.phase = Phase::Silent;
                self.answer_initialize(Err(failure));
                self.actions.push(Action::Disconnect);
                return;
            }
            (true, Err(_)) => {
                self.actions.push(Action::Disconnect);
                let failure = Failure::new(
                    ErrorCode::DaemonUnavailable,
                    "The daemon refuses this client.",
                    Remedy::RunDoctor { first: None },
                );
                return self.unreachable(&failure);
            }
            (false, Ok(result)) => self.answer_initialize(Ok(result)),
            (true, Ok(_)) => {}
        }
        self.phase = Phase::Connected;
        if mem::replace(&mut self.initialized, true) {
            self.actions.push(Action::Restored);
        }
        if mem::take(&mut self.down) {
            self.announce(ConnectionState::Connected, None);
        }
        for request in mem::take(&mut self.held) {
            self.pass(request);
        }
    }

    fn lost(&mut self, lived: Duration) {
        self.lost_soon = if lived < USEFUL_CONNECTION { self.lost_soon + 1 } else { 0 };
        if !self.initialized && self.lost_soon > LOST_BEFORE_INITIALIZE_MAX {
            self.lost_soon = 0;
            return self.unreachable(&Failure::new(
                ErrorCode::DaemonStartFailed,
                "The daemon exits as soon as a client connects.",
                Remedy::RunDoctor { first: None },
            ));
        }
        self.phase = Phase::Connecting;
        if self.initialized {
            self.actions.push(Action::Lost);
        }
        for (id, requester) in mem::take(&mut self.pending) {
            self.reject(&id, &requester, &away());
        }
        if self.initialized && !mem::replace(&mut self.down, true) {
            self.announce(ConnectionState::Reconnecting, None);
        }
        let doubled = 2_u32.saturating_pow(self.lost_soon.saturating_sub(1));
        self.actions.push(Action::Connect(RECONNECT_PAUSE.saturating_mul(doubled).min(RECONNECT_PAUSE_MAX)));
    }

    fn unreachable(&mut self, failure: &Failure) {
        let retryable = Failure { retryable: true, ..failure.clone() };
        for request in mem::take(&mut self.held) {
            self.reject(&request.id, &request.requester, &retryable);
        }
        if !self.initialized {
            self.phase = Phase::Silent;
            return self.answer_initialize(Err(failure.clone()));
        }
        self.phase = Phase::Connecting;
        self.down = true;
        let error = ConnectionError::from(failure);
        self.announce(ConnectionState::Reconnecting, Some(error));
        self.actions.push(Action::Connect(RETRY_PAUSE));
    }

    fn answer_initialize(&mut self, answer: Result<String, Failure>) {
        if let Some(request) = self.initialize_request.take() {
            self.actions.push(Action::Answered(request, answer));
        }
    }

    fn announce(&mut self, state: ConnectionState, error: Option<ConnectionError>) {
        if self.native {
            let change = ConnectionChanged { state, error };
            let change = envelope::notification(notification::ConnectionChanged::METHOD, &change);
            self.actions.push(Action::ToEditor(change));
        }
    }

    fn reject(&mut self, id: &str, requester: &Requester, failure: &Failure) {
        self.actions.push(match requester {
            Requester::Editor => Action::ToEditor(refusal(id, rpc_code(&failure.code), failure)),
            Requester::Edge(request) => Action::Answered(*request, Err(failure.clone())),
        });
    }
}

/// The result in a response.
fn result(answer: &Envelope<'_>) -> Result<String, Failure> {
    match answer.error {
        None => Ok(answer.result.map_or_else(|| "null".to_owned(), |result| result.get().to_owned())),
        Some(error) => Err(client::refusal(&serde_json::from_str(error.get()).unwrap_or_default())),
    }
}

/// The failure of a request without a response.
pub(super) fn away() -> Failure {
    Failure {
        retryable: true,
        ..Failure::new(
            ErrorCode::DaemonUnavailable,
            "The connection to the daemon was lost before the answer came.",
            "Send the same request again; a repeat changes nothing twice.",
        )
    }
}
