//! The features for editors without an AreYouJ extension: code actions that send code to sessions, and their commands.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use areyouj_protocol::{self as wire, ErrorCode, Request, request};
use ls_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, Command, ExecuteCommandParams, Range,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use super::documents::Documents;
use crate::client::Failure;
use crate::file_uri;
use areyouj_core::text::plain;

/// The command that creates a session.
const NEW_SESSION: &str = "areyouj.lsp.newSession";

/// The command that sends a text to a session.
const SEND: &str = "areyouj.lsp.send";

/// The command that sends a selection to a session.
const SEND_SELECTION: &str = "areyouj.lsp.sendSelection";

/// The command that sends diagnostics to a session.
const SEND_DIAGNOSTICS: &str = "areyouj.lsp.sendDiagnostics";

/// The command that interrupts a session's turn.
const INTERRUPT: &str = "areyouj.lsp.interrupt";

/// The command that terminates a session.
const TERMINATE: &str = "areyouj.lsp.terminate";

/// All commands.
pub(super) const COMMANDS: [&str; 6] =
    [NEW_SESSION, SEND, SEND_SELECTION, SEND_DIAGNOSTICS, INTERRUPT, TERMINATE];

/// The maximum number of sessions in a menu: the nearest ones.
const MAX_TARGETS: usize = 5;

/// The maximum number of diagnostics in one message.
const MAX_DIAGNOSTICS: usize = 200;

/// A session's id and display name.
pub(super) fn named(session: &wire::Session) -> String {
    let directory = session.directory.rsplit('/').next().unwrap_or_default();
    format!("{} ({})", session.id, session.name.as_deref().unwrap_or(directory))
}

/// The code actions for a selection, for the nearest sessions: those whose directory contains the document, then those
/// of the editor's folders, then all others; each group newest first.
pub(super) fn offered(
    params: &CodeActionParams,
    folders: &[String],
    sessions: &[wire::Session],
) -> Vec<CodeActionOrCommand> {
    let uri = params.text_document.uri.as_str();
    let path = file_uri::path(uri).unwrap_or_default();
    let mut near: Vec<&wire::Session> =
        sessions.iter().filter(|session| session.status != wire::Status::Terminated).collect();
    near.sort_by_key(|session| {
        let holds = path.strip_prefix(&session.directory).is_some_and(|rest| rest.starts_with('/'));
        (!holds, !folders.contains(&session.directory))
    });
    // An action without a kind does not match any requested kind.
    let wants = |kind: Option<&CodeActionKind>| match &params.context.only {
        None => true,
        Some(only) => only.is_empty() || kind.is_some_and(|kind| only.contains(kind)),
    };
    let diagnostics = &params.context.diagnostics;
    let diagnostics = &diagnostics[..diagnostics.len().min(MAX_DIAGNOSTICS)];
    let mut actions = Vec::new();
    for session in near.into_iter().take(MAX_TARGETS) {
        let name = plain::line(&named(session));
        if !diagnostics.is_empty() && wants(Some(&CodeActionKind::QUICKFIX)) {
            let arguments = json!({
                "sessionId": session.id, "messageId": Uuid::new_v4(), "uri": uri, "diagnostics": diagnostics,
            });
            let title = format!("Send diagnostics to Claude session {name}");
            actions.push(action(title, Some(CodeActionKind::QUICKFIX), SEND_DIAGNOSTICS, arguments));
        }
        if params.range.start != params.range.end && wants(None) {
            let arguments = json!({
                "sessionId": session.id, "messageId": Uuid::new_v4(), "uri": uri, "range": params.range,
            });
            let title = format!("Send selection to Claude session {name}");
            actions.push(action(title, None, SEND_SELECTION, arguments));
        }
    }
    actions
}

fn action(
    title: String,
    kind: Option<CodeActionKind>,
    command: &str,
    arguments: Value,
) -> CodeActionOrCommand {
    let command = Command::new(title.clone(), command.to_owned(), Some(vec![arguments]));
    CodeAction { title, kind, command: Some(command), ..CodeAction::default() }.into()
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
    range: Range,
    /// The text, for a document that is neither open nor on disk.
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

/// The daemon's request for a command of an editor.
#[derive(Debug, PartialEq)]
pub(super) struct Planned {
    pub(super) method: wire::Method,
    pub(super) params: Value,
}

/// Converts a command of an editor with these documents and folders to a request to the daemon.
///
/// # Errors
/// An unknown command, or invalid arguments.
pub(super) fn plan(
    params: ExecuteCommandParams,
    documents: &Documents,
    folders: &[String],
) -> Result<Planned, Failure> {
    let arguments = params.arguments.into_iter().next().unwrap_or_else(|| json!({}));
    match params.command.as_str() {
        NEW_SESSION => {
            let given: NewSession = read(arguments)?;
            let directory = given.directory.or_else(|| folders.first().cloned()).ok_or_else(|| {
                invalid("No directory was named, and the editor has no folder open.", "Name a `directory`.")
            })?;
            let id = given.message_id.unwrap_or_else(new_id);
            let messages = given.message.into_iter().map(|text| wire::NewMessage { id: id.clone(), text });
            Ok(planned::<request::SessionCreate>(&wire::SessionCreateParams {
                trust: false,
                request_id: given.request_id.unwrap_or_else(new_id),
                directory,
                environment: BTreeMap::new(),
                name: given.name,
                driver: wire::Driver::default(),
                model: None,
                permission_mode: None,
                messages: messages.collect(),
            }))
        }
        SEND => {
            let given: Send = read(arguments)?;
            Ok(add(given.session_id, given.message_id, given.text))
        }
        SEND_SELECTION => {
            let given: SendSelection = read(arguments)?;
            let text = documents.text(&given.uri, given.range).or(given.text).ok_or_else(|| {
                invalid("The selected text cannot be read.", "Save the document to a file first, as UTF-8.")
            })?;
            Ok(add(given.session_id, given.message_id, selection(&given.uri, given.range, &text)))
        }
        SEND_DIAGNOSTICS => {
            let given: SendDiagnostics = read(arguments)?;
            Ok(add(given.session_id, given.message_id, diagnostics(&given.uri, &given.diagnostics)))
        }
        INTERRUPT => Ok(planned::<request::SessionInterrupt>(&on_session(read(arguments)?))),
        TERMINATE => Ok(planned::<request::SessionTerminate>(&on_session(read(arguments)?))),
        other => Err(invalid(
            &format!("There is no command \"{}\".", plain::line(other)),
            "See PROTOCOL.md for the commands.",
        )),
    }
}

fn planned<R: Request>(params: &R::Params) -> Planned {
    Planned { method: R::METHOD, params: json!(params) }
}

fn add(session_id: Option<String>, message_id: Option<String>, text: String) -> Planned {
    let id = message_id.unwrap_or_else(new_id);
    planned::<request::QueueAdd>(&wire::QueueAddParams { session_id, message: wire::NewMessage { id, text } })
}

fn on_session(given: OnSession) -> wire::SessionActionParams {
    let request_id = given.request_id.unwrap_or_else(new_id);
    wire::SessionActionParams { request_id, session_id: given.session_id }
}

fn new_id() -> String {
    Uuid::new_v4().to_string()
}

fn read<T: DeserializeOwned>(arguments: Value) -> Result<T, Failure> {
    serde_json::from_value(arguments).map_err(|error| {
        let message = format!("The arguments do not fit the command: {error}.");
        invalid(&message, "See PROTOCOL.md for the command's arguments.")
    })
}

fn invalid(message: &str, hint: &str) -> Failure {
    Failure::new(ErrorCode::InvalidParams, message, hint)
}

/// A selection as a message: its location, then its text in a code fence that the text cannot close.
fn selection(uri: &str, range: Range, text: &str) -> String {
    let (first, end) = (u64::from(range.start.line) + 1, u64::from(range.end.line) + 1);
    // A selection of whole lines ends at the beginning of the next one.
    let last = end - u64::from(range.end.character == 0 && end > first);
    let runs = text.split(|next| next != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or_default().max(2) + 1);
    let lines = if first == last { format!("line {last}") } else { format!("lines {first}-{last}") };
    format!("{}, {lines}:\n\n{fence}\n{}\n{fence}", shown(uri), text.strip_suffix('\n').unwrap_or(text))
}

/// Diagnostics as a message, one per line.
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
    file_uri::path(uri).unwrap_or_else(|| uri.to_owned())
}

#[cfg(test)]
pub(super) mod tests {
    use ls_types::Position;

    use super::*;

    fn range(from: (u32, u32), to: (u32, u32)) -> Range {
        Range::new(Position::new(from.0, from.1), Position::new(to.0, to.1))
    }

    #[test]
    fn a_selection_has_its_location_and_cannot_close_its_fence() {
        assert_eq!(
            selection("file:///a.rs", range((2, 0), (4, 0)), "one\ntwo\n"),
            "/a.rs, lines 3-4:\n\n```\none\ntwo\n```"
        );
        let text = selection("file:///a.rs", range((0, 1), (0, 9)), "````");
        assert_eq!(text, "/a.rs, line 1:\n\n`````\n````\n`````");
    }

    #[test]
    fn diagnostics_are_one_line_each() {
        let found = json!({ "range": range((4, 0), (4, 1)), "severity": 2, "message": "not\nused", "source": "rustc" });
        let text = diagnostics("file:///a.rs", &[found, json!({ "message": "x" })]);
        assert_eq!(text, "Diagnostics in /a.rs:\n\nline 5: warning: not used (rustc)\nline 1: error: x");
    }

    pub(in super::super) fn session(id: &str, directory: &str) -> wire::Session {
        serde_json::from_value(json!({
            "id": id, "directory": directory, "name": null, "driver": "stream", "status": "idle", "statusSince": 1,
            "statusSource": "control", "statusReason": null, "error": null, "attention": null, "currentTask": null,
            "createdAt": 1, "lastActivity": 1, "pid": null, "hostPid": null, "claudeSessionId": "", "model": null,
            "permissionMode": null, "costUsd": 0.0, "contextUsed": null, "contextMax": null, "queued": 0,
            "queuePaused": null, "unread": 0, "startupMs": null,
        }))
        .unwrap()
    }

    fn titles(only: &[&str], selected: bool) -> Vec<String> {
        let end = if selected { (1, 0) } else { (0, 0) };
        let params = json!({
            "textDocument": { "uri": "file:///work/engine/src/a.rs" },
            "range": range((0, 0), end),
            "context": { "diagnostics": [{ "range": range((0, 0), (0, 1)), "message": "x" }], "only": only },
        });
        let sessions = [
            session("AAAAAAAA", "/elsewhere"),
            session("BBBBBBBB", "/work"),
            session("CCCCCCCC", "/work/eng"),
        ];
        let params: CodeActionParams = serde_json::from_value(params).unwrap();
        let actions = json!(offered(&params, &["/work/eng".to_owned()], &sessions));
        let title = |action: &Value| action["title"].as_str().unwrap().to_owned();
        actions.as_array().unwrap().iter().map(title).collect()
    }

    #[test]
    fn the_nearest_session_is_first_and_only_requested_kinds_are_offered() {
        let all = titles(&[], true);
        assert_eq!(all.len(), 6);
        assert_eq!(all[0], "Send diagnostics to Claude session BBBBBBBB (work)");
        assert_eq!(all[1], "Send selection to Claude session BBBBBBBB (work)");
        assert_eq!(all[2], "Send diagnostics to Claude session CCCCCCCC (eng)");
        assert!(titles(&["quickfix"], true).iter().all(|title| title.contains("diagnostics")));
        assert_eq!(titles(&["refactor"], true), Vec::<String>::new());
        assert!(titles(&[], false).iter().all(|title| title.contains("diagnostics")));
    }

    fn plan_of(command: &str, arguments: &Value) -> Result<Planned, Failure> {
        let params = json!({ "command": command, "arguments": [arguments] });
        let mut documents = Documents::default();
        documents.open("file:///a.rs", "one\ntwo".to_owned());
        plan(serde_json::from_value(params).unwrap(), &documents, &["/work".to_owned()])
    }

    #[test]
    fn a_command_sends_a_selection_from_the_open_document() {
        let arguments = json!({ "uri": "file:///a.rs", "range": range((1, 0), (1, 3)), "messageId": "m" });
        let message = json!({ "id": "m", "text": "/a.rs, line 2:\n\n```\ntwo\n```" });
        let add = Planned { method: wire::Method::QueueAdd, params: json!({ "message": message }) };
        assert_eq!(plan_of(SEND_SELECTION, &arguments), Ok(add));
        let gone = json!({ "uri": "file:///none", "range": range((1, 0), (1, 3)) });
        assert_eq!(plan_of(SEND_SELECTION, &gone).unwrap_err().code, "invalid_params");
    }

    #[test]
    fn a_new_session_is_in_the_first_folder_by_default() {
        let created = |arguments: &Value| plan_of(NEW_SESSION, arguments).unwrap().params;
        assert_eq!(created(&json!({}))["directory"], "/work");
        let named = created(&json!({ "directory": "/a", "message": "hello" }));
        assert_eq!((&named["directory"], &named["messages"][0]["text"]), (&json!("/a"), &json!("hello")));
    }

    #[test]
    fn an_unknown_command_and_invalid_arguments_are_rejected() {
        assert_eq!(plan_of("areyouj.lsp.fly", &json!({})).unwrap_err().code, "invalid_params");
        assert_eq!(plan_of(SEND, &json!({ "text": 7 })).unwrap_err().code, "invalid_params");
        assert_eq!(plan_of(INTERRUPT, &json!({})).unwrap().method, wire::Method::SessionInterrupt);
        assert_eq!(plan_of(TERMINATE, &json!({})).unwrap().method, wire::Method::SessionTerminate);
    }

    #[test]
    fn every_command_is_documented() {
        let documentation = include_str!("../../../../protocol/PROTOCOL.md");
        for command in COMMANDS {
            assert!(documentation.contains(&format!("| `{command}` |")), "{command}");
        }
    }
}
