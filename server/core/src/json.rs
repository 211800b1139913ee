//! Any JSON of any depth, borrowed from its text.
//!
//! Each line of Claude's output is read once and most of it is not needed, so copies and hash tables would be most of
//! the work. Parts that nest deeper than [`LEVELS`] stay text: every JSON reader has a limit (128 levels in
//! serde_json), and a value that fits this limit fits all of them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Number, Value};

/// The most arrays and objects inside one another that are read as such. Half of what serde_json reads: the messages
/// that carry such a value to clients have levels of their own.
pub(crate) const LEVELS: usize = 64;

/// How many members an object is expected to have: most have some more or some less.
pub(crate) const MEMBERS: usize = 8;

/// Any JSON. Of members with the same name the last one counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Json<'a> {
    #[default]
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
    /// The text of an array or object that lies deeper than [`LEVELS`].
    Deep(&'a str),
}

impl Json<'_> {
    /// The boolean of this name; false if there is none.
    pub(crate) fn is(&self, name: &str) -> bool {
        matches!(self.member(name), Some(Json::Bool(true)))
    }

    /// Whether a part of it is [`Json::Deep`].
    pub(crate) fn is_deep(&self) -> bool {
        match self {
            Json::Deep(_) => true,
            Json::Array(elements) => elements.iter().any(Json::is_deep),
            Json::Object(members) => members.iter().any(|(_, value)| value.is_deep()),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => false,
        }
    }

    /// A copy that borrows nothing. A deep part becomes a string that says so and holds its text.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Json::Deep(text) => Value::String(format!("[deeper than {LEVELS} levels, shown as text] {text}")),
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

/// Access to JSON, owned or borrowed.
pub(crate) trait Tree: Sized + Default {
    /// The member of this name.
    fn member(&self, name: &str) -> Option<&Self>;
    /// The member of this name, mutably.
    fn member_mut(&mut self, name: &str) -> Option<&mut Self>;
    /// The text, if it is one.
    fn text(&self) -> Option<&str>;
    /// The owned text, if it is one.
    fn into_text(self) -> Option<String>;
    /// The array, if it is one.
    fn array(&self) -> Option<&[Self]>;
    /// The owned array, if it is one.
    fn into_array(self) -> Option<Vec<Self>>;
    /// The number, if it is one.
    fn number(&self) -> Option<&Number>;

    /// Takes the value and leaves null.
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

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Bool(truth) => serializer.serialize_bool(*truth),
            Json::Number(number) => number.serialize(serializer),
            Json::Text(text) => serializer.serialize_str(text),
            Json::Array(elements) => serializer.collect_seq(elements),
            Json::Object(members) => {
                serializer.collect_map(members.iter().map(|(name, value)| (name, value)))
            }
            Json::Deep(text) => {
                let raw: &RawValue = serde_json::from_str(text).map_err(S::Error::custom)?;
                raw.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        AnyJson { levels: LEVELS }.deserialize(deserializer)
    }
}

/// A member's name, borrowed where it has no escapes.
#[derive(Deserialize)]
pub(crate) struct Name<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Reads a value with at most so many levels.
#[derive(Clone, Copy)]
pub(crate) struct AnyJson {
    levels: usize,
}

impl AnyJson {
    /// Reads a member or element of a value that may have [`LEVELS`].
    pub(crate) const INNER: AnyJson = AnyJson { levels: LEVELS - 1 };
}

impl<'de> DeserializeSeed<'de> for AnyJson {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        if self.levels > 0 {
            return deserializer.deserialize_any(self);
        }
        // serde_json does not recurse here, however deep it is.
        let text = <&RawValue>::deserialize(deserializer)?.get();
        if text.starts_with(['[', '{']) {
            return Ok(Json::Deep(text));
        }
        serde_json::from_str(text).map_err(D::Error::custom)
    }
}

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
        let inner = AnyJson { levels: self.levels - 1 };
        let mut array = Vec::new();
        while let Some(element) = elements.next_element_seed(inner)? {
            array.push(element);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json<'de>, A::Error> {
        let inner = AnyJson { levels: self.levels - 1 };
        let mut object = Vec::with_capacity(MEMBERS);
        while let Some(Name(name)) = members.next_key()? {
            object.push((name, members.next_value_seed(inner)?));
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
    fn of_members_with_the_same_name_the_last_one_counts() {
        let text = r#"{"a":1,"b":2,"a":3}"#;
        let mut json: Json<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(json.member("a").and_then(Tree::number), Some(&3.into()));
        assert_eq!(json.member_mut("a").map(Tree::take), Some(Json::Number(3.into())));
        let json: Json<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(json.into_value(), serde_json::from_str::<Value>(text).unwrap());
    }

    /// An array in an array, so many levels deep, with this inside.
    fn nested(levels: usize, inside: &str) -> String {
        format!("{}{inside}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn what_is_too_deep_is_text_that_says_so_and_is_written_as_it_was() {
        for (levels, deep) in [(LEVELS, false), (LEVELS + 1, true), (100_000, true)] {
            for inside in ["", "7", r#""a""#, r#"{"b": null}"#] {
                let text = nested(levels, inside);
                let json: Json<'_> = serde_json::from_str(&text).unwrap();
                assert_eq!(json.is_deep(), deep || inside.starts_with('{'), "{levels} {inside}");
                assert_eq!(serde_json::to_string(&json).unwrap(), text);
                let shown = json.into_value().to_string();
                assert_eq!(shown.contains("deeper than 64 levels"), deep || inside.starts_with('{'));
                assert!(serde_json::from_str::<Value>(&nested(50, &shown)).is_ok());
            }
        }
    }

    #[test]
    fn what_is_no_json_is_refused_at_every_depth() {
        for levels in [1, LEVELS, LEVELS + 1, 1_000] {
            let whole = nested(levels, "1");
            for text in [&whole[..levels], &whole[..whole.len() - 1], &nested(levels, "1 2")] {
                assert!(serde_json::from_str::<Json<'_>>(text).is_err(), "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn it_is_the_same_json_as_any(value in any_json()) {
            let text = value.to_string();
            let json: Json<'_> = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(serde_json::to_string(&json).unwrap(), text.clone());
            let again = json.into_value();
            prop_assert_eq!(again.to_string(), text);
        }
    }
}
