//! What each method needs from a process inside a session. The orchestrator decides about the session that a request
//! names; this table refuses a request before it is planned, because planning reads files and looks for programs.

use areyouj_core::orchestrator::Need;
use areyouj_protocol::Method;

/// What a process inside a session needs for this method.
pub(super) fn need(method: Method) -> Need {
    match method {
        Method::Initialize | Method::Shutdown => Need::Nothing,
        Method::SessionList
        | Method::SessionGet
        | Method::SessionRead
        | Method::SessionAttach
        | Method::SessionDetach
        | Method::TranscriptRead
        | Method::QueueList
        | Method::PermissionList => Need::Reading,
        Method::SessionNote => Need::OwnSession,
        Method::QueueAdd => Need::Sending,
        Method::SessionCreate => Need::Creating,
        Method::SessionTerminate
        | Method::SessionInterrupt
        | Method::SessionRestart
        | Method::SessionSwitch
        | Method::SessionRename
        | Method::SessionDelete
        | Method::DirectoryList
        | Method::DirectoryValidate
        | Method::QueueSteer
        | Method::QueueEdit
        | Method::QueueRemove
        | Method::QueueMove
        | Method::QueuePause
        | Method::QueueResume
        | Method::QueueClear
        | Method::QueueRecover
        | Method::PermissionAnswer
        | Method::AuditList
        | Method::DaemonStatus
        | Method::DaemonStop => Need::Person,
    }
}

/// The noun and the verb of a method, for the audit trail.
pub(super) fn noun_and_verb(method: Method) -> &'static str {
    let name = method.as_str();
    name.strip_prefix("areyouj/").unwrap_or(name)
}
