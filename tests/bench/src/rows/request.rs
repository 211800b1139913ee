//! The time from the request for a session to its id, with the command line.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;

use crate::Bench;
use crate::arrivals::arrivals;
use crate::client::Client;
use crate::home::start_daemon;
use crate::interleave::interleave;
use crate::processes::{command, timed};
use crate::report::{Figure, Goal};

const ROUNDS: usize = 100;

/// A time that a person does not notice.
const GOAL_MS: f64 = 20.0;

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let home = start_daemon("obedient", ROUNDS + 1)?;
    let project = home.project("project").to_string_lossy().into_owned();
    let mut client = Client::connect(home.path())?;
    let measured = interleave(
        ROUNDS,
        || {
            let begun = Instant::now();
            let (took, _) = timed(&mut command(&home.cli, &home.cli.program, &["new", &project]))?;
            // The next round must not overlap this start.
            arrivals(&mut client, "idle", 1, begun)?;
            Ok(took.as_secs_f64() * 1e3)
        },
        || Ok(timed(&mut command(&home.cli, Path::new("/bin/true"), &[]))?.0.as_secs_f64() * 1e3),
    )?;
    let peer = "/bin/true";
    let mut figure =
        Figure::of_rounds("areyouj new, start to end", "ms", peer, measured, Goal::AtMost(GOAL_MS));
    figure.percent = 95.0;
    bench.report.add(figure);
    Ok(())
}
