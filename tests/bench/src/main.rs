//! Benchmarks. Every figure stands beside a peer or a physical limit that was measured in the same run, by turns.
//!
//! `cargo xtask bench` builds the programs in the release profile and starts this. What a machine can do changes from
//! hour to hour, so goals are ratios wherever there is something to compare with.

mod arrivals;
mod bare;
mod client;
mod home;
mod interleave;
mod processes;
mod readers;
mod report;
mod rows;
mod statistics;
mod terminal;
mod watcher;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use clap::Parser;

use report::Report;
use rows::{ROWS, Row};

/// Measures AreYouJ against its peers.
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Arguments {
    /// Only these rows
    rows: Vec<String>,
    /// Say which rows there are, and measure nothing
    #[arg(long)]
    list: bool,
    /// How long a row may go on that measures over a time; each has a length of its own
    #[arg(long)]
    seconds: Option<u64>,
}

/// What a row is run with.
pub(crate) struct Bench {
    /// Where figures go.
    pub(crate) report: Report,
    seconds: Option<u64>,
}

impl Bench {
    /// How long to measure over a time: what was asked for, or the row's own length.
    pub(crate) fn seconds(&self, otherwise: u64) -> u64 {
        self.seconds.unwrap_or(otherwise)
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs what was asked for; whether every goal is met.
fn run(arguments: &Arguments) -> Result<bool> {
    if arguments.list {
        for row in ROWS {
            println!("{:12} {}", row.name, row.about);
        }
        return Ok(true);
    }
    let chosen = choose(&arguments.rows)?;
    let mut bench = Bench { report: Report::default(), seconds: arguments.seconds };
    for row in chosen {
        println!("\n== {}: {}", row.name, row.about);
        bench.report.begin(row.name);
        // A row that breaks down must not keep the others from being measured.
        let ran = catch_unwind(AssertUnwindSafe(|| (row.run)(&mut bench)));
        if let Err(error) = ran.unwrap_or_else(|_| Err(anyhow!("it broke down, see above"))) {
            bench.report.failed(&format!("{error:#}"));
        }
    }
    print!("\n{}", bench.report);
    Ok(bench.report.is_good())
}

fn choose(names: &[String]) -> Result<Vec<&'static Row>> {
    if names.is_empty() {
        return Ok(ROWS.iter().collect());
    }
    let find = |name: &String| match ROWS.iter().find(|row| row.name == name) {
        Some(row) => Ok(row),
        None => bail!("there is no row {name:?}; `cargo xtask bench --list` says which there are"),
    };
    names.iter().map(find).collect()
}
