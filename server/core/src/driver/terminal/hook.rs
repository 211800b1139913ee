//! The reports of Claude's hooks, as facts.

use serde::Serialize;
use uuid::Uuid;

use super::ASKING_HOOK;
use crate::driver::json::{parse_whole, repair, take_text, text};
use crate::driver::stream::{
    Decision, NO_LOGIN, TOOL_RESULT_BYTES, permission_request, tool_input, unreadable,
};
use crate::json::{Json, Tree};
use crate::orchestrator::{EntryBody, Fact, NoticeLevel, Problem, TurnEnd};
use crate::text::plain::{short_block, short_line};

/// The beginning of the id of a permission request that a hook makes; the offset of the hook's record follows.
const REQUEST_PREFIX: &str = "hook-";

/// Most characters of an error.
const ERROR_CHARS: usize = 2_000;

/// The id of the permission request of the hook whose record is at this offset.
pub(in crate::driver) fn request_id_of(hook: u64) -> String {
    format!("{REQUEST_PREFIX}{hook}")
}

/// The offset of the record of the hook that made this permission request; `None` if no hook made it.
pub(super) fn number(request_id: &str) -> Option<u64> {
    request_id.strip_prefix(REQUEST_PREFIX)?.parse().ok()
}

/// The output of a hook: the decision, for Claude.
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

/// The facts in the report of a hook whose record is at this offset. Unknown reports are ignored: a newer Claude can
/// have more.
pub(in crate::driver) fn decode_hook(hook: u64, waits: bool, bytes: &[u8]) -> Vec<Fact> {
    if let Some(report) = parse_whole(bytes) {
        return facts(hook, waits, report);
    }
    match parse_whole(repair(bytes).as_bytes()) {
        Some(report) => facts(hook, waits, report),
        None => vec![garbage(bytes)],
    }
}

fn garbage(bytes: &[u8]) -> Fact {
    Fact::Garbage(short_line(&String::from_utf8_lossy(bytes), ERROR_CHARS))
}

fn facts(hook: u64, waits: bool, report: Json<'_>) -> Vec<Fact> {
    // A subagent can have its own mode.
    let mode = some_text(&report, "permission_mode").filter(|_| report.member("agent_id").is_none());
    let described = mode.map(|mode| Fact::Described { model: None, permission_mode: Some(mode) });
    described.into_iter().chain(happened(hook, waits, report)).collect()
}

fn happened(hook: u64, waits: bool, mut report: Json<'_>) -> Vec<Fact> {
    match text(&report, "hook_event_name") {
        "SessionStart" => started(&report),
        "UserPromptSubmit" => vec![Fact::PromptSubmitted(take_text(&mut report, "prompt"))],
        "PreToolUse" => vec![Fact::Entry(EntryBody::ToolCall {
            tool_use_id: take_text(&mut report, "tool_use_id"),
            tool: take_text(&mut report, "tool_name"),
            input: tool_input(&mut report, "tool_input").unwrap_or_default().into_shown(),
            parent_tool_use_id: None,
        })],
        "PostToolUse" => tool_ran(&mut report, false),
        "PostToolUseFailure" => tool_ran(&mut report, true),
        ASKING_HOOK if waits => {
            let asked =
                permission_request(request_id_of(hook), report, "tool_input").map(Fact::PermissionRequested);
            vec![asked.unwrap_or_else(|| garbage(ASKING_HOOK.as_bytes()))]
        }
        "PostCompact" => vec![Fact::Entry(EntryBody::Notice {
            level: NoticeLevel::Info,
            text: "The conversation was compacted.".to_owned(),
        })],
        "Stop" => stopped(&report, None),
        "StopFailure" => {
            let error = some_text(&report, "error").unwrap_or_else(|| "unknown".to_owned());
            stopped(&report, Some(error))
        }
        "SessionEnd" if is_quit(text(&report, "reason")) => vec![Fact::Quit],
        _ => Vec::new(),
    }
}

/// Claude starts, or opens another conversation.
fn started(report: &Json<'_>) -> Vec<Fact> {
    let described = Fact::Described { model: some_text(report, "model"), permission_mode: None };
    let conversation = Uuid::parse_str(text(report, "session_id")).ok().map(Fact::Conversation);
    [Some(described), conversation].into_iter().flatten().collect()
}

/// Whether a person ended Claude; otherwise a signal did, or a new conversation began.
fn is_quit(reason: &str) -> bool {
    matches!(reason, "prompt_input_exit" | "logout" | "exit")
}

fn tool_ran(report: &mut Json<'_>, is_error: bool) -> Vec<Fact> {
    let tool_use_id = take_text(report, "tool_use_id");
    let error = some_text(report, "error").filter(|_| is_error);
    let response = report.member_mut("tool_response").map(Tree::take).unwrap_or_default();
    let mut text_of_answer = error.unwrap_or_else(|| answer_text(response));
    let truncated = text_of_answer.len() > TOOL_RESULT_BYTES;
    if truncated {
        text_of_answer.truncate(text_of_answer.floor_char_boundary(TOOL_RESULT_BYTES));
    }
    let result = EntryBody::ToolResult { tool_use_id, is_error, text: text_of_answer, truncated };
    let input = tool_input(report, "tool_input").unwrap_or_default();
    let ran = Fact::ToolRan { tool: take_text(report, "tool_name"), input };
    vec![ran, Fact::Entry(result)]
}

/// A tool's result as text: its texts if it has any, else its JSON.
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

fn stopped(report: &Json<'_>, error: Option<String>) -> Vec<Fact> {
    let words = some_text(report, "last_assistant_message");
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
