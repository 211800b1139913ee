//! The clients that are connected: who watches what, and what each is to be told.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use areyouj_protocol as wire;
use areyouj_protocol::notification;

use super::connection::Connection;
use super::outbox::{Frame, notification_frame};
use super::shared::storage_problem;
use super::wire as to_wire;
use areyouj_core::orchestrator::{
    ClientId, Notification, Outcome, PartialOutput, Problem, ReplyId, SessionId, SessionView,
};
use areyouj_store::ReaderPool;

/// Entries that attaching returns when the client has none yet.
const ATTACH_NEWEST: usize = 200;
/// Entries that attaching returns at most.
const ATTACH_MOST: usize = 1_000;
/// Bytes of entries that one answer holds at most, roughly.
pub(super) const PAGE_BYTES: usize = 4 << 20;

/// All connected clients.
#[derive(Default)]
pub(super) struct Hub {
    clients: Mutex<HashMap<ClientId, Client>>,
}

struct Client {
    connection: Arc<Connection>,
    watches: HashSet<SessionId>,
}

impl Hub {
    pub(super) fn add(&self, client: ClientId, connection: Arc<Connection>) {
        self.lock().insert(client, Client { connection, watches: HashSet::new() });
    }

    pub(super) fn remove(&self, client: ClientId) {
        self.lock().remove(&client);
    }

    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.lock().len()).unwrap_or(u32::MAX)
    }

    /// Nothing more will be sent; what waits still is.
    pub(super) fn close(&self) {
        for client in self.lock().values() {
            client.connection.outbox.close();
        }
    }

    /// Answers every request that waits with the reason why nothing can be done now.
    pub(super) fn refuse_pending(&self, problem: &Problem) {
        for client in self.lock().values() {
            client.connection.refuse_pending(problem);
        }
    }

    /// Answers a request.
    pub(super) fn reply(
        &self,
        client: ClientId,
        reply: ReplyId,
        result: Result<Outcome, Problem>,
        reader: &Arc<ReaderPool>,
    ) {
        let mut clients = self.lock();
        let Some(client) = clients.get_mut(&client) else { return };
        match result {
            Ok(Outcome::Attached { session, since, partial_output }) => {
                client.watches.insert(session.row.id);
                attach(
                    Arc::clone(&client.connection),
                    reply,
                    *session,
                    since,
                    partial_output,
                    Arc::clone(reader),
                );
            }
            Ok(Outcome::Detached(session)) => {
                client.watches.remove(&session);
                client.connection.complete(reply, Ok(Outcome::Done), reader);
            }
            other => client.connection.complete(reply, other, reader),
        }
    }

    /// Tells everybody, or those who watch. Serialised once.
    pub(super) fn publish(&self, notification: Notification) {
        match notification {
            Notification::Created { revision, session } => {
                let session = to_wire::session(*session);
                let session_id = session.id.clone();
                self.tell_all(&notification_frame::<notification::SessionCreated>(&wire::SessionCreated {
                    revision,
                    session_id,
                    session,
                }));
            }
            // Whoever has a picture of the list is told; it is not painted for nobody.
            Notification::Changed { .. } if !self.is_heard() => {}
            Notification::Changed { revision, session, status_changed } => {
                self.changed(revision, to_wire::session(*session), status_changed);
            }
            Notification::Terminated { revision, session } => {
                self.tell_all(&notification_frame::<notification::SessionTerminated>(
                    &wire::SessionTerminated { revision, session_id: session.to_string() },
                ));
            }
            Notification::Removed { revision, session } => {
                self.tell_all(&notification_frame::<notification::SessionListUpdate>(
                    &wire::SessionListUpdate { revision, session_id: session.to_string(), session: None },
                ));
            }
            Notification::QueueChanged(_) => {}
            Notification::Queue(queue) => {
                let queue = to_wire::queue(queue);
                let session_id = queue.session_id.clone();
                self.tell_all(&notification_frame::<notification::QueueUpdate>(&wire::QueueUpdate {
                    session_id,
                    queue,
                }));
            }
            Notification::Permission(prompt) => {
                let permission = to_wire::permission(*prompt);
                let session_id = permission.session_id.clone();
                self.tell_all(&notification_frame::<notification::PermissionUpdate>(
                    &wire::PermissionUpdate { session_id, permission },
                ));
            }
            Notification::Entry { session, entry } => {
                if !self.is_watched(session) {
                    return;
                }
                let entry = to_wire::entry(session, entry);
                let output = wire::ClaudeOutput {
                    session_id: session.to_string(),
                    seq: entry.seq,
                    entry: Some(entry),
                    delta: None,
                };
                self.tell_watchers(session, &notification_frame::<notification::ClaudeOutput>(&output));
            }
            Notification::Delta { session, seq, thinking, text } => {
                if !self.is_watched(session) {
                    return;
                }
                let delta = Some(wire::Delta { thinking, text });
                let output = wire::ClaudeOutput { session_id: session.to_string(), seq, entry: None, delta };
                self.tell_watchers(session, &notification_frame::<notification::ClaudeOutput>(&output));
            }
        }
    }

    fn changed(&self, revision: u64, session: wire::Session, status_changed: bool) {
        if status_changed {
            let change = wire::SessionStatusChanged {
                revision,
                session_id: session.id.clone(),
                status: session.status,
                status_since: session.status_since,
                status_source: session.status_source,
                status_reason: session.status_reason.clone(),
                attention: session.attention.clone(),
                error: session.error.clone(),
            };
            self.tell_all(&notification_frame::<notification::SessionStatusChanged>(&change));
        }
        let session_id = session.id.clone();
        let update = wire::SessionListUpdate { revision, session_id, session: Some(session) };
        self.tell_all(&notification_frame::<notification::SessionListUpdate>(&update));
    }

    /// Whether anybody wants to be told of what happens.
    pub(super) fn is_heard(&self) -> bool {
        self.lock().values().any(|client| !client.connection.is_quiet())
    }

    fn tell_all(&self, frame: &Frame) {
        for client in self.lock().values().filter(|client| !client.connection.is_quiet()) {
            client.connection.outbox.notify(Arc::clone(frame));
        }
    }

    fn tell_watchers(&self, session: SessionId, frame: &Frame) {
        for client in self.lock().values().filter(|client| client.watches.contains(&session)) {
            client.connection.outbox.notify(Arc::clone(frame));
        }
    }

    fn is_watched(&self, session: SessionId) -> bool {
        self.lock().values().any(|client| client.watches.contains(&session))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ClientId, Client>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads what the client lacks and answers; output that is published meanwhile waits behind the answer.
fn attach(
    connection: Arc<Connection>,
    reply: ReplyId,
    session: SessionView,
    since: Option<u64>,
    partial_output: Vec<PartialOutput>,
    reader: Arc<ReaderPool>,
) {
    let slot = connection.outbox.reserve();
    tokio::task::spawn_blocking(move || {
        let (id, seq) = (session.row.id, session.row.seq);
        let limit = if since.is_some() { ATTACH_MOST } else { ATTACH_NEWEST };
        let page = reader.read(|reader| reader.entries(id, Some(seq + 1), since, limit, PAGE_BYTES));
        let frame = match page {
            Ok((entries, more)) => connection.frame(
                reply,
                &wire::AttachResult {
                    session: to_wire::session(session),
                    entries: entries.into_iter().map(|entry| to_wire::entry(id, entry)).collect(),
                    seq,
                    more,
                    deltas: partial_output
                        .into_iter()
                        .map(|PartialOutput { thinking, text }| wire::Delta { thinking, text })
                        .collect(),
                },
            ),
            Err(error) => connection.error_frame(reply, &storage_problem(&error)),
        };
        connection.outbox.fill(slot, frame);
    });
}
