//! Benchmarks: everything they need built in the release profile, then the program that measures.

use anyhow::{Context, Result, ensure};

use crate::cargo;
use crate::setup::{self, Need, Package};

/// What the rows need: the real Claude, and a peer for terminals.
const NEEDS: [Need; 2] = [Need::Claude, Need::Package(Package::Tmux)];

/// Measures these rows, all of them if none is named. A missed goal is an error.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    setup::bring(&NEEDS)?;
    let programs = cargo::build_release_programs()?;
    let mut bench = std::process::Command::new(programs.join("areyouj-bench"));
    let status = bench.args(arguments).env("AREYOUJ_BIN_DIR", &programs).status();
    ensure!(status.context("areyouj-bench cannot be started")?.success(), "not every goal is met");
    Ok(())
}
