//! What the sidecar does with every message, without doing it: threads and streams are elsewhere.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::mem;
use std::time::Duration;

use areyouj_protocol::{
    ConnectionChanged, ConnectionError, ConnectionState, ErrorCode, ErrorData, Notification, notification,
    rpc,
};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::documents::Documents;
use crate::client::Failure;
use crate::lsp;
use crate::rpc::envelope::{self, Envelope, changed, rpc_code, shortest};

/// Requests that may be on their way or wait for a connection. An editor has a handful; more than this is a defect in it.
const MAX_REQUESTS: usize = 1_000;

/// The pause before connecting again after a connection was lost. One that was lost soon doubles it, up to [`LONGEST`]: a
/// daemon that dies of what is said to it is not to be started in a tight loop.
const BREATH: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(10);

/// A connection that lived as long did its work.
const SOUND: Duration = Duration::from_secs(5);

/// Connections that may be lost before the editor's `initialize` is answered; then it is refused.
const MOST_LOST: u32 = 3;

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
    /// It was lost, after it had lived so long.
    DaemonGone { lived: Duration },
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
    /// Connections that were lost soon, one after the other.
    lost_soon: u32,
    /// Ids of requests that the daemon has, in their shortest form.
    pending: HashSet<String>,
    /// Ids of requests of the daemon that the editor has, and tokens of progress that it shows.
    asked: HashSet<String>,
    shown: HashSet<String>,
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
            lost_soon: 0,
            pending: HashSet::new(),
            asked: HashSet::new(),
            shown: HashSet::new(),
            held: VecDeque::new(),
            documents: Documents::default(),
            actions: Vec::new(),
        }
    }

    /// What is to be done about this, in order.
    pub(super) fn step(&mut self, event: Event) -> Vec<Action> {
        match event {
            Event::Editor(body) => self.editor_said(body),
            Event::Daemon(body) => self.daemon_said(body),
            Event::Connected => {
                let hello =
                    if self.introduced { renamed(&self.hello, INTRODUCTION) } else { self.hello.clone() };
                self.phase = Phase::Introducing;
                self.actions.push(Action::ToDaemon(hello));
            }
            Event::Unreachable(failure) => self.unreachable(&failure),
            Event::DaemonGone { lived } => self.lost(lived),
        }
        mem::take(&mut self.actions)
    }

    fn editor_said(&mut self, body: Vec<u8>) {
        let envelope = match open(&body) {
            Ok(envelope) => envelope,
            Err((code, error)) => {
                let failure = Failure::new(
                    ErrorCode::InvalidRequest,
                    format!("The body is not a JSON-RPC message: {error}."),
                    "Send JSON-RPC 2.0 in Language Server Protocol framing.",
                );
                return self.refuse(&Value::Null, code, &failure);
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
                self.actions.push(Action::ToEditor(envelope::result(id, &Value::Null)));
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
            // An answer to a request of the daemon; of one that is gone, nobody waits for it.
            (None, Some(id)) => {
                if self.asked.remove(&shortest(id)) {
                    self.pass(body);
                }
            }
            (None, None) => {}
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
            self.pending.insert(shortest(id));
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
        match method {
            "workspace/didChangeWorkspaceFolders" => {
                let event = &message["params"]["event"];
                self.hello = changed(&self.hello, |hello| lsp::change_folders(&mut hello["params"], event));
                // The daemon that is being introduced to was told of the folders as they were.
                if self.phase == Phase::Introducing && self.held.len() < MAX_REQUESTS {
                    self.held.push_back(body);
                } else {
                    self.pass(body);
                }
            }
            "initialized" => self.pass(body),
            // The daemon has no use for what else editors tell all their servers.
            _ => {}
        }
    }

    fn pass(&mut self, body: Vec<u8>) {
        if self.phase == Phase::Connected {
            self.actions.push(Action::ToDaemon(body));
        }
    }

    fn daemon_said(&mut self, body: Vec<u8>) {
        // What is no JSON-RPC is of no use to an editor either.
        let Ok(envelope) = open(&body) else { return };
        match (envelope.method, envelope.id) {
            (None, Some(_)) if self.phase == Phase::Introducing => {
                let refused = envelope.error.is_some();
                self.answered_introduction(refused, body);
            }
            (None, Some(id)) => {
                // Of a request that was given up the editor has an answer already.
                if self.pending.remove(&shortest(id)) {
                    self.actions.push(Action::ToEditor(body));
                }
            }
            (None, None) => {}
            (Some(_), Some(id)) => {
                self.asked.insert(shortest(id));
                self.actions.push(Action::ToEditor(body));
            }
            (Some(method), None) => {
                self.note(&method, &body);
                self.actions.push(Action::ToEditor(body));
            }
        }
    }

    /// Keeps in mind what the daemon takes back, and what progress it has the editor show.
    fn note(&mut self, method: &str, body: &[u8]) {
        // Most of what it tells is about neither, and need not be parsed.
        if !method.starts_with("$/") {
            return;
        }
        let message: Value = serde_json::from_slice(body).unwrap_or_default();
        let params = &message["params"];
        match (method, params["value"]["kind"].as_str()) {
            ("$/cancelRequest", _) => drop(self.asked.remove(&params["id"].to_string())),
            ("$/progress", Some("begin")) => drop(self.shown.insert(params["token"].to_string())),
            ("$/progress", Some("end")) => drop(self.shown.remove(&params["token"].to_string())),
            _ => {}
        }
    }

    /// Takes back what a daemon that is gone asked and showed.
    fn take_back(&mut self) {
        let value = |text: String| serde_json::from_str::<Value>(&text).unwrap_or_default();
        let asked = mem::take(&mut self.asked)
            .into_iter()
            .map(|id| envelope::notification("$/cancelRequest", &json!({ "id": value(id) })));
        let shown = mem::take(&mut self.shown).into_iter().map(|token| {
            let end = json!({ "token": value(token), "value": { "kind": "end" } });
            envelope::notification("$/progress", &end)
        });
        self.actions.extend(asked.chain(shown).map(Action::ToEditor));
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
                self.actions.push(Action::ToDaemon(envelope::notification("initialized", &json!({}))));
            }
        }
        self.introduced = true;
        self.phase = Phase::Connected;
        if mem::take(&mut self.down) {
            self.tell(ConnectionState::Connected, None);
        }
        for body in mem::take(&mut self.held) {
            if let Some(id) = open(&body).ok().and_then(|envelope| envelope.id.map(shortest)) {
                self.pending.insert(id);
            }
            self.actions.push(Action::ToDaemon(body));
        }
    }

    fn lost(&mut self, lived: Duration) {
        self.lost_soon = if lived < SOUND { self.lost_soon + 1 } else { 0 };
        if !self.introduced && self.lost_soon > MOST_LOST {
            self.lost_soon = 0;
            return self.unreachable(&Failure::new(
                ErrorCode::DaemonStartFailed,
                "The daemon ends as soon as it is spoken to.",
                "Look for what is wrong with: areyouj doctor",
            ));
        }
        self.phase = Phase::Connecting;
        self.take_back();
        for id in mem::take(&mut self.pending) {
            let id = serde_json::from_str(&id).unwrap_or_default();
            self.refuse(&id, rpc::REFUSED, &away());
        }
        if self.introduced && !mem::replace(&mut self.down, true) {
            self.tell(ConnectionState::Reconnecting, None);
        }
        let doubled = 2_u32.saturating_pow(self.lost_soon.saturating_sub(1));
        self.actions.push(Action::Connect(BREATH.saturating_mul(doubled).min(LONGEST)));
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
            return self.refuse(&id.unwrap_or_default(), rpc_code(&failure.code), failure);
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
            let change = ConnectionChanged { state, error };
            let change = envelope::notification(notification::ConnectionChanged::METHOD, &change);
            self.actions.push(Action::ToEditor(change));
        }
    }

    fn refuse(&mut self, id: &Value, code: i32, failure: &Failure) {
        let data = ErrorData {
            code: failure.code.clone(),
            hint: failure.hint.clone(),
            retryable: failure.retryable,
        };
        let refusal = envelope::error(id, code, &failure.message, Some(&data));
        self.actions.push(Action::ToEditor(refusal));
    }
}

fn open(body: &[u8]) -> Result<Envelope<'_>, (i32, serde_json::Error)> {
    envelope::read(body)
}

/// The same message under another id.
fn renamed(body: &[u8], id: &str) -> Vec<u8> {
    changed(body, |message| message["id"] = json!(id))
}

/// The same message with the environment in its parameters, if it names none.
fn with_environment(body: &[u8], environment: &BTreeMap<String, String>) -> Vec<u8> {
    changed(body, |message| {
        let named = message["params"]["environment"].as_object().is_some_and(|named| !named.is_empty());
        if message["params"].is_object() && !named {
            message["params"]["environment"] = json!(environment);
        }
    })
}

/// The refusal of requests that the daemon had when the connection was lost.
fn away() -> Failure {
    Failure {
        retryable: true,
        ..Failure::new(
            ErrorCode::DaemonUnavailable,
            "The connection to the daemon was lost before the answer came.",
            "Send the same request again; a repeat changes nothing twice.",
        )
    }
}

#[cfg(test)]
mod tests;
