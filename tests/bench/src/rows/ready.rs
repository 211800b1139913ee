//! The time from the request for a session to a ready Claude, compared with starting the same Claude directly.

use std::path::PathBuf;
use std::slice;
use std::time::Instant;

use anyhow::{Context, Result};
use areyouj_tests::claude::claude_program;
use areyouj_tests::home::TestHome;

use crate::Bench;
use crate::arrivals::arrivals;
use crate::bare;
use crate::client::Client;
use crate::interleave::interleave;
use crate::processes::{command, timed};
use crate::report::{Figure, Goal};

const ROUNDS: usize = 15;

/// The maximum ratio to Claude's own start.
const GOAL_RATIO: f64 = 1.15;

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let claude = match claude_program() {
        Ok(claude) => claude,
        Err(error) => {
            bench.report.skip("against a bare claude", &format!("{error:#}"));
            return Ok(());
        }
    };
    let home = TestHome::with_claude(&claude);
    home.ok(&["daemon", "start"]);
    let project: PathBuf = home.project("project");
    let argument = project.to_string_lossy().into_owned();
    let mut client = Client::connect(home.path())?;
    let mut startup_ms = Vec::new();
    let measured = interleave(
        ROUNDS,
        || {
            let begun = Instant::now();
            let (_, id) = timed(&mut command(&home.cli, &home.cli.program, &["new", &argument]))?;
            let ready = arrivals(&mut client, "idle", 1, begun)?;
            let session = home.session(id.trim());
            startup_ms.push(session["startupMs"].as_f64().context("no startupMs")?);
            home.ok(&["terminate", id.trim()]);
            arrivals(&mut client, "terminated", 1, Instant::now())?;
            Ok(ready[0].as_secs_f64() * 1e3)
        },
        || Ok(bare::starts(&home.cli, &claude, slice::from_ref(&project))?[0].as_secs_f64() * 1e3),
    )?;
    let peer = "claude, bare";
    bench.report.add(Figure::of_rounds(
        "request to ready",
        "ms",
        peer,
        measured,
        Goal::RatioAtMost(GOAL_RATIO),
    ));
    bench.report.add(Figure {
        what: "of that, the session's startupMs".to_owned(),
        unit: "ms",
        percent: 50.0,
        ours: startup_ms,
        peer: None,
        goal: Goal::None,
    });
    Ok(())
}
