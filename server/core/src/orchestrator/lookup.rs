//! Finding what is meant: sessions, messages and prompts by id, by the beginning of an id, or by folder.

use super::session::Session;
use super::{Goal, MessageId, PermissionId, PermissionRow, Problem, SessionId, SessionRef, State};

impl State {
    /// The id of the session that is meant.
    pub(super) fn resolve(&self, session: &SessionRef) -> Result<SessionId, Problem> {
        match session {
            SessionRef::Newest { directories } => {
                let here = self.sessions.values().filter(|session| {
                    !session.is_terminated() && directories.contains(&session.row.directory)
                });
                let newest = here.max_by_key(|session| (session.row.created_at, session.row.id));
                newest.map(|session| session.row.id).ok_or_else(Problem::no_session_here)
            }
            SessionRef::Id(text) => {
                let prefix = text.to_ascii_uppercase();
                let of = |live: bool| {
                    // Nothing is the beginning of every id: a script's unset variable must not mean any session.
                    let fits = |session: &&Session| {
                        !prefix.is_empty()
                            && session.row.id.as_str().starts_with(&prefix)
                            && session.is_terminated() != live
                    };
                    self.sessions.values().filter(fits).map(|session| session.row.id).collect::<Vec<_>>()
                };
                // A live session is what is meant, unless only ended ones fit.
                let mut fitting = of(true);
                if fitting.is_empty() {
                    fitting = of(false);
                }
                match fitting.as_slice() {
                    [] => Err(Problem::session_not_found(text)),
                    [one] => Ok(*one),
                    several => Err(Problem::ambiguous(
                        text,
                        &several.iter().map(SessionId::to_string).collect::<Vec<_>>(),
                    )),
                }
            }
        }
    }

    pub(super) fn find_message(&self, text: &str) -> Result<(SessionId, MessageId), Problem> {
        let prefix = text.to_ascii_lowercase();
        let all = self.sessions.values().flat_map(|session| session.messages.iter());
        let fitting: Vec<_> =
            all.filter(|row| !prefix.is_empty() && row.id.to_string().starts_with(&prefix)).collect();
        match fitting.as_slice() {
            [] => Err(Problem::message_not_found(text)),
            [one] => Ok((one.session, one.id)),
            several => Err(Problem::ambiguous(
                text,
                &several.iter().map(|row| row.id.to_string()).collect::<Vec<_>>(),
            )),
        }
    }

    pub(super) fn find_permission(&self, text: &str) -> Result<PermissionId, Problem> {
        let wanted = text.to_ascii_uppercase();
        // A whole id is never the beginning of another one: who answers the first prompt must not answer the tenth.
        if let Ok(id) = wanted.parse() {
            return self
                .prompt(id)
                .map(|prompt| prompt.id)
                .ok_or_else(|| Problem::permission_not_found(text));
        }
        let open = self.sessions.values().flat_map(Session::open_prompts).map(|prompt| prompt.id);
        let fitting: Vec<_> =
            open.filter(|id| !wanted.is_empty() && id.to_string().starts_with(&wanted)).collect();
        match fitting.as_slice() {
            [] => Err(Problem::permission_not_found(text)),
            [one] => Ok(*one),
            several => Err(Problem::ambiguous(
                text,
                &several.iter().map(PermissionId::to_string).collect::<Vec<_>>(),
            )),
        }
    }

    pub(super) fn prompt(&self, id: PermissionId) -> Option<&PermissionRow> {
        self.sessions.get(&id.session)?.prompts.get(&id.number)
    }

    pub(super) fn holder_of(&self, id: MessageId) -> Option<SessionId> {
        self.sessions.values().find(|session| session.messages.contains(id)).map(|session| session.row.id)
    }

    pub(super) fn session(&mut self, id: SessionId) -> Result<&mut Session, Problem> {
        self.sessions.get_mut(&id).ok_or_else(|| Problem::session_not_found(id.as_str()))
    }

    pub(super) fn live(&mut self, id: SessionId) -> Result<&mut Session, Problem> {
        let session = self.session(id)?;
        if session.row.goal == Goal::Terminate { Err(Problem::terminated(id)) } else { Ok(session) }
    }
}
