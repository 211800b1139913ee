//! Sessions: their fields, their status, and the requests about them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{NewMessage, Remedy, Timestamp};

/// A session: one Claude conversation in one directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The id: eight characters of `ABCDEFGHJKMNPQRSTVWXYZ23456789`, never reused.
    pub id: String,
    /// The absolute path of the session's directory.
    pub directory: String,
    /// The name that a person gave the session.
    pub name: Option<String>,
    /// How Claude is driven.
    pub driver: Driver,
    /// The status.
    pub status: Status,
    /// The time at which the status began.
    pub status_since: Timestamp,
    /// The source of the status.
    pub status_source: StatusSource,
    /// Details of the status to display: the number of the attempt, the time of the next one, what the session waits
    /// for.
    pub status_reason: Option<String>,
    /// The problem, when the status is `error`.
    pub error: Option<SessionError>,
    /// What requires a person's attention.
    pub attention: Option<Attention>,
    /// The first line of the running message, or of the last one that ran.
    pub current_task: Option<String>,
    /// The time at which the session was created.
    pub created_at: Timestamp,
    /// The time of the last event in the session.
    pub last_activity: Timestamp,
    /// Claude's process id, while it is running.
    pub pid: Option<u32>,
    /// The session host's process id, while it is running.
    pub host_pid: Option<u32>,
    /// Claude's own id of the conversation, a UUID.
    pub claude_session_id: String,
    /// The model: the requested one, then the one that Claude reports.
    pub model: Option<String>,
    /// Claude's permission mode: the requested one, then the one that Claude reports.
    pub permission_mode: Option<String>,
    /// The cost of the conversation in US dollars, as Claude reports it. Claude does not report it in a terminal: there
    /// the value does not change.
    pub cost_usd: f64,
    /// The number of tokens in the context window after the last answer.
    pub context_used: Option<u64>,
    /// The size of the context window, in tokens.
    pub context_max: Option<u64>,
    /// The number of queued messages.
    pub queued: u32,
    /// The reason why the queue is paused, or `null` if it is not paused.
    pub queue_paused: Option<String>,
    /// The number of unread answers and permission requests.
    pub unread: u32,
    /// The time from the last request to start Claude until Claude was ready, in milliseconds.
    pub startup_ms: Option<u64>,
    /// What AreYouJ refused to processes inside the session; `null` if it refused nothing.
    pub refusals: Option<SessionRefusals>,
    /// The session's host was started by an earlier version of AreYouJ, which gave it no key: it obeys any program of the
    /// user, also one that runs inside another session. A restart of the session protects its host.
    #[serde(default)]
    pub host_unprotected: bool,
}

/// What AreYouJ refused to processes inside a session, for example because a script tried to answer a permission request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionRefusals {
    /// The number of refused requests.
    pub count: u64,
    /// The time of the last one.
    pub last: Timestamp,
    /// The noun and the verb of the last one's method, for example `session/terminate`.
    pub operation: String,
    /// The path of the program that sent the last one; empty if it is unknown.
    pub program: String,
    /// The process id of that program.
    pub pid: i32,
    /// A sentence about the last one to display.
    pub title: String,
    /// Whether some are new since `areyouj/session/read`.
    pub unread: bool,
}

/// How Claude is driven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// `claude -p` with JSON lines on standard input and output. User interfaces call it "Transcript".
    #[default]
    Stream,
    /// Claude's own user interface in a pseudo-terminal, which `areyouj attach` displays. User interfaces call it
    /// "Terminal".
    Terminal,
}

/// The status of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The session host or Claude is starting, or restarting with back-off.
    Starting,
    /// A turn is running.
    Active,
    /// A permission, question or plan needs an answer.
    Waiting,
    /// Ready for a message.
    Idle,
    /// The session cannot continue without a person; see `error`.
    Error,
    /// A person terminated the session.
    Terminated,
}

impl Status {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Starting => "starting",
            Status::Active => "active",
            Status::Waiting => "waiting",
            Status::Idle => "idle",
            Status::Error => "error",
            Status::Terminated => "terminated",
        }
    }
}

/// The source of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum StatusSource {
    /// A client's request, or the daemon's action on it.
    Request,
    /// Claude's control protocol.
    Control,
    /// Claude's hooks.
    Hook,
    /// The state of a process, or Claude's own record of it.
    Process,
}

/// Why a session cannot continue without a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionError {
    /// A stable code from the same list as request errors.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// The same for programs: what a client can offer as a button or a command. Omitted if the hint says everything.
    #[serde(default, deserialize_with = "Remedy::read", skip_serializing_if = "Remedy::is_text")]
    pub remedy: Option<Remedy>,
    /// The last lines that Claude or its host wrote to standard error, if any.
    pub log: Option<String>,
}

/// What requires a person's attention.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Attention {
    /// The kind.
    pub kind: AttentionKind,
    /// The id of the permission request to answer, for a permission, question or plan.
    pub permission_id: Option<String>,
    /// The id of the message to decide about, if it was interrupted or failed.
    pub message_id: Option<String>,
    /// A one-line title to display.
    pub title: String,
    /// The number of open permission requests.
    pub open: u32,
}

/// The kind of thing that requires a person's attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum AttentionKind {
    /// A tool needs permission.
    Permission,
    /// Claude asked a question.
    Question,
    /// Claude presents a plan.
    Plan,
    /// A screen of Claude (trust, login, set-up) needs an answer in the session's terminal.
    Terminal,
    /// A message was interrupted in the middle of its turn.
    Interrupted,
    /// A message failed.
    Failed,
    /// The session's status is `error`.
    Error,
}

/// Parameters of `areyouj/session/create`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionCreateParams {
    /// A unique id chosen by the client, at most 64 characters. A repeated request returns the first result.
    pub request_id: String,
    /// An absolute path.
    pub directory: String,
    /// The environment of the session, by name: that of the creating client. An editor omits it; `areyouj lsp` fills in
    /// its own, which is the editor's. The daemon leaves out what its configuration denies. It stores the rest until the
    /// session is terminated.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// A name, at most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How Claude is driven.
    #[serde(default)]
    pub driver: Driver,
    /// The name or alias of a model, as for `claude --model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// A permission mode, as for `claude --permission-mode`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission_mode: Option<String>,
    /// The first messages, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<NewMessage>,
    /// Trust the directory and everything below it, from now on. Otherwise AreYouJ opens a permission request of kind
    /// `trust` before it starts a stream session in a directory that neither Claude nor AreYouJ knows as trusted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trust: bool,
}

/// Result of `areyouj/session/create`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionCreateResult {
    /// The session, with status `starting`.
    pub session: Session,
    /// A warning to display, for example that another session uses the same directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// Parameters of `areyouj/session/list`.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct SessionListParams {
    /// Include terminated sessions.
    pub all: bool,
}

/// A list of sessions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionList {
    /// Grows with each change of a session; notifications carry it, too. Of two states, the one with the greater revision
    /// is newer. The numbers a client sees need not be consecutive: lost notifications are announced by
    /// `areyouj/resync`.
    pub revision: u64,
    /// Newest first.
    pub sessions: Vec<Session>,
}

/// Parameters of requests that only read one session.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct SessionParams {
    /// A session's id or an unambiguous prefix. If omitted, the newest live session of the client's workspace folders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// Parameters of requests that change one session.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionActionParams {
    /// A unique id chosen by the client, at most 64 characters. A repeated request returns the first result.
    pub request_id: String,
    /// A session's id or an unambiguous prefix. If omitted, the newest live session of the client's workspace folders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// Parameters of `areyouj/session/switch`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionSwitchParams {
    /// A unique id chosen by the client, at most 64 characters. A repeated request returns the first result.
    pub request_id: String,
    /// A session's id or an unambiguous prefix. If omitted, the newest live session of the client's workspace folders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The driver to switch to.
    pub driver: Driver,
    /// Interrupts the running turn instead of waiting for its end.
    #[serde(default)]
    pub interrupt: bool,
}

/// Parameters of `areyouj/session/rename`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionRenameParams {
    /// A unique id chosen by the client, at most 64 characters. A repeated request returns the first result.
    pub request_id: String,
    /// A session's id or an unambiguous prefix. If omitted, the newest live session of the client's workspace folders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The name, at most 100 characters; an empty name removes it.
    pub name: String,
}

/// Parameters of `areyouj/session/note`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionNoteParams {
    /// A unique id chosen by the client, at most 64 characters. A repeated request returns the first result.
    pub request_id: String,
    /// A session's id or an unambiguous prefix. If omitted, the session that the client is inside of, or else the newest
    /// live session of its workspace folders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The text, at most 2,000 characters.
    pub text: String,
}

/// Notification `areyouj/sessionListUpdate`: a session in the list changed, or was deleted.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionListUpdate {
    /// The list's new revision.
    pub revision: u64,
    /// The session that changed.
    pub session_id: String,
    /// The session in its current state; omitted if it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
}

/// Notification `areyouj/sessionCreated`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionCreated {
    /// The list's revision.
    pub revision: u64,
    /// The session's id.
    pub session_id: String,
    /// The session.
    pub session: Session,
}

/// Notification `areyouj/sessionTerminated`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionTerminated {
    /// The list's revision.
    pub revision: u64,
    /// The session's id.
    pub session_id: String,
}

/// Notification `areyouj/sessionStatusChanged`, for clients that asked for it with `statusChanges`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionStatusChanged {
    /// The list's revision.
    pub revision: u64,
    /// The session's id.
    pub session_id: String,
    /// The new status of the session.
    pub status: Status,
    /// The time at which the status began.
    pub status_since: Timestamp,
    /// The source of the status.
    pub status_source: StatusSource,
    /// Details of the status to display.
    pub status_reason: Option<String>,
    /// What requires a person's attention.
    pub attention: Option<Attention>,
    /// The problem, when the status is `error`.
    pub error: Option<SessionError>,
}

/// Notification `areyouj/resync`: this client was too slow, and the daemon dropped notifications for it. The client
/// must list again, and attach again to its sessions.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Resync {
    /// The number of dropped notifications.
    pub dropped: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session {
            id: "K7M2Q9XD".into(),
            directory: "/home/ada/engine".into(),
            name: None,
            driver: Driver::Stream,
            status: Status::Starting,
            status_since: 1,
            status_source: StatusSource::Request,
            status_reason: None,
            error: None,
            attention: None,
            current_task: None,
            created_at: 1,
            last_activity: 1,
            pid: None,
            host_pid: None,
            claude_session_id: "c".into(),
            model: None,
            permission_mode: None,
            cost_usd: 0.0,
            context_used: None,
            context_max: None,
            queued: 0,
            queue_paused: None,
            unread: 0,
            startup_ms: None,
            refusals: None,
            host_unprotected: false,
        }
    }

    #[test]
    fn a_session_always_has_exactly_the_fields_of_the_contract() {
        // Scripts read these names from `areyouj ls --json`: a change here breaks them.
        let promised = "id directory name driver status statusSince statusReason error attention currentTask \
                        createdAt lastActivity pid hostPid claudeSessionId model permissionMode costUsd \
                        contextUsed contextMax queued unread";
        let added = "statusSource queuePaused startupMs refusals hostUnprotected";
        let mut expected: Vec<&str> = promised.split_whitespace().chain(added.split_whitespace()).collect();
        expected.sort_unstable();

        let json = serde_json::to_value(session()).unwrap();
        let mut fields: Vec<&String> = json.as_object().unwrap().keys().collect();
        fields.sort_unstable();
        assert_eq!(fields, expected);
    }

    #[test]
    fn a_session_survives_a_round_trip() {
        let mut whole = session();
        whole.status = Status::Error;
        whole.error = Some(SessionError {
            code: "login_needed".into(),
            message: "Claude is not logged in.".into(),
            hint: "Log in.".into(),
            remedy: Some(Remedy::LogIn { session_id: whole.id.clone() }),
            log: Some("401".into()),
        });
        whole.attention = Some(Attention {
            kind: AttentionKind::Error,
            permission_id: None,
            message_id: Some("m".into()),
            title: "Login needed".into(),
            open: 0,
        });
        let text = serde_json::to_string(&whole).unwrap();
        assert_eq!(serde_json::from_str::<Session>(&text).unwrap(), whole);
    }

    #[test]
    fn fields_of_a_later_version_are_ignored() {
        let mut json = serde_json::to_value(session()).unwrap();
        json["hibernatedAt"] = 5.into();
        json["limits"] = serde_json::json!({ "memory": [512] });
        assert_eq!(serde_json::from_value::<Session>(json).unwrap(), session());
    }

    #[test]
    fn fields_without_a_value_can_be_omitted() {
        let mut json = serde_json::to_value(session()).unwrap();
        json.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        assert_eq!(serde_json::from_value::<Session>(json).unwrap(), session());
    }

    #[test]
    fn a_session_needs_only_an_id_a_directory_and_an_environment() {
        let text = r#"{"requestId":"r","directory":"/tmp","environment":{"B":"2","A":"1"}}"#;
        let params: SessionCreateParams = serde_json::from_str(text).unwrap();
        assert_eq!(params.driver, Driver::Stream);
        assert_eq!((params.name, params.model, params.permission_mode), (None, None, None));
        assert!(params.messages.is_empty());
        assert_eq!(params.environment["B"], "2");
    }

    #[test]
    fn the_session_id_is_optional_in_requests_about_a_session() {
        assert_eq!(serde_json::from_str::<SessionParams>("{}").unwrap().session_id, None);
        let action: SessionActionParams = serde_json::from_str(r#"{"requestId":"r"}"#).unwrap();
        assert_eq!(serde_json::to_string(&action).unwrap(), r#"{"requestId":"r"}"#);
        assert!(serde_json::from_str::<SessionActionParams>("{}").is_err());
    }

    #[test]
    fn a_status_is_the_same_word_on_the_wire_and_in_print() {
        use Status::*;
        for status in [Starting, Active, Waiting, Idle, Error, Terminated] {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }
}
