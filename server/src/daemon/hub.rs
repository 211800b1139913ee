//! The connected clients: which sessions each one watches, and which notifications each one gets.

use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use areyouj_protocol as wire;
use areyouj_protocol::notification;

use super::client::Client;
use super::outbox::{Frame, notification_frame};
use super::to_wire;
use areyouj_core::orchestrator::{ClientId, Notification, Outcome, Problem, ReplyId, SessionId};
use areyouj_store::ReaderPool;

/// All connected clients.
#[derive(Default)]
pub(super) struct Hub {
    subscribers: Mutex<HashMap<ClientId, Subscriber>>,
}

/// A client, and the sessions whose output it gets.
struct Subscriber {
    client: Arc<Client>,
    watches: HashSet<SessionId>,
}

impl Subscriber {
    fn wants(&self, session: SessionId) -> bool {
        !self.client.is_quiet() && self.client.sees(session)
    }
}

impl Hub {
    pub(super) fn add(&self, client: Arc<Client>) {
        self.lock().insert(client.id, Subscriber { client, watches: HashSet::new() });
    }

    pub(super) fn remove(&self, client: ClientId) {
        self.lock().remove(&client);
    }

    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.lock().len()).unwrap_or(u32::MAX)
    }

    /// Closes every outbox: the clients still get what is in it.
    pub(super) fn close(&self) {
        for subscriber in self.lock().values() {
            subscriber.client.outbox.close();
        }
    }

    /// Refuses every unanswered request.
    pub(super) fn refuse_pending(&self, problem: &Problem) {
        for subscriber in self.lock().values() {
            subscriber.client.refuse_pending(problem);
        }
    }

    /// Answers a request. After the answer to an attach the client gets the session's output; after the answer to a detach
    /// it gets none.
    pub(super) fn reply(
        &self,
        client: ClientId,
        reply: ReplyId,
        outcome: Result<Outcome, Problem>,
        reader: &Arc<ReaderPool>,
    ) {
        let mut subscribers = self.lock();
        let Some(subscriber) = subscribers.get_mut(&client) else { return };
        match &outcome {
            Ok(Outcome::Attached { session, .. }) => {
                subscriber.watches.insert(session.row.id);
            }
            Ok(Outcome::Detached(session)) => {
                subscriber.watches.remove(session);
            }
            _ => {}
        }
        subscriber.client.complete(reply, outcome, reader);
    }

    /// Sends a notification to all clients that want it. It is serialised once.
    pub(super) fn publish(&self, notification: Notification) {
        match notification {
            Notification::Created { revision, session } => {
                let id = session.row.id;
                let session = to_wire::session(*session);
                let session_id = session.id.clone();
                self.notify_all(
                    id,
                    &notification_frame::<notification::SessionCreated>(&wire::SessionCreated {
                        revision,
                        session_id,
                        session,
                    }),
                );
            }
            // Serialising a session is expensive: not done if every client is quiet.
            Notification::Changed { .. } if !self.has_listeners() => {}
            Notification::Changed { revision, session, status_changed } => {
                self.changed(session.row.id, revision, to_wire::session(*session), status_changed);
            }
            Notification::Terminated { revision, session } => {
                self.notify_all(
                    session,
                    &notification_frame::<notification::SessionTerminated>(&wire::SessionTerminated {
                        revision,
                        session_id: session.to_string(),
                    }),
                );
            }
            Notification::Removed { revision, session } => {
                self.lock().values_mut().for_each(|subscriber| {
                    subscriber.watches.remove(&session);
                });
                self.notify_all(
                    session,
                    &notification_frame::<notification::SessionListUpdate>(&wire::SessionListUpdate {
                        revision,
                        session_id: session.to_string(),
                        session: None,
                    }),
                );
            }
            Notification::QueueChanged(_) => {}
            Notification::Queue(queue) => {
                let id = queue.session;
                let queue = to_wire::queue(queue);
                let session_id = queue.session_id.clone();
                self.notify_all(
                    id,
                    &notification_frame::<notification::QueueUpdate>(&wire::QueueUpdate {
                        session_id,
                        queue,
                    }),
                );
            }
            Notification::Permission(request) => {
                let id = request.id.session;
                let permission = to_wire::permission(*request);
                let session_id = permission.session_id.clone();
                self.notify_all(
                    id,
                    &notification_frame::<notification::PermissionUpdate>(&wire::PermissionUpdate {
                        session_id,
                        permission,
                    }),
                );
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
                self.notify_watchers(session, &notification_frame::<notification::ClaudeOutput>(&output));
            }
            Notification::Delta { session, seq, thinking, text } => {
                if !self.is_watched(session) {
                    return;
                }
                let delta = Some(wire::Delta { thinking, text });
                let output = wire::ClaudeOutput { session_id: session.to_string(), seq, entry: None, delta };
                self.notify_watchers(session, &notification_frame::<notification::ClaudeOutput>(&output));
            }
        }
    }

    fn changed(&self, id: SessionId, revision: u64, session: wire::Session, status_changed: bool) {
        if status_changed {
            self.status_changed(id, revision, &session);
        }
        let session_id = session.id.clone();
        let update = wire::SessionListUpdate { revision, session_id, session: Some(session) };
        self.notify_all(id, &notification_frame::<notification::SessionListUpdate>(&update));
    }

    fn status_changed(&self, id: SessionId, revision: u64, session: &wire::Session) {
        let change = || wire::SessionStatusChanged {
            revision,
            session_id: session.id.clone(),
            status: session.status,
            status_since: session.status_since,
            status_source: session.status_source,
            status_reason: session.status_reason.clone(),
            attention: session.attention.clone(),
            error: session.error.clone(),
        };
        let frame = LazyCell::new(|| notification_frame::<notification::SessionStatusChanged>(&change()));
        for subscriber in self
            .lock()
            .values()
            .filter(|subscriber| subscriber.client.wants_status_changes() && subscriber.wants(id))
        {
            subscriber.client.outbox.notify(Arc::clone(&frame));
        }
    }

    /// Whether any client wants notifications of all sessions.
    pub(super) fn has_listeners(&self) -> bool {
        self.lock().values().any(|subscriber| !subscriber.client.is_quiet())
    }

    /// Notifies every client that wants notifications of this session.
    fn notify_all(&self, session: SessionId, frame: &Frame) {
        for subscriber in self.lock().values().filter(|subscriber| subscriber.wants(session)) {
            subscriber.client.outbox.notify(Arc::clone(frame));
        }
    }

    fn notify_watchers(&self, session: SessionId, frame: &Frame) {
        for subscriber in self.lock().values().filter(|subscriber| subscriber.watches.contains(&session)) {
            subscriber.client.outbox.notify(Arc::clone(frame));
        }
    }

    fn is_watched(&self, session: SessionId) -> bool {
        self.lock().values().any(|subscriber| subscriber.watches.contains(&session))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ClientId, Subscriber>> {
        self.subscribers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use areyouj_core::orchestrator::{Insider, Process, QueueView};

    use super::*;
    use crate::daemon::client::Introduction;
    use crate::daemon::door::Caller;
    use crate::daemon::outbox::Next;

    fn client(hub: &Hub, id: ClientId, inside: Option<Insider>, sees_all: bool) -> Arc<Client> {
        let caller = Caller { inside, process: Arc::new(Process::default()) };
        let client = Arc::new(Client::new(id, caller, sees_all));
        let introduction = Introduction { name: String::new(), folders: Vec::new() };
        client.introduce(introduction, false, false);
        hub.add(Arc::clone(&client));
        client
    }

    #[tokio::test]
    async fn a_client_inside_a_session_gets_the_notifications_of_that_session_alone() {
        let [own, other]: [SessionId; 2] = ["K7M2Q9XD", "ABCDEFGH"].map(|id| id.parse().unwrap());
        let hub = Hub::default();
        let inside = |id| Some(Insider { id, marked: Some(own), ..Insider::default() });
        let clients = [
            (client(&hub, 1, None, false), 2),
            (client(&hub, 2, inside(Some(own)), false), 1),
            // A mark alone gives no right.
            (client(&hub, 3, inside(None), false), 0),
            (client(&hub, 4, inside(Some(own)), true), 2),
        ];
        for session in [own, other] {
            hub.publish(Notification::Queue(QueueView { session, paused: None, messages: Vec::new() }));
        }
        for (client, expected) in clients {
            client.outbox.close();
            let found = match client.outbox.next().await {
                Next::Frames { frames, .. } => frames.len(),
                Next::Resync(_) | Next::Closed => 0,
            };
            assert_eq!(found, expected, "client {}", client.id);
        }
    }
}
