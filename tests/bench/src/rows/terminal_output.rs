//! How fast a program at a terminal can write while everybody who looks is shown all of it.

use anyhow::{Result, ensure};

use crate::Bench;
use crate::interleave::{Rounds, interleave};
use crate::report::{Figure, Goal};
use crate::terminal::{Product, Raw, Terminal, Tmux};

const ROUNDS: usize = 7;

/// What the program writes in a round, by the length of its lines: enough for a good third of a second.
const WRITTEN: [(usize, usize); 2] = [(80, 32 << 20), (2, 4 << 20)];

/// The length of the lines at which tmux is a goal, too. With shorter ones the kernel's terminal is what takes the time: a loop that
/// only reads is no faster than tmux then.
const AGAINST_TMUX: usize = 80;

/// Viewers, and our goals against reading directly and against tmux with as many.
const GOALS: [(usize, f64, f64); 2] = [(1, 0.8, 3.5), (5, 0.75, 12.0)];

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let mut product = Product::start()?;
    for (viewers, of_raw, of_tmux) in GOALS {
        for (length, bytes) in WRITTEN {
            let (_, mut ours) = product.session(viewers)?;
            let mut raw = Raw::start()?;
            let mut tmux = Tmux::start(viewers)?;
            let line = format!("lines {length} {bytes}");
            let rate = |terminal: &mut dyn Terminal| -> Result<f64> {
                Ok(bytes as f64 / 1e6 / terminal.tell(&line)?.as_secs_f64())
            };
            let against_raw = interleave(ROUNDS, || rate(&mut ours), || rate(&mut raw))?;
            let against_tmux = interleave(ROUNDS / 2, || rate(&mut ours), || rate(&mut tmux))?;
            // Whoever was shown the screen in place of output has not been shown everything.
            let paints = ours.viewers().iter().map(|viewer| viewer.paints).max().unwrap_or(0);
            ensure!(paints <= 1, "a viewer that reads all the time was too slow {paints} times");
            let what = format!("{length}-byte lines to {viewers} who look");
            let mut add = |peer: &str, rounds: Rounds, goal: Goal| {
                bench.report.add(Figure::of_rounds(&what, "MB/s", peer, rounds, goal));
            };
            add("a loop that reads", against_raw, Goal::RatioAtLeast(of_raw));
            let goal = if length == AGAINST_TMUX { Goal::RatioAtLeast(of_tmux) } else { Goal::None };
            add(&format!("tmux -C, {viewers}"), against_tmux, goal);
        }
    }
    Ok(())
}
