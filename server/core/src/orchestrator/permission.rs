//! Permission prompts of one session: asked, answered once, withdrawn.

use serde_json::Value;

use super::session::{Phase, Session, Step};
use super::{
    Answer, EntryBody, Input, PermissionAsk, PermissionKind, PermissionRow, PermissionState, Problem,
};

/// How many of the latest prompts are kept at hand, whatever became of them; the store has them all.
const SETTLED_KEPT: u32 = 16;

impl Session {
    /// Claude asks. A prompt that is known already (Claude lists open ones again when asked) changes nothing.
    pub(super) fn asked(&mut self, step: &mut Step, ask: PermissionAsk) {
        let launch = self.row.launch;
        self.forget_settled();
        if self.prompts.values().any(|known| known.launch == launch && known.ask.request_id == ask.request_id)
        {
            return;
        }
        self.row.permissions += 1;
        let number = self.row.permissions;
        let (permission_kind, tool, title) = (ask.kind, ask.tool.clone(), ask.title.clone());
        self.prompts.insert(
            number,
            PermissionRow {
                id: self.permission_id(number),
                launch,
                ask,
                created_at: step.now.wall,
                state: PermissionState::Open,
                answered_by: None,
                answer: None,
                delivered: false,
            },
        );
        self.keep_prompt(step, number);
        self.unseen();
        self.add_entry(step, EntryBody::Permission { permission: number, permission_kind, tool, title });
    }

    /// Lets go of prompts that are over, but for the latest: Claude may list one as open that has just been answered.
    fn forget_settled(&mut self) {
        let oldest = self.row.permissions.saturating_sub(SETTLED_KEPT);
        self.prompts.retain(|number, prompt| {
            let undelivered = prompt.state == PermissionState::Answered && !prompt.delivered;
            *number > oldest || prompt.state == PermissionState::Open || undelivered
        });
    }

    /// Claude takes a prompt back.
    pub(super) fn withdrawn(&mut self, step: &mut Step, request_id: &str) {
        if let Some(number) = self.number_of(request_id) {
            self.withdraw(step, number);
        }
    }

    /// Claude is gone, and its prompts with it.
    pub(super) fn withdraw_prompts(&mut self, step: &mut Step) {
        let numbers: Vec<u32> = self.prompts.keys().copied().collect();
        for number in numbers {
            self.withdraw(step, number);
        }
        self.prompts.clear();
    }

    /// Nothing is asked any more.
    pub(super) fn withdraw_open(&mut self, step: &mut Step) {
        let open: Vec<u32> = self.open_prompts().map(|prompt| prompt.id.number).collect();
        for number in open {
            self.withdraw(step, number);
        }
    }

    /// Claude said which prompts are open: others are not, and unknown ones are new.
    pub(super) fn reconcile_prompts(&mut self, step: &mut Step, pending: Vec<PermissionAsk>) {
        let stale: Vec<u32> = self
            .open_prompts()
            .filter(|prompt| !pending.iter().any(|ask| ask.request_id == prompt.ask.request_id))
            .map(|prompt| prompt.id.number)
            .collect();
        for number in stale {
            self.withdraw(step, number);
        }
        for ask in pending {
            self.asked(step, ask);
        }
    }

    fn withdraw(&mut self, step: &mut Step, number: u32) {
        let Some(prompt) = self.prompts.get_mut(&number) else { return };
        let undelivered = prompt.state == PermissionState::Answered && !prompt.delivered;
        if prompt.state != PermissionState::Open && !undelivered {
            return;
        }
        prompt.state = PermissionState::Withdrawn;
        self.keep_prompt(step, number);
        let outcome = "withdrawn".to_owned();
        self.add_entry(
            step,
            EntryBody::PermissionEnd { permission: number, outcome, by: None, message: None },
        );
    }

    fn number_of(&self, request_id: &str) -> Option<u32> {
        let open = self.prompts.values().find(|prompt| prompt.ask.request_id == request_id);
        open.map(|prompt| prompt.id.number)
    }

    /// The journal says that an answer reached Claude.
    pub(super) fn answer_written(&mut self, step: &mut Step, request_id: &str) {
        let Some(number) = self.number_of(request_id) else { return };
        if let Some(prompt) = self.prompts.get_mut(&number)
            && prompt.state == PermissionState::Answered
            && !prompt.delivered
        {
            prompt.delivered = true;
            self.keep_prompt(step, number);
        }
    }

    /// Somebody answers.
    pub(super) fn answer(
        &mut self,
        step: &mut Step,
        number: u32,
        answer: Answer,
        by: &str,
    ) -> Result<(), Problem> {
        let Some(prompt) = self.prompts.get_mut(&number) else {
            return Err(Problem::permission_not_found(&number.to_string()));
        };
        if prompt.state != PermissionState::Open {
            return Err(Problem::already_answered(prompt.state, prompt.answered_by.as_deref()));
        }
        check_answer(&prompt.ask, &answer, &prompt.id.to_string())?;
        prompt.state = PermissionState::Answered;
        prompt.answered_by = Some(by.to_owned());
        prompt.answer = Some(answer.clone());
        let input = Input::Answer {
            permission: prompt.id,
            ask: Box::new(prompt.ask.clone()),
            answer: answer.clone(),
        };
        self.keep_prompt(step, number);
        let (outcome, message) = match answer {
            Answer::Allow => ("allowed", None),
            Answer::AllowAlways { .. } => ("allowedAlways", None),
            Answer::Deny { message } => ("denied", message),
            Answer::Choose { choices } => (
                "answered",
                Some(choices.iter().map(|labels| labels.join(", ")).collect::<Vec<_>>().join("; ")),
            ),
        };
        let by = Some(by.to_owned());
        let outcome = outcome.to_owned();
        self.add_entry(step, EntryBody::PermissionEnd { permission: number, outcome, by, message });
        // While the host is still being found, what is undelivered is sent once it is.
        if self.phase != Phase::Adopting {
            self.send(step, input);
        }
        Ok(())
    }
}

fn check_answer(ask: &PermissionAsk, answer: &Answer, id: &str) -> Result<(), Problem> {
    match (answer, ask.kind) {
        (Answer::Deny { .. }, _) | (Answer::Allow, PermissionKind::Tool | PermissionKind::Plan) => Ok(()),
        (Answer::Allow | Answer::AllowAlways { .. }, PermissionKind::Question) => Err(invalid(
            "This is a question: it is answered with a choice, not allowed.",
            format!("Choose with: areyouj answer {id} CHOICE"),
        )),
        (Answer::Choose { .. }, PermissionKind::Tool | PermissionKind::Plan) => Err(invalid(
            "This is not a question: it is allowed or denied.",
            format!("Answer with: areyouj allow {id}, or: areyouj deny {id}"),
        )),
        (Answer::AllowAlways { suggestions }, PermissionKind::Tool | PermissionKind::Plan) => {
            let known = |index: &usize| *index < ask.suggestions.len();
            if ask.suggestions.is_empty() {
                return Err(Problem::new(
                    "always_not_offered",
                    "Claude offers no rule for \"always\" here.",
                    format!("Allow it once with: areyouj allow {id}"),
                ));
            }
            match suggestions {
                Some(chosen) if chosen.is_empty() || !chosen.iter().all(known) => Err(invalid(
                    "There is no such suggestion.",
                    format!("The prompt has {} suggestions, counted from 0.", ask.suggestions.len()),
                )),
                _ => Ok(()),
            }
        }
        (Answer::Choose { choices }, PermissionKind::Question) => {
            check_choices(ask.input.shown(), choices, id)
        }
    }
}

fn check_choices(input: &Value, choices: &[Vec<String>], id: &str) -> Result<(), Problem> {
    let questions = input.get("questions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let see =
        || format!("See the questions with: areyouj permissions {}", id.split('-').next().unwrap_or(id));
    if choices.len() != questions.len() {
        return Err(invalid(
            &format!("Claude asks {} questions and {} were answered.", questions.len(), choices.len()),
            see(),
        ));
    }
    for (question, chosen) in questions.iter().zip(choices) {
        let several = question.get("multiSelect").and_then(Value::as_bool).unwrap_or(false);
        if chosen.is_empty() || chosen.iter().any(|label| label.trim().is_empty()) {
            return Err(invalid("Every question needs an answer.", see()));
        }
        if chosen.len() > 1 && !several {
            return Err(invalid("Only one choice is possible here.", see()));
        }
    }
    Ok(())
}

fn invalid(message: &str, hint: String) -> Problem {
    Problem::new("answer_invalid", message, hint)
}
