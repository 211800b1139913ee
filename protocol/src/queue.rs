//! Messages, and the queue of each session.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A message to Claude. One message is one turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// A UUID chosen by the client; also the id of Claude's user message.
    pub id: String,
    /// The session.
    pub session_id: String,
    /// The text for Claude.
    pub text: String,
    /// The state.
    pub state: MessageState,
    /// The position among the queued messages, 0 is next; only while it is queued.
    pub position: Option<u32>,
    /// The time at which the daemon accepted it.
    pub created_at: Timestamp,
    /// The time at which it was delivered to Claude.
    pub started_at: Option<Timestamp>,
    /// The time at which it was done, failed, interrupted or cancelled.
    pub finished_at: Option<Timestamp>,
    /// Why it failed or was interrupted.
    pub error: Option<String>,
}

/// The state of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum MessageState {
    /// It waits in the queue.
    Queued,
    /// Claude is processing it.
    Running,
    /// Its turn succeeded.
    Done,
    /// Its turn ended with an error.
    Failed,
    /// Its turn was interrupted by a person or by a crash.
    Interrupted,
    /// It was removed before it ran.
    Cancelled,
}

impl MessageState {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            MessageState::Queued => "queued",
            MessageState::Running => "running",
            MessageState::Done => "done",
            MessageState::Failed => "failed",
            MessageState::Interrupted => "interrupted",
            MessageState::Cancelled => "cancelled",
        }
    }
}

/// A new message.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewMessage {
    /// A UUID chosen by the client. A repeated request returns the first result.
    pub id: String,
    /// The text, 1 byte to 1 MiB.
    pub text: String,
}

/// Parameters of `areyouj/queue/add` and `areyouj/queue/steer`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct QueueAddParams {
    /// A session's id or an unambiguous prefix. If omitted, the newest live session of the client's workspace folders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The message.
    pub message: NewMessage,
}

/// Parameters of `areyouj/queue/list`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct QueueListParams {
    /// A session's id or an unambiguous prefix. If omitted, the newest live session of the client's workspace folders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Include finished messages: the newest 1,000, but no more than about 4 MiB of text.
    pub all: bool,
}

/// A session's queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Queue {
    /// The session.
    pub session_id: String,
    /// The reason why it is paused, or `null` if it is not paused.
    pub paused: Option<String>,
    /// Finished messages (if requested) by age, then the running message, then the queued ones in order.
    pub messages: Vec<Message>,
}

/// Parameters of requests about one message.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MessageParams {
    /// A unique id chosen by the client, at most 64 characters. A repeated request returns the first result.
    pub request_id: String,
    /// The id of the message, or an unambiguous prefix of it.
    pub message_id: String,
}

/// Parameters of `areyouj/queue/edit`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct QueueEditParams {
    /// A unique id chosen by the client, at most 64 characters. A repeated request returns the first result.
    pub request_id: String,
    /// The id of the message, or an unambiguous prefix of it.
    pub message_id: String,
    /// The text, 1 byte to 1 MiB.
    pub text: String,
}

/// Parameters of `areyouj/queue/move`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct QueueMoveParams {
    /// A unique id chosen by the client, at most 64 characters. A repeated request returns the first result.
    pub request_id: String,
    /// The id of the message, or an unambiguous prefix of it.
    pub message_id: String,
    /// The new position, 0 is next; a position beyond the end means last.
    pub position: u32,
}

/// What to do about a failed or interrupted message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum RecoverChoice {
    /// Ask Claude to continue where it was interrupted, then resume the queue.
    Continue,
    /// Run the same message again, then resume the queue.
    Again,
    /// Leave the message, and resume the queue.
    Skip,
}

/// Parameters of `areyouj/queue/recover`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct QueueRecoverParams {
    /// A unique id chosen by the client, at most 64 characters. A repeated request returns the first result.
    pub request_id: String,
    /// The id of the message, or an unambiguous prefix of it.
    pub message_id: String,
    /// What to do.
    pub choice: RecoverChoice,
}

/// Notification `areyouj/queueUpdate`: the current queue, without finished messages.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct QueueUpdate {
    /// The session.
    pub session_id: String,
    /// Its queue.
    pub queue: Queue,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_exactly_the_fields_of_the_contract() {
        let message = Message {
            id: "m".into(),
            session_id: "K7M2Q9XD".into(),
            text: "Hello".into(),
            state: MessageState::Queued,
            position: Some(0),
            created_at: 1,
            started_at: None,
            finished_at: None,
            error: None,
        };
        assert_eq!(
            serde_json::to_string(&message).unwrap(),
            concat!(
                r#"{"id":"m","sessionId":"K7M2Q9XD","text":"Hello","state":"queued","position":0,"#,
                r#""createdAt":1,"startedAt":null,"finishedAt":null,"error":null}"#,
            )
        );
    }

    #[test]
    fn a_state_is_the_same_word_on_the_wire_and_in_print() {
        use MessageState::*;
        for state in [Queued, Running, Done, Failed, Interrupted, Cancelled] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }

    #[test]
    fn every_parameter_of_the_queue_list_is_optional() {
        let params: QueueListParams = serde_json::from_str("{}").unwrap();
        assert_eq!(params.session_id, None);
        assert!(!params.all);
    }
}
