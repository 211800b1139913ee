//! Builds the programs with the release profile, then runs the benchmarks.

use anyhow::{Context, Result, ensure};

use crate::cargo;
use crate::setup::{self, Need, Package};

/// The requirements of the rows: the real Claude, and a peer for terminals.
const NEEDS: [Need; 2] = [Need::Claude, Need::Package(Package::Tmux)];

/// Runs these rows, or all by default. A missed goal is an error.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    setup::install_missing(&NEEDS)?;
    let programs = cargo::build_release_programs()?;
    let mut bench = std::process::Command::new(programs.join("areyouj-bench"));
    let status = bench.args(arguments).env("AREYOUJ_BIN_DIR", &programs).status();
    ensure!(status.context("areyouj-bench cannot be started")?.success(), "not every goal is met");
    Ok(())
}
