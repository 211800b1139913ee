//! What the sidecar does with every message, without doing it: threads and streams are elsewhere.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::mem;
use std::time::Duration;

use areyouj_protocol::{ConnectionChanged, ConnectionError, ConnectionState, ErrorCode, notification, rpc};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::documents::Documents;
use super::message::{
    announcement, away, changed, open, refusal, renamed, result, rpc_code, with_environment,
};
use crate::client::Failure;
use crate::lsp;

/// Requests that may be on their way or wait for a connection. An editor has a handful; more than this is a defect in it.
const MAX_REQUESTS: usize = 1_000;

/// The pause before connecting again after a connection was lost: a daemon that closes every connection at once is not to be
/// asked in a tight loop.
const BREATH: Duration = Duration::from_millis(50);

/// The pause after a try that failed.
const PAUSE: Duration = Duration::from_secs(1);

/// The id of our own introductions. No editor uses it: theirs are numbers, or strings of their own.
const INTRODUCTION: &str = "areyouj-lsp-introduction";

/// What happened.
pub(super) enum Event {
    /// The editor said this.
    Editor(Vec<u8>),
    /// The daemon said this.
    Daemon(Vec<u8>),
    /// The connection that was asked for is there.
    Connected,
    /// It cannot be had.
    Unreachable(Failure),
    /// It was lost.
    DaemonGone,
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub(super) enum Action {
    ToEditor(Vec<u8>),
    ToDaemon(Vec<u8>),
    /// Give up the connection.
    HangUp,
    /// Get a connection, after this pause.
    Connect(Duration),
    /// End, with this exit status.
    Exit(u8),
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// The editor has not introduced itself.
    Silent,
    /// There is no connection; one was asked for.
    Connecting,
    /// There is one, and the daemon was told who speaks.
    Introducing,
    /// Messages pass.
    Connected,
}

/// The state of the sidecar.
pub(super) struct Relay {
    environment: BTreeMap<String, String>,
    phase: Phase,
    /// The editor's `initialize`, with its folders as they are now.
    hello: Vec<u8>,
    /// Whether the editor has the answer to it.
    introduced: bool,
    /// Whether it wants to hear of what is AreYouJ's own.
    native: bool,
    /// Whether it was told that the connection is lost.
    down: bool,
    shut_down: bool,
    /// Ids of requests that the daemon has.
    pending: HashSet<String>,
    /// What waits for a connection.
    held: VecDeque<Vec<u8>>,
    documents: Documents,
    actions: Vec<Action>,
}

impl Relay {
    /// One for an editor that has not spoken yet; its environment is that of the sessions it creates.
    pub(super) fn new(environment: BTreeMap<String, String>) -> Relay {
        Relay {
            environment,
            phase: Phase::Silent,
            hello: Vec::new(),
            introduced: false,
            native: false,
            down: false,
            shut_down: false,
            pending: HashSet::new(),
            held: VecDeque::new(),
            documents: Documents::default(),
            actions: Vec::new(),
        }
    }

    /// What is to be done about this, in order.
    pub(super) fn step(&mut self, event: Event) -> Vec<Action> {
        match event {
            Event::Editor(body) => self.from_editor(body),
            Event::Daemon(body) => self.from_daemon(body),
            Event::Connected => {
                let hello =
                    if self.introduced { renamed(&self.hello, INTRODUCTION) } else { self.hello.clone() };
                self.phase = Phase::Introducing;
                self.actions.push(Action::ToDaemon(hello));
            }
            Event::Unreachable(failure) => self.unreachable(&failure),
            Event::DaemonGone => self.lost(BREATH),
        }
        mem::take(&mut self.actions)
    }

    fn from_editor(&mut self, body: Vec<u8>) {
        let envelope = match open(&body) {
            Ok(envelope) => envelope,
            Err(error) => {
                let failure = Failure::new(
                    ErrorCode::InvalidRequest,
                    format!("The body is not a JSON-RPC message: {error}."),
                    "Send JSON-RPC 2.0 in Language Server Protocol framing.",
                );
                return self.refuse(&Value::Null, rpc::PARSE_ERROR, &failure);
            }
        };
        match (envelope.method.as_deref(), envelope.id) {
            (Some("exit"), _) => self.actions.push(Action::Exit(u8::from(!self.shut_down))),
            (Some(_), Some(id)) if self.shut_down => {
                let failure =
                    Failure::new(ErrorCode::InvalidRequest, "The connection was shut down.", "Send `exit`.");
                self.refuse(&json!(id), rpc::INVALID_REQUEST, &failure);
            }
            (Some("shutdown"), Some(id)) => {
                self.shut_down = true;
                self.actions.push(Action::ToEditor(result(id, &Value::Null)));
            }
            (Some("initialize"), Some(id)) => {
                let id = json!(id);
                self.initialize(&id, body);
            }
            (Some(_), Some(id)) if self.phase == Phase::Silent => {
                let failure = Failure::new(
                    ErrorCode::NotInitialized,
                    "The first request has to be `initialize`.",
                    "Send `initialize` first.",
                );
                self.refuse(&json!(id), rpc::SERVER_NOT_INITIALIZED, &failure);
            }
            (Some(method), Some(id)) => {
                let (method, id) = (method.to_owned(), id.to_owned());
                self.request(&method, &id, body);
            }
            (Some(method), None) => {
                let method = method.to_owned();
                self.notified(&method, body);
            }
            // An answer to a request of the daemon: of one that is gone, nobody waits for it.
            (None, _) => self.pass(body),
        }
    }

    fn initialize(&mut self, id: &Value, body: Vec<u8>) {
        if self.phase != Phase::Silent {
            let failure =
                Failure::new(ErrorCode::InvalidRequest, "`initialize` was sent before.", "Send it once.");
            return self.refuse(id, rpc::INVALID_REQUEST, &failure);
        }
        let message: Value = serde_json::from_slice(&body).unwrap_or_default();
        self.native = lsp::is_native(&message["params"]["capabilities"]);
        self.hello = body;
        self.phase = Phase::Connecting;
        self.actions.push(Action::Connect(Duration::ZERO));
    }

    fn request(&mut self, method: &str, id: &RawValue, body: Vec<u8>) {
        let body = match method {
            "areyouj/session/create" => with_environment(&body, &self.environment),
            "workspace/executeCommand" => self.with_selection(&with_environment(&body, &self.environment)),
            _ => body,
        };
        if self.pending.len() + self.held.len() >= MAX_REQUESTS {
            let failure = Failure::new(
                ErrorCode::DaemonUnavailable,
                format!("{MAX_REQUESTS} requests wait for their answers."),
                "Wait for some of them.",
            );
            self.refuse(&json!(id), rpc::REFUSED, &Failure { retryable: true, ..failure });
        } else if self.phase == Phase::Connected {
            self.pending.insert(id.get().to_owned());
            self.actions.push(Action::ToDaemon(body));
        } else {
            self.held.push_back(body);
        }
    }

    /// A command about a selection, with the text that is selected.
    fn with_selection(&self, body: &[u8]) -> Vec<u8> {
        changed(body, |message| {
            let params = &mut message["params"];
            if params["command"] != lsp::SEND_SELECTION {
                return;
            }
            let selection = &mut params["arguments"][0];
            if let Some(text) =
                selection["uri"].as_str().and_then(|uri| self.documents.text(uri, &selection["range"]))
            {
                selection["text"] = json!(text);
            }
        })
    }

    fn notified(&mut self, method: &str, body: Vec<u8>) {
        let message: Value = serde_json::from_slice(&body).unwrap_or_default();
        if self.documents.take(method, &message["params"]) {
            return;
        }
        if method == "workspace/didChangeWorkspaceFolders" {
            let event = &message["params"]["event"];
            self.hello = changed(&self.hello, |hello| lsp::change_folders(&mut hello["params"], event));
        }
        self.pass(body);
    }

    fn pass(&mut self, body: Vec<u8>) {
        if self.phase == Phase::Connected {
            self.actions.push(Action::ToDaemon(body));
        }
    }

    fn from_daemon(&mut self, body: Vec<u8>) {
        // What is no JSON-RPC is of no use to an editor either.
        let Ok(envelope) = open(&body) else { return };
        match (envelope.method, envelope.id) {
            (None, Some(_)) if self.phase == Phase::Introducing => {
                let refused = envelope.error.is_some();
                self.answered_introduction(refused, body);
            }
            (None, Some(id)) => {
                // Of a request that was given up the editor has an answer already.
                if self.pending.remove(id.get()) {
                    self.actions.push(Action::ToEditor(body));
                }
            }
            (None, None) => {}
            (Some(_), _) => self.actions.push(Action::ToEditor(body)),
        }
    }

    fn answered_introduction(&mut self, refused: bool, body: Vec<u8>) {
        match (self.introduced, refused) {
            (false, true) => {
                self.phase = Phase::Silent;
                self.actions.extend([Action::ToEditor(body), Action::HangUp]);
                return;
            }
            (true, true) => {
                self.actions.push(Action::HangUp);
                let failure = Failure::new(
                    ErrorCode::DaemonUnavailable,
                    "The daemon does not take this client.",
                    "Look for what is wrong with: areyouj doctor",
                );
                return self.unreachable(&failure);
            }
            (false, false) => self.actions.push(Action::ToEditor(body)),
            (true, false) => {
                let initialized = json!({ "jsonrpc": "2.0", "method": "initialized", "params": {} });
                self.actions.push(Action::ToDaemon(initialized.to_string().into_bytes()));
            }
        }
        self.introduced = true;
        self.phase = Phase::Connected;
        if mem::take(&mut self.down) {
            self.tell(ConnectionState::Connected, None);
        }
        for body in mem::take(&mut self.held) {
            if let Some(id) = open(&body).ok().and_then(|envelope| envelope.id.map(RawValue::get)) {
                self.pending.insert(id.to_owned());
            }
            self.actions.push(Action::ToDaemon(body));
        }
    }

    fn lost(&mut self, pause: Duration) {
        self.phase = Phase::Connecting;
        for id in mem::take(&mut self.pending) {
            let id = serde_json::from_str(&id).unwrap_or_default();
            self.refuse(&id, rpc::REFUSED, &away());
        }
        if self.introduced && !mem::replace(&mut self.down, true) {
            self.tell(ConnectionState::Reconnecting, None);
        }
        self.actions.push(Action::Connect(pause));
    }

    fn unreachable(&mut self, failure: &Failure) {
        let retryable = Failure { retryable: true, ..failure.clone() };
        for body in mem::take(&mut self.held) {
            if let Some(id) = open(&body).ok().and_then(|envelope| envelope.id.map(|id| json!(id))) {
                self.refuse(&id, rpc::REFUSED, &retryable);
            }
        }
        if !self.introduced {
            let id = open(&self.hello).ok().and_then(|envelope| envelope.id.map(|id| json!(id)));
            self.phase = Phase::Silent;
            return self.refuse(&id.unwrap_or_default(), rpc_code(failure), failure);
        }
        self.phase = Phase::Connecting;
        self.down = true;
        self.tell(
            ConnectionState::Reconnecting,
            Some(ConnectionError {
                code: failure.code.clone(),
                message: failure.message.clone(),
                hint: failure.hint.clone(),
            }),
        );
        self.actions.push(Action::Connect(PAUSE));
    }

    fn tell(&mut self, state: ConnectionState, error: Option<ConnectionError>) {
        if self.native {
            let change = announcement::<notification::ConnectionChanged>(&ConnectionChanged { state, error });
            self.actions.push(Action::ToEditor(change));
        }
    }

    fn refuse(&mut self, id: &Value, code: i32, failure: &Failure) {
        self.actions.push(Action::ToEditor(refusal(id, code, failure)));
    }
}
