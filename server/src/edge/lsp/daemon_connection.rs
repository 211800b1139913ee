//! The connection to the daemon as decisions without I/O: what to send, to hold, to refuse, and when to connect again.
//!
//! Requests come from the editor, whose `areyouj/…` messages pass as they are, and from the edge itself. While there is no
//! daemon they are held; if none can be reached they are refused, and can be sent again.

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
use crate::rpc::envelope::{self, Envelope, rpc_code, shortest};

/// Requests that can be on their way or wait for a connection. An editor has a handful; more than this is a defect in it.
pub(super) const MAX_REQUESTS: usize = 1_000;

/// The pause before connecting again after a connection was lost. Each further one that is lost soon doubles it, up to
/// [`LONGEST`]: a daemon that dies of what is sent to it must not be started in a tight loop.
pub(super) const BREATH: Duration = Duration::from_millis(50);
pub(super) const LONGEST: Duration = Duration::from_secs(10);

/// A connection that lived as long was of use.
pub(super) const SOUND: Duration = Duration::from_secs(5);

/// Connections that can be lost before the editor's `initialize` is answered; then it is refused.
pub(super) const MOST_LOST: u32 = 3;

/// The pause after a try that failed.
const PAUSE: Duration = Duration::from_secs(1);

/// What happened.
pub(super) enum Event {
    /// The editor introduced itself; the answer goes to this request of the edge.
    Introduce { request: u64, params: InitializeParams, native: bool },
    /// What the editor said of itself changed.
    Reintroduce(InitializeParams),
    /// The editor sent a request for the daemon; its id is in its shortest form.
    Forward { id: String, method: String, body: Vec<u8> },
    /// The edge itself asks the daemon.
    Ask { request: u64, method: Method, params: Value },
    /// The editor cancelled a request that was forwarded, with this message.
    Cancel { id: String, body: Vec<u8> },
    /// The daemon sent this.
    Daemon(Vec<u8>),
    /// There is a connection.
    Connected,
    /// No daemon can be reached.
    Unreachable(Failure),
    /// The connection was lost, after it had lived so long.
    DaemonGone { lived: Duration },
}

/// What must be done.
#[derive(Debug, PartialEq)]
pub(super) enum Action {
    ToEditor(Vec<u8>),
    ToDaemon(Vec<u8>),
    /// A request of the edge has its answer: JSON.
    Answered(u64, Result<String, Failure>),
    /// The daemon notified an editor that does not know AreYouJ's own methods.
    Notified(Vec<u8>),
    /// What the daemon said is void: it is gone.
    Lost,
    /// There is a daemon again, which knows nothing of this editor but its introduction.
    Restored,
    /// Close the connection.
    HangUp,
    /// Connect, after this pause.
    Connect(Duration),
}

/// Who waits for an answer.
enum Asker {
    Editor,
    Edge(u64),
}

struct Held {
    /// In its shortest form.
    id: String,
    asker: Asker,
    body: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// The editor has not introduced itself.
    Silent,
    /// There is no connection; one was asked for.
    Connecting,
    /// There is one, and the editor was introduced.
    Introducing,
    /// Requests pass.
    Connected,
}

pub(super) struct DaemonConnection {
    /// The environment of sessions that the editor creates.
    environment: BTreeMap<String, String>,
    /// Begins the ids of the edge's own requests; no editor has such ids.
    prefix: String,
    phase: Phase,
    /// The introduction as it is now, and the request that waits for the first one.
    introduction: InitializeParams,
    introducer: Option<u64>,
    /// Introductions that were sent; the id of the newest ends with it.
    introductions: u64,
    /// Whether a daemon has taken the introduction.
    introduced: bool,
    native: bool,
    /// Whether a native editor knows that the connection is lost.
    down: bool,
    /// Connections that were lost soon, one after the other.
    lost_soon: u32,
    /// Requests that the daemon has, by their ids in their shortest form.
    pending: HashMap<String, Asker>,
    held: VecDeque<Held>,
    actions: Vec<Action>,
}

impl DaemonConnection {
    /// One for an editor with this environment that has not introduced itself.
    pub(super) fn new(environment: BTreeMap<String, String>) -> DaemonConnection {
        DaemonConnection {
            environment,
            prefix: Uuid::new_v4().to_string(),
            phase: Phase::Silent,
            introduction: InitializeParams::default(),
            introducer: None,
            introductions: 0,
            introduced: false,
            native: false,
            down: false,
            lost_soon: 0,
            pending: HashMap::new(),
            held: VecDeque::new(),
            actions: Vec::new(),
        }
    }

    /// Whether the editor waits for the daemon's answer to the request with this id.
    pub(super) fn has_forwarded(&self, id: &str) -> bool {
        matches!(self.pending.get(id), Some(Asker::Editor)) || self.held.iter().any(|held| held.id == id)
    }

    /// What must be done about this, in order.
    pub(super) fn step(&mut self, event: Event) -> Vec<Action> {
        match event {
            Event::Introduce { request, params, native } => {
                self.introduction = params;
                self.introducer = Some(request);
                self.introduced = false;
                self.native = native;
                self.phase = Phase::Connecting;
                self.actions.push(Action::Connect(Duration::ZERO));
            }
            Event::Reintroduce(params) => {
                self.introduction = params;
                if matches!(self.phase, Phase::Introducing | Phase::Connected) {
                    self.introduce();
                }
            }
            Event::Forward { id, method, body } => {
                self.send(Method::parse(&method), Held { id, asker: Asker::Editor, body });
            }
            Event::Ask { request: number, method, params } => {
                let id = format!("{}-{number}", self.prefix);
                let body = envelope::request(&id, method.as_str(), Some(&params));
                self.send(Some(method), Held { id: json!(id).to_string(), asker: Asker::Edge(number), body });
            }
            Event::Cancel { id, body } => self.cancel(&id, body),
            Event::Daemon(body) => self.daemon_sent(body),
            Event::Connected => {
                self.phase = Phase::Introducing;
                self.introduce();
            }
            Event::Unreachable(failure) => self.unreachable(&failure),
            Event::DaemonGone { lived } => self.lost(lived),
        }
        mem::take(&mut self.actions)
    }

    fn introduce(&mut self) {
        self.introductions += 1;
        let (id, method) = (self.introduction_id(), Method::Initialize.as_str());
        let body = envelope::request(id, method, Some(&self.introduction));
        self.actions.push(Action::ToDaemon(body));
    }

    fn introduction_id(&self) -> String {
        format!("{}-introduction-{}", self.prefix, self.introductions)
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
            self.refuse(&request.id, &request.asker, &Failure { retryable: true, ..failure });
        } else if self.phase == Phase::Connected {
            self.pass(request);
        } else {
            self.held.push_back(request);
        }
    }

    fn pass(&mut self, request: Held) {
        self.pending.insert(request.id, request.asker);
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
            self.refuse(id, &Asker::Editor, &failure);
        } else if self.pending.contains_key(id) {
            // The daemon answers: with what it had done already, or that it was cancelled.
            self.actions.push(Action::ToDaemon(body));
        }
    }

    fn daemon_sent(&mut self, body: Vec<u8>) {
        // A body that is not JSON-RPC is of no use to an editor either.
        let Ok(envelope) = envelope::read::<Envelope<'_>>(&body) else { return };
        match (&envelope.method, envelope.id) {
            (None, Some(id)) => {
                let id = shortest(id);
                let introduction = json!(self.introduction_id()).to_string();
                if self.phase == Phase::Introducing && id == introduction {
                    let answer = result(&envelope);
                    return self.introduction_answered(answer);
                }
                // A request that was refused meanwhile has its answer already.
                match self.pending.remove(&id) {
                    None => {}
                    Some(Asker::Editor) => self.actions.push(Action::ToEditor(body)),
                    Some(Asker::Edge(number)) => {
                        let answer = result(&envelope);
                        self.actions.push(Action::Answered(number, answer));
                    }
                }
            }
            (Some(_), None) if self.native => self.actions.push(Action::ToEditor(body)),
            (Some(_), None) => self.actions.push(Action::Notified(body)),
            // The daemon asks nothing.
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    fn introduction_answered(&mut self, answer: Result<String, Failure>) {
        match (self.introduced, answer) {
            (false, Err(failure)) => {
                self.phase = Phase::Silent;
                self.answer_introducer(Err(failure));
                self.actions.push(Action::HangUp);
                return;
            }
            (true, Err(_)) => {
                self.actions.push(Action::HangUp);
                let failure = Failure::new(
                    ErrorCode::DaemonUnavailable,
                    "The daemon refuses this client.",
                    Remedy::RunDoctor { first: None },
                );
                return self.unreachable(&failure);
            }
            (false, Ok(result)) => self.answer_introducer(Ok(result)),
            (true, Ok(_)) => {}
        }
        self.phase = Phase::Connected;
        if mem::replace(&mut self.introduced, true) {
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
        self.lost_soon = if lived < SOUND { self.lost_soon + 1 } else { 0 };
        if !self.introduced && self.lost_soon > MOST_LOST {
            self.lost_soon = 0;
            return self.unreachable(&Failure::new(
                ErrorCode::DaemonStartFailed,
                "The daemon exits as soon as a client connects.",
                Remedy::RunDoctor { first: None },
            ));
        }
        self.phase = Phase::Connecting;
        if self.introduced {
            self.actions.push(Action::Lost);
        }
        for (id, asker) in mem::take(&mut self.pending) {
            self.refuse(&id, &asker, &away());
        }
        if self.introduced && !mem::replace(&mut self.down, true) {
            self.announce(ConnectionState::Reconnecting, None);
        }
        let doubled = 2_u32.saturating_pow(self.lost_soon.saturating_sub(1));
        self.actions.push(Action::Connect(BREATH.saturating_mul(doubled).min(LONGEST)));
    }

    fn unreachable(&mut self, failure: &Failure) {
        let retryable = Failure { retryable: true, ..failure.clone() };
        for request in mem::take(&mut self.held) {
            self.refuse(&request.id, &request.asker, &retryable);
        }
        if !self.introduced {
            self.phase = Phase::Silent;
            return self.answer_introducer(Err(failure.clone()));
        }
        self.phase = Phase::Connecting;
        self.down = true;
        let error = ConnectionError::from(failure);
        self.announce(ConnectionState::Reconnecting, Some(error));
        self.actions.push(Action::Connect(PAUSE));
    }

    fn answer_introducer(&mut self, answer: Result<String, Failure>) {
        if let Some(request) = self.introducer.take() {
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

    fn refuse(&mut self, id: &str, asker: &Asker, failure: &Failure) {
        self.actions.push(match asker {
            Asker::Editor => Action::ToEditor(refusal(id, rpc_code(&failure.code), failure)),
            Asker::Edge(request) => Action::Answered(*request, Err(failure.clone())),
        });
    }
}

/// The result in an answer.
fn result(answer: &Envelope<'_>) -> Result<String, Failure> {
    match answer.error {
        None => Ok(answer.result.map_or_else(|| "null".to_owned(), |result| result.get().to_owned())),
        Some(error) => Err(client::refusal(&serde_json::from_str(error.get()).unwrap_or_default())),
    }
}

/// Why a request has no answer.
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
