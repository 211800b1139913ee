//! What any editor knows of: the part of the Language Server Protocol with which one that has no extension for AreYouJ can
//! send code to sessions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Json;

/// Parameters of `textDocument/codeAction`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CodeActionParams {
    /// The document.
    pub text_document: TextDocument,
    /// What is selected in it.
    pub range: Json,
    /// The diagnostics there, and which kinds of actions are wanted.
    pub context: Json,
}

/// A document.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TextDocument {
    /// Its URI.
    pub uri: String,
}

/// Something to do with what is selected.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CodeAction {
    /// For a menu.
    pub title: String,
    /// `quickfix` for what is about diagnostics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What the editor sends with `workspace/executeCommand` when it is chosen.
    pub command: EditorCommand,
}

/// A command for `workspace/executeCommand`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct EditorCommand {
    /// For a menu.
    pub title: String,
    /// Its name.
    pub command: String,
    /// Its arguments.
    pub arguments: Vec<Json>,
}

/// Parameters of `workspace/executeCommand`. The commands take one object each:
///
/// - `areyouj.lsp.newSession`: `directory` (left out: the first workspace folder), `name`, `message`, all optional
/// - `areyouj.lsp.send`: `text`, and optionally `sessionId`
/// - `areyouj.lsp.sendSelection`: `uri`, `range`, and optionally `sessionId`; `areyouj lsp` adds the `text`
/// - `areyouj.lsp.sendDiagnostics`: `uri`, `diagnostics`, and optionally `sessionId`
/// - `areyouj.lsp.interrupt`, `areyouj.lsp.terminate`: optionally `sessionId`
///
/// A `messageId` or `requestId` makes a repeat return the first answer. The result is the session or the message.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ExecuteCommandParams {
    /// The command's name.
    pub command: String,
    /// Its arguments.
    #[serde(default)]
    pub arguments: Vec<Json>,
    /// The environment of a session that is created. Left out by an editor: `areyouj lsp` puts in its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
}

/// How documents are kept in step; `areyouj lsp` keeps what is open, so that a selection is sent as the person sees it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TextDocumentSync {
    /// Opening and closing are told.
    pub open_close: bool,
    /// 2: changes are told, and no more than they are.
    pub change: u8,
}

/// The commands of `workspace/executeCommand`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ExecuteCommandOptions {
    /// Their names.
    pub commands: Vec<String>,
}

/// What the daemon knows of workspaces.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WorkspaceCapabilities {
    /// Their folders.
    pub workspace_folders: WorkspaceFoldersCapabilities,
}

/// What the daemon knows of workspace folders.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WorkspaceFoldersCapabilities {
    /// That there are several.
    pub supported: bool,
    /// That they come and go.
    pub change_notifications: bool,
}
