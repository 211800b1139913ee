//! The contents of requests to the Messages API.

use serde_json::Value;

/// The contents of the user's last message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum UserContent {
    /// A person's prompt: the start of a turn, or a message that was put into a running turn.
    Prompt(String),
    /// Only tool results.
    Results(Vec<String>),
}

/// Claude puts a message that arrives during a turn between these texts: in the user's last message or, depending on
/// its version, in a system message after it.
const STEERING_MARKERS: (&str, &str) =
    ("The user sent a new message while you were working:\n", "\n\nThis is how Claude Code");

impl UserContent {
    /// Reads the last user message. Messages with the role `system` can follow it, and Claude can add reminders around
    /// the prompt: both are ignored, unless they contain a message that arrived during a turn.
    pub(super) fn of(request: &Value) -> UserContent {
        let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let last = messages.iter().rposition(|message| message["role"] == "user");
        let (content, following) = match last {
            Some(last) => (&messages[last]["content"], &messages[last + 1..]),
            None => (&Value::Null, messages),
        };
        let following = following.iter().map(|message| &message["content"]);
        if let Some(text) = following.chain([content]).find_map(steering_message) {
            return UserContent::Prompt(text);
        }
        if let Some(text) = content.as_str() {
            return UserContent::Prompt(text.trim().to_owned());
        }
        let blocks = content.as_array().map(Vec::as_slice).unwrap_or_default();
        let text =
            blocks.iter().rev().filter_map(|block| block["text"].as_str()).find(|text| !is_reminder(text));
        match text {
            Some(text) => UserContent::Prompt(text.trim().to_owned()),
            None => UserContent::Results(results(blocks)),
        }
    }
}

/// Every text of a request's messages, in order.
pub(super) fn texts(request: &Value) -> Vec<String> {
    let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of_message = |message: &Value| -> Vec<String> {
        let blocks = message["content"].as_array().map(Vec::as_slice).unwrap_or_default();
        let texts = blocks.iter().filter_map(|block| block["text"].as_str());
        message["content"].as_str().into_iter().chain(texts).map(str::to_owned).collect()
    };
    messages.iter().flat_map(of_message).collect()
}

/// The approximate number of tokens in this many bytes of a request; never 0, so that every turn has a cost.
pub(super) fn tokens(bytes: usize) -> usize {
    bytes / 4 + 1
}

fn steering_message(content: &Value) -> Option<String> {
    let texts = content.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut texts = texts.iter().filter_map(|block| block["text"].as_str()).chain(content.as_str());
    let text = texts.find_map(|text| Some(text.split_once(STEERING_MARKERS.0)?.1))?;
    Some(text.split(STEERING_MARKERS.1).next().unwrap_or(text).trim().to_owned())
}

/// The results in the order of the calls, which is the order of their ids. Claude sends them in the order in which the
/// tools finished.
fn results(blocks: &[Value]) -> Vec<String> {
    let mut results: Vec<&Value> = blocks.iter().filter(|block| block["type"] == "tool_result").collect();
    results.sort_by_key(|block| block["tool_use_id"].as_str());
    results.into_iter().map(result_text).collect()
}

fn is_reminder(text: &str) -> bool {
    text.trim_start().starts_with("<system-reminder>")
}

fn result_text(block: &Value) -> String {
    match &block["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_prompt_is_the_last_text_of_the_last_user_message() {
        let request = json!({ "messages": [
            { "role": "user", "content": "first" },
            { "role": "assistant", "content": "answer" },
            { "role": "user", "content": [{ "type": "text", "text": "context" }, { "type": "text", "text": "second" }] },
        ] });
        assert_eq!(UserContent::of(&request), UserContent::Prompt("second".into()));
    }

    #[test]
    fn the_texts_of_a_request_include_those_of_all_roles() {
        let request = json!({ "messages": [
            { "role": "user", "content": "first" },
            { "role": "assistant", "content": [{ "type": "text", "text": "answer" }] },
            { "role": "user", "content": [{ "type": "tool_result", "content": "no text" }] },
        ] });
        assert_eq!(texts(&request), ["first", "answer"]);
    }

    #[test]
    fn system_messages_and_reminders_are_ignored() {
        let request = json!({ "messages": [
            { "role": "user", "content": [
                { "type": "text", "text": "words" },
                { "type": "text", "text": "<system-reminder>\nbe good\n</system-reminder>" },
            ] },
            { "role": "system", "content": "more" },
        ] });
        assert_eq!(UserContent::of(&request), UserContent::Prompt("words".into()));
    }

    #[test]
    fn tool_results_alone_are_not_a_prompt_and_are_in_the_order_of_the_calls() {
        let request = json!({ "messages": [{ "role": "user", "content": [
            { "type": "tool_result", "tool_use_id": "b", "content": [{ "type": "text", "text": "two" }] },
            { "type": "tool_result", "tool_use_id": "a", "content": "one" },
        ] }] });
        assert_eq!(UserContent::of(&request), UserContent::Results(vec!["one".into(), "two".into()]));
    }

    #[test]
    fn a_message_during_a_turn_is_a_prompt() {
        let text = format!("{}words\n\nof mine{} …", STEERING_MARKERS.0, STEERING_MARKERS.1);
        let request = json!({ "messages": [
            { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "a", "content": "one" }] },
            { "role": "system", "content": [{ "type": "text", "text": text }] },
        ] });
        assert_eq!(UserContent::of(&request), UserContent::Prompt("words\n\nof mine".into()));
    }
}
