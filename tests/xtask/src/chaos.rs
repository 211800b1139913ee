//! Injects faults at random moments, at full length. A violation is reported with the command that repeats it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail, ensure};
use areyouj_tests::chaos::{ROWS, Row};

use crate::cargo;
use crate::setup::{self, Need, Package};

/// The real Claude, disks, a fake clock, and the history from which an older version is built.
const NEEDS: [Need; 5] = [
    Need::Claude,
    Need::Package(Package::MakeDisk),
    Need::Package(Package::Mount),
    Need::Package(Package::Faketime),
    Need::Package(Package::Git),
];

/// A random seed.
pub(crate) fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(now.subsec_nanos())
}

/// Prints all rows.
pub(crate) fn list() -> Result<()> {
    for row in ROWS {
        println!("{:<12} {:>4} rounds  {}", row.name, row.rounds, row.description);
    }
    Ok(())
}

/// Runs these rows, or all.
pub(crate) fn run(names: &[String], seed: u64, rounds: Option<u32>) -> Result<()> {
    for name in names {
        if !ROWS.iter().any(|row| row.name == name) {
            list()?;
            bail!("there is no row {name}");
        }
    }
    setup::install_missing(&NEEDS)?;
    cargo::build_programs()?;
    let chosen: Vec<&Row> =
        ROWS.iter().filter(|row| names.is_empty() || names.iter().any(|name| name == row.name)).collect();
    let mut failed = 0;
    for row in &chosen {
        let rounds = rounds.unwrap_or(row.rounds);
        println!("{}: {} ({rounds} rounds, seed {seed})", row.name, row.description);
        let begun = Instant::now();
        let report = row.run(seed, rounds, true);
        println!("{report}\n  {} in {:.1} s", verdict(&report.violations), begun.elapsed().as_secs_f64());
        if !report.violations.is_empty() {
            println!("  repeat it with: {}", row.command(seed, rounds));
            failed += 1;
        }
    }
    ensure!(failed == 0, "{failed} of {} rows violated a guarantee", chosen.len());
    Ok(())
}

fn verdict(violations: &[String]) -> String {
    if violations.is_empty() {
        "all guarantees held".to_owned()
    } else {
        format!("{} VIOLATED", violations.len())
    }
}
