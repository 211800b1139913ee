//! What a person typed as the answer to a question, as the choices that were meant.

use areyouj_protocol::{ErrorCode, Json};

use crate::client::Failure;

/// A question of Claude's with its choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// The question itself.
    pub(crate) question: String,
    /// A word or two for it; empty if there are none.
    pub(crate) header: String,
    /// Several choices may be taken.
    pub(crate) several: bool,
    /// Label and description of each choice.
    pub(crate) options: Vec<(String, String)>,
}

/// The questions in the input of a prompt.
pub(crate) fn questions(input: &Json) -> Vec<Question> {
    let text = |json: &Json, name: &str| json.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    let question = |json: &Json| Question {
        question: text(json, "question"),
        header: text(json, "header"),
        several: json.get("multiSelect") == Some(&Json::Bool(true)),
        options: json.get("options").map_or_else(Vec::new, |options| {
            options
                .elements()
                .iter()
                .map(|option| (text(option, "label"), text(option, "description")))
                .collect()
        }),
    };
    input
        .get("questions")
        .map_or_else(Vec::new, |questions| questions.elements().iter().map(question).collect())
}

/// The choices that were meant, for each question in order. Each is typed as a number from 1, a label in any letter
/// case, or words of one's own.
pub(crate) fn parse(questions: &[Question], typed: &[String]) -> Result<Vec<Vec<String>>, Failure> {
    match questions {
        [question] => {
            if !question.several && typed.len() > 1 {
                return Err(invalid(
                    format!("the question takes one choice, and there are {}", typed.len()),
                    "Put words of your own into quotes.",
                ));
            }
            Ok(vec![typed.iter().flat_map(|typed| choices(question, typed)).collect()])
        }
        _ if questions.len() == typed.len() => {
            Ok(questions.iter().zip(typed).map(|(question, typed)| choices(question, typed)).collect())
        }
        _ => Err(invalid(
            format!("there are {} questions and {} choices", questions.len(), typed.len()),
            "Give one CHOICE for each question, with commas between several choices of one question.",
        )),
    }
}

fn choices(question: &Question, typed: &str) -> Vec<String> {
    if let Some(label) = option(question, typed) {
        return vec![label];
    }
    if question.several {
        let parts: Option<Vec<String>> = typed.split(',').map(|part| option(question, part)).collect();
        if let Some(labels) = parts {
            return labels;
        }
    }
    vec![typed.to_owned()]
}

/// The label that this means: a label goes before a number, as labels may be numbers.
fn option(question: &Question, typed: &str) -> Option<String> {
    let typed = typed.trim();
    let labels = || question.options.iter().map(|(label, _)| label);
    labels()
        .find(|label| label.trim().to_lowercase() == typed.to_lowercase())
        .or_else(|| typed.parse::<usize>().ok()?.checked_sub(1).and_then(|index| labels().nth(index)))
        .cloned()
}

fn invalid(message: String, hint: &str) -> Failure {
    Failure::new(ErrorCode::AnswerInvalid, message, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(several: bool, labels: &[&str]) -> Question {
        let options = labels.iter().map(|label| ((*label).to_owned(), String::new())).collect();
        Question { question: "Which?".to_owned(), header: String::new(), several, options }
    }

    fn parse_all(questions: &[Question], typed: &[&str]) -> Result<Vec<Vec<String>>, String> {
        let typed: Vec<String> = typed.iter().map(|typed| (*typed).to_owned()).collect();
        parse(questions, &typed).map_err(|failure| failure.code)
    }

    #[test]
    fn questions_are_read_from_what_claude_sent() {
        let input: Json = serde_json::from_str(
            r#"{"questions":[{"question":"Which?","header":"Port","multiSelect":true,
                "options":[{"label":"80","description":"plain"},{"label":"443"}]}]}"#,
        )
        .unwrap();
        let questions = questions(&input);
        assert_eq!(questions.len(), 1);
        assert!(questions[0].several);
        assert_eq!(questions[0].options[0], ("80".to_owned(), "plain".to_owned()));
        assert_eq!(super::questions(&Json::Null), []);
    }

    #[test]
    fn a_choice_is_a_number_or_a_label_or_words_of_ones_own() {
        let one = [question(false, &["Red", "Green, dark"])];
        assert_eq!(parse_all(&one, &["1"]).unwrap(), [["Red"]]);
        assert_eq!(parse_all(&one, &["red"]).unwrap(), [["Red"]]);
        assert_eq!(parse_all(&one, &["green, DARK"]).unwrap(), [["Green, dark"]]);
        assert_eq!(parse_all(&one, &["blue, please"]).unwrap(), [["blue, please"]]);
        assert_eq!(parse_all(&one, &["3"]).unwrap(), [["3"]]);
        assert_eq!(parse_all(&one, &["0"]).unwrap(), [["0"]]);
    }

    #[test]
    fn a_label_goes_before_a_number() {
        let ports = [question(false, &["2", "1"])];
        assert_eq!(parse_all(&ports, &["1"]).unwrap(), [["1"]]);
    }

    #[test]
    fn all_choices_belong_to_the_only_question() {
        let one = [question(true, &["a", "b", "c"])];
        assert_eq!(parse_all(&one, &["1", "c"]).unwrap(), [["a", "c"]]);
        assert_eq!(parse_all(&one, &["1,3"]).unwrap(), [["a", "c"]]);
        assert_eq!(parse_all(&one, &["a,other"]).unwrap(), [["a,other"]]);
        assert_eq!(parse_all(&[question(false, &["a", "b"])], &["1", "2"]).unwrap_err(), "answer_invalid");
    }

    #[test]
    fn several_questions_take_one_choice_each() {
        let two = [question(true, &["a", "b"]), question(false, &["x", "y"])];
        assert_eq!(parse_all(&two, &["1, 2", "Y"]).unwrap(), [vec!["a", "b"], vec!["y"]]);
        assert_eq!(parse_all(&two, &["1"]).unwrap_err(), "answer_invalid");
        assert_eq!(parse_all(&two, &["1", "2", "x"]).unwrap_err(), "answer_invalid");
    }
}
