//! Finding what a client means: sessions, messages and permission requests by id, by the beginning of an id, or by
//! folder.

use super::session::Session;
use super::state::State;
use super::{MessageId, PermissionId, PermissionRow, Problem, SessionId, SessionRef};

impl State {
    /// The id of the session that a client means.
    pub(super) fn resolve(&self, session: &SessionRef) -> Result<SessionId, Problem> {
        match session {
            SessionRef::Newest { directories } => {
                let here = self.sessions.values().filter(|session| {
                    !session.is_terminated()
                        && directories.iter().any(|directory| directory == session.directory())
                });
                let newest = here.max_by_key(|session| (session.created_at(), session.id()));
                newest.map(Session::id).ok_or_else(Problem::no_session_here)
            }
            SessionRef::Id(text) => {
                let prefix = text.to_ascii_uppercase();
                let of = |live: bool| {
                    // Every id begins with an empty text: a script's unset variable must not select a session.
                    let fits = |session: &&Session| {
                        !prefix.is_empty()
                            && session.id().as_str().starts_with(&prefix)
                            && session.is_terminated() != live
                    };
                    self.sessions.values().filter(fits).map(Session::id).collect::<Vec<_>>()
                };
                // Live sessions come first.
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
        if let Ok(id) = text.parse::<MessageId>()
            && let Some(session) = self.holder_of(id)
        {
            return Ok((session, id));
        }
        let prefix = text.to_ascii_lowercase();
        let all = self.sessions.values().flat_map(|session| session.queue().iter());
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

    /// The permission request with this whole id. An answer must not hit a request by the beginning of its id: the next
    /// request of the same session begins alike.
    pub(super) fn find_permission(&self, text: &str) -> Result<PermissionId, Problem> {
        let wanted = text.to_ascii_uppercase();
        if let Ok(id) = wanted.parse() {
            let known = self.permission(id).map(|request| request.id);
            return known.ok_or_else(|| Problem::permission_not_found(text));
        }
        let open =
            self.sessions.values().flat_map(|session| session.permissions().open()).map(|request| request.id);
        let begin_alike: Vec<_> = open
            .map(|id| id.to_string())
            .filter(|id| !wanted.is_empty() && id.starts_with(&wanted))
            .collect();
        match begin_alike.as_slice() {
            [] => Err(Problem::permission_not_found(text)),
            whole => Err(Problem::permission_id_incomplete(text, whole)),
        }
    }

    pub(super) fn permission(&self, id: PermissionId) -> Option<&PermissionRow> {
        self.sessions.get(&id.session)?.permissions().get(id.number)
    }

    /// The session in which a message waits or runs, or waits for a decision.
    pub(super) fn holder_of(&self, id: MessageId) -> Option<SessionId> {
        self.sessions.values().find(|session| session.queue().contains(id)).map(Session::id)
    }

    pub(super) fn session(&self, id: SessionId) -> Result<&Session, Problem> {
        self.sessions.get(&id).ok_or_else(|| Problem::session_not_found(id.as_str()))
    }

    pub(super) fn session_mut(&mut self, id: SessionId) -> Result<&mut Session, Problem> {
        self.sessions.get_mut(&id).ok_or_else(|| Problem::session_not_found(id.as_str()))
    }
}
