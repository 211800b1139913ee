//! What a hook of a terminal session costs Claude, which waits for it: a process, and a word with the host.

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
    let told =
        json!({"hook_event_name": "PostToolUse", "tool_name": "Bash", "tool_response": "x".repeat(2_000)});
    let program = programs()?.join("areyouj");
    let mut hook = Command::new(program);
    hook.arg("hook").env_clear().env("AREYOUJ_HOST_SOCKET", socket);
    let mut nothing = Command::new("/bin/cat");
    let measured = interleave(
        ROUNDS,
        || telling(&mut hook, &told.to_string()),
        || telling(&mut nothing, &told.to_string()),
    )?;
    let peer = "cat";
    bench.report.add(Figure::of_rounds("a hook that tells", "ms", peer, measured, Goal::AtMost(GOAL_MS)));
    Ok(())
}

/// How long a program takes, in milliseconds, that is given this on its standard input.
fn telling(command: &mut Command, text: &str) -> Result<f64> {
    let begun = Instant::now();
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn()?;
    child.stdin.take().context("no standard input")?.write_all(text.as_bytes())?;
    ensure!(child.wait()?.success(), "{command:?} failed");
    Ok(begun.elapsed().as_secs_f64() * 1e3)
}
