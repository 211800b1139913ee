//! One client: its requests become commands in the order in which they arrive, and the orchestrator's answers
//! become answers on the wire.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use areyouj_protocol::{self as wire, ErrorCode, Method, Request, request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Semaphore, mpsc};

use super::hub::PAGE_BYTES;
use super::outbox::{Frame, Next, Outbox, coded_error_frame, error_frame, notification_frame, result_frame};
use super::shared::{Shared, storage_problem};
use super::{commands, wire as to_wire};
use crate::file_uri;
use crate::rpc::envelope::{self, Incoming};
use crate::rpc::frame::FrameReader;
use areyouj_core::orchestrator::{
    ClientId, Command, Event, MessageView, Origin, Outcome, Principal, Problem, ReplyId,
};
use areyouj_host::memory;
use areyouj_store::ReaderPool;

/// The notification that cancels a request.
const CANCEL: &str = "$/cancelRequest";

/// Requests of one client whose answers it may not have read; further ones stay in its socket until it has.
pub(super) const MAX_IN_FLIGHT: u32 = 64;

/// Bytes that a client left unread when it went, from which on they are worth being given back to the system.
const MUCH_UNREAD: usize = 64 << 10;

/// Folders of a client that are kept; no workspace has as many.
const MAX_FOLDERS: usize = 256;

/// Longest path of a folder, in bytes: the kernel takes no longer one.
const MAX_PATH: usize = 4096;

/// Finished messages that a queue's list holds at most, if they are no more than [`PAGE_BYTES`] together.
const FINISHED_MESSAGES: usize = 1_000;

/// Entries of one page of a transcript if the client does not say.
const PAGE_ENTRIES: u32 = 200;

/// Entries of one page of a transcript at most.
const PAGE_ENTRIES_MOST: u32 = 1_000;

/// One client's connection.
pub(super) struct Connection {
    client: ClientId,
    /// What it is still to be sent.
    pub(super) outbox: Outbox,
    peer: Mutex<Peer>,
    pending: Mutex<HashMap<ReplyId, Pending>>,
    /// A permit for every answer that may still be made; one comes back when an answer has left.
    in_flight: Semaphore,
    quiet: AtomicBool,
}

/// What the client said of itself.
#[derive(Clone, Default)]
pub(super) struct Peer {
    initialized: bool,
    pub(super) name: String,
    /// The folders open in the editor, as paths.
    pub(super) folders: Vec<String>,
}

/// A request that waits for its answer.
struct Pending {
    id: Value,
    /// Whether it changes nothing, so that it can be cancelled.
    reads: bool,
    more: More,
}

/// What an answer needs beyond what the orchestrator knows.
pub(super) enum More {
    /// Nothing.
    Nothing,
    /// Finished messages too.
    FinishedMessages,
    /// A page of the transcript.
    Page(wire::TranscriptReadParams),
    /// The message or prompt that was named, in case it has come to its end.
    Named(String),
    /// The message that was named for a decision, in case there is nothing to decide.
    Recovered(String),
    /// The daemon's own description.
    Status(Box<wire::DaemonStatus>),
}

impl Connection {
    pub(super) fn new(client: ClientId) -> Connection {
        Connection {
            client,
            outbox: Outbox::default(),
            peer: Mutex::default(),
            pending: Mutex::default(),
            in_flight: Semaphore::new(MAX_IN_FLIGHT as usize),
            quiet: AtomicBool::new(false),
        }
    }

    /// Whether it asked not to be told of what happens, except in sessions that it attaches to.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet.load(Ordering::Relaxed)
    }

    /// Every client is the local user: the listener turns others away.
    fn origin(&self, reply: ReplyId) -> Origin {
        let principal = Principal::LocalUser { name: self.peer().name };
        Origin { client: self.client, principal, reply }
    }

    /// Serves the client until it goes away.
    pub(super) async fn serve(
        self: Arc<Self>,
        stream: UnixStream,
        shared: Arc<Shared>,
        inbox: mpsc::Sender<Event>,
    ) {
        let (input, output) = stream.into_split();
        let writer = tokio::spawn(Arc::clone(&self).write(output));
        match self.read(input, &shared, &inbox).await {
            // It says nothing more, and may still listen: what it asked for is answered first.
            Ok(()) => drop(self.in_flight.acquire_many(MAX_IN_FLIGHT).await),
            Err(error) => tracing::debug!(client = self.client, %error, "a client broke off"),
        }
        shared.hub.remove(self.client);
        self.outbox.close();
        let _ = inbox.send(Event::ClientGone(self.client)).await;
        let _ = writer.await;
        if self.outbox.discard() > MUCH_UNREAD {
            memory::give_back();
        }
    }

    async fn write(self: Arc<Self>, mut output: OwnedWriteHalf) {
        loop {
            let (frames, answers) = match self.outbox.next().await {
                Next::Frames { frames, answers } => (frames, answers),
                Next::Resync(dropped) => {
                    let resync = notification_frame::<wire::notification::Resync>(&wire::Resync { dropped });
                    (vec![resync], 0)
                }
                Next::Closed => break,
            };
            let written = match frames.as_slice() {
                [frame] => output.write_all(frame).await,
                frames => output.write_all(&frames.concat()).await,
            };
            if written.is_err() {
                break;
            }
            self.in_flight.add_permits(answers);
        }
        // Nobody reads any more, so nobody is to be asked either.
        self.in_flight.close();
        let _ = output.shutdown().await;
    }

    async fn read(
        self: &Arc<Self>,
        input: OwnedReadHalf,
        shared: &Arc<Shared>,
        inbox: &mpsc::Sender<Event>,
    ) -> io::Result<()> {
        let mut frames = FrameReader::new(BufReader::new(input));
        let mut replies: ReplyId = 0;
        while let Some(body) = frames.next().await? {
            // Too many unread answers: what came is looked at when some of them have been read.
            let Ok(answer) = self.in_flight.acquire().await else { return Ok(()) };
            let incoming: Incoming = match envelope::read(&body) {
                Ok(incoming) => incoming,
                Err((code, error)) => {
                    answer.forget();
                    self.outbox.answer(coded_error_frame(&Value::Null, code, &not_rpc(&error), false));
                    continue;
                }
            };
            let (method, id) = match (incoming.method, incoming.id) {
                (Some(method), Some(id)) => (method, id),
                (Some(method), None) if method == CANCEL => {
                    self.cancel(incoming.params.as_deref());
                    continue;
                }
                _ => continue,
            };
            answer.forget();
            replies += 1;
            let known = Method::parse(&method);
            let pending = Pending { id, reads: known.is_some_and(commands::reads), more: More::Nothing };
            self.lock_pending().insert(replies, pending);
            let looks_around = matches!(known, Some(Method::DirectoryList | Method::DirectoryValidate));
            let connection = Arc::clone(self);
            let (shared, inbox) = (Arc::clone(shared), inbox.clone());
            let served = async move {
                connection.serve_request(replies, &method, incoming.params.as_deref(), &shared, &inbox).await
            };
            if looks_around {
                // The directory may be on a disk that does not answer; what else the client asks for does not wait for it.
                tokio::spawn(served);
            } else if !served.await {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Has a request carried out; false if nobody does that any more.
    async fn serve_request(
        self: &Arc<Self>,
        reply: ReplyId,
        method: &str,
        params: Option<&RawValue>,
        shared: &Arc<Shared>,
        inbox: &mpsc::Sender<Event>,
    ) -> bool {
        match self.request(method, params, shared).await {
            Ok(Asked::Answer(frame_of)) => {
                if let Some(pending) = self.take_pending(reply) {
                    self.outbox.answer(frame_of(&pending.id));
                }
            }
            Ok(Asked::Command(command, more)) => {
                if let Some(pending) = self.lock_pending().get_mut(&reply) {
                    pending.more = more;
                }
                let origin = self.origin(reply);
                if inbox.send(Event::Command { origin, command }).await.is_err() {
                    self.complete(reply, Err(commands::going_away()), &shared.reader);
                    return false;
                }
            }
            Err(problem) => self.complete(reply, Err(problem), &shared.reader),
        }
        true
    }

    async fn request(
        &self,
        method: &str,
        params: Option<&RawValue>,
        shared: &Arc<Shared>,
    ) -> Result<Asked, Problem> {
        let known = Method::parse(method).ok_or_else(|| commands::unknown_method(method))?;
        if known == Method::Initialize {
            let params: wire::InitializeParams = parse(params)?;
            return Ok(self.initialize(params));
        }
        let peer = self.peer();
        if !peer.initialized {
            return Err(commands::not_initialized());
        }
        commands::command(known, params, &peer, shared).await
    }

    fn initialize(&self, params: wire::InitializeParams) -> Asked {
        self.quiet.store(params.quiet, Ordering::Relaxed);
        *self.lock_peer() = Peer {
            initialized: true,
            name: commands::client_name(params.client_info),
            folders: paths(&params.workspace_folders.unwrap_or_default()).take(MAX_FOLDERS).collect(),
        };
        Asked::answer::<request::Initialize>(wire::InitializeResult {
            capabilities: wire::ServerCapabilities {
                experimental: wire::ExperimentalCapabilities {
                    areyouj: wire::AreYouJCapability { protocol_version: wire::PROTOCOL_VERSION },
                },
            },
            server_info: wire::ServerInfo {
                name: "areyouj".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
        })
    }

    /// Answers a request with what the orchestrator said, and with what the store adds to it.
    pub(super) fn complete(
        self: &Arc<Self>,
        reply: ReplyId,
        result: Result<Outcome, Problem>,
        reader: &Arc<ReaderPool>,
    ) {
        let Some(pending) = self.take_pending(reply) else { return };
        if !reads_the_store(&pending, &result) {
            return self.outbox.answer(answer(&pending, result, reader));
        }
        // Others are not to wait for what this one reads. What is pushed meanwhile waits behind the answer.
        let (connection, reader, slot) = (Arc::clone(self), Arc::clone(reader), self.outbox.reserve());
        tokio::task::spawn_blocking(move || {
            connection.outbox.fill(slot, Some(answer(&pending, result, &reader)));
        });
    }

    /// An answer that is put into a reserved place by the caller; none if the request has been answered already.
    pub(super) fn frame(&self, reply: ReplyId, result: &impl Serialize) -> Option<Frame> {
        Some(result_frame(&self.take_pending(reply)?.id, result))
    }

    /// Answers everything that still waits with the reason why nothing can be done now; it may be asked again.
    pub(super) fn refuse_pending(&self, problem: &Problem) {
        let mut pending: Vec<_> = self.lock_pending().drain().collect();
        pending.sort_unstable_by_key(|(reply, _)| *reply);
        for (_, Pending { id, .. }) in pending {
            self.outbox.answer(error_frame(&id, problem, true));
        }
    }

    /// A refusal that is put into a reserved place by the caller; none if the request has been answered already.
    pub(super) fn error_frame(&self, reply: ReplyId, problem: &Problem) -> Option<Frame> {
        Some(error_frame(&self.take_pending(reply)?.id, problem, false))
    }

    /// Answers a request that was cancelled. One that changes something is answered with what came of it, as is one that
    /// cannot be given up any more.
    fn cancel(&self, params: Option<&RawValue>) {
        #[derive(serde::Deserialize)]
        struct Cancelled {
            id: Value,
        }
        let Ok(Cancelled { id: cancelled }) = parse::<Cancelled>(params) else { return };
        let mut pending = self.lock_pending();
        let found = pending.iter().find(|(_, pending)| pending.reads && pending.id == cancelled);
        let Some(reply) = found.map(|(reply, _)| *reply) else { return };
        pending.remove(&reply);
        drop(pending);
        self.outbox.answer(error_frame(&cancelled, &commands::cancelled(), false));
    }

    /// The request, if nobody has answered it.
    fn take_pending(&self, reply: ReplyId) -> Option<Pending> {
        self.lock_pending().remove(&reply)
    }

    fn peer(&self) -> Peer {
        self.lock_peer().clone()
    }

    fn lock_peer(&self) -> MutexGuard<'_, Peer> {
        self.peer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_pending(&self) -> MutexGuard<'_, HashMap<ReplyId, Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a request comes to.
pub(super) enum Asked {
    /// An answer right away.
    Answer(Box<dyn FnOnce(&Value) -> Frame + Send>),
    /// A command for the orchestrator, and what its answer will need.
    Command(Command, More),
}

impl Asked {
    /// An answer right away.
    pub(super) fn answer<R: Request>(result: R::Result) -> Asked
    where
        R::Result: Send + 'static,
    {
        Asked::Answer(Box::new(move |id| result_frame(id, &result)))
    }
}

/// Parameters of a request.
pub(super) fn parse<T: DeserializeOwned>(params: Option<&RawValue>) -> Result<T, Problem> {
    let text = params.map_or("null", RawValue::get);
    // Requests without parameters may leave them out.
    let parsed = serde_json::from_str(text).or_else(|error| match text {
        "null" => serde_json::from_str("{}"),
        _ => Err(error),
    });
    parsed.map_err(|error| commands::invalid_params(&error))
}

/// Whether the answer to a request needs more than what the orchestrator said.
fn reads_the_store(pending: &Pending, result: &Result<Outcome, Problem>) -> bool {
    match result {
        Ok(Outcome::Finished(_) | Outcome::Resolved(_)) => true,
        Ok(Outcome::Queue(_)) => matches!(pending.more, More::FinishedMessages),
        Ok(_) => false,
        Err(_) => matches!(pending.more, More::Named(_) | More::Recovered(_)),
    }
}

fn answer(pending: &Pending, result: Result<Outcome, Problem>, reader: &ReaderPool) -> Frame {
    match result.map(|outcome| frame_of(pending, outcome, reader)) {
        Ok(Ok(frame)) => frame,
        Ok(Err(problem)) => error_frame(&pending.id, &problem, false),
        Err(problem) => {
            let problem = match &pending.more {
                More::Named(text) => commands::explain_missing(problem, text, reader),
                More::Recovered(text) => commands::explain_unrecoverable(problem, text, reader),
                _ => problem,
            };
            let retryable = problem.code == ErrorCode::DaemonUnavailable;
            error_frame(&pending.id, &problem, retryable)
        }
    }
}

fn frame_of(pending: &Pending, outcome: Outcome, reader: &ReaderPool) -> Result<Frame, Problem> {
    let id = &pending.id;
    let failed = |error| storage_problem(&error);
    Ok(match outcome {
        Outcome::Done | Outcome::Detached(_) => result_frame(id, &wire::Empty {}),
        Outcome::Session(view) => result_frame(id, &to_wire::session(*view)),
        Outcome::Created { session, warning } => {
            result_frame(id, &wire::SessionCreateResult { session: to_wire::session(*session), warning })
        }
        Outcome::Sessions { revision, sessions } => {
            let sessions: Vec<_> = sessions.into_iter().map(to_wire::session).collect();
            result_frame(id, &wire::SessionList { revision, sessions })
        }
        Outcome::Message(view) => result_frame(id, &to_wire::message(*view)),
        Outcome::Finished(message) => {
            let row = reader.read(|reader| reader.message(message)).map_err(failed)?;
            let row = row.ok_or_else(|| commands::message_gone(&message.to_string()))?;
            result_frame(id, &to_wire::message(MessageView { row, position: None }))
        }
        Outcome::Queue(view) => {
            let mut queue = to_wire::queue(view.clone());
            if matches!(pending.more, More::FinishedMessages) {
                let finished = reader
                    .read(|reader| reader.finished_messages(view.session, FINISHED_MESSAGES, PAGE_BYTES));
                let finished = finished.map_err(failed)?;
                let finished =
                    finished.into_iter().map(|row| to_wire::message(MessageView { row, position: None }));
                queue.messages = finished.chain(queue.messages).collect();
            }
            result_frame(id, &queue)
        }
        Outcome::Permissions(rows) => {
            let permissions = rows.into_iter().map(to_wire::permission).collect();
            result_frame(id, &wire::PermissionList { permissions })
        }
        Outcome::Permission(row) => result_frame(id, &to_wire::permission(*row)),
        Outcome::Resolved(session) => {
            let asked = match &pending.more {
                More::Page(params) => params.clone(),
                _ => wire::TranscriptReadParams::default(),
            };
            let limit = asked.limit.unwrap_or(PAGE_ENTRIES).clamp(1, PAGE_ENTRIES_MOST) as usize;
            let page = reader.read(|reader| reader.entries(session, asked.before, None, limit, PAGE_BYTES));
            let (entries, more) = page.map_err(failed)?;
            let entries = entries.into_iter().map(|row| to_wire::entry(session, row)).collect();
            result_frame(id, &wire::TranscriptPage { entries, more })
        }
        Outcome::Daemon { sessions, active, max_active } => {
            let More::Status(status) = &pending.more else { return Ok(result_frame(id, &wire::Empty {})) };
            result_frame(
                id,
                &wire::DaemonStatus {
                    sessions,
                    active_sessions: active,
                    max_active_sessions: max_active,
                    ..wire::DaemonStatus::clone(status)
                },
            )
        }
        Outcome::Attached { session, .. } => result_frame(id, &to_wire::session(*session)),
    })
}

/// The paths of these folders; a folder without one is left out.
fn paths(folders: &[wire::WorkspaceFolder]) -> impl Iterator<Item = String> {
    let paths = folders.iter().filter_map(|folder| file_uri::path(&folder.uri));
    paths.filter(|path| path.len() <= MAX_PATH)
}

pub(super) fn not_rpc(error: &serde_json::Error) -> Problem {
    Problem::new(
        ErrorCode::InvalidRequest,
        format!("The body is not a JSON-RPC message: {error}."),
        "Send JSON-RPC 2.0 in Language Server Protocol framing.",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_cancelled_read_is_answered_once_and_a_change_with_what_came_of_it() {
        let connection = Connection::new(1);
        for (reply, method) in [(1, Method::SessionList), (2, Method::SessionCreate)] {
            let pending =
                Pending { id: json!(reply + 6), reads: commands::reads(method), more: More::Nothing };
            connection.lock_pending().insert(reply, pending);
        }
        for id in ["7", "7", "8", "\"7\"", "{}"] {
            let params = RawValue::from_string(format!(r#"{{"id":{id}}}"#)).unwrap();
            connection.cancel(Some(&params));
        }
        let Next::Frames { frames, answers: 1 } = connection.outbox.next().await else { panic!("no answer") };
        let text = String::from_utf8(frames[0].to_vec()).unwrap();
        assert!(text.contains(r#""id":7"#) && text.contains("-32800"), "{text}");
        assert!(connection.frame(1, &()).is_none() && connection.frame(2, &()).is_some());
    }
}
