//! The real Claude CLI with the scripted Messages API, without AreYouJ: the basis of the other tests.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use areyouj_tests::claude::{claude_program, version};
use areyouj_tests::cli::{Cli, Run};
use areyouj_tests::environment;
use areyouj_tests::messages_api::MessagesApi;
use tempfile::TempDir;

const EVENT_TIMEOUT: Duration = Duration::from_secs(60);

struct Claude {
    api: MessagesApi,
    cli: Cli,
    root: TempDir,
}

impl Claude {
    fn new() -> Result<Claude> {
        let api = MessagesApi::start()?;
        let root = tempfile::tempdir()?;
        let environment = environment::isolated(root.path(), api.url())?;
        let cli =
            Cli { program: claude_program()?, environment, directory: root.path().to_owned(), user: None };
        Ok(Claude { api, cli, root })
    }

    fn output(&self, arguments: &[&str]) -> Result<String> {
        let run = self.cli.run(&[&["-p"], arguments].concat()).and_then(Run::success);
        Ok(run.with_context(|| format!("prompts: {:?}", self.api.prompts()))?.stdout.trim().to_owned())
    }
}

#[test]
fn the_pinned_version_runs() -> Result<()> {
    let output = Command::new(claude_program()?).arg("--version").output()?;
    let printed = String::from_utf8(output.stdout)?;
    assert!(printed.starts_with(&version()?), "{printed}");
    Ok(())
}

#[test]
fn plain_text_is_echoed_and_recorded_once() -> Result<()> {
    let claude = Claude::new()?;
    assert_eq!(claude.output(&["hello there"])?, "Echo: hello there");
    assert_eq!(claude.api.prompts(), ["hello there"]);
    Ok(())
}

#[test]
fn a_turn_has_a_cost() -> Result<()> {
    let claude = Claude::new()?;
    let result: serde_json::Value =
        serde_json::from_str(&claude.output(&["hello", "--output-format", "json"])?)?;
    assert!(result["total_cost_usd"].as_f64().is_some_and(|cost| cost > 0.0), "{result}");
    Ok(())
}

#[test]
fn run_calls_a_real_command_and_answers_with_its_result() -> Result<()> {
    let claude = Claude::new()?;
    let output = claude.output(&["run: echo made > made.txt && cat made.txt", "--allowedTools", "Bash"])?;
    assert_eq!(output, "Result: made");
    assert!(claude.root.path().join("made.txt").is_file());
    Ok(())
}

#[test]
fn run2_calls_two_commands_in_one_message() -> Result<()> {
    let claude = Claude::new()?;
    assert_eq!(
        claude.output(&["run2: echo one ;; echo two", "--allowedTools", "Bash"])?,
        "Result: one | two"
    );
    Ok(())
}

#[test]
fn thinking_comes_before_the_answer() -> Result<()> {
    let claude = Claude::new()?;
    let stream = claude.output(&["think: tea", "--output-format", "stream-json", "--verbose"])?;
    let thinking = stream.find("Let me think about tea.").context("no thinking")?;
    let answer = stream.find("Thought about: tea").context("no answer")?;
    assert!(thinking < answer, "{stream}");
    Ok(())
}

#[test]
fn a_request_to_an_overloaded_api_is_retried() -> Result<()> {
    let claude = Claude::new()?;
    assert_eq!(claude.output(&["error: 529 2"])?, "Recovered from error 529.");
    assert_eq!(claude.api.prompt_count_of("error: 529 2"), 3);
    Ok(())
}

#[test]
fn a_rate_limited_request_is_retried() -> Result<()> {
    let claude = Claude::new()?;
    assert_eq!(claude.output(&["error: 429 1"])?, "Recovered from error 429.");
    Ok(())
}

#[test]
fn a_rejected_request_fails_the_turn() -> Result<()> {
    let claude = Claude::new()?;
    let run = claude.cli.run(&["-p", "error: 400"])?;
    assert_eq!(run.status, 1, "{run}");
    assert!(run.stdout.contains("scripted error 400"), "{run}");
    Ok(())
}

#[test]
fn slow_streams_its_words() -> Result<()> {
    let claude = Claude::new()?;
    assert_eq!(claude.output(&["slow: 3 done"])?, "word1 word2 word3 done");
    Ok(())
}

#[test]
fn hold_keeps_the_turn_open_until_it_is_released() -> Result<()> {
    let claude = Claude::new()?;
    let turn = areyouj_tests::cli::Running::start(&claude.cli, &["-p", "hold: door"])?;
    claude.api.wait_for_prompt("hold: door", EVENT_TIMEOUT)?;
    claude.api.release("door");
    assert_eq!(turn.finish(EVENT_TIMEOUT)?.success()?.stdout.trim(), "Holding … door was released.");
    Ok(())
}

#[test]
fn a_natural_language_prompt_can_have_a_script() -> Result<()> {
    let claude = Claude::new()?;
    claude.api.set_script("How much is it?", "run: echo $((6 * 7))");
    assert_eq!(claude.output(&["How much is it?", "--allowedTools", "Bash"])?, "Result: 42");
    Ok(())
}
