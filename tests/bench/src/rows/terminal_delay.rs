//! The latency from the output of a program to a viewer, and the round trip of a key while another session writes as
//! fast as it can.

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

/// The number of lines in a round, and the interval between two lines in microseconds.
const LINES_PER_ROUND: usize = 500;
const PAUSE_US: u64 = 1_000;

/// The number of keys in a round.
const KEYS_PER_ROUND: usize = 200;

/// The maximum ratio of the round trip to reading directly, both during a flood in a terminal of the same kind.
const ECHO_GOAL_RATIO: f64 = 3.0;

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let mut product = Product::start()?;
    for viewers in [1, 5] {
        let (_, mut ours) = product.session(viewers)?;
        let (mut tmux, mut raw) = (Tmux::start(viewers)?, Raw::start()?);
        let (median, tail) = percentiles(&mut ours, &mut tmux)?;
        let mut add = |what: &str, peer: &str, rounds: Rounds, goal: Goal| {
            let what = format!("{what} of a line to {viewers} viewers");
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
        || during_flood(&mut flood, || echo(&mut ours)),
        || during_flood(&mut raw_flood, || echo(&mut raw)),
    )?;
    let what = "p50 of the round trip of a key, during a flood";
    let goal = Goal::RatioAtMost(ECHO_GOAL_RATIO);
    bench.report.add(Figure::of_rounds(what, "us", "a loop that reads", against_raw, goal));
    let against_tmux = interleave(
        ROUNDS / 2,
        || during_flood(&mut flood, || echo(&mut ours)),
        || during_flood(&mut tmux_flood, || echo(&mut tmux)),
    )?;
    bench.report.add(Figure::of_rounds(what, "us", "tmux -C", against_tmux, Goal::None));
    Ok(())
}

/// The median and the 99th percentile of each round.
fn percentiles(ours: &mut dyn Terminal, peer: &mut dyn Terminal) -> Result<(Rounds, Rounds)> {
    let (mut our_tails, mut peer_tails) = (Vec::new(), Vec::new());
    let measure = |terminal: &mut dyn Terminal, tails: &mut Vec<f64>| -> Result<f64> {
        let delays = terminal.delays(LINES_PER_ROUND, PAUSE_US)?;
        tails.push(percentile(&delays, 99.0));
        Ok(percentile(&delays, 50.0))
    };
    let medians = interleave(ROUNDS, || measure(ours, &mut our_tails), || measure(peer, &mut peer_tails))?;
    // The first round is a warm-up.
    let tails = Rounds { ours: our_tails.split_off(1), peer: peer_tails.split_off(1) };
    Ok((medians, tails))
}

fn echo(terminal: &mut dyn Terminal) -> Result<f64> {
    Ok(percentile(&terminal.echoes(KEYS_PER_ROUND)?, 50.0))
}

/// Measures while the program in another terminal writes continuously, and its output is read.
fn during_flood(flooded: &mut (dyn Terminal + Send), measure: impl FnOnce() -> Result<f64>) -> Result<f64> {
    let stop = AtomicBool::new(false);
    let (started, starting) = mpsc::channel();
    thread::scope(|scope| {
        let flooding = scope.spawn(|| -> Result<()> {
            while !stop.load(Ordering::Acquire) {
                flooded.run_command("lines 80 4000000")?;
                let _ = started.send(());
            }
            Ok(())
        });
        // Start when the flood has written once. If it has failed, that is reported below.
        let _ = starting.recv_timeout(EVENT_TIMEOUT);
        let measured = measure();
        stop.store(true, Ordering::Release);
        flooding.join().map_err(|_| anyhow!("the flood panicked"))??;
        measured
    })
}
