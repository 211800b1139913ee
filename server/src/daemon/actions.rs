//! What any editor can do with AreYouJ, without an extension for it: code actions that send code to sessions, and the
//! commands behind them.

use std::fmt::Write as _;
use std::sync::Arc;

use areyouj_protocol as wire;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use super::commands::{create, message_id, session_of};
use super::connection::Peer;
use super::editor;
use super::shared::Shared;
use crate::lsp::{self, path_of_uri};
use areyouj_core::orchestrator::{Idempotent, Operation, Problem, SessionOperation};
use areyouj_core::text::plain;

/// Sessions that a menu offers: the nearest ones.
const MAX_TARGETS: usize = 5;

/// Diagnostics that are sent at once.
const MAX_DIAGNOSTICS: usize = 200;

/// The kind of actions that are about diagnostics.
const QUICK_FIX: &str = "quickfix";

/// What is selected in an editor.
pub(super) struct Selection {
    uri: String,
    range: Value,
    diagnostics: Vec<Value>,
    /// Which kinds of actions are wanted; any if there are none.
    only: Vec<String>,
    folders: Vec<String>,
}

impl Selection {
    pub(super) fn new(params: wire::CodeActionParams, folders: Vec<String>) -> Selection {
        let context = serde_json::to_value(&params.context).unwrap_or_default();
        let list = |name: &str| context[name].as_array().cloned().unwrap_or_default();
        Selection {
            uri: params.text_document.uri,
            range: serde_json::to_value(&params.range).unwrap_or_default(),
            diagnostics: list("diagnostics").into_iter().take(MAX_DIAGNOSTICS).collect(),
            only: list("only").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            folders,
        }
    }

    /// What can be done with it, for the nearest of these sessions: those in whose directory the document is, then those of
    /// the editor's folders, then all others; each newest first.
    pub(super) fn actions(&self, sessions: &[wire::Session]) -> Vec<wire::CodeAction> {
        let path = path_of_uri(&self.uri).unwrap_or_default();
        let mut near: Vec<&wire::Session> =
            sessions.iter().filter(|session| session.status != wire::Status::Terminated).collect();
        near.sort_by_key(|session| {
            let holds = path.strip_prefix(&session.directory).is_some_and(|rest| rest.starts_with('/'));
            (!holds, !self.folders.contains(&session.directory))
        });
        let mut actions = Vec::new();
        for session in near.into_iter().take(MAX_TARGETS) {
            let name = plain::line(&editor::named(session));
            let target = json!({ "sessionId": session.id, "messageId": Uuid::new_v4(), "uri": self.uri });
            if !self.diagnostics.is_empty() && self.wants(Some(QUICK_FIX)) {
                let mut arguments = target.clone();
                arguments["diagnostics"] = json!(self.diagnostics);
                let title = format!("Send diagnostics to Claude session {name}");
                actions.push(action(title, Some(QUICK_FIX), lsp::SEND_DIAGNOSTICS, arguments));
            }
            if self.range["start"] != self.range["end"] && self.wants(None) {
                let mut arguments = target;
                arguments["range"] = self.range.clone();
                arguments["messageId"] = json!(Uuid::new_v4());
                let title = format!("Send selection to Claude session {name}");
                actions.push(action(title, None, lsp::SEND_SELECTION, arguments));
            }
        }
        actions
    }

    fn wants(&self, kind: Option<&str>) -> bool {
        self.only.is_empty() || kind.is_some_and(|kind| self.only.iter().any(|only| only == kind))
    }
}

fn action(title: String, kind: Option<&str>, command: &str, arguments: Value) -> wire::CodeAction {
    // What was read as JSON can be written as JSON.
    let arguments = serde_json::from_value(arguments).unwrap_or_default();
    let command =
        wire::EditorCommand { title: title.clone(), command: command.to_owned(), arguments: vec![arguments] };
    wire::CodeAction { title, kind: kind.map(str::to_owned), command }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewSession {
    request_id: Option<String>,
    directory: Option<String>,
    name: Option<String>,
    message: Option<String>,
    message_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Send {
    session_id: Option<String>,
    message_id: Option<String>,
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SendSelection {
    session_id: Option<String>,
    message_id: Option<String>,
    uri: String,
    range: Value,
    /// Missing if neither the editor nor the disk has it.
    text: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SendDiagnostics {
    session_id: Option<String>,
    message_id: Option<String>,
    uri: String,
    diagnostics: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OnSession {
    request_id: Option<String>,
    session_id: Option<String>,
}

/// The orchestrator's operation for a command of an editor.
pub(super) async fn execute(
    params: wire::ExecuteCommandParams,
    peer: &Peer,
    shared: &Arc<Shared>,
) -> Result<Operation, Problem> {
    let arguments = params.arguments.first().map(serde_json::to_value);
    let arguments = arguments.and_then(Result::ok).unwrap_or_else(|| json!({}));
    let send = |session_id: Option<String>, message_id: Option<String>, text: String| {
        Ok(Operation::Send {
            session: session_of(session_id, peer),
            id: id_of(message_id)?,
            text,
            steer: false,
        })
    };
    let on_session = |given: OnSession, operation| {
        let request_id = given.request_id.unwrap_or_else(|| Uuid::new_v4().to_string());
        let target = session_of(given.session_id, peer);
        Ok(Operation::Session(Idempotent { request_id, target }, operation))
    };
    match params.command.as_str() {
        lsp::NEW_SESSION => {
            let given: NewSession = read(arguments)?;
            let directory = given.directory.or_else(|| peer.folders.first().cloned()).ok_or_else(|| {
                invalid("No directory was named, and the editor has no folder open.", "Name a `directory`.")
            })?;
            let id = given.message_id.unwrap_or_else(|| Uuid::new_v4().to_string());
            let messages = given.message.into_iter().map(|text| wire::NewMessage { id: id.clone(), text });
            let params = wire::SessionCreateParams {
                request_id: given.request_id.unwrap_or_else(|| Uuid::new_v4().to_string()),
                directory,
                environment: params.environment,
                name: given.name,
                driver: wire::Driver::default(),
                model: None,
                permission_mode: None,
                messages: messages.collect(),
            };
            create(params, shared).await
        }
        lsp::SEND => {
            let given: Send = read(arguments)?;
            send(given.session_id, given.message_id, given.text)
        }
        lsp::SEND_SELECTION => {
            let given: SendSelection = read(arguments)?;
            let text = given.text.ok_or_else(|| {
                invalid("What is selected cannot be read.", "Save the document to a file first, as UTF-8.")
            })?;
            send(given.session_id, given.message_id, selection(&given.uri, &given.range, &text))
        }
        lsp::SEND_DIAGNOSTICS => {
            let given: SendDiagnostics = read(arguments)?;
            send(given.session_id, given.message_id, diagnostics(&given.uri, &given.diagnostics))
        }
        lsp::INTERRUPT => on_session(read(arguments)?, SessionOperation::Interrupt),
        lsp::TERMINATE => on_session(read(arguments)?, SessionOperation::Terminate),
        other => Err(invalid(
            &format!("There is no command \"{}\".", plain::line(other)),
            "See PROTOCOL.md for the commands.",
        )),
    }
}

fn read<T: DeserializeOwned>(arguments: Value) -> Result<T, Problem> {
    serde_json::from_value(arguments).map_err(|error| super::commands::invalid_params(&error))
}

fn id_of(given: Option<String>) -> Result<areyouj_core::orchestrator::MessageId, Problem> {
    message_id(&given.unwrap_or_else(|| Uuid::new_v4().to_string()))
}

fn invalid(message: &str, hint: &str) -> Problem {
    Problem {
        code: "invalid_params".to_owned(),
        message: message.to_owned(),
        hint: hint.to_owned(),
        log: None,
    }
}

/// A selection as a message: where it is, then what it says, in a fence that nothing in it can close.
fn selection(uri: &str, range: &Value, text: &str) -> String {
    let line = |end: &str| range[end]["line"].as_u64().unwrap_or_default() + 1;
    // A selection of whole lines ends at the beginning of the next one.
    let last = line("end") - u64::from(range["end"]["character"] == 0 && line("end") > line("start"));
    let runs = text.split(|next| next != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or_default().max(2) + 1);
    let lines = if line("start") == last {
        format!("line {last}")
    } else {
        format!("lines {}-{last}", line("start"))
    };
    format!("{}, {lines}:\n\n{fence}\n{}\n{fence}", shown(uri), text.strip_suffix('\n').unwrap_or(text))
}

/// Diagnostics as a message, one a line.
fn diagnostics(uri: &str, diagnostics: &[Value]) -> String {
    let mut text = format!("Diagnostics in {}:\n", shown(uri));
    for diagnostic in diagnostics.iter().take(MAX_DIAGNOSTICS) {
        let line = diagnostic["range"]["start"]["line"].as_u64().unwrap_or_default() + 1;
        let severity = match diagnostic["severity"].as_u64() {
            Some(2) => "warning",
            Some(3) => "information",
            Some(4) => "hint",
            _ => "error",
        };
        let source = diagnostic["source"].as_str().map(|source| format!(" ({source})")).unwrap_or_default();
        let message = plain::line(diagnostic["message"].as_str().unwrap_or_default());
        // Writing to a string cannot fail.
        let _ = write!(text, "\nline {line}: {severity}: {message}{source}");
    }
    text
}

fn shown(uri: &str) -> String {
    path_of_uri(uri).unwrap_or_else(|| uri.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: (u32, u32), to: (u32, u32)) -> Value {
        let position = |(line, character)| json!({ "line": line, "character": character });
        json!({ "start": position(from), "end": position(to) })
    }

    #[test]
    fn a_selection_says_where_it_is_and_cannot_leave_its_fence() {
        assert_eq!(
            selection("file:///a.rs", &range((2, 0), (4, 0)), "one\ntwo\n"),
            "/a.rs, lines 3-4:\n\n```\none\ntwo\n```"
        );
        let text = selection("file:///a.rs", &range((0, 1), (0, 9)), "````");
        assert_eq!(text, "/a.rs, line 1:\n\n`````\n````\n`````");
    }

    #[test]
    fn diagnostics_are_one_line_each() {
        let found = json!({ "range": range((4, 0), (4, 1)), "severity": 2, "message": "not\nused", "source": "rustc" });
        let text = diagnostics("file:///a.rs", &[found, json!({ "message": "x" })]);
        assert_eq!(text, "Diagnostics in /a.rs:\n\nline 5: warning: not used (rustc)\nline 1: error: x");
    }

    fn session(id: &str, directory: &str) -> wire::Session {
        serde_json::from_value(json!({
            "id": id, "directory": directory, "name": null, "driver": "stream", "status": "idle", "statusSince": 1,
            "statusSource": "control", "statusReason": null, "error": null, "attention": null, "currentTask": null,
            "createdAt": 1, "lastActivity": 1, "pid": null, "hostPid": null, "claudeSessionId": "", "model": null,
            "permissionMode": null, "costUsd": 0.0, "contextUsed": null, "contextMax": null, "queued": 0,
            "queuePaused": null, "unread": 0, "startupMs": null,
        }))
        .unwrap()
    }

    fn offered(only: &[&str], selected: bool) -> Vec<String> {
        let end = if selected { (1, 0) } else { (0, 0) };
        let params = json!({
            "textDocument": { "uri": "file:///work/engine/src/a.rs" },
            "range": range((0, 0), end),
            "context": { "diagnostics": [{ "message": "x" }], "only": only },
        });
        let sessions = [
            session("AAAAAAAA", "/elsewhere"),
            session("BBBBBBBB", "/work"),
            session("CCCCCCCC", "/work/eng"),
        ];
        let selection = Selection::new(serde_json::from_value(params).unwrap(), vec!["/work/eng".to_owned()]);
        selection.actions(&sessions).into_iter().map(|action| action.title).collect()
    }

    #[test]
    fn the_nearest_session_comes_first_and_only_what_is_wanted_is_offered() {
        let all = offered(&[], true);
        assert_eq!(all.len(), 6);
        assert_eq!(all[0], "Send diagnostics to Claude session BBBBBBBB (work)");
        assert_eq!(all[1], "Send selection to Claude session BBBBBBBB (work)");
        assert_eq!(all[2], "Send diagnostics to Claude session CCCCCCCC (eng)");
        assert!(offered(&["quickfix"], true).iter().all(|title| title.contains("diagnostics")));
        assert_eq!(offered(&["refactor"], true), Vec::<String>::new());
        assert!(offered(&[], false).iter().all(|title| title.contains("diagnostics")));
    }
}
