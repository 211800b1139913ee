//! The refusals of requests that only the daemon makes.

use areyouj_core::orchestrator::Problem;

use areyouj_core::text::plain::short_line;

/// Characters of a client's text that a refusal quotes.
pub(super) const QUOTED_CHARS: usize = 60;

/// Whether the client can send the same request again and succeed.
pub(super) fn is_retryable(problem: &Problem) -> bool {
    problem.code == "daemon_unavailable"
}

/// A parameter is unusable.
pub(super) fn invalid(message: impl Into<String>, hint: &str) -> Problem {
    Problem::new("invalid_params", message, hint)
}

pub(super) fn invalid_params(error: &serde_json::Error) -> Problem {
    invalid(
        format!("The parameters do not fit the method: {error}."),
        "See PROTOCOL.md for the method's parameters.",
    )
}

pub(super) fn not_rpc(error: &serde_json::Error) -> Problem {
    Problem::new(
        "invalid_request",
        format!("The body is not a JSON-RPC message: {error}."),
        "Send JSON-RPC 2.0 in Language Server Protocol framing.",
    )
}

pub(super) fn unknown_method(method: &str) -> Problem {
    Problem::new(
        "unknown_method",
        format!("There is no method \"{}\" here.", short_line(method, QUOTED_CHARS)),
        "The client may be newer than the daemon; restart it with: areyouj daemon restart",
    )
}

pub(super) fn not_initialized() -> Problem {
    Problem::new("not_initialized", "The first request must be `initialize`.", "Send `initialize` first.")
}

pub(super) fn cancelled() -> Problem {
    Problem::new("request_cancelled", "The request was cancelled.", "Send it again if it is still of use.")
}

pub(super) fn going_away() -> Problem {
    Problem::new("daemon_unavailable", "The daemon is going away.", "Try again in a moment.")
}

/// The orchestrator answered a request with an outcome of another kind.
pub(super) fn unexpected_outcome() -> Problem {
    internal("the answer does not fit the request")
}

/// A defect of AreYouJ.
pub(super) fn internal(what: &str) -> Problem {
    Problem::new(
        "internal",
        format!("Something went wrong inside AreYouJ: {what}."),
        "Try again; if it stays, report it with the output of: areyouj doctor",
    )
}
