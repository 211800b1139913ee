//! The memory of an idle terminal with two thousand lines of history.

use anyhow::Result;
use areyouj_tests::home::process_id;

use crate::Bench;
use crate::home::private_memory;
use crate::interleave::Rounds;
use crate::report::{Figure, Goal};
use crate::terminal::{Product, Terminal, Tmux};

const SESSIONS: usize = 5;

/// The command for the program: 2,000 lines, all of which tmux keeps in memory by default.
const LINES: &str = "lines 80 160000";

/// The maximum memory of a host with a terminal.
const GOAL_KB: f64 = 200.0;

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let mut product = Product::start()?;
    let mut rounds = Rounds::default();
    let (mut hosts, mut servers) = (Vec::new(), Vec::new());
    for _ in 0..SESSIONS {
        let (id, mut hosted) = product.session(1)?;
        hosted.run_command(LINES)?;
        // The viewer disconnects.
        drop(hosted);
        hosts.push(process_id(&product.home.session(&id), "hostPid"));
        let mut tmux = Tmux::start(1)?;
        tmux.run_command(LINES)?;
        servers.push(tmux);
    }
    for (host, server) in hosts.into_iter().zip(&servers) {
        rounds.ours.push(private_memory(host)? as f64 / 1e3);
        rounds.peer.push(private_memory(server.server())? as f64 / 1e3);
    }
    let peer = "a tmux server with one";
    bench.report.add(Figure::of_rounds("a host, private", "kB", peer, rounds, Goal::AtMost(GOAL_KB)));
    Ok(())
}
