//! The problems that the rules report, and the limits behind some of them.

use uuid::Uuid;

use super::{ErrorCode, MessageState, PermissionState, Problem, Remedy, SessionId};

/// Longest message, in bytes. Claude cannot make good use of more than a few hundred kilobytes.
pub(super) const MAX_MESSAGE_BYTES: usize = 1 << 20;
/// Most messages that wait in one session; more are refused.
pub(super) const MAX_QUEUE: usize = 1_000;
/// Most bytes that wait in one session; more are refused.
pub(super) const MAX_QUEUE_BYTES: usize = 16 << 20;
/// Most messages on their way into one running turn; more are refused.
pub(super) const MAX_STEERS: usize = 16;
/// Longest name, in characters.
pub(super) const MAX_NAME_CHARS: usize = 100;
/// Longest id that a client may choose for a request, in bytes.
pub(super) const MAX_KEY_BYTES: usize = 64;
/// Most characters of an invalid id that are shown: the longest valid id has 36.
const MAX_SHOWN_CHARS: usize = 40;

/// An invalid id, for display: a client can send any text.
fn shown(typed: &str) -> String {
    let beginning: String = typed.chars().take(MAX_SHOWN_CHARS).collect();
    let more = if beginning.len() < typed.len() { "…" } else { "" };
    format!("{}{more}", beginning.escape_default())
}

impl Problem {
    pub(super) fn session_not_found(text: &str) -> Problem {
        Problem::new(
            ErrorCode::SessionNotFound,
            format!("No session has an id that begins with \"{}\".", shown(text)),
            Remedy::ListSessions,
        )
    }

    pub(super) fn no_session_here() -> Problem {
        Problem::new(
            ErrorCode::SessionNotFound,
            "No live session belongs to this workspace folder.",
            Remedy::NewSession,
        )
    }

    pub(super) fn ambiguous(text: &str, matches: &[String]) -> Problem {
        let some = matches.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        Problem::new(
            ErrorCode::AmbiguousId,
            format!("\"{}\" matches {} ids: {some}.", shown(text), matches.len()),
            "Type more of the id.",
        )
    }

    pub(super) fn message_not_found(text: &str) -> Problem {
        Problem::new(
            ErrorCode::MessageNotFound,
            format!("No queued or running message has an id that begins with \"{}\".", shown(text)),
            Remedy::ListMessages,
        )
    }

    pub(super) fn permission_not_found(text: &str) -> Problem {
        Problem::new(
            ErrorCode::PermissionNotFound,
            format!("No open permission request has the id \"{}\".", shown(text)),
            Remedy::ListPermissions { session_id: None },
        )
    }

    /// The beginning of the ids of open permission requests, in place of a whole id.
    pub(super) fn permission_id_incomplete(text: &str, whole: &[String]) -> Problem {
        let some = whole.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        Problem::new(
            ErrorCode::PermissionIdIncomplete,
            format!("\"{}\" is not the whole id of a permission request.", shown(text)),
            format!("Give the whole id. Open requests that begin like this: {some}."),
        )
    }

    /// An answer for something else than what was displayed.
    pub(super) fn digest_mismatch(session: SessionId) -> Problem {
        Problem::new(
            ErrorCode::DigestMismatch,
            "The request is not the one that was displayed. Show it again, then answer.",
            Remedy::ListPermissions { session_id: Some(session.to_string()) },
        )
    }

    pub(super) fn terminated(session: SessionId) -> Problem {
        Problem::new(
            ErrorCode::SessionTerminated,
            format!("Session {session} was terminated."),
            Remedy::NewSession,
        )
    }

    /// Claude has no record of a conversation that has messages.
    pub(super) fn conversation_not_found(session: SessionId, conversation: Uuid, place: &str) -> Problem {
        Problem::new(
            ErrorCode::ConversationNotFound,
            format!("Claude has no record of the conversation {conversation} in {place}."),
            Remedy::restart_after(session, "To continue the conversation, put the record back."),
        )
    }

    /// Claude started with more rights than the session requested.
    pub(super) fn permission_mode_wider(session: SessionId, asked: &str, reported: &str) -> Problem {
        Problem::new(
            ErrorCode::PermissionModeWider,
            format!("Claude started in the permission mode {reported}, which is wider than {asked}."),
            Remedy::restart_after(
                session,
                format!(
                    "To use the mode {reported}, start a new session in it. Otherwise remove what sets the mode, for \
                     example a wrapper of Claude."
                ),
            ),
        )
    }

    /// A message cannot be changed, moved or removed in this state.
    pub fn not_queued(state: MessageState) -> Problem {
        let how = match state {
            MessageState::Queued => "is queued",
            MessageState::Running => "is running",
            MessageState::Done => "is done",
            MessageState::Failed => "has failed",
            MessageState::Interrupted => "was interrupted",
            MessageState::Cancelled => "was cancelled",
        };
        Problem::new(
            ErrorCode::MessageNotQueued,
            format!("The message is not queued any more: it {how}."),
            "Only a queued message can be changed, moved or removed.",
        )
    }

    /// A message cannot be recovered.
    pub fn not_interrupted() -> Problem {
        Problem::new(
            ErrorCode::MessageNotInterrupted,
            "The message neither failed nor was interrupted.",
            "Only a failed or interrupted message can be continued, sent again or skipped.",
        )
    }

    /// A second answer to a permission request.
    pub fn already_answered(state: PermissionState, by: Option<&str>) -> Problem {
        match state {
            PermissionState::Withdrawn => Problem::new(
                ErrorCode::PermissionWithdrawn,
                "Claude has withdrawn the permission request.",
                Remedy::ListPermissions { session_id: None },
            ),
            _ => Problem::new(
                ErrorCode::PermissionAnswered,
                format!("The permission request was already answered by {}.", by.unwrap_or("another client")),
                "Nothing to do: a permission request is answered once.",
            ),
        }
    }
}
