//! Ten sessions asked for at once, against one alone and against ten Claudes started directly at once.

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

/// The first of ten may come so much later than one alone.
const FIRST: f64 = 1.2;

/// The last of ten may come no later than the last of ten that were started directly.
const LAST: f64 = 1.0;

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
        // The first round does not count: files are read into memory in it.
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
        ("the first of ten ready", "one alone", first, Goal::RatioAtMost(FIRST)),
        ("the fifth of ten ready", direct, middle, Goal::None),
        ("the last of ten ready", direct, last, Goal::RatioAtMost(LAST)),
    ] {
        bench.report.add(Figure::of_rounds(what, "ms", peer, rounds, goal));
    }
    Ok(())
}

/// Asks for a session in each directory at once, as a script would; when each got ready, in milliseconds.
fn ours(home: &TestHome, client: &mut Client, directories: &[PathBuf]) -> Result<Vec<f64>> {
    let begun = Instant::now();
    let asking = directories.iter().map(|directory| new(home, directory)).collect::<Result<Vec<Owned>>>()?;
    let ready = arrivals(client, "idle", directories.len(), begun)?;
    for command in asking {
        let id = command.finish()?;
        home.ok(&["terminate", id.trim()]);
        arrivals(client, "terminated", 1, Instant::now())?;
    }
    Ok(in_ms(&ready))
}

fn new(home: &TestHome, directory: &Path) -> Result<Owned> {
    let directory = directory.to_str().context("a path that is not text")?;
    Owned::start(&mut command(&home.cli, &home.cli.program, &["new", directory]))
}

fn in_ms(times: &[std::time::Duration]) -> Vec<f64> {
    times.iter().map(|time| time.as_secs_f64() * 1e3).collect()
}
