//! The input of a tool: what people see of it, and what Claude gets back.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::json::{Json, LEVELS};

/// What Claude wants to call a tool with.
///
/// Claude can nest it to any depth. Clients see at most [`LEVELS`] of it, the rest as text; an answer returns the
/// whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolInput {
    shown: Value,
    /// Its text, if [`ToolInput::shown`] is not the same.
    whole: Option<String>,
}

impl ToolInput {
    /// Reads its text.
    ///
    /// # Errors
    /// Text that is not JSON.
    pub fn parse(text: &str) -> serde_json::Result<ToolInput> {
        let json: Json<'_> = serde_json::from_str(text)?;
        let whole = json.is_deep().then(|| text.to_owned());
        Ok(ToolInput { shown: json.into_value(), whole })
    }

    /// Takes a part of something larger, of which fewer levels may have been read than it can show.
    pub(crate) fn take(json: Json<'_>) -> serde_json::Result<ToolInput> {
        if json.is_deep() {
            return ToolInput::parse(&serde_json::to_string(&json)?);
        }
        Ok(ToolInput { shown: json.into_value(), whole: None })
    }

    /// What people see.
    pub fn shown(&self) -> &Value {
        &self.shown
    }

    /// What people see, for the transcript.
    pub fn into_shown(self) -> Value {
        self.shown
    }

    /// The text of the whole.
    pub fn text(&self) -> Cow<'_, str> {
        match &self.whole {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(self.shown.to_string()),
        }
    }

    /// The whole, to be written as part of something larger.
    pub(crate) fn raw(&self) -> serde_json::Result<Box<RawValue>> {
        RawValue::from_string(self.text().into_owned())
    }

    /// The whole with this member besides or in place of the one of that name; only this member if it is not an object.
    pub(crate) fn raw_with(&self, name: &str, value: &Value) -> serde_json::Result<Box<RawValue>> {
        let (text, value) = (self.text(), value.to_string());
        let mut members = match serde_json::from_str(&text)? {
            Json::Object(members) => members,
            _ => Vec::new(),
        };
        members.retain(|(known, _)| known != name);
        members.push((name.into(), serde_json::from_str(&value)?));
        serde_json::value::to_raw_value(&Json::Object(members))
    }
}

/// Reads the rules that Claude suggests, as they are stored. Those that are too deep to be shown are left out: older
/// versions stored them.
///
/// # Errors
/// Text that is not an array.
pub fn rules(text: &str) -> serde_json::Result<Vec<Value>> {
    let rules: Vec<Json<'_>> = serde_json::from_str(text)?;
    Ok(rules.into_iter().filter(|rule| !rule.is_deep()).map(Json::into_value).collect())
}

/// Reads the input of a tool call from a transcript. Rows of older versions can be deeper than clients can read.
pub(super) fn shown<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    let input = Value::deserialize(deserializer)?;
    if fits(&input, LEVELS) {
        return Ok(input);
    }
    ToolInput::parse(&input.to_string()).map(ToolInput::into_shown).map_err(serde::de::Error::custom)
}

/// Whether it has at most so many levels.
fn fits(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(elements) => levels > 0 && elements.iter().all(|element| fits(element, levels - 1)),
        Value::Object(members) => levels > 0 && members.values().all(|member| fits(member, levels - 1)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// An object in an object, so many levels deep.
    fn nested(levels: usize) -> String {
        format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels))
    }

    #[test]
    fn people_see_its_levels_and_claude_gets_the_whole_back() {
        for levels in [0, 1, LEVELS, LEVELS + 1, 124, 125, 128, 50_000] {
            let text = nested(levels);
            let input = ToolInput::parse(&text).unwrap();
            assert_eq!((input.text(), input.raw().unwrap().get()), (text.as_str().into(), text.as_str()));
            let shown = input.shown().to_string();
            assert_eq!(shown == text, levels <= LEVELS, "{levels}");
            assert_eq!(shown.contains("deeper than 64 levels"), levels > LEVELS, "{levels}");
            let again = ToolInput::parse(&input.text()).unwrap();
            assert_eq!(again, input, "the same after the store had it");
        }
    }

    #[test]
    fn a_part_of_a_line_shows_as_much_as_when_it_stands_alone() {
        for levels in [1, LEVELS - 1, LEVELS, LEVELS + 1, 1_000] {
            let line = format!(r#"{{"request":{{"input":{}}}}}"#, nested(levels));
            let mut json: Json<'_> = serde_json::from_str(&line).unwrap();
            let input = ["request", "input"]
                .iter()
                .try_fold(&mut json, |json, name| crate::json::Tree::member_mut(json, name));
            let input = ToolInput::take(std::mem::take(input.unwrap())).unwrap();
            assert_eq!(input, ToolInput::parse(&nested(levels)).unwrap(), "{levels}");
        }
    }

    #[test]
    fn answers_join_the_whole() {
        let input = ToolInput::parse(r#"{"answers":1,"b":2}"#).unwrap();
        assert_eq!(
            input.raw_with("answers", &json!({"q": "a"})).unwrap().get(),
            r#"{"b":2,"answers":{"q":"a"}}"#
        );
        let deep = format!(r#"{{"b":{}}}"#, nested(1_000));
        let input = ToolInput::parse(&deep).unwrap();
        let expected = format!(r#"{{"b":{},"answers":3}}"#, nested(1_000));
        assert_eq!(input.raw_with("answers", &json!(3)).unwrap().get(), expected);
        assert_eq!(ToolInput::default().raw_with("answers", &json!(3)).unwrap().get(), r#"{"answers":3}"#);
    }
}
