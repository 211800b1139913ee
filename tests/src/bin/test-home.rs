//! A home for tests that are not written in Rust: the scripted Messages API and an environment for `areyouj`. It exists
//! from the first line on standard output until standard input is closed.
//!
//! `test-home [--stand-in MODE] [PROJECT]…` prints one line of JSON: `environment` (names and values), `program` (the
//! path of `areyouj`), `home` (`AREYOUJ_HOME`) and `projects` (a directory for each name). Then it reads one command
//! per line and answers each with one line:
//!
//! - `{"on": [PROMPT, SCRIPT]}`: answer this prompt with this script; returns `null`
//! - `{"release": NAME}`: release turns that are held with this name; returns `null`
//! - `{"prompts": true}`: returns all prompts so far, in the command of arrival
//!
//! At the end of its input it stops all processes of the home and removes it. It exits with 1 if something was left
//! behind.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use areyouj_tests::home::TestHome;
use serde_json::{Value, json};

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: Vec<String>) -> Result<()> {
    let home = match arguments.first().map(String::as_str) {
        Some("--stand-in") => {
            let mode = arguments.get(1).context("--stand-in needs a mode")?.clone();
            arguments.drain(..2);
            TestHome::with_stand_in(&mode)
        }
        _ => TestHome::new(),
    };
    let environment: BTreeMap<String, String> = home
        .cli
        .environment
        .iter()
        .map(|(name, value)| (name.clone(), value.to_string_lossy().into_owned()))
        .collect();
    let projects: BTreeMap<&String, String> =
        arguments.iter().map(|name| (name, home.project(name).display().to_string())).collect();
    print(&json!({
        "environment": environment,
        "program": home.cli.program.display().to_string(),
        "home": home.path().display().to_string(),
        "projects": projects,
    }))?;
    for line in std::io::stdin().lock().lines() {
        let command: Value = serde_json::from_str(&line?)?;
        print(&execute(&home, &command)?)?;
    }
    Ok(())
}

fn execute(home: &TestHome, command: &Value) -> Result<Value> {
    if let (Some(prompt), Some(script)) = (command["on"][0].as_str(), command["on"][1].as_str()) {
        home.api.set_script(prompt, script);
    } else if let Some(name) = command["release"].as_str() {
        home.api.release(name);
    } else if command["prompts"] == true {
        return Ok(json!(home.api.prompts()));
    } else {
        bail!("unknown command: {command}");
    }
    Ok(Value::Null)
}

fn print(line: &Value) -> Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}
