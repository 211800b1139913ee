//! What the sidecar does with every message, without doing it: threads and streams are elsewhere.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::mem;
use std::time::Duration;

use areyouj_protocol::{ConnectionChanged, ConnectionError, ConnectionState, ErrorCode, notification, rpc};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::documents::Documents;
use super::message::{
    announcement, away, changed, notice, open, refusal, renamed, result, rpc_code, shortest, with_environment,
};
use crate::client::Failure;
use crate::lsp;

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
                if method == "$/progress" {
                    self.note_progress(&body);
                }
                self.actions.push(Action::ToEditor(body));
            }
        }
    }

    fn note_progress(&mut self, body: &[u8]) {
        let message: Value = serde_json::from_slice(body).unwrap_or_default();
        let token = message["params"]["token"].to_string();
        match message["params"]["value"]["kind"].as_str() {
            Some("begin") => drop(self.shown.insert(token)),
            Some("end") => drop(self.shown.remove(&token)),
            _ => {}
        }
    }

    /// Takes back what a daemon that is gone asked and showed.
    fn take_back(&mut self) {
        let value = |text: String| serde_json::from_str::<Value>(&text).unwrap_or_default();
        let asked = mem::take(&mut self.asked)
            .into_iter()
            .map(|id| notice("$/cancelRequest", &json!({ "id": value(id) })));
        let shown = mem::take(&mut self.shown)
            .into_iter()
            .map(|token| notice("$/progress", &json!({ "token": value(token), "value": { "kind": "end" } })));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn relay() -> Relay {
        Relay::new(BTreeMap::from([("HOME".to_owned(), "/home/ada".to_owned())]))
    }

    fn editor(message: impl std::fmt::Display) -> Event {
        Event::Editor(message.to_string().into_bytes())
    }

    fn daemon(message: impl std::fmt::Display) -> Event {
        Event::Daemon(message.to_string().into_bytes())
    }

    fn request(id: u32, method: &str) -> Value {
        json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": {} })
    }

    fn answer(id: impl Into<Value>) -> Value {
        json!({ "jsonrpc": "2.0", "id": id.into(), "result": {} })
    }

    /// The messages among the actions, with where they go; other actions by name.
    fn told(actions: Vec<Action>) -> Vec<(&'static str, Value)> {
        let read = |body: Vec<u8>| serde_json::from_slice(&body).unwrap();
        actions
            .into_iter()
            .map(|action| match action {
                Action::ToEditor(body) => ("editor", read(body)),
                Action::ToDaemon(body) => ("daemon", read(body)),
                Action::HangUp => ("hang up", Value::Null),
                Action::Connect(_) => ("connect", Value::Null),
                Action::Exit(code) => ("exit", json!(code)),
            })
            .collect()
    }

    fn hello() -> Value {
        let folders = json!([{ "uri": "file:///a", "name": "a" }]);
        let params =
            json!({ "workspaceFolders": folders, "capabilities": { "experimental": { "areyouj": {} } } });
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params })
    }

    fn connected() -> Relay {
        let mut relay = relay();
        assert_eq!(told(relay.step(editor(hello()))), [("connect", Value::Null)]);
        assert_eq!(told(relay.step(Event::Connected)), [("daemon", hello())]);
        assert_eq!(told(relay.step(daemon(answer(1)))), [("editor", answer(1))]);
        relay
    }

    #[test]
    fn messages_pass_in_both_directions() {
        let mut relay = connected();
        let list = request(2, "areyouj/session/list");
        assert_eq!(told(relay.step(editor(list.clone()))), [("daemon", list)]);
        let push = json!({ "jsonrpc": "2.0", "method": "areyouj/sessionCreated", "params": {} });
        assert_eq!(told(relay.step(daemon(push.clone()))), [("editor", push)]);
        assert_eq!(told(relay.step(daemon(answer(2)))), [("editor", answer(2))]);
        assert_eq!(told(relay.step(daemon(answer(2)))), [], "nobody waits for it any more");
    }

    #[test]
    fn a_session_is_created_with_the_editors_environment_unless_it_names_one() {
        let mut relay = connected();
        let environment = |told: Vec<(&str, Value)>| told[0].1["params"]["environment"].clone();
        let plain = request(2, "areyouj/session/create");
        assert_eq!(environment(told(relay.step(editor(plain)))), json!({ "HOME": "/home/ada" }));
        let mut named = request(3, "areyouj/session/create");
        named["params"]["environment"] = json!({ "A": "1" });
        assert_eq!(environment(told(relay.step(editor(named)))), json!({ "A": "1" }));
    }

    #[test]
    fn a_lost_daemon_is_told_once_and_its_successor_gets_the_same_introduction() {
        let mut relay = connected();
        relay.step(editor(request(2, "areyouj/session/list")));
        let event = json!({ "added": [{ "uri": "file:///b", "name": "b" }], "removed": [] });
        let folders = json!({ "jsonrpc": "2.0", "method": "workspace/didChangeWorkspaceFolders", "params": { "event": event } });
        assert_eq!(told(relay.step(editor(folders.clone()))), [("daemon", folders)]);

        let lost = told(relay.step(Event::DaemonGone { lived: SOUND }));
        assert_eq!(lost.len(), 3, "{lost:?}");
        assert_eq!((&lost[0].1["id"], &lost[0].1["error"]["data"]["retryable"]), (&json!(2), &json!(true)));
        assert_eq!(lost[1].1["params"], json!({ "state": "reconnecting" }));
        assert_eq!(lost[2].0, "connect");

        assert_eq!(told(relay.step(editor(request(3, "areyouj/session/list")))), [], "it waits");
        let introduction = told(relay.step(Event::Connected));
        assert_eq!(introduction[0].1["id"], INTRODUCTION);
        assert_eq!(introduction[0].1["params"]["workspaceFolders"].as_array().unwrap().len(), 2);
        let back = told(relay.step(daemon(answer(INTRODUCTION))));
        let heads: Vec<_> =
            back.iter().map(|(to, message)| (*to, message["method"].as_str().unwrap())).collect();
        assert_eq!(
            heads,
            [
                ("daemon", "initialized"),
                ("editor", "areyouj/connectionChanged"),
                ("daemon", "areyouj/session/list")
            ]
        );
        assert_eq!(told(relay.step(daemon(answer(3)))), [("editor", answer(3))]);
    }

    #[test]
    fn a_daemon_that_dies_of_what_is_said_to_it_is_asked_less_and_less_and_the_editor_is_told() {
        let mut relay = relay();
        relay.step(editor(hello()));
        let mut pauses = Vec::new();
        for _ in 0..MOST_LOST {
            relay.step(Event::Connected);
            match relay.step(Event::DaemonGone { lived: Duration::ZERO }).as_slice() {
                [Action::Connect(pause)] => pauses.push(pause.as_millis()),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(pauses, [50, 100, 200]);
        relay.step(Event::Connected);
        let refused = told(relay.step(Event::DaemonGone { lived: Duration::ZERO }));
        assert_eq!((refused.len(), &refused[0].1["id"]), (1, &json!(1)));
        assert_eq!(refused[0].1["error"]["data"]["code"], "daemon_start_failed");

        let mut relay = connected();
        let mut pause = |lived| match relay.step(Event::DaemonGone { lived }).pop() {
            Some(Action::Connect(pause)) => pause,
            other => panic!("{other:?}"),
        };
        let longest = (0..20).map(|_| pause(Duration::ZERO)).max();
        assert_eq!((longest, pause(SOUND)), (Some(LONGEST), BREATH));
    }

    #[test]
    fn what_a_lost_daemon_asked_and_showed_is_taken_back() {
        let mut relay = connected();
        let ask = |id: &str| json!({ "jsonrpc": "2.0", "id": id, "method": "window/showMessageRequest", "params": {} });
        let show = |kind: &str, token: &str| json!({ "jsonrpc": "2.0", "method": "$/progress", "params": { "token": token, "value": { "kind": kind } } });
        for message in
            [ask("q-1"), ask("q-2"), show("begin", "t-1"), show("begin", "t-2"), show("end", "t-1")]
        {
            relay.step(daemon(message));
        }
        assert_eq!(told(relay.step(editor(answer("q-1")))), [("daemon", answer("q-1"))]);
        let lost = told(relay.step(Event::DaemonGone { lived: SOUND }));
        let cancel = json!({ "jsonrpc": "2.0", "method": "$/cancelRequest", "params": { "id": "q-2" } });
        assert_eq!(lost[..2], [("editor", cancel), ("editor", show("end", "t-2"))]);
        relay.step(Event::Connected);
        relay.step(daemon(answer(INTRODUCTION)));
        assert_eq!(told(relay.step(editor(answer("q-2")))), [], "the new daemon knows nothing of it");
    }

    #[test]
    fn an_answer_is_known_by_its_id_however_that_is_written() {
        let mut relay = connected();
        let list = r#"{"jsonrpc":"2.0","id":"\u0061\/b","method":"areyouj/session/list"}"#;
        relay.step(editor(list));
        assert_eq!(told(relay.step(daemon(answer("a/b")))), [("editor", answer("a/b"))]);
    }

    #[test]
    fn a_folder_that_comes_during_an_introduction_is_told_after_it() {
        let mut relay = connected();
        relay.step(Event::DaemonGone { lived: SOUND });
        relay.step(Event::Connected);
        let event = json!({ "added": [{ "uri": "file:///b", "name": "b" }], "removed": [] });
        let folders = json!({ "jsonrpc": "2.0", "method": "workspace/didChangeWorkspaceFolders", "params": { "event": event } });
        assert_eq!(told(relay.step(editor(folders.clone()))), []);
        assert_eq!(told(relay.step(daemon(answer(INTRODUCTION)))).last(), Some(&("daemon", folders)));
    }

    #[test]
    fn what_the_daemon_has_no_use_for_stays_here() {
        let mut relay = connected();
        let tell = |method: &str| json!({ "jsonrpc": "2.0", "method": method, "params": {} });
        assert_eq!(told(relay.step(editor(tell("textDocument/didSave")))), []);
        assert_eq!(told(relay.step(editor(tell("initialized")))), [("daemon", tell("initialized"))]);
        assert_eq!(told(relay.step(editor(answer(77)))), [], "nobody asked that");
    }

    #[test]
    fn a_daemon_that_cannot_be_had_refuses_what_waits_and_is_tried_again() {
        let mut relay = connected();
        relay.step(Event::DaemonGone { lived: SOUND });
        relay.step(editor(request(2, "areyouj/session/list")));
        let failure = Failure::new(ErrorCode::StorageFull, "The disk is full.", "Free some space.");
        let refused = told(relay.step(Event::Unreachable(failure)));
        assert_eq!(refused[0].1["error"]["data"]["code"], "storage_full");
        assert_eq!(refused[0].1["error"]["data"]["retryable"], true);
        assert_eq!(refused[1].1["params"]["error"]["code"], "storage_full");
        assert_eq!(refused[2].0, "connect");
    }

    #[test]
    fn an_introduction_that_fails_is_answered_and_may_be_tried_again() {
        let mut relay = relay();
        let early = told(relay.step(editor(request(1, "areyouj/session/list"))));
        assert_eq!(early[0].1["error"]["data"]["code"], "not_initialized");
        relay.step(editor(hello()));
        let failure = Failure::new(ErrorCode::DaemonStartFailed, "It does not start.", "Look.");
        let refused = told(relay.step(Event::Unreachable(failure)));
        assert_eq!((refused.len(), &refused[0].1["id"]), (1, &json!(1)));
        assert_eq!(refused[0].1["error"]["data"]["code"], "daemon_start_failed");
        assert_eq!(told(relay.step(editor(hello()))), [("connect", Value::Null)]);
    }

    #[test]
    fn an_editor_without_our_own_part_hears_nothing_of_it() {
        let mut relay = relay();
        let mut hello = hello();
        hello["params"]["capabilities"] = json!({});
        relay.step(editor(hello));
        relay.step(Event::Connected);
        relay.step(daemon(answer(1)));
        assert_eq!(told(relay.step(Event::DaemonGone { lived: SOUND })), [("connect", Value::Null)]);
    }

    #[test]
    fn an_end_is_orderly_after_shutdown_only() {
        let mut relay = connected();
        let exit = json!({ "jsonrpc": "2.0", "method": "exit" });
        assert_eq!(told(relay.step(editor(exit.clone()))), [("exit", json!(1))]);
        let shutdown = told(relay.step(editor(request(2, "shutdown"))));
        assert_eq!(shutdown, [("editor", json!({ "jsonrpc": "2.0", "id": 2, "result": null }))]);
        let late = told(relay.step(editor(request(3, "areyouj/session/list"))));
        assert_eq!(late[0].1["error"]["code"], rpc::INVALID_REQUEST);
        assert_eq!(told(relay.step(editor(exit))), [("exit", json!(0))]);
    }

    #[test]
    fn a_selection_is_sent_as_the_person_sees_it() {
        let mut relay = connected();
        let document = json!({ "uri": "file:///a.rs", "text": "one\ntwo" });
        let opened = json!({ "jsonrpc": "2.0", "method": "textDocument/didOpen", "params": { "textDocument": document } });
        assert_eq!(told(relay.step(editor(opened))), [], "the daemon has no use for it");
        let range = json!({ "start": { "line": 1, "character": 0 }, "end": { "line": 1, "character": 3 } });
        let mut command = request(2, "workspace/executeCommand");
        command["params"] = json!({ "command": lsp::SEND_SELECTION, "arguments": [{ "uri": "file:///a.rs", "range": range }] });
        assert_eq!(told(relay.step(editor(command)))[0].1["params"]["arguments"][0]["text"], "two");
    }

    #[test]
    fn rubbish_and_too_many_requests_are_refused() {
        let mut relay = connected();
        let refused = told(relay.step(Event::Editor(b"{".to_vec())));
        assert_eq!(
            (&refused[0].1["id"], &refused[0].1["error"]["code"]),
            (&Value::Null, &json!(rpc::PARSE_ERROR))
        );
        assert_eq!(told(relay.step(Event::Daemon(b"{".to_vec()))), []);
        for id in 0..MAX_REQUESTS {
            relay.step(editor(request(u32::try_from(id).unwrap(), "areyouj/session/list")));
        }
        let refused = told(relay.step(editor(request(9_999, "areyouj/session/list"))));
        assert_eq!((refused[0].0, &refused[0].1["error"]["data"]["retryable"]), ("editor", &json!(true)));
    }
}
