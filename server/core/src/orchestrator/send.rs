//! Accepting messages, and decisions about those that failed or were cut off.

use super::check::{check_room, check_text, conflict};
use super::command::Done;
use super::problem::MAX_STEERS;
use super::session::{Session, Step};
use super::{Activity, Keyed, MessageId, MessageState, Outcome, Problem, Recovery, SessionRef, State};

impl State {
    pub(super) fn send_message(
        &mut self,
        step: &mut Step,
        session: &SessionRef,
        id: MessageId,
        text: String,
        steer: bool,
    ) -> Result<Done, Problem> {
        check_text(&text)?;
        let of = self.resolve(session)?;
        if let Some(holder) = self.holder_of(id) {
            let session = self.live(holder)?;
            let same = session.messages.iter().find(|row| row.id == id && row.text == text && holder == of);
            let row = same.ok_or_else(conflict)?;
            if steer && row.state == MessageState::Queued {
                session.steer_waiting(step, id)?;
            }
            return self.message_done(holder, id);
        }
        if self.repeated(&id.to_string(), "queue/add")?.is_some() {
            return Ok(Done::on(of, Ok(Outcome::Finished(id))));
        }
        let session = self.live(of)?;
        let sizes = session.queued().map(|message| (1, message.text.len()));
        let (count, bytes) = sizes.fold((1, text.len()), |all, one| (all.0 + one.0, all.1 + one.1));
        check_room(count, bytes)?;
        let into_turn = steer && session.takes_steering()?;
        session.enqueue(step, id, text, steer && !into_turn);
        if into_turn {
            session.hand_over(step, id, true);
        }
        // The message itself tells a daemon that starts later.
        self.remember_request(id.to_string(), format!("queue/add {of}"));
        let mut done = self.message_done(of, id)?;
        done.detail = Some(id.to_string());
        Ok(done)
    }

    pub(super) fn recover(
        &mut self,
        step: &mut Step,
        message: &Keyed<String>,
        choice: Recovery,
        new_id: MessageId,
    ) -> Result<Done, Problem> {
        if let Some(subject) = self.repeated(&message.key, "queue/recover")? {
            if let Some(done) = self.finished_before(Some(&subject)) {
                return Ok(done);
            }
            let id = subject.parse().map_err(|_| Problem::message_not_found(&subject))?;
            let holder = self.holder_of(id).ok_or_else(|| Problem::message_not_found(&subject))?;
            return self.message_done(holder, id);
        }
        let (of, id) = self.find_message(&message.what)?;
        let session = self.live(of)?;
        let row = session.messages.iter().find(|row| row.id == id).cloned();
        let Some(mut row) =
            row.filter(|row| matches!(row.state, MessageState::Interrupted | MessageState::Failed))
        else {
            return Err(Problem::new(
                "message_not_interrupted",
                "The message was neither cut off nor did it fail.",
                "Only such a message can be continued, sent again or skipped.",
            ));
        };
        let follows = session.recover(step, id, choice, new_id);
        self.carried_out(step, &message.key, format!("queue/recover {}", follows.unwrap_or(id)));
        let session = self.live(of)?;
        if let Some(new) = follows.and_then(|id| session.messages.iter().find(|row| row.id == id)) {
            row = new.clone();
        }
        let mut done = Done::on(of, Ok(Outcome::Message(Box::new(session.message_view(&row)))));
        done.detail = Some(id.to_string());
        Ok(done)
    }
}

impl Session {
    /// Whether a turn runs that a message can be put into. One that is pasted must not land in what somebody types.
    fn takes_steering(&self) -> Result<bool, Problem> {
        let runs = self.turn_runs() && self.activity != Activity::Idle && !self.terminal_is_taken();
        if runs && self.running().count() > MAX_STEERS {
            return Err(Problem::new(
                "queue_full",
                format!("{MAX_STEERS} messages are on their way into this turn already."),
                "Queue it instead with: areyouj send ID TEXT",
            ));
        }
        Ok(runs)
    }

    /// Puts a message that waits into the running turn, or before all that wait.
    fn steer_waiting(&mut self, step: &mut Step, id: MessageId) -> Result<(), Problem> {
        if self.takes_steering()? {
            self.hand_over(step, id, true);
        } else {
            self.move_message(step, id, 0);
        }
        Ok(())
    }
}
