//! Validation of what clients send.

use super::problems::{MAX_KEY_BYTES, MAX_MESSAGE_BYTES, MAX_NAME_CHARS, MAX_QUEUE, MAX_QUEUE_BYTES};
use super::{ErrorCode, Problem};

pub(super) fn conflict() -> Problem {
    Problem::new(
        ErrorCode::RequestConflict,
        "The same id was used before for something else.",
        "Choose a new id for every request and message.",
    )
}

pub(super) fn check_request_id(request_id: &str) -> Result<(), Problem> {
    if request_id.is_empty() || request_id.len() > MAX_KEY_BYTES {
        return Err(Problem::new(
            ErrorCode::InvalidParams,
            format!("A requestId has 1 to {MAX_KEY_BYTES} bytes."),
            "Choose a UUID.",
        ));
    }
    Ok(())
}

pub(super) fn check_text(text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() {
        return Err(Problem::new(ErrorCode::MessageEmpty, "The message has no text.", "Write a text."));
    }
    if text.len() > MAX_MESSAGE_BYTES {
        return Err(Problem::new(
            ErrorCode::MessageTooLarge,
            format!("The message has {} bytes, and the limit is {MAX_MESSAGE_BYTES}.", text.len()),
            "Put the text into a file in the session's directory and name the file.",
        ));
    }
    Ok(())
}

/// Checks that a queue of so many messages and bytes is within the limits.
pub(super) fn check_room(messages: usize, bytes: usize) -> Result<(), Problem> {
    if messages <= MAX_QUEUE && bytes <= MAX_QUEUE_BYTES {
        return Ok(());
    }
    Err(Problem::new(
        ErrorCode::QueueFull,
        format!(
            "The queue would hold {messages} messages with {bytes} bytes; the limits are {MAX_QUEUE} and {MAX_QUEUE_BYTES}."
        ),
        "Wait until some messages have run, or remove some.",
    ))
}

pub(super) fn checked_name(name: Option<String>) -> Result<Option<String>, Problem> {
    let Some(name) = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    if name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        return Err(Problem::new(
            ErrorCode::NameInvalid,
            format!("A name has at most {MAX_NAME_CHARS} characters and no control characters."),
            "Choose a shorter, plain name.",
        ));
    }
    Ok(Some(name))
}
