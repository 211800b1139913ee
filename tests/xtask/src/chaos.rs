//! Faults at random moments, at full length. What broke is named with the command that repeats it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail, ensure};
use areyouj_tests::chaos::{ROWS, Row};

use crate::cargo;
use crate::setup::{self, Need, Package};

/// The real Claude, disks, a clock, and the history that an older version is built from.
const NEEDS: [Need; 5] = [
    Need::Claude,
    Need::Package(Package::MakeDisk),
    Need::Package(Package::Mount),
    Need::Package(Package::Faketime),
    Need::Package(Package::Git),
];

/// A seed that nobody chose.
pub(crate) fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(now.subsec_nanos())
}

/// Prints what there is.
pub(crate) fn list() -> Result<()> {
    for row in ROWS {
        println!("{:<12} {:>4} rounds  {}", row.name, row.rounds, row.about);
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
    setup::bring(&NEEDS)?;
    cargo::build_programs()?;
    let chosen: Vec<&Row> =
        ROWS.iter().filter(|row| names.is_empty() || names.iter().any(|name| name == row.name)).collect();
    let mut broken = 0;
    for row in &chosen {
        let rounds = rounds.unwrap_or(row.rounds);
        println!("{}: {} ({rounds} rounds, seed {seed})", row.name, row.about);
        let begun = Instant::now();
        let report = row.run(seed, rounds, true);
        println!("{report}\n  {} in {:.1} s", verdict(&report.broken), begun.elapsed().as_secs_f64());
        if !report.broken.is_empty() {
            println!("  repeat it with: {}", row.command(seed, rounds));
            broken += 1;
        }
    }
    ensure!(broken == 0, "{broken} of {} rows broke a promise", chosen.len());
    Ok(())
}

fn verdict(broken: &[String]) -> String {
    if broken.is_empty() { "everything held".to_owned() } else { format!("{} BROKEN", broken.len()) }
}
