//! Accepting messages.

use super::check::{check_room, check_text, conflict};
use super::context::StepContext;
use super::state::State;
use super::subject::{OperationResult, Subject};
use super::{MessageId, MessageState, Problem, SessionRef};

impl State {
    /// Queues a message, or puts it into the running turn if `steer`. A message that waits can still be put there.
    pub(super) fn send_message(
        &mut self,
        step: &mut StepContext,
        session: &SessionRef,
        id: MessageId,
        text: String,
        steer: bool,
    ) -> Result<OperationResult, Problem> {
        check_text(&text)?;
        let of = self.resolve(session)?;
        let result = OperationResult::on(of, Subject::Message(id)).with_detail(id.to_string());
        if let Some(holder) = self.holder_of(id) {
            let session = self.session_mut(holder)?;
            let same = session.queue().get(id).filter(|row| row.text == text && holder == of);
            let state = same.map(|row| row.state).ok_or_else(conflict)?;
            if steer && state == MessageState::Queued {
                session.steer(step, id)?;
            }
            return Ok(result);
        }
        let session = self.session_mut(of)?;
        let sizes = session.queue().waiting().map(|message| (1, message.text.len()));
        let (count, bytes) = sizes.fold((1, text.len()), |all, one| (all.0 + one.0, all.1 + one.1));
        check_room(count, bytes)?;
        let into_turn = steer && session.takes_steering()?;
        session.enqueue(step, id, text, steer && !into_turn);
        if into_turn {
            session.steer(step, id)?;
        }
        self.remember_message(id, of);
        Ok(result)
    }
}
