//! The conversation, the model and the permission mode that are in effect, as Claude reports them. They belong to one
//! process; the next one continues the same conversation and is asked for the same model and mode.

use uuid::Uuid;

use super::session::{Phase, Session, Step};
use super::{Goal, Problem};

impl Session {
    /// A new Claude will be asked for what was in effect in the one before.
    pub(super) fn carry_over(&mut self) {
        let mode = self.row.permission_mode_reported.take();
        self.row.permission_mode = mode.or(self.row.permission_mode.take());
        // An alias says more than the model that it stands for: `opusplan` is two models.
        let model = self.row.model_reported.take();
        self.row.model = self.row.model.take().or(model);
    }

    /// Claude reported its model or its permission mode.
    pub(super) fn described(&mut self, step: &mut Step, model: Option<String>, mode: Option<String>) {
        if let Some(model) = model {
            let before = self.row.model_reported.replace(model);
            if before.is_some() && before != self.row.model_reported {
                self.row.model.clone_from(&self.row.model_reported);
            }
        }
        if let Some(mode) = mode {
            self.mode_reported(step, mode);
        }
    }

    /// The first report of a process shows how it was started. A later one shows what a person or Claude has changed.
    fn mode_reported(&mut self, step: &mut Step, mode: String) {
        let first = self.row.permission_mode_reported.is_none() && !self.person_may_have_set_mode();
        if let Some(asked) = self.row.permission_mode.clone().filter(|asked| first && is_wider(&mode, asked))
        {
            if self.row.goal == Goal::Run && !matches!(self.phase, Phase::Stopping(_)) {
                let problem = Problem::permission_mode_wider(self.row.id, &asked, &mode);
                self.fail(step, problem);
            }
            return;
        }
        self.row.permission_mode_reported = Some(mode);
    }

    /// Claude has this conversation open.
    pub(super) fn conversation_opened(&mut self, conversation: Uuid) {
        if self.row.claude_session != conversation {
            self.row.claude_session = conversation;
            self.row.recorded = false;
        }
    }
}

/// Whether the mode `reported` may run something unasked that the mode `asked` does not. A mode that this version does
/// not know is wider than any other.
fn is_wider(reported: &str, asked: &str) -> bool {
    match (width(reported), width(asked)) {
        (Some(reported), Some(asked)) => reported > asked,
        _ => reported != asked,
    }
}

/// How much a permission mode runs unasked, compared with the others.
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
