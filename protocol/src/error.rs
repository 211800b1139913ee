//! Errors: a stable code, one sentence that says what happened, one that says what to do.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Remedy;

/// The codes of JSON-RPC, and the code of every request that AreYouJ rejects.
pub mod rpc {
    /// The body is not JSON.
    pub const PARSE_ERROR: i32 = -32700;
    /// The body is not a JSON-RPC request.
    pub const INVALID_REQUEST: i32 = -32600;
    /// The method does not exist.
    pub const METHOD_NOT_FOUND: i32 = -32601;
    /// The parameters do not have the method's shape.
    pub const INVALID_PARAMS: i32 = -32602;
    /// A request arrived before `initialize`.
    pub const SERVER_NOT_INITIALIZED: i32 = -32002;
    /// The client cancelled the request.
    pub const REQUEST_CANCELLED: i32 = -32800;
    /// The request is valid but was rejected; `data.code` has the reason.
    pub const REFUSED: i32 = -32000;
}

/// The `data` member of a JSON-RPC error. The error's `message` says what happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ErrorData {
    /// The stable code. Codes are added, never changed; treat an unknown code as a generic failure.
    pub code: String,
    /// What to do, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The same for programs: what a client can offer as a button or a command. Omitted if the hint says everything.
    #[serde(default, deserialize_with = "Remedy::read", skip_serializing_if = "Remedy::is_text")]
    pub remedy: Option<Remedy>,
    /// The client can send the same request again unchanged, for example because the daemon was restarting.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retryable: bool,
}

impl ErrorData {
    /// An error that can be remedied like this.
    pub fn new(code: &str, remedy: Option<&Remedy>, retryable: bool) -> ErrorData {
        ErrorData {
            code: code.to_owned(),
            hint: remedy.map(Remedy::hint),
            remedy: remedy.cloned(),
            retryable,
        }
    }
}

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal,)+) => {
        /// Every stable error code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl ErrorCode {
            /// All codes, in the order of the documentation.
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$variant,)+];

            /// The code on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(ErrorCode::$variant => $code,)+ }
            }

            /// What the code means.
            pub const fn meaning(self) -> &'static str {
                match self { $(ErrorCode::$variant => concat!($($doc,)+),)+ }
            }

            /// The code with this name, or `None` if it is unknown.
            pub fn parse(code: &str) -> Option<ErrorCode> {
                ErrorCode::ALL.iter().copied().find(|known| known.as_str() == code)
            }
        }

        impl fmt::Display for ErrorCode {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(self.as_str())
            }
        }
    };
}

error_codes! {
    /// The body of the message is not JSON, or not JSON-RPC.
    InvalidRequest = "invalid_request",
    /// The method does not exist.
    UnknownMethod = "unknown_method",
    /// The parameters do not have the method's shape.
    InvalidParams = "invalid_params",
    /// A request arrived before `initialize`.
    NotInitialized = "not_initialized",
    /// The client cancelled the request with `$/cancelRequest`.
    RequestCancelled = "request_cancelled",
    /// A process inside a session asked for something that it cannot do.
    InsideSession = "inside_session",
    /// The daemon could not find out whether the process that connected is inside a session.
    PeerUnknown = "peer_unknown",
    /// Too many connections are open.
    TooManyConnections = "too_many_connections",
    /// The client did not send `initialize` in time.
    InitializeTimeout = "initialize_timeout",
    /// No session has this id.
    SessionNotFound = "session_not_found",
    /// No message has this id.
    MessageNotFound = "message_not_found",
    /// No permission request has this id.
    PermissionNotFound = "permission_not_found",
    /// The abbreviated id matches more than one id.
    AmbiguousId = "ambiguous_id",
    /// The directory does not exist.
    DirectoryMissing = "directory_missing",
    /// The path is not a directory.
    NotADirectory = "not_a_directory",
    /// The directory cannot be read, written or entered.
    DirectoryNotAccessible = "directory_not_accessible",
    /// The path is not valid UTF-8.
    DirectoryNotUtf8 = "directory_not_utf8",
    /// The Claude program was not found.
    ClaudeNotFound = "claude_not_found",
    /// The Claude program is not executable.
    ClaudeNotExecutable = "claude_not_executable",
    /// Claude exited before it was ready.
    ClaudeStartFailed = "claude_start_failed",
    /// Claude did not become ready in time.
    ClaudeStartTimeout = "claude_start_timeout",
    /// Claude crashed too often in a short time.
    CrashedTooOften = "crashed_too_often",
    /// A person ended Claude in its terminal while messages were queued.
    EndedInTerminal = "ended_in_terminal",
    /// Claude is not logged in.
    LoginNeeded = "login_needed",
    /// The session host could not be started, or was lost.
    HostFailed = "host_failed",
    /// The session has no terminal: its driver is `stream`.
    NotATerminal = "not_a_terminal",
    /// Another Claude process has the same conversation open.
    ConversationOpen = "conversation_open",
    /// Claude has no record of the conversation, although a turn of it has ended.
    ConversationNotFound = "conversation_not_found",
    /// Claude started in a more permissive permission mode than the requested one.
    PermissionModeWider = "permission_mode_wider",
    /// The message has no text.
    MessageEmpty = "message_empty",
    /// The message is larger than the limit.
    MessageTooLarge = "message_too_large",
    /// The message is no longer queued.
    MessageNotQueued = "message_not_queued",
    /// The message is neither interrupted nor failed.
    MessageNotInterrupted = "message_not_interrupted",
    /// Processes inside the session have added as many notes as they can.
    TooManyNotes = "too_many_notes",
    /// The queue is full.
    QueueFull = "queue_full",
    /// The same id was used for a different request.
    RequestConflict = "request_conflict",
    /// The permission request was already answered.
    PermissionAnswered = "permission_answered",
    /// Claude withdrew the permission request.
    PermissionWithdrawn = "permission_withdrawn",
    /// The answer does not fit the permission request.
    AnswerInvalid = "answer_invalid",
    /// "Always" is not possible for this permission request.
    AlwaysNotOffered = "always_not_offered",
    /// The answer needs the whole id of the permission request.
    PermissionIdIncomplete = "permission_id_incomplete",
    /// The answer is for a request that was displayed differently.
    DigestMismatch = "digest_mismatch",
    /// Several questions have the same text, so Claude cannot distinguish their answers.
    QuestionsAlike = "questions_alike",
    /// The number of active sessions has reached the limit.
    TooManySessions = "too_many_sessions",
    /// The session is terminated.
    SessionTerminated = "session_terminated",
    /// The session has a Claude process, or will have one.
    SessionNotTerminated = "session_not_terminated",
    /// No turn is running.
    NoRunningTurn = "no_running_turn",
    /// The name is too long or contains control characters.
    NameInvalid = "name_invalid",
    /// The disk is full.
    StorageFull = "storage_full",
    /// The database could not be read or written.
    StorageFailed = "storage_failed",
    /// The database is damaged, or the file is not a database. The file is not changed or deleted.
    DatabaseDamaged = "database_damaged",
    /// The database was written by a newer version.
    DatabaseNewer = "database_newer",
    /// The path of the AreYouJ home is too long for a socket.
    HomePathTooLong = "home_path_too_long",
    /// The configuration file cannot be used.
    ConfigInvalid = "config_invalid",
    /// Another user can change the configuration file, so it is not used.
    ConfigUntrusted = "config_untrusted",
    /// The daemon could not be started.
    DaemonStartFailed = "daemon_start_failed",
    /// The daemon has exited or is shutting down.
    DaemonUnavailable = "daemon_unavailable",
    /// The daemon at the socket runs as another user.
    DaemonForeign = "daemon_foreign",
    /// The awaited event did not happen in time.
    Timeout = "timeout",
    /// A defect in AreYouJ.
    Internal = "internal",
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_is_unique_snake_case_and_explained() {
        let mut seen = HashSet::new();
        for code in ErrorCode::ALL {
            let name = code.as_str();
            assert!(seen.insert(name), "{name} names two errors");
            let words: Vec<&str> = name.split('_').collect();
            let is_word = |word: &&str| {
                !word.is_empty()
                    && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            };
            assert!(words.iter().all(is_word), "{name} is not snake_case");
            assert!(code.meaning().trim().ends_with('.'), "{name} has no sentence that explains it");
        }
    }

    #[test]
    fn every_code_parses_back_from_its_name() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::parse(code.as_str()), Some(*code));
        }
        assert_eq!(ErrorCode::parse("from_a_later_version"), None);
    }

    #[test]
    fn error_data_omits_absent_fields() {
        let plain = ErrorData::new("queue_full", None, false);
        assert_eq!(serde_json::to_string(&plain).unwrap(), r#"{"code":"queue_full"}"#);

        let whole = ErrorData::new("daemon_unavailable", Some(&Remedy::restart("K7M2Q9XD")), true);
        let text = concat!(
            r#"{"code":"daemon_unavailable","hint":"Restart the session.","#,
            r#""remedy":{"kind":"restartSession","sessionId":"K7M2Q9XD"},"retryable":true}"#
        );
        assert_eq!(serde_json::to_string(&whole).unwrap(), text);
        assert_eq!(serde_json::from_str::<ErrorData>(text).unwrap(), whole);
    }

    #[test]
    fn a_remedy_that_is_a_sentence_is_the_hint_alone() {
        let data = ErrorData::new("queue_full", Some(&"Wait.".into()), false);
        let text = r#"{"code":"queue_full","hint":"Wait."}"#;
        assert_eq!(serde_json::to_string(&data).unwrap(), text);
    }

    #[test]
    fn a_remedy_of_an_unknown_kind_is_left_out() {
        for remedy in [r#"{"kind":"dance"}"#, r#"{"kind":"restartSession"}"#, "null", "7"] {
            let text = format!(r#"{{"code":"queue_full","remedy":{remedy}}}"#);
            assert_eq!(serde_json::from_str::<ErrorData>(&text).unwrap().remedy, None, "{remedy}");
        }
    }

    #[test]
    fn error_data_accepts_unknown_fields_and_an_unknown_code() {
        let text = r#"{"code":"from_a_later_version","limits":{"queue":5}}"#;
        let expected = ErrorData::new("from_a_later_version", None, false);
        assert_eq!(serde_json::from_str::<ErrorData>(text).unwrap(), expected);
    }
}
