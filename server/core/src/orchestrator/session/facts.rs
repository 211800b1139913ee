//! How facts change a session.

use super::Session;
use super::start::End;
use crate::orchestrator::context::StepContext;
use crate::orchestrator::{EntryBody, Fact, Input, NoticeLevel, Position, Written};

impl Session {
    /// Applies facts in the order of the journal. With them the journal has been ingested up to `position`.
    pub(in crate::orchestrator) fn apply_facts(
        &mut self,
        step: &mut StepContext,
        facts: Vec<Fact>,
        position: Position,
    ) {
        for fact in facts {
            self.apply_fact(step, fact);
        }
        self.position = position;
    }

    fn apply_fact(&mut self, step: &mut StepContext, fact: Fact) {
        let current = self.lifecycle.launch();
        match fact {
            Fact::Started { launch, pid } if launch == current => self.claude_started(step, pid),
            Fact::SpawnFailed { launch, message } if launch == current => {
                self.errors.add(message);
                self.ended(step, End::NotStarted);
            }
            Fact::Exited { launch, exit } if launch == current => self.ended(step, End::Exited(exit)),
            Fact::Started { .. } | Fact::SpawnFailed { .. } | Fact::Exited { .. } => {}
            Fact::JournalGap { resume_at } => self.journal_gap(step, resume_at),
            Fact::JournalDamaged { offset, readable } => self.journal_damaged(step, offset, readable),
            Fact::ErrorLine(line) => self.errors.add(line),
            Fact::HostRefused(refusal) => self.loud_notice(step, NoticeLevel::Warning, refusal.to_string()),
            Fact::InputRecorded { digest, harmless, beginning } => {
                self.input_recorded(step, digest, harmless, &beginning);
            }
            Fact::Written(_) if self.ordered.is_foreign() => {}
            Fact::Written(Written::Message(id)) => self.queue.written(step, id),
            Fact::Written(Written::Answer { request_id }) => {
                self.permissions.answer_written(step, &request_id);
            }
            Fact::Written(Written::Pasted) => self.pasted(step),
            Fact::Written(Written::Other) => {}
            Fact::Ready { pending } => self.claude_ready(step, pending),
            Fact::ControlFailed { request_id, message } => self.control_failed(step, &request_id, &message),
            Fact::ControlDone { .. } => self.turn.interrupt_acknowledged(),
            Fact::Activity(activity) => self.activity_changed(step, activity),
            Fact::Lifecycle { message, stage } => self.message_stage(step, message, stage),
            Fact::Described { model, permission_mode } => self.described(step, model, permission_mode),
            Fact::Entry(body) => {
                self.note = None;
                if matches!(body, EntryBody::Text { parent_tool_use_id: None, .. }) {
                    self.mark_unread();
                }
                if let EntryBody::ToolCall { tool_use_id, tool, input, .. } = &body {
                    self.permissions.tool_called(tool_use_id, tool, input);
                }
                self.add_entry(step, body);
            }
            Fact::Delta { thinking, text } => {
                self.note = None;
                self.transcript.add_partial(step, thinking, text);
            }
            Fact::ContextUsed(tokens) => self.usage.context_used(tokens),
            Fact::PermissionRequested(request) => self.permission_requested(step, request),
            Fact::PermissionWithdrawn { request_id } => {
                self.held.take_if(|request| request.request_id == request_id);
                let entry = self.permissions.withdrawn(step, &request_id);
                self.add_entries(step, entry);
            }
            Fact::Unsupported { request_id, subtype } => {
                let message = format!("AreYouJ does not know the request \"{subtype}\".");
                let notice = format!("Claude sent the unknown request \"{subtype}\", which was refused.");
                self.add_notice(step, NoticeLevel::Warning, notice);
                self.send(step, Input::Refuse { request_id, message });
            }
            Fact::TurnEnded(turn) => self.turn_ended(step, turn),
            Fact::LoginRefused => self.turn.refuse_login(),
            Fact::Retrying { attempt, of, status, error, delay_ms } => {
                self.api_retried(step, (attempt, of), status, &error, delay_ms);
            }
            Fact::PromptSubmitted(text) => self.prompt_submitted(step, text),
            Fact::ToolRan { tool, input } => self.tool_ran(step, &tool, &input),
            Fact::Quit => self.terminal.quit(),
            Fact::Typed(characters) => self.typed(step, characters),
            Fact::ProcessStatus(status) => self.process_status(step, status),
            Fact::Conversation(id) => self.conversation.open(id),
            Fact::Garbage(beginning) => {
                if self.errors.add_garbage() {
                    let text = format!("Claude wrote a line outside of its protocol: {beginning}");
                    self.add_notice(step, NoticeLevel::Warning, text);
                }
            }
        }
    }
}
