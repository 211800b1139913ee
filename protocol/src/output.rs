//! What a session says: the transcript, and live output.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{PermissionKind, Session, Timestamp};

/// Any JSON, with the order of members kept. Here because this crate depends on serde alone.
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
    /// The member of an object.
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

    /// The elements of an array; none for anything else.
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
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub body: EntryBody,
}

/// What a transcript entry holds. A kind that a client does not know is shown as nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum EntryBody {
    /// A message that Claude took up.
    User {
        /// The message's id, if it came through the queue.
        message_id: Option<String>,
        /// What was said.
        text: String,
    },
    /// Claude's words, Markdown.
    Text {
        /// The words.
        text: String,
        /// The tool call of the subagent that speaks.
        parent_tool_use_id: Option<String>,
    },
    /// Claude's thinking.
    Thinking {
        /// The thoughts.
        text: String,
    },
    /// Claude calls a tool.
    ToolCall {
        /// The call's id.
        tool_use_id: String,
        /// The tool.
        tool: String,
        /// What it is called with. A part below 64 levels is a string that says so and holds its JSON.
        input: Json,
        /// The tool call of the subagent that calls.
        parent_tool_use_id: Option<String>,
    },
    /// What a tool answered.
    ToolResult {
        /// The call's id.
        tool_use_id: String,
        /// Whether it failed.
        is_error: bool,
        /// Its output as text, cut off at 256 KiB.
        text: String,
        /// Whether it was cut off.
        truncated: bool,
    },
    /// Claude asks for a person.
    Permission {
        /// The prompt.
        permission_id: String,
        /// What kind.
        permission_kind: PermissionKind,
        /// The tool.
        tool: String,
        /// One line for people.
        title: String,
    },
    /// A prompt came to its end.
    PermissionEnd {
        /// The prompt.
        permission_id: String,
        /// `allowed`, `allowedAlways`, `denied`, `answered` or `withdrawn`.
        outcome: String,
        /// Who answered.
        by: Option<String>,
        /// What was said with it.
        message: Option<String>,
    },
    /// A turn came to its end.
    TurnEnd {
        /// The message whose turn it was.
        message_id: Option<String>,
        /// Whether it ended well.
        ok: bool,
        /// Claude's word for how it ended, for example `success` or `error_during_execution`.
        outcome: String,
        /// What went wrong.
        error: Option<String>,
        /// What this turn cost, in US dollars.
        cost_usd: f64,
        /// How long it took, in milliseconds.
        duration_ms: u64,
    },
    /// Something about the session itself: started, resumed, crashed, retrying.
    Notice {
        /// How grave it is.
        level: NoticeLevel,
        /// One line for people.
        text: String,
    },
}

/// How grave a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum NoticeLevel {
    /// Good to know.
    Info,
    /// Something went wrong and is being taken care of.
    Warning,
    /// Something went wrong.
    Error,
}

/// Parameters of `areyouj/session/attach`: watch a session's output from here on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct AttachParams {
    /// An id or an unambiguous beginning of one. Left out: the newest live session of the caller's workspace folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The last `seq` that the client has; it gets what came after. Left out: the newest 200 entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
}

/// Answer to `areyouj/session/attach`. Output that follows continues at `seq` without a gap.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AttachResult {
    /// The session.
    pub session: Session,
    /// Entries in order, at most 1,000: the newest of those asked for.
    pub entries: Vec<TranscriptEntry>,
    /// The `seq` of the newest entry, 0 if there is none.
    pub seq: u64,
    /// Whether older entries exist than the first one here; read them with `areyouj/transcript/read`.
    pub more: bool,
    /// What Claude has said since the newest entry, in place of what the client has of it; at least its last 64 KiB.
    #[serde(default)]
    pub deltas: Vec<Delta>,
}

/// Parameters of `areyouj/transcript/read`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct TranscriptReadParams {
    /// An id or an unambiguous beginning of one. Left out: the newest live session of the caller's workspace folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Only entries with a smaller `seq`. Left out: the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// How many at most, 1 to 1,000; 200 if left out. A page also ends at about 4 MiB.
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
    /// Whether older ones exist.
    pub more: bool,
}

/// Notification `areyouj/claudeOutput`, for sessions that this client attached to. It carries an entry or a delta.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ClaudeOutput {
    /// The session.
    pub session_id: String,
    /// The `seq` of the newest entry, this one included. A gap means: attach again with `since`.
    pub seq: u64,
    /// A new entry. It replaces all deltas since the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<TranscriptEntry>,
    /// More of what Claude is saying right now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<Delta>,
}

/// More of what Claude is saying right now; the finished entry follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Delta {
    /// Thoughts rather than words.
    pub thinking: bool,
    /// The next piece.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same JSON, after a way through [`Json`].
    fn round_trip(text: &str) -> String {
        serde_json::to_string(&serde_json::from_str::<Json>(text).unwrap()).unwrap()
    }

    #[test]
    fn any_json_comes_back_as_it_was() {
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
    fn json_is_looked_into_without_matching() {
        let json: Json = serde_json::from_str(r#"{"tool":"Bash","rules":["a","b"]}"#).unwrap();
        assert_eq!(json.get("tool").and_then(Json::as_str), Some("Bash"));
        assert_eq!(json.get("rules").map(|rules| rules.elements().len()), Some(2));
        assert_eq!(json.get("absent"), None);
        assert_eq!(Json::Null.get("tool"), None);
        assert!(json.elements().is_empty());
    }

    #[test]
    fn an_entry_names_its_kind_and_writes_what_it_lacks_as_null() {
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
