//! The rules of a terminal session: how the state of its terminal input affects the turn, the queue and the permission
//! requests.

use super::Session;
use super::delivery::first_line;
use super::terminal_input::{Submitted, Surroundings, TerminalOutcome};
use crate::orchestrator::context::StepContext;
use crate::orchestrator::{
    Activity, EntryBody, Input, MessageId, MessageState, NoticeLevel, PauseReason, PermissionRequest,
    ProcessStatus, ToolInput,
};
use crate::text::plain::short_line;

/// Most characters of a permission request in a notice.
const TITLE_CHARS: usize = 300;

impl Session {
    /// Whether something in the terminal prevents a paste.
    pub(in crate::orchestrator) fn terminal_is_taken(&self) -> bool {
        self.is_terminal() && self.terminal.is_taken(self.may_ask())
    }

    /// A person typed; the terminal's input holds this many characters now.
    pub(super) fn typed(&mut self, step: &StepContext, characters: usize) {
        self.terminal.typed(step.now.monotonic, characters, self.may_ask());
    }

    /// Whether Claude waits for an answer to a permission request, or can: its record does not confirm the request yet.
    fn may_ask(&self) -> bool {
        self.permissions.is_asking() || self.held.deadline().is_some()
    }

    /// A message was pasted.
    pub(super) fn pasted(&mut self, step: &mut StepContext) {
        let unwritten = self.queue.unwritten().next().map(|message| message.id);
        if let Some(id) = unwritten {
            self.queue.written(step, id);
            self.await_confirmation(step);
        }
    }

    /// Waits for the confirmation of a message that was pasted, if there is one.
    pub(super) fn await_confirmation(&mut self, step: &StepContext) {
        if let Some(message) = self.queue.unconfirmed() {
            self.terminal.await_confirmation(step.now.monotonic, message);
        }
    }

    /// A prompt was submitted in the terminal.
    pub(super) fn prompt_submitted(&mut self, step: &mut StepContext, text: String) {
        self.turn.begin();
        self.note = None;
        let pasted = self.queue.running().filter(|message| message.written && !message.started);
        let message_id = match self.terminal.submitted(step.now.wall, &text, pasted) {
            Submitted::Confirmed { message, joined } => {
                if joined {
                    let joined = "The message was joined with text that a person had typed in the terminal.";
                    self.add_notice(step, NoticeLevel::Warning, joined);
                }
                self.queue.started(step, message);
                Some(message)
            }
            Submitted::Unnoticed => {
                self.current_task = Some(first_line(&text));
                let unnoticed = "A hook reported the following prompt, and nobody typed it in the terminal. Claude can \
                                 have prompted itself, or something inside this session made it up.";
                self.add_notice(step, NoticeLevel::Warning, unnoticed);
                None
            }
            Submitted::ByPerson => {
                self.current_task = Some(first_line(&text));
                None
            }
        };
        self.add_entry(step, EntryBody::User { message_id, text });
    }

    /// Releases hooks whose permission requests Claude's record did not confirm: Claude asks in its terminal if it made them.
    pub(super) fn release_unconfirmed(
        &mut self,
        step: &mut StepContext,
        requests: impl IntoIterator<Item = PermissionRequest>,
    ) {
        for PermissionRequest { request_id, tool, title, .. } in requests {
            let text = format!(
                "A hook reported a permission request that Claude's own record does not confirm, so it was not \
                 shown: {}. Something inside this session may have made it up.",
                short_line(&format!("{tool}: {title}"), TITLE_CHARS)
            );
            self.loud_notice(step, NoticeLevel::Warning, text);
            self.send(step, Input::ReleaseHook { request_id });
        }
    }

    /// A tool ran: a person has answered the request for it in the terminal.
    pub(super) fn tool_ran(&mut self, step: &mut StepContext, tool: &str, input: &ToolInput) {
        if let Some(number) = self.permissions.about(tool, input) {
            self.answered_in_terminal(step, number);
        }
        for PermissionRequest { request_id, .. } in
            self.held.take_if(|request| request.tool == tool && request.input == *input)
        {
            self.send(step, Input::ReleaseHook { request_id });
        }
    }

    fn answered_in_terminal(&mut self, step: &mut StepContext, number: u32) {
        if let Some((entry, input)) = self.permissions.answered_in_terminal(step, number) {
            self.add_entry(step, entry);
            self.send(step, input);
        }
    }

    /// Applies the status from Claude's record of its process.
    pub(super) fn process_status(&mut self, step: &mut StepContext, status: ProcessStatus) {
        if !self.is_terminal() {
            return;
        }
        self.terminal.note_status(&status);
        if matches!(status, ProcessStatus::Waiting(_)) && self.lifecycle.is_ready() {
            for request in self.held.take_all() {
                self.show_request(step, request);
            }
        }
        if self.lifecycle.awaits_ready() {
            match status {
                ProcessStatus::Waiting(what) => self.terminal.open_dialog(what),
                ProcessStatus::Idle | ProcessStatus::Busy => {
                    self.terminal.close_dialog();
                    self.claude_ready(step, Vec::new());
                }
            }
        } else if self.lifecycle.is_ready() {
            let around = Surroundings::of(self.may_ask(), &self.turn, &self.queue);
            let outcome = self.terminal.status_read(status, around);
            self.apply(step, outcome);
        }
    }

    /// Time has passed at the terminal.
    pub(super) fn tick_terminal(&mut self, step: &mut StepContext) {
        let asking = self.may_ask();
        let late = self.held.take_late(step.now.monotonic);
        self.release_unconfirmed(step, late);
        let around = Surroundings::of(asking, &self.turn, &self.queue);
        let outcome = self.terminal.tick(step.now.monotonic, around);
        self.apply(step, outcome);
    }

    fn apply(&mut self, step: &mut StepContext, outcome: Option<TerminalOutcome>) {
        match outcome {
            None => {}
            Some(TerminalOutcome::CommandTaken { message, over }) => {
                self.queue.started(step, message);
                if over {
                    self.queue.finish_started(step, MessageState::Done, None);
                }
            }
            Some(TerminalOutcome::PressEnter) => {
                self.add_notice(
                    step,
                    NoticeLevel::Warning,
                    "Claude did not accept the message in its terminal. AreYouJ presses Enter once more.",
                );
                self.send(step, Input::Enter);
            }
            Some(TerminalOutcome::Unconfirmed(id)) => self.unconfirmed(step, id),
            Some(TerminalOutcome::Busy { answered }) => {
                if answered {
                    let open: Vec<u32> = self.permissions.open().map(|request| request.id.number).collect();
                    open.into_iter().for_each(|number| self.answered_in_terminal(step, number));
                }
                if self.turn.is_idle() {
                    self.turn.begin();
                }
            }
            Some(TerminalOutcome::Idle { announced }) => self.became_idle(step, announced),
        }
    }

    /// Claude has not confirmed this message: a person decides.
    fn unconfirmed(&mut self, step: &mut StepContext, id: MessageId) {
        let why = "Claude did not confirm the message in its terminal.";
        self.queue.ask_about(id, PauseReason::MessageInterrupted);
        self.queue.finish(step, id, MessageState::Interrupted, Some(why));
    }

    /// `announced`: Claude reported the end of the turn.
    fn became_idle(&mut self, step: &mut StepContext, announced: bool) {
        let withdrawn = self.permissions.withdraw_open(step);
        self.add_entries(step, withdrawn);
        if announced {
            self.queue.finish_started(step, MessageState::Done, None);
        } else if self.turn.is_running() && self.queue.unconfirmed().is_none() {
            // This is the only sign of an Esc: Claude is idle without a report.
            self.queue.hold_after_interrupt();
        }
        if !self.turn.is_idle() || self.turn.is_interrupting() {
            self.activity_changed(step, Activity::Idle);
        }
    }
}
