//! The speed at which a program in a terminal can write while every viewer receives all output.

use anyhow::{Result, ensure};

use crate::Bench;
use crate::interleave::{Rounds, interleave};
use crate::report::{Figure, Goal};
use crate::terminal::{Product, Raw, Terminal, Tmux};

const ROUNDS: usize = 7;

/// The output of the program per round: line length and total bytes. It takes more than a third of a second.
const WRITTEN: [(usize, usize); 2] = [(80, 32 << 20), (2, 4 << 20)];

/// The line length for which there is also a goal against tmux. With shorter lines the kernel's terminal is the
/// bottleneck: a loop that only reads is not faster than tmux.
const AGAINST_TMUX: usize = 80;

/// The number of viewers, and the goals against reading directly and against tmux with as many viewers.
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
                Ok(bytes as f64 / 1e6 / terminal.run_command(&line)?.as_secs_f64())
            };
            let against_raw = interleave(ROUNDS, || rate(&mut ours), || rate(&mut raw))?;
            let against_tmux = interleave(ROUNDS / 2, || rate(&mut ours), || rate(&mut tmux))?;
            // A viewer that received a screen in place of output did not receive all output.
            let screens = ours.viewers().iter().map(|viewer| viewer.screens).max().unwrap_or(0);
            ensure!(screens <= 1, "a viewer that reads all the time was too slow {screens} times");
            let what = format!("{length}-byte lines to {viewers} viewers");
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
