//! From a method's name to its handler. The protocol's method table generates the match, so a method without a handler
//! does not compile.

use areyouj_core::orchestrator::{Command, Problem};
use areyouj_protocol::{Method, each_request, request};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{Context, Handler, Plan, inside};
use crate::daemon::refusals::{invalid_params, not_initialized, unexpected_outcome, unknown_method};
use crate::daemon::reply::{Framer, Rendered, Reply, erase, framer};

/// What a request comes to, whatever its method.
pub(in crate::daemon) enum Dispatched {
    /// The answer.
    Answer(Framer),
    /// A command for the orchestrator, and how its outcome is answered.
    Command(Command, Reply<Framer>),
}

/// Whether planning a request checks a file system that can hang: later requests of the same client, for example answers
/// to permission requests, do not wait for it.
pub(in crate::daemon) fn can_be_slow(method: &str) -> bool {
    matches!(
        Method::parse(method),
        Some(
            Method::DirectoryList | Method::DirectoryValidate | Method::SessionCreate | Method::SessionSwitch
        )
    )
}

/// Plans a request.
///
/// # Errors
/// The method is unknown, the parameters do not fit it, or its handler refuses the request.
pub(in crate::daemon) async fn dispatch(
    method: &str,
    params: Option<&RawValue>,
    context: &Context,
) -> Result<Dispatched, Problem> {
    let method = Method::parse(method).ok_or_else(|| unknown_method(method))?;
    if method != Method::Initialize && !context.client.is_introduced() {
        return Err(not_initialized());
    }
    let grants = context.shared.config.grants();
    if let Err(problem) = context.client.principal().check(grants, inside::need(method)) {
        let command = Command::Refused { operation: inside::noun_and_verb(method), problem };
        return Ok(Dispatched::Command(
            command,
            Box::new(|outcome| Rendered::Ready(outcome.and(Err(unexpected_outcome())))),
        ));
    }
    macro_rules! handle {
        ($($request:ident)+) => {
            match method { $(Method::$request => handle::<request::$request>(params, context).await,)+ }
        };
    }
    each_request!(handle)
}

async fn handle<R: Handler>(params: Option<&RawValue>, context: &Context) -> Result<Dispatched, Problem> {
    Ok(match R::plan(parse(params)?, context).await? {
        Plan::Answer(result) => Dispatched::Answer(framer(result)),
        Plan::Operation(operation, reply) => Dispatched::Command(operation.into(), erase(reply)),
        Plan::Query(query, reply) => Dispatched::Command(query.into(), erase(reply)),
    })
}

/// The parameters of a request or notification.
///
/// # Errors
/// They do not fit the type.
pub(in crate::daemon) fn parse<T: DeserializeOwned>(params: Option<&RawValue>) -> Result<T, Problem> {
    let text = params.map_or("null", RawValue::get);
    // Requests without parameters may leave them out.
    let parsed = serde_json::from_str(text).or_else(|error| match text {
        "null" => serde_json::from_str("{}"),
        _ => Err(error),
    });
    parsed.map_err(|error| invalid_params(&error))
}
