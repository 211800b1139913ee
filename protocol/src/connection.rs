//! Opening a connection, and the daemon's state.

use serde::{Deserialize, Serialize};

use crate::Remedy;

/// Parameters of `initialize`, the first request on every connection.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct InitializeParams {
    /// The client's name and version, shown in the audit trail and as the author of answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_info: Option<ClientInfo>,
    /// The folders open in the editor. A request without a session id applies to the newest live session in one of
    /// them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_folders: Option<Vec<WorkspaceFolder>>,
    /// Send this client only responses and the output of sessions to which it attaches, and no other notifications. For
    /// clients without a display: the cost of a broadcast grows with the number of its recipients.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub quiet: bool,
    /// Send this client `areyouj/sessionStatusChanged`, too. `areyouj/sessionListUpdate` holds the whole session with its
    /// status; the other notification is smaller and is sent only when the status changes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub status_changes: bool,
}

/// The program that connects.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ClientInfo {
    /// For example `areyouj-cli` or `Visual Studio Code`.
    pub name: String,
    /// The version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// A folder open in the editor.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WorkspaceFolder {
    /// A `file:` URI.
    pub uri: String,
    /// The name shown in the editor.
    #[serde(default)]
    pub name: String,
}

/// Result of `initialize`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct InitializeResult {
    /// The daemon's capabilities. A capability is present when its field is present.
    pub capabilities: ServerCapabilities,
    /// The daemon.
    pub server_info: ServerInfo,
}

/// The daemon's capabilities.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServerCapabilities {
    /// The place of the Language Server Protocol for extensions.
    pub experimental: ExperimentalCapabilities,
}

/// Extensions of the Language Server Protocol.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ExperimentalCapabilities {
    /// The `areyouj/…` methods.
    pub areyouj: AreYouJCapability,
}

/// The `areyouj/…` methods.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AreYouJCapability {
    /// See [`crate::PROTOCOL_VERSION`].
    pub protocol_version: u32,
}

/// The daemon's name and version.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServerInfo {
    /// Always `areyouj`.
    pub name: String,
    /// The daemon's version.
    pub version: String,
}

/// No parameters, or an empty result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Empty {}

/// The daemon as `areyouj/daemon/status` describes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DaemonStatus {
    /// The daemon's process id.
    pub pid: u32,
    /// The version.
    pub version: String,
    /// See [`crate::PROTOCOL_VERSION`].
    pub protocol_version: u32,
    /// The time at which the daemon started.
    pub started_at: crate::Timestamp,
    /// The number of connected clients, including this one.
    pub clients: u32,
    /// The number of live sessions: all except terminated ones.
    pub sessions: u32,
    /// The number of sessions with a Claude process, to which the limit applies.
    pub active_sessions: u32,
    /// The limit on active sessions.
    pub max_active_sessions: u32,
    /// The absolute path of the database file.
    pub database: String,
    /// The directory of the daemon's log files.
    pub log_directory: String,
    /// The periodic jobs; empty from a daemon of a version without them.
    #[serde(default)]
    pub jobs: Vec<Job>,
}

/// A periodic job of the daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Its name, which does not change between versions.
    pub name: String,
    /// Seconds between the beginnings of two runs.
    pub period_seconds: u64,
    /// When the last run began; null before the first.
    pub last_run: Option<crate::Timestamp>,
    /// When the next run begins; in the past while a run takes longer than the period.
    pub next_run: crate::Timestamp,
    /// Why the last completed run failed; null if it did not.
    pub last_error: Option<String>,
}

/// Parameters of `areyouj/daemon/stop`.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct DaemonStopParams {
    /// Terminate every session first. Otherwise sessions keep running without a daemon.
    pub sessions: bool,
}

/// Notification `areyouj/connectionChanged`, sent by `areyouj lsp`. When the connection is lost, pending requests fail
/// with `daemon_unavailable`, and the client can send them again. A restored connection is a new one: the client must
/// list again, and attach again with `since`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ConnectionChanged {
    /// The current state.
    pub state: ConnectionState,
    /// Why the last attempt to connect failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ConnectionError>,
}

/// The state of the sidecar's connection to the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ConnectionState {
    /// The daemon accepts requests.
    Connected,
    /// The connection to the daemon was lost. The sidecar starts the daemon, or waits for it, until it is connected.
    Reconnecting,
}

/// Why a connection attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ConnectionError {
    /// A stable code from the same list as request errors.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The same for programs: what a client can offer as a button or a command. Omitted if the hint says everything.
    #[serde(default, deserialize_with = "Remedy::read", skip_serializing_if = "Remedy::is_text")]
    pub remedy: Option<Remedy>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initialize_accepts_every_field_that_an_editor_sends() {
        let text = r#"{
            "processId": 12, "rootUri": null, "trace": "off", "locale": "en",
            "capabilities": { "window": { "workDoneProgress": true } },
            "clientInfo": { "name": "Neovim", "version": "0.11.4", "vendor": "x" },
            "workspaceFolders": [{ "uri": "file:///a", "name": "a" }, { "uri": "file:///b" }]
        }"#;
        let params: InitializeParams = serde_json::from_str(text).unwrap();
        assert_eq!(params.client_info.unwrap().name, "Neovim");
        let names: Vec<String> =
            params.workspace_folders.unwrap().into_iter().map(|folder| folder.name).collect();
        assert_eq!(names, ["a", ""]);
    }

    #[test]
    fn client_info_and_folders_are_optional() {
        for text in ["{}", r#"{"clientInfo":null,"workspaceFolders":null}"#] {
            let params: InitializeParams = serde_json::from_str(text).unwrap();
            assert!(params.client_info.is_none() && params.workspace_folders.is_none());
            assert_eq!(serde_json::to_string(&params).unwrap(), "{}");
        }
    }

    #[test]
    fn an_empty_result_is_an_object_and_ignores_new_fields() {
        assert_eq!(serde_json::to_string(&Empty {}).unwrap(), "{}");
        assert_eq!(serde_json::from_str::<Empty>(r#"{"later":1}"#).unwrap(), Empty {});
    }

    #[test]
    fn stopping_the_daemon_keeps_the_sessions_running_by_default() {
        assert!(!serde_json::from_str::<DaemonStopParams>("{}").unwrap().sessions);
        assert!(serde_json::from_str::<DaemonStopParams>(r#"{"sessions":true}"#).unwrap().sessions);
    }
}
