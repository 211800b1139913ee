//! Remedies: what a person can do about an error.

use std::fmt::Display;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

/// What to do about an error. A client offers it in its own terms, for example as a button or a command. For a kind that
/// it does not know it shows the `hint` of the error, which says the same in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Remedy {
    /// Restart a session.
    RestartSession {
        /// The session.
        session_id: String,
        /// What to do before that: a sentence for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first: Option<Box<str>>,
    },
    /// Terminate a session.
    TerminateSession {
        /// The session.
        session_id: String,
    },
    /// Start a new session.
    NewSession,
    /// Look for the session in the list of all sessions.
    ListSessions,
    /// Look for the message in the queue of its session.
    ListMessages,
    /// Read the open permission requests.
    ListPermissions {
        /// Only those of this session. If omitted, those of all sessions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session_id: Option<String>,
    },
    /// Answer a permission request with a choice for each of its questions.
    AnswerQuestion {
        /// The permission request.
        permission_id: String,
    },
    /// Allow a permission request once, or deny it.
    AllowOrDeny {
        /// The permission request.
        permission_id: String,
    },
    /// Log in to Claude, then restart a session and send the failed message again.
    LogIn {
        /// The session.
        session_id: String,
    },
    /// Choose another directory, or make this one usable.
    ChooseDirectory,
    /// Free some space on the disk, then try again.
    FreeDisk,
    /// Terminate a session, or raise the limit that the configuration file sets.
    RaiseLimit {
        /// The key in the configuration file.
        setting: String,
    },
    /// Restart the daemon, so that it has the version of its clients. Sessions keep running.
    RestartDaemon,
    /// Send the same request again.
    TryAgain,
    /// Have AreYouJ check its installation.
    RunDoctor {
        /// What to do before that: a sentence for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first: Option<Box<str>>,
    },
    /// Something else: a sentence for people. It is never on the wire as a remedy, only as the `hint` of the error.
    #[serde(skip)]
    Other(String),
}

impl Remedy {
    /// To restart this session.
    pub fn restart(session: impl Display) -> Remedy {
        Remedy::RestartSession { session_id: session.to_string(), first: None }
    }

    /// To do something, then restart this session.
    pub fn restart_after(session: impl Display, first: impl Into<Box<str>>) -> Remedy {
        Remedy::RestartSession { session_id: session.to_string(), first: Some(first.into()) }
    }

    /// To do this, then restart this session.
    pub fn then_restart(&self, session: impl Display) -> Remedy {
        match self {
            Remedy::RunDoctor { first: Some(first) } => Remedy::restart_after(session, first.clone()),
            remedy => Remedy::restart_after(session, remedy.hint()),
        }
    }

    /// To do something; doctor shows more.
    pub fn doctor_after(first: impl Into<Box<str>>) -> Remedy {
        Remedy::RunDoctor { first: Some(first.into()) }
    }

    /// What to do, in one or two sentences that fit every client.
    pub fn hint(&self) -> String {
        match self {
            Remedy::RestartSession { first: Some(first), .. } => {
                return format!("{first} Then restart the session.");
            }
            Remedy::RunDoctor { first: Some(first) } => {
                return format!("{first} Doctor shows more.");
            }
            Remedy::RaiseLimit { setting } => {
                return format!("Terminate a session, or raise {setting} in config.toml.");
            }
            Remedy::Other(text) => return text.clone(),
            Remedy::RestartSession { first: None, .. } => "Restart the session.",
            Remedy::TerminateSession { .. } => "Terminate the session first.",
            Remedy::NewSession => "Start a new session.",
            Remedy::ListSessions => "Look for it in the list of all sessions.",
            Remedy::ListMessages => "Look for it in the queue of its session.",
            Remedy::ListPermissions { .. } => "See the open permission requests.",
            Remedy::AnswerQuestion { .. } => "Choose an answer for each question.",
            Remedy::AllowOrDeny { .. } => "Allow it once, or deny it.",
            Remedy::LogIn { .. } => {
                "Log in to Claude, then restart the session and send the failed message again."
            }
            Remedy::ChooseDirectory => {
                "Check the directory and its permissions, or choose another directory."
            }
            Remedy::FreeDisk => "Free some space on that disk, then try again.",
            Remedy::RestartDaemon => {
                "Restart the daemon: its version may differ from this client's. Sessions keep running."
            }
            Remedy::TryAgain => "Try again in a moment.",
            Remedy::RunDoctor { first: None } => "Run doctor to find the cause.",
        }
        .to_owned()
    }

    /// Whether the remedy is only a sentence, which the `hint` of an error has already.
    pub fn is_text(remedy: &Option<Remedy>) -> bool {
        matches!(remedy, None | Some(Remedy::Other(_)))
    }

    /// Reads a remedy; none if this version does not know its kind.
    ///
    /// # Errors
    ///
    /// The value is not complete.
    pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Remedy>, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Tolerant {
            Known(Remedy),
            Unknown(IgnoredAny),
        }
        Ok(match Option::<Tolerant>::deserialize(deserializer)? {
            Some(Tolerant::Known(remedy)) => Some(remedy),
            Some(Tolerant::Unknown(_)) | None => None,
        })
    }
}

impl From<&str> for Remedy {
    fn from(text: &str) -> Remedy {
        Remedy::Other(text.to_owned())
    }
}

impl From<String> for Remedy {
    fn from(text: String) -> Remedy {
        Remedy::Other(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_before_a_restart_is_a_sentence_before_it() {
        let hint = |remedy: Remedy| remedy.then_restart("K7M2Q9XD").hint();
        assert_eq!(hint("Install it.".into()), "Install it. Then restart the session.");
        assert_eq!(hint(Remedy::doctor_after("Install it.")), "Install it. Then restart the session.");
        let free = "Free some space on that disk, then try again. Then restart the session.";
        assert_eq!(hint(Remedy::FreeDisk), free);
    }
}
