//! A connected client: what it said about itself, its unanswered requests, and what it has yet to read.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use areyouj_core::orchestrator::{
    ClientId, Command, Insider, Origin, Outcome, Principal, Problem, ReplyId, SessionId,
};
use areyouj_store::ReaderPool;
use serde_json::Value;

use super::door::Caller;
use super::outbox::{Frame, Outbox, error_frame};
use super::refusals::{cancelled, internal, is_retryable};
use super::reply::{Framer, Rendered, Reply};

/// One connected client.
pub(super) struct Client {
    pub(super) id: ClientId,
    pub(super) outbox: Outbox,
    caller: Caller,
    /// The only session whose notifications it gets, or none; `None`: it gets those of all.
    sees: Option<Option<SessionId>>,
    /// `None` before the client has sent `initialize`.
    introduction: Mutex<Option<Introduction>>,
    pending: Mutex<HashMap<ReplyId, Pending>>,
    quiet: AtomicBool,
    status_changes: AtomicBool,
}

/// What a client says about itself.
pub(super) struct Introduction {
    /// Its name, fit for the audit trail.
    pub(super) name: String,
    /// The paths of the folders that are open in the editor.
    pub(super) folders: Vec<String>,
}

/// An unanswered request.
struct Pending {
    id: Value,
    /// A request that changes something cannot be cancelled: its client must learn the outcome.
    cancellable: bool,
    /// Renders the orchestrator's outcome. Without one, only a refusal can answer the request.
    reply: Option<Reply<Framer>>,
}

impl Client {
    /// `sees_all`: even from inside a session it gets the notifications of all sessions.
    pub(super) fn new(id: ClientId, caller: Caller, sees_all: bool) -> Client {
        Client {
            id,
            sees: caller.inside.as_ref().filter(|_| !sees_all).map(|inside| inside.id),
            caller,
            outbox: Outbox::default(),
            introduction: Mutex::default(),
            pending: Mutex::default(),
            quiet: AtomicBool::new(false),
            status_changes: AtomicBool::new(false),
        }
    }

    /// Records what the client says about itself, and which notifications it wants.
    pub(super) fn introduce(&self, introduction: Introduction, quiet: bool, status_changes: bool) {
        self.quiet.store(quiet, Ordering::Relaxed);
        self.status_changes.store(status_changes, Ordering::Relaxed);
        *self.lock_introduction() = Some(introduction);
    }

    pub(super) fn is_introduced(&self) -> bool {
        self.lock_introduction().is_some()
    }

    /// The name that the client gave itself, fit for the audit trail.
    fn name(&self) -> String {
        self.lock_introduction().as_ref().map(|introduction| introduction.name.clone()).unwrap_or_default()
    }

    /// The paths of the folders that are open in the editor.
    pub(super) fn folders(&self) -> Vec<String> {
        self.lock_introduction().as_ref().map(|introduction| introduction.folders.clone()).unwrap_or_default()
    }

    /// Whether the client wants only notifications of sessions that it attached to.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet.load(Ordering::Relaxed)
    }

    /// Whether the client wants a notification of its own for each change of a status.
    pub(super) fn wants_status_changes(&self) -> bool {
        self.status_changes.load(Ordering::Relaxed)
    }

    /// Whether the client is inside a session.
    pub(super) fn is_inside(&self) -> bool {
        self.caller.inside.is_some()
    }

    /// Whether the client gets notifications of this session.
    pub(super) fn sees(&self, session: SessionId) -> bool {
        self.sees.is_none_or(|only| only == Some(session))
    }

    /// Who acts, as the kernel says, with the name that the client gave itself.
    pub(super) fn principal(&self) -> Principal {
        match &self.caller.inside {
            None => Principal::Person { name: self.name() },
            Some(inside) => Principal::Session(Insider { name: self.name(), ..inside.clone() }),
        }
    }

    /// The origin of a command.
    pub(super) fn origin(&self, reply: ReplyId) -> Origin {
        let process = Arc::clone(&self.caller.process);
        Origin { client: self.id, principal: self.principal(), process, reply }
    }

    /// A request has arrived. It can be cancelled until its plan is known to change something.
    pub(super) fn expect(&self, reply: ReplyId, id: Value) {
        self.lock_pending().insert(reply, Pending { id, cancellable: true, reply: None });
    }

    /// Keeps how the outcome of a command is answered. Returns false if the request has been answered already.
    pub(super) fn keep_reply(&self, id: ReplyId, reply: Reply<Framer>, command: &Command) -> bool {
        let mut pending = self.lock_pending();
        let Some(pending) = pending.get_mut(&id) else { return false };
        pending.reply = Some(reply);
        pending.cancellable = !matches!(command, Command::Operation(_));
        true
    }

    /// Answers a request with a result, or with the reason for its refusal.
    pub(super) fn answer(&self, reply: ReplyId, result: Result<Framer, Problem>) {
        if let Some(pending) = self.take_pending(reply) {
            self.outbox.answer(framed(&pending.id, result));
        }
    }

    /// Answers a request with the orchestrator's outcome, and with what the store adds to it.
    pub(super) fn complete(
        self: &Arc<Self>,
        reply: ReplyId,
        outcome: Result<Outcome, Problem>,
        reader: &Arc<ReaderPool>,
    ) {
        let Some(Pending { id, reply: Some(reply), .. }) = self.take_pending(reply) else { return };
        match reply(outcome) {
            Rendered::Ready(result) => self.outbox.answer(framed(&id, result)),
            Rendered::Read(read) => {
                // Other answers do not wait for this read. Later notifications of this client wait behind its answer.
                let (client, reader, slot) = (Arc::clone(self), Arc::clone(reader), self.outbox.reserve());
                tokio::task::spawn_blocking(move || {
                    // Unfilled, the place would hold up every later message.
                    let result = catch_unwind(AssertUnwindSafe(|| read(&reader)));
                    let result = result.unwrap_or_else(|_| Err(internal("a read of the store panicked")));
                    client.outbox.fill(slot, framed(&id, result));
                });
            }
        }
    }

    /// Refuses every unanswered request. The client can repeat them.
    pub(super) fn refuse_pending(&self, problem: &Problem) {
        let mut pending: Vec<_> = self.lock_pending().drain().collect();
        pending.sort_unstable_by_key(|(reply, _)| *reply);
        for (_, Pending { id, .. }) in pending {
            self.outbox.answer(error_frame(&id, problem, true));
        }
    }

    /// Cancels the request with this id. One that changes something gets its regular answer.
    pub(super) fn cancel(&self, request: &Value) {
        let mut pending = self.lock_pending();
        let found = pending.iter().find(|(_, pending)| pending.cancellable && pending.id == *request);
        let Some(reply) = found.map(|(reply, _)| *reply) else { return };
        pending.remove(&reply);
        drop(pending);
        self.outbox.answer(error_frame(request, &cancelled(), false));
    }

    /// The request, if it is still unanswered.
    fn take_pending(&self, reply: ReplyId) -> Option<Pending> {
        self.lock_pending().remove(&reply)
    }

    fn lock_introduction(&self) -> MutexGuard<'_, Option<Introduction>> {
        self.introduction.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_pending(&self) -> MutexGuard<'_, HashMap<ReplyId, Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn framed(id: &Value, result: Result<Framer, Problem>) -> Frame {
    match result {
        Ok(frame) => frame(id),
        Err(problem) => error_frame(id, &problem, is_retryable(&problem)),
    }
}

#[cfg(test)]
mod tests {
    use areyouj_core::orchestrator::{Operation, Query};
    use serde_json::json;

    use super::*;
    use crate::daemon::outbox::Next;
    use crate::daemon::reply::{erase, reply};

    async fn next_answer(client: &Client) -> String {
        let Next::Frames { frames, answers: 1 } = client.outbox.next().await else { panic!("no answer") };
        String::from_utf8(frames[0].to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_cancelled_read_is_answered_once_and_a_change_gets_its_regular_answer() {
        let client = Client::new(1, Caller::person(), false);
        let commands = [Query::Daemon.into(), Operation::StopDaemon { sessions: false }.into()];
        for (id, command) in (1..).zip(&commands) {
            client.expect(id, json!(id + 6));
            assert!(client.keep_reply(id, erase(reply(|_| Some("changed"))), command));
        }
        for id in [json!(7), json!(7), json!(8), json!("7"), json!({})] {
            client.cancel(&id);
        }
        let answer = next_answer(&client).await;
        assert!(answer.contains(r#""id":7"#) && answer.contains("-32800"), "{answer}");
        assert!(client.take_pending(1).is_none(), "the read was answered");

        let pending = client.take_pending(2).expect("the change waits for its outcome");
        let Rendered::Ready(result) = (pending.reply.unwrap())(Ok(Outcome::Done)) else { panic!("a read") };
        let frame = String::from_utf8(framed(&pending.id, result).to_vec()).unwrap();
        assert!(frame.contains(r#""id":8"#) && frame.contains("changed"), "{frame}");
    }

    #[tokio::test]
    async fn a_request_that_was_cancelled_while_it_was_planned_is_not_carried_out() {
        let client = Client::new(1, Caller::person(), false);
        client.expect(1, json!(7));
        client.cancel(&json!(7));
        assert!(!client.keep_reply(1, erase(reply(|_| Some("late"))), &Query::Daemon.into()));
        assert!(next_answer(&client).await.contains("-32800"));
    }

    #[tokio::test]
    async fn a_read_that_panics_is_answered_and_holds_up_no_later_message() {
        let home = tempfile::tempdir().unwrap();
        let database = home.path().join("areyouj.db");
        drop(areyouj_store::open(&database).unwrap());
        let reader = Arc::new(ReaderPool::open(&database).unwrap());
        let client = Arc::new(Client::new(1, Caller::person(), false));
        client.expect(1, json!(7));
        let panics: Reply<u32> = Box::new(|_| Rendered::Read(Box::new(|_| panic!("a defect"))));
        assert!(client.keep_reply(1, erase(panics), &Query::Daemon.into()));
        client.complete(1, Ok(Outcome::Done), &reader);
        let answer = next_answer(&client).await;
        assert!(answer.contains(r#""id":7"#) && answer.contains(r#""code":"internal""#), "{answer}");
    }
}
