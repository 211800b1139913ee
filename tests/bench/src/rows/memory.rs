//! The memory of sessions, without Claude.

use anyhow::Result;
use areyouj_tests::home::process_id;
use areyouj_tests::sandbox::programs;

use crate::Bench;
use crate::home::{idle_sessions, private_memory, start_daemon};
use crate::interleave::Rounds;
use crate::processes::{Owned, command};
use crate::report::{Figure, Goal};

/// A typical number of sessions.
const SESSIONS: usize = 8;

/// The maximum memory of a host and of the daemon.
const HOST_MB: f64 = 0.25;
const DAEMON_MB: f64 = 16.0;

/// The private memory of a process, in megabytes.
fn of(pid: i32) -> Result<f64> {
    Ok(private_memory(pid)? as f64 / 1e6)
}

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let home = start_daemon("obedient", SESSIONS)?;
    let sessions = idle_sessions(&home, SESSIONS);
    // Idle after a turn, so that memory of the turn counts.
    sessions.iter().for_each(|id| drop(home.send_and_wait(id, "hello")));
    let program = programs()?.join("holder");
    let mut rounds = Rounds::default();
    let mut holders = Vec::new();
    for id in &sessions {
        let holder = Owned::waiting(&mut command(&home.cli, &program, &[]))?;
        rounds.ours.push(of(process_id(&home.session(id), "hostPid"))?);
        rounds.peer.push(of(i32::try_from(holder.0.id())?)?);
        holders.push(holder);
    }
    let peer = "a process that only waits";
    bench.report.add(Figure::of_rounds("a host, private", "MB", peer, rounds, Goal::AtMost(HOST_MB)));
    bench.report.add(Figure {
        what: format!("the daemon with {SESSIONS} sessions, private"),
        unit: "MB",
        percent: 50.0,
        ours: vec![of(home.daemon_pid())?],
        peer: None,
        goal: Goal::AtMost(DAEMON_MB),
    });
    println!("   Claude's own background sessions, not run here: 26 MB per session, 55 MB for their daemon.");
    Ok(())
}
