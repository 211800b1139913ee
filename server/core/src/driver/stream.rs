//! The driver of stream sessions: `claude -p` with one JSON object a line both ways.
//!
//! The shapes are those of Claude Code 2.1; anything unknown is ignored, so that a newer version works too.

mod decode;
mod encode;
mod message;
mod notice;
mod permission;
mod system;

#[cfg(test)]
mod tests;

pub(super) use decode::garbage;
pub use decode::{decode, decode_input, is_harmless};
pub use encode::encode;
pub(super) use message::{NO_LOGIN, TOOL_RESULT_BYTES};
pub(super) use permission::{Decision, decision, permission_request, tool_input, unreadable};

use crate::orchestrator::LaunchOrder;
pub use crate::orchestrator::{INITIALIZE_PREFIX, REQUEST_PREFIX};

/// What Claude's environment must hold besides the session's own: without it Claude does not report that it is idle.
pub const ENVIRONMENT: &[(&str, &str)] = &[("CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS", "1")];

/// Claude's arguments, without the program's name.
pub fn arguments(order: &LaunchOrder) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "-p",
        "--input-format",
        "stream-json",
        "--output-format",
        "stream-json",
        "--verbose",
        "--include-partial-messages",
        "--replay-user-messages",
        "--permission-prompt-tool",
        "stdio",
    ]
    .map(String::from)
    .into();
    let conversation = if order.resume { "--resume" } else { "--session-id" };
    let mut option = |name: &str, value: &str| arguments.extend([name.to_owned(), value.to_owned()]);
    option(conversation, &order.claude_session.to_string());
    if let Some(model) = &order.spec.model {
        option("--model", model);
    }
    if let Some(mode) = &order.spec.permission_mode {
        option("--permission-mode", mode);
    }
    arguments
}
