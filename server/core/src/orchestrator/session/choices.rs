//! The choices that answer Claude's questions: whether exactly the chosen ones reach Claude.

use std::collections::HashSet;

use serde_json::Value;

use super::permissions::invalid;
use crate::orchestrator::{ErrorCode, PermissionId, Problem, Remedy};

/// What Claude puts between the choices of one question.
const SEPARATOR: &str = ", ";

/// Checks the choices for each of the questions in this input.
///
/// # Errors
///
/// The choices do not fit the questions, or Claude could not tell which ones they are.
pub(super) fn check(input: &Value, choices: &[Vec<String>], id: PermissionId) -> Result<(), Problem> {
    let questions = input.get("questions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let see = || Remedy::ListPermissions { session_id: Some(id.session.to_string()) };
    if choices.len() != questions.len() {
        return Err(invalid(
            &format!(
                "Claude asks {} questions, but the number of answers is {}.",
                questions.len(),
                choices.len()
            ),
            see(),
        ));
    }
    // Claude reads the answers by the text of the question.
    let mut texts = HashSet::new();
    if !questions.iter().all(|question| texts.insert(text(question, "question"))) {
        return Err(Problem::new(
            ErrorCode::QuestionsAlike,
            "Several of the questions have the same text, so Claude cannot distinguish their answers.",
            "Deny the request with a message that answers the questions.",
        ));
    }
    for (question, chosen) in questions.iter().zip(choices) {
        let several = question.get("multiSelect").and_then(Value::as_bool).unwrap_or(false);
        if chosen.is_empty() || chosen.iter().any(|label| label.trim().is_empty()) {
            return Err(invalid("Every question needs an answer.", see()));
        }
        if chosen.len() > 1 && !several {
            return Err(invalid("The question takes only one choice.", see()));
        }
        if several && is_ambiguous(question, chosen) {
            return Err(invalid(
                "Claude separates choices by commas, so it could read these choices as different ones.",
                "Deny the request with a message that answers the question.",
            ));
        }
    }
    Ok(())
}

/// Whether other choices of the question would give Claude the same text. Free text is meant as it is written.
fn is_ambiguous(question: &Value, chosen: &[String]) -> bool {
    let options = question.get("options").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let labels: HashSet<&str> = options.iter().map(|option| text(option, "label")).collect();
    if !chosen.iter().all(|label| labels.contains(label.as_str())) {
        return false;
    }
    ways(&chosen.join(SEPARATOR), &labels) > 1
}

/// In how many ways a text can be read as labels; at most 2.
fn ways(text: &str, labels: &HashSet<&str>) -> usize {
    // The number of ways to read the rest of the text from each position, from the last position to the first.
    let mut ways = vec![0_usize; text.len() + 1];
    for at in (0..text.len()).rev() {
        let rest = &text.as_bytes()[at..];
        for label in labels.iter().filter(|label| !label.is_empty()) {
            let Some(behind) = rest.strip_prefix(label.as_bytes()) else { continue };
            let further = match behind.strip_prefix(SEPARATOR.as_bytes()) {
                _ if behind.is_empty() => 1,
                Some(next) => ways[text.len() - next.len()],
                None => 0,
            };
            ways[at] = (ways[at] + further).min(2);
        }
    }
    ways[0]
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn question(text: &str, several: bool, labels: &[&str]) -> Value {
        let options: Vec<Value> = labels.iter().map(|label| json!({ "label": label })).collect();
        json!({ "question": text, "multiSelect": several, "options": options })
    }

    fn checked(questions: &[Value], choices: &[&[&str]]) -> Result<(), ErrorCode> {
        let choices: Vec<Vec<String>> =
            choices.iter().map(|chosen| chosen.iter().map(|label| (*label).to_owned()).collect()).collect();
        let id = "K7M2Q9XD-1".parse().unwrap();
        check(&json!({ "questions": questions }), &choices, id).map_err(|problem| problem.code)
    }

    #[test]
    fn questions_of_one_text_take_no_choices() {
        let same = [question("Which?", false, &["a"]), question("Which?", false, &["b"])];
        assert_eq!(checked(&same, &[&["a"], &["b"]]), Err(ErrorCode::QuestionsAlike));
        let other = [question("Which?", false, &["a"]), question("Which ?", false, &["b"])];
        assert_eq!(checked(&other, &[&["a"], &["b"]]), Ok(()));
    }

    #[test]
    fn labels_with_commas_are_chosen_if_nothing_else_reads_the_same() {
        let commas = [question("Which?", true, &["red, dark", "blue"])];
        assert_eq!(checked(&commas, &[&["red, dark", "blue"]]), Ok(()));
        assert_eq!(checked(&commas, &[&["red, dark"]]), Ok(()));
        let alike = [question("Which?", true, &["a, b", "a", "b"])];
        for chosen in [&["a, b"][..], &["a", "b"]] {
            assert_eq!(checked(&alike, &[chosen]), Err(ErrorCode::AnswerInvalid));
        }
        assert_eq!(checked(&alike, &[&["b", "a"]]), Ok(()));
        assert_eq!(checked(&alike, &[&["something else, a"]]), Ok(()));
        let one = [question("Which?", false, &["a, b", "a", "b"])];
        assert_eq!(checked(&one, &[&["a, b"]]), Ok(()), "one choice is one choice");
    }

    #[test]
    fn long_labels_are_read_in_time() {
        let labels: Vec<String> = (1..60).map(|length| vec!["a"; length].join(SEPARATOR)).collect();
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let many = [question("Which?", true, &labels)];
        assert_eq!(checked(&many, &[&labels]), Err(ErrorCode::AnswerInvalid));
    }
}
