//! Messages and the queue that each session keeps of them.

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
    /// What is said to Claude.
    pub text: String,
    /// How it stands.
    pub state: MessageState,
    /// Its place among the waiting ones, 0 is next; only while it is queued.
    pub position: Option<u32>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it was handed to Claude.
    pub started_at: Option<Timestamp>,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
    /// Why it failed or was cut off.
    pub error: Option<String>,
}

/// How a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum MessageState {
    /// It waits.
    Queued,
    /// Claude has it.
    Running,
    /// Its turn ended well.
    Done,
    /// Its turn ended with an error.
    Failed,
    /// Its turn was cut off, by a person or by a crash.
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

/// A message to be accepted.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewMessage {
    /// A UUID chosen by the client. A repeat returns the first answer.
    pub id: String,
    /// 1 byte to 1 MiB.
    pub text: String,
}

/// Parameters of `areyouj/queue/add` and `areyouj/queue/steer`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct QueueAddParams {
    /// An id or an unambiguous beginning of one. Left out: the newest live session of the caller's workspace folder.
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
    /// An id or an unambiguous beginning of one. Left out: the newest live session of the caller's workspace folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Finished messages too, the newest 1,000 of them, but no more than about 4 MiB of text.
    pub all: bool,
}

/// A session's queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Queue {
    /// The session.
    pub session_id: String,
    /// Whether it is paused, and why.
    pub paused: Option<String>,
    /// Finished ones (if asked for) by age, then the running one, then the waiting ones in order.
    pub messages: Vec<Message>,
}

/// Parameters of requests about one message.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MessageParams {
    /// Chosen by the client, unique, at most 64 characters. A repeat returns the first answer.
    pub request_id: String,
    /// A message's id or an unambiguous beginning of one.
    pub message_id: String,
}

/// Parameters of `areyouj/queue/edit`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct QueueEditParams {
    /// Chosen by the client, unique, at most 64 characters. A repeat returns the first answer.
    pub request_id: String,
    /// A message's id or an unambiguous beginning of one.
    pub message_id: String,
    /// 1 byte to 1 MiB.
    pub text: String,
}

/// Parameters of `areyouj/queue/move`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct QueueMoveParams {
    /// Chosen by the client, unique, at most 64 characters. A repeat returns the first answer.
    pub request_id: String,
    /// A message's id or an unambiguous beginning of one.
    pub message_id: String,
    /// The new place, 0 is next; beyond the end means last.
    pub position: u32,
}

/// What to do about a message that failed or was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum RecoverChoice {
    /// Ask Claude to go on where it was cut off, then go on with the queue.
    Continue,
    /// Run the same message once more, then go on with the queue.
    Again,
    /// Leave it, go on with the queue.
    Skip,
}

/// Parameters of `areyouj/queue/recover`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct QueueRecoverParams {
    /// Chosen by the client, unique, at most 64 characters. A repeat returns the first answer.
    pub request_id: String,
    /// A message's id or an unambiguous beginning of one.
    pub message_id: String,
    /// What to do.
    pub choice: RecoverChoice,
}

/// Notification `areyouj/queueUpdate`: the queue as it is now, without finished messages.
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
    fn a_list_of_the_queue_may_be_asked_for_with_nothing() {
        let params: QueueListParams = serde_json::from_str("{}").unwrap();
        assert_eq!(params.session_id, None);
        assert!(!params.all);
    }
}
