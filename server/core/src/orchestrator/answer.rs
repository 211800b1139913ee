//! The answers to operations. They are rendered at the end of the step, when everything has happened that follows from
//! the operation.

use super::{ClientId, MessageId, Outcome, PermissionId, Problem, SessionId, State};

/// What the answer to an operation shows.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    /// Nothing: the operation was carried out.
    Done,
    /// A session.
    Session(SessionId),
    /// A created session, with a warning for people.
    Created { session: SessionId, warning: Option<String> },
    /// A session's queue.
    Queue(SessionId),
    /// A message.
    Message(MessageId),
    /// A permission request.
    Permission(PermissionId),
    /// The client watches this session. `since`: the newest transcript entry that it has.
    Attached { session: SessionId, since: Option<u64> },
    /// The client does not watch this session any more.
    Detached(SessionId),
}

/// What an operation has done: what its answer shows, the session that it was about, and a detail for the audit trail.
pub(super) struct CommandResult {
    pub(super) subject: Subject,
    pub(super) session: Option<SessionId>,
    pub(super) detail: Option<String>,
}

impl CommandResult {
    pub(super) fn on(session: SessionId, subject: Subject) -> CommandResult {
        CommandResult { subject, session: Some(session), detail: None }
    }

    pub(super) fn with_detail(self, detail: String) -> CommandResult {
        CommandResult { detail: Some(detail), ..self }
    }
}

impl State {
    /// The answer as the state is now.
    ///
    /// # Errors
    ///
    /// What the answer shows does not exist any more.
    pub(super) fn render(&self, subject: Subject) -> Result<Outcome, Problem> {
        let view = |id| Ok::<_, Problem>(Box::new(self.session(id)?.view()));
        match subject {
            Subject::Done => Ok(Outcome::Done),
            Subject::Session(id) => view(id).map(Outcome::Session),
            Subject::Created { session, warning } => {
                Ok(Outcome::Created { session: view(session)?, warning })
            }
            Subject::Queue(id) => Ok(Outcome::Queue(self.session(id)?.queue().view())),
            Subject::Message(id) => Ok(self.message(id)),
            Subject::Permission(id) => {
                let request = self.permission(id).cloned();
                let request = request.ok_or_else(|| Problem::permission_not_found(&id.to_string()))?;
                Ok(Outcome::Permission(Box::new(request)))
            }
            Subject::Attached { session, since } => {
                let partial_output = self.session(session)?.partial_output();
                Ok(Outcome::Attached { session: view(session)?, since, partial_output })
            }
            Subject::Detached(id) => Ok(Outcome::Detached(id)),
        }
    }

    /// A message; one that has ended is in the store alone.
    fn message(&self, id: MessageId) -> Outcome {
        let holder = self.holder_of(id).and_then(|session| self.sessions.get(&session));
        let view = holder.and_then(|session| {
            let row = session.queue().get(id)?;
            Some(session.queue().message_view(row))
        });
        view.map_or(Outcome::Finished(id), |view| Outcome::Message(Box::new(view)))
    }

    /// A client is gone: it watches nothing any more.
    pub(super) fn client_gone(&mut self, client: ClientId) {
        for session in self.sessions.values_mut() {
            session.unwatch(client);
        }
    }
}
