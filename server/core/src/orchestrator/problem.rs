//! A problem: what went wrong, and what a person can do about it.

use serde::{Deserialize, Serialize};

use super::{ErrorCode, Remedy};

/// A refusal or failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(from = "Stored", into = "Stored")]
#[error("{message}")]
pub struct Problem {
    /// The stable code.
    pub code: ErrorCode,
    /// What happened, one sentence.
    pub message: String,
    /// What to do.
    pub remedy: Option<Remedy>,
    /// The end of what Claude or its host wrote to standard error, if that helps.
    pub log: Option<String>,
}

impl Problem {
    /// A problem without a log.
    pub fn new(code: ErrorCode, message: impl Into<String>, remedy: impl Into<Remedy>) -> Problem {
        Problem { code, message: message.into(), remedy: Some(remedy.into()), log: None }
    }

    /// What to do, in a sentence that fits every client; empty if there is nothing to do.
    pub fn hint(&self) -> String {
        self.remedy.as_ref().map(Remedy::hint).unwrap_or_default()
    }
}

/// A problem in the database. Members are added, never changed: earlier versions wrote and read the hint alone.
#[derive(Serialize, Deserialize)]
struct Stored {
    code: String,
    message: String,
    #[serde(default)]
    hint: String,
    #[serde(default, deserialize_with = "Remedy::read", skip_serializing_if = "Remedy::is_text")]
    remedy: Option<Remedy>,
    log: Option<String>,
}

impl From<Problem> for Stored {
    fn from(problem: Problem) -> Stored {
        let hint = problem.hint();
        let Problem { code, message, remedy, log } = problem;
        Stored { code: code.as_str().to_owned(), message, hint, remedy, log }
    }
}

impl From<Stored> for Problem {
    fn from(stored: Stored) -> Problem {
        let Stored { code, message, hint, remedy, log } = stored;
        let text = || Some(hint).filter(|hint| !hint.is_empty()).map(Remedy::Other);
        Problem {
            // A later version may have written a code of its own.
            code: ErrorCode::parse(&code).unwrap_or(ErrorCode::Internal),
            message,
            remedy: remedy.or_else(text),
            log,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Problem {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_problem_is_stored_with_its_remedy_and_the_hint_that_says_the_same() {
        let problem = Problem::new(ErrorCode::HostFailed, "It failed.", Remedy::restart("K7M2Q9XD"));
        let text = concat!(
            r#"{"code":"host_failed","message":"It failed.","hint":"Restart the session.","#,
            r#""remedy":{"kind":"restartSession","sessionId":"K7M2Q9XD"},"log":null}"#
        );
        assert_eq!(serde_json::to_string(&problem).unwrap(), text);
        assert_eq!(read(text), problem);
    }

    #[test]
    fn a_problem_of_an_earlier_version_keeps_its_hint() {
        let problem = read(
            r#"{"code":"login_needed","message":"Claude is not logged in.","hint":"Log in, then: areyouj restart K7M2Q9XD","log":null}"#,
        );
        let hint = "Log in, then: areyouj restart K7M2Q9XD";
        assert_eq!(problem, Problem::new(ErrorCode::LoginNeeded, "Claude is not logged in.", hint));
        assert_eq!(read(&serde_json::to_string(&problem).unwrap()), problem);
    }

    #[test]
    fn a_problem_of_a_later_version_is_read_as_far_as_it_is_known() {
        let problem = read(
            r#"{"code":"moon_eclipsed","message":"It is dark.","hint":"Wait.","remedy":{"kind":"wait"},"log":"moon"}"#,
        );
        let expected = Problem::new(ErrorCode::Internal, "It is dark.", "Wait.");
        assert_eq!(problem, Problem { log: Some("moon".to_owned()), ..expected });
    }
}
