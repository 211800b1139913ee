//! What many idle sessions cost in time: nothing may wake up for nothing.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use anyhow::Result;
use areyouj_tests::home::process_id;

use crate::Bench;
use crate::client::Client;
use crate::home::{idle_sessions, serving};
use crate::processes::Used;
use crate::report::{Figure, Goal};

const SESSIONS: usize = 100;

/// How long it is looked at.
const SECONDS: u64 = 60;

/// What is told as 0.0 %.
const NOTHING_PERCENT: f64 = 0.049;

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let home = serving("obedient", SESSIONS)?;
    let sessions = idle_sessions(&home, SESSIONS);
    // Somebody looks on, as an editor does.
    let client = Client::connect(home.path())?;
    let daemon = [home.daemon_pid()];
    let hosts: Vec<i32> = sessions.iter().map(|id| process_id(&home.session(id), "hostPid")).collect();
    let used = |pids: &[i32]| -> Result<Vec<Used>> { pids.iter().map(|pid| Used::by(*pid)).collect() };
    let before = (used(&daemon)?, used(&hosts)?);
    let begun = Instant::now();
    let told = listen(&client, Duration::from_secs(bench.seconds(SECONDS)))?;
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
            goal: Goal::AtMost(NOTHING_PERCENT),
        });
    }
    println!("   a client that looked on was told {told} bytes");
    Ok(())
}

/// Reads for so long what the daemon says by itself; how many bytes it was.
fn listen(client: &Client, time: Duration) -> Result<usize> {
    use std::io::Read;
    let end = Instant::now() + time;
    let mut told = 0;
    let mut piece = [0; 4096];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(told);
        }
        client.stream.set_read_timeout(Some(left))?;
        match (&client.stream).read(&mut piece) {
            Ok(0) => anyhow::bail!("the daemon went away"),
            Ok(read) => told += read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
