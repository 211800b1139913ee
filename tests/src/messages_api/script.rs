//! The language of prompts that the scripted API understands.
//!
//! | prompt | answer |
//! |---|---|
//! | `run: COMMAND` | calls Bash, and closes with `Result: …` |
//! | `run2: COMMAND ;; COMMAND` | calls Bash twice in one message, and closes with `Result: … \| …` |
//! | `edit: PATH \| BEFORE \| AFTER` | calls Read and Edit in one message, and closes with `Result: … \| …` |
//! | `slow: N TEXT` | N words, one every 50 ms, then `TEXT` |
//! | `hold: NAME` | one word, then nothing until the test releases NAME, then the rest |
//! | `error: STATUS [TIMES] [after=SECONDS]` | an API error, TIMES times (for ever if left out), then text |
//! | `think: TEXT` | a thought, then text |
//! | `ask: QUESTION \| CHOICE \| CHOICE …` | calls AskUserQuestion, and closes with `Result: …` |
//! | `plan: TEXT` | calls ExitPlanMode, and closes with `Result: …` |
//! | `think first:` | calls EnterPlanMode, and closes with `Result: …` |
//! | anything else | `Echo: …` |
//!
//! What follows TIMES, or a `#` after NAME, is ignored: it makes prompts distinguishable. SECONDS is how long Claude is
//! told to wait, 0 if left out; `after=none` tells it nothing.

use std::time::Duration;

use serde_json::{Value, json};

/// The pace of `slow:`: visible to a person, and many words fit in a test.
const WORD: Duration = Duration::from_millis(50);

/// The longest echo: a reply to a message of a megabyte need not be one.
const ECHO_CHARACTERS: usize = 2000;

/// A prompt, understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Script {
    Echo(String),
    Run(Vec<String>),
    Edit { path: String, before: String, after: String },
    Slow { words: usize, text: String },
    Hold(String),
    Error { failure: Failure, times: Option<u32> },
    Think(String),
    Ask { question: String, choices: Vec<String> },
    Plan(String),
    EnterPlanMode,
}

/// What is answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Blocks(Vec<Block>),
    Error(Failure),
}

/// An API error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: u16,
    /// The header `retry-after`, if there is one.
    pub(super) retry_after: Option<String>,
}

/// A block of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block {
    Thinking(String),
    /// Pieces of one text, with what comes before each.
    Text(Vec<(Before, String)>),
    ToolUse {
        name: &'static str,
        input: Value,
    },
}

/// What comes before a piece of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Nothing,
    Time(Duration),
    Release(String),
}

impl Script {
    pub(super) fn parse(prompt: &str) -> Script {
        parse(prompt).unwrap_or_else(|| Script::Echo(prompt.to_owned()))
    }

    /// `failures`: how often this prompt has been answered with an error, this time included.
    pub(super) fn reply(self, failures: u32) -> Reply {
        Reply::Blocks(match self {
            Script::Echo(text) => vec![words(&format!("Echo: {}", shortened(&text)))],
            Script::Run(commands) => {
                let calls = commands.into_iter().map(|command| Block::ToolUse {
                    name: "Bash",
                    input: json!({ "command": command, "description": "Run a command" }),
                });
                std::iter::once(words("I run that.")).chain(calls).collect()
            }
            Script::Edit { path, before, after } => {
                // Claude changes no file that it has not read.
                let read = Block::ToolUse { name: "Read", input: json!({ "file_path": path }) };
                let input = json!({ "file_path": path, "old_string": before, "new_string": after });
                vec![words("I change that."), read, Block::ToolUse { name: "Edit", input }]
            }
            Script::Slow { words, text } => {
                let paced = (1..=words).map(|word| (Before::Time(WORD), format!("word{word} ")));
                vec![Block::Text(paced.chain([(Before::Nothing, text)]).collect())]
            }
            Script::Hold(name) => {
                let rest = format!("{name} was released.");
                vec![Block::Text(vec![(Before::Nothing, "Holding … ".into()), (Before::Release(name), rest)])]
            }
            Script::Error { failure, times } => {
                if times.is_none_or(|times| failures <= times) {
                    return Reply::Error(failure);
                }
                vec![words(&format!("Recovered from error {}.", failure.status))]
            }
            Script::Think(text) => {
                vec![
                    Block::Thinking(format!("Let me think about {text}.")),
                    words(&format!("Thought about: {text}")),
                ]
            }
            Script::Ask { question, choices } => {
                let options: Vec<Value> = choices
                    .iter()
                    .map(|choice| json!({ "label": choice, "description": format!("Choose {choice}") }))
                    .collect();
                let question = json!({ "question": question, "header": "Question", "options": options, "multiSelect": false });
                vec![Block::ToolUse { name: "AskUserQuestion", input: json!({ "questions": [question] }) }]
            }
            Script::Plan(text) => {
                vec![Block::ToolUse { name: "ExitPlanMode", input: json!({ "plan": text }) }]
            }
            Script::EnterPlanMode => vec![Block::ToolUse { name: "EnterPlanMode", input: json!({}) }],
        })
    }
}

/// What follows the results of tools.
pub(super) fn closing(results: &[String]) -> Reply {
    Reply::Blocks(vec![words(&format!("Result: {}", shortened(&results.join(" | "))))])
}

fn parse(prompt: &str) -> Option<Script> {
    let (verb, rest) = prompt.split_once(':')?;
    let rest = rest.trim();
    Some(match verb.trim() {
        "run" => Script::Run(vec![rest.to_owned()]),
        "run2" => Script::Run(rest.split(";;").map(|command| command.trim().to_owned()).collect()),
        "edit" => {
            let mut parts = rest.split('|').map(|part| part.trim().to_owned());
            Script::Edit { path: parts.next()?, before: parts.next()?, after: parts.next()? }
        }
        "slow" => {
            let (count, text) = rest.split_once(' ').unwrap_or((rest, ""));
            Script::Slow { words: count.parse().ok()?, text: text.to_owned() }
        }
        "hold" => Script::Hold(rest.split('#').next()?.trim().to_owned()),
        "error" => {
            let after = rest.split_whitespace().find_map(|word| word.strip_prefix("after="));
            let mut numbers = rest.split_whitespace();
            Script::Error {
                failure: Failure {
                    status: numbers.next()?.parse().ok()?,
                    retry_after: Some(after.unwrap_or("0").to_owned()).filter(|seconds| seconds != "none"),
                },
                times: numbers.next().and_then(|times| times.parse().ok()),
            }
        }
        "think" => Script::Think(rest.to_owned()),
        "ask" => {
            let mut parts = rest.split('|').map(|part| part.trim().to_owned());
            Script::Ask { question: parts.next()?, choices: parts.collect() }
        }
        "plan" => Script::Plan(rest.to_owned()),
        "think first" => Script::EnterPlanMode,
        _ => return None,
    })
}

fn words(text: &str) -> Block {
    Block::Text(text.split_inclusive(' ').map(|word| (Before::Nothing, word.to_owned())).collect())
}

fn shortened(text: &str) -> String {
    text.chars().take(ECHO_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_echoed_even_with_a_colon_in_it() {
        assert_eq!(Script::parse("hello"), Script::Echo("hello".into()));
        assert_eq!(Script::parse("note: this"), Script::Echo("note: this".into()));
        assert_eq!(Script::parse("slow: soon"), Script::Echo("slow: soon".into()));
    }

    #[test]
    fn two_commands_are_two_calls_in_one_message() {
        let Reply::Blocks(blocks) = Script::parse("run2: echo a ;; echo b").reply(0) else {
            panic!("an error")
        };
        let calls: Vec<_> = blocks
            .iter()
            .filter_map(|block| match block {
                Block::ToolUse { input, .. } => input["command"].as_str(),
                _ => None,
            })
            .collect();
        assert_eq!(calls, ["echo a", "echo b"]);
    }

    #[test]
    fn a_file_is_read_before_it_is_changed() {
        let Reply::Blocks(blocks) = Script::parse("edit: /a | old | new").reply(0) else {
            panic!("an error")
        };
        let calls: Vec<_> = blocks.iter().filter(|block| matches!(block, Block::ToolUse { .. })).collect();
        let input = json!({ "file_path": "/a", "old_string": "old", "new_string": "new" });
        let read = Block::ToolUse { name: "Read", input: json!({ "file_path": "/a" }) };
        assert_eq!(calls, [&read, &Block::ToolUse { name: "Edit", input }]);
        assert_eq!(Script::parse("edit: /a | old"), Script::Echo("edit: /a | old".into()));
    }

    #[test]
    fn an_error_with_a_number_ends_after_that_many_times() {
        let error = || Script::parse("error: 529 2 some words");
        let failure = |status, after: Option<&str>| {
            Reply::Error(Failure { status, retry_after: after.map(str::to_owned) })
        };
        assert_eq!(error().reply(2), failure(529, Some("0")));
        assert!(matches!(error().reply(3), Reply::Blocks(_)));
        assert_eq!(Script::parse("error: 401").reply(1000), failure(401, Some("0")));
        assert_eq!(Script::parse("error: 429 1 after=2").reply(1), failure(429, Some("2")));
        assert_eq!(Script::parse("error: 429 after=none").reply(1), failure(429, None));
    }

    #[test]
    fn a_question_has_its_choices() {
        let script = Script::parse("ask: Which? | Red | Blue");
        assert_eq!(
            script,
            Script::Ask { question: "Which?".into(), choices: vec!["Red".into(), "Blue".into()] }
        );
    }

    #[test]
    fn holds_of_one_name_can_have_different_texts() {
        assert_eq!(Script::parse("hold: door # second"), Script::Hold("door".into()));
    }
}
