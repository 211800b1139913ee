//! The requests of clients: one handler for each method of the protocol's table, in one file for each noun.
//!
//! A handler translates the protocol's terms into the orchestrator's, and checks what the orchestrator, which has no
//! I/O, cannot check. [`dispatch`] finds the handler of a method.

mod audit;
mod client;
mod daemon;
mod directory;
pub(super) mod dispatch;
mod inside;
mod permission;
pub(super) mod queue;
pub(super) mod session;
mod transcript;

use std::sync::Arc;

use areyouj_core::orchestrator::{Idempotent, Operation, Problem, Query, SessionOperation, SessionRef};
use areyouj_protocol::{Request, SessionActionParams};

use super::client::Client;
use super::reply::Reply;
use super::shared::Shared;

/// Bytes of transcript entries or messages in one answer, at most: a further one is left out.
const PAGE_BYTES: usize = 4 << 20;

/// A request's way to its answer.
enum Plan<R: Request> {
    /// The answer.
    Answer(R::Result),
    /// A change, and how its outcome is answered.
    Operation(Operation, Reply<R::Result>),
    /// A read of the orchestrator's state, and how its outcome is answered.
    Query(Query, Reply<R::Result>),
}

/// A method of the protocol.
trait Handler: Request<Params: Send, Result: Send + 'static> + Sized {
    /// Plans the way to the answer. Only a check of something outside of the daemon takes time here.
    ///
    /// # Errors
    /// The request cannot be carried out.
    fn plan(
        params: Self::Params,
        context: &Context,
    ) -> impl Future<Output = Result<Plan<Self>, Problem>> + Send;
}

/// What a handler can use.
pub(super) struct Context {
    /// The client that asks.
    pub(super) client: Arc<Client>,
    pub(super) shared: Arc<Shared>,
}

impl Context {
    /// The session with this id; without an id, the newest of the client's workspace folders.
    fn session(&self, id: Option<String>) -> SessionRef {
        match id {
            Some(id) => SessionRef::Id(id),
            None => SessionRef::Newest { directories: self.client.folders() },
        }
    }
}

/// An operation's target, with the id that the client chose for its request.
fn idempotent<T>(request_id: String, target: T) -> Idempotent<T> {
    Idempotent { request_id, target }
}

/// An operation on the session that the parameters name.
fn on_session(params: SessionActionParams, operation: SessionOperation, context: &Context) -> Operation {
    let target = context.session(params.session_id);
    Operation::Session(idempotent(params.request_id, target), operation)
}
