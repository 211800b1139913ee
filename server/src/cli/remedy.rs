//! Remedies in the terms of the command line: the command that carries each of them out.

use areyouj_protocol::{Remedy, SessionError};

/// What to do, with the command to run.
pub(super) fn hint(remedy: &Remedy) -> String {
    match remedy {
        Remedy::RestartSession { session_id, first: Some(first) } => {
            format!("{first} Then restart the session with: areyouj restart {session_id}")
        }
        Remedy::RestartSession { session_id, first: None } => {
            format!("Restart the session with: areyouj restart {session_id}")
        }
        Remedy::TerminateSession { session_id } => {
            format!("Terminate the session first with: areyouj terminate {session_id}")
        }
        Remedy::NewSession => "Start a new session with: areyouj new".to_owned(),
        Remedy::ListSessions => "List all sessions with: areyouj ls --all".to_owned(),
        Remedy::ListMessages => "List the messages of a session with: areyouj queue ID --all".to_owned(),
        Remedy::ListPermissions { session_id } => {
            let of = session_id.iter().map(|id| format!(" {id}")).collect::<String>();
            format!("List the open permission requests with: areyouj permissions{of}")
        }
        Remedy::AnswerQuestion { permission_id } => {
            format!("Answer the question with: areyouj answer {permission_id} CHOICE")
        }
        Remedy::AllowOrDeny { permission_id } => {
            format!("Run `areyouj allow {permission_id}` or `areyouj deny {permission_id}`.")
        }
        Remedy::LogIn { session_id } => format!(
            "Log in by running `claude` in a terminal. Then run `areyouj restart {session_id}` and send the failed \
             message again."
        ),
        Remedy::RaiseLimit { setting } => {
            format!("Terminate a session with `areyouj terminate ID`, or raise {setting} in config.toml.")
        }
        Remedy::RestartDaemon => {
            "Run `areyouj daemon restart`, so that the daemon has the version of this program; sessions keep running."
                .to_owned()
        }
        Remedy::RunDoctor { first: Some(first) } => {
            format!("{first} `areyouj doctor` shows more.")
        }
        Remedy::RunDoctor { first: None } => "Find the cause with: areyouj doctor".to_owned(),
        Remedy::ChooseDirectory | Remedy::FreeDisk | Remedy::TryAgain | Remedy::Other(_) => remedy.hint(),
    }
}

/// The same in the output of doctor itself.
pub(super) fn fix(remedy: &Remedy) -> Option<String> {
    match remedy {
        Remedy::RunDoctor { first } => first.as_deref().map(str::to_owned),
        _ => Some(hint(remedy)),
    }
}

/// What to do about the error of a session.
pub(super) fn hint_of_session(error: &SessionError) -> String {
    error.remedy.as_ref().map_or_else(|| error.hint.clone(), hint)
}

#[cfg(test)]
mod tests {
    use crate::texts::assert_text;

    use super::*;

    #[test]
    fn every_remedy_is_printed_with_its_command() {
        let (session_id, first) = ("K7M2Q9XD".to_owned(), Some("FIRST.".into()));
        let permission_id = "K7M2Q9XD-1".to_owned();
        let remedies = [
            Remedy::RestartSession { session_id: session_id.clone(), first: None },
            Remedy::RestartSession { session_id: session_id.clone(), first: first.clone() },
            Remedy::TerminateSession { session_id: session_id.clone() },
            Remedy::NewSession,
            Remedy::ListSessions,
            Remedy::ListMessages,
            Remedy::ListPermissions { session_id: None },
            Remedy::ListPermissions { session_id: Some(session_id.clone()) },
            Remedy::AnswerQuestion { permission_id: permission_id.clone() },
            Remedy::AllowOrDeny { permission_id },
            Remedy::LogIn { session_id },
            Remedy::ChooseDirectory,
            Remedy::FreeDisk,
            Remedy::RaiseLimit { setting: "SETTING".to_owned() },
            Remedy::RestartDaemon,
            Remedy::TryAgain,
            Remedy::RunDoctor { first: None },
            Remedy::RunDoctor { first },
        ];
        let lines = remedies.map(|remedy| format!("editor: {}\nshell:  {}\n", remedy.hint(), hint(&remedy)));
        assert_text("remedies", &lines.join("\n"));
    }
}
