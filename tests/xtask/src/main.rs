//! The tasks of developers: `cargo xtask test | lint | words | circles | codegen | fuzz | demo | chaos | bench | vsix |
//! advisories | notices`.

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
mod notices;
mod plugin;
mod setup;
mod test;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use circles::Language;
use clap::{Parser, Subcommand};

/// Tasks of the AreYouJ project
#[derive(Parser)]
#[command(name = "cargo xtask", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run all tests with the real Claude CLI, which is installed first if necessary
    Test {
        /// Run only tests whose name contains one of these
        filters: Vec<String>,
    },
    /// Check words, format, clippy warnings, dependencies and generated files
    Lint,
    /// Check that documentation, texts, comments and names are plain English
    Words {
        /// Files and directories to check [default: those that are known to be clean]
        paths: Vec<String>,
    },
    /// Update the snapshot of advisories that `lint` uses where the newest cannot be fetched
    Advisories {
        /// A checkout of RustSec's advisory database
        database: PathBuf,
    },
    /// Write the licences of the software of others in the programs and the extension
    Notices {
        /// Change nothing; fail if the file is not up to date
        #[arg(long)]
        check: bool,
    },
    /// List circles among the modules of each program
    Circles,
    /// Generate the files that are derived from the protocol types
    Codegen {
        /// Change nothing; fail if a file is not up to date
        #[arg(long)]
        check: bool,
    },
    /// Fuzz the parsers of external input and check their invariants
    Fuzz {
        /// Target to run [default: all]
        target: Option<String>,
        /// Duration for each target
        #[arg(long, default_value_t = 20)]
        seconds: u64,
        /// Run the target once with the input in this file
        #[arg(long, requires = "target")]
        repeat: Option<PathBuf>,
    },
    /// Inject faults at random moments and check that nothing is lost or left behind
    Chaos {
        /// Cases to run [default: all]
        rows: Vec<String>,
        /// Seed of all random decisions
        #[arg(long, default_value_t = chaos::seed())]
        seed: u64,
        /// Number of faults [default: depends on the case]
        #[arg(long)]
        rounds: Option<u32>,
        /// List the cases
        #[arg(long)]
        list: bool,
    },
    /// Demonstrate three sessions offline, with the daemon killed in the middle
    Demo {
        /// Run one message with your own Claude in this directory
        #[arg(long)]
        live: bool,
        /// Open a real VS Code on loopback, for your browser
        #[arg(long, conflicts_with = "live")]
        vscode: bool,
        /// Open a real Neovim in this terminal
        #[arg(long, conflicts_with_all = ["live", "vscode"])]
        nvim: bool,
    },
    /// Package the VS Code extension for this platform, including the programs
    Vsix,
    /// Benchmark the release build against peers and physical limits
    Bench {
        /// Rows to run and other arguments of the benchmarks; `--list` lists the rows
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Test { filters } => test::run(&filters),
        Task::Lint => lint::run(),
        Task::Words { paths } => words::run(&paths),
        Task::Advisories { database } => advisories::renew(&database),
        Task::Notices { check } => notices::write(check),
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
