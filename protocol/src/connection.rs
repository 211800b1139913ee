//! Opening a connection, and the daemon's own state.

use serde::{Deserialize, Serialize};

/// Parameters of `initialize`, the first request on every connection.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct InitializeParams {
    /// Who connects; shown in the audit trail and as the author of answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_info: Option<ClientInfo>,
    /// The folders open in the editor. A request without a session means the newest live session of one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_folders: Option<Vec<WorkspaceFolder>>,
    /// Send this client answers and the output of sessions that it attaches to, and no other notifications. For
    /// clients that show nothing: what goes to everybody costs as much as everybody is many.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub quiet: bool,
}

/// The program on the other end.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ClientInfo {
    /// For example `areyouj-cli` or `Visual Studio Code`.
    pub name: String,
    /// Its version.
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

/// Answer to `initialize`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct InitializeResult {
    /// What the daemon can do. A capability is there when its field is there.
    pub capabilities: ServerCapabilities,
    /// The daemon.
    pub server_info: ServerInfo,
}

/// What the daemon can do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServerCapabilities {
    /// Where the Language Server Protocol keeps extensions.
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

/// No parameters, or nothing to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Empty {}

/// The daemon as `areyouj/daemon/status` describes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DaemonStatus {
    /// Its process id.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// See [`crate::PROTOCOL_VERSION`].
    pub protocol_version: u32,
    /// When it started.
    pub started_at: crate::Timestamp,
    /// Connected clients, this one included.
    pub clients: u32,
    /// Live sessions: all but the terminated ones.
    pub sessions: u32,
    /// Sessions with a Claude process, which the limit counts.
    pub active_sessions: u32,
    /// The limit on them.
    pub max_active_sessions: u32,
    /// The database.
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
    /// Also terminate every session first. Without it sessions go on without a daemon.
    pub sessions: bool,
}

/// Notification `areyouj/connectionChanged`, from `areyouj lsp` itself. Requests that were on their way when the connection
/// was lost are answered with `daemon_unavailable` and may be sent again. When it is there again, the connection is a new
/// one: list again, and attach again with `since`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ConnectionChanged {
    /// How it stands now.
    pub state: ConnectionState,
    /// Why it could not be had, when the last try failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ConnectionError>,
}

/// How the sidecar is connected to the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ConnectionState {
    /// Everything can be asked for.
    Connected,
    /// The daemon went away; it is being started or waited for. This goes on until it is there.
    Reconnecting,
}

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ConnectionError {
    /// A stable code, of the same list as request errors.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_editor_may_say_everything_that_its_own_protocol_knows() {
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
    fn a_client_may_say_nothing_of_itself() {
        for text in ["{}", r#"{"clientInfo":null,"workspaceFolders":null}"#] {
            let params: InitializeParams = serde_json::from_str(text).unwrap();
            assert!(params.client_info.is_none() && params.workspace_folders.is_none());
            assert_eq!(serde_json::to_string(&params).unwrap(), "{}");
        }
    }

    #[test]
    fn nothing_to_say_is_an_empty_object_that_may_grow() {
        assert_eq!(serde_json::to_string(&Empty {}).unwrap(), "{}");
        assert_eq!(serde_json::from_str::<Empty>(r#"{"later":1}"#).unwrap(), Empty {});
    }

    #[test]
    fn stopping_the_daemon_spares_the_sessions_unless_told_otherwise() {
        assert!(!serde_json::from_str::<DaemonStopParams>("{}").unwrap().sessions);
        assert!(serde_json::from_str::<DaemonStopParams>(r#"{"sessions":true}"#).unwrap().sessions);
    }
}
