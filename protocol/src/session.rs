//! Sessions: what they are, how they stand, and what can be asked of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{NewMessage, Remedy, Timestamp};

/// A session: one Claude conversation in one directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Eight characters of `ABCDEFGHJKMNPQRSTVWXYZ23456789`, never reused.
    pub id: String,
    /// The absolute path of its directory.
    pub directory: String,
    /// A name that a person gave it.
    pub name: Option<String>,
    /// How Claude is driven.
    pub driver: Driver,
    /// How it stands.
    pub status: Status,
    /// Since when.
    pub status_since: Timestamp,
    /// Which source said so.
    pub status_source: StatusSource,
    /// More about the status, for people: which try, when the next is, what it waits for.
    pub status_reason: Option<String>,
    /// What is wrong, when the status is `error`.
    pub error: Option<SessionError>,
    /// What needs a person.
    pub attention: Option<Attention>,
    /// The first line of the message that runs or ran last.
    pub current_task: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When something last happened in it.
    pub last_activity: Timestamp,
    /// Claude's process id, while it runs.
    pub pid: Option<u32>,
    /// The session host's process id, while it runs.
    pub host_pid: Option<u32>,
    /// Claude's own id of the conversation, a UUID.
    pub claude_session_id: String,
    /// The model that answers: as asked for, then as Claude reported it.
    pub model: Option<String>,
    /// Claude's permission mode: as asked for, then as Claude reported it.
    pub permission_mode: Option<String>,
    /// What the conversation has cost, in US dollars, as Claude reckons it. In a terminal Claude does not tell: there it stays as
    /// it was.
    pub cost_usd: f64,
    /// Tokens in the context window after the last answer.
    pub context_used: Option<u64>,
    /// The size of the context window, in tokens.
    pub context_max: Option<u64>,
    /// Messages that wait.
    pub queued: u32,
    /// Whether the queue is paused, and why.
    pub queue_paused: Option<String>,
    /// Answers and prompts that nobody has looked at.
    pub unread: u32,
    /// Milliseconds from the last request to start it to Claude being ready.
    pub startup_ms: Option<u64>,
}

/// How Claude is driven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// `claude -p` with JSON lines both ways.
    #[default]
    Stream,
    /// Claude's own screen in a pseudo-terminal, which `areyouj attach` shows.
    Terminal,
}

/// How a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Its host or Claude is being started, or restarted with back-off.
    Starting,
    /// A turn is running.
    Active,
    /// A permission, question or plan needs an answer.
    Waiting,
    /// Ready for a message.
    Idle,
    /// It needs a person; see `error`.
    Error,
    /// Ended by a person.
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

/// Which source a status comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum StatusSource {
    /// Somebody's request, or our own action on it.
    Request,
    /// Claude's control protocol.
    Control,
    /// Claude's hooks.
    Hook,
    /// The state of a process, or what Claude keeps about its own.
    Process,
}

/// Why a session needs a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionError {
    /// A stable code, of the same list as request errors.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// The same for programs: what a client can offer as a button or a command. Left out if there is no more than the hint.
    #[serde(default, deserialize_with = "Remedy::read", skip_serializing_if = "Remedy::is_text")]
    pub remedy: Option<Remedy>,
    /// The last lines that Claude or its host wrote to standard error, if any.
    pub log: Option<String>,
}

/// What needs a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Attention {
    /// What kind of thing.
    pub kind: AttentionKind,
    /// The prompt to answer, for a permission, question or plan.
    pub permission_id: Option<String>,
    /// The message to decide about, for an interrupted or failed one.
    pub message_id: Option<String>,
    /// One line for people.
    pub title: String,
    /// How many prompts are open.
    pub open: u32,
}

/// What kind of thing needs a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum AttentionKind {
    /// A tool asks for permission.
    Permission,
    /// Claude asked a question.
    Question,
    /// Claude presents a plan.
    Plan,
    /// A screen of Claude's own (trust, login, set-up) wants an answer in the session's terminal.
    Terminal,
    /// A message was cut off in the middle of its turn.
    Interrupted,
    /// A message failed.
    Failed,
    /// The session is in `error`.
    Error,
}

/// Parameters of `areyouj/session/create`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionCreateParams {
    /// Chosen by the client, unique, at most 64 characters. A repeat returns the first answer.
    pub request_id: String,
    /// An absolute path.
    pub directory: String,
    /// The environment of the session: that of the creating client, as names and values. Left out by an editor:
    /// `areyouj lsp` puts in its own, which is the editor's.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// A name, at most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How Claude is driven.
    #[serde(default)]
    pub driver: Driver,
    /// A model's name or alias, as `claude --model` takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// A permission mode, as `claude --permission-mode` takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission_mode: Option<String>,
    /// The first messages, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<NewMessage>,
}

/// Answer to `areyouj/session/create`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionCreateResult {
    /// The session, `starting`.
    pub session: Session,
    /// For people, for example that another session uses the same directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// Parameters of `areyouj/session/list`.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct SessionListParams {
    /// Terminated sessions too.
    pub all: bool,
}

/// A list of sessions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionList {
    /// Grows by one with every change of the list; pushes carry it too. A gap means: list again.
    pub revision: u64,
    /// Newest first.
    pub sessions: Vec<Session>,
}

/// Parameters of requests that only read one session.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct SessionParams {
    /// An id or an unambiguous beginning of one. Left out: the newest live session of the caller's workspace folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// Parameters of requests that change one session.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionActionParams {
    /// Chosen by the client, unique, at most 64 characters. A repeat returns the first answer.
    pub request_id: String,
    /// An id or an unambiguous beginning of one. Left out: the newest live session of the caller's workspace folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// Parameters of `areyouj/session/switch`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionSwitchParams {
    /// Chosen by the client, unique, at most 64 characters. A repeat returns the first answer.
    pub request_id: String,
    /// An id or an unambiguous beginning of one. Left out: the newest live session of the caller's workspace folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Where the conversation is to go on.
    pub driver: Driver,
    /// Breaks off the running turn instead of waiting for its end.
    #[serde(default)]
    pub interrupt: bool,
}

/// Parameters of `areyouj/session/rename`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionRenameParams {
    /// Chosen by the client, unique, at most 64 characters. A repeat returns the first answer.
    pub request_id: String,
    /// An id or an unambiguous beginning of one. Left out: the newest live session of the caller's workspace folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// At most 100 characters; empty takes the name away.
    pub name: String,
}

/// Notification `areyouj/sessionListUpdate`: what the list holds changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionListUpdate {
    /// The list's new revision.
    pub revision: u64,
    /// The session that changed.
    pub session_id: String,
    /// How it stands now; left out when it was removed from the list for good.
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

/// Notification `areyouj/sessionStatusChanged`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionStatusChanged {
    /// The list's revision.
    pub revision: u64,
    /// The session's id.
    pub session_id: String,
    /// The new status.
    pub status: Status,
    /// Since when.
    pub status_since: Timestamp,
    /// Which source said so.
    pub status_source: StatusSource,
    /// More about it, for people.
    pub status_reason: Option<String>,
    /// What needs a person.
    pub attention: Option<Attention>,
    /// What is wrong, when the status is `error`.
    pub error: Option<SessionError>,
}

/// Notification `areyouj/resync`: this client was too slow and pushes for it were dropped. List again, and attach
/// again to the sessions it watches.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Resync {
    /// How many notifications were dropped.
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
        }
    }

    #[test]
    fn a_session_has_exactly_the_fields_of_the_contract_also_when_they_have_no_value() {
        // Scripts read these names from `areyouj ls --json`: a change here breaks them.
        let promised = "id directory name driver status statusSince statusReason error attention currentTask \
                        createdAt lastActivity pid hostPid claudeSessionId model permissionMode costUsd \
                        contextUsed contextMax queued unread";
        let added = "statusSource queuePaused startupMs";
        let mut expected: Vec<&str> = promised.split_whitespace().chain(added.split_whitespace()).collect();
        expected.sort_unstable();

        let json = serde_json::to_value(session()).unwrap();
        let mut fields: Vec<&String> = json.as_object().unwrap().keys().collect();
        fields.sort_unstable();
        assert_eq!(fields, expected);
    }

    #[test]
    fn a_session_comes_back_as_it_was() {
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
    fn fields_without_a_value_may_be_missing() {
        let mut json = serde_json::to_value(session()).unwrap();
        json.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        assert_eq!(serde_json::from_value::<Session>(json).unwrap(), session());
    }

    #[test]
    fn a_session_is_created_from_no_more_than_an_id_a_directory_and_an_environment() {
        let text = r#"{"requestId":"r","directory":"/tmp","environment":{"B":"2","A":"1"}}"#;
        let params: SessionCreateParams = serde_json::from_str(text).unwrap();
        assert_eq!(params.driver, Driver::Stream);
        assert_eq!((params.name, params.model, params.permission_mode), (None, None, None));
        assert!(params.messages.is_empty());
        assert_eq!(params.environment["B"], "2");
    }

    #[test]
    fn a_request_about_a_session_need_not_name_it() {
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
