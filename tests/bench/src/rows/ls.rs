//! Listing sessions, against Claude's own list.

use anyhow::Result;
use areyouj_tests::claude::claude_program;

use crate::Bench;
use crate::home::{idle_sessions, serving};
use crate::interleave::interleave;
use crate::processes::{command, timed};
use crate::report::{Figure, Goal};

/// A day's work. Claude's own list is empty, which is to its advantage.
const SESSIONS: usize = 8;

const ROUNDS: usize = 30;

/// Our share of its time.
const GOAL: f64 = 0.1;

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let claude = match claude_program() {
        Ok(claude) => claude,
        Err(error) => {
            bench.report.skip("against `claude agents --json`", &format!("{error:#}"));
            return Ok(());
        }
    };
    let home = serving("obedient", SESSIONS)?;
    idle_sessions(&home, SESSIONS);
    let measured = interleave(
        ROUNDS,
        || Ok(timed(&mut command(&home.cli, &home.cli.program, &["ls"]))?.0.as_secs_f64() * 1e3),
        || Ok(timed(&mut command(&home.cli, &claude, &["agents", "--json"]))?.0.as_secs_f64() * 1e3),
    )?;
    let peer = "claude agents --json";
    bench.report.add(Figure::of_rounds("areyouj ls", "ms", peer, measured, Goal::RatioAtMost(GOAL)));
    Ok(())
}
