//! Faults, at random moments, against real processes: what must hold is checked afterwards, and everything that broke
//! is named with the seed that repeats it.
//!
//! `cargo xtask chaos` runs the rows at full length; the tests run every row for a few rounds with a fixed seed. The
//! seed decides what is done and when it is tried; what the machine makes of it is its own.

mod arena;
mod disk;
mod disks;
mod escapes;
mod flips;
mod kills;
mod ledger;
mod lies;
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
    /// What it is called on the command line.
    pub name: &'static str,
    /// What is done, in one line.
    pub about: &'static str,
    /// Rounds of a full run.
    pub rounds: u32,
    /// Rounds in the tests.
    pub few: u32,
    run: fn(&mut Trial) -> Result<()>,
}

/// All rows, in the order in which they run.
pub const ROWS: &[Row] = &[
    Row {
        name: "daemon",
        about: "the daemon is killed while messages come in, turns run and prompts are open",
        rounds: 200,
        few: 4,
        run: kills::daemon,
    },
    Row {
        name: "clients",
        about: "clients are killed in the middle of a request",
        rounds: 200,
        few: 10,
        run: kills::clients,
    },
    Row { name: "claude", about: "Claude is killed under load", rounds: 50, few: 2, run: kills::claude },
    Row { name: "host", about: "session hosts are killed under load", rounds: 50, few: 2, run: kills::host },
    Row {
        name: "everything",
        about: "everything is killed at once, as when the machine goes down",
        rounds: 50,
        few: 1,
        run: kills::everything,
    },
    Row {
        name: "races",
        about: "twenty sessions and four daemons are started at the same instant",
        rounds: 20,
        few: 2,
        run: races::daemons,
    },
    Row {
        name: "escapes",
        about: "what Claude started tries to get away when its session ends",
        rounds: 30,
        few: 3,
        run: escapes::trees,
    },
    Row {
        name: "stopped",
        about: "daemon, hosts and Claudes stand still for ten seconds",
        rounds: 9,
        few: 3,
        run: pauses::stopped,
    },
    Row {
        name: "clock",
        about: "the clock is set forth and back by an hour",
        rounds: 20,
        few: 3,
        run: pauses::clock,
    },
    Row {
        name: "full-disk",
        about: "a disk of 64 MB is filled to the last byte",
        rounds: 10,
        few: 2,
        run: disks::full,
    },
    Row { name: "power", about: "the power fails under load", rounds: 30, few: 2, run: disks::power },
    Row {
        name: "descriptors",
        about: "the daemon has no descriptors left",
        rounds: 20,
        few: 2,
        run: shortages::descriptors,
    },
    Row {
        name: "processes",
        about: "no process and no thread can be started",
        rounds: 10,
        few: 2,
        run: shortages::processes,
    },
    Row {
        name: "lies",
        about: "clients lie, send rubbish, do not read and come in crowds",
        rounds: 200,
        few: 24,
        run: lies::clients,
    },
    Row {
        name: "flips",
        about: "bits flip in the database, its log and the journals",
        rounds: 100,
        few: 10,
        run: flips::bits,
    },
    Row {
        name: "upgrades",
        about: "the daemon is replaced by a newer version, and again and again, under load",
        rounds: 20,
        few: 3,
        run: upgrades::versions,
    },
];

/// One run of a row.
pub struct Trial {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// How often the fault happens.
    pub rounds: u32,
    /// A full run, with as many sessions as a heavy user has.
    pub full: bool,
    random: fastrand::Rng,
    report: Report,
}

/// What a run showed.
#[derive(Debug, Default)]
pub struct Report {
    /// What was counted and measured.
    pub figures: Vec<(String, String)>,
    /// What must hold and did not. Each is one sentence.
    pub broken: Vec<String>,
    /// Why nothing was tried.
    pub skipped: Option<String>,
}

impl Row {
    /// Runs it. A trial that could not be carried through is a broken promise, too.
    pub fn run(&self, seed: u64, rounds: u32, full: bool) -> Report {
        let random = fastrand::Rng::with_seed(seed);
        let mut trial = Trial { seed, rounds, full, random, report: Report::default() };
        if let Err(error) = (self.run)(&mut trial) {
            trial.report.broken.push(format!("the trial could not be carried through: {error:#}"));
        }
        trial.report
    }

    /// The command that repeats a run.
    pub fn command(&self, seed: u64, rounds: u32) -> String {
        format!("cargo xtask chaos {} --seed {seed} --rounds {rounds}", self.name)
    }
}

impl Trial {
    /// Notes what was counted or measured.
    fn figure(&mut self, what: &str, value: impl std::fmt::Display) {
        self.report.figures.push((what.to_owned(), value.to_string()));
    }

    /// Notes what must hold and did not.
    fn broken(&mut self, what: impl Into<String>) {
        self.report.broken.push(what.into());
    }

    /// Notes that, unless it holds.
    fn must(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.broken(what());
        }
    }

    /// Notes durations: their middle, their 95th percentile and the longest.
    fn times(&mut self, what: &str, times: &mut [Duration]) {
        times.sort_unstable();
        let at = |part: f64| times.get(((times.len().max(1) - 1) as f64 * part).round() as usize);
        let ms = |time: Option<&Duration>| time.map_or(f64::NAN, |time| time.as_secs_f64() * 1_000.0);
        let text =
            format!("p50 {:.0} ms, p95 {:.0} ms, max {:.0} ms", ms(at(0.5)), ms(at(0.95)), ms(at(1.0)));
        self.figure(what, text);
    }

    /// Lets a random time pass: the fault is to come at any moment.
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
        for broken in &self.broken {
            writeln!(text, "  BROKEN: {broken}")?;
        }
        formatter.write_str(text.trim_end())
    }
}
