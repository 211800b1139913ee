//! The CPU time of many idle sessions: no process must wake up without a reason.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use anyhow::Result;
use areyouj_tests::home::process_id;

use crate::Bench;
use crate::client::Client;
use crate::home::{idle_sessions, start_daemon};
use crate::processes::Used;
use crate::report::{Figure, Goal};

const SESSIONS: usize = 100;

/// The duration of the measurement.
const SECONDS: u64 = 60;

/// The maximum, which is displayed as 0.0 %.
const GOAL_PERCENT: f64 = 0.049;

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let home = start_daemon("obedient", SESSIONS)?;
    let sessions = idle_sessions(&home, SESSIONS);
    // A client is connected, as an editor would be.
    let client = Client::connect(home.path())?;
    let daemon = [home.daemon_pid()];
    let hosts: Vec<i32> = sessions.iter().map(|id| process_id(&home.session(id), "hostPid")).collect();
    let used = |pids: &[i32]| -> Result<Vec<Used>> { pids.iter().map(|pid| Used::by(*pid)).collect() };
    let before = (used(&daemon)?, used(&hosts)?);
    let begun = Instant::now();
    let received = listen(&client, Duration::from_secs(bench.seconds(SECONDS)))?;
    let seconds = begun.elapsed().as_secs_f64();
    let after = (used(&daemon)?, used(&hosts)?);
    for (what, before, after) in
        [("the daemon", before.0, after.0), ("all hosts together", before.1, after.1)]
    {
        let spent = before.into_iter().zip(after).map(|(before, after)| after.since(before));
        let spent = spent.fold(Used::default(), Used::plus);
        println!(
            "   {what}: {} ticks, {:.3} ms on a core and {} wake-ups in {seconds:.0} s",
            spent.ticks,
            spent.nanoseconds as f64 / 1e6,
            spent.sleeps
        );
        let percent = spent.nanoseconds as f64 / 1e9 / seconds * 100.0;
        bench.report.add(Figure {
            what: format!("{what}, {SESSIONS} idle sessions"),
            unit: "% of a core",
            percent: 50.0,
            ours: vec![percent],
            peer: None,
            goal: Goal::AtMost(GOAL_PERCENT),
        });
    }
    println!("   a connected client received {received} bytes");
    Ok(())
}

/// Reads notifications of the daemon for this time; returns the number of bytes.
fn listen(client: &Client, time: Duration) -> Result<usize> {
    use std::io::Read;
    let end = Instant::now() + time;
    let mut received = 0;
    let mut buffer = [0; 4096];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(received);
        }
        client.stream.set_read_timeout(Some(left))?;
        match (&client.stream).read(&mut buffer) {
            Ok(0) => anyhow::bail!("the daemon exited"),
            Ok(read) => received += read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
