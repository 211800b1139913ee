//! The requests that open and end a connection.

use areyouj_core::orchestrator::Problem;
use areyouj_core::text::plain::short_line;
use areyouj_protocol::{
    AreYouJCapability, ClientInfo, Empty, ExperimentalCapabilities, InitializeParams, InitializeResult,
    PROTOCOL_VERSION, ServerCapabilities, ServerInfo, WorkspaceFolder, request,
};

use super::{Context, Handler, Plan};
use crate::daemon::client::Introduction;
use crate::daemon::refusals::QUOTED_CHARS;
use crate::file_uri;

/// Workspace folders of a client that are kept, at most; no workspace has as many.
const MAX_FOLDERS: usize = 256;

/// Longest path of a workspace folder, in bytes: the kernel accepts no longer one.
const MAX_PATH_BYTES: usize = 4096;

impl Handler for request::Initialize {
    async fn plan(params: InitializeParams, context: &Context) -> Result<Plan<Self>, Problem> {
        let folders = paths(&params.workspace_folders.unwrap_or_default()).take(MAX_FOLDERS).collect();
        let introduction = Introduction { name: client_name(params.client_info), folders };
        context.client.introduce(introduction, params.quiet, params.status_changes);
        Ok(Plan::Answer(InitializeResult {
            capabilities: ServerCapabilities {
                experimental: ExperimentalCapabilities {
                    areyouj: AreYouJCapability { protocol_version: PROTOCOL_VERSION },
                },
            },
            server_info: ServerInfo {
                name: "areyouj".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
        }))
    }
}

impl Handler for request::Shutdown {
    async fn plan(_: Option<Empty>, _: &Context) -> Result<Plan<Self>, Problem> {
        Ok(Plan::Answer(None))
    }
}

/// The paths of these folders, without those that are not on this machine's file system.
fn paths(folders: &[WorkspaceFolder]) -> impl Iterator<Item = String> {
    let paths = folders.iter().filter_map(|folder| file_uri::path(&folder.uri));
    paths.filter(|path| path.len() <= MAX_PATH_BYTES)
}

/// The name that a client gave itself, fit for the audit trail.
fn client_name(info: Option<ClientInfo>) -> String {
    let name = info.map(|info| short_line(&info.name, QUOTED_CHARS)).unwrap_or_default();
    if name.is_empty() { "an unnamed client".to_owned() } else { name }
}
