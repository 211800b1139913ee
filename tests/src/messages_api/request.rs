//! What a request to the Messages API asks for.

use serde_json::Value;

/// What the last message of the user says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Words of a person: the beginning of a turn, or a message that was put into a running one.
    Prompt(String),
    /// The results of the tools that were called, and nothing else.
    Results(Vec<String>),
}

/// Claude puts a message that came in the middle of a turn between these words: in the user's last message or, depending
/// on its version, in a system message after it.
const STEERED: (&str, &str) =
    ("The user sent a new message while you were working:\n", "\n\nThis is how Claude Code");

impl Asked {
    /// Messages of the role `system` may follow the user's, and reminders that Claude adds may surround the words:
    /// both are passed over, unless they are how Claude hands on a message in the middle of a turn.
    pub(super) fn of(request: &Value) -> Asked {
        let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let last = messages.iter().rposition(|message| message["role"] == "user");
        let (content, following) = match last {
            Some(last) => (&messages[last]["content"], &messages[last + 1..]),
            None => (&Value::Null, messages),
        };
        let following = following.iter().map(|message| &message["content"]);
        if let Some(words) = following.chain([content]).find_map(steered) {
            return Asked::Prompt(words);
        }
        if let Some(text) = content.as_str() {
            return Asked::Prompt(text.trim().to_owned());
        }
        let blocks = content.as_array().map(Vec::as_slice).unwrap_or_default();
        let words =
            blocks.iter().rev().filter_map(|block| block["text"].as_str()).find(|text| !is_reminder(text));
        match words {
            Some(words) => Asked::Prompt(words.trim().to_owned()),
            None => Asked::Results(results(blocks)),
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

/// About as many tokens as that many bytes of a request are; never 0, so that every turn costs something.
pub(super) fn tokens(bytes: usize) -> usize {
    bytes / 4 + 1
}

fn steered(content: &Value) -> Option<String> {
    let texts = content.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut texts = texts.iter().filter_map(|block| block["text"].as_str()).chain(content.as_str());
    let words = texts.find_map(|text| Some(text.split_once(STEERED.0)?.1))?;
    Some(words.split(STEERED.1).next().unwrap_or(words).trim().to_owned())
}

/// In the order of the calls, which their ids show: they come in the order in which the tools were done.
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
        assert_eq!(Asked::of(&request), Asked::Prompt("second".into()));
    }

    #[test]
    fn the_texts_of_a_request_are_those_of_everybody() {
        let request = json!({ "messages": [
            { "role": "user", "content": "first" },
            { "role": "assistant", "content": [{ "type": "text", "text": "answer" }] },
            { "role": "user", "content": [{ "type": "tool_result", "content": "no text" }] },
        ] });
        assert_eq!(texts(&request), ["first", "answer"]);
    }

    #[test]
    fn system_messages_and_reminders_are_passed_over() {
        let request = json!({ "messages": [
            { "role": "user", "content": [
                { "type": "text", "text": "words" },
                { "type": "text", "text": "<system-reminder>\nbe good\n</system-reminder>" },
            ] },
            { "role": "system", "content": "more" },
        ] });
        assert_eq!(Asked::of(&request), Asked::Prompt("words".into()));
    }

    #[test]
    fn results_of_tools_alone_are_no_prompt_and_come_in_the_order_of_the_calls() {
        let request = json!({ "messages": [{ "role": "user", "content": [
            { "type": "tool_result", "tool_use_id": "b", "content": [{ "type": "text", "text": "two" }] },
            { "type": "tool_result", "tool_use_id": "a", "content": "one" },
        ] }] });
        assert_eq!(Asked::of(&request), Asked::Results(vec!["one".into(), "two".into()]));
    }

    #[test]
    fn a_message_in_the_middle_of_a_turn_is_a_prompt() {
        let text = format!("{}words\n\nof mine{} …", STEERED.0, STEERED.1);
        let request = json!({ "messages": [
            { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "a", "content": "one" }] },
            { "role": "system", "content": [{ "type": "text", "text": text }] },
        ] });
        assert_eq!(Asked::of(&request), Asked::Prompt("words\n\nof mine".into()));
    }
}
