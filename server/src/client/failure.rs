//! The error type of the client and the command line.

use areyouj_protocol::{ErrorCode, SessionError};

use crate::config::{ClaudeMissing, ConfigError};
use crate::paths::PathsError;

/// An error: a stable code, one sentence on what happened, one on what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The stable code. The code of a newer daemon can be unknown here.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// Lines of a log that can explain more.
    pub log: Option<String>,
    /// Whether the same request can be sent again.
    pub retryable: bool,
}

impl Failure {
    /// A failure that is not retryable.
    pub fn new(code: ErrorCode, message: impl Into<String>, hint: impl Into<String>) -> Failure {
        Failure {
            code: code.as_str().to_owned(),
            message: message.into(),
            hint: Some(hint.into()),
            log: None,
            retryable: false,
        }
    }

    /// A file that could not be used. A full disk and missing permissions have their own codes; `otherwise` is for the rest.
    pub(crate) fn of_file(error: &std::io::Error, otherwise: ErrorCode, message: String) -> Failure {
        let (code, hint) = match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                (ErrorCode::StorageFull, "Free some space on that disk, then try again.")
            }
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => (
                ErrorCode::DirectoryNotAccessible,
                "Check that you can write there, or set AREYOUJ_HOME to another directory.",
            ),
            _ => (otherwise, "Run `areyouj doctor` to find the cause."),
        };
        Failure::new(code, message, hint)
    }

    /// The same failure with lines of a log.
    pub fn with_log(self, log: Option<String>) -> Failure {
        Failure { log, ..self }
    }
}

impl From<PathsError> for Failure {
    fn from(error: PathsError) -> Failure {
        Failure::new(error.code(), error.to_string(), error.hint())
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        Failure::new(error.code(), error.to_string(), error.hint())
    }
}

impl From<ClaudeMissing> for Failure {
    fn from(error: ClaudeMissing) -> Failure {
        Failure::new(error.code(), error.to_string(), error.hint())
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Failure {
        Failure {
            code: error.code,
            message: error.message,
            hint: Some(error.hint),
            log: error.log,
            retryable: false,
        }
    }
}
