//! Routes every message to a handler or to the daemon, or rejects it. No I/O: threads and streams are elsewhere.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::mem;
use std::rc::Rc;
use std::time::Duration;

use areyouj_protocol::{ErrorCode, rpc};
use futures::executor::LocalPool;
use futures::future::FutureExt;
use futures::sink::SinkExt;
use futures::stream::StreamExt;
use futures::task::LocalSpawnExt;
use serde::Serialize;
use serde_json::value::RawValue;
use tower_lsp_server::jsonrpc::{self, Response};
use tower_lsp_server::{ClientSocket, LspService};
use tower_service::Service;

use super::daemon_connection::{self, DaemonConnection};
use super::leniency;
use super::message::{cancelled, refusal};
use super::server::{Order, Server};
use crate::client::Failure;
use crate::rpc::envelope::{self, Envelope, canonical_id, rpc_code};

/// The prefix of the daemon's own methods.
const OWN_METHODS: &str = "areyouj/";

/// An event.
pub(super) enum Event {
    /// The editor sent this message.
    Editor(Vec<u8>),
    /// The daemon sent this message.
    Daemon(Vec<u8>),
    /// The requested connection is open.
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
    /// Close the connection to the daemon.
    Disconnect,
    /// Connect to the daemon, after this pause.
    Connect(Duration),
    /// Exit with this status.
    Exit(u8),
}

/// The state of the editor's lifecycle.
#[derive(Clone, Copy, PartialEq)]
enum Lifecycle {
    /// It has not sent `initialize`, or it was rejected.
    New,
    /// `initialize` is not answered yet.
    Initializing,
    Initialized,
    ShutDown,
}

pub(super) struct Router {
    daemon: DaemonConnection,
    service: LspService<Server>,
    server: Server,
    /// The server's notifications and requests to the editor, and the editor's responses.
    client: ClientSocket,
    handlers: LocalPool,
    lifecycle: Rc<Cell<Lifecycle>>,
    actions: Rc<RefCell<Vec<Action>>>,
}

impl Router {
    /// A router for an editor that has sent nothing yet. Sessions that the editor creates have this environment.
    pub(super) fn new(environment: BTreeMap<String, String>) -> Router {
        let (service, client) = LspService::new(Server::new);
        Router {
            daemon: DaemonConnection::new(environment),
            server: service.inner().clone(),
            service,
            client,
            handlers: LocalPool::new(),
            lifecycle: Rc::new(Cell::new(Lifecycle::New)),
            actions: Rc::default(),
        }
    }

    /// The actions for this event, in order. All its consequences are processed before the next event.
    pub(super) fn step(&mut self, event: Event) -> Vec<Action> {
        match event {
            Event::Editor(body) => self.editor_sent(body),
            Event::Daemon(body) => self.decide(daemon_connection::Event::Daemon(body)),
            Event::Connected => self.decide(daemon_connection::Event::Connected),
            Event::Unreachable(failure) => self.decide(daemon_connection::Event::Unreachable(failure)),
            Event::DaemonGone { lived } => self.decide(daemon_connection::Event::DaemonGone { lived }),
        }
        self.settle();
        mem::take(&mut *self.actions.borrow_mut())
    }

    fn editor_sent(&mut self, body: Vec<u8>) {
        let envelope: Envelope<'_> = match envelope::read(&body) {
            Ok(envelope) => envelope,
            Err((code, error)) => return self.reject("null", code, &not_rpc(&error.to_string())),
        };
        match (envelope.method.as_deref(), envelope.id) {
            (Some("exit"), _) => {
                let orderly = self.lifecycle.get() == Lifecycle::ShutDown;
                self.act(Action::Exit(u8::from(!orderly)));
            }
            (Some(method), Some(id)) => {
                if let Err(failure) = self.advance(method) {
                    return self.reject(id.get(), rpc_code(&failure.code), &failure);
                }
                if method.starts_with(OWN_METHODS) {
                    let (id, method) = (canonical_id(id), method.to_owned());
                    return self.decide(daemon_connection::Event::Forward { id, method, body });
                }
                self.call(Some(id), &body);
            }
            (Some("$/cancelRequest"), None) => {
                match cancelled(envelope.params).filter(|id| self.daemon.has_forwarded(id)) {
                    Some(id) => self.decide(daemon_connection::Event::Cancel { id, body }),
                    None => self.call(None, &body),
                }
            }
            // The daemon accepts no notifications.
            (Some(method), None) if method.starts_with(OWN_METHODS) => {}
            (Some(_), None) => self.call(None, &body),
            // A response to a request of the server.
            (None, Some(_)) => {
                if let Ok(response) = serde_json::from_slice::<Response>(&body) {
                    self.answered(response);
                }
            }
            (None, None) => {}
        }
    }

    /// Checks whether the editor can send this request now.
    fn advance(&self, method: &str) -> Result<(), Failure> {
        let failure = match (self.lifecycle.get(), method) {
            (Lifecycle::ShutDown, _) => ("The connection was shut down.", "Send `exit`."),
            (Lifecycle::New, "initialize") => {
                self.lifecycle.set(Lifecycle::Initializing);
                return Ok(());
            }
            (_, "initialize") => ("`initialize` was sent before.", "Send it once."),
            (Lifecycle::New, _) => {
                let message = "The first request must be `initialize`.";
                return Err(Failure::new(ErrorCode::NotInitialized, message, "Send `initialize` first."));
            }
            (Lifecycle::Initialized, "shutdown") => {
                self.lifecycle.set(Lifecycle::ShutDown);
                return Ok(());
            }
            _ => return Ok(()),
        };
        Err(Failure::new(ErrorCode::InvalidRequest, failure.0, failure.1))
    }

    /// Passes a message to a handler.
    fn call(&mut self, id: Option<&RawValue>, body: &[u8]) {
        let Some(request) = leniency::request(body) else {
            let failure = not_rpc("an id must be a whole number or a string");
            return self.reject(id.map_or("null", RawValue::get), rpc::INVALID_REQUEST, &failure);
        };
        let initializes = request.method() == "initialize" && id.is_some();
        let (lifecycle, actions) = (Rc::clone(&self.lifecycle), Rc::clone(&self.actions));
        // The service is ready until `exit`, which it never receives.
        let served = self.service.call(request);
        self.run(async move {
            let Ok(Some(response)) = served.await else { return };
            if initializes {
                let next = if response.is_ok() { Lifecycle::Initialized } else { Lifecycle::New };
                lifecycle.set(next);
            }
            actions.borrow_mut().push(Action::ToEditor(json_of(&response)));
        });
    }

    fn run(&self, work: impl Future<Output = ()> + 'static) {
        // The pool exists as long as the router, so spawning cannot fail.
        let _ = self.handlers.spawner().spawn_local(work);
    }

    /// Runs every handler until it waits for a later event.
    fn settle(&mut self) {
        loop {
            self.handlers.run_until_stalled();
            let mut stalled = true;
            while let Some(Some(message)) = self.client.next().now_or_never() {
                self.act(Action::ToEditor(json_of(&message)));
                stalled = false;
            }
            for order in self.server.take_orders() {
                stalled = false;
                match order {
                    Order::Daemon(event) => self.decide(event),
                    Order::Run(work) => self.run(work),
                    Order::Forget(id) => {
                        let cancelled = jsonrpc::Error::request_cancelled();
                        self.answered(Response::from_error(id.into(), cancelled));
                    }
                }
            }
            if stalled {
                return;
            }
        }
    }

    fn answered(&mut self, response: Response) {
        // An unexpected response is dropped.
        let _ = self.client.start_send_unpin(response);
    }

    fn decide(&mut self, event: daemon_connection::Event) {
        for action in self.daemon.step(event) {
            match action {
                daemon_connection::Action::ToEditor(body) => self.act(Action::ToEditor(body)),
                daemon_connection::Action::ToDaemon(body) => self.act(Action::ToDaemon(body)),
                daemon_connection::Action::Disconnect => self.act(Action::Disconnect),
                daemon_connection::Action::Connect(pause) => self.act(Action::Connect(pause)),
                daemon_connection::Action::Answered(request, answer) => self.server.answered(request, answer),
                daemon_connection::Action::Notified(body) => self.server.notified(&body),
                daemon_connection::Action::Lost => self.server.lost(),
                daemon_connection::Action::Restored => self.server.restored(),
            }
        }
    }

    fn reject(&self, id: &str, code: i32, failure: &Failure) {
        self.act(Action::ToEditor(refusal(id, code, failure)));
    }

    fn act(&self, action: Action) {
        self.actions.borrow_mut().push(action);
    }
}

fn json_of(message: &impl Serialize) -> Vec<u8> {
    // The keys of these messages are strings, so this cannot fail.
    serde_json::to_vec(message).unwrap_or_default()
}

fn not_rpc(why: &str) -> Failure {
    Failure::new(
        ErrorCode::InvalidRequest,
        format!("The body is not a JSON-RPC message: {why}."),
        "Send JSON-RPC 2.0 in Language Server Protocol framing.",
    )
}

#[cfg(test)]
mod tests;
