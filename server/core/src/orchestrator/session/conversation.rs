//! The conversation, the model and the permission mode that are in effect, as Claude reports them. They belong to one
//! process; the next one resumes the same conversation with the same model and mode.

use uuid::Uuid;

use super::Session;
use crate::orchestrator::context::StepContext;
use crate::orchestrator::{Goal, Problem, SessionRow, SessionSpec};

/// What is in effect in Claude.
#[derive(Debug)]
pub(super) struct Conversation {
    /// Claude's id.
    id: Uuid,
    /// A turn has ended, so Claude must have a record of the conversation.
    recorded: bool,
    /// The latest report of Claude of the current launch.
    model_reported: Option<String>,
    permission_mode_reported: Option<String>,
}

impl Conversation {
    /// The permission mode that Claude of the current launch reported last.
    pub(super) fn permission_mode(&self) -> Option<&String> {
        self.permission_mode_reported.as_ref()
    }

    pub(super) fn restore(row: &SessionRow) -> Conversation {
        Conversation {
            id: row.claude_session,
            recorded: row.recorded,
            model_reported: row.model_reported.clone(),
            permission_mode_reported: row.permission_mode_reported.clone(),
        }
    }

    /// Writes its part of the session's row.
    pub(super) fn store(&self, row: &mut SessionRow) {
        row.claude_session = self.id;
        row.recorded = self.recorded;
        row.model_reported.clone_from(&self.model_reported);
        row.permission_mode_reported.clone_from(&self.permission_mode_reported);
    }

    /// Claude's id of the conversation.
    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    /// Whether Claude must have a record of the conversation.
    pub(super) fn is_recorded(&self) -> bool {
        self.recorded
    }

    /// Claude has this conversation open, or will open it.
    pub(super) fn open(&mut self, id: Uuid) {
        if self.id != id {
            self.id = id;
            self.recorded = false;
        }
    }

    /// A turn has ended of which Claude keeps a record.
    pub(super) fn record(&mut self) {
        self.recorded = true;
    }

    /// The next launch requests what was in effect in the previous one.
    pub(super) fn carry_over(&mut self, spec: &mut SessionSpec) {
        let mode = self.permission_mode_reported.take();
        spec.permission_mode = mode.or(spec.permission_mode.take());
        // An alias can mean more than one model: `opusplan` is two.
        let model = self.model_reported.take();
        spec.model = spec.model.take().or(model);
    }

    /// Claude reported its model. If it has changed, the next launch requests the new one.
    fn model_reported(&mut self, model: String, spec: &mut SessionSpec) {
        let before = self.model_reported.replace(model);
        if before.is_some() && before != self.model_reported {
            spec.model.clone_from(&self.model_reported);
        }
    }
}

impl Session {
    /// Claude reported its model or its permission mode.
    pub(super) fn described(&mut self, step: &mut StepContext, model: Option<String>, mode: Option<String>) {
        if let Some(model) = model {
            self.conversation.model_reported(model, &mut self.spec);
        }
        if let Some(mode) = mode {
            self.mode_reported(step, mode);
        }
    }

    /// The first report of a process shows how it was started. A later one shows what a person or Claude has changed.
    fn mode_reported(&mut self, step: &mut StepContext, mode: String) {
        let by_person = self.is_terminal() && self.terminal.was_touched();
        let first = self.conversation.permission_mode_reported.is_none() && !by_person;
        let asked = self.spec.permission_mode.as_ref();
        if let Some(asked) = asked.filter(|asked| first && is_wider(&mode, asked)) {
            if self.lifecycle.goal() == Goal::Run && !self.lifecycle.is_stopping() {
                let problem = Problem::permission_mode_wider(self.id, asked, &mode);
                self.fail(step, problem);
            }
            return;
        }
        self.conversation.permission_mode_reported = Some(mode);
    }
}

/// Whether the mode `reported` allows something without asking that the mode `asked` does not. An unknown mode is wider
/// than any known one.
pub(in crate::orchestrator) fn is_wider(reported: &str, asked: &str) -> bool {
    match (width(reported), width(asked)) {
        (Some(reported), Some(asked)) => reported > asked,
        _ => reported != asked,
    }
}

/// The rank of a permission mode by what it allows without asking.
fn width(mode: &str) -> Option<u32> {
    match mode {
        "plan" => Some(0),
        // Claude calls the same mode `manual` and `default`. `dontAsk` denies what these two ask about.
        "default" | "manual" | "dontAsk" => Some(1),
        "acceptEdits" => Some(2),
        "auto" => Some(3),
        "bypassPermissions" => Some(4),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_wider;

    #[test]
    fn a_mode_is_wider_when_it_runs_more_unasked() {
        for (reported, asked, wider) in [
            ("plan", "plan", false),
            ("default", "plan", true),
            ("default", "manual", false),
            ("default", "dontAsk", false),
            ("acceptEdits", "default", true),
            ("auto", "acceptEdits", true),
            ("bypassPermissions", "auto", true),
            ("default", "bypassPermissions", false),
            ("tomorrows", "tomorrows", false),
            ("tomorrows", "bypassPermissions", true),
            ("plan", "tomorrows", true),
        ] {
            assert_eq!(is_wider(reported, asked), wider, "{reported} instead of {asked}");
        }
    }
}
