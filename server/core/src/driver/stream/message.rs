//! Claude's and the user's messages, as transcript entries.

use std::borrow::Cow;

use super::notice::{command_output, info};
use super::permission::tool_input;
use crate::driver::json::{LARGEST, array, number, take_text, text, uuid};
use crate::json::{Json, Tree};
use crate::orchestrator::{EntryBody, Fact, MessageId, NoticeLevel};
use crate::text::plain::short_line;

/// Most bytes that are kept of a tool's result: transcripts are for reading, and the output of a tool has no limit.
pub(in crate::driver) const TOOL_RESULT_BYTES: usize = 256 * 1024;

/// Longest name of a kind of block, in characters; the names are words.
const KIND_CHARS: usize = 50;

/// The model of messages that Claude generates itself, for example for an API error. Their usage does not count.
const SYNTHETIC_MODEL: &str = "<synthetic>";

/// Claude's code for a missing login, or one that the API refuses.
pub(in crate::driver) const NO_LOGIN: &str = "authentication_failed";

/// Claude's text, thinking and tool calls. Claude sends one message for each finished block.
pub(super) fn assistant(mut value: Json<'_>) -> Vec<Fact> {
    let parent = Some(take_text(&mut value, "parent_tool_use_id")).filter(|id| !id.is_empty());
    let login_refused = parent.is_none() && text(&value, "error") == NO_LOGIN;
    let Some(mut message) = value.member_mut("message").map(Tree::take) else { return Vec::new() };
    let blocks = content(&mut message);
    let mut facts: Vec<Fact> = blocks
        .into_iter()
        .filter_map(|block| block_of_assistant(block, parent.as_deref()))
        .map(Fact::Entry)
        .collect();
    if parent.is_none() && text(&message, "model") != SYNTHETIC_MODEL {
        facts.extend(context_used(&message).map(Fact::ContextUsed));
    }
    if login_refused {
        facts.push(Fact::LoginRefused);
    }
    facts
}

fn block_of_assistant(mut block: Json<'_>, parent: Option<&str>) -> Option<EntryBody> {
    let parent_tool_use_id = parent.map(str::to_owned);
    match text(&block, "type") {
        "text" => {
            let text = take_text(&mut block, "text");
            (!text.is_empty()).then_some(EntryBody::Text { text, parent_tool_use_id })
        }
        // The thinking of a subagent could not be distinguished from Claude's own.
        "thinking" if parent.is_none() => {
            let text = take_text(&mut block, "thinking");
            (!text.is_empty()).then_some(EntryBody::Thinking { text })
        }
        "tool_use" | "server_tool_use" | "mcp_tool_use" => Some(EntryBody::ToolCall {
            tool_use_id: take_text(&mut block, "id"),
            tool: take_text(&mut block, "name"),
            input: tool_input(&mut block, "input").unwrap_or_default().into_shown(),
            parent_tool_use_id,
        }),
        _ => block_of_user(block),
    }
}

fn context_used(message: &Json<'_>) -> Option<u64> {
    let usage = message.member("usage")?;
    let parts = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens"];
    let used =
        parts.into_iter().filter_map(|part| number(usage, part)).fold(0, u64::saturating_add).min(LARGEST);
    (used > 0).then_some(used)
}

/// The results of tools, and the messages that Claude started. Messages that Claude itself writes as the user are left
/// out: reminders, summaries, prompts of subagents.
pub(super) fn user(mut value: Json<'_>) -> Vec<Fact> {
    let replay = value.is("isReplay");
    let message_id = uuid(&value, "uuid").filter(|_| replay);
    let Some(mut message) = value.member_mut("message").map(Tree::take) else { return Vec::new() };
    let (results, words): (Vec<Json<'_>>, Vec<Json<'_>>) =
        content(&mut message).into_iter().partition(|block| block.member("tool_use_id").is_some());
    let mut facts: Vec<Fact> = results.into_iter().filter_map(block_of_user).map(Fact::Entry).collect();
    let words = joined(words);
    if message_id.is_some() {
        facts.extend(replayed(message_id, words));
    } else if let Some(note) =
        words.strip_prefix('[').filter(|note| note.starts_with("Request interrupted by user"))
    {
        facts.push(info(note.trim_end_matches(']')));
    }
    facts
}

/// A message as Claude repeats it when its turn starts. Claude wraps its own commands, and their output, in elements.
fn replayed(message_id: Option<MessageId>, words: String) -> Option<Fact> {
    if let Some(output) = element(&words, "local-command-stdout") {
        return command_output(NoticeLevel::Info, output);
    }
    if let Some(output) = element(&words, "local-command-stderr") {
        return command_output(NoticeLevel::Warning, output);
    }
    let arguments = words.find("<command-args>").and_then(|begin| element(&words[begin..], "command-args"));
    let text = match element(&words, "command-name") {
        Some(name) => format!("{name} {}", arguments.unwrap_or_default()).trim_end().to_owned(),
        None => words,
    };
    Some(Fact::Entry(EntryBody::User { message_id, text }))
}

/// The content of the element with which the text begins.
fn element<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    let inner = text.strip_prefix(&format!("<{tag}>"))?;
    inner.find(&format!("</{tag}>")).map(|end| &inner[..end])
}

/// The result of a tool. The results of server tools are in Claude's own messages.
fn block_of_user(mut block: Json<'_>) -> Option<EntryBody> {
    let tool_use_id = take_text(&mut block, "tool_use_id");
    if tool_use_id.is_empty() {
        return None;
    }
    let is_error = block.is("is_error");
    let mut text = joined(content(&mut block));
    let truncated = text.len() > TOOL_RESULT_BYTES;
    if truncated {
        text.truncate(text.floor_char_boundary(TOOL_RESULT_BYTES));
        text.shrink_to_fit();
    }
    Some(EntryBody::ToolResult { tool_use_id, is_error, text, truncated })
}

/// The blocks of a message's content, which can also be a bare text or a single block.
fn content<'a>(value: &mut Json<'a>) -> Vec<Json<'a>> {
    match value.member_mut("content").map(Tree::take) {
        Some(Json::Array(blocks)) => blocks,
        Some(content @ Json::Text(_)) => {
            let kind = Json::Text(Cow::Borrowed("text"));
            vec![Json::Object(vec![(Cow::Borrowed("type"), kind), (Cow::Borrowed("text"), content)])]
        }
        Some(content @ Json::Object(_)) => vec![content],
        _ => Vec::new(),
    }
}

/// The texts of blocks, one per line; other blocks are named in brackets.
fn joined(mut blocks: Vec<Json<'_>>) -> String {
    if let [block] = blocks.as_mut_slice()
        && text(block, "type") == "text"
    {
        return take_text(block, "text");
    }
    let texts: Vec<String> = blocks.into_iter().map(block_text).collect();
    texts.join("\n")
}

fn block_text(mut block: Json<'_>) -> String {
    match text(&block, "type") {
        "text" => take_text(&mut block, "text"),
        "web_search_result" => format!("{} {}", text(&block, "title"), text(&block, "url")),
        "document" if !text(&block, "title").is_empty() => format!("[document: {}]", text(&block, "title")),
        "" => array(&block, "content").iter().filter_map(Tree::text).collect(),
        kind => format!("[{}]", short_line(kind, KIND_CHARS)),
    }
}
