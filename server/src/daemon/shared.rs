//! What the parts of the daemon share.

use std::collections::BTreeMap;
use std::sync::Arc;

use areyouj_protocol::{DaemonStatus, PROTOCOL_VERSION};
use nix::sys::stat::Mode;

use super::door::Door;
use super::gate::Gate;
use super::hub::Hub;
use super::jobs::Jobs;
use crate::config::Config;
use crate::paths::Paths;
use areyouj_core::orchestrator::{HostKey, Problem, SessionId, SessionRow};
use areyouj_host::key::Key;
use areyouj_store::ReaderPool;

/// What the parts of the daemon share.
pub(super) struct Shared {
    pub(super) paths: Paths,
    pub(super) config: Config,
    /// The file mode mask of the daemon's starter, which sessions get. The daemon's own one is stricter.
    pub(super) umask: Mode,
    /// Milliseconds since the epoch.
    pub(super) started_at: u64,
    pub(super) hub: Hub,
    pub(super) reader: Arc<ReaderPool>,
    pub(super) gate: Gate,
    pub(super) jobs: Jobs,
    pub(super) door: Door,
}

impl Shared {
    /// The daemon's status, without the numbers that only the orchestrator has.
    pub(super) fn status(&self) -> DaemonStatus {
        DaemonStatus {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol_version: PROTOCOL_VERSION,
            started_at: self.started_at,
            clients: self.hub.count(),
            sessions: 0,
            active_sessions: 0,
            max_active_sessions: 0,
            database: self.paths.database().display().to_string(),
            log_directory: self.paths.log_dir().display().to_string(),
            jobs: self.jobs.status(),
        }
    }

    /// The session as it is stored.
    pub(super) fn session(&self, session: SessionId) -> Result<Option<SessionRow>, Problem> {
        self.reader.read(|reader| reader.session(session)).map_err(|error| self.reader.problem(&error))
    }

    /// The keys of the session's newest launches with their numbers, the newest first.
    pub(super) fn host_keys(&self, session: SessionId) -> Result<Vec<(u32, Key)>, Problem> {
        let keys = self.reader.read(|reader| reader.host_keys(session));
        let keys = keys.map_err(|error| self.reader.problem(&error))?;
        Ok(keys.into_iter().map(|(launch, HostKey(bytes))| (launch, Key::new(bytes))).collect())
    }

    /// The environment that the session's Claude runs with.
    pub(super) fn environment(&self, session: SessionId) -> Result<BTreeMap<String, String>, Problem> {
        let environment = self.reader.read(|reader| reader.environment(session));
        environment.map(Option::unwrap_or_default).map_err(|error| self.reader.problem(&error))
    }
}
