//! The real Claude CLI against the scripted Messages API, without AreYouJ: what the other tests stand on.

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

    fn says(&self, arguments: &[&str]) -> Result<String> {
        let run = self.cli.run(&[&["-p"], arguments].concat()).and_then(Run::success);
        Ok(run.with_context(|| format!("prompts: {:?}", self.api.prompts()))?.stdout.trim().to_owned())
    }
}

#[test]
fn the_pinned_version_is_what_runs() -> Result<()> {
    let output = Command::new(claude_program()?).arg("--version").output()?;
    let printed = String::from_utf8(output.stdout)?;
    assert!(printed.starts_with(&version()?), "{printed}");
    Ok(())
}

#[test]
fn plain_text_is_echoed_and_recorded_once() -> Result<()> {
    let claude = Claude::new()?;
    assert_eq!(claude.says(&["hello there"])?, "Echo: hello there");
    assert_eq!(claude.api.prompts(), ["hello there"]);
    Ok(())
}

#[test]
fn a_turn_costs_something() -> Result<()> {
    let claude = Claude::new()?;
    let result: serde_json::Value =
        serde_json::from_str(&claude.says(&["hello", "--output-format", "json"])?)?;
    assert!(result["total_cost_usd"].as_f64().is_some_and(|cost| cost > 0.0), "{result}");
    Ok(())
}

#[test]
fn run_calls_a_real_command_and_closes_with_its_result() -> Result<()> {
    let claude = Claude::new()?;
    let said = claude.says(&["run: echo made > made.txt && cat made.txt", "--allowedTools", "Bash"])?;
    assert_eq!(said, "Result: made");
    assert!(claude.root.path().join("made.txt").is_file());
    Ok(())
}

#[test]
fn run2_calls_two_commands_in_one_message() -> Result<()> {
    let claude = Claude::new()?;
    assert_eq!(claude.says(&["run2: echo one ;; echo two", "--allowedTools", "Bash"])?, "Result: one | two");
    Ok(())
}

#[test]
fn a_thought_comes_before_the_words() -> Result<()> {
    let claude = Claude::new()?;
    let stream = claude.says(&["think: tea", "--output-format", "stream-json", "--verbose"])?;
    let thought = stream.find("Let me think about tea.").context("no thought")?;
    let words = stream.find("Thought about: tea").context("no words")?;
    assert!(thought < words, "{stream}");
    Ok(())
}

#[test]
fn an_overloaded_api_is_asked_again() -> Result<()> {
    let claude = Claude::new()?;
    assert_eq!(claude.says(&["error: 529 2"])?, "Recovered from error 529.");
    assert_eq!(claude.api.prompt_count_of("error: 529 2"), 3);
    Ok(())
}

#[test]
fn a_rate_limit_is_waited_out() -> Result<()> {
    let claude = Claude::new()?;
    assert_eq!(claude.says(&["error: 429 1"])?, "Recovered from error 429.");
    Ok(())
}

#[test]
fn a_refused_request_fails_the_turn() -> Result<()> {
    let claude = Claude::new()?;
    let run = claude.cli.run(&["-p", "error: 400"])?;
    assert_eq!(run.status, 1, "{run}");
    assert!(run.stdout.contains("scripted error 400"), "{run}");
    Ok(())
}

#[test]
fn slow_streams_its_words() -> Result<()> {
    let claude = Claude::new()?;
    assert_eq!(claude.says(&["slow: 3 done"])?, "word1 word2 word3 done");
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
fn a_prompt_of_a_person_can_be_given_a_script() -> Result<()> {
    let claude = Claude::new()?;
    claude.api.set_script("How much is it?", "run: echo $((6 * 7))");
    assert_eq!(claude.says(&["How much is it?", "--allowedTools", "Bash"])?, "Result: 42");
    Ok(())
}
