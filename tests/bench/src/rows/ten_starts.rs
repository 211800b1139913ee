//! Ten concurrent requests for sessions, compared with one request, and with ten Claudes that are started directly at
//! once.

use std::path::{Path, PathBuf};
use std::slice;
use std::time::Instant;

use anyhow::{Context, Result};
use areyouj_tests::claude::claude_program;
use areyouj_tests::home::TestHome;

use crate::Bench;
use crate::arrivals::arrivals;
use crate::bare;
use crate::client::Client;
use crate::interleave::Rounds;
use crate::processes::{Owned, command};
use crate::report::{Figure, Goal};

const AT_ONCE: usize = 10;

const ROUNDS: usize = 5;

/// The maximum ratio of the first of ten to a single one.
const FIRST_GOAL_RATIO: f64 = 1.2;

/// The maximum ratio of the last of ten to the last of ten that are started directly.
const LAST_GOAL_RATIO: f64 = 1.0;

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let claude = match claude_program() {
        Ok(claude) => claude,
        Err(error) => {
            bench.report.skip("against bare claudes", &format!("{error:#}"));
            return Ok(());
        }
    };
    let home = TestHome::with_claude(&claude);
    home.ok(&["daemon", "start"]);
    let projects: Vec<PathBuf> =
        (0..AT_ONCE).map(|number| home.project(&format!("project-{number}"))).collect();
    let mut client = Client::connect(home.path())?;
    let (mut first, mut middle, mut last) = (Rounds::default(), Rounds::default(), Rounds::default());
    for round in 0..=ROUNDS {
        let direct_first = round % 2 == 1;
        let mut direct = Vec::new();
        if direct_first {
            direct = in_ms(&bare::starts(&home.cli, &claude, &projects)?);
        }
        let alone = ours(&home, &mut client, slice::from_ref(&projects[0]))?;
        let together = ours(&home, &mut client, &projects)?;
        if !direct_first {
            direct = in_ms(&bare::starts(&home.cli, &claude, &projects)?);
        }
        // The first round is a warm-up that reads files into memory.
        if round > 0 {
            first.ours.push(together[0]);
            first.peer.push(alone[0]);
            middle.ours.push(together[AT_ONCE / 2 - 1]);
            middle.peer.push(direct[AT_ONCE / 2 - 1]);
            last.ours.push(together[AT_ONCE - 1]);
            last.peer.push(direct[AT_ONCE - 1]);
        }
    }
    let direct = "ten bare claudes at once";
    for (what, peer, rounds, goal) in [
        ("the first of ten ready", "one alone", first, Goal::RatioAtMost(FIRST_GOAL_RATIO)),
        ("the fifth of ten ready", direct, middle, Goal::None),
        ("the last of ten ready", direct, last, Goal::RatioAtMost(LAST_GOAL_RATIO)),
    ] {
        bench.report.add(Figure::of_rounds(what, "ms", peer, rounds, goal));
    }
    Ok(())
}

/// Requests a session in each directory at once, as a script would; returns the time at which each was ready, in
/// milliseconds.
fn ours(home: &TestHome, client: &mut Client, directories: &[PathBuf]) -> Result<Vec<f64>> {
    let begun = Instant::now();
    let commands =
        directories.iter().map(|directory| start_new(home, directory)).collect::<Result<Vec<Owned>>>()?;
    let ready = arrivals(client, "idle", directories.len(), begun)?;
    for command in commands {
        let id = command.finish()?;
        home.ok(&["terminate", id.trim()]);
        arrivals(client, "terminated", 1, Instant::now())?;
    }
    Ok(in_ms(&ready))
}

fn start_new(home: &TestHome, directory: &Path) -> Result<Owned> {
    let directory = directory.to_str().context("a path that is not UTF-8")?;
    Owned::start(&mut command(&home.cli, &home.cli.program, &["new", directory]))
}

fn in_ms(times: &[std::time::Duration]) -> Vec<f64> {
    times.iter().map(|time| time.as_secs_f64() * 1e3).collect()
}
