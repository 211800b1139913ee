//! The error type of the client and the command line.

use areyouj_core::orchestrator::Problem;
use areyouj_protocol::{ConnectionError, ErrorCode, Remedy, SessionError};

use crate::config::{ClaudeMissing, ConfigError};
use crate::paths::PathsError;

/// An error: a problem, whose code can be one of a newer daemon, and whether a retry can help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The stable code. The code of a newer daemon can be unknown here.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do.
    pub remedy: Option<Remedy>,
    /// Lines of a log that can explain more.
    pub log: Option<String>,
    /// Whether the same request can be sent again.
    pub retryable: bool,
}

impl Failure {
    /// A failure that is not retryable.
    pub fn new(code: ErrorCode, message: impl Into<String>, remedy: impl Into<Remedy>) -> Failure {
        Problem::new(code, message, remedy).into()
    }

    /// A file that could not be used. A full disk and missing permissions have their own codes; `otherwise` is for the rest.
    pub(crate) fn of_file(error: &std::io::Error, otherwise: ErrorCode, message: String) -> Failure {
        problem_of_file(error, otherwise, message).into()
    }

    /// The same failure with lines of a log.
    pub fn with_log(self, log: Option<String>) -> Failure {
        Failure { log, ..self }
    }
}

/// A file that could not be used, see [`Failure::of_file`].
pub(crate) fn problem_of_file(error: &std::io::Error, otherwise: ErrorCode, message: String) -> Problem {
    let (code, remedy) = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            (ErrorCode::StorageFull, Remedy::FreeDisk)
        }
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => (
            ErrorCode::DirectoryNotAccessible,
            "Check that you can write there, or set AREYOUJ_HOME to another directory.".into(),
        ),
        _ => (otherwise, Remedy::RunDoctor { first: None }),
    };
    Problem::new(code, message, remedy)
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Failure {
        let Problem { code, message, remedy, log } = problem;
        Failure { code: code.as_str().to_owned(), message, remedy, log, retryable: false }
    }
}

impl From<PathsError> for Failure {
    fn from(error: PathsError) -> Failure {
        Failure::new(error.code(), error.to_string(), error.hint())
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        Failure::new(error.code(), error.to_string(), error.remedy())
    }
}

impl From<ClaudeMissing> for Failure {
    fn from(error: ClaudeMissing) -> Failure {
        Failure::new(error.code(), error.to_string(), error.remedy())
    }
}

impl From<&Failure> for ConnectionError {
    fn from(failure: &Failure) -> ConnectionError {
        ConnectionError {
            code: failure.code.clone(),
            message: failure.message.clone(),
            hint: failure.remedy.as_ref().map(Remedy::hint),
            remedy: failure.remedy.clone(),
        }
    }
}

impl From<ConnectionError> for Failure {
    fn from(error: ConnectionError) -> Failure {
        let ConnectionError { code, message, hint, remedy } = error;
        Failure { code, message, remedy: remedy.or(hint.map(Remedy::Other)), log: None, retryable: false }
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Failure {
        let SessionError { code, message, hint, remedy, log } = error;
        Failure { code, message, remedy: Some(remedy.unwrap_or(Remedy::Other(hint))), log, retryable: false }
    }
}
