//! The transcript of a session, and its live output.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{PermissionKind, Session, Timestamp};

/// Any JSON, with the order of members preserved. A type of this crate, because the crate depends only on serde.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Json {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A whole number beyond [`i64::MAX`].
    Unsigned(u64),
    /// Any other number.
    Float(f64),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The member of an object with this name.
    pub fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of an array; an empty slice for any other value.
    pub fn elements(&self) -> &[Json] {
        match self {
            Json::Array(elements) => elements,
            _ => &[],
        }
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Bool(value) => serializer.serialize_bool(*value),
            Json::Integer(value) => serializer.serialize_i64(*value),
            Json::Unsigned(value) => serializer.serialize_u64(*value),
            Json::Float(value) => serializer.serialize_f64(*value),
            Json::String(value) => serializer.serialize_str(value),
            Json::Array(elements) => {
                let mut array = serializer.serialize_seq(Some(elements.len()))?;
                for element in elements {
                    array.serialize_element(element)?;
                }
                array.end()
            }
            Json::Object(members) => {
                let mut object = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    object.serialize_entry(name, value)?;
                }
                object.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        struct AnyJson;

        impl<'de> Visitor<'de> for AnyJson {
            type Value = Json;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("any JSON")
            }
            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }
            fn visit_none<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }
            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
                Json::deserialize(deserializer)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
                Ok(Json::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
                Ok(Json::Integer(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
                Ok(i64::try_from(value).map_or(Json::Unsigned(value), Json::Integer))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
                Ok(Json::Float(value))
            }
            fn visit_str<E>(self, value: &str) -> Result<Json, E> {
                Ok(Json::String(value.to_owned()))
            }
            fn visit_string<E>(self, value: String) -> Result<Json, E> {
                Ok(Json::String(value))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Json, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = array.next_element()? {
                    elements.push(element);
                }
                Ok(Json::Array(elements))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = object.next_entry()? {
                    members.push(member);
                }
                Ok(Json::Object(members))
            }
        }

        deserializer.deserialize_any(AnyJson)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Json {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Json".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!(true)
    }
}

/// One entry of a session's transcript.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TranscriptEntry {
    /// Its number in the session: 1, 2, 3 … without gaps.
    pub seq: u64,
    /// The time at which it happened.
    pub at: Timestamp,
    /// What happened.
    pub body: EntryBody,
}

/// The content of a transcript entry. A client does not display unknown kinds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum EntryBody {
    /// A message that Claude started to process.
    User {
        /// The message's id, if it was delivered from the queue.
        message_id: Option<String>,
        /// The text.
        text: String,
    },
    /// Claude's answer, Markdown.
    Text {
        /// The text.
        text: String,
        /// The tool call that started the subagent, if a subagent wrote the text.
        parent_tool_use_id: Option<String>,
    },
    /// Claude's thinking.
    Thinking {
        /// The text.
        text: String,
    },
    /// Claude calls a tool.
    ToolCall {
        /// The id of the call.
        tool_use_id: String,
        /// The name of the tool.
        tool: String,
        /// The arguments. A value nested deeper than 64 levels is replaced by a string that says so and contains its
        /// JSON.
        input: Json,
        /// The tool call that started the subagent, if a subagent calls the tool.
        parent_tool_use_id: Option<String>,
    },
    /// The result of a tool call.
    ToolResult {
        /// The id of the call.
        tool_use_id: String,
        /// Whether the call failed.
        is_error: bool,
        /// The output as text, truncated to 256 KiB.
        text: String,
        /// Whether the output was truncated.
        truncated: bool,
    },
    /// Claude opened a permission request.
    Permission {
        /// The id of the permission request.
        permission_id: String,
        /// The kind of request.
        permission_kind: PermissionKind,
        /// The name of the tool.
        tool: String,
        /// A one-line title to display.
        title: String,
    },
    /// A permission request was answered or withdrawn.
    PermissionEnd {
        /// The id of the permission request.
        permission_id: String,
        /// `allowed`, `allowedAlways`, `denied`, `answered` or `withdrawn`.
        outcome: String,
        /// The client that answered.
        by: Option<String>,
        /// The message that was sent with the answer.
        message: Option<String>,
    },
    /// A turn ended.
    TurnEnd {
        /// The message that started the turn.
        message_id: Option<String>,
        /// Whether the turn succeeded.
        ok: bool,
        /// Claude's term for the outcome, for example `success` or `error_during_execution`.
        outcome: String,
        /// The error message, if the turn failed.
        error: Option<String>,
        /// The cost of this turn, in US dollars.
        cost_usd: f64,
        /// The duration of the turn, in milliseconds.
        duration_ms: u64,
    },
    /// An event of the session itself: started, resumed, crashed, retrying.
    Notice {
        /// The severity.
        level: NoticeLevel,
        /// A one-line title to display.
        text: String,
    },
}

/// The severity of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum NoticeLevel {
    /// Information.
    Info,
    /// A problem that AreYouJ is handling.
    Warning,
    /// An error.
    Error,
}

/// Parameters of `areyouj/session/attach`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct AttachParams {
    /// A session's id or an unambiguous prefix. If omitted, the newest live session of the client's workspace folders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The last `seq` that the client has; the result starts after it. If omitted, the newest 200 entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
}

/// Result of `areyouj/session/attach`. The output that follows continues at `seq` without a gap.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AttachResult {
    /// The session.
    pub session: Session,
    /// Entries in order, at most 1,000: the newest of the requested ones.
    pub entries: Vec<TranscriptEntry>,
    /// The `seq` of the newest entry, or 0 without entries.
    pub seq: u64,
    /// Whether there are entries before the first one in this list; read them with `areyouj/transcript/read`.
    pub more: bool,
    /// Claude's output since the newest entry, at least its last 64 KiB. It replaces the deltas that the client has.
    #[serde(default)]
    pub deltas: Vec<Delta>,
}

/// Parameters of `areyouj/transcript/read`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct TranscriptReadParams {
    /// A session's id or an unambiguous prefix. If omitted, the newest live session of the client's workspace folders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Only entries with a smaller `seq`. If omitted, the newest entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// The maximum number of entries, 1 to 1,000; 200 if omitted. A page also ends at about 4 MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A page of a transcript.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TranscriptPage {
    /// Entries in order.
    pub entries: Vec<TranscriptEntry>,
    /// Whether there are older entries.
    pub more: bool,
}

/// Notification `areyouj/claudeOutput`, for sessions to which this client is attached. It carries an entry or a delta.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ClaudeOutput {
    /// The session.
    pub session_id: String,
    /// The `seq` of the newest entry, including this one. After a gap, the client must attach again with `since`.
    pub seq: u64,
    /// A new entry. It replaces all deltas since the previous entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<TranscriptEntry>,
    /// The next part of the entry that Claude is writing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<Delta>,
}

/// The next part of the entry that Claude is writing. The complete entry follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Delta {
    /// Whether the text is thinking rather than an answer.
    pub thinking: bool,
    /// The text to append.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses the JSON as [`Json`] and serializes it again.
    fn round_trip(text: &str) -> String {
        serde_json::to_string(&serde_json::from_str::<Json>(text).unwrap()).unwrap()
    }

    #[test]
    fn any_json_survives_a_round_trip() {
        for text in [
            "null",
            "true",
            "false",
            "0",
            "-1",
            "9223372036854775807",
            "-9223372036854775808",
            "9223372036854775808",
            "18446744073709551615",
            "0.1",
            "-0.0",
            "1e+300",
            r#""""#,
            r#""a \"quoted\" line\nand the next, ünïcode 🦀""#,
            "[]",
            "{}",
            r#"[null,[1,[2.5,["three"]]],{"four":{"five":[]}}]"#,
        ] {
            assert_eq!(round_trip(text), text);
        }
    }

    #[test]
    fn members_of_an_object_keep_their_order() {
        let text = r#"{"zebra":1,"apple":{"z":[],"a":{}},"mango":null,"":"empty name"}"#;
        assert_eq!(round_trip(text), text);
    }

    #[test]
    fn numbers_are_whole_as_long_as_they_fit() {
        let numbers: Vec<Json> =
            serde_json::from_str("[9223372036854775807, 18446744073709551615, 18446744073709551616, 1.0]")
                .unwrap();
        let expected = [
            Json::Integer(i64::MAX),
            Json::Unsigned(u64::MAX),
            Json::Float(18_446_744_073_709_551_616.0),
            Json::Float(1.0),
        ];
        assert_eq!(numbers, expected);
    }

    #[test]
    fn json_converts_from_and_to_values_in_memory() {
        let value = serde_json::json!({ "command": "ls", "timeout": u64::MAX, "flags": [null, -1, 0.5] });
        let json: Json = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(json).unwrap(), value);
    }

    #[test]
    fn json_has_accessors_for_members_strings_and_elements() {
        let json: Json = serde_json::from_str(r#"{"tool":"Bash","rules":["a","b"]}"#).unwrap();
        assert_eq!(json.get("tool").and_then(Json::as_str), Some("Bash"));
        assert_eq!(json.get("rules").map(|rules| rules.elements().len()), Some(2));
        assert_eq!(json.get("absent"), None);
        assert_eq!(Json::Null.get("tool"), None);
        assert!(json.elements().is_empty());
    }

    #[test]
    fn an_entry_has_its_kind_and_writes_absent_values_as_null() {
        let entry = TranscriptEntry {
            seq: 7,
            at: 1,
            body: EntryBody::ToolCall {
                tool_use_id: "t1".into(),
                tool: "Bash".into(),
                input: Json::Object(vec![("command".into(), Json::String("ls".into()))]),
                parent_tool_use_id: None,
            },
        };
        let text = concat!(
            r#"{"seq":7,"at":1,"body":{"kind":"toolCall","toolUseId":"t1","tool":"Bash","#,
            r#""input":{"command":"ls"},"parentToolUseId":null}}"#,
        );
        assert_eq!(serde_json::to_string(&entry).unwrap(), text);
        assert_eq!(serde_json::from_str::<TranscriptEntry>(text).unwrap(), entry);
    }

    #[test]
    fn output_carries_only_the_entry_or_the_delta_that_it_has() {
        let output = ClaudeOutput {
            session_id: "K7M2Q9XD".into(),
            seq: 3,
            entry: None,
            delta: Some(Delta { thinking: false, text: "Hel".into() }),
        };
        assert_eq!(
            serde_json::to_string(&output).unwrap(),
            r#"{"sessionId":"K7M2Q9XD","seq":3,"delta":{"thinking":false,"text":"Hel"}}"#
        );
    }
}
