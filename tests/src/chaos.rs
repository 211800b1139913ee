//! Injects faults into real processes at random moments, and checks the guarantees afterwards. A violation is reported
//! with the seed that reproduces it.
//!
//! `cargo xtask chaos` runs the rows at full length; the tests run a test_rounds rounds of every row with a fixed seed. The
//! seed determines the actions and their times, but not how the machine schedules them.

mod arena;
mod bad_clients;
mod disk;
mod disks;
mod escapes;
mod flips;
mod kills;
mod ledger;
mod load;
mod pauses;
mod previous;
mod races;
mod shortages;
mod upgrades;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::Result;

/// One kind of fault.
pub struct Row {
    /// The name on the command line.
    pub name: &'static str,
    /// A one-line description of the fault.
    pub description: &'static str,
    /// The number of rounds of a full run.
    pub rounds: u32,
    /// The number of rounds in the tests.
    pub test_rounds: u32,
    run: fn(&mut Trial) -> Result<()>,
}

/// All rows, in the order in which they run.
pub const ROWS: &[Row] = &[
    Row {
        name: "daemon",
        description: "the daemon is killed while messages arrive, turns run and permission requests are open",
        rounds: 200,
        test_rounds: 4,
        run: kills::daemon,
    },
    Row {
        name: "clients",
        description: "clients are killed during a request",
        rounds: 200,
        test_rounds: 10,
        run: kills::clients,
    },
    Row {
        name: "claude",
        description: "Claude is killed under load",
        rounds: 50,
        test_rounds: 2,
        run: kills::claude,
    },
    Row {
        name: "host",
        description: "session hosts are killed under load",
        rounds: 50,
        test_rounds: 2,
        run: kills::host,
    },
    Row {
        name: "everything",
        description: "all processes are killed at once, as in a crash of the machine",
        rounds: 50,
        test_rounds: 1,
        run: kills::everything,
    },
    Row {
        name: "races",
        description: "twenty sessions and four daemons are started at the same time",
        rounds: 20,
        test_rounds: 2,
        run: races::daemons,
    },
    Row {
        name: "escapes",
        description: "processes that Claude started try to survive the end of their session",
        rounds: 30,
        test_rounds: 3,
        run: escapes::trees,
    },
    Row {
        name: "stopped",
        description: "a daemon, a host or a Claude is stopped for ten seconds",
        rounds: 9,
        test_rounds: 3,
        run: pauses::stopped,
    },
    Row {
        name: "clock",
        description: "the clock is set forward and back by an hour",
        rounds: 20,
        test_rounds: 3,
        run: pauses::clock,
    },
    Row {
        name: "full-disk",
        description: "a disk of 64 MB is filled completely",
        rounds: 10,
        test_rounds: 2,
        run: disks::full,
    },
    Row {
        name: "power",
        description: "the power fails under load",
        rounds: 30,
        test_rounds: 2,
        run: disks::power,
    },
    Row {
        name: "descriptors",
        description: "the daemon runs out of file descriptors",
        rounds: 20,
        test_rounds: 2,
        run: shortages::descriptors,
    },
    Row {
        name: "processes",
        description: "the daemon cannot start processes or threads",
        rounds: 10,
        test_rounds: 2,
        run: shortages::processes,
    },
    Row {
        name: "bad-clients",
        description: "clients send invalid data, do not read, and connect in large numbers",
        rounds: 200,
        test_rounds: 24,
        run: bad_clients::clients,
    },
    Row {
        name: "flips",
        description: "bits flip in the database, its log and the journals",
        rounds: 100,
        test_rounds: 10,
        run: flips::bits,
    },
    Row {
        name: "upgrades",
        description: "the daemon is repeatedly replaced by a newer version under load",
        rounds: 20,
        test_rounds: 3,
        run: upgrades::versions,
    },
];

/// One run of a row.
pub struct Trial {
    /// The seed of all random decisions.
    pub seed: u64,
    /// The number of times that the fault is injected.
    pub rounds: u32,
    /// Whether this is a full run, with the number of sessions of a heavy user.
    pub full: bool,
    random: fastrand::Rng,
    report: Report,
}

/// The result of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// Counts and measurements, each with its name.
    pub figures: Vec<(String, String)>,
    /// The violated guarantees, one sentence each.
    pub violations: Vec<String>,
    /// The reason why the row was not run.
    pub skipped: Option<String>,
}

impl Row {
    /// Runs the row. A trial that fails with an error counts as a violation, too.
    pub fn run(&self, seed: u64, rounds: u32, full: bool) -> Report {
        let random = fastrand::Rng::with_seed(seed);
        let mut trial = Trial { seed, rounds, full, random, report: Report::default() };
        if let Err(error) = (self.run)(&mut trial) {
            trial.report.violations.push(format!("the trial failed: {error:#}"));
        }
        trial.report
    }

    /// The command that repeats this run.
    pub fn command(&self, seed: u64, rounds: u32) -> String {
        format!("cargo xtask chaos {} --seed {seed} --rounds {rounds}", self.name)
    }
}

impl Trial {
    /// Records a count or a measurement.
    fn figure(&mut self, what: &str, value: impl std::fmt::Display) {
        self.report.figures.push((what.to_owned(), value.to_string()));
    }

    /// Records a violation.
    fn violation(&mut self, what: impl Into<String>) {
        self.report.violations.push(what.into());
    }

    /// Records a violation unless the condition holds.
    fn must(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.violation(what());
        }
    }

    /// Records the median, the 95th percentile and the maximum of durations.
    fn times(&mut self, what: &str, times: &mut [Duration]) {
        times.sort_unstable();
        let at = |part: f64| times.get(((times.len().max(1) - 1) as f64 * part).round() as usize);
        let ms = |time: Option<&Duration>| time.map_or(f64::NAN, |time| time.as_secs_f64() * 1_000.0);
        let text =
            format!("p50 {:.0} ms, p95 {:.0} ms, max {:.0} ms", ms(at(0.5)), ms(at(0.95)), ms(at(1.0)));
        self.figure(what, text);
    }

    /// Waits for a random time, so that the fault happens at any moment.
    fn any_moment(&mut self, within: Duration) {
        let until = Instant::now() + within.mul_f64(self.random.f64());
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            std::thread::park_timeout(left);
        }
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        for (what, value) in &self.figures {
            writeln!(text, "  {what:<44} {value}")?;
        }
        if let Some(why) = &self.skipped {
            writeln!(text, "  SKIPPED: {why}")?;
        }
        for violation in &self.violations {
            writeln!(text, "  VIOLATED: {violation}")?;
        }
        formatter.write_str(text.trim_end())
    }
}
