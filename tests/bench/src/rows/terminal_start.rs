//! The time from the request for a program in a terminal to its first byte.

use std::time::Instant;

use anyhow::Result;

use crate::Bench;
use crate::interleave::interleave;
use crate::report::{Figure, Goal};
use crate::terminal::{Hosted, Product, Raw, Tmux};

const ROUNDS: usize = 40;

/// The maximum ratio to the minimum.
const GOAL_RATIO: f64 = 2.0;

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let raw = || -> Result<f64> {
        let begun = Instant::now();
        let started = Raw::start()?;
        let took = ms(begun);
        drop(started);
        Ok(took)
    };
    let host = || -> Result<f64> {
        let begun = Instant::now();
        let started = Hosted::start()?;
        let took = ms(begun);
        drop(started);
        Ok(took)
    };
    let mut tmux = Tmux::start(1)?;
    let mut window = || -> Result<f64> {
        let begun = Instant::now();
        tmux.new_window()?;
        Ok(ms(begun))
    };
    let product = std::cell::RefCell::new(Product::start()?);
    let project = product.borrow().home.project("project");
    let whole = || -> Result<f64> {
        let mut product = product.borrow_mut();
        let begun = Instant::now();
        let id = product.create(&project)?;
        let mut hosted = product.attach(&id, 1)?;
        crate::terminal::watch(crate::terminal::Terminal::viewers(&mut hosted), b"ready")?;
        let took = ms(begun);
        product.home.ok(&["terminate", &id]);
        Ok(took)
    };
    let peer = "a pseudo-terminal, fork and exec";
    let rounds = interleave(ROUNDS, host, raw)?;
    let what = "a host, to the first byte";
    bench.report.add(Figure::of_rounds(what, "ms", peer, rounds, Goal::RatioAtMost(GOAL_RATIO)));
    let rounds = interleave(ROUNDS, host, &mut window)?;
    bench.report.add(tail(what, rounds, Goal::RatioAtMost(1.0)));
    let rounds = interleave(ROUNDS, whole, raw)?;
    let what = "areyouj/session/create, to the first byte";
    bench.report.add(Figure::of_rounds(what, "ms", peer, rounds, Goal::None));
    let rounds = interleave(ROUNDS, whole, &mut window)?;
    bench.report.add(tail(what, rounds, Goal::None));
    Ok(())
}

/// A figure with the 95th percentile of rounds against tmux.
fn tail(what: &str, rounds: crate::interleave::Rounds, goal: Goal) -> Figure {
    let mut figure = Figure::of_rounds(what, "ms", "tmux -C new-window", rounds, goal);
    figure.percent = 95.0;
    figure
}

fn ms(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}
