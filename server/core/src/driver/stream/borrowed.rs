//! JSON that borrows its texts from the line it stands in: what a line holds is looked at once, and most of it is of no
//! interest, so copies and hash tables of it would be most of the work.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

/// How many members an object is expected to have: most have some more or some less.
const MEMBERS: usize = 8;

/// Any JSON. Of members with the same name the last one counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Json<'a> {
    #[default]
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl Json<'_> {
    /// The truth under this name; false if there is none.
    pub(super) fn is(&self, name: &str) -> bool {
        matches!(self.member(name), Some(Json::Bool(true)))
    }

    /// A copy that borrows nothing, for what is kept as Claude said it.
    pub(super) fn into_value(self) -> Value {
        match self {
            Json::Null => Value::Null,
            Json::Bool(truth) => Value::Bool(truth),
            Json::Number(number) => Value::Number(number),
            Json::Text(text) => Value::String(text.into_owned()),
            Json::Array(elements) => elements.into_iter().map(Json::into_value).collect(),
            Json::Object(members) => {
                members.into_iter().map(|(name, value)| (name.into_owned(), value.into_value())).collect()
            }
        }
    }
}

/// Ways through JSON, whoever owns it.
pub(super) trait Tree: Sized + Default {
    /// What stands under this name.
    fn member(&self, name: &str) -> Option<&Self>;
    /// What stands under this name, to be changed.
    fn member_mut(&mut self, name: &str) -> Option<&mut Self>;
    /// The text that it is.
    fn text(&self) -> Option<&str>;
    /// The text that it is, as one's own.
    fn into_text(self) -> Option<String>;
    /// The array that it is.
    fn array(&self) -> Option<&[Self]>;
    /// The array that it is, as one's own.
    fn into_array(self) -> Option<Vec<Self>>;
    /// The number that it is.
    fn number(&self) -> Option<&Number>;

    /// Itself; null stays behind.
    fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

impl Tree for Json<'_> {
    fn member(&self, name: &str) -> Option<&Self> {
        let Json::Object(members) = self else { return None };
        members.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    fn member_mut(&mut self, name: &str) -> Option<&mut Self> {
        let Json::Object(members) = self else { return None };
        members.iter_mut().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    fn text(&self) -> Option<&str> {
        if let Json::Text(text) = self { Some(text) } else { None }
    }

    fn into_text(self) -> Option<String> {
        if let Json::Text(text) = self { Some(text.into_owned()) } else { None }
    }

    fn array(&self) -> Option<&[Self]> {
        if let Json::Array(elements) = self { Some(elements) } else { None }
    }

    fn into_array(self) -> Option<Vec<Self>> {
        if let Json::Array(elements) = self { Some(elements) } else { None }
    }

    fn number(&self) -> Option<&Number> {
        if let Json::Number(number) = self { Some(number) } else { None }
    }
}

impl Tree for Value {
    fn member(&self, name: &str) -> Option<&Self> {
        self.get(name)
    }

    fn member_mut(&mut self, name: &str) -> Option<&mut Self> {
        self.get_mut(name)
    }

    fn text(&self) -> Option<&str> {
        self.as_str()
    }

    fn into_text(self) -> Option<String> {
        if let Value::String(text) = self { Some(text) } else { None }
    }

    fn array(&self) -> Option<&[Self]> {
        self.as_array().map(Vec::as_slice)
    }

    fn into_array(self) -> Option<Vec<Self>> {
        if let Value::Array(elements) = self { Some(elements) } else { None }
    }

    fn number(&self) -> Option<&Number> {
        self.as_number()
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyJson)
    }
}

/// A member's name, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// What Claude says about itself at length and nobody here asks for: most of the lines that begin and end a turn. Passed
/// over, since even a copy that borrows costs several times as much.
fn is_passed_over(name: &str) -> bool {
    matches!(
        name,
        "agents"
            | "fast_mode_disabled_reason"
            | "fast_mode_state"
            | "mcp_servers"
            | "memory_paths"
            | "permission_denials"
            | "plugins"
            | "session_id"
            | "skills"
            | "slash_commands"
            | "subagent_stats"
            | "timestamp"
            | "tools"
            | "usage"
            | "user_message_uuid"
    )
}

/// A whole line: an object, without those of its own members that are passed over.
pub(super) struct Line<'a>(pub(super) Json<'a>);

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
            if is_passed_over(&name) {
                members.next_value::<IgnoredAny>()?;
            } else {
                object.push((name, members.next_value()?));
            }
        }
        Ok(Line(Json::Object(object)))
    }
}

struct AnyJson;

impl<'de> Visitor<'de> for AnyJson {
    type Value = Json<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(truth))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json<'de>, E> {
        Ok(Number::from_f64(number).map_or(Json::Null, Json::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json<'de>, A::Error> {
        let mut array = Vec::new();
        while let Some(element) = elements.next_element()? {
            array.push(element);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json<'de>, A::Error> {
        let mut object = Vec::with_capacity(MEMBERS);
        while let Some((Name(name), value)) = members.next_entry()? {
            object.push((name, value));
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e300..1e300).prop_map(Value::from),
            "(\\PC|\n|\"|\\\\){0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::vec(("[a-d\"]{0,2}", inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn texts_without_escapes_are_not_copied() {
        let json: Json<'_> = serde_json::from_str(r#"{"name":"text","a\n":"b\n"}"#).unwrap();
        let Json::Object(members) = &json else { panic!("{json:?}") };
        assert!(matches!(members[0], (Cow::Borrowed("name"), Json::Text(Cow::Borrowed("text")))));
        assert_eq!(Tree::text(json.member("a\n").unwrap()), Some("b\n"));
    }

    #[test]
    fn a_line_is_an_object_without_what_nobody_asks_for() {
        let line = r#"{"type":"result","usage":{"a":[1]},"message":{"usage":{"b":2}}}"#;
        let Line(json) = serde_json::from_str(line).unwrap();
        assert_eq!(json.into_value().to_string(), r#"{"type":"result","message":{"usage":{"b":2}}}"#);
        assert!(serde_json::from_str::<Line<'_>>("[1]").is_err());
    }

    #[test]
    fn of_members_with_the_same_name_the_last_one_counts() {
        let text = r#"{"a":1,"b":2,"a":3}"#;
        let mut json: Json<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(json.member("a").and_then(Tree::number), Some(&3.into()));
        assert_eq!(json.member_mut("a").map(Tree::take), Some(Json::Number(3.into())));
        let json: Json<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(json.into_value(), serde_json::from_str::<Value>(text).unwrap());
    }

    proptest! {
        #[test]
        fn it_is_the_same_json_as_any(value in any_json()) {
            let text = value.to_string();
            let json: Json<'_> = serde_json::from_str(&text).unwrap();
            let again = json.into_value();
            prop_assert_eq!(again.to_string(), text);
        }
    }
}
