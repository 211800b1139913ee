//! The answers to operations. They are rendered at the end of the step, after all consequences of the operation.

use super::state::State;
use super::subject::Subject;
use super::{MessageId, Outcome, Problem};

impl State {
    /// The answer for the current state.
    ///
    /// # Errors
    ///
    /// The subject does not exist any more.
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

    /// A message. Only the store has a message that has ended.
    fn message(&self, id: MessageId) -> Outcome {
        let holder = self.holder_of(id).and_then(|session| self.sessions.get(&session));
        let view = holder.and_then(|session| {
            let row = session.queue().get(id)?;
            Some(session.queue().message_view(row))
        });
        view.map_or(Outcome::Finished(id), |view| Outcome::Message(Box::new(view)))
    }
}
