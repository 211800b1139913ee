//! How long what a program writes is under way to who looks, and how long a key takes there and back while another session
//! writes as fast as it can.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use anyhow::{Result, anyhow};

use crate::Bench;
use crate::interleave::{Rounds, interleave};
use crate::report::{Figure, Goal};
use crate::statistics::percentile;
use crate::terminal::{EVENT_TIMEOUT, Product, Raw, Terminal, Tmux};

const ROUNDS: usize = 9;

/// Lines of a round, and microseconds between two of them.
const LINES: usize = 500;
const PAUSE_US: u64 = 1_000;

/// Keys of a round.
const KEYS: usize = 200;

/// What a key may take against reading directly, both beside a flood of their own kind.
const ECHO: f64 = 3.0;

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let mut product = Product::start()?;
    for viewers in [1, 5] {
        let (_, mut ours) = product.session(viewers)?;
        let (mut tmux, mut raw) = (Tmux::start(viewers)?, Raw::start()?);
        let (median, tail) = percentiles(&mut ours, &mut tmux)?;
        let mut add = |what: &str, peer: &str, rounds: Rounds, goal: Goal| {
            let what = format!("{what} of a line to {viewers} who look");
            bench.report.add(Figure::of_rounds(&what, "us", peer, rounds, goal));
        };
        let peer = format!("tmux -C, {viewers}");
        add("p50", &peer, median, Goal::RatioAtMost(1.0));
        add("p99", &peer, tail, Goal::RatioAtMost(1.0));
        let (median, tail) = percentiles(&mut ours, &mut raw)?;
        add("p50", "a loop that reads", median, Goal::None);
        add("p99", "a loop that reads", tail, Goal::None);
    }
    let (_, mut ours) = product.session(1)?;
    let (_, mut flood) = product.session(1)?;
    let (mut raw, mut raw_flood) = (Raw::start()?, Raw::start()?);
    let (mut tmux, mut tmux_flood) = (Tmux::start(1)?, Tmux::start(1)?);
    let against_raw = interleave(
        ROUNDS,
        || beside(&mut flood, || echo(&mut ours)),
        || beside(&mut raw_flood, || echo(&mut raw)),
    )?;
    let what = "p50 of a key there and back, beside a flood";
    let goal = Goal::RatioAtMost(ECHO);
    bench.report.add(Figure::of_rounds(what, "us", "a loop that reads", against_raw, goal));
    let against_tmux = interleave(
        ROUNDS / 2,
        || beside(&mut flood, || echo(&mut ours)),
        || beside(&mut tmux_flood, || echo(&mut tmux)),
    )?;
    bench.report.add(Figure::of_rounds(what, "us", "tmux -C", against_tmux, Goal::None));
    Ok(())
}

/// The median and the 99th percentile of each round.
fn percentiles(ours: &mut dyn Terminal, peer: &mut dyn Terminal) -> Result<(Rounds, Rounds)> {
    let (mut our_tails, mut peer_tails) = (Vec::new(), Vec::new());
    let measure = |terminal: &mut dyn Terminal, tails: &mut Vec<f64>| -> Result<f64> {
        let delays = terminal.delays(LINES, PAUSE_US)?;
        tails.push(percentile(&delays, 99.0));
        Ok(percentile(&delays, 50.0))
    };
    let medians = interleave(ROUNDS, || measure(ours, &mut our_tails), || measure(peer, &mut peer_tails))?;
    // The first round does not count.
    let tails = Rounds { ours: our_tails.split_off(1), peer: peer_tails.split_off(1) };
    Ok((medians, tails))
}

fn echo(terminal: &mut dyn Terminal) -> Result<f64> {
    Ok(percentile(&terminal.echoes(KEYS)?, 50.0))
}

/// Measures while the program at another terminal writes without a pause, and somebody reads it.
fn beside(flooded: &mut (dyn Terminal + Send), measure: impl FnOnce() -> Result<f64>) -> Result<f64> {
    let over = AtomicBool::new(false);
    let (began, begun) = mpsc::channel();
    thread::scope(|scope| {
        let flooding = scope.spawn(|| -> Result<()> {
            while !over.load(Ordering::Acquire) {
                flooded.tell("lines 80 4000000")?;
                let _ = began.send(());
            }
            Ok(())
        });
        // Once it has gone on for a while. If it has broken down, that is said below.
        let _ = begun.recv_timeout(EVENT_TIMEOUT);
        let measured = measure();
        over.store(true, Ordering::Release);
        flooding.join().map_err(|_| anyhow!("the flood broke down"))??;
        measured
    })
}
