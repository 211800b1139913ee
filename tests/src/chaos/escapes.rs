//! Process trees that try to survive their session: they leave the process group, the terminal, their parents and their
//! environment, and ignore signals.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Trial;
use super::arena::Arena;
use crate::home::{rows, text_of};

/// How long the remaining processes can take to exit.
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(20);

/// How a child tries to survive. `SLEEP` is the command that it runs.
const ESCAPES: &[(&str, &str)] = &[
    ("leaves the process group", "setsid SLEEP & sleep 0.1"),
    ("has no parent", "(setsid sh -c 'SLEEP & SLEEP &' &) ; sleep 0.1"),
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
    let before = arena.session_state(&untouched)?;
    let mut tried = 0;
    for round in 0..trial.rounds {
        let (way, script) = ESCAPES[round as usize % ESCAPES.len()];
        let end = [End::Terminated, End::ClaudeKilled, End::HostKilled][trial.random.usize(..3)];
        if end == End::HostKilled && way == "clears its environment" {
            // The child cannot be identified: its parent has exited, and its environment has no marker. See
            // ARCHITECTURE.md.
            continue;
        }
        // The duration identifies the child: no other process sleeps this long.
        let seconds = format!("{}.{}", 40_000 + round, trial.seed % 1_000_000);
        let id = arena.create(&format!("escape-{round}"))?;
        arena.ok(&[
            "send",
            &id,
            &format!("run: {}", script.replace("SLEEP", &format!("sleep {seconds}"))),
        ])?;
        arena.wait(&id, "waiting")?;
        let requests = rows(&arena.json(&["permissions", &id])?, "permissions");
        arena.ok(&["allow", &text_of(requests.first().context("no permission request")?, "id")])?;
        arena.wait(&id, "idle")?;
        trial.must(!sleepers(&seconds).is_empty(), || format!("a child that {way} did not start"));
        let found = arena.session_state(&id)?;
        match end {
            End::Terminated => arena.ok(&["terminate", &id]).map(drop)?,
            End::ClaudeKilled => arena.kill(found.pid.context("no Claude")?)?,
            End::HostKilled => arena.kill(found.host.context("no host")?)?,
        }
        let deadline = Instant::now() + CLEANUP_TIMEOUT;
        while !sleepers(&seconds).is_empty() && Instant::now() < deadline {
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let left = sleepers(&seconds);
        trial.must(left.is_empty(), || format!("a child that {way} survived {end:?}: {left:?}"));
        for pid in left {
            let _ = crate::processes::kill(pid);
        }
        if end != End::Terminated {
            arena
                .until_session(&id, "is running again", |now| now.status == "idle" && now.pid != found.pid)?;
            arena.ok(&["terminate", &id])?;
        }
        tried += 1;
    }
    let now = arena.session_state(&untouched)?;
    trial.must(now == before, || format!("another session was {before:?} and is {now:?}"));
    trial.figure("process trees that tried to survive", tried);
    arena.close()
}

/// The processes that sleep for this many seconds.
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
