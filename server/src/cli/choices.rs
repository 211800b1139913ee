//! The CHOICE arguments of `areyouj answer`, matched with the options of Claude's questions.

use areyouj_protocol::{ErrorCode, Json};

use crate::client::Failure;

/// A question that Claude asks, with its options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// The text of the question.
    pub(crate) question: String,
    /// A short title; empty if Claude gave none.
    pub(crate) header: String,
    /// Whether the answer can have several options.
    pub(crate) several: bool,
    /// Label and description of each option.
    pub(crate) options: Vec<(String, String)>,
}

/// The questions in the input of a permission request.
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

/// The labels chosen for each question, in order. An argument is the number of an option, from 1, its label in any
/// letter case, or free text.
pub(crate) fn parse(questions: &[Question], arguments: &[String]) -> Result<Vec<Vec<String>>, Failure> {
    match questions {
        [question] => {
            if !question.several && arguments.len() > 1 {
                return Err(invalid(
                    format!("the question takes one choice, but {} were given", arguments.len()),
                    "Quote an answer of several words.",
                ));
            }
            Ok(vec![arguments.iter().flat_map(|argument| choices(question, argument)).collect()])
        }
        _ if questions.len() == arguments.len() => Ok(questions
            .iter()
            .zip(arguments)
            .map(|(question, argument)| choices(question, argument))
            .collect()),
        _ => Err(invalid(
            format!("Claude asks {} questions; choices given: {}", questions.len(), arguments.len()),
            "Give one CHOICE for each question; separate several options of one question by commas.",
        )),
    }
}

fn choices(question: &Question, argument: &str) -> Vec<String> {
    if let Some(label) = option(question, argument) {
        return vec![label];
    }
    if question.several {
        let parts: Option<Vec<String>> = argument.split(',').map(|part| option(question, part)).collect();
        if let Some(labels) = parts {
            return labels;
        }
    }
    vec![argument.to_owned()]
}

/// The label that the argument names. A label takes precedence over a number, because a label can be a number.
fn option(question: &Question, argument: &str) -> Option<String> {
    let argument = argument.trim();
    let labels = || question.options.iter().map(|(label, _)| label);
    labels()
        .find(|label| label.trim().to_lowercase() == argument.to_lowercase())
        .or_else(|| argument.parse::<usize>().ok()?.checked_sub(1).and_then(|index| labels().nth(index)))
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
    fn questions_are_read_from_the_input_of_the_request() {
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
    fn a_choice_is_a_number_a_label_or_free_text() {
        let one = [question(false, &["Red", "Green, dark"])];
        assert_eq!(parse_all(&one, &["1"]).unwrap(), [["Red"]]);
        assert_eq!(parse_all(&one, &["red"]).unwrap(), [["Red"]]);
        assert_eq!(parse_all(&one, &["green, DARK"]).unwrap(), [["Green, dark"]]);
        assert_eq!(parse_all(&one, &["blue, please"]).unwrap(), [["blue, please"]]);
        assert_eq!(parse_all(&one, &["3"]).unwrap(), [["3"]]);
        assert_eq!(parse_all(&one, &["0"]).unwrap(), [["0"]]);
    }

    #[test]
    fn a_label_takes_precedence_over_a_number() {
        let ports = [question(false, &["2", "1"])];
        assert_eq!(parse_all(&ports, &["1"]).unwrap(), [["1"]]);
    }

    #[test]
    fn a_single_question_takes_all_choices() {
        let one = [question(true, &["a", "b", "c"])];
        assert_eq!(parse_all(&one, &["1", "c"]).unwrap(), [["a", "c"]]);
        assert_eq!(parse_all(&one, &["1,3"]).unwrap(), [["a", "c"]]);
        assert_eq!(parse_all(&one, &["a,other"]).unwrap(), [["a,other"]]);
        assert_eq!(parse_all(&[question(false, &["a", "b"])], &["1", "2"]).unwrap_err(), "answer_invalid");
    }

    #[test]
    fn each_of_several_questions_takes_one_choice() {
        let two = [question(true, &["a", "b"]), question(false, &["x", "y"])];
        assert_eq!(parse_all(&two, &["1, 2", "Y"]).unwrap(), [vec!["a", "b"], vec!["y"]]);
        assert_eq!(parse_all(&two, &["1"]).unwrap_err(), "answer_invalid");
        assert_eq!(parse_all(&two, &["1", "2", "x"]).unwrap_err(), "answer_invalid");
    }
}
