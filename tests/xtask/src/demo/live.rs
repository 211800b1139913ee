//! One session with the user's own Claude, in the current directory.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use areyouj_tests::cli::Run;
use areyouj_tests::home::rows;
use areyouj_tests::sandbox::Sandbox;
use serde_json::Value;

use super::signals;
use crate::cargo;

/// The request: it can be answered in any directory, and has a low cost.
const QUESTION: &str = "In one or two sentences: what is in this directory? Only look, change nothing.";

/// The deadline for the answer.
const ANSWER: Duration = Duration::from_secs(180);

pub(super) fn run() -> Result<()> {
    let signals = signals::block()?;
    let mut sandbox = Sandbox::with_user_environment(&cargo::build_programs()?)?;
    sandbox.cli.directory = std::env::current_dir().context("the current directory is unknown")?;
    let sandbox = Arc::new(sandbox);
    signals.close(&sandbox)?;
    let result = ask(&sandbox);
    let closed = sandbox.close();
    result.and(closed)
}

fn ask(sandbox: &Sandbox) -> Result<()> {
    println!("Your Claude, in {}:\n> {QUESTION}", sandbox.cli.directory.display());
    let id = sandbox.cli.run(&["new", "--name", "demo"])?.success()?.stdout.trim().to_owned();
    let message = sandbox.cli.json(&["send", &id, QUESTION])?["id"].clone();
    let session = sandbox.until("Claude answers", ANSWER, || {
        // Permission requests are denied automatically, so that the user is not asked.
        for request in rows(&sandbox.cli.json(&["permissions", &id])?, "permissions") {
            let id = request["id"].as_str().unwrap_or_default();
            sandbox.cli.run(&["deny", id, "-m", "Only look, and answer with what you have."])?;
        }
        let session = sandbox.cli.json(&["show", &id])?;
        anyhow::ensure!(session["status"] != "error", "{}", problem(&session["error"]));
        let messages = rows(&sandbox.cli.json(&["queue", &id, "--all"])?, "messages");
        let ours = messages.into_iter().find(|known| known["id"] == message).unwrap_or_default();
        match ours["state"].as_str() {
            Some("done") => Ok(Some(session)),
            Some("failed" | "interrupted") => anyhow::bail!("it failed: {}", ours["error"]),
            _ => Ok(None),
        }
    })?;
    let transcript = sandbox.cli.run(&["logs", &id]).and_then(Run::success)?;
    println!("{}", transcript.stdout.trim_end());
    let milliseconds = session["startupMs"].as_u64().unwrap_or_default();
    println!("Ready after {milliseconds} ms, cost {} USD.", session["costUsd"]);
    Ok(())
}

fn problem(error: &Value) -> String {
    let part = |name: &str| error[name].as_str().unwrap_or_default();
    format!("{} {}\n{}", part("message"), part("hint"), part("log"))
}
