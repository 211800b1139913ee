//! Claude's output as facts.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use uuid::Uuid;

use super::notice::{ERROR_CHARS, info};
use super::{INITIALIZE_PREFIX, REQUEST_PREFIX, message, permission, system};
use crate::driver::json::{array, number, parse, repair, take_array, take_text, text, uuid};
use crate::json::{Json, Tree};
use crate::orchestrator::{Fact, Stage, TurnEnd, Written};
use crate::text::plain::{short_block, short_line};

/// Most characters that are kept of a line that is not JSON.
const GARBAGE_CHARS: usize = 200;

/// The beginning of nearly every line while Claude writes. Such a line is parsed no further than necessary.
const STREAM_EVENT: &[u8] = br#"{"type":"stream_event""#;

/// The facts in one line of Claude's output. Blank lines and unknown messages have none.
pub fn decode(line: &[u8]) -> Vec<Fact> {
    let line = line.trim_ascii();
    if line.is_empty() {
        return Vec::new();
    }
    if line.starts_with(STREAM_EVENT)
        && let Ok(line) = std::str::from_utf8(line)
        && let Ok(event) = serde_json::from_str::<StreamEvent<'_>>(line)
    {
        return event.fact().into_iter().collect();
    }
    if let Some(value) = parse(line) {
        return facts(value);
    }
    match parse(repair(line).as_bytes()) {
        Some(value) => facts(value),
        None => vec![garbage(line)],
    }
}

fn facts(mut value: Json<'_>) -> Vec<Fact> {
    match text(&value, "type") {
        "stream_event" => stream_event(&mut value).into_iter().collect(),
        "assistant" => message::assistant(value),
        "user" => message::user(value),
        "system" => system::system(&mut value),
        "result" => {
            let ended = Fact::TurnEnded(turn_end(&value));
            system::conversation(&value).into_iter().chain([ended]).collect()
        }
        "command_lifecycle" => lifecycle(&value).into_iter().collect(),
        "control_request" => control_request(value).into_iter().collect(),
        "control_response" => control_response(&mut value),
        "control_cancel_request" => {
            vec![Fact::PermissionWithdrawn { request_id: take_text(&mut value, "request_id") }]
        }
        "rate_limit_event" => system::rate_limit(&value).into_iter().collect(),
        // Its `new_conversation_id` is not the id of the new conversation, which comes with the next `init`.
        "conversation_reset" => vec![info("The conversation was cleared.")],
        _ => Vec::new(),
    }
}

/// A line that is not what Claude's protocol allows.
pub(in crate::driver) fn garbage(line: &[u8]) -> Fact {
    // A character has at most four bytes, and escape sequences, which are removed, need some more. The rest of a long
    // line can be skipped.
    let beginning = &line[..line.len().min(GARBAGE_CHARS * 16)];
    Fact::Garbage(short_line(&String::from_utf8_lossy(beginning), GARBAGE_CHARS))
}

/// What a line is that AreYouJ wrote to Claude.
pub fn decode_input(line: &[u8]) -> Written {
    match parse(line) {
        Some(value) => written(value),
        None => parse(repair(line).as_bytes()).map_or(Written::Other, written),
    }
}

/// Whether a line that was written to Claude only asks it to describe itself or to stop, or refuses a request.
pub fn is_harmless(line: &[u8]) -> bool {
    let Some(value) = parse(line) else { return false };
    match text(&value, "type") {
        "control_request" => {
            let subtype = value.member("request").map(|request| text(request, "subtype"));
            matches!(subtype, Some("initialize" | "interrupt"))
        }
        "control_response" => {
            value.member("response").is_some_and(|response| text(response, "subtype") == "error")
        }
        _ => false,
    }
}

fn written(mut value: Json<'_>) -> Written {
    match text(&value, "type") {
        "user" => uuid(&value, "uuid").map_or(Written::Other, Written::Message),
        "control_response" => {
            let Some(response) = value.member_mut("response") else { return Written::Other };
            let answer = response.member("response").map(|answer| text(answer, "behavior"));
            match (text(response, "subtype"), answer) {
                ("success", Some("allow" | "deny")) => {
                    Written::Answer { request_id: take_text(response, "request_id") }
                }
                _ => Written::Other,
            }
        }
        _ => Written::Other,
    }
}

#[derive(Deserialize)]
struct StreamEvent<'a> {
    #[serde(borrow)]
    event: Event<'a>,
    #[serde(default)]
    parent_tool_use_id: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(default)]
    text: String,
    #[serde(default)]
    thinking: String,
}

impl StreamEvent<'_> {
    fn fact(self) -> Option<Fact> {
        let delta = self.event.delta.filter(|_| self.event.kind == "content_block_delta")?;
        let (thinking, text) = match &*delta.kind {
            "text_delta" => (false, delta.text),
            "thinking_delta" => (true, delta.thinking),
            _ => return None,
        };
        let of_subagent = self.parent_tool_use_id.is_some();
        (!of_subagent && !text.is_empty()).then_some(Fact::Delta { thinking, text })
    }
}

/// The same for a line that does not begin as expected.
fn stream_event(value: &mut Json<'_>) -> Option<Fact> {
    let of_subagent = value.member("parent_tool_use_id").is_some_and(|parent| *parent != Json::Null);
    let event = value.member_mut("event")?;
    if of_subagent || text(event, "type") != "content_block_delta" {
        return None;
    }
    let delta = event.member_mut("delta")?;
    let (thinking, text) = match text(delta, "type") {
        "text_delta" => (false, take_text(delta, "text")),
        "thinking_delta" => (true, take_text(delta, "thinking")),
        _ => return None,
    };
    (!text.is_empty()).then_some(Fact::Delta { thinking, text })
}

fn lifecycle(value: &Json<'_>) -> Option<Fact> {
    let stage = match text(value, "state") {
        "queued" => Stage::Queued,
        "started" => Stage::Started,
        "completed" => Stage::Completed,
        // The other ends of a message whose turn did not complete.
        "cancelled" | "discarded" | "refused" => Stage::Cancelled,
        _ => return None,
    };
    Some(Fact::Lifecycle { message: uuid(value, "command_uuid")?, stage })
}

fn control_request(value: Json<'_>) -> Option<Fact> {
    let subtype = value.member("request").map(|request| text(request, "subtype")).unwrap_or_default();
    let (request_id, subtype) = (text(&value, "request_id").to_owned(), short_line(subtype, GARBAGE_CHARS));
    if request_id.is_empty() {
        return None;
    }
    let asked = permission::ask(value).map(Fact::PermissionRequested);
    Some(asked.unwrap_or(Fact::Unsupported { request_id, subtype }))
}

/// The response to one of our requests. Claude echoes our own responses too, which have Claude's ids.
fn control_response(value: &mut Json<'_>) -> Vec<Fact> {
    let Some(response) = value.member_mut("response") else { return Vec::new() };
    let request_id = take_text(response, "request_id");
    if !request_id.starts_with(REQUEST_PREFIX) {
        return Vec::new();
    }
    if text(response, "subtype") != "success" {
        let message = short_block(text(response, "error"), ERROR_CHARS);
        return vec![Fact::ControlFailed { request_id, message }];
    }
    // The response names what is in effect, which can differ from the request.
    let described = response.member("response").and_then(|answer| {
        let mode = ["current_permission_mode", "mode"].map(|name| text(answer, name)).concat();
        system::described(text(answer, "model"), &mode)
    });
    if !request_id.starts_with(INITIALIZE_PREFIX) {
        return described.into_iter().chain([Fact::ControlDone { request_id }]).collect();
    }
    let pending = take_array(response, "pending_permission_requests");
    let ready = Fact::Ready { pending: pending.into_iter().filter_map(permission::ask).collect() };
    // The mode comes first: a Claude that is ready gets messages.
    described.into_iter().chain([ready]).collect()
}

fn turn_end(value: &Json<'_>) -> TurnEnd {
    let outcome = text(value, "subtype").to_owned();
    let ok = !value.is("is_error") && outcome == "success";
    let messages = array(value, "user_message_uuids").iter().filter_map(Tree::text);
    let models: &[_] = match value.member("modelUsage") {
        Some(Json::Object(models)) => models,
        _ => &[],
    };
    TurnEnd {
        messages: messages.filter_map(|id| Uuid::parse_str(id).ok()).collect(),
        ok,
        error: if ok { None } else { turn_error(value) },
        outcome,
        api_status: number(value, "api_error_status").and_then(|status| u16::try_from(status).ok()),
        cost_total: value
            .member("total_cost_usd")
            .and_then(|cost| cost.number()?.as_f64())
            .unwrap_or_default(),
        context_max: models.iter().filter_map(|(_, model)| number(model, "contextWindow")).max(),
        duration_ms: number(value, "duration_ms").unwrap_or_default(),
    }
}

/// Why a turn failed. The errors of an interrupted turn are diagnostics for the developers of Claude, and are left out.
fn turn_error(value: &Json<'_>) -> Option<String> {
    let interrupted = text(value, "terminal_reason").starts_with("aborted");
    let errors = array(value, "errors").iter().filter_map(Tree::text);
    let errors = errors.filter(|error| !(interrupted && error.starts_with("[ede_diagnostic]")));
    let texts: Vec<&str> =
        [text(value, "result")].into_iter().chain(errors).filter(|text| !text.is_empty()).collect();
    let error = short_block(&texts.join("\n"), ERROR_CHARS);
    (!error.is_empty()).then_some(error)
}
