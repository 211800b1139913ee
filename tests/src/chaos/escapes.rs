//! Process trees that try to get away: they leave the group, the terminal, their parents and their environment, and
//! ignore whoever asks them to end.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Trial;
use super::arena::Arena;
use crate::home::{rows, text_of};

/// How long what was left behind may take to go.
const GONE: Duration = Duration::from_secs(20);

/// How a child gets away. `SLEEP` is what it becomes.
const WAYS: &[(&str, &str)] = &[
    ("leaves the group", "setsid SLEEP & sleep 0.1"),
    ("is nobody's child", "(setsid sh -c 'SLEEP & SLEEP &' &) ; sleep 0.1"),
    ("ignores signals", "setsid sh -c 'trap \"\" TERM HUP INT; SLEEP & wait' & sleep 0.1"),
    ("stops itself", "setsid sh -c 'SLEEP & kill -STOP $$' & sleep 0.1"),
    ("clears its environment", "setsid env -i PATH=$PATH sh -c 'SLEEP & SLEEP' & sleep 0.1"),
];

/// How the session ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Terminated,
    ClaudeKilled,
    HostKilled,
}

pub(super) fn trees(trial: &mut Trial) -> Result<()> {
    let arena = Arena::new(4)?;
    let untouched = arena.create("untouched")?;
    arena.wait(&untouched, "idle")?;
    let before = arena.find(&untouched)?;
    let mut tried = 0;
    for round in 0..trial.rounds {
        let (way, script) = WAYS[round as usize % WAYS.len()];
        let end = [End::Terminated, End::ClaudeKilled, End::HostKilled][trial.random.usize(..3)];
        if end == End::HostKilled && way == "clears its environment" {
            // Nothing is left to know it by: its parent is gone, and it gave away the mark. See the architecture.
            continue;
        }
        // The seconds are the mark: nobody else sleeps this long.
        let seconds = format!("{}.{}", 40_000 + round, trial.seed % 1_000_000);
        let id = arena.create(&format!("escape-{round}"))?;
        arena.ok(&[
            "send",
            &id,
            &format!("run: {}", script.replace("SLEEP", &format!("sleep {seconds}"))),
        ])?;
        arena.wait(&id, "waiting")?;
        let prompts = rows(&arena.json(&["permissions", &id])?, "permissions");
        arena.ok(&["allow", &text_of(prompts.first().context("no prompt")?, "id")])?;
        arena.wait(&id, "idle")?;
        trial.must(!sleepers(&seconds).is_empty(), || format!("a child that {way} did not get away at all"));
        let found = arena.find(&id)?;
        match end {
            End::Terminated => arena.ok(&["terminate", &id]).map(drop)?,
            End::ClaudeKilled => arena.kill(found.pid.context("no Claude")?)?,
            End::HostKilled => arena.kill(found.host.context("no host")?)?,
        }
        let deadline = Instant::now() + GONE;
        while !sleepers(&seconds).is_empty() && Instant::now() < deadline {
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let left = sleepers(&seconds);
        trial.must(left.is_empty(), || format!("a child that {way} was left behind when {end:?}: {left:?}"));
        for pid in left {
            let _ = crate::processes::kill(pid);
        }
        if end != End::Terminated {
            arena.until_session(&id, "is back", |now| now.status == "idle" && now.pid != found.pid)?;
            arena.ok(&["terminate", &id])?;
        }
        tried += 1;
    }
    let now = arena.find(&untouched)?;
    trial.must(now == before, || format!("another session was {before:?} and is {now:?}"));
    trial.figure("trees that tried to get away", tried);
    arena.close()
}

/// Processes that sleep for so long.
fn sleepers(seconds: &str) -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = command.split(|byte| *byte == 0).collect();
        words.starts_with(&[b"sleep", seconds.as_bytes()])
    })
    .collect()
}
