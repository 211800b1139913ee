//! What Claude's hooks tell, as facts.

use serde::Serialize;
use uuid::Uuid;

use super::ASKING_HOOK;
use crate::driver::json::{parse_whole, repair, take_text, text};
use crate::driver::stream::{Decision, NO_LOGIN, TOOL_RESULT_BYTES, prompt, tool_input, unreadable};
use crate::json::{Json, Tree};
use crate::orchestrator::{EntryBody, Fact, NoticeLevel, Problem, TurnEnd};
use crate::text::plain::{short_block, short_line};

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

/// What a hook prints for Claude, which asked for this decision.
pub(super) fn answer(decision: &Decision) -> Result<Vec<u8>, Problem> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Printed<'a> {
        hook_specific_output: Output<'a>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Output<'a> {
        hook_event_name: &'static str,
        decision: &'a Decision,
    }

    let hook_specific_output = Output { hook_event_name: ASKING_HOOK, decision };
    serde_json::to_vec(&Printed { hook_specific_output }).map_err(|error| unreadable(&error))
}

/// The facts in what a hook told, whose record is at this offset. What is not known is passed over: a newer Claude may tell
/// more.
pub(in crate::driver) fn told(hook: u64, waits: bool, bytes: &[u8]) -> Vec<Fact> {
    if let Some(told) = parse_whole(bytes) {
        return facts(hook, waits, told);
    }
    match parse_whole(repair(bytes).as_bytes()) {
        Some(told) => facts(hook, waits, told),
        None => vec![garbage(bytes)],
    }
}

fn garbage(bytes: &[u8]) -> Fact {
    Fact::Garbage(short_line(&String::from_utf8_lossy(bytes), ERROR_CHARS))
}

fn facts(hook: u64, waits: bool, told: Json<'_>) -> Vec<Fact> {
    // A subagent may have a mode of its own.
    let mode = some_text(&told, "permission_mode").filter(|_| told.member("agent_id").is_none());
    let described = mode.map(|mode| Fact::Described { model: None, permission_mode: Some(mode) });
    described.into_iter().chain(happened(hook, waits, told)).collect()
}

fn happened(hook: u64, waits: bool, mut told: Json<'_>) -> Vec<Fact> {
    match text(&told, "hook_event_name") {
        "SessionStart" => started(&told),
        "UserPromptSubmit" => vec![Fact::PromptSubmitted(take_text(&mut told, "prompt"))],
        "PreToolUse" => vec![Fact::Entry(EntryBody::ToolCall {
            tool_use_id: take_text(&mut told, "tool_use_id"),
            tool: take_text(&mut told, "tool_name"),
            input: tool_input(&mut told, "tool_input").unwrap_or_default().into_shown(),
            parent_tool_use_id: None,
        })],
        "PostToolUse" => tool_ran(&mut told, false),
        "PostToolUseFailure" => tool_ran(&mut told, true),
        ASKING_HOOK if waits => {
            let asked = prompt(prompt_id(hook), told, "tool_input").map(Fact::PermissionRequested);
            vec![asked.unwrap_or_else(|| garbage(ASKING_HOOK.as_bytes()))]
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
        "SessionEnd" if is_quit(text(&told, "reason")) => vec![Fact::Quit],
        _ => Vec::new(),
    }
}

/// Claude begins, or opens another conversation.
fn started(told: &Json<'_>) -> Vec<Fact> {
    let described = Fact::Described { model: some_text(told, "model"), permission_mode: None };
    let conversation = Uuid::parse_str(text(told, "session_id")).ok().map(Fact::Conversation);
    [Some(described), conversation].into_iter().flatten().collect()
}

/// Whether a person ended Claude, rather than a signal or a new conversation.
fn is_quit(reason: &str) -> bool {
    matches!(reason, "prompt_input_exit" | "logout" | "exit")
}

fn tool_ran(told: &mut Json<'_>, is_error: bool) -> Vec<Fact> {
    let tool_use_id = take_text(told, "tool_use_id");
    let error = some_text(told, "error").filter(|_| is_error);
    let response = told.member_mut("tool_response").map(Tree::take).unwrap_or_default();
    let mut text_of_answer = error.unwrap_or_else(|| answer_text(response));
    let truncated = text_of_answer.len() > TOOL_RESULT_BYTES;
    if truncated {
        text_of_answer.truncate(text_of_answer.floor_char_boundary(TOOL_RESULT_BYTES));
    }
    let result = EntryBody::ToolResult { tool_use_id, is_error, text: text_of_answer, truncated };
    let input = tool_input(told, "tool_input").unwrap_or_default();
    let ran = Fact::ToolRan { tool: take_text(told, "tool_name"), input };
    vec![ran, Fact::Entry(result)]
}

/// A tool's answer as text: its words where it has some, else its JSON.
fn answer_text(answer: Json<'_>) -> String {
    if let Json::Text(words) = answer {
        return words.into_owned();
    }
    let parts: Vec<String> =
        ["stdout", "stderr"].iter().filter_map(|part| some_text(&answer, part)).collect();
    if !parts.is_empty() || answer.member("stdout").is_some() {
        return parts.join("\n");
    }
    let content = answer.member("file").and_then(|file| some_text(file, "content"));
    content.unwrap_or_else(|| serde_json::to_string_pretty(&answer.into_value()).unwrap_or_default())
}

fn stopped(told: &Json<'_>, error: Option<String>) -> Vec<Fact> {
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
        error: error.map(|kind| short_block(&words.unwrap_or(kind), ERROR_CHARS)),
        api_status: None,
        cost_total: 0.0,
        context_max: None,
        duration_ms: 0,
    }));
    facts
}

fn some_text(value: &Json<'_>, name: &str) -> Option<String> {
    Some(text(value, name).to_owned()).filter(|text| !text.is_empty())
}
