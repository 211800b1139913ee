//! The prompt language of the scripted API.
//!
//! | prompt | response |
//! |---|---|
//! | `run: COMMAND` | calls Bash, then answers `Result: …` |
//! | `run2: COMMAND ;; COMMAND` | calls Bash twice in one message, then answers `Result: … \| …` |
//! | `call: TOOL INPUT` | calls TOOL with this JSON, then answers `Result: …` |
//! | `edit: PATH \| BEFORE \| AFTER` | calls Read and Edit in one message, then answers `Result: … \| …` |
//! | `slow: N TEXT` | N words, one every 50 ms, then `TEXT` |
//! | `hold: NAME` | one word, then nothing until the test releases NAME, then the rest |
//! | `error: STATUS [TIMES] [after=SECONDS]` | an API error, TIMES times (always if omitted), then text |
//! | `think: TEXT` | thinking, then text |
//! | `ask: QUESTION \| CHOICE \| CHOICE …` | calls AskUserQuestion, then answers `Result: …` |
//! | `plan: TEXT` | calls ExitPlanMode, then answers `Result: …` |
//! | `think first:` | calls EnterPlanMode, then answers `Result: …` |
//! | anything else | `Echo: …` |
//!
//! Text after TIMES, or after a `#` following NAME, is ignored: it makes prompts distinguishable. SECONDS is the value
//! of the `retry-after` header, 0 if omitted; `after=none` omits the header.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Value, json};

/// The time between two words of `slow:`: visible to a person, and short enough for many words in a test.
const WORD_INTERVAL: Duration = Duration::from_millis(50);

/// The maximum length of an echo: the reply to a message of a megabyte should be short.
const ECHO_CHARACTERS: usize = 2000;

/// A parsed prompt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Script {
    Echo(String),
    Run(Vec<String>),
    Call { tool: String, input: Value },
    Edit { path: String, before: String, after: String },
    Slow { words: usize, text: String },
    Hold(String),
    Error { failure: Failure, times: Option<u32> },
    Think(String),
    Ask { question: String, choices: Vec<String> },
    Plan(String),
    EnterPlanMode,
}

/// The response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Blocks(Vec<Block>),
    Error(Failure),
}

/// An API error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: u16,
    /// The value of the header `retry-after`, if present.
    pub(super) retry_after: Option<String>,
}

/// A block of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block {
    Thinking(String),
    /// The parts of a text, each with the delay before it.
    Text(Vec<(Delay, String)>),
    ToolUse {
        name: Cow<'static, str>,
        input: Value,
    },
}

/// The delay before a part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Delay {
    None,
    Time(Duration),
    Release(String),
}

impl Script {
    pub(super) fn parse(prompt: &str) -> Script {
        parse(prompt).unwrap_or_else(|| Script::Echo(prompt.to_owned()))
    }

    /// `failures` is the number of times that this prompt was answered with an error, including this time.
    pub(super) fn reply(self, failures: u32) -> Reply {
        Reply::Blocks(match self {
            Script::Echo(text) => vec![words(&format!("Echo: {}", shortened(&text)))],
            Script::Run(commands) => {
                let calls = commands.into_iter().map(|command| Block::ToolUse {
                    name: "Bash".into(),
                    input: json!({ "command": command, "description": "Run a command" }),
                });
                std::iter::once(words("I run that.")).chain(calls).collect()
            }
            Script::Call { tool, input } => {
                vec![words("I call that."), Block::ToolUse { name: tool.into(), input }]
            }
            Script::Edit { path, before, after } => {
                // Claude edits only files that it has read.
                let read = Block::ToolUse { name: "Read".into(), input: json!({ "file_path": path }) };
                let input = json!({ "file_path": path, "old_string": before, "new_string": after });
                vec![words("I change that."), read, Block::ToolUse { name: "Edit".into(), input }]
            }
            Script::Slow { words, text } => {
                let paced = (1..=words).map(|word| (Delay::Time(WORD_INTERVAL), format!("word{word} ")));
                vec![Block::Text(paced.chain([(Delay::None, text)]).collect())]
            }
            Script::Hold(name) => {
                let rest = format!("{name} was released.");
                vec![Block::Text(vec![(Delay::None, "Holding … ".into()), (Delay::Release(name), rest)])]
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
                vec![Block::ToolUse {
                    name: "AskUserQuestion".into(),
                    input: json!({ "questions": [question] }),
                }]
            }
            Script::Plan(text) => {
                vec![Block::ToolUse { name: "ExitPlanMode".into(), input: json!({ "plan": text }) }]
            }
            Script::EnterPlanMode => vec![Block::ToolUse { name: "EnterPlanMode".into(), input: json!({}) }],
        })
    }
}

/// The response to tool results.
pub(super) fn closing(results: &[String]) -> Reply {
    Reply::Blocks(vec![words(&format!("Result: {}", shortened(&results.join(" | "))))])
}

fn parse(prompt: &str) -> Option<Script> {
    let (verb, rest) = prompt.split_once(':')?;
    let rest = rest.trim();
    Some(match verb.trim() {
        "run" => Script::Run(vec![rest.to_owned()]),
        "run2" => Script::Run(rest.split(";;").map(|command| command.trim().to_owned()).collect()),
        "call" => {
            let (tool, input) = rest.split_once(' ')?;
            Script::Call { tool: tool.to_owned(), input: serde_json::from_str(input).ok()? }
        }
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
    Block::Text(text.split_inclusive(' ').map(|word| (Delay::None, word.to_owned())).collect())
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
    fn a_file_is_read_before_it_is_edited() {
        let Reply::Blocks(blocks) = Script::parse("edit: /a | old | new").reply(0) else {
            panic!("an error")
        };
        let calls: Vec<_> = blocks.iter().filter(|block| matches!(block, Block::ToolUse { .. })).collect();
        let input = json!({ "file_path": "/a", "old_string": "old", "new_string": "new" });
        let read = Block::ToolUse { name: "Read".into(), input: json!({ "file_path": "/a" }) };
        assert_eq!(calls, [&read, &Block::ToolUse { name: "Edit".into(), input }]);
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
    fn any_tool_is_called_with_any_input() {
        let expected = Block::ToolUse { name: "mcp__a__b".into(), input: json!({ "c": [1] }) };
        let Reply::Blocks(blocks) = Script::parse(r#"call: mcp__a__b {"c":[1]}"#).reply(0) else {
            panic!("an error")
        };
        assert_eq!(blocks.last(), Some(&expected));
        assert_eq!(Script::parse("call: Bash ls"), Script::Echo("call: Bash ls".into()));
    }

    #[test]
    fn holds_with_one_name_can_have_different_texts() {
        assert_eq!(Script::parse("hold: door # second"), Script::Hold("door".into()));
    }
}
