//! Claude's reports about itself: its state, retries, and events that become notices.

use super::notice::{ERROR_CHARS, block, command_output, info, notice, warning};
use crate::driver::json::{number, take_text, text, uuid};
use crate::json::{Json, Tree};
use crate::orchestrator::{Activity, Fact, NoticeLevel};
use crate::text::plain::short_line;

/// Longest name of a model or a permission mode, in characters. A new Claude gets it as an argument.
const WORD_CHARS: usize = 200;

/// Most characters that are shown of a background task's report; Claude processes the report in the next turn.
const TASK_REPORT_CHARS: usize = 200;

/// The facts in a message of type `system`.
pub(super) fn system(value: &mut Json<'_>) -> Vec<Fact> {
    match take_text(value, "subtype").as_str() {
        "session_state_changed" => activity(value).map(Fact::Activity).into_iter().collect(),
        "init" => {
            let described = described(text(value, "model"), text(value, "permissionMode"));
            conversation(value).into_iter().chain(described).collect()
        }
        "status" => status(value),
        "api_retry" => vec![retrying(value)],
        "compact_boundary" => compacted(value),
        "local_command_output" => {
            command_output(NoticeLevel::Info, text(value, "content")).into_iter().collect()
        }
        "informational" => match text(value, "level") {
            "warning" => block(NoticeLevel::Warning, text(value, "content")),
            "notice" | "suggestion" => block(NoticeLevel::Info, text(value, "content")),
            _ => Vec::new(),
        },
        "notification" => match text(value, "priority") {
            "high" | "immediate" => block(NoticeLevel::Info, text(value, "text")),
            _ => Vec::new(),
        },
        "hook_response" if text(value, "outcome") == "error" => {
            let (name, words) = (text(value, "hook_name"), text(value, "stderr"));
            vec![warning(&format!("Hook {name} failed: {words}"))]
        }
        "permission_denied" => {
            let (tool, message) = (text(value, "tool_name"), text(value, "message"));
            vec![warning(&format!("{tool} was denied without asking: {message}"))]
        }
        "model_refusal_fallback" | "model_refusal_no_fallback" => {
            block(NoticeLevel::Warning, text(value, "content"))
        }
        "task_notification" => {
            let (outcome, summary) =
                (text(value, "status"), short_line(text(value, "summary"), TASK_REPORT_CHARS));
            vec![info(&format!("A background task {outcome}: {summary}"))]
        }
        "session_writes_lost" => {
            let text =
                format!("Claude could not save all of the conversation: {}.", text(value, "error_code"));
            vec![notice(NoticeLevel::Error, short_line(&text, ERROR_CHARS))]
        }
        _ => Vec::new(),
    }
}

/// The conversation to which a line belongs.
pub(super) fn conversation(value: &Json<'_>) -> Option<Fact> {
    uuid(value, "session_id").map(Fact::Conversation)
}

/// The model and the permission mode that Claude reports, each empty if it reports none.
pub(super) fn described(model: &str, permission_mode: &str) -> Option<Fact> {
    let is_word = |text: &String| !text.is_empty() && !text.starts_with('-');
    let word = |text: &str| Some(short_line(text, WORD_CHARS)).filter(is_word);
    let (model, permission_mode) = (word(model), word(permission_mode));
    (model.is_some() || permission_mode.is_some()).then_some(Fact::Described { model, permission_mode })
}

/// A notice about the usage limit of a subscription.
pub(super) fn rate_limit(value: &Json<'_>) -> Option<Fact> {
    let limit = value.member("rate_limit_info")?;
    let which = match text(limit, "rateLimitType") {
        "" => String::new(),
        which => format!(" ({})", which.replace('_', " ")),
    };
    match text(limit, "status") {
        "allowed_warning" => Some(warning(&format!("The usage limit{which} is nearly reached."))),
        "rejected" => Some(notice(
            NoticeLevel::Error,
            short_line(&format!("The usage limit{which} is reached."), ERROR_CHARS),
        )),
        _ => None,
    }
}

fn activity(value: &Json<'_>) -> Option<Activity> {
    match text(value, "state") {
        "idle" => Some(Activity::Idle),
        "running" => Some(Activity::Running),
        "requires_action" => Some(Activity::RequiresAction),
        _ => None,
    }
}

fn status(value: &Json<'_>) -> Vec<Fact> {
    let mut facts: Vec<Fact> = described("", text(value, "permissionMode")).into_iter().collect();
    if text(value, "compact_result") == "failed" {
        facts.push(warning(&format!(
            "The conversation could not be compacted: {}",
            text(value, "compact_error")
        )));
    }
    facts
}

fn retrying(value: &Json<'_>) -> Fact {
    let count =
        |name: &str| number(value, name).and_then(|count| u32::try_from(count).ok()).unwrap_or_default();
    Fact::Retrying {
        attempt: count("attempt"),
        of: count("max_retries"),
        status: number(value, "error_status").and_then(|status| u16::try_from(status).ok()),
        error: short_line(text(value, "error"), ERROR_CHARS),
        delay_ms: number(value, "retry_delay_ms").unwrap_or_default(),
    }
}

fn compacted(value: &Json<'_>) -> Vec<Fact> {
    let sizes = value.member("compact_metadata");
    let before = sizes.and_then(|sizes| number(sizes, "pre_tokens"));
    let after = sizes.and_then(|sizes| number(sizes, "post_tokens"));
    let text = match (before, after) {
        (Some(before), Some(after)) => {
            format!("The conversation was compacted: {before} tokens before, {after} after.")
        }
        (Some(before), None) => format!("The conversation was compacted: {before} tokens before."),
        _ => "The conversation was compacted.".to_owned(),
    };
    [info(&text)].into_iter().chain(after.map(Fact::ContextUsed)).collect()
}
