//! Permission prompts: tools that ask, questions, plans.

use serde::{Deserialize, Serialize};

use crate::{Json, Timestamp};

/// A prompt that Claude wants answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Permission {
    /// The session's id, a dash and a number, for example `K7M2Q9XD-3`.
    pub id: String,
    /// The session.
    pub session_id: String,
    /// What kind of prompt.
    pub kind: PermissionKind,
    /// The tool that asks.
    pub tool: String,
    /// What the tool would be called with. A part below 64 levels is a string that says so and holds its JSON; an allowed tool
    /// gets the original.
    pub input: Json,
    /// One line for people.
    pub title: String,
    /// Claude's own rules for "always", as Claude sent them; empty when it offers none.
    pub suggestions: Vec<Json>,
    /// When Claude asked.
    pub created_at: Timestamp,
    /// How it stands.
    pub state: PermissionState,
    /// Who answered, by the name the client gave of itself.
    pub answered_by: Option<String>,
}

/// What kind of prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum PermissionKind {
    /// A tool wants to run.
    Tool,
    /// Claude asks a question with choices.
    Question,
    /// Claude presents a plan and asks to go ahead.
    Plan,
}

/// How a prompt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum PermissionState {
    /// It waits for an answer.
    Open,
    /// Somebody answered; Claude has the answer or gets it.
    Answered,
    /// Claude took it back, or Claude is gone.
    Withdrawn,
}

/// An answer to a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "decision", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Answer {
    /// Once.
    Allow {},
    /// From now on, by Claude's own suggestions.
    AllowAlways {
        /// Which of the suggestions, by index. Left out: those that allow this tool by a rule, or else the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        suggestions: Option<Vec<usize>>,
    },
    /// No.
    Deny {
        /// What Claude is told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// Choices for a question.
    Choose {
        /// For each question in order, the labels chosen, or words of one's own.
        choices: Vec<Vec<String>>,
    },
}

/// Parameters of `areyouj/permission/list`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct PermissionListParams {
    /// Only those of this session: an id or an unambiguous beginning of one. Left out: those of all sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// Open prompts, oldest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PermissionList {
    /// The prompts.
    pub permissions: Vec<Permission>,
}

/// Parameters of `areyouj/permission/answer`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PermissionAnswerParams {
    /// Chosen by the client, unique, at most 64 characters. A repeat returns the first answer.
    pub request_id: String,
    /// A prompt's id or an unambiguous beginning of one.
    pub permission_id: String,
    /// The answer.
    pub answer: Answer,
}

/// Notification `areyouj/permissionUpdate`: a prompt was asked, answered or withdrawn.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PermissionUpdate {
    /// The session.
    pub session_id: String,
    /// The prompt as it is now.
    pub permission: Permission,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_have_their_pinned_shape() {
        let answers = [
            (Answer::Allow {}, r#"{"decision":"allow"}"#),
            (Answer::AllowAlways { suggestions: None }, r#"{"decision":"allowAlways"}"#),
            (
                Answer::AllowAlways { suggestions: Some(vec![0, 2]) },
                r#"{"decision":"allowAlways","suggestions":[0,2]}"#,
            ),
            (Answer::Deny { message: None }, r#"{"decision":"deny"}"#),
            (Answer::Deny { message: Some("No.".into()) }, r#"{"decision":"deny","message":"No."}"#),
            (
                Answer::Choose { choices: vec![vec!["Red".into(), "Blue".into()], vec![]] },
                r#"{"decision":"choose","choices":[["Red","Blue"],[]]}"#,
            ),
        ];
        for (answer, text) in answers {
            assert_eq!(serde_json::to_string(&answer).unwrap(), text);
            assert_eq!(serde_json::from_str::<Answer>(text).unwrap(), answer);
        }
    }

    #[test]
    fn an_answer_may_hold_null_and_fields_of_a_later_version() {
        let texts = [
            (r#"{"decision":"allow","note":"new"}"#, Answer::Allow {}),
            (r#"{"suggestions":null,"decision":"allowAlways"}"#, Answer::AllowAlways { suggestions: None }),
            (r#"{"decision":"deny","message":null,"by":{"name":"x"}}"#, Answer::Deny { message: None }),
        ];
        for (text, answer) in texts {
            assert_eq!(serde_json::from_str::<Answer>(text).unwrap(), answer);
        }
    }

    #[test]
    fn an_unknown_decision_is_refused() {
        assert!(serde_json::from_str::<Answer>(r#"{"decision":"perhaps"}"#).is_err());
        assert!(serde_json::from_str::<Answer>("{}").is_err());
    }

    #[test]
    fn a_prompt_has_exactly_the_fields_of_the_contract() {
        let permission = Permission {
            id: "K7M2Q9XD-3".into(),
            session_id: "K7M2Q9XD".into(),
            kind: PermissionKind::Tool,
            tool: "Bash".into(),
            input: Json::Object(vec![]),
            title: "Run ls".into(),
            suggestions: vec![],
            created_at: 1,
            state: PermissionState::Open,
            answered_by: None,
        };
        assert_eq!(
            serde_json::to_string(&permission).unwrap(),
            concat!(
                r#"{"id":"K7M2Q9XD-3","sessionId":"K7M2Q9XD","kind":"tool","tool":"Bash","input":{},"#,
                r#""title":"Run ls","suggestions":[],"createdAt":1,"state":"open","answeredBy":null}"#,
            )
        );
    }
}
