//! Delivering messages to Claude, one turn at a time, and their results.

use super::Session;
use crate::orchestrator::context::StepContext;
use crate::orchestrator::problems::MAX_STEERS;
use crate::orchestrator::{
    Answer, ErrorCode, Goal, Input, MessageId, MessageState, PermissionKind, PermissionRequest, Problem,
    Recovery, Stage,
};

/// Characters of a message that are shown as the current task.
const TASK_CHARS: usize = 200;

impl Session {
    /// Adds a waiting message, last or first.
    pub(in crate::orchestrator) fn enqueue(
        &mut self,
        step: &mut StepContext,
        id: MessageId,
        text: String,
        first: bool,
    ) {
        self.last_activity = step.now.wall;
        self.queue.enqueue(step, id, text, first);
    }

    /// Delivers the next message if nothing prevents it.
    pub(super) fn dispatch(&mut self, step: &mut StepContext) {
        let free = self.lifecycle.is_ready()
            && !self.turn_runs()
            && !self.queue.pause().is_paused()
            && !self.turn.is_interrupting()
            && !self.permissions.is_asking()
            && !self.terminal_is_taken();
        if let Some(next) = self.queue.next().filter(|_| free) {
            self.deliver(step, next, false);
        }
    }

    /// Writes a waiting message to Claude, into the running turn if `steer`.
    fn deliver(&mut self, step: &mut StepContext, id: MessageId, steer: bool) {
        if let Some(message) = self.queue.deliver(step, id, steer) {
            let input = Input::Message { id, text: message.text.clone(), steer };
            self.current_task = Some(first_line(&message.text));
            self.send(step, input);
        }
    }

    /// Sends a waiting message into the running turn if the turn accepts it; otherwise moves it to the front of the
    /// queue.
    ///
    /// # Errors
    ///
    /// Too many messages have been sent into the turn.
    pub(in crate::orchestrator) fn steer(
        &mut self,
        step: &mut StepContext,
        id: MessageId,
    ) -> Result<(), Problem> {
        if self.takes_steering()? {
            self.deliver(step, id, true);
        } else {
            self.queue.move_to(step, id, 0);
        }
        Ok(())
    }

    /// Whether a turn runs that accepts a message. A paste must not land in a person's draft.
    pub(in crate::orchestrator) fn takes_steering(&self) -> Result<bool, Problem> {
        let runs = self.turn_runs() && !self.turn.is_idle() && !self.terminal_is_taken();
        if runs && self.queue.running().count() > MAX_STEERS {
            return Err(Problem::new(
                ErrorCode::QueueFull,
                format!("{MAX_STEERS} messages have been sent into this turn already."),
                "Queue the message instead.",
            ));
        }
        Ok(runs)
    }

    /// The decision of the settings about interrupted messages; `None`: a person decides.
    pub(super) fn recovery(&self, step: &StepContext) -> Option<Recovery> {
        step.settings.on_interrupted.filter(|_| self.lifecycle.goal() == Goal::Run)
    }

    /// A person decides about a message that failed or was interrupted. Returns the message that results from it.
    pub(in crate::orchestrator) fn recover(
        &mut self,
        step: &mut StepContext,
        id: MessageId,
        choice: Recovery,
    ) -> Option<MessageId> {
        self.last_activity = step.now.wall;
        self.queue.recover(step, id, choice)
    }

    /// Claude reported a stage of a message.
    pub(super) fn message_stage(&mut self, step: &mut StepContext, id: MessageId, stage: Stage) {
        match stage {
            Stage::Queued => {}
            Stage::Started => {
                self.turn.begin();
                self.queue.started(step, id);
            }
            Stage::Completed => self.queue.finish(step, id, MessageState::Done, None),
            Stage::Cancelled => {
                let why = Some("The turn was interrupted.");
                self.queue.finish(step, id, MessageState::Interrupted, why);
            }
        }
    }

    /// A new daemon has found the host. Writes what should have been written and is not in the journal.
    pub(super) fn send_undelivered(&mut self, step: &mut StepContext) {
        let inputs: Vec<Input> = self.undelivered().collect();
        for input in inputs {
            self.send(step, input);
        }
    }

    /// What should have been written and is not in the journal.
    pub(super) fn undelivered(&self) -> impl Iterator<Item = Input> {
        let messages = self.queue.unwritten().map(|message| Input::Message {
            id: message.id,
            text: message.text.clone(),
            steer: message.steer,
        });
        messages.chain(self.permissions.undelivered(self.lifecycle.launch()))
    }

    /// Claude makes a permission request.
    pub(super) fn permission_requested(&mut self, step: &mut StepContext, request: PermissionRequest) {
        if self.is_terminal() {
            self.terminal.asked();
            let excess = self.held.hold(step.now.monotonic, request);
            self.release_unconfirmed(step, excess);
        } else {
            self.show_request(step, request);
        }
    }

    /// Shows a permission request to people.
    pub(super) fn show_request(&mut self, step: &mut StepContext, request: PermissionRequest) {
        let entry = self.permissions.add(step, self.lifecycle.launch(), request);
        self.add_entries(step, entry);
    }

    /// A person answers a permission request.
    ///
    /// # Errors
    ///
    /// The request is not open, or the answer does not fit it.
    pub(in crate::orchestrator) fn answer(
        &mut self,
        step: &mut StepContext,
        number: u32,
        digest: &str,
        answer: Answer,
        by: &str,
    ) -> Result<(), Problem> {
        let (entry, input) = self.permissions.answer(step, number, digest, answer, by)?;
        self.add_entry(step, entry);
        if let Input::Answer { request, answer } = &input
            && request.kind == PermissionKind::Trust
        {
            self.trust_answered(step, answer);
            return Ok(());
        }
        // Nothing is written while the daemon looks for the host; undelivered input follows then.
        if !self.lifecycle.is_adopting() {
            self.send(step, input);
        }
        Ok(())
    }
}

/// The beginning of a text as one line.
pub(super) fn first_line(text: &str) -> String {
    let line = text.trim_start().lines().next().unwrap_or_default();
    line.chars().filter(|character| !character.is_control()).take(TASK_CHARS).collect()
}
