//! Replaces the daemon by a newer version, repeatedly, while everything keeps running. It is never replaced by the
//! older version, which rejects the database of a newer one.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::arena::{Arena, EVENT_TIMEOUT};
use super::kills::{Size, Workload};
use super::ledger::Rules;
use super::load::Tolerance;
use super::{Trial, previous};
use crate::cli::Run;
use crate::sandbox;

/// An installation that is replaced while it is in use, as packages do.
struct Installed {
    program: PathBuf,
    versions: [PathBuf; 2],
}

impl Installed {
    fn at(program: PathBuf, older: &Path, newer: &Path) -> Installed {
        Installed { program, versions: [older.join("areyouj"), newer.join("areyouj")] }
    }

    /// Installs one of the two versions atomically.
    fn put(&self, version: usize) -> Result<()> {
        let next = self.program.with_extension("next");
        symlink(&self.versions[version], &next)?;
        Ok(fs::rename(&next, &self.program)?)
    }
}

pub(super) fn versions(trial: &mut Trial) -> Result<()> {
    let older = match previous::programs()? {
        Ok(programs) => programs,
        Err(why) => {
            trial.report.skipped = Some(why);
            return Ok(());
        }
    };
    let mut arena = Arena::new(u32::try_from(SIZE.busy + SIZE.waiting)? + 40)?;
    let installed = Installed::at(arena.home().join("areyouj"), &older, &sandbox::programs()?);
    installed.put(0)?;
    arena.cli.program.clone_from(&installed.program);
    // Hosts and a daemon of the older version.
    let mut workload = Workload::within(arena, trial, &SIZE, Tolerance::Nothing, |_| Ok(()))?;
    let mut later = Vec::new();
    let mut ready = Vec::new();
    for round in 0..trial.rounds {
        trial.any_moment(Duration::from_secs(1));
        installed.put(1)?;
        let start = Instant::now();
        if trial.random.bool() {
            workload.arena.cli.run_within(&["daemon", "restart"], EVENT_TIMEOUT).and_then(Run::success)?;
        } else {
            // An update that kills the daemon it replaces.
            workload.arena.kill(workload.arena.daemon()?)?;
        }
        workload.arena.response_time()?;
        ready.push(start.elapsed());
        if later.len() < 4 {
            let id = workload.arena.create(&format!("later-{round}"))?;
            workload.arena.wait(&id, "idle")?;
            later.push((id.clone(), workload.arena.session_state(&id)?));
        }
    }
    for (id, before) in &later {
        let text = format!("to {id} at the end");
        let sent = workload.arena.json(&["send", id, &text])?;
        workload.load.ledger.acknowledged(id, sent["id"].as_str().unwrap_or_default(), &text);
        workload.arena.wait(id, "idle")?;
        let now = workload.arena.session_state(id)?;
        trial.must(now == *before, || format!("session {id} was {before:?} and is {now:?}"));
        let done = workload.arena.messages(id)?.iter().any(|message| message["state"] == "done");
        trial.must(done, || format!("session {id} no longer processes messages"));
    }
    workload.also(later.into_iter().map(|(id, _)| id));
    trial.figure("replacements by the newer version", trial.rounds);
    trial.times("from the replacement to the next answer", &mut ready);
    workload.close(trial, Rules::default())
}

/// The numbers of sessions and clients.
const SIZE: Size = Size { busy: 4, waiting: 2, producers: 4 };
