//! How the orchestrator's outcome becomes the answer to a request.
//!
//! A handler knows what its client asked for, so it leaves behind a [`Reply`] that renders the outcome as the result of
//! its method. The connection keeps it, in a form that has forgotten the method, until the outcome arrives.

use areyouj_core::orchestrator::{Outcome, Problem};
use areyouj_store::ReaderPool;
use serde::Serialize;
use serde_json::Value;

use super::outbox::{Frame, result_frame};
use super::refusals::unexpected_outcome;

/// Renders the orchestrator's outcome as a result of type `T`.
pub(super) type Reply<T> = Box<dyn FnOnce(Result<Outcome, Problem>) -> Rendered<T> + Send>;

/// A read of the store that finishes an answer; it blocks.
pub(super) type Read<T> = Box<dyn FnOnce(&ReaderPool) -> Result<T, Problem> + Send>;

/// Frames a result as the answer to the request with this id.
pub(super) type Framer = Box<dyn FnOnce(&Value) -> Frame + Send>;

/// A result, or what is still needed to make it.
pub(super) enum Rendered<T> {
    /// The answer.
    Ready(Result<T, Problem>),
    /// The store must be read for the answer, on a thread that can block.
    Read(Read<T>),
}

impl<T> Rendered<T> {
    /// The result, or an internal error if the outcome was of another kind.
    pub(super) fn expected(result: Option<T>) -> Rendered<T> {
        Rendered::Ready(result.ok_or_else(unexpected_outcome))
    }
}

/// A reply that needs nothing but the outcome. `render` returns `None` for an outcome of another kind.
pub(super) fn reply<T>(render: impl FnOnce(Outcome) -> Option<T> + Send + 'static) -> Reply<T> {
    reply_or_read(|outcome| Rendered::expected(render(outcome)))
}

/// A reply that can need the store for what the outcome lacks.
pub(super) fn reply_or_read<T>(render: impl FnOnce(Outcome) -> Rendered<T> + Send + 'static) -> Reply<T> {
    Box::new(|result| result.map_or_else(|problem| Rendered::Ready(Err(problem)), render))
}

/// The reply to a request that names something by its id: when the orchestrator does not know it, `explain` reads from
/// the store what became of it.
pub(super) fn reply_or_explain<T: 'static>(
    render: impl FnOnce(Outcome) -> Rendered<T> + Send + 'static,
    explain: impl FnOnce(Problem, &ReaderPool) -> Problem + Send + 'static,
) -> Reply<T> {
    Box::new(|result| match result {
        Ok(outcome) => render(outcome),
        Err(problem) => Rendered::Read(Box::new(|reader| Err(explain(problem, reader)))),
    })
}

/// Forgets the type of a result, and with it the method.
pub(super) fn framer<T: Serialize + Send + 'static>(result: T) -> Framer {
    Box::new(move |id| result_frame(id, &result))
}

/// Forgets the type of a reply's result.
pub(super) fn erase<T: Serialize + Send + 'static>(reply: Reply<T>) -> Reply<Framer> {
    Box::new(|outcome| match reply(outcome) {
        Rendered::Ready(result) => Rendered::Ready(result.map(framer)),
        Rendered::Read(read) => Rendered::Read(Box::new(|reader| read(reader).map(framer))),
    })
}
