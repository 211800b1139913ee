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
            let chosen: Result<Vec<Vec<String>>, Failure> =
                arguments.iter().map(|argument| choices(question, argument)).collect();
            Ok(vec![chosen?.concat()])
        }
        _ if questions.len() == arguments.len() => {
            questions.iter().zip(arguments).map(|(question, argument)| choices(question, argument)).collect()
        }
        _ => Err(invalid(
            format!("Claude asks {} questions; choices given: {}", questions.len(), arguments.len()),
            "Give one CHOICE for each question; separate several options of one question by commas.",
        )),
    }
}

/// What an argument chooses.
///
/// # Errors
///
/// The argument could mean different choices.
fn choices(question: &Question, argument: &str) -> Result<Vec<String>, Failure> {
    if let Some(text) = argument.strip_prefix('=') {
        return Ok(vec![option(question, argument)?.unwrap_or_else(|| text.to_owned())]);
    }
    let whole = option(question, argument)?;
    let parts: Option<Vec<String>> = match question.several && argument.contains(',') {
        true => argument.split(',').map(|part| option(question, part)).collect::<Result<_, _>>()?,
        false => None,
    };
    match (whole, parts) {
        (Some(_), Some(_)) => Err(ambiguous(argument)),
        (Some(label), None) => Ok(vec![label]),
        (None, Some(labels)) => Ok(labels),
        (None, None) => Ok(vec![argument.to_owned()]),
    }
}

/// The label that the argument names: by the number of an option, by the label as it is written, or by the label in
/// another letter case. `None` if it names none.
///
/// # Errors
///
/// It names several: a label can be a number, and labels can differ in their letter case alone.
fn option(question: &Question, argument: &str) -> Result<Option<String>, Failure> {
    let labels: Vec<&String> = question.options.iter().map(|(label, _)| label).collect();
    let argument = argument.trim();
    let numbered = |number: &str| {
        let index = number.parse::<usize>().ok()?.checked_sub(1)?;
        labels.get(index).copied()
    };
    if let Some(number) = argument.strip_prefix('#')
        && let Some(label) = numbered(number)
        && !labels.iter().any(|label| label.trim() == argument)
    {
        return Ok(Some(label.clone()));
    }
    let text = argument.strip_prefix('=').unwrap_or(argument);
    let mut named: Vec<&String> = labels.iter().copied().filter(|label| label.trim() == text).collect();
    if named.is_empty() {
        named = labels
            .iter()
            .copied()
            .filter(|label| label.trim().to_lowercase() == text.to_lowercase())
            .collect();
    }
    if text == argument {
        named.extend(numbered(argument));
    }
    named.dedup();
    match named.as_slice() {
        [] => Ok(None),
        [label] => Ok(Some((*label).clone())),
        _ => Err(ambiguous(argument)),
    }
}

fn ambiguous(argument: &str) -> Failure {
    invalid(
        format!("\"{argument}\" could mean several of the options"),
        "For the number of an option type #N, for its label =LABEL.",
    )
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
    fn what_could_mean_several_options_is_refused() {
        let ports = [question(false, &["2", "1", "3", "#9"])];
        assert_eq!(parse_all(&ports, &["1"]).unwrap_err(), "answer_invalid");
        assert_eq!(parse_all(&ports, &["3"]).unwrap(), [["3"]], "the third option is labelled 3");
        assert_eq!(parse_all(&ports, &["#1"]).unwrap(), [["2"]]);
        assert_eq!(parse_all(&ports, &["=1"]).unwrap(), [["1"]]);
        assert_eq!(parse_all(&ports, &["=other"]).unwrap(), [["other"]]);
        assert_eq!(parse_all(&ports, &["#9"]).unwrap(), [["#9"]]);
        let cases = [question(false, &["Red", "red"])];
        assert_eq!(parse_all(&cases, &["red"]).unwrap(), [["red"]]);
        assert_eq!(parse_all(&cases, &["RED"]).unwrap_err(), "answer_invalid");
        let commas = [question(true, &["a, b", "a", "b"])];
        assert_eq!(parse_all(&commas, &["a, b"]).unwrap_err(), "answer_invalid");
        assert_eq!(parse_all(&commas, &["=a, b"]).unwrap(), [["a, b"]]);
        assert_eq!(parse_all(&commas, &["#2,#3"]).unwrap(), [["a", "b"]]);
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
