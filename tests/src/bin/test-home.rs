//! A home for tests that are not written in Rust: the scripted Messages API and an environment for `areyouj`, from the
//! first line on standard output to the end of standard input.
//!
//! `test-home [--stand-in MODE] [PROJECT]…` prints one line of JSON: `environment` (names and values), `program` (the path
//! of `areyouj`), `home` (`AREYOUJ_HOME`) and `projects` (a directory for each name). Then it reads one order per line and
//! answers each with one line:
//!
//! - `{"on": [PROMPT, SCRIPT]}`: answer this prompt by this script; `null`
//! - `{"release": NAME}`: let turns go on that are held by this name; `null`
//! - `{"prompts": true}`: every prompt so far, in the order of arrival
//!
//! At the end of its input it ends everything that lives in the home and removes it; exit 1 if something was left behind.

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
    say(&json!({
        "environment": environment,
        "program": home.cli.program.display().to_string(),
        "home": home.path().display().to_string(),
        "projects": projects,
    }))?;
    for line in std::io::stdin().lock().lines() {
        let order: Value = serde_json::from_str(&line?)?;
        say(&obey(&home, &order)?)?;
    }
    Ok(())
}

fn obey(home: &TestHome, order: &Value) -> Result<Value> {
    if let (Some(prompt), Some(script)) = (order["on"][0].as_str(), order["on"][1].as_str()) {
        home.api.on(prompt, script);
    } else if let Some(name) = order["release"].as_str() {
        home.api.release(name);
    } else if order["prompts"] == true {
        return Ok(json!(home.api.prompts()));
    } else {
        bail!("no such order: {order}");
    }
    Ok(Value::Null)
}

fn say(line: &Value) -> Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}
