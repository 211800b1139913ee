//! Permission requests: for tools, questions and plans.

use serde::{Deserialize, Serialize};

use crate::{AlwaysOffer, DisplaySection, Json, Timestamp};

/// A permission request of Claude.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Permission {
    /// The session's id, a dash and a number, for example `K7M2Q9XD-3`.
    pub id: String,
    /// The session.
    pub session_id: String,
    /// The kind of permission request.
    pub kind: PermissionKind,
    /// The name of the tool.
    pub tool: String,
    /// The arguments of the tool. A value nested deeper than 64 levels is replaced by a string that says so and
    /// contains its JSON; an allowed tool receives the original.
    pub input: Json,
    /// A one-line title to display.
    pub title: String,
    /// Everything that the request would run, with nothing hidden. The first section is the name of the tool.
    pub display: Vec<DisplaySection>,
    /// Identifies the display and the input that Claude receives. An answer must contain it.
    pub digest: String,
    /// The command appears to run AreYouJ itself. Mark it with "Would control AreYouJ". It can never be allowed always.
    pub controls_areyouj: bool,
    /// Claude's own rules for "always", as Claude sent them; empty when it offers none, or when the request would
    /// control AreYouJ.
    pub suggestions: Vec<Json>,
    /// The suggestions in words, in the same order. Offer "always" only if one has `byDefault`.
    pub always: Vec<AlwaysOffer>,
    /// The time at which Claude opened the request.
    pub created_at: Timestamp,
    /// The state.
    pub state: PermissionState,
    /// The client that answered, by the name in its `clientInfo`.
    pub answered_by: Option<String>,
    /// What an answer with "always" allowed, and where Claude stores it: one line for each suggestion. Empty after any
    /// other answer.
    pub granted: Vec<String>,
}

/// The kind of permission request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum PermissionKind {
    /// A tool wants to run.
    Tool,
    /// Claude asks a question with choices.
    Question,
    /// Claude presents a plan and asks for approval.
    Plan,
}

/// The state of a permission request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum PermissionState {
    /// Waiting for an answer.
    Open,
    /// Answered; the answer was delivered to Claude or will be.
    Answered,
    /// Claude withdrew the request, or Claude exited.
    Withdrawn,
}

/// An answer to a permission request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "decision", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Answer {
    /// Allow this call only.
    Allow {},
    /// Allow this call and later ones, by Claude's own suggestions.
    AllowAlways {
        /// The indexes of the suggestions to apply. If omitted, those that add a rule which allows something; it is an
        /// error if there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        suggestions: Option<Vec<usize>>,
    },
    /// Reject this call.
    Deny {
        /// The reason, which Claude receives.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// Choices for a question.
    Choose {
        /// For each question, in order: the chosen labels, or free text.
        choices: Vec<Vec<String>>,
    },
}

/// Parameters of `areyouj/permission/list`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct PermissionListParams {
    /// Only the requests of this session: its id or an unambiguous prefix. If omitted, those of all sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// Open permission requests, oldest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PermissionList {
    /// The permission requests.
    pub permissions: Vec<Permission>,
}

/// Parameters of `areyouj/permission/answer`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PermissionAnswerParams {
    /// A unique id chosen by the client, at most 64 characters. A repeated request returns the first result.
    pub request_id: String,
    /// The whole id of the permission request. A prefix is an error, which lists the matching ids.
    pub permission_id: String,
    /// The `digest` of the permission request as it was displayed. If it does not match, nothing is answered.
    pub digest: String,
    /// The answer.
    pub answer: Answer,
}

/// Notification `areyouj/permissionUpdate`: a permission request was opened, answered or withdrawn.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PermissionUpdate {
    /// The session.
    pub session_id: String,
    /// The permission request in its current state.
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
    fn an_answer_accepts_null_and_fields_of_a_later_version() {
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
    fn an_unknown_decision_is_rejected() {
        assert!(serde_json::from_str::<Answer>(r#"{"decision":"perhaps"}"#).is_err());
        assert!(serde_json::from_str::<Answer>("{}").is_err());
    }

    #[test]
    fn a_permission_request_has_exactly_the_fields_of_the_contract() {
        let permission = Permission {
            id: "K7M2Q9XD-3".into(),
            session_id: "K7M2Q9XD".into(),
            kind: PermissionKind::Tool,
            tool: "Bash".into(),
            input: Json::Object(vec![]),
            title: "Run ls".into(),
            display: vec![],
            digest: "0f".into(),
            controls_areyouj: false,
            suggestions: vec![],
            always: vec![],
            created_at: 1,
            state: PermissionState::Open,
            answered_by: None,
            granted: vec![],
        };
        assert_eq!(
            serde_json::to_string(&permission).unwrap(),
            concat!(
                r#"{"id":"K7M2Q9XD-3","sessionId":"K7M2Q9XD","kind":"tool","tool":"Bash","input":{},"#,
                r#""title":"Run ls","display":[],"digest":"0f","controlsAreyouj":false,"suggestions":[],"always":[],"#,
                r#""createdAt":1,"state":"open","answeredBy":null,"granted":[]}"#,
            )
        );
    }
}
