//! Permission requests: what Claude asks, and the encoding of an answer.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::driver::json::{array, take_array, take_text, text};
use crate::json::{Json, Tree};
use crate::orchestrator::{Answer, ErrorCode, PermissionKind, PermissionRequest, Problem, ToolInput};
use crate::text::always;
use crate::text::display::{TITLE_CHARS, plan_title};
use crate::text::plain::short_line;

/// The message that Claude receives when a person denies without one.
const DENIED: &str = "The user denied this.";

/// The permission request in this control request. `None` if it is another kind of request, has no id, or has an input
/// that cannot be returned unchanged.
pub(super) fn ask(mut envelope: Json<'_>) -> Option<PermissionRequest> {
    let request_id = take_text(&mut envelope, "request_id");
    let request = envelope.member_mut("request").map(Tree::take)?;
    if request_id.is_empty() || text(&request, "subtype") != "can_use_tool" {
        return None;
    }
    permission_request(request_id, request, "input")
}

/// The permission request for the tool that `request` names. The member `input` of `request` holds the tool's input.
pub(in crate::driver) fn permission_request(
    request_id: String,
    mut request: Json<'_>,
    input: &str,
) -> Option<PermissionRequest> {
    let input = tool_input(&mut request, input)?;
    let tool = take_text(&mut request, "tool_name");
    let kind = match tool.as_str() {
        "AskUserQuestion" => PermissionKind::Question,
        "ExitPlanMode" => PermissionKind::Plan,
        _ => PermissionKind::Tool,
    };
    let title = title(kind, &tool, input.shown(), &request);
    let tool_use_id = Some(take_text(&mut request, "tool_use_id")).filter(|id| !id.is_empty());
    // Claude sets this when its rule for "always" would allow more than the request.
    let no_always = request.is("suppress_always_allow_rule");
    let suggestions = if no_always { Vec::new() } else { take_array(&mut request, "permission_suggestions") };
    // A rule that cannot be shown whole cannot be offered.
    let suggestions = suggestions.into_iter().filter(|rule| !rule.is_deep()).map(Json::into_value).collect();
    Some(PermissionRequest { request_id, kind, tool, input, title, suggestions, tool_use_id, plan: None })
}

/// The tool's input under this name. `None` if its deep part, which is still text, holds a number that is too large to
/// read.
pub(in crate::driver) fn tool_input(value: &mut Json<'_>, name: &str) -> Option<ToolInput> {
    ToolInput::take(value.member_mut(name).map(Tree::take).unwrap_or_default()).ok()
}

fn title(kind: PermissionKind, tool: &str, input: &Value, request: &Json<'_>) -> String {
    let description = match text(request, "description") {
        "" => text(input, "description"),
        description => description,
    };
    let own = match kind {
        PermissionKind::Question => {
            array(input, "questions").first().map_or("", |question| text(question, "question")).to_owned()
        }
        PermissionKind::Trust => String::new(),
        PermissionKind::Plan => plan_title(text(input, "plan")).unwrap_or_default(),
        PermissionKind::Tool if !text(request, "title").is_empty() => text(request, "title").to_owned(),
        PermissionKind::Tool => match tool {
            "Bash" => text(input, "command").to_owned(),
            "Edit" | "MultiEdit" | "Write" | "Read" => named(tool, text(input, "file_path")),
            "NotebookEdit" => named(tool, text(input, "notebook_path")),
            "WebFetch" => text(input, "url").to_owned(),
            _ => String::new(),
        },
    };
    let fallback = || match (kind, description) {
        (PermissionKind::Plan, _) => "Plan".to_owned(),
        (_, "") => short_line(tool, TITLE_CHARS),
        _ => short_line(&format!("{tool}: {description}"), TITLE_CHARS),
    };
    Some(short_line(&own, TITLE_CHARS)).filter(|title| !title.is_empty()).unwrap_or_else(fallback)
}

fn named(tool: &str, path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{tool} {path}") }
}

/// The answer in Claude's format.
#[derive(Debug, Serialize)]
#[serde(tag = "behavior", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub(in crate::driver) enum Decision {
    /// The tool runs with this input.
    Allow {
        updated_input: Box<RawValue>,
        #[serde(skip_serializing_if = "Option::is_none")]
        updated_permissions: Option<Vec<Value>>,
    },
    /// The tool does not run.
    Deny { message: String, interrupt: bool },
}

/// The answer in Claude's format.
pub(in crate::driver) fn decision(ask: &PermissionRequest, answer: &Answer) -> Result<Decision, Problem> {
    let whole = || ask.input.raw().map_err(|error| unreadable(&error));
    Ok(match answer {
        Answer::Allow => Decision::Allow { updated_input: whole()?, updated_permissions: None },
        Answer::AllowAlways { suggestions } => Decision::Allow {
            updated_input: whole()?,
            updated_permissions: Some(always(ask, suggestions.as_deref())?),
        },
        Answer::Deny { message } => {
            let message = message.as_deref().filter(|message| !message.trim().is_empty()).unwrap_or(DENIED);
            Decision::Deny { message: message.to_owned(), interrupt: false }
        }
        Answer::Choose { choices } => {
            let answers = Value::Object(answers(ask, choices)?);
            let updated_input =
                ask.input.raw_with("answers", &answers).map_err(|error| unreadable(&error))?;
            Decision::Allow { updated_input, updated_permissions: None }
        }
    })
}

/// The stored input is damaged. No other input must run in its place.
pub(in crate::driver) fn unreadable(error: &serde_json::Error) -> Problem {
    invalid(&format!("The input of the tool cannot be read: {error}."), "Deny the request.")
}

/// The suggestions that an answer with "always" applies.
fn always(ask: &PermissionRequest, chosen: Option<&[usize]>) -> Result<Vec<Value>, Problem> {
    let applied = always::applied(&ask.suggestions, chosen).ok_or_else(|| {
        invalid("The permission request has no such suggestion.", "Choose one of its suggestions.")
    })?;
    Ok(applied.into_iter().filter_map(|index| ask.suggestions.get(index)).cloned().collect())
}

/// Claude identifies the answers by the text of the question.
fn answers(ask: &PermissionRequest, choices: &[Vec<String>]) -> Result<Map<String, Value>, Problem> {
    let questions = array(ask.input.shown(), "questions");
    if choices.len() > questions.len() {
        return Err(invalid("There are more answers than questions.", "Give one answer for each question."));
    }
    let answers = questions.iter().zip(choices);
    Ok(answers
        .map(|(question, labels)| (text(question, "question").to_owned(), Value::String(labels.join(", "))))
        .collect())
}

fn invalid(message: &str, hint: &str) -> Problem {
    Problem::new(ErrorCode::AnswerInvalid, message, hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn asked(request: &Value) -> PermissionRequest {
        let envelope = json!({"type": "control_request", "request_id": "r1", "request": request}).to_string();
        ask(serde_json::from_str(&envelope).unwrap()).unwrap()
    }

    /// The answer as Claude receives it.
    fn decided(ask: &PermissionRequest, answer: &Answer) -> Value {
        serde_json::to_value(decision(ask, answer).unwrap()).unwrap()
    }

    fn bash() -> PermissionRequest {
        asked(&json!({
            "subtype": "can_use_tool", "tool_name": "Bash", "input": {"command": "touch a", "description": "run it"},
            "permission_suggestions": [
                {"type": "addDirectories", "directories": ["/project"], "destination": "session"},
                {"type": "addRules", "rules": [{"toolName": "Bash"}], "behavior": "allow", "destination": "session"},
                {"type": "setMode", "mode": "acceptEdits", "destination": "session"},
            ],
        }))
    }

    fn title_of(tool: &str, input: &Value) -> String {
        asked(
            &json!({"subtype": "can_use_tool", "tool_name": tool, "input": input, "description": "does it"}),
        )
        .title
    }

    #[test]
    fn every_refusal_of_an_answer_is_printed() {
        let no_suggestion = always(&bash(), Some(&[9])).unwrap_err();
        let too_many = answers(&bash(), &[vec!["Red".to_owned()]]).unwrap_err();
        crate::texts::assert_problems("problems-driver", [no_suggestion, too_many]);
    }

    #[test]
    fn a_title_says_what_would_be_done() {
        assert_eq!(title_of("Bash", &json!({"command": "ls\n  -l"})), "ls -l");
        assert_eq!(title_of("Edit", &json!({"file_path": "/project/a.rs"})), "Edit /project/a.rs");
        assert_eq!(
            title_of("NotebookEdit", &json!({"notebook_path": "/project/a.ipynb"})),
            "NotebookEdit /project/a.ipynb"
        );
        assert_eq!(title_of("WebFetch", &json!({"url": "https://example.org"})), "https://example.org");
        assert_eq!(title_of("mcp__x__y", &json!({})), "mcp__x__y: does it");
        assert_eq!(title_of("Write", &json!({})), "Write: does it");
        assert_eq!(title_of("ExitPlanMode", &json!({"plan": "\n# Do it\n1. this"})), "Plan: Do it");
        assert_eq!(title_of("ExitPlanMode", &json!({})), "Plan");
        assert_eq!(title_of("AskUserQuestion", &json!({"questions": [{"question": "Which?"}]})), "Which?");
    }

    #[test]
    fn claudes_own_title_comes_first_and_is_cleaned() {
        let request = json!({"subtype": "can_use_tool", "tool_name": "Bash", "input": {"command": "x"},
            "title": "Run \u{1b}[31mx\u{202e}?"});
        assert_eq!(asked(&request).title, "Run x?");
    }

    #[test]
    fn no_always_is_offered_when_claude_says_so() {
        let request = json!({"subtype": "can_use_tool", "tool_name": "Bash", "input": {},
            "permission_suggestions": [{"type": "addRules"}], "suppress_always_allow_rule": true});
        assert!(asked(&request).suggestions.is_empty());
    }

    #[test]
    fn always_takes_the_rules_and_not_the_broader_suggestions() {
        let ask = bash();
        let decision = decided(&ask, &Answer::AllowAlways { suggestions: None });
        assert_eq!(decision["updatedPermissions"], json!([ask.suggestions[1]]));
        assert_eq!(decision["updatedInput"], *ask.input.shown());
    }

    #[test]
    fn always_never_takes_a_directory_or_a_mode_that_nobody_chose() {
        let mut ask = bash();
        ask.suggestions.remove(1);
        let problem = decision(&ask, &Answer::AllowAlways { suggestions: None }).unwrap_err();
        assert_eq!(problem.code, ErrorCode::AnswerInvalid);
    }

    #[test]
    fn always_takes_the_suggestions_that_were_chosen() {
        let ask = bash();
        let chosen = decided(&ask, &Answer::AllowAlways { suggestions: Some(vec![2, 0]) });
        assert_eq!(chosen["updatedPermissions"], json!([ask.suggestions[2], ask.suggestions[0]]));
        let problem = decision(&ask, &Answer::AllowAlways { suggestions: Some(vec![3]) }).unwrap_err();
        assert_eq!(problem.code, ErrorCode::AnswerInvalid);
    }

    #[test]
    fn a_denial_without_a_message_gets_one() {
        let decision =
            |message: Option<&str>| decided(&bash(), &Answer::Deny { message: message.map(String::from) });
        assert_eq!(decision(None), json!({"behavior": "deny", "message": DENIED, "interrupt": false}));
        assert_eq!(decision(Some("use rg"))["message"], "use rg");
    }

    #[test]
    fn choices_answer_questions_by_their_text() {
        let input = json!({"questions": [{"question": "Which?"}, {"question": "Why?"}]});
        let ask = asked(&json!({"subtype": "can_use_tool", "tool_name": "AskUserQuestion", "input": input}));
        let choices = vec![vec!["Red".to_owned(), "Blue".to_owned()], vec!["so".to_owned()]];
        let chosen = decided(&ask, &Answer::Choose { choices });
        let expected = json!({"questions": ask.input.shown()["questions"], "answers": {"Which?": "Red, Blue", "Why?": "so"}});
        assert_eq!(chosen, json!({"behavior": "allow", "updatedInput": expected}));
        let choices = vec![Vec::new(); 3];
        assert_eq!(decision(&ask, &Answer::Choose { choices }).unwrap_err().code, ErrorCode::AnswerInvalid);
    }

    #[test]
    fn an_input_of_any_depth_is_shown_and_comes_back_whole() {
        for levels in [60, 100, 124, 125, 126, 127, 128, 1_000, 100_000] {
            let input = format!(r#"{{"command":"ls","a":{}7{}}}"#, "[".repeat(levels), "]".repeat(levels));
            let envelope = format!(
                r#"{{"request_id":"r","request":{{"subtype":"can_use_tool","tool_name":"Bash","input":{input}}}}}"#
            );
            let ask = ask(serde_json::from_str(&envelope).unwrap()).unwrap();
            assert_eq!((ask.title.as_str(), &ask.input.shown()["command"]), ("ls", &json!("ls")), "{levels}");
            let decision = decision(&ask, &Answer::Allow).unwrap();
            let expected = format!(r#"{{"behavior":"allow","updatedInput":{input}}}"#);
            assert_eq!(serde_json::to_string(&decision).unwrap(), expected, "{levels}");
        }
    }

    #[test]
    fn a_rule_too_deep_to_be_shown_is_not_offered() {
        let rule = format!(r#"{{"type":"addRules","rules":{}{}}}"#, "[".repeat(1_000), "]".repeat(1_000));
        let envelope = format!(
            r#"{{"request_id":"r","request":{{"subtype":"can_use_tool","permission_suggestions":[{rule},{{"type":"setMode"}}]}}}}"#
        );
        let ask = ask(serde_json::from_str(&envelope).unwrap()).unwrap();
        assert_eq!(ask.suggestions, [json!({"type": "setMode"})]);
    }
}
