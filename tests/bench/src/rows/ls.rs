//! Listing sessions, compared with Claude's own list.

use anyhow::Result;
use areyouj_tests::claude::claude_program;

use crate::Bench;
use crate::home::{idle_sessions, start_daemon};
use crate::interleave::interleave;
use crate::processes::{command, timed};
use crate::report::{Figure, Goal};

/// A typical number of sessions. Claude's own list is empty, which is to its advantage.
const SESSIONS: usize = 8;

const ROUNDS: usize = 30;

/// The maximum ratio to its time.
const GOAL_RATIO: f64 = 0.1;

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let claude = match claude_program() {
        Ok(claude) => claude,
        Err(error) => {
            bench.report.skip("against `claude agents --json`", &format!("{error:#}"));
            return Ok(());
        }
    };
    let home = start_daemon("obedient", SESSIONS)?;
    idle_sessions(&home, SESSIONS);
    let measured = interleave(
        ROUNDS,
        || Ok(timed(&mut command(&home.cli, &home.cli.program, &["ls"]))?.0.as_secs_f64() * 1e3),
        || Ok(timed(&mut command(&home.cli, &claude, &["agents", "--json"]))?.0.as_secs_f64() * 1e3),
    )?;
    let peer = "claude agents --json";
    bench.report.add(Figure::of_rounds("areyouj ls", "ms", peer, measured, Goal::RatioAtMost(GOAL_RATIO)));
    Ok(())
}
