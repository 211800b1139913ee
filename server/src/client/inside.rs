//! Whether this process is inside a session of this home. A daemon that it started would end with that session, and
//! would be under the control of what runs in it.

use areyouj_core::orchestrator::SessionId;
use areyouj_host::peer::Vantage;

use crate::paths::Paths;

/// Whether this process is inside a session of this home: below its host, or marked by it. A daemon of another home can
/// be started inside a session, as tests of AreYouJ do.
pub(crate) fn is_inside(paths: &Paths) -> bool {
    // Without `/proc` a daemon cannot tell clients apart, and does not start.
    let Ok(vantage) = Vantage::own() else { return false };
    let sessions = paths.sessions_dir();
    let below = vantage.session_dirs().any(|directory| paths.session_of(&directory).is_some());
    let marked = vantage.marked().and_then(|id| id.parse::<SessionId>().ok());
    below || marked.is_some_and(|id| sessions.join(id.as_str()).exists())
}
