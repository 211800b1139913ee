//! The time from `areyouj attach` to the screen, with ten megabytes of history.

use std::time::Instant;

use anyhow::Result;

use crate::Bench;
use crate::processes::command;
use crate::report::{Figure, Goal};
use crate::terminal::{Product, Raw, Terminal, watch};

const ROUNDS: usize = 20;

/// The size of the history in bytes.
const HISTORY_BYTES: usize = 10 << 20;

/// The goal in milliseconds.
const GOAL_MS: f64 = 50.0;

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let mut product = Product::start()?;
    let (id, mut hosted) = product.session(1)?;
    hosted.run_command(&format!("lines 80 {HISTORY_BYTES}"))?;
    let cli = &product.home.cli;
    let mut took = Vec::new();
    for _ in 0..=ROUNDS {
        let begun = Instant::now();
        let mut attached = Raw::of(&mut command(cli, &cli.program, &["attach", &id]))?;
        watch(attached.viewers(), b"END")?;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    bench.report.add(Figure {
        what: format!("areyouj attach, to the screen, {} MB of history", HISTORY_BYTES >> 20),
        unit: "ms",
        percent: 95.0,
        ours: took.split_off(1),
        peer: None,
        goal: Goal::AtMost(GOAL_MS),
    });
    Ok(())
}
