//! An editor that has no extension for AreYouJ: prompts come to it as questions of the Language Server Protocol, sessions
//! that start as progress.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use areyouj_protocol as wire;
use serde_json::{Value, json};
use uuid::Uuid;

use super::outbox::{Frame, frame};
use crate::rpc::envelope;
use areyouj_core::orchestrator::Answer;
use areyouj_core::text::{always, plain};

/// Characters of a message box. What is longer cannot be judged there, so it can only be denied there.
const MAX_SHOWN: usize = 4_000;

/// Questions that may be open in one editor; the rest is answered elsewhere.
const MAX_ASKED: usize = 100;

/// `MessageType` of the Language Server Protocol.
const WARNING: u8 = 2;
const INFO: u8 = 3;

/// What such an editor was asked and told.
pub(super) struct Editor {
    /// Whether it shows progress.
    progress: bool,
    /// Of this connection alone, so that an answer meant for another one is never taken for one.
    prefix: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    asked: HashMap<String, Asked>,
    /// The sessions whose start is shown, with the token of their progress.
    starting: HashMap<String, String>,
    next: u64,
}

enum Asked {
    /// To answer this prompt, by one of these titles.
    Prompt { permission: String, choices: Vec<(String, Answer)> },
    /// To make room for progress with this title.
    Progress { token: String, title: String },
}

/// What an answer of the editor comes to.
pub(super) enum Answered {
    /// An answer to a prompt.
    Prompt {
        permission: String,
        answer: Answer,
    },
    /// Something to tell the editor.
    Tell(Frame),
    Nothing,
}

impl Editor {
    pub(super) fn new(capabilities: &Value) -> Editor {
        Editor {
            progress: capabilities["window"]["workDoneProgress"] == true,
            prefix: Uuid::new_v4().to_string(),
            state: Mutex::default(),
        }
    }

    /// The question that a prompt is; if it is not open any more, that it need not be answered.
    pub(super) fn prompt(&self, permission: &wire::Permission) -> Option<Frame> {
        if permission.state != wire::PermissionState::Open {
            return self.withdraw(&permission.id);
        }
        let (text, choices) = question(permission);
        let actions: Vec<Value> = choices.iter().map(|(title, _)| json!({ "title": title })).collect();
        let asked = Asked::Prompt { permission: permission.id.clone(), choices };
        self.ask(
            asked,
            "window/showMessageRequest",
            &json!({ "type": INFO, "message": text, "actions": actions }),
        )
    }

    /// What there is to say about how a session starts.
    pub(super) fn session(&self, session: &wire::Session) -> Option<Frame> {
        if !self.progress {
            return None;
        }
        let starts = session.status == wire::Status::Starting;
        let mut state = self.lock();
        match (starts, state.starting.contains_key(&session.id)) {
            (true, false) => {
                drop(state);
                let token = format!("{}-{}", self.prefix, session.id);
                let title = plain::line(&format!("Claude session {} starts", named(session)));
                let asked = Asked::Progress { token: token.clone(), title };
                let frame = self.ask(asked, "window/workDoneProgress/create", &json!({ "token": token }))?;
                self.lock().starting.insert(session.id.clone(), token);
                Some(frame)
            }
            (false, true) => {
                let token = state.starting.remove(&session.id)?;
                Some(progress(&token, &json!({ "kind": "end", "message": session.status })))
            }
            _ => None,
        }
    }

    fn ask(&self, asked: Asked, method: &str, params: &Value) -> Option<Frame> {
        let mut state = self.lock();
        if state.asked.len() >= MAX_ASKED {
            return None;
        }
        state.next += 1;
        let id = format!("{}-{}", self.prefix, state.next);
        state.asked.insert(id.clone(), asked);
        Some(frame(&envelope::request(id, method, Some(params))))
    }

    /// Takes back the question that a prompt was: it was answered elsewhere, or Claude does not ask any more.
    fn withdraw(&self, prompt: &str) -> Option<Frame> {
        let mut state = self.lock();
        let of_prompt =
            |asked: &Asked| matches!(asked, Asked::Prompt { permission, .. } if permission == prompt);
        let id = state.asked.iter().find(|(_, asked)| of_prompt(asked)).map(|(id, _)| id.clone())?;
        state.asked.remove(&id);
        Some(frame(&envelope::notification("$/cancelRequest", &json!({ "id": id }))))
    }

    /// Takes in an answer of the editor.
    pub(super) fn answered(&self, id: &Value, result: Option<&Value>) -> Answered {
        let Some(asked) = id.as_str().and_then(|id| self.lock().asked.remove(id)) else {
            return Answered::Nothing;
        };
        match asked {
            Asked::Prompt { permission, choices } => {
                let title = result.and_then(|result| result["title"].as_str());
                match choices.into_iter().find(|(choice, _)| Some(choice.as_str()) == title) {
                    Some((_, answer)) => Answered::Prompt { permission, answer },
                    // Put aside: it stays open for everybody.
                    None => Answered::Nothing,
                }
            }
            Asked::Progress { token, title }
                if self.lock().starting.values().any(|shown| *shown == token) =>
            {
                Answered::Tell(progress(&token, &json!({ "kind": "begin", "title": title })))
            }
            Asked::Progress { .. } => Answered::Nothing,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message box of the editor that needs no answer.
pub(super) fn warning(text: &str) -> Frame {
    let params = json!({ "type": WARNING, "message": text });
    frame(&envelope::notification("window/showMessage", &params))
}

fn progress(token: &str, value: &Value) -> Frame {
    frame(&envelope::notification("$/progress", &json!({ "token": token, "value": value })))
}

/// A session's id and what people call it.
pub(super) fn named(session: &wire::Session) -> String {
    let directory = session.directory.rsplit('/').next().unwrap_or_default();
    format!("{} ({})", session.id, session.name.as_deref().unwrap_or(directory))
}

/// What is asked, and the answers to choose from.
fn question(permission: &wire::Permission) -> (String, Vec<(String, Answer)>) {
    let input = serde_json::to_value(&permission.input).unwrap_or_default();
    let deny = ("Deny".to_owned(), Answer::Deny { message: None });
    let detail = match permission.kind {
        wire::PermissionKind::Question => return choices(permission, &input),
        wire::PermissionKind::Plan => input["plan"].as_str().map(str::to_owned),
        wire::PermissionKind::Tool => match input.as_object() {
            Some(members) if members.len() == 1 => input["command"].as_str().map(str::to_owned),
            _ => None,
        },
    };
    let detail = detail.unwrap_or_else(|| serde_json::to_string_pretty(&input).unwrap_or_default());
    let mut text = plain::exact(&format!("{}: {}\n\n{detail}", permission.id, permission.title));
    let always = permission.kind == wire::PermissionKind::Tool && !permission.suggestions.is_empty();
    if always {
        // Nobody is to allow for ever what is not said.
        text.push_str(&format!("\n\nAlways allow: {}", always::in_words(&permission.suggestions)));
    }
    if text.chars().count() > MAX_SHOWN {
        let shown: String = text.chars().take(MAX_SHOWN).collect();
        return (format!("{shown}…\n\nThe rest: areyouj permissions"), vec![deny]);
    }
    let mut answers = vec![("Allow".to_owned(), Answer::Allow), deny];
    if always {
        answers.insert(1, ("Always allow".to_owned(), Answer::AllowAlways { suggestions: None }));
    }
    (text, answers)
}

/// A question with choices. One question with one choice can be answered in a message box.
fn choices(permission: &wire::Permission, input: &Value) -> (String, Vec<(String, Answer)>) {
    let elsewhere = |text: &str| {
        let shown: String = plain::exact(text).chars().take(MAX_SHOWN).collect();
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
            if text.chars().count() > MAX_SHOWN {
                return elsewhere(&text);
            }
            (text, options.iter().map(|option| choose(words(&option["label"]))).collect())
        }
        _ => elsewhere(&format!("{}: {}", permission.id, permission.title)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permission(kind: &str, input: &Value) -> wire::Permission {
        serde_json::from_value(json!({
            "id": "K7M2Q9XD-1", "sessionId": "K7M2Q9XD", "kind": kind, "tool": "Bash", "input": input, "title": "Run a command",
            "suggestions": [], "createdAt": 1, "state": "open", "answeredBy": null,
        }))
        .unwrap()
    }

    fn body(frame: &Frame) -> Value {
        let text = std::str::from_utf8(frame).unwrap();
        serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    fn titles(question: &Value) -> Vec<&str> {
        question["params"]["actions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|action| action["title"].as_str().unwrap())
            .collect()
    }

    #[test]
    fn a_prompt_is_a_question_and_its_answer_counts_once() {
        let editor = Editor::new(&json!({}));
        let asked =
            body(&editor.prompt(&permission("tool", &json!({ "command": "rm -r \u{202e}x" }))).unwrap());
        assert_eq!(titles(&asked), ["Allow", "Deny"]);
        let message = asked["params"]["message"].as_str().unwrap();
        assert!(message.contains("rm -r <U+202E>x"), "{message}");
        let choice = json!({ "title": "Allow" });
        match editor.answered(&asked["id"], Some(&choice)) {
            Answered::Prompt { permission, answer } => {
                assert_eq!((permission.as_str(), answer), ("K7M2Q9XD-1", Answer::Allow));
            }
            _ => panic!("it was answered"),
        }
        assert!(matches!(editor.answered(&asked["id"], Some(&choice)), Answered::Nothing));
    }

    #[test]
    fn a_prompt_that_was_answered_elsewhere_is_taken_back() {
        let editor = Editor::new(&json!({}));
        let mut prompt = permission("tool", &json!({ "command": "ls" }));
        for _ in 0..2 * MAX_ASKED {
            prompt.state = wire::PermissionState::Open;
            let asked = body(&editor.prompt(&prompt).expect("there is room for it again"));
            prompt.state = wire::PermissionState::Answered;
            let back = body(&editor.prompt(&prompt).unwrap());
            assert_eq!((&back["method"], &back["params"]["id"]), (&json!("$/cancelRequest"), &asked["id"]));
        }
        assert!(editor.prompt(&prompt).is_none(), "once");
    }

    #[test]
    fn what_always_would_mean_is_said() {
        let editor = Editor::new(&json!({}));
        let mut prompt = permission("tool", &json!({ "command": "ls" }));
        prompt.suggestions =
            serde_json::from_value(json!([{ "type": "setMode", "mode": "acceptEdits" }])).unwrap();
        let asked = body(&editor.prompt(&prompt).unwrap());
        assert_eq!(titles(&asked), ["Allow", "Always allow", "Deny"]);
        let message = asked["params"]["message"].as_str().unwrap();
        assert!(message.ends_with(r#"Always allow: {"type":"setMode","mode":"acceptEdits"}"#), "{message}");
    }

    #[test]
    fn what_cannot_be_shown_whole_cannot_be_allowed() {
        let editor = Editor::new(&json!({}));
        let long = permission("tool", &json!({ "command": "x".repeat(MAX_SHOWN) }));
        assert_eq!(titles(&body(&editor.prompt(&long).unwrap())), ["Deny"]);
    }

    #[test]
    fn a_question_is_answered_by_one_of_its_choices() {
        let editor = Editor::new(&json!({}));
        let options = json!([{ "label": "Red", "description": "As a rose" }, { "label": "Blue" }]);
        let one = json!({ "questions": [{ "question": "Which?", "options": options }] });
        let asked = body(&editor.prompt(&permission("question", &one)).unwrap());
        assert_eq!(titles(&asked), ["Red", "Blue"]);
        assert_eq!(asked["params"]["message"], "K7M2Q9XD-1: Which?\n- Red: As a rose\n- Blue: ");
        assert!(matches!(editor.answered(&asked["id"], Some(&Value::Null)), Answered::Nothing), "put aside");
        let long = json!({ "questions": [{ "question": "?".repeat(MAX_SHOWN), "options": options }] });
        assert_eq!(
            titles(&body(&editor.prompt(&permission("question", &long)).unwrap())),
            Vec::<&str>::new()
        );
        let two = json!({ "questions": [{ "options": options }, { "options": options }] });
        assert_eq!(titles(&body(&editor.prompt(&permission("question", &two)).unwrap())), Vec::<&str>::new());
    }
}
