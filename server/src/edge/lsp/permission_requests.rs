//! Permission requests as questions of the Language Server Protocol, which every editor can display.

use std::collections::{HashMap, HashSet};

use areyouj_protocol::{Answer, Permission, PermissionKind};
use ls_types::{MessageActionItem, MessageType, ShowMessageRequestParams};
use serde_json::Value;

use areyouj_core::text::plain;

/// The maximum number of characters in a message box. A longer request cannot be reviewed there, so it can only be
/// denied.
const MAX_CHARACTERS: usize = 4_000;

/// The maximum number of open questions in an editor; further requests are answered elsewhere.
const MAX_OPEN_QUESTIONS: usize = 100;

/// The titles of a question's buttons, and the answer that each gives.
type Choices = Vec<(String, Answer)>;

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
        let (message, choices) = question(permission);
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

/// The text of a question, and its choices.
fn question(permission: &Permission) -> (String, Choices) {
    let input = serde_json::to_value(&permission.input).unwrap_or_default();
    let deny = ("Deny".to_owned(), Answer::Deny { message: None });
    let detail = match permission.kind {
        PermissionKind::Question => return choices(permission, &input),
        PermissionKind::Plan => input["plan"].as_str().map(str::to_owned),
        PermissionKind::Tool => match input.as_object() {
            Some(members) if members.len() == 1 => input["command"].as_str().map(str::to_owned),
            _ => None,
        },
    };
    let detail = detail.unwrap_or_else(|| serde_json::to_string_pretty(&input).unwrap_or_default());
    let mut text = plain::exact(&format!("{}: {}\n\n{detail}", permission.id, permission.title));
    let always =
        permission.kind == PermissionKind::Tool && permission.always.iter().any(|offer| offer.by_default);
    if always {
        // A permanent permission must be displayed before it can be granted.
        let offers = permission.always.iter().filter(|offer| offer.by_default);
        let offers = offers.map(|offer| format!("{} ({})", offer.text, offer.stored));
        text.push_str(&format!("\n\nAlways allow: {}", offers.collect::<Vec<_>>().join(", ")));
    }
    if text.chars().count() > MAX_CHARACTERS {
        let shown: String = text.chars().take(MAX_CHARACTERS).collect();
        return (format!("{shown}…\n\nThe rest: areyouj permissions"), vec![deny]);
    }
    let mut answers = vec![("Allow".to_owned(), Answer::Allow {}), deny];
    if always {
        answers.insert(1, ("Always allow".to_owned(), Answer::AllowAlways { suggestions: None }));
    }
    (text, answers)
}

/// A question with choices. One question with one choice can be answered in a message box.
fn choices(permission: &Permission, input: &Value) -> (String, Choices) {
    let elsewhere = |text: &str| {
        let shown: String = plain::exact(text).chars().take(MAX_CHARACTERS).collect();
        (format!("{shown}\n\nAnswer with: areyouj answer {}", permission.id), Vec::new())
    };
    let questions = input["questions"].as_array().map(Vec::as_slice).unwrap_or_default();
    match questions {
        [only] if only["multiSelect"] != true => {
            let options = only["options"].as_array().map(Vec::as_slice).unwrap_or_default();
            let words = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let mut text = format!("{}: {}", permission.id, words(&only["question"]));
            for option in options {
                text.push_str(&format!("\n- {}: {}", words(&option["label"]), words(&option["description"])));
            }
            let choose =
                |label: String| (plain::exact(&label), Answer::Choose { choices: vec![vec![label]] });
            let text = plain::exact(&text);
            if text.chars().count() > MAX_CHARACTERS {
                return elsewhere(&text);
            }
            (text, options.iter().map(|option| choose(words(&option["label"]))).collect())
        }
        _ => elsewhere(&format!("{}: {}", permission.id, permission.title)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn permission(kind: &str, input: &Value) -> Permission {
        serde_json::from_value(json!({
            "id": "K7M2Q9XD-1", "sessionId": "K7M2Q9XD", "kind": kind, "tool": "Bash", "input": input, "title": "Run a command",
            "suggestions": [], "createdAt": 1, "state": "open", "answeredBy": null,
        }))
        .unwrap()
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
        let permission = permission("tool", &json!({ "command": "rm -r \u{202e}x" }));
        let asked = requests.open(&permission).unwrap();
        assert!(requests.open(&permission).is_none());
        assert_eq!(titles(&asked), ["Allow", "Deny"]);
        assert!(asked.text.message.contains("rm -r <U+202E>x"), "{}", asked.text.message);
        let again = Question { id: asked.id.clone(), ..ask(&permission) };
        let allowed = Some(("K7M2Q9XD-1".to_owned(), Answer::Allow {}));
        assert_eq!(requests.answered(asked, Some("Allow")), allowed);
        assert_eq!(requests.answered(again, Some("Allow")), None);
    }

    #[test]
    fn a_question_is_withdrawn_when_its_request_was_answered_elsewhere() {
        let mut requests = requests();
        let permission = permission("tool", &json!({ "command": "ls" }));
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
        let numbered = |number: u32| Permission {
            id: format!("K7M2Q9XD-{number}"),
            ..permission("tool", &json!({ "command": "ls" }))
        };
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
        let numbered = |number: usize| Permission {
            id: format!("K7M2Q9XD-{number}"),
            ..permission("tool", &json!({ "command": "ls" }))
        };
        assert!((0..MAX_OPEN_QUESTIONS).all(|number| requests.open(&numbered(number)).is_some()));
        assert!(requests.open(&numbered(MAX_OPEN_QUESTIONS)).is_none());
        requests.close("K7M2Q9XD-0");
        assert!(requests.open(&numbered(MAX_OPEN_QUESTIONS)).is_some());
    }

    #[test]
    fn the_meaning_of_always_is_displayed() {
        let mut permission = permission("tool", &json!({ "command": "ls" }));
        permission.suggestions =
            serde_json::from_value(json!([{ "type": "setMode", "mode": "acceptEdits" }])).unwrap();
        let asked = ask(&permission);
        assert_eq!(titles(&asked), ["Allow", "Always allow", "Deny"]);
        let message = &asked.text.message;
        assert!(message.ends_with(r#"Always allow: {"type":"setMode","mode":"acceptEdits"}"#), "{message}");
    }

    #[test]
    fn a_request_that_is_too_long_to_display_cannot_be_allowed() {
        let long = permission("tool", &json!({ "command": "x".repeat(MAX_CHARACTERS) }));
        assert_eq!(titles(&ask(&long)), ["Deny"]);
    }

    #[test]
    fn a_question_is_answered_with_one_of_its_choices() {
        let options = json!([{ "label": "Red", "description": "As a rose" }, { "label": "Blue" }]);
        let one =
            permission("question", &json!({ "questions": [{ "question": "Which?", "options": options }] }));
        let mut requests = requests();
        let asked = requests.open(&one).unwrap();
        assert_eq!(titles(&asked), ["Red", "Blue"]);
        assert_eq!(asked.text.message, "K7M2Q9XD-1: Which?\n- Red: As a rose\n- Blue: ");
        let chosen = Answer::Choose { choices: vec![vec!["Blue".to_owned()]] };
        assert_eq!(requests.answered(asked, Some("Blue")), Some(("K7M2Q9XD-1".to_owned(), chosen)));
        let long = json!({ "questions": [{ "question": "?".repeat(MAX_CHARACTERS), "options": options }] });
        assert_eq!(titles(&ask(&permission("question", &long))), Vec::<&str>::new());
        let two = json!({ "questions": [{ "options": options }, { "options": options }] });
        assert_eq!(titles(&ask(&permission("question", &two))), Vec::<&str>::new());
    }
}
