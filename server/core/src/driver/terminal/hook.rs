//! What Claude's hooks tell, as facts.

use serde_json::Value;
use uuid::Uuid;

use super::ASKING_HOOK;
use crate::driver::plain::{plain, plain_block};
use crate::driver::stream::{NO_LOGIN, TOOL_RESULT_BYTES, prompt};
use crate::orchestrator::{EntryBody, Fact, NoticeLevel, TurnEnd};

/// The ids of prompts that hooks ask begin so; the offset of the hook's record follows.
const PROMPT: &str = "hook-";

/// Characters of an error that are told.
const ERROR_CHARS: usize = 2_000;

/// The id of the prompt that the hook asked whose record is at this offset.
pub(in crate::driver) fn prompt_id(hook: u64) -> String {
    format!("{PROMPT}{hook}")
}

/// The offset of the record of the hook that asked this prompt; none if no hook did.
pub(super) fn number(request_id: &str) -> Option<u64> {
    request_id.strip_prefix(PROMPT)?.parse().ok()
}

/// The facts in what a hook told, whose record is at this offset. What is not known is passed over: a newer Claude may tell
/// more.
pub(in crate::driver) fn told(hook: u64, waits: bool, bytes: &[u8]) -> Vec<Fact> {
    let Ok(mut told) = serde_json::from_slice::<Value>(bytes) else {
        return vec![Fact::Garbage(plain(&String::from_utf8_lossy(bytes), ERROR_CHARS))];
    };
    match text(&told, "hook_event_name").as_str() {
        "SessionStart" => started(&told),
        "UserPromptSubmit" => {
            let permission_mode = some_text(&told, "permission_mode");
            vec![Fact::Described { model: None, permission_mode }, Fact::Prompted(text(&told, "prompt"))]
        }
        "PreToolUse" => vec![Fact::Entry(EntryBody::ToolCall {
            tool_use_id: text(&told, "tool_use_id"),
            tool: text(&told, "tool_name"),
            input: take(&mut told, "tool_input"),
            parent_tool_use_id: None,
        })],
        "PostToolUse" => tool_ran(&mut told, false),
        "PostToolUseFailure" => tool_ran(&mut told, true),
        ASKING_HOOK if waits => {
            let input = take(&mut told, "tool_input");
            vec![Fact::Asked(prompt(prompt_id(hook), told, input))]
        }
        "PostCompact" => vec![Fact::Entry(EntryBody::Notice {
            level: NoticeLevel::Info,
            text: "The conversation was compacted.".to_owned(),
        })],
        "Stop" => stopped(&told, None),
        "StopFailure" => {
            let error = some_text(&told, "error").unwrap_or_else(|| "unknown".to_owned());
            stopped(&told, Some(error))
        }
        "SessionEnd" if is_quit(&text(&told, "reason")) => vec![Fact::Quit],
        _ => Vec::new(),
    }
}

/// Claude begins, or goes on under another id of the conversation.
fn started(told: &Value) -> Vec<Fact> {
    let described = Fact::Described { model: some_text(told, "model"), permission_mode: None };
    let conversation = Uuid::parse_str(&text(told, "session_id")).ok().map(Fact::ConversationReset);
    [Some(described), conversation].into_iter().flatten().collect()
}

/// Whether a person ended Claude, rather than a signal or a new conversation.
fn is_quit(reason: &str) -> bool {
    matches!(reason, "prompt_input_exit" | "logout" | "exit")
}

fn tool_ran(told: &mut Value, is_error: bool) -> Vec<Fact> {
    let tool_use_id = text(told, "tool_use_id");
    let answer = if is_error { some_text(told, "error").map(Value::String) } else { None };
    let answer = answer.unwrap_or_else(|| take(told, "tool_response"));
    let mut text_of_answer = answer_text(answer);
    let truncated = text_of_answer.len() > TOOL_RESULT_BYTES;
    if truncated {
        text_of_answer.truncate(text_of_answer.floor_char_boundary(TOOL_RESULT_BYTES));
    }
    let result = EntryBody::ToolResult { tool_use_id, is_error, text: text_of_answer, truncated };
    let ran = Fact::ToolRan { tool: text(told, "tool_name"), input: take(told, "tool_input") };
    vec![ran, Fact::Entry(result)]
}

/// A tool's answer as text: its words where it has some, else its JSON.
fn answer_text(answer: Value) -> String {
    if let Value::String(words) = answer {
        return words;
    }
    let parts: Vec<String> =
        ["stdout", "stderr"].iter().filter_map(|part| some_text(&answer, part)).collect();
    if !parts.is_empty() || answer.get("stdout").is_some() {
        return parts.join("\n");
    }
    let content = answer.get("file").and_then(|file| some_text(file, "content"));
    content.unwrap_or_else(|| serde_json::to_string_pretty(&answer).unwrap_or_default())
}

fn stopped(told: &Value, error: Option<String>) -> Vec<Fact> {
    let words = some_text(told, "last_assistant_message");
    let mut facts = Vec::new();
    if error.as_deref() == Some(NO_LOGIN) {
        facts.push(Fact::LoginRefused);
    }
    let said = words.clone().filter(|_| error.is_none());
    facts.extend(said.map(|text| Fact::Entry(EntryBody::Text { text, parent_tool_use_id: None })));
    let outcome = if error.is_some() { "error_during_execution" } else { "success" };
    facts.push(Fact::TurnEnded(TurnEnd {
        messages: Vec::new(),
        ok: error.is_none(),
        outcome: outcome.to_owned(),
        error: error.map(|kind| plain_block(&words.unwrap_or(kind), ERROR_CHARS)),
        api_status: None,
        cost_total: 0.0,
        context_max: None,
        duration_ms: 0,
    }));
    facts
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn some_text(value: &Value, name: &str) -> Option<String> {
    Some(text(value, name)).filter(|text| !text.is_empty())
}

fn take(value: &mut Value, name: &str) -> Value {
    value.get_mut(name).map(Value::take).unwrap_or_default()
}
