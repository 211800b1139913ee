//! Benchmarks. Every figure is compared with a peer or a physical limit that is measured alternately in the same run.
//!
//! `cargo xtask bench` builds the programs with the release profile and runs this program. The speed of a machine
//! changes over time, so goals are ratios wherever there is a peer.

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

/// Measure AreYouJ against its peers
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Arguments {
    /// Run only these rows
    rows: Vec<String>,
    /// List the rows and exit
    #[arg(long)]
    list: bool,
    /// Duration of rows that measure over a period; each has its own default
    #[arg(long)]
    seconds: Option<u64>,
}

/// The context of a row.
pub(crate) struct Bench {
    /// The report to which rows add figures.
    pub(crate) report: Report,
    seconds: Option<u64>,
}

impl Bench {
    /// The duration of a measurement over a period: the requested one, or the row's default.
    pub(crate) fn seconds(&self, default: u64) -> u64 {
        self.seconds.unwrap_or(default)
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

/// Runs the requested rows; returns whether every goal is met.
fn run(arguments: &Arguments) -> Result<bool> {
    if arguments.list {
        for row in ROWS {
            println!("{:12} {}", row.name, row.description);
        }
        return Ok(true);
    }
    let chosen = choose(&arguments.rows)?;
    let mut bench = Bench { report: Report::default(), seconds: arguments.seconds };
    for row in chosen {
        println!("\n== {}: {}", row.name, row.description);
        bench.report.begin(row.name);
        // A panic in a row must not prevent the others from running.
        let ran = catch_unwind(AssertUnwindSafe(|| (row.run)(&mut bench)));
        if let Err(error) = ran.unwrap_or_else(|_| Err(anyhow!("it panicked, see above"))) {
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
        None => bail!("there is no row {name:?}; `cargo xtask bench --list` lists the rows"),
    };
    names.iter().map(find).collect()
}
