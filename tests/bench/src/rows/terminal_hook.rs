//! The duration of a hook of a terminal session, for which Claude waits: a process, and a message to the host.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use areyouj_tests::sandbox::programs;
use serde_json::json;

use crate::Bench;
use crate::interleave::interleave;
use crate::report::{Figure, Goal};
use crate::terminal::Hosted;

const ROUNDS: usize = 50;

/// A few milliseconds.
const GOAL_MS: f64 = 5.0;

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let hosted = Hosted::start()?;
    let socket = hosted.socket().context("a host without a socket")?;
    let event =
        json!({"hook_event_name": "PostToolUse", "tool_name": "Bash", "tool_response": "x".repeat(2_000)});
    let program = programs()?.join("areyouj");
    let mut hook = Command::new(program);
    hook.arg("hook").env_clear().env("AREYOUJ_HOST_SOCKET", socket);
    let mut nothing = Command::new("/bin/cat");
    let measured = interleave(
        ROUNDS,
        || run_hook(&mut hook, &event.to_string()),
        || run_hook(&mut nothing, &event.to_string()),
    )?;
    let peer = "cat";
    bench.report.add(Figure::of_rounds(
        "a hook that reports an event",
        "ms",
        peer,
        measured,
        Goal::AtMost(GOAL_MS),
    ));
    Ok(())
}

/// Runs a program with this standard input; returns its duration in milliseconds.
fn run_hook(command: &mut Command, text: &str) -> Result<f64> {
    let begun = Instant::now();
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn()?;
    child.stdin.take().context("no standard input")?.write_all(text.as_bytes())?;
    ensure!(child.wait()?.success(), "{command:?} failed");
    Ok(begun.elapsed().as_secs_f64() * 1e3)
}
