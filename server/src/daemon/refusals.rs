//! The refusals of requests that only the daemon makes.

use std::io;

use areyouj_core::orchestrator::{ErrorCode, Problem, Remedy};

use areyouj_core::text::plain::short_line;

use super::door::INTRODUCTION;

/// Characters of a client's text that a refusal quotes.
pub(super) const QUOTED_CHARS: usize = 60;

/// Whether the client can send the same request again and succeed.
pub(super) fn is_retryable(problem: &Problem) -> bool {
    problem.code == ErrorCode::DaemonUnavailable
}

/// A parameter is unusable.
pub(super) fn invalid(message: impl Into<String>, hint: &str) -> Problem {
    Problem::new(ErrorCode::InvalidParams, message, hint)
}

pub(super) fn invalid_params(error: &serde_json::Error) -> Problem {
    invalid(
        format!("The parameters do not fit the method: {error}."),
        "See PROTOCOL.md for the method's parameters.",
    )
}

pub(super) fn not_rpc(error: &serde_json::Error) -> Problem {
    Problem::new(
        ErrorCode::InvalidRequest,
        format!("The body is not a JSON-RPC message: {error}."),
        "Send JSON-RPC 2.0 in Language Server Protocol framing.",
    )
}

pub(super) fn not_a_frame(error: &io::Error) -> Problem {
    Problem::new(
        ErrorCode::InvalidRequest,
        format!("The connection ends, because it did not begin with `initialize`: {error}."),
        "Send `initialize` first, in Language Server Protocol framing.",
    )
}

pub(super) fn not_introduced_in_time() -> Problem {
    Problem::new(
        ErrorCode::InitializeTimeout,
        format!(
            "The connection ends, because `initialize` did not arrive within {} seconds.",
            INTRODUCTION.as_secs()
        ),
        "Send `initialize` at once after connecting.",
    )
}

pub(super) fn unknown_method(method: &str) -> Problem {
    Problem::new(
        ErrorCode::UnknownMethod,
        format!("The daemon has no method \"{}\".", short_line(method, QUOTED_CHARS)),
        Remedy::RestartDaemon,
    )
}

pub(super) fn not_initialized() -> Problem {
    Problem::new(
        ErrorCode::NotInitialized,
        "The first request must be `initialize`.",
        "Send `initialize` first.",
    )
}

pub(super) fn cancelled() -> Problem {
    Problem::new(
        ErrorCode::RequestCancelled,
        "The request was cancelled.",
        "Send it again if you still need the result.",
    )
}

pub(super) fn shutting_down() -> Problem {
    Problem::new(ErrorCode::DaemonUnavailable, "The daemon is shutting down.", Remedy::TryAgain)
}

/// The orchestrator answered a request with an outcome of another kind.
pub(super) fn unexpected_outcome() -> Problem {
    internal("the answer does not fit the request")
}

/// A defect of AreYouJ.
pub(super) fn internal(what: &str) -> Problem {
    Problem::new(
        ErrorCode::Internal,
        format!("Something went wrong inside AreYouJ: {what}."),
        Remedy::doctor_after("Try again. If the problem stays, report it."),
    )
}
