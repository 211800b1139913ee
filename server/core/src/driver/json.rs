//! Claude's lines as JSON, and tolerant access to their members.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use uuid::Uuid;

use crate::json::{AnyJson, Json, MEMBERS, Name, Tree};

/// The line as an object; `None` if it is anything else, or must be repaired first: see [`repair`].
pub(in crate::driver) fn parse(line: &[u8]) -> Option<Json<'_>> {
    // Checking the line as a whole is several times faster than text by text.
    let line = std::str::from_utf8(line).ok()?;
    serde_json::from_str::<Line<'_>>(line).ok().map(|line| line.0)
}

/// Long members that AreYouJ does not use; they make up most of the lines that begin and end a turn. Skipping them is
/// several times cheaper than even a borrowing copy.
fn is_skipped(name: &str) -> bool {
    matches!(
        name,
        "agents"
            | "fast_mode_disabled_reason"
            | "fast_mode_state"
            | "mcp_servers"
            | "memory_paths"
            | "permission_denials"
            | "plugins"
            | "skills"
            | "slash_commands"
            | "subagent_stats"
            | "timestamp"
            | "tools"
            | "usage"
            | "user_message_uuid"
    )
}

/// A whole line: an object without its skipped members.
struct Line<'a>(Json<'a>);

impl<'de> Deserialize<'de> for Line<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(WholeLine)
    }
}

struct WholeLine;

impl<'de> Visitor<'de> for WholeLine {
    type Value = Line<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Line<'de>, A::Error> {
        let mut object = Vec::with_capacity(MEMBERS);
        while let Some(Name(name)) = members.next_key()? {
            if is_skipped(&name) {
                members.next_value::<IgnoredAny>()?;
            } else {
                object.push((name, members.next_value_seed(AnyJson::INNER)?));
            }
        }
        Ok(Line(Json::Object(object)))
    }
}

/// A whole object; `None` for anything else.
pub(in crate::driver) fn parse_whole(bytes: &[u8]) -> Option<Json<'_>> {
    let json = serde_json::from_str(std::str::from_utf8(bytes).ok()?).ok()?;
    matches!(json, Json::Object(_)).then_some(json)
}

/// The string of this name; empty if there is none.
pub(in crate::driver) fn text<'a, T: Tree>(value: &'a T, name: &str) -> &'a str {
    value.member(name).and_then(Tree::text).unwrap_or_default()
}

/// The UUID of this name, if there is a valid one.
pub(in crate::driver) fn uuid<T: Tree>(value: &T, name: &str) -> Option<Uuid> {
    Uuid::parse_str(text(value, name)).ok()
}

/// Takes the string of this name; empty if there is none.
pub(in crate::driver) fn take_text<T: Tree>(value: &mut T, name: &str) -> String {
    value.member_mut(name).map(Tree::take).and_then(Tree::into_text).unwrap_or_default()
}

/// Takes the array of this name; empty if there is none.
pub(in crate::driver) fn take_array<T: Tree>(value: &mut T, name: &str) -> Vec<T> {
    value.member_mut(name).map(Tree::take).and_then(Tree::into_array).unwrap_or_default()
}

/// The array of this name; empty if there is none.
pub(in crate::driver) fn array<'a, T: Tree>(value: &'a T, name: &str) -> &'a [T] {
    value.member(name).and_then(Tree::array).unwrap_or_default()
}

/// The largest number that the database holds. No count that Claude reports comes near it.
pub(in crate::driver) const LARGEST: u64 = i64::MAX as u64;

/// The whole number of this name: fractions are truncated, and the result is at most [`LARGEST`].
pub(in crate::driver) fn number<T: Tree>(value: &T, name: &str) -> Option<u64> {
    let number = value.member(name)?.number()?;
    let number = number.as_u64().or_else(|| number.as_f64().map(|number| number as u64))?;
    Some(number.min(LARGEST))
}

/// The line with invalid characters replaced. JavaScript writes half surrogate pairs and broken UTF-8 where it
/// truncated a text inside a character. They become the replacement character: a lost line is worse than a lost
/// character.
pub(in crate::driver) fn repair(line: &[u8]) -> Cow<'_, str> {
    let line = String::from_utf8_lossy(line);
    let mut repaired = String::new();
    let mut done = 0;
    let mut at = 0;
    while let Some(backslash) = line[at..].find('\\').map(|found| at + found) {
        at = match surrogate(&line[backslash..]) {
            Some(0xd800..=0xdbff)
                if matches!(surrogate(&line[backslash + ESCAPE..]), Some(0xdc00..=0xdfff)) =>
            {
                backslash + 2 * ESCAPE
            }
            Some(_) => {
                repaired.push_str(&line[done..backslash]);
                repaired.push(char::REPLACEMENT_CHARACTER);
                done = backslash + ESCAPE;
                done
            }
            // Skips the escaped character too, which can be a backslash.
            None => backslash + 1 + line[backslash + 1..].chars().next().map_or(0, char::len_utf8),
        };
    }
    if done == 0 {
        return line;
    }
    repaired.push_str(&line[done..]);
    Cow::Owned(repaired)
}

/// The length of `\uXXXX`.
const ESCAPE: usize = 6;

/// The code unit that the text begins with as an escape, if it is half of a pair.
fn surrogate(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(digits, 16).ok().filter(|unit| (0xd800..=0xdfff).contains(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(line: &[u8]) -> Vec<String> {
        assert_eq!(parse(line), None);
        let line = repair(line);
        let json = parse(line.as_bytes()).unwrap();
        ["a", "b", "c"].map(|name| text(&json, name).to_owned()).into()
    }

    #[test]
    fn a_half_surrogate_pair_costs_a_character_and_not_the_line() {
        let line = br#"{"a":"x\ud83d","b":"\ude00\ud83d\ude00y","c":"\\ud83d"}"#;
        assert_eq!(repaired(line), ["x\u{fffd}", "\u{fffd}\u{1f600}y", "\\ud83d"]);
    }

    #[test]
    fn broken_utf8_costs_a_character_and_not_the_line() {
        assert_eq!(repaired(b"{\"a\":\"x\xffy\"}"), ["x\u{fffd}y", "", ""]);
    }

    #[test]
    fn a_line_is_an_object_without_its_skipped_members() {
        let line = r#"{"type":"result","usage":{"a":[1]},"message":{"usage":{"b":2}}}"#;
        let Line(json) = serde_json::from_str(line).unwrap();
        assert_eq!(json.into_value().to_string(), r#"{"type":"result","message":{"usage":{"b":2}}}"#);
        assert!(serde_json::from_str::<Line<'_>>("[1]").is_err());
    }

    #[test]
    fn only_objects_are_accepted() {
        assert_eq!(parse(b"17"), None);
        assert_eq!(parse(b"{\"a\":1"), None);
        assert_eq!(parse(b"{\"a\":1} {}"), None);
    }

    #[test]
    fn members_of_another_type_count_as_missing() {
        let mut value = parse(br#"{"a":5,"b":1.9,"c":[1]}"#).unwrap();
        assert_eq!((text(&value, "a"), number(&value, "a"), number(&value, "b")), ("", Some(5), Some(1)));
        assert_eq!(array(&value, "c").len(), 1);
        assert_eq!(take_text(&mut value, "c"), "");
        assert!(take_array(&mut value, "b").is_empty());
    }
}
