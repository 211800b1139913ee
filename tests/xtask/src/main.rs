//! What developers run: `cargo xtask test | lint | circles | codegen | fuzz | demo | chaos | bench | vsix | advisories`.

mod advisories;
mod bench;
mod cargo;
mod chaos;
mod circles;
mod crates;
mod demo;
mod extension;
mod fuzz;
mod lint;
mod plugin;
mod setup;
mod test;

use std::path::PathBuf;
use std::process::ExitCode;

use circles::Language;
use clap::{Parser, Subcommand};

/// Tasks of the AreYouJ project.
#[derive(Parser)]
#[command(name = "cargo xtask", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run all tests, with the real Claude CLI; it is installed first, if need be
    Test {
        /// Only tests whose name holds one of these
        filters: Vec<String>,
    },
    /// Check the format, clippy's warnings, dependencies and generated files
    Lint,
    /// Renew the snapshot of advisories that `lint` uses where the newest cannot be fetched
    Advisories {
        /// A checkout of RustSec's advisory database
        database: PathBuf,
    },
    /// Look for circles among the modules of each program, and show each
    Circles,
    /// Generate what is made of the protocol's types
    Codegen {
        /// Change nothing; fail if something is not up to date
        #[arg(long)]
        check: bool,
    },
    /// Feed what reads other people's bytes with damaged and made-up ones, and check what must hold
    Fuzz {
        /// Which target, all if none is named
        target: Option<String>,
        /// How long each runs
        #[arg(long, default_value_t = 20)]
        seconds: u64,
        /// Run the target once, with the input in this file
        #[arg(long, requires = "target")]
        repeat: Option<PathBuf>,
    },
    /// Break things at random moments and check that nothing is lost and nothing left behind
    Chaos {
        /// Which faults, all if none is named
        rows: Vec<String>,
        /// Decides everything that is left to chance
        #[arg(long, default_value_t = chaos::seed())]
        seed: u64,
        /// How often the fault happens; every row has a number of its own
        #[arg(long)]
        rounds: Option<u32>,
        /// List the rows and run none
        #[arg(long)]
        list: bool,
    },
    /// Show three sessions at work, offline, with the daemon killed in the middle
    Demo {
        /// With your own Claude, in this directory: one session, one message, a real answer
        #[arg(long)]
        live: bool,
        /// In a real VS Code in your browser, on loopback, to click through
        #[arg(long, conflicts_with = "live")]
        vscode: bool,
        /// In a real Neovim in this terminal, to try by hand
        #[arg(long, conflicts_with_all = ["live", "vscode"])]
        nvim: bool,
    },
    /// Package the VS Code extension for this platform, with the programs in it
    Vsix,
    /// Measure speed against peers and physical limits, in the release profile
    Bench {
        /// Only these rows, and what else the benchmarks are told; `--list` says which rows there are
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Test { filters } => test::run(&filters),
        Task::Lint => lint::run(),
        Task::Advisories { database } => advisories::renew(&database),
        Task::Circles => circles::check(&Language::ALL),
        Task::Codegen { check } => cargo::codegen(check),
        Task::Fuzz { target, seconds, repeat } => fuzz::run(target.as_deref(), seconds, repeat.as_deref()),
        Task::Chaos { list: true, .. } => chaos::list(),
        Task::Chaos { rows, seed, rounds, list: false } => chaos::run(&rows, seed, rounds),
        Task::Demo { vscode: true, .. } => demo::vscode(),
        Task::Demo { nvim: true, .. } => demo::nvim(),
        Task::Demo { live: false, .. } => demo::story(),
        Task::Demo { live: true, .. } => demo::live(),
        Task::Vsix => extension::package(),
        Task::Bench { arguments } => bench::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
